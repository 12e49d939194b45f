r"""Whether a Cartesian box holds the Maxwellian that a distribution relaxes to.

What a tail beyond the box would carry is missing from the run although mass, momentum and energy
are kept: the relaxation then is off by about the share of the thermal energy that lies outside,

$$ X = \sum_{i=1}^d \int_{|v_i| > v_{max}} \xi_i^2 \frac{e^{-\xi_i^2/2}}{\sqrt{2 \pi}} d\xi_i,
   \qquad \xi_i = (v_i - \bar v_i)/\sqrt T . $$

Measured on two beams at +-3 (T = .1, gamma = 0, d = 2), whose S11 - S_inf = 4.5 exp(-4) at t = 5
(5 and 6 before they were refused):

| v_max | 5 | 6 | 7 | 8 | 9 | 10 |
|---|---|---|---|---|---|---|
| X | .29 | .10 | .028 | 6.4e-3 | 1.0e-3 | 1.5e-4 |
| relative error of S11 - S_inf | .14 | .10 | .036 | 9.1e-3 | 2.1e-3 | 4.2e-4 |
"""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import erfc

from relaxon.core.errors import require
from relaxon.grids.matched import mean_and_heat, moments

REFUSED = 0.05
"""A box that leaves out more than this is refused."""

WARNED = 1e-4
"""A box that leaves out more than this is worth a warning; `suggested_v_max` leaves out less."""


@eqx.filter_jit
def outside(f: Array, grid: Any) -> Array:
    """X: the share of the equilibrium's thermal energy beyond the box, summed over the axes."""
    return _outside(*_frame(f, grid), grid.v_max)


def suggested_v_max(f: Array, grid: Any) -> float:
    """A half width, to two digits, of which the equilibrium leaves out less than `WARNED`."""
    mean, width = _frame(f, grid)
    for sigmas in range(8, 121):
        v_max = float(jnp.max(jnp.abs(mean)) + sigmas / 2 * width)
        if float(_outside(mean, width, v_max)) < WARNED:
            break
    step = 10.0 ** (math.floor(math.log10(v_max)) - 1)
    return step * math.ceil(v_max / step)


def require_room(f: Array, grid: Any, name: str) -> None:
    """Raise `InputError` if the box leaves out more than `REFUSED` of the equilibrium."""
    share = float(outside(f, grid))
    require(
        share <= REFUSED,
        f"v_max = {grid.v_max:g} must hold the Maxwellian that {name} relaxes to, but leaves out "
        f"{share:.1e} of its thermal energy (allowed: {REFUSED:g}); "
        f"v_max = {suggested_v_max(f, grid):g} suffices.",
    )


@eqx.filter_jit
def _frame(f: Array, grid: Any) -> tuple[Array, Array]:
    """Mean and thermal width of the Maxwellian on the whole space with the moments of f."""
    mean, heat = mean_and_heat(moments(f, grid), grid.d)
    return mean, jnp.sqrt(jnp.maximum(heat, 0.0))


@jax.jit
def _outside(mean: Array, width: Array, v_max: Any) -> Array:
    # int_a^inf x^2 phi(x) dx = a phi(a) + erfc(a/sqrt 2)/2, both ends of all axes.
    a = (v_max + jnp.concatenate([mean, -mean])) / jnp.maximum(width, 1e-300)
    a = jnp.minimum(a, 1e100)
    bell = jnp.exp(-0.5 * a**2) / math.sqrt(2 * math.pi)
    return jnp.sum(a * bell + 0.5 * erfc(a / math.sqrt(2)))
