"""Interaction potentials: Gaussian, Coulomb with cut-offs, Yukawa, and any transform of your own.

Every potential offers `vhat(k)`, `landau_prefactor()`, `screening(z)` and `rescaled(delta, a)`; see
`relaxon.potential_forms` for the formulas and `relaxon.custom_potential` for user-defined ones.
"""

from relaxon.custom_potential import Custom
from relaxon.potential_forms import Coulomb, Gaussian, Potential, Yukawa

__all__ = ["Coulomb", "Custom", "Gaussian", "Potential", "Yukawa"]
