"""Grids: where functions live and how they are integrated and differentiated."""
