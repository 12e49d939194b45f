"""What the theory measures: moments, entropies, Fisher information and norms."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import Array

from relaxon.core.equation import Equation
from relaxon.core.errors import require
from relaxon.core.numbers import scalar, shown
from relaxon.core.shapes import on_grid, traceable
from relaxon.core.types import Field, OnGrid, Real, Scalar, Vector
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.radial import RadialGrid

VelocitySpace = RadialGrid | VelocityGrid
"""A grid of velocities alone."""


def mass(f: OnGrid, grid: VelocitySpace) -> Scalar:
    r"""$ \int f \, dv $."""
    return grid.integrate(on_grid("f", f, grid.shape))


def momentum(f: OnGrid, grid: VelocitySpace) -> Vector:
    r"""$ \int v f \, dv $, shape (d,); zero by symmetry on a radial grid."""
    f = on_grid("f", f, grid.shape)
    if isinstance(grid, RadialGrid):
        return jnp.zeros(grid.d)
    return jnp.stack([grid.integrate(f * grid.v[..., i]) for i in range(grid.d)])


def energy(f: OnGrid, grid: VelocitySpace) -> Scalar:
    r"""$ \int |v|^2 f \, dv $ (the second moment, without a factor 1/2)."""
    return grid.integrate(on_grid("f", f, grid.shape) * speed_square(grid))


def temperature(f: OnGrid, grid: VelocitySpace) -> Scalar:
    r"""$ T = \frac{1}{d \rho} \int |v - m|^2 f dv $, the mean variance per component."""
    rho, p = mass(f, grid), momentum(f, grid)
    return (energy(f, grid) - jnp.sum(p**2) / rho) / (grid.d * rho)


def moments(f: OnGrid, grid: VelocitySpace) -> dict[str, Array]:
    """Mass, momentum (not on a radial grid, where it is zero) and energy."""
    found = {"mass": mass(f, grid), "energy": energy(f, grid)}
    if not isinstance(grid, RadialGrid):
        found["momentum"] = momentum(f, grid)
    return found


def entropy(f: OnGrid, grid: VelocitySpace) -> Scalar:
    r"""$ H(f) = \int f \log f \, dv $, non-increasing in time (0 log 0 = 0)."""
    f = on_grid("f", f, grid.shape)
    safe = jnp.where(f > 0, f, 1.0)
    return grid.integrate(jnp.where(f > 0, f * jnp.log(safe), 0.0))


def relative_entropy(
    f: OnGrid, g: OnGrid, grid: VelocitySpace, log_g: OnGrid | None = None
) -> Scalar:
    r"""$ H(f | g) = \int f \log(f/g) - f + g \, dv \ge 0 $, without cancellation for f near g.

    Args:
        f: Distribution, shape `grid.shape`; where it is not positive, f log f counts as zero.
        g: Reference >= 0, same shape.
        grid: The grid of both.
        log_g: Logarithm of g where that underflows; without it such points do not count.
    """
    # Where f is within g/2 of g the terms cancel: from the relative difference there.
    f, g = on_grid("f", f, grid.shape), on_grid("g", g, grid.shape)
    near, some = jnp.abs(f - g) < g / 2, f > 0
    ratio = jnp.where(near, (f - g) / jnp.where(near, g, 1.0), 0.0)
    known = g > 0 if log_g is None else jnp.ones_like(near)
    log_g = jnp.log(jnp.where(known, g, 1.0)) if log_g is None else log_g
    apart = jnp.where(some, f * (jnp.log(jnp.where(some, f, 1.0)) - log_g - 1.0), -f) + g
    density = jnp.where(near, g * log_ratio_entropy(jnp.log1p(ratio)), apart)
    return grid.integrate(jnp.where(known, density, 0.0))


def log_ratio_entropy(ell: Field) -> Field:
    r"""$ e^\ell \ell - e^\ell + 1 \ge 0 $: the density of H(f | g) over g, for $ f = g e^\ell $.

    Relative accuracy 4e-12 at |ell| = 1e-2, where the series ends, and better on either side.
    """
    small = jnp.abs(ell) < 1e-2
    safe = jnp.where(small, 1.0, ell)
    series = jnp.zeros_like(ell)
    for k in range(9, 1, -1):  # exp(x) x - exp(x) + 1 = sum_k (k - 1) x^k / k!
        series = series * ell + (k - 1) / math.factorial(k)
    return jnp.where(small, series * ell**2, jnp.exp(safe) * (safe - 1) + 1)


def entropy_production(f: OnGrid, grid: VelocitySpace, equation: Equation) -> Scalar:
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
    f = on_grid("f", f, grid.shape)
    return -grid.integrate(equation.rhs(f, grid) * jnp.log(jnp.maximum(f, 1e-300)))


def fisher_information(f: OnGrid, grid: VelocitySpace) -> Scalar:
    r"""$ I(f) = \int |\nabla f|^2 / f \, dv = 4 \int |\nabla \sqrt f|^2 dv $.

    Non-increasing along the Landau-Coulomb flow (Guillen, Silvestre; cited in gualdani2025).
    For a Maxwellian of mass rho and temperature T it is d rho / T. Error of order 4 in the cell
    size on a radial grid.
    """
    return 4 * grid.dirichlet(jnp.sqrt(jnp.maximum(on_grid("f", f, grid.shape), 0.0)))


def lp_norm(f: OnGrid, grid: VelocitySpace, p: Real) -> Scalar:
    r"""$ \|f\|_{L^p} = (\int |f|^p dv)^{1/p} $; p = inf is the maximum.

    For Landau-Coulomb p > 3/2 is subcritical, p < 3/2 supercritical (gualdani2025, introduction).
    """
    given, p, f = p, scalar(p), on_grid("f", f, grid.shape)
    require(p >= 1, f"p must be >= 1, but is {shown(given)}.")
    # Powers of f over its maximum: f^p alone may overflow.
    scale = jnp.maximum(jnp.max(jnp.abs(f)), 1e-300)
    if math.isinf(p):
        return jnp.max(jnp.abs(f))
    return scale * grid.integrate(jnp.abs(f / scale) ** p) ** (1 / p)


def weighted_norm(g: OnGrid, grid: VelocitySpace, temperature: Any = 1.0) -> Scalar:
    r"""Far-field norm $ \|g\|_{L^2_M} = (\int g^2 M_T^{-1} dv)^{1/2} $ (gualdani2025 (2.6)).

    Args:
        g: Values, shape `grid.shape`.
        grid: The grid of g.
        temperature: T of the weight; 1 in the paper.
    """
    g, temperature = on_grid("g", g, grid.shape), traceable("temperature", temperature)
    weight = (2 * jnp.pi * temperature) ** (grid.d / 2)
    exponent = speed_square(grid) / (4 * temperature)
    return jnp.sqrt(weight * grid.integrate(_growing(g, exponent) ** 2))


def near_field_norm(h: OnGrid, grid: VelocitySpace, width: Any) -> Scalar:
    r"""Near-field norm $ (\int h^2 \mu_T^{-1} dv)^{1/2} $, $ \mu_T = T^{3/2} e^{-|v|^2/2T} $.

    Source: gualdani2025 (2.5), (2.7).

    Args:
        h: Values, shape `grid.shape`; must decay faster than mu_T^(1/2).
        grid: The grid of h.
        width: T = T(t) of the weight.
    """
    h, width = on_grid("h", h, grid.shape), traceable("width", width)
    exponent = speed_square(grid) / (4 * width)
    return jnp.sqrt(grid.integrate(_growing(h, exponent) ** 2)) * width ** (-grid.d / 4)


def speed_square(grid: VelocitySpace) -> Field:
    """|v|^2 at the grid's points."""
    return grid.r**2 if isinstance(grid, RadialGrid) else jnp.sum(grid.v**2, axis=-1)


def _growing(g: Field, exponent: Field) -> Field:
    """g e^exponent through logarithms: no overflow where g has underflown to zero."""
    safe = jnp.where(g == 0, 1.0, jnp.abs(g))
    return jnp.where(g == 0, 0.0, jnp.exp(jnp.minimum(jnp.log(safe) + exponent, 300.0)))
