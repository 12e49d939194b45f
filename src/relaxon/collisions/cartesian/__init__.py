"""Collision operators on Cartesian velocity grids."""
