"""The names under which conserved integrals are recorded, and what their changes are relative to.

An equation returns its integrals by these names (`Equation.invariants`); a run records them, the
progress line and a solution show their drift.
"""

from __future__ import annotations

import math

INVARIANTS = ("mass", "energy", "mass_difference")
"""Integral of f, of |v|^2 f, and of f - g for two species that react."""


def scale_of(name: str, first: float) -> float:
    """What changes of a recorded quantity are relative to: its first value; never zero.

    A difference of masses may vanish: it is compared with rho_inf + 1/rho_inf, the mass of both
    species at equilibrium.
    """
    size = math.hypot(first, 2.0) if name == "mass_difference" else abs(first)
    return max(size, 1e-300)
