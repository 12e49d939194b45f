"""The exact solution for Maxwell molecules of Bobylev, Krook and Wu."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import Array

from relaxon.core.errors import require
from relaxon.core.numbers import number, positive
from relaxon.core.types import Real
from relaxon.distributions.functionals import speed_square


def bkw(grid: Any, t: Real, strength: Real = 1.0 / 16.0, c: Real = 0.5) -> Array:
    r"""The exact solution of the Landau equation for Maxwell molecules (gamma = 0).

    $$ f = (2 \pi K)^{-d/2} e^{-|v|^2/2K}
       \left[ \frac{(d + 2) K - d}{2 K} + \frac{1 - K}{2 K^2} |v|^2 \right], \qquad
       K = 1 - c\, e^{-2 (d - 1) C t} $$

    for the kernel C |w|^2 Pi(w), known after Bobylev, Krook and Wu.

    Args:
        grid: A velocity grid, d = 2 or 3.
        t: Time.
        strength: C > 0.
        c: Amplitude; K must lie in [d/(d+2), 1] for f >= 0.

    Returns:
        Values at the grid's points, shape `grid.shape`.

    Raises:
        InputError: f would be negative at this time.
    """
    t, strength, c = number("t", t), positive("strength", strength), number("c", c)
    d = grid.d
    k = 1 - c * math.exp(-2 * (d - 1) * strength * t)
    require(
        d / (d + 2) - 1e-12 <= k <= 1,
        f"The BKW solution is non-negative only for K in [{d / (d + 2):.3g}, 1], but K = {k:.6g} "
        f"at t = {t:g}: take a later time or a smaller c.",
    )
    square = speed_square(grid)
    shape = ((d + 2) * k - d) / (2 * k) + (1 - k) / (2 * k**2) * square
    return (2 * math.pi * k) ** (-d / 2) * jnp.exp(-square / (2 * k)) * jnp.maximum(shape, 0.0)
