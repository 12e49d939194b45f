"""Interaction potentials: Gaussian, Coulomb with cut-offs, Yukawa, and any transform of your own.

Every potential offers `vhat(k)`, `landau_prefactor()`, `screening(z)` and `rescaled(delta, a)`; see
`relaxon.screening.potentials.base` for the formulas and `relaxon.screening.potentials.custom` for user-defined ones.
"""

from relaxon.screening.potentials.base import Coulomb, Gaussian, Potential, Yukawa
from relaxon.screening.potentials.custom import Custom

__all__ = ["Coulomb", "Custom", "Gaussian", "Potential", "Yukawa"]
