"""The Maxwellian with a distribution's own invariants, and the projection that keeps them."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from relaxon.distributions.functionals import relative_entropy
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.matched import Maxwellian, matched_maxwellian, moments


def conserve(
    rate: jax.Array, maxwellian: Maxwellian, grid: VelocityGrid
) -> tuple[jax.Array, jax.Array]:
    r"""Remove from `rate` what would change mass, momentum or energy.

    $$ Q \leftarrow Q - \sum_k c_k \phi_k M, \qquad \phi \in \{1, v, |v|^2\} $$

    with the coefficients from the Gram matrix of the `phi_k` weighted by M. For a rate that the
    grid resolves the removed part is at the level of the truncation error (measured: 6e-11 of
    mass units for an energy rate of 5e-2, screened, d = 2, n = 96), so accuracy is untouched.
    Applied twice: the second round takes away what rounding left of the first.

    Returns:
        The rate, and the L2 norm (a sum over points) of what was removed: a measure of what the
        grid or the box is too small for, which the conservation laws alone would hide.
    """
    weight = maxwellian.values(grid)
    tests = invariant_tests(maxwellian, grid)

    def project(q):
        return jnp.stack([grid.integrate(q * phi) for phi in tests])

    gram = jnp.stack([project(weight * phi) for phi in tests])
    removed = jnp.zeros_like(rate)
    for _ in range(2):
        c = jnp.linalg.solve(gram, project(rate))
        part = weight * sum(c[k] * phi for k, phi in enumerate(tests))
        rate, removed = rate - part, removed + part
    return rate, jnp.sqrt(jnp.sum(removed**2))


def invariant_tests(maxwellian: Maxwellian, grid: VelocityGrid) -> list[jax.Array]:
    """The d + 2 functions 1, xi, |xi|^2/d - 1 of xi = (v - mean)/sqrt(T), each shaped to broadcast.

    They are orthogonal under the Maxwellian up to the box, so that Gram matrices are well
    conditioned for any temperature.
    """
    scaled = (grid.nodes[:, None] - maxwellian.mean) / jnp.sqrt(maxwellian.temperature)
    linear = [along(scaled[:, i], i, grid.d) for i in range(grid.d)]
    square = jnp.asarray(sum(x**2 for x in linear)) / grid.d - 1.0
    return [jnp.ones((1,) * grid.d), *linear, square]


def along(values: jax.Array, axis: int, d: int) -> jax.Array:
    """A function of one coordinate, shaped to broadcast over the grid."""
    return values.reshape((1,) * axis + (-1,) + (1,) * (d - 1 - axis))


def excess_entropy(f: jax.Array, grid: VelocityGrid) -> jax.Array:
    r"""Entropy relative to the Maxwellian of the same invariants, never negative.

    $$ H(f | M) = \int f \log(f/M) - f + M \, dv $$

    It differs from `int f log f` by a constant along a conservative run, and keeps its relative
    accuracy as f comes near that Maxwellian.
    """
    target = matched_maxwellian(f, grid)
    return relative_entropy(f, target.values(grid), grid, target.logarithm(grid))


def monitor(f: jax.Array, grid: VelocityGrid) -> dict[str, jax.Array]:
    """What is watched at every step: invariants, relative entropy, least and largest value.

    The energy is int |v|^2 f, as everywhere (`relaxon.functionals.energy`).
    """
    raw = moments(f, grid)
    return {
        "mass": raw[0],
        **{f"momentum_{i}": raw[1 + i] for i in range(grid.d)},
        "energy": 2.0 * raw[-1],
        "relative_entropy": excess_entropy(f, grid),
        "min_f": jnp.min(f),
        "max_f": jnp.max(f),
    }
