"""Plane integrals of a radial function on a uniform line, for the Penrose test."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.integrate import cumulative_simpson
from scipy.interpolate import CubicSpline

from relaxon.grids.radial import OUTER_STRETCH, RadialGrid

MOST = 4096


def radial_marginal(grid: RadialGrid, f: np.ndarray) -> tuple[Array, Array, Array]:
    """(u, F1, F1'); see `RadialGrid.marginal`.

    Accuracy: log f is interpolated by a cubic spline, order 4 in the cell size.
    """
    r_max, r_min = float(grid.r_max), float(grid.r_min)
    dx = float(grid.dx)
    x = (np.arange(-grid.n, grid.n) + 0.5) * dx
    half = np.log(np.maximum(f, 1e-300))
    spline = CubicSpline(x, np.concatenate([half[::-1], half]))

    def log_f(s: np.ndarray, order: int = 0) -> np.ndarray:
        at = np.minimum(np.arcsinh(s / r_min) + OUTER_STRETCH * s / r_max, x[-1])
        slope = 1 / np.hypot(s, r_min) + OUTER_STRETCH / r_max
        return spline(at, order) * slope if order else spline(at)

    finest = float(np.min(np.diff(np.asarray(grid.faces))))
    half_count = int(min(MOST // 2, max(128, np.ceil(r_max / finest))))
    h = r_max / half_count
    u = h * np.arange(half_count)
    if grid.d == 3:
        values = np.exp(log_f(u))
        slope = -2 * np.pi * u * values
        fine = h / 4 * np.arange(4 * half_count)
        inside = cumulative_simpson(2 * np.pi * fine * np.exp(log_f(fine)), dx=h / 4, initial=0)
        line = (inside[-1] - inside)[::4]
    else:
        s = np.hypot(u[:, None], u[None])
        inside = s < r_max
        values = np.where(inside, np.exp(log_f(np.minimum(s, r_max))), 0.0)
        steep = values * np.where(inside, log_f(np.minimum(s, r_max), 1), 0.0)
        rule = np.where(np.arange(half_count) == 0, h, 2 * h)
        line = values @ rule
        slope = (steep * u[:, None] / np.where(s > 0, s, 1.0)) @ rule
    mirrored = np.concatenate([[0.0], line[:0:-1], line])
    odd = np.concatenate([[0.0], -slope[:0:-1], slope])
    return (
        jnp.asarray(h * np.arange(-half_count, half_count)),
        jnp.asarray(mirrored),
        jnp.asarray(odd),
    )
