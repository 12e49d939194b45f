"""What the theory measures: moments, entropies, Fisher information and norms."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from relaxon.core.errors import require
from relaxon.grids.radial import RadialGrid


def mass(f: Array, grid: Any) -> Array:
    r"""$ \int f \, dv $."""
    return grid.integrate(f)


def momentum(f: Array, grid: Any) -> Array:
    r"""$ \int v f \, dv $, shape (d,); zero by symmetry on a radial grid."""
    if isinstance(grid, RadialGrid):
        return jnp.zeros(grid.d)
    return jnp.stack([grid.integrate(f * grid.v[..., i]) for i in range(grid.d)])


def energy(f: Array, grid: Any) -> Array:
    r"""$ \int |v|^2 f \, dv $ (the second moment, without a factor 1/2)."""
    return grid.integrate(f * speed_square(grid))


def temperature(f: Array, grid: Any) -> Array:
    r"""$ T = \frac{1}{d \rho} \int |v - m|^2 f dv $, the mean variance per component."""
    rho, p = mass(f, grid), momentum(f, grid)
    return (energy(f, grid) - jnp.sum(p**2) / rho) / (grid.d * rho)


def moments(f: Array, grid: Any) -> dict[str, Array]:
    """Mass, momentum (not on a radial grid, where it is zero) and energy."""
    found = {"mass": mass(f, grid), "energy": energy(f, grid)}
    if not isinstance(grid, RadialGrid):
        found["momentum"] = momentum(f, grid)
    return found


def entropy(f: Array, grid: Any) -> Array:
    r"""$ H(f) = \int f \log f \, dv $, non-increasing in time (0 log 0 = 0)."""
    safe = jnp.where(f > 0, f, 1.0)
    return grid.integrate(jnp.where(f > 0, f * jnp.log(safe), 0.0))


def relative_entropy(f: Array, g: Array, grid: Any) -> Array:
    r"""$ H(f | g) = \int f \log(f/g) - f + g \, dv \ge 0 $, without cancellation for f near g.

    Args:
        f: Distribution >= 0, shape `grid.shape`.
        g: Reference > 0, same shape.
        grid: The grid of both.
    """
    safe = jnp.where(g > 0, g, 1.0)
    x = jnp.where(g > 0, (f - g) / safe, 0.0)
    small = jnp.abs(x) < 1e-3
    y = jnp.where(small, 1.0, x)
    u = jnp.maximum(1 + y, 0.0)
    exact = jnp.where(u > 0, u * jnp.log(jnp.where(u > 0, u, 1.0)), 0.0) - y
    series = x**2 * (1 / 2 - x * (1 / 6 - x * (1 / 12 - x * (1 / 20 - x / 30))))
    return grid.integrate(g * jnp.where(small, series, exact))


def entropy_production(f: Array, grid: Any, equation: Any) -> Array:
    r"""Entropy production of a collision operator, never negative.

    $$ D(f) = -\int Q(f) \log f \, dv $$

    Source: duerinckx2023 (1.5), with the sign that makes D >= 0.

    Args:
        f: Distribution > 0, shape `grid.shape`.
        grid: The grid of f.
        equation: An equation with `rhs(f, grid)`.

    Returns:
        Scalar, per unit time; zero to rounding at a Maxwellian.
    """
    return -grid.integrate(equation.rhs(f, grid) * jnp.log(jnp.maximum(f, 1e-300)))


def fisher_information(f: Array, grid: Any) -> Array:
    r"""$ I(f) = \int |\nabla f|^2 / f \, dv = 4 \int |\nabla \sqrt f|^2 dv $.

    Non-increasing along the Landau-Coulomb flow (Guillen, Silvestre; cited in gualdani2025).
    For a Maxwellian of mass rho and temperature T it is d rho / T. Error of order 4 in the cell
    size on a radial grid.
    """
    return 4 * grid.dirichlet(jnp.sqrt(jnp.maximum(f, 0.0)))


def lp_norm(f: Array, grid: Any, p: float) -> Array:
    r"""$ \|f\|_{L^p} = (\int |f|^p dv)^{1/p} $; p = inf is the maximum.

    For Landau-Coulomb p > 3/2 is subcritical, p < 3/2 supercritical (gualdani2025, introduction).
    """
    require(p >= 1, f"p must be >= 1, but is {p!r}.")
    scale = jnp.maximum(jnp.max(jnp.abs(f)), 1e-300)
    if p == float("inf"):
        return jnp.max(jnp.abs(f))
    return scale * grid.integrate(jnp.abs(f / scale) ** p) ** (1 / p)


def weighted_norm(g: Array, grid: Any, temperature: float = 1.0) -> Array:
    r"""Far-field norm $ \|g\|_{L^2_M} = (\int g^2 M_T^{-1} dv)^{1/2} $ (gualdani2025 (2.6)).

    Args:
        g: Values, shape `grid.shape`.
        grid: The grid of g.
        temperature: T of the weight; 1 in the paper.
    """
    weight = (2 * jnp.pi * temperature) ** (grid.d / 2)
    exponent = speed_square(grid) / (4 * temperature)
    return jnp.sqrt(weight * grid.integrate(_growing(g, exponent) ** 2))


def near_field_norm(h: Array, grid: Any, width: Any) -> Array:
    r"""Near-field norm $ (\int h^2 \mu_T^{-1} dv)^{1/2} $, $ \mu_T = T^{3/2} e^{-|v|^2/2T} $.

    Source: gualdani2025 (2.5), (2.7).

    Args:
        h: Values, shape `grid.shape`; must decay faster than mu_T^(1/2).
        grid: The grid of h.
        width: T = T(t) of the weight.
    """
    exponent = speed_square(grid) / (4 * width)
    return jnp.sqrt(grid.integrate(_growing(h, exponent) ** 2)) * width ** (-grid.d / 4)


def speed_square(grid: Any) -> Array:
    """|v|^2 at the grid's points."""
    return grid.r**2 if isinstance(grid, RadialGrid) else jnp.sum(grid.v**2, axis=-1)


def _growing(g: Array, exponent: Array) -> Array:
    """g e^exponent through logarithms: no overflow where g has underflown to zero."""
    safe = jnp.where(g == 0, 1.0, jnp.abs(g))
    return jnp.where(g == 0, 0.0, jnp.exp(jnp.minimum(jnp.log(safe) + exponent, 300.0)))
