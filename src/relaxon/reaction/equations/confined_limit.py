"""The fast-reaction limit under a confining potential."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import numpy as np

from relaxon.core.errors import require
from relaxon.core.numbers import positive
from relaxon.core.registry import storable
from relaxon.core.shapes import on_grid
from relaxon.core.types import Field, OnGrid, Real
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confinement import Confinement, Confining, confinement
from relaxon.reaction.equations.limit import Limit, density_from_difference


@storable("equation", build="from_file")
class ConfinedLimit(Limit):
    r"""Limit of the confined reaction model as epsilon -> 0.

    $$ \partial_t m = L \Phi(m), \quad L = \partial_{xx} - \phi' \partial_x = -D^t D, \quad
       \Phi = \tfrac12 (D_1 \rho^2 - D_2 \rho^{-2}), \quad \rho = (m + \sqrt{m^2+4})/2 $$

    m = <F> - <G> is the difference of the relative densities. Source: neumann2016, section 1.3,
    with the divergence in the weight $e^{-\phi}$; the flux is $-D(m) \partial_x m$ with D(m) as
    on the torus, $D(m) = (D_1 \rho^2 + D_2 \rho^{-2})/\sqrt{m^2+4}$.

    Args:
        D1: Variance T1 of chi_1, > 0.
        D2: Variance T2 of chi_2, > 0.
        potential: phi: a `Confinement`, a name or a callable.
    """

    D1: float = eqx.field(static=True)
    D2: float = eqx.field(static=True)
    potential: Confinement

    def __init__(self, D1: Real = 1.0, D2: Real = 1.0, potential: Confining = "harmonic"):
        self.D1, self.D2 = positive("D1", D1), positive("D2", D2)
        self.potential = confinement(potential)

    @classmethod
    def from_file(
        cls, T1: float = 1.0, T2: float = 1.0, potential: Confining = "harmonic"
    ) -> ConfinedLimit:
        """The limit of `ConfinedReaction` with these variances."""
        return cls(T1, T2, potential)

    def require_grid(self, grid: Any) -> None:
        """Refuse a grid that is not a line made for a potential."""
        require(
            isinstance(grid, ConfinedLine),
            f"The confined limit lives on a ConfinedLine, not on a {type(grid).__name__}.",
        )
        x = np.asarray(grid.nodes)
        require(
            bool(np.allclose(self.potential(x), grid.potential(x), rtol=1e-12, atol=1e-12)),
            f"The equation has the potential {self.potential.name!r}, but the line was made for "
            f"{grid.potential.name!r} of other values: build both from one potential.",
        )

    def diffusivity(self, m: jax.Array) -> jax.Array:
        """D(m), of the shape of m."""
        rho = density_from_difference(m)
        return (self.D1 * rho**2 + self.D2 / rho**2) / (rho + 1.0 / rho)

    def mean_symbol(self, m: jax.Array, grid: ConfinedLine) -> None:
        """None: the line has no Fourier modes."""

    def potential_flux(self, m: jax.Array) -> jax.Array:
        r"""$\Phi(m) = (D_1 \rho^2 - D_2 \rho^{-2})/2$, whose derivative is D(m)."""
        rho = density_from_difference(m)
        return 0.5 * (self.D1 * rho**2 - self.D2 / rho**2)

    def rhs(self, m: OnGrid, grid: ConfinedLine) -> Field:
        """Time derivative of m; its integral with the weight vanishes to rounding."""
        return grid.laplacian(self.potential_flux(on_grid("m", m, grid.shape)))
