r"""Where the logarithm of gridded values is concave, and what that says of plane integrals.

If log f is concave on the half-space n.v >= b, then so is $\log \int_{n \cdot v = u} f$ on u >= b
(Prekopa 1973): the plane integral has one maximum there and no minimum. The values of f are good
relative to themselves however far out, so this holds where slopes drown in the noise of the grid.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

LEAST = 1e-290
"""Values below it have no logarithm to be trusted."""

FLAT = 1e-10
"""Curvature of log f, per squared spacing, that passes for none."""


def bends_up(f: jax.Array) -> jax.Array:
    """Where log f is not concave, by its central second differences; shape of f, d = 2 or 3.

    Values without a logarithm count as bent; the outermost ones are not looked at.
    """
    d = f.ndim
    log = jnp.log(jnp.maximum(f, LEAST))

    def moved(*steps: int) -> jax.Array:
        return log[tuple(slice(1 + s, log.shape[i] - 1 + s) for i, s in enumerate(steps))]

    unit = [tuple(int(i == j) for j in range(d)) for i in range(d)]
    down = [tuple(-x for x in e) for e in unit]
    h = {}
    for i in range(d):
        h[i, i] = 2 * moved(*(0,) * d) - moved(*unit[i]) - moved(*down[i]) + FLAT
        for j in range(i):
            a, b = (
                tuple(x + s * y for x, y in zip(unit[i], unit[j], strict=True)) for s in (1, -1)
            )
            c, e = (tuple(-x for x in way) for way in (a, b))
            h[i, j] = (moved(*b) + moved(*e) - moved(*a) - moved(*c)) / 4
    # Sylvester: minus the matrix of second derivatives is positive.
    plane = h[0, 0] * h[1, 1] - h[1, 0] ** 2
    concave = (h[0, 0] > 0) & (plane > 0)
    if d == 3:
        crossed = h[0, 0] * h[2, 1] ** 2 + h[1, 1] * h[2, 0] ** 2
        volume = h[2, 2] * plane - crossed + 2 * h[1, 0] * h[2, 0] * h[2, 1]
        concave = concave & (volume > 0)
    return jnp.pad(~concave, 1) | (f <= LEAST)


def last_along(marked: jax.Array, nodes: jax.Array, normals: jax.Array) -> jax.Array:
    """The largest n.v over the marked points v of a cube of nodes, shape (N,); -inf for none."""
    some = jnp.any(marked, axis=-1)
    first = nodes[jnp.argmax(marked, axis=-1)]
    last = nodes[::-1][jnp.argmax(marked[..., ::-1], axis=-1)]

    def furthest(normal: jax.Array) -> jax.Array:
        across = jnp.zeros(())
        for n in normal[:-1]:
            across = across[..., None] + n * nodes
        along = jnp.maximum(normal[-1] * first, normal[-1] * last)
        return jnp.max(jnp.where(some, across + along, -jnp.inf))

    return jax.lax.map(furthest, normals, batch_size=256)
