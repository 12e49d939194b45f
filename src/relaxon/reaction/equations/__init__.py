"""The equations of two reacting species: kinetic, limit, on the torus and confined."""
