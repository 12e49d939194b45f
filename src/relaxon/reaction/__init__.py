"""The kinetic reaction model of neumann2016: its linear theory and its hypocoercive rates."""
