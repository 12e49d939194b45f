"""Initial data that files name, made of Gaussians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax import Array

from relaxon.core.entries import datum
from relaxon.core.errors import require
from relaxon.distributions.gaussians import gaussian_mixture


def coldest(weights: list[float], temperatures: list[float]) -> float:
    """The square root of the lowest temperature of `mixture`."""
    require(
        len(weights) == len(temperatures) > 0,
        "A mixture needs as many temperatures as weights, at least one, but got "
        f"{len(weights)} weights and {len(temperatures)} temperatures.",
    )
    require(
        all(math.isfinite(t) and t > 0 for t in temperatures),
        f"The temperatures of a mixture must be positive, but are {temperatures}.",
    )
    return math.sqrt(min(temperatures))


@datum("mixture", width=coldest)
def mixture(grid: Any, weights: list[float], temperatures: list[float]) -> Array:
    """A sum of centred isotropic Gaussians."""
    return gaussian_mixture(grid, weights, [[0.0] * grid.d] * len(weights), temperatures)


def narrowest(variances: list[list[float]]) -> float:
    """The square root of the least variance of `gaussians`."""
    entries = [x for row in variances for x in row]
    require(
        bool(entries) and all(math.isfinite(x) and x > 0 for x in entries),
        f"The variances must be positive, but are {variances}.",
    )
    return math.sqrt(min(entries))


@datum("gaussians", width=narrowest)
def gaussians(
    grid: Any, weights: list[float], means: list[list[float]], variances: list[list[float]]
) -> Array:
    """A sum of Gaussians with means and variances along the axes."""
    return gaussian_mixture(grid, weights, means, [np.diag(row) for row in variances])


def thermal_width(temperature: float) -> float:
    """The width of each of the `beams`."""
    require(
        math.isfinite(temperature) and temperature > 0,
        f"temperature must be positive, but is {temperature!r}.",
    )
    return math.sqrt(temperature)


@datum("beams", width=thermal_width)
def beams(grid: Any, drift: float, temperature: float = 0.5) -> Array:
    """Two equal Gaussians that drift against each other along the first axis, at +-drift."""
    rest = [0.0] * (grid.d - 1)
    means = [[drift, *rest], [-drift, *rest]]
    return gaussian_mixture(grid, [0.5, 0.5], means, [temperature] * 2)
