"""Bounds with conservation on a line whose cells have very different weights."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from relaxon.grids.confined_line import ConfinedLine


def line_limited(
    old: jax.Array, new: jax.Array, low: jax.Array, high: jax.Array, weights: jax.Array
) -> jax.Array:
    r"""`bounds.flux_limited` on a line with unequal weights, by exchange between neighbours.

    Without a period the face fluxes that carry `old` to `new` are unique: partial sums of
    $W_i (new_i - old_i)$. They are summed from the nearer end, because a light cell at an end
    would not survive the rounding of the heavy ones.

    Args:
        old: Field inside the box (to rounding), shape `(..., n)`.
        new: Field of the same integral.
        low: Lower bound, scalar.
        high: Upper bound, scalar.
        weights: Positive weights W, shape `(n,)`.

    Returns:
        A field in `[low, high]` to rounding with the integral of `old` to rounding.
    """
    change = weights * (new - old)
    half = weights.shape[-1] // 2
    # face i lies between cells i and i+1; > 0 fills cell i+1 from cell i.
    from_left = -jnp.cumsum(change, axis=-1)[..., :half]
    from_right = jnp.flip(jnp.cumsum(jnp.flip(change, -1), axis=-1), -1)[..., half + 1 :]
    face = jnp.concatenate([from_left, from_right], axis=-1)
    none = jnp.zeros_like(face[..., :1])
    before, after = jnp.concatenate([none, face], -1), jnp.concatenate([face, none], -1)
    gain = jnp.maximum(before, 0.0) + jnp.maximum(-after, 0.0)
    loss = jnp.maximum(-before, 0.0) + jnp.maximum(after, 0.0)
    room_up = weights * jnp.maximum(high - old, 0.0)
    room_down = weights * jnp.maximum(old - low, 0.0)
    may_gain = jnp.where(gain > room_up, room_up / jnp.where(gain > 0, gain, 1.0), 1.0)
    may_lose = jnp.where(loss > room_down, room_down / jnp.where(loss > 0, loss, 1.0), 1.0)
    factor = jnp.where(
        face > 0,
        jnp.minimum(may_lose[..., :-1], may_gain[..., 1:]),
        jnp.minimum(may_gain[..., :-1], may_lose[..., 1:]),
    )
    limited = factor * face
    before, after = jnp.concatenate([none, limited], -1), jnp.concatenate([limited, none], -1)
    return old + (before - after) / weights


def clip_and_share(
    values: jax.Array, low: jax.Array, high: jax.Array, weights: jax.Array, axis: int = -1
) -> jax.Array:
    r"""Clip to a box and share out what the clipping changed, in proportion to the room left.

    $$ u = \mathrm{clip}(v), \quad \delta = \int (v - u), \qquad
       u + \delta \, \frac{high - u}{\int (high - u)} \;(\delta > 0), \quad
       u + \delta \, \frac{u - low}{\int (u - low)} \;(\delta < 0) $$

    One pass, exact, and inside the box whenever the mean of v is. Where the values outside carry
    a share 1e-10 of the weight, as at the ends of a truncated Gibbs weight, all others move by
    1e-10: unlike a common factor for all values of the line, which would spoil them.

    Args:
        values: Field, any shape.
        low: Lower bound, scalar or broadcastable.
        high: Upper bound.
        weights: Positive weights, shape `(values.shape[axis],)`.
        axis: The axis along which the integral is kept.

    Returns:
        The field in `[low, high]`, to rounding, with the same integral, to rounding.
    """
    shape = [1] * values.ndim
    shape[axis] = -1
    w = jnp.reshape(jnp.asarray(weights), shape)

    def total(u):
        return jnp.sum(w * u, axis=axis, keepdims=True)

    clipped = jnp.clip(values, low, high)
    lost = total(values - clipped)
    room = jnp.where(lost > 0, high - clipped, clipped - low)
    whole = total(room)
    share = jnp.where(whole > 0, lost / jnp.where(whole > 0, whole, 1.0), 0.0)
    return clipped + share * room


def line_exchange(coefficient: jax.Array, line: ConfinedLine) -> Callable[[jax.Array], jax.Array]:
    """The operator u minus its diffusive exchange between neighbouring nodes.

    The weight between two nodes is the geometric mean of their Gibbs factors, which differ by
    orders of magnitude.

    Args:
        coefficient: Step times diffusivity at the nodes.
        line: Positions.
    """
    between = jnp.sqrt(line.gibbs[1:] * line.gibbs[:-1]) / jnp.diff(line.nodes)
    face = 0.5 * (coefficient[1:] + coefficient[:-1]) * between

    def operator(u):
        flow = face * jnp.diff(u)
        return u - (jnp.append(flow, 0.0) - jnp.append(0.0, flow)) / line.weights

    return operator
