"""The form that all operators on a Cartesian grid share: `J = D h - R f`, h zero at Maxwellians.

With `h = grad f + (v - mean) f / T` of the Maxwellian of f's own invariants, any kernel that
satisfies `B(v, w)(v - w) = 0` gives the same flux from h as from the gradient:

    J(v) = int B(v, w) [f(w) h(v) - f(v) h(w)] dw = D[f] h - R[h] f.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from relaxon.collisions.cartesian.equilibrium import Maxwellian
from relaxon.grids.cartesian import VelocityGrid


def tilted_gradient(f: jax.Array, maxwellian: Maxwellian, grid: VelocityGrid) -> jax.Array:
    """`grad f + (v - mean) f / T`, computed from the deviation `f - M`: zero at M."""
    # grad M + (v - mean) M/T = 0 holds on the grid only to truncation error, so M is taken out
    # first.
    deviation = f - maxwellian.values(grid)
    return grid.grad(deviation) + maxwellian.tilt(grid) * deviation[..., None]


def flux(diffusion: jax.Array, response: jax.Array, f: jax.Array, h: jax.Array) -> jax.Array:
    """`J = D h - R f` with D given by its upper triangle; components on the last axis."""
    d = h.shape[-1]
    rows = []
    for i in range(d):
        row = -response[i] * f
        for j in range(d):
            row = row + diffusion[triangle(d).index((min(i, j), max(i, j)))] * h[..., j]
        rows.append(row)
    return jnp.stack(rows, axis=-1)


def triangle(d: int) -> list[tuple[int, int]]:
    """Index pairs i <= j of a symmetric matrix."""
    return [(i, j) for i in range(d) for j in range(i, d)]


def unpack(upper: jax.Array, d: int) -> jax.Array:
    """Full symmetric matrices `(..., d, d)` from their upper triangles on the first axis."""
    order = triangle(d)
    rows = [
        jnp.stack([upper[order.index((min(i, j), max(i, j)))] for j in range(d)], axis=-1)
        for i in range(d)
    ]
    return jnp.stack(rows, axis=-2)


def coefficients(
    diffusion: jax.Array, response: jax.Array, maxwellian: Maxwellian, grid: VelocityGrid
) -> tuple[jax.Array, jax.Array]:
    """Tensor D `(..., d, d)` and friction P `(..., d)` with `J = D grad f - P f`."""
    # D h - R f = D grad f - (R - D (v - mean)/T) f.
    tensor = unpack(diffusion, grid.d)
    drag = jnp.einsum("...ij,...j->...i", tensor, maxwellian.tilt(grid))
    return tensor, jnp.moveaxis(response, 0, -1) - drag
