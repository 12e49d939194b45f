"""How the plasma answers: potentials, dispersion function, Penrose criterion, waves."""
