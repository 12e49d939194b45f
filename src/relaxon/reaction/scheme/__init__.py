"""Schemes of the reaction model: one for every epsilon, and one for its limit."""
