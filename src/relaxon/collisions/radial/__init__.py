"""Collision operators on radial grids: one antisymmetric form, fixed or screened kernels."""
