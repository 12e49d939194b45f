"""Bounds with conservation: bring fields back into a box without changing their integrals."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.grids.torus import TorusGrid
from relaxon.reaction.diffusion import density_from_difference
from relaxon.stepping.deviations import Extremes
from relaxon.stepping.linear import linear_solver


def flux_limited(
    old: jax.Array, new: jax.Array, low: jax.Array, high: jax.Array, grid: TorusGrid
) -> jax.Array:
    r"""Flux-corrected transport from `old` to `new` inside `[low, high]`.

    The change is written as face fluxes, $new - old = -\mathrm{div}_h \Phi$ with
    $\Phi = -\nabla_h \Delta_h^{-1}(new - old)$ (the fluxes of least squares, whatever scheme
    made `new`), and each flux is multiplied by the largest factor for which no cell can leave
    the box, whichever of its neighbours are limited too. Fluxes between cells that stay inside
    are not touched; if `new` is in the box the caller keeps it as it is.

    Source: Zalesak, J. Comput. Phys. 31 (1979), with the state at the old time as the
    low-order solution.

    Args:
        old: Field inside the box (to rounding), shape `grid.shape`.
        new: Field of the same mean.
        low: Lower bound, scalar.
        high: Upper bound, scalar.
        grid: Torus of both.

    Returns:
        A field in `[low, high]` to rounding with the mean of `old` to rounding.
    """
    symbol = _laplacian(grid)
    change_hat = grid.transform(new - old)
    potential = grid.inverse(jnp.where(symbol == 0, 0.0, change_hat / np.where(symbol, symbol, 1)))
    # face i+1/2 along each axis; the flux into cell i is +face_i - face_{i-1}.
    faces = [jnp.roll(potential, -1, axis) - potential for axis in range(grid.d)]
    gain = sum(
        jnp.maximum(face, 0) + jnp.maximum(-jnp.roll(face, 1, axis), 0)
        for axis, face in enumerate(faces)
    )
    loss = sum(
        jnp.maximum(-face, 0) + jnp.maximum(jnp.roll(face, 1, axis), 0)
        for axis, face in enumerate(faces)
    )
    room_up, room_down = jnp.maximum(high - old, 0.0), jnp.maximum(old - low, 0.0)
    may_gain = jnp.where(gain > room_up, room_up / jnp.where(gain > 0, gain, 1.0), 1.0)
    may_lose = jnp.where(loss > room_down, room_down / jnp.where(loss > 0, loss, 1.0), 1.0)
    moved = old
    for axis, face in enumerate(faces):
        gain_next, lose_next = jnp.roll(may_gain, -1, axis), jnp.roll(may_lose, -1, axis)
        # face > 0 fills cell i from cell i+1.
        factor = jnp.where(
            face > 0, jnp.minimum(may_gain, lose_next), jnp.minimum(may_lose, gain_next)
        )
        limited = factor * face
        moved = moved + limited - jnp.roll(limited, 1, axis)
    return moved


def line_limited(
    old: jax.Array, new: jax.Array, low: jax.Array, high: jax.Array, weights: jax.Array
) -> jax.Array:
    r"""`flux_limited` on a line with unequal weights, by exchange between neighbours.

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


def _laplacian(grid: TorusGrid) -> np.ndarray:
    """Symbol of the nearest-neighbour Laplacian (unit spacing) on the half-complex modes."""
    full = 2.0 * np.cos(2.0 * np.pi * np.fft.fftfreq(grid.n)) - 2.0
    half = full[: grid.n // 2 + 1]
    mesh = np.meshgrid(*([full] * (grid.d - 1) + [half]), indexing="ij")
    return np.sum(mesh, axis=0)


def share_of_room(
    rho: jax.Array,
    epsilon: jax.Array,
    extremes: Extremes,
    shift: jax.Array,
    low: jax.Array,
    high: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """The part of a deviation p - shift that fits between rho and the bounds.

    Args:
        rho: Density inside [low, high].
        epsilon: Factor of p.
        extremes: Extremes of p over velocities.
        shift: What is taken from p.
        low: Lower bound of rho + epsilon (p - shift).
        high: Upper bound.

    Returns:
        The factor in [0, 1] at each position, and the largest excess that it removes.
    """
    up, down = epsilon * (extremes.top - shift), epsilon * (shift - extremes.bottom)
    room_up, room_down = jnp.maximum(high - rho, 0), jnp.maximum(rho - low, 0)
    share_up = jnp.where(up > room_up, room_up / jnp.where(up > 0, up, 1.0), 1.0)
    share_down = jnp.where(down > room_down, room_down / jnp.where(down > 0, down, 1.0), 1.0)
    excess = jnp.maximum((up - room_up).max(), (down - room_down).max())
    return jnp.minimum(share_up, share_down), excess


def diffused(m: jax.Array, h: jax.Array, tensors: tuple, grid: TorusGrid) -> jax.Array:
    r"""One step of $\partial_t m = \sum_a \partial_a (D_{aa}(m) \partial_a m)$ that bounds survive.

    Backward Euler with differences of nearest neighbours and the coefficients of the old m, so
    that the result is a doubly stochastic mean of the old values: its range shrinks, its mean
    stays, no convex functional grows. First order in h; mixed derivatives are left out.

    Args:
        m: Difference of the densities.
        h: Step.
        tensors: D_1 and D_2.
        grid: Torus of m.
    """
    rho = density_from_difference(m)
    faces = []
    for axis in range(grid.d):
        first, second = (tensor[axis, axis] for tensor in tensors)
        D = (first * rho**2 + second / rho**2) / (rho + 1.0 / rho)
        faces.append(0.5 * h / grid.spacing**2 * (D + jnp.roll(D, -1, axis)))

    def operator(u):
        flows = [c * (jnp.roll(u, -1, axis) - u) for axis, c in enumerate(faces)]
        return u - sum(flow - jnp.roll(flow, 1, axis) for axis, flow in enumerate(flows))

    symbol = 1.0 - sum(jnp.mean(face) for face in faces) / grid.d * _laplacian(grid)
    change = linear_solver(
        operator, m.shape, lambda u: grid.inverse(grid.transform(u) / symbol), rtol=1e-12
    )(m - operator(m))
    new = m + change
    new = jnp.clip(new, m.min(), m.max())
    return new + (jnp.mean(m) - jnp.mean(new))
