"""What a run records besides the solver's own diagnostics: functionals that can be stored."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.two_scale.equation import TwoScale
from relaxon.core.entries import records
from relaxon.core.registry import storable
from relaxon.distributions.functionals import weighted_norm
from relaxon.distributions.gaussians import maxwellian
from relaxon.distributions.hot_spot import blowdown, hot_spot, spot_at

LATEST = 1.0
"""The time up to which the profile E is compared with."""


@storable
class BlowdownNorms(eqx.Module):
    r"""The norms of the blow-down theorem along a run from M + delta^alpha M_delta.

    $$ \|F - M\|_{L^2_M}, \qquad \|F - M - E\|_{L^2_M}, \qquad
       \|x\|_{L^2_M}^2 = \int x^2 M^{-1} dv $$

    recorded as `distance_m` and `remainder`. Source: gualdani2025, Theorem 1.1, where E + f = F - M
    and f is the remainder; E is (1.4). E describes the spot up to t* = 1/2 and then grows without
    bound, so the remainder is NaN for t > 1.

    Attributes:
        delta: Squared width of the initial spot.
        alpha: Exponent of its mass.

    Raises:
        InputError: delta or alpha outside its range.
    """

    partly_defined: ClassVar[tuple[str, ...]] = ("remainder",)

    delta: Array
    alpha: Array

    def __init__(self, delta: float, alpha: float):
        self.delta, self.alpha = map(jnp.asarray, hot_spot(delta, alpha))

    def __call__(self, t: Array, f: Array, grid: Any) -> dict[str, Array]:
        """The norms at time t.

        Args:
            t: Time.
            f: Distribution, shape `grid.shape`.
            grid: Its grid.
        """
        spot = f - maxwellian(grid)
        # E is frozen beyond LATEST to stay finite; the remainder is NaN there anyway.
        profile = spot_at(grid.r, jnp.minimum(t, LATEST), self.delta, self.alpha, grid.d)
        remainder = weighted_norm(spot - profile, grid)
        return {
            "distance_m": weighted_norm(spot, grid),
            "remainder": jnp.where(t <= LATEST, remainder, jnp.nan),
        }


@records(blowdown)
def blowdown_norms(equation: Any, delta: float, alpha: float) -> dict[str, Any]:
    """The norms of the theorem, for every run that starts from its datum.

    The two-scale system records them itself, without the cancellation in F - M - E.
    """
    return {} if isinstance(equation, TwoScale) else {"blowdown": BlowdownNorms(delta, alpha)}
