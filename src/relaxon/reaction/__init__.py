"""The kinetic generation-recombination model of neumann2016."""
