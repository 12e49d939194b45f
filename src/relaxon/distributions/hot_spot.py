"""The hot spot of gualdani2025: M + delta^alpha M_delta, and its explicit profile (1.4)."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.core.entries import datum
from relaxon.core.errors import require
from relaxon.core.numbers import scalar, shown
from relaxon.core.shapes import traceable
from relaxon.core.types import Real
from relaxon.distributions.gaussians import gaussian_mixture, isotropic
from relaxon.grids.radial import RadialGrid

C0 = 1.0 / (3.0 * (2.0 * math.pi) ** 1.5)
"""c_0 = lambda_1[M](0), the diffusion of the unit Maxwellian at v = 0 (gualdani2025 (2.2))."""

PEAK = (2 * math.pi) ** -1.5
"""M(0) of the unit Maxwellian; the spot's mass grows at twice this rate (gualdani2025 (1.4))."""

COARSEST = 0.5
"""A bump of width w needs cells no wider than this times w."""


def spot_width(delta: float, alpha: float) -> float:
    """sqrt(delta), the smallest velocity scale of `blowdown`."""
    return math.sqrt(hot_spot(delta, alpha)[0])


@datum("blowdown", width=spot_width)
def blowdown(grid: Any, delta: Real, alpha: Real) -> Array:
    r"""A unit Maxwellian with a hot spot of width sqrt(delta) and mass delta^alpha.

    $$ F_{in} = M + \delta^\alpha M_\delta $$

    Source: gualdani2025 (1.2). The values at the centres of a radial grid integrate to
    1 + delta^alpha like averages over the cells do, to rounding once the spot is resolved.

    Args:
        grid: A velocity grid of dimension 3 whose cells resolve sqrt(delta).
        delta: Squared width of the spot, in (0, 1).
        alpha: Exponent of its mass; the theorem assumes (1/4, 1/2), any finite value >= 0 is
            allowed.

    Returns:
        Values at the grid's points, shape `grid.shape`.

    Raises:
        InputError: delta or alpha outside its range, or a grid too coarse for delta (the message
            says how many cells are needed).
    """
    delta, alpha = hot_spot(delta, alpha)
    require(
        grid.d == 3, f"The hot spot of gualdani2025 needs d = 3, but the grid has d = {grid.d}."
    )
    if isinstance(grid, RadialGrid):
        _require_resolved(grid, math.sqrt(delta))
    else:
        needed = math.ceil(2 * grid.v_max / math.sqrt(delta))
        require(
            grid.n >= needed,
            f"The grid is too coarse for delta = {delta:.3g}: it needs n >= {needed} points along "
            f"each axis to resolve sqrt(delta), but n is {grid.n}; a RadialGrid needs far fewer.",
        )
    d = grid.d
    zero = np.zeros((2, d))
    return gaussian_mixture(grid, [1.0, delta**alpha], zero, [1.0, delta])


def hot_spot(delta: Real, alpha: Real) -> tuple[float, float]:
    """(delta, alpha) as floats; `InputError` unless they describe one (gualdani2025 (1.2))."""
    found = scalar(delta), scalar(alpha)
    require(0 < found[0] < 1, f"delta must lie in (0, 1), but is {shown(delta)}.")
    require(0 <= found[1] < math.inf, f"alpha must be a finite number >= 0, but is {shown(alpha)}.")
    return found


def spot_temperature(t: Any, delta: Any) -> Any:
    r"""$ T(t) = \delta + 2 c_0 t $, the squared width of the hot spot (gualdani2025 (2.3))."""
    return delta + 2 * C0 * t


def spot_mass(t: Any, delta: Any, alpha: Any) -> Array:
    r"""$ m(t) = \delta^\alpha e^{2 M(0) t} $, the mass of the hot spot (gualdani2025 (1.4))."""
    return delta**alpha * jnp.exp(2 * PEAK * t)


def spot_at(r: Any, t: Any, delta: Any, alpha: Any, d: int = 3) -> Array:
    r"""The explicit profile E of the hot spot at given radii, as it is blown down.

    $$ E(t, v) = m(t) M_{T(t)}(v), \quad T = \delta + 2 c_0 t, \quad
       m = \delta^\alpha e^{2 t / (2 \pi)^{3/2}} $$

    Source: gualdani2025 (1.4), which solves (2.1).

    Args:
        r: Radii, any shape.
        t: Time >= 0, a scalar (may be traced).
        delta: Squared width of the initial spot.
        alpha: Exponent of its mass.
        d: Dimension of velocity space; the theorem has 3.

    Returns:
        Values, shape of r.
    """
    return isotropic(r, spot_mass(t, delta, alpha), spot_temperature(t, delta), d)


def blowdown_profile(grid: Any, t: Any, delta: Real, alpha: Real) -> Array:
    """`spot_at` at the cell centres of a radial grid, shape (n,)."""
    t, (delta, alpha) = traceable("t", t), hot_spot(delta, alpha)
    return spot_at(grid.r, t, delta, alpha, grid.d)


def cells_for(grid: RadialGrid, width: float, fraction: float = COARSEST) -> int:
    """How many cells the grid's range needs for cells no wider than fraction * width at width."""
    r_min, r_max = float(grid.r_min), float(grid.r_max)
    span = float(grid.dx) * grid.n
    # dr/dx at the width, 1/(x'(r)); span - asinh is the linear part of the mapping.
    slope = 1.0 / (1.0 / math.hypot(width, r_min) + (span - math.asinh(r_max / r_min)) / r_max)
    return math.ceil(span * slope / (fraction * width))


def _require_resolved(grid: RadialGrid, width: float) -> None:
    needed = cells_for(grid, width)
    require(
        grid.n >= needed,
        f"The grid is too coarse for delta = {width**2:.3g}: its {grid.n} cells from r_min = "
        f"{float(grid.r_min):.3g} to r_max = {float(grid.r_max):.3g} are too wide at sqrt(delta); "
        f"at least {needed} cells are needed (or r_min near {width:.1g}).",
    )
