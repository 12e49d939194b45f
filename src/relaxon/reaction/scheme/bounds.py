"""Bounds with conservation: bring fields back into a box without changing their integrals."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.torus import TorusGrid
from relaxon.numerics.linear_solver import linear_solver
from relaxon.reaction.equations.limit import density_from_difference
from relaxon.reaction.scheme.deviations import Extremes
from relaxon.reaction.scheme.line_bounds import line_exchange, line_limited


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


def limited(
    positions: TorusGrid | ConfinedLine,
    old: jax.Array,
    new: jax.Array,
    low: jax.Array,
    high: jax.Array,
) -> jax.Array:
    """From `old` inside [low, high] to `new` as far as the bounds allow, keeping the integral."""
    if isinstance(positions, ConfinedLine):
        return line_limited(old, new, low, high, positions.weights)
    return flux_limited(old, new, low, high, positions)


TAIL = 1e-6
"""Share of the Gibbs mass that a step may move unnoticed. Measured with 40 x 24 nodes, harmonic
potential, data like tanh, epsilon = 1 ... 1e-4: 3e-9 to 5e-8 in the step that moves most."""


def enforced(positions: TorusGrid | ConfinedLine, moved: jax.Array, beyond: jax.Array) -> jax.Array:
    """Whether the box had to be enforced in a step.

    On a torus: by more than rounding. On a confined line nodal values in the tails are rough at
    every step, but carry next to no mass; there it must have moved the share `TAIL` of all mass.

    Args:
        positions: Where.
        moved: What was moved at each position.
        beyond: Whether any nodal value was outside by more than rounding.
    """
    if isinstance(positions, ConfinedLine):
        return positions.integrate(moved) > TAIL * positions.volume
    return beyond


def diffused(
    positions: TorusGrid | ConfinedLine, m: jax.Array, h: jax.Array, tensors: tuple
) -> jax.Array:
    r"""One step of $\partial_t m = \nabla \cdot (D(m) \nabla m)$ that every bound survives.

    Backward Euler with differences of nearest neighbours and the coefficients of the old m, so
    that the result is a doubly stochastic mean of the old values: its range shrinks, its integral
    stays, no convex functional grows. First order in h; mixed derivatives are left out.

    Args:
        positions: A torus or a confined line.
        m: Difference of the densities.
        h: Step.
        tensors: D_1 and D_2.
    """
    rho = density_from_difference(m)
    coefficients = [
        h * (first[a, a] * rho**2 + second[a, a] / rho**2) / (rho + 1.0 / rho)
        for first, second in [tensors]
        for a in range(positions.d)
    ]
    if isinstance(positions, ConfinedLine):
        operator, precondition = line_exchange(coefficients[0], positions), None
    else:
        operator, precondition = _exchange(coefficients, positions)
    solve = linear_solver(operator, m.shape, precondition, rtol=1e-12)
    new = jnp.clip(m + solve(m - operator(m)), m.min(), m.max())
    return new + positions.integrate(m - new) / positions.volume


def _exchange(coefficients: list[jax.Array], grid: TorusGrid) -> tuple[Any, Any]:
    """u minus the exchange with its neighbours, and an approximate inverse."""
    faces = [
        0.5 * (D + jnp.roll(D, -1, axis)) / grid.spacing**2 for axis, D in enumerate(coefficients)
    ]

    def operator(u):
        flows = [face * (jnp.roll(u, -1, axis) - u) for axis, face in enumerate(faces)]
        return u - sum(flow - jnp.roll(flow, 1, axis) for axis, flow in enumerate(flows))

    symbol = 1.0 - sum(jnp.mean(face) for face in faces) / grid.d * _laplacian(grid)
    return operator, lambda u: grid.inverse(grid.transform(u) / symbol)


def _laplacian(grid: TorusGrid) -> np.ndarray:
    """Symbol of the nearest-neighbour Laplacian (unit spacing) on the half-complex modes."""
    full = 2.0 * np.cos(2.0 * np.pi * np.fft.fftfreq(grid.n)) - 2.0
    half = full[: grid.n // 2 + 1]
    mesh = np.meshgrid(*([full] * (grid.d - 1) + [half]), indexing="ij")
    return np.sum(mesh, axis=0)
