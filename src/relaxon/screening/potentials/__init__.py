"""Interaction potentials: Gaussian, Coulomb with cut-offs, Yukawa, and any transform of your own.

Every potential offers `vhat(k)`, `landau_prefactor()`, `screening(z)` and `rescaled(delta, a)`; see
`base` for the formulas and `custom` for user-defined ones.
"""

from relaxon.screening.potentials.base import Potential
from relaxon.screening.potentials.coulomb import Coulomb, Yukawa
from relaxon.screening.potentials.custom import Custom
from relaxon.screening.potentials.gaussian import Gaussian

__all__ = ["Coulomb", "Custom", "Gaussian", "Potential", "Yukawa"]
