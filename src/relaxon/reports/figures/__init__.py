"""Figures: a saved solution in, a matplotlib Figure out."""
