"""relaxon: relaxation to equilibrium in kinetic theory."""
