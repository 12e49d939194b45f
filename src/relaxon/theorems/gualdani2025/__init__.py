"""Checks of gualdani2025: the blow-down mechanism of the Landau-Coulomb equation."""
