r"""The screening integral of Vhat = 1/(k^2 + const) between two cut-offs, in split arithmetic.

$$ g_d(\zeta) = \int_{k_1}^{k_2} \frac{k^d}{k^2 + \zeta}\,dk $$

Coulomb and Yukawa potentials differ only in zeta. Each branch below is free of cancellation in
the imaginary part, in its own region of the zeta-plane.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from relaxon.numerics.polylogarithm import arctan_deficit, arctan_ratio, interval_moment
from relaxon.numerics.split_complex import Split, log, sqrt, where


def rational_resolvent(
    d: int, zeta: Split, low: Split, high: Split, k_min: jax.Array, k_max: jax.Array
) -> Split:
    """g_d(zeta); `low` and `high` are zeta + k_min^2 and zeta + k_max^2, given apart.

    For d = 2 and k_max = inf the infinite real constant is left out.
    """
    if d == 3:
        return _logarithmic(zeta, low, high, k_min, k_max)
    return _trigonometric(zeta, low, high, k_min, k_max)


def _logarithmic(zeta: Split, low: Split, high: Split, k_min: jax.Array, k_max: jax.Array) -> Split:
    """D = 3: half of int s/(s + zeta) ds over s = k^2."""
    width = k_max**2 - k_min**2
    far = low.square > 4 * width**2
    anchor = Split(jnp.full_like(low.re, 4.0) * width, low.im, low.y)
    smooth = interval_moment(k_min**2, width, where(far, low, anchor))
    near_low = where(far, anchor, low)
    near_high = where(far, anchor + width, high)
    near_zeta = where(far, anchor - k_min**2, zeta)
    near = width - near_zeta * log(near_high / near_low)
    return where(far, smooth, near) * 0.5


def _trigonometric(
    zeta: Split, low: Split, high: Split, k_min: jax.Array, k_max: jax.Array
) -> Split:
    """D = 2: a sum over the two ends, each with its own regular part."""
    size = jnp.sqrt(zeta.square)
    upper, upper_root = _end(zeta, high, k_max)
    lower, lower_root = _end(zeta, low, jnp.where(k_min > 0, k_min, 1.0))
    gap = k_min > 0
    zero = Split(jnp.zeros_like(size * zeta.y), jnp.zeros_like(size * zeta.y), zeta.y)
    lower = where(gap & jnp.ones_like(size, bool), lower, zero)
    root = sqrt(zeta) * (-math.pi / 2)
    crossing = upper_root & ~(lower_root & gap)
    return upper - lower + where(crossing, root, zero)


def _end(zeta: Split, shifted: Split, k: jax.Array) -> tuple[Split, jax.Array]:
    r"""int_0^k k^2/(k^2 + zeta) dk, without -pi sqrt(zeta)/2 where |zeta| < k^2 (flag)."""
    finite = jnp.isfinite(k)
    k = jnp.where(finite, k, 1.0)
    inside = (zeta.square < k**4) | ~finite
    one = Split(jnp.ones_like(zeta.re), zeta.im * 0.0, zeta.y)
    small = where(inside & finite, zeta / k**2, one * 0.5)
    small_shift = where(inside & finite, shifted / k**2, one * 1.5)
    below = zeta * arctan_ratio(small, small_shift) / k + k
    below = where(finite & jnp.ones_like(inside), below, one * 0.0)
    large = where(inside, one * 2.0, zeta)
    tau = where(inside, one * 0.5, large.reciprocal() * k**2)
    tau_shift = where(inside, one * 1.5, shifted / large)
    above = tau * arctan_deficit(tau, tau_shift) * k
    return where(inside, below, above), inside
