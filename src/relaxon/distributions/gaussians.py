"""Maxwellians and sums of Gaussians."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.core.errors import require
from relaxon.core.numbers import number, positive, reals, shown
from relaxon.core.types import Real
from relaxon.grids.radial import RadialGrid


def maxwellian(grid: Any, mass: Real = 1.0, temperature: Real = 1.0, mean: Any = None) -> Array:
    r"""The Maxwellian of given mass, temperature and mean velocity.

    $$ M(v) = \frac{\rho}{(2 \pi T)^{d/2}} e^{-|v - m|^2 / 2T} $$

    Source: gualdani2025 (1.3) with mass 1 and mean 0.

    Args:
        grid: A velocity grid (radial grids take mean 0 only).
        mass: rho >= 0.
        temperature: T > 0, the variance of each component.
        mean: Mean velocity m, shape (d,); None is 0.

    Returns:
        Values at the grid's points, shape `grid.shape`.

    Raises:
        InputError: temperature <= 0, mass < 0, or a mean that a radial grid cannot hold.
    """
    mean = np.zeros(grid.d) if mean is None else reals("mean", mean)
    mass, temperature = number("mass", mass), positive("temperature", temperature)
    return gaussian_mixture(grid, [mass], [mean], [temperature])


def isotropic(r: Any, mass: Any, temperature: Any, d: int = 3) -> Array:
    r"""The Maxwellian of mean 0 at given radii: $ \rho (2 \pi T)^{-d/2} e^{-r^2 / 2T} $.

    Args:
        r: Radii, any shape.
        mass: rho, a scalar (may be traced).
        temperature: T > 0, a scalar (may be traced).
        d: Dimension of velocity space.

    Returns:
        Values, shape of r.
    """
    norm = mass * (2 * math.pi * temperature) ** (-d / 2)
    return norm * jnp.exp(-(r**2) / (2 * temperature))


def gaussian_mixture(grid: Any, weights: Any, means: Any, covariances: Any) -> Array:
    r"""A sum of Gaussians, $ \sum_j w_j \mathcal N(m_j, S_j)(v) $.

    Args:
        grid: A velocity grid. A radial grid takes means 0 and multiples of the identity.
        weights: Masses w_j >= 0, shape (k,).
        means: Mean velocities m_j, shape (k, d).
        covariances: S_j, each a positive number (times the identity) or a positive definite
            (d, d) matrix.

    Returns:
        Values at the grid's points, shape `grid.shape`.

    Raises:
        InputError: Shapes that do not match, a negative weight, a covariance that is not
            positive definite, or a Gaussian that is not radial on a radial grid.
    """
    d = grid.d
    weights, means = np.atleast_1d(reals("weights", weights)), reals("means", means)
    listed = isinstance(covariances, list | tuple) or np.ndim(covariances) > 0
    require(listed, f"covariances must be a list, but is {shown(covariances)}.")
    require(
        weights.ndim == 1 and means.shape == (len(weights), d) and len(covariances) == len(weights),
        f"A mixture of {len(weights)} Gaussians needs means of shape ({len(weights)}, {d}) and "
        f"{len(weights)} covariances, but got {means.shape} and {len(covariances)}.",
    )
    require(
        bool(np.all(np.isfinite(weights)) and np.all(weights >= 0)),
        f"The weights of a mixture must be finite and >= 0, but are {weights.tolist()}.",
    )
    matrices = [_covariance(covariance, d) for covariance in covariances]
    if isinstance(grid, RadialGrid):
        temperatures = [_isotropic(mean, matrix) for mean, matrix in zip(means, matrices)]
        return _radial_mixture(grid.r, weights, np.asarray(temperatures), d)
    total = jnp.zeros(grid.shape)
    for weight, mean, matrix in zip(weights, means, matrices):
        total = total + weight * _gaussian(grid, mean, matrix)
    return total


def _isotropic(mean: np.ndarray, covariance: np.ndarray) -> float:
    """The temperature of a Gaussian that a radial grid can hold."""
    temperature = covariance[0, 0]
    require(
        not np.any(mean)
        and np.allclose(covariance, temperature * np.eye(len(mean)), rtol=1e-14, atol=0.0),
        "A radial grid holds only Gaussians with mean 0 and an isotropic covariance, "
        f"but got mean {mean.tolist()} and covariance {covariance.tolist()}.",
    )
    return float(temperature)


@functools.partial(jax.jit, static_argnums=3)
def _radial_mixture(r: Array, weights: Any, temperatures: Any, d: int) -> Array:
    """Sum of centred Gaussians; one compiled function, since first calls are what users feel."""
    norms = weights * (2 * math.pi * temperatures) ** (-d / 2)
    return norms @ jnp.exp(-(r**2) / (2 * temperatures[:, None]))


def _gaussian(grid: Any, mean: np.ndarray, covariance: np.ndarray) -> Array:
    d = grid.d
    root = np.linalg.cholesky(covariance)
    norm = (2 * math.pi) ** (-d / 2) / float(np.prod(np.diag(root)))
    scaled = jnp.einsum("ij,...j->...i", jnp.asarray(np.linalg.inv(root)), grid.v - mean)
    return norm * jnp.exp(-0.5 * jnp.sum(scaled**2, axis=-1))


def _covariance(covariance: Any, d: int) -> np.ndarray:
    matrix = reals("A covariance (or temperature)", covariance)
    matrix = matrix * np.eye(d) if matrix.ndim == 0 else matrix
    require(
        matrix.shape == (d, d)
        and bool(np.all(np.isfinite(matrix)))
        and bool(np.allclose(matrix, matrix.T))
        and bool(np.all(np.linalg.eigvalsh(matrix) > 0)),
        f"A covariance (or temperature) must be a positive number or a positive definite {d} x {d} "
        f"matrix, but is {np.asarray(covariance).tolist()}.",
    )
    return matrix
