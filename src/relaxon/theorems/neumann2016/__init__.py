"""Checks of neumann2016: the kinetic reaction model."""
