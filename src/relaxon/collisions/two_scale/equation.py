"""The blow-down of a hot spot: the two-scale equation, distances, the bootstrap of Lemma 5.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.landau import Landau
from relaxon.collisions.two_scale.system import TwoScaleSystem
from relaxon.core.equation import Equation
from relaxon.core.errors import require
from relaxon.core.methods import Posed, solves
from relaxon.core.references import PAPERS
from relaxon.core.registry import storable
from relaxon.core.types import Real
from relaxon.distributions.hot_spot import C0, PEAK, blowdown, hot_spot
from relaxon.grids.radial import RadialGrid
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.stepper import Stepper


@storable("equation")
class TwoScale(Equation):
    r"""The Landau-Coulomb equation for F = M + E + g + h, split into far field g and near field h.

    $$ \partial_t g = A[F] : \nabla^2 (M + g) + (M + g)^2, \qquad
       \partial_t h = Q(F, E + h) + (M + g)(E + h) - c_0 \Delta E - 2 M(0) E $$

    with g = h = 0 at t = 0, M the unit Maxwellian and E(t) of (1.4).
    Source: gualdani2025 (2.4), simplified by Q(M, M) = Q(E, E) = 0 and (2.14).

    A run returns the fields "f" (that is F), "g", "h", "E" and "perturbation" (g + h), and the
    diagnostics "far_field_norm" (2.6), "near_field_norm" (2.5), their ratios to m T and to
    delta^(alpha - 1/4) of (5.1), "distance_m" and "remainder" of Theorem 1.1. Errors are
    relative to g and h; mass and energy of F are not imposed but follow to the discretisation
    error.

    Accuracy: order 4 in the cell size. F agrees with the direct solver, at t = 1/2 and 200 cells,
    to 3e-6 of |F - M| for delta = 1e-2 and to 4e-5 for delta = 1e-8 (tests/physics/
    test_two_scale_runs.py). Cost: O(n) a step; 74 steps for delta = 1e-2, about 400 for
    delta = 1e-8.

    Attributes:
        delta: Squared width of the initial spot, in (0, 1).
        alpha: Exponent of its mass.

    Raises:
        InputError: delta or alpha outside its range.
    """

    reference: ClassVar[str] = PAPERS["gualdani2025"]
    delta: float = eqx.field(static=True)
    alpha: float = eqx.field(static=True)

    def __init__(self, delta: Real, alpha: Real):
        self.delta, self.alpha = hot_spot(delta, alpha)

    def initial(self, grid: Any) -> Array:
        """The only initial datum of this equation, M + delta^alpha M_delta (1.2)."""
        return blowdown(grid, self.delta, self.alpha)

    def rhs(self, f: Any, grid: Any, t: Any = 0.0) -> Any:
        """Rates of change of g and h.

        Args:
            f: The fields "g" and "h", each of shape (n,).
            grid: Radial grid, d = 3.
            t: Time, which sets E.

        Returns:
            {"g": dg/dt, "h": dh/dt}.
        """
        self.require_grid(grid)
        system, t = self.system(grid), jnp.asarray(t, float)
        spot, unit = system.profile(t).density, system.unit.density
        # Where E underflows h is zero too.
        phi = jnp.where(spot > 0, f["h"] / jnp.where(spot > 0, spot, 1.0), 0.0)
        rates = system.rate(t, jnp.stack([phi, f["g"] / unit]))
        # d(E phi)/dt = E dphi/dt + phi dE/dt
        growth = C0 * (grid.r**2 / system.temperature(t) - 3) / system.temperature(t)
        growth = growth + 2 * PEAK
        return {"g": unit * rates[1], "h": spot * (rates[0] + phi * growth)}

    def system(self, grid: RadialGrid) -> TwoScaleSystem:
        """The discrete system on a grid."""
        return TwoScaleSystem(grid, jnp.asarray(self.delta), jnp.asarray(self.alpha))

    def coefficients(self, f: Any, grid: Any) -> tuple[Any, Array]:
        """Diffusion and friction of F, as for `Landau`."""
        return Landau().coefficients(_total(f), grid)

    def invariants(self, f: Any, grid: Any) -> dict[str, Array]:
        """Mass and energy of F."""
        return Landau().invariants(_total(f), grid)

    def equilibrium(self, f: Any, grid: Any) -> Array:
        """The Maxwellian with the mass and energy of F (Theorem 1.1)."""
        return Landau().equilibrium(_total(f), grid)

    def require_grid(self, grid: Any) -> None:
        """Raise `InputError` unless the grid is radial with d = 3."""
        require(
            isinstance(grid, RadialGrid) and grid.d == 3,
            "The two-scale system needs a RadialGrid with d = 3, but got "
            f"{type(grid).__name__} with d = {getattr(grid, 'd', None)}.",
        )

    def require_datum(self, f0: Any, grid: RadialGrid) -> None:
        """Raise `InputError` unless f0 is `initial(grid)`: at t = 0 both g and h vanish."""
        grid.require_maxwellian(1.0, "the equation")
        wanted = self.initial(grid)
        gap = float(jnp.max(jnp.abs(f0 - wanted)) / jnp.max(wanted))
        require(
            gap < 1e-12,
            "The two-scale system starts from M + delta^alpha M_delta only; f0 differs from it by "
            f"{gap:.1e} of its maximum: take f0 = TwoScale({self.delta:g}, {self.alpha:g})"
            ".initial(grid).",
        )


@solves(TwoScale, RadialGrid, memory=lambda grid: 2.0 * grid.n**2)
def method(problem: Posed, rtol: float) -> Stepper:
    """Implicit steps for g and h."""
    problem.equation.require_datum(problem.f0, problem.grid)
    return Rosenbrock(problem.equation.system(problem.grid), jnp.asarray(rtol))


def _total(f: Any) -> Array:
    return f["f"] if isinstance(f, Mapping) else f
