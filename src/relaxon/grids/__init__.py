"""Grids: where a distribution lives, how it is integrated and differentiated."""
