"""Exchange between neighbouring cells: what keeps integrals and bounds on a torus and on a line."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.grids.base import Fourier, Operator


def flux_limited(
    old: jax.Array, new: jax.Array, low: jax.Array, high: jax.Array, grid: Fourier
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
    # The mean does not move; the symbol vanishes for it alone.
    potential = grid.inverse(jnp.where(symbol == 0, 0.0, change_hat / np.where(symbol, symbol, 1)))
    # face i+1/2 along each axis; the flux into cell i is +face_i - face_{i-1}.
    faces = [jnp.roll(potential, -1, axis) - potential for axis in range(grid.d)]
    # All that may come into a cell, or leave it, if none of its neighbours is limited.
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


def torus_exchange(coefficients: list[jax.Array], grid: Fourier) -> tuple[Operator, Operator]:
    """u minus the exchange with its neighbours, and an approximate inverse."""
    faces = [
        0.5 * (D + jnp.roll(D, -1, axis)) / grid.spacing**2 for axis, D in enumerate(coefficients)
    ]

    def operator(u):
        flows = [face * (jnp.roll(u, -1, axis) - u) for axis, face in enumerate(faces)]
        return u - sum(flow - jnp.roll(flow, 1, axis) for axis, flow in enumerate(flows))

    # One constant coefficient, the mean over points and axes, is inverted in Fourier space.
    symbol = 1.0 - sum(jnp.mean(face) for face in faces) / grid.d * _laplacian(grid)
    return operator, lambda u: grid.inverse(grid.transform(u) / symbol)


def line_exchange(
    coefficient: jax.Array, nodes: jax.Array, gibbs: jax.Array, weights: jax.Array
) -> Operator:
    """The operator u minus its diffusive exchange between neighbouring nodes.

    The weight between two nodes is the geometric mean of their Gibbs factors, which differ by
    orders of magnitude.

    Args:
        coefficient: Step times diffusivity at the nodes.
        nodes: Positions, ascending.
        gibbs: Gibbs factor at the nodes.
        weights: Weights of the nodes.
    """
    between = jnp.sqrt(gibbs[1:] * gibbs[:-1]) / jnp.diff(nodes)
    face = 0.5 * (coefficient[1:] + coefficient[:-1]) * between

    def operator(u):
        flow = face * jnp.diff(u)
        return u - (jnp.append(flow, 0.0) - jnp.append(0.0, flow)) / weights

    return operator


def _laplacian(grid: Fourier) -> np.ndarray:
    """Symbol of the nearest-neighbour Laplacian (unit spacing) on the half-complex modes."""
    full = 2.0 * np.cos(2.0 * np.pi * np.fft.fftfreq(grid.n)) - 2.0
    half = full[: grid.n // 2 + 1]
    mesh = np.meshgrid(*([full] * (grid.d - 1) + [half]), indexing="ij")
    return np.sum(mesh, axis=0)
