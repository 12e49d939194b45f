"""The range of data between the points that sample them."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from relaxon.grids.base import Positions


@eqx.filter_jit
def data_ranges(fields: tuple[jax.Array, ...], positions: Positions) -> jax.Array:
    """Smallest and largest value of each function that samples stand for.

    An extremum between two points is missed by the samples by a term of second order; bounds taken
    from the samples would cut it off in the course of a run (see `relaxon.grids.extrema`).

    Args:
        fields: Samples, each of shape (N, *positions.shape); extrema over all N are taken.
        positions: Where.

    Returns:
        Shape (len(fields), 2); the samples lie between the two numbers.
    """

    def tops(some):
        both = jnp.stack([sign * u for u in some for sign in (-1.0, 1.0)])
        return lax.map(positions.top, both)

    # Data at local equilibrium are the same field N times.
    same = jnp.array([jnp.max(jnp.abs(u - u[:1])) <= 1e-13 * jnp.max(jnp.abs(u)) for u in fields])
    found = lax.cond(
        jnp.all(same), lambda: tops([u[:1] for u in fields]), lambda: tops(fields)
    ).reshape(-1, 2)
    return found * jnp.array([-1.0, 1.0])
