"""Named distributions, each with its formula and source."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.core.errors import require
from relaxon.grids.radial import RadialGrid

C0 = 1.0 / (3.0 * (2.0 * math.pi) ** 1.5)
"""c_0 = lambda_1[M](0), the diffusion of the unit Maxwellian at v = 0 (gualdani2025 (2.2))."""

COARSEST = 0.5
"""A bump of width w needs cells no wider than this times w."""


def maxwellian(grid: Any, mass: float = 1.0, temperature: float = 1.0, mean: Any = None) -> Array:
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
    mean = np.zeros(grid.d) if mean is None else np.asarray(mean, float)
    return gaussian_mixture(grid, [mass], [mean], [temperature])


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
    weights, means = np.atleast_1d(np.asarray(weights, float)), np.asarray(means, float)
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


def blowdown(grid: Any, delta: float, alpha: float) -> Array:
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
    check_blowdown(delta, alpha)
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
    return gaussian_mixture(grid, [1.0, delta**alpha], zero, [1.0, float(delta)])


def check_blowdown(delta: float, alpha: float) -> None:
    """Raise `InputError` unless (delta, alpha) describe a hot spot (gualdani2025 (1.2))."""
    require(_is_number(delta) and 0 < delta < 1, f"delta must lie in (0, 1), but is {delta!r}.")
    require(
        _is_number(alpha) and 0 <= alpha < math.inf,
        f"alpha must be a finite number >= 0, but is {alpha!r}.",
    )


def blowdown_profile(grid: Any, t: Any, delta: float, alpha: float) -> Array:
    r"""The explicit profile of the hot spot as it is blown down.

    $$ E(t, v) = m(t) M_{T(t)}(v), \quad T = \delta + 2 c_0 t, \quad
       m = \delta^\alpha e^{2 t / (2 \pi)^{3/2}} $$

    Source: gualdani2025 (1.4), which solves (2.1).

    Args:
        grid: A radial grid.
        t: Time >= 0, a scalar (may be traced).
        delta: Squared width of the initial spot.
        alpha: Exponent of its mass.

    Returns:
        Values at the cell centres, shape (n,).
    """
    temperature = delta + 2 * C0 * t
    mass = delta**alpha * jnp.exp(2 * t / (2 * math.pi) ** 1.5)
    norm = mass * (2 * math.pi * temperature) ** (-grid.d / 2)
    return norm * jnp.exp(-(grid.r**2) / (2 * temperature))


def bkw(grid: Any, t: float, strength: float = 1.0 / 16.0, c: float = 0.5) -> Array:
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
    d = grid.d
    k = 1 - c * math.exp(-2 * (d - 1) * strength * t)
    require(
        d / (d + 2) - 1e-12 <= k <= 1,
        f"The BKW solution is non-negative only for K in [{d / (d + 2):.3g}, 1], but K = {k:.6g} "
        f"at t = {t:g}: take a later time or a smaller c.",
    )
    square = _speed_square(grid)
    shape = ((d + 2) * k - d) / (2 * k) + (1 - k) / (2 * k**2) * square
    return (2 * math.pi * k) ** (-d / 2) * jnp.exp(-square / (2 * k)) * jnp.maximum(shape, 0.0)


def cells_for(grid: RadialGrid, width: float, fraction: float = COARSEST) -> int:
    """How many cells the grid's range needs for cells no wider than fraction * width at width."""
    r_min, r_max = float(grid.r_min), float(grid.r_max)
    span = float(grid.dx) * grid.n
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
    matrix = np.asarray(covariance, float)
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


def _speed_square(grid: Any) -> Array:
    return grid.r**2 if isinstance(grid, RadialGrid) else jnp.sum(grid.v**2, axis=-1)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def profile(name: Any, **settings: Any) -> Any:
    """A velocity profile chi of the reaction model; see `relaxon.reaction.profiles.profile`.

    Args:
        name: "gaussian", "anisotropic", "algebraic", "two-bump", or a callable of v.
        **settings: Its numbers, such as `variance`.
    """
    from relaxon.reaction.profiles import profile as made

    return made(name, **settings)
