r"""The Penrose criterion as one compiled function, for reports, operators and runs alike.

A wave grows if F1 has a minimum with 1 + Vhat Re z < 0 (duerinckx2023 (1.10)). Where F1' is below
the noise of the data its zeros are nobody's, so there are three verdicts (`VERDICTS`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.numerics.concavity import bends_up, last_along
from relaxon.numerics.crossings import Minima, Samples, minima_of

QUIET = 1e-12
"""Noise of F1', relative to its maximum, that no finer grid would remove."""

VERDICTS = ("stable", "undecided", "unstable")

STARTS, ROUNDS = 3, 3
"""Directions from which the worst one is looked for, and how often the step is cut by three."""


def least_epsilon(z: jax.Array, v_min: jax.Array, v_max: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Min |1 + v z| over v_min <= v <= v_max and the minimising v; for use inside jit."""
    square = z.real**2 + z.imag**2
    safe = jnp.where(square > 0, square, 1.0)
    v = jnp.clip(jnp.where(square > 0, -z.real / safe, v_min), v_min, v_max)
    interior = (v > v_min) & (v < v_max)
    # at the interior minimum |1 + v z| = |Im z|/|z| without cancellation
    return jnp.where(interior, jnp.abs(z.imag) / jnp.sqrt(safe), jnp.abs(1 + v * z)), v


def least_at_minima(
    real: jax.Array, slope: jax.Array, v_max: jax.Array, solid: jax.Array | bool = True
) -> jax.Array:
    r"""Least $1 + Vhat_{max} Re z$ over the minima of F1 between samples; for use inside jit.

    A wave grows if it is negative (duerinckx2023 (1.10)).

    Args:
        real: Re z at increasing u along the last axis, shape (..., N).
        slope: F1' or a positive multiple there; zero where it is noise.
        v_max: The largest Vhat.
        solid: Where a minimum may count, shape (..., N - 1), by the sample on its right.

    Returns:
        Scalar, Re z at the zeros of F1'; infinite if there is no minimum.
    """
    points = real.shape[-1]
    where = jnp.concatenate([jnp.ones((1,), bool), jnp.broadcast_to(solid, (points - 1,))])
    found = minima_of(Samples(jnp.arange(float(points)), real, slope, jnp.zeros(()), where))
    least = jnp.min(found.certain)
    return jnp.where(jnp.isfinite(least), 1.0 + v_max * least, jnp.inf)


class Judgement(eqx.Module):
    """What `judge` found, scalars but for `direction`.

    Attributes:
        depth: Least Re z + 1/Vhat_max over the minima of F1 and directions, with the noise of
            Re z on top; negative: unstable.
        direction, u: Where.
        code: 0 stable, 1 undecided, 2 unstable (`VERDICTS`).
        silent: Whether waves would be resonant where F1' is noise.
        noise: Noise of F1' on the worst line: rounding, what the spacing leaves out, what the
            box cuts off.
    """

    depth: jax.Array
    direction: jax.Array
    u: jax.Array
    code: jax.Array
    silent: jax.Array
    noise: jax.Array


def judge(
    scan: Samples,
    normals: jax.Array,
    v_max: jax.Array,
    look: Callable[[jax.Array], Samples],
    angle: float,
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]:
    """The Penrose criterion over directions, for use inside jit.

    Directions are ranked by the least Re z at minima of F1. From the worst `STARTS` of them that
    are no neighbours a pattern search goes on, if there are minima at all: its cost is `ROUNDS`
    calls of `look`.

    Args:
        scan: z on the lines of all scanned directions, shape (N, points).
        normals: The directions, shape (N, d).
        v_max: The largest Vhat.
        look: z on the lines of other directions.
        angle: Distance between neighbouring directions.

    Returns:
        `depth`, `direction`, `u`, `code`, `silent` of a `Judgement`.
    """
    top = 1.0 / v_max
    first = _least_minima(scan)
    # Re z = H[F1'] is about as wrong as F1', times pi
    band = scan.real + top < jnp.pi * scan.floor
    faint = (jnp.abs(scan.slope) <= scan.floor) & scan.solid & band
    largest = jnp.max(jnp.abs(scan.slope), axis=-1, keepdims=True)
    silent = jnp.any(faint & (scan.floor > QUIET * largest))

    picks, rank = [], first.certain
    for _ in range(STARTS):
        best = jnp.argmin(rank)
        picks.append(best)
        near = jnp.abs(normals @ normals[best]) > math.cos(1.6 * angle)
        rank = jnp.where(near, jnp.inf, rank)
    chosen = jnp.stack(picks)
    start = (normals[chosen], first.certain[chosen], first.possible[chosen], first.u[chosen])

    def search(best: tuple) -> tuple:
        def round_(index: jax.Array, best: tuple) -> tuple:
            around = jax.vmap(_pattern, (0, None))(best[0], 0.6 * angle / 3.0**index)
            count = around.shape[1]
            found = _least_minima(look(around.reshape(-1, normals.shape[1])))
            depth, possible, u = (
                x.reshape(-1, count) for x in (found.certain, found.possible, found.u)
            )
            which = jnp.argmin(depth, axis=1)
            rows = jnp.arange(STARTS)
            return around[rows, which], depth[rows, which], jnp.min(possible, 1), u[rows, which]

        return jax.lax.fori_loop(0, ROUNDS, round_, best)

    some = jnp.isfinite(jnp.min(first.certain))
    normal, certain, possible, u = jax.lax.cond(some, search, lambda best: best, start)
    worst = jnp.argmin(certain)
    depth = certain[worst] + top
    doubt = jnp.minimum(jnp.min(possible), jnp.min(first.possible)) + top
    code = jnp.where(depth < 0, 2, jnp.where((doubt < 0) | silent, 1, 0))
    return depth, normal[worst], u[worst], code, silent


def _least_minima(samples: Samples) -> Minima:
    """`minima_of`, with the noise of Re z on the safe side of both values."""
    found, noise = minima_of(samples), jnp.pi * samples.floor[..., 0]
    return Minima(found.certain + noise, found.possible - noise, found.u)


def judge_lines(transform: Any, f: Any, maxwellian: Any, parts: Any, v_max: Any) -> Judgement:
    """`judge` on a Cartesian grid, for use inside jit.

    Args:
        transform: A `LineTransform` of the grid; its directions are scanned.
        f: Distribution on the grid.
        maxwellian: The one with its invariants.
        parts: `transform.parted(f, maxwellian)`.
        v_max: The largest Vhat.
    """
    grid, bent = transform.grid, bends_up(f)

    def samples(transform: Any, parts: Any) -> Samples:
        normals = transform.normals
        inside = jnp.abs(transform.u) <= transform.reach[:, None]
        floor = jnp.sum(transform.noise(parts, f), axis=0)[:, None]
        raw = Samples(transform.u, parts.lines.hilbert, parts.lines.slope, floor, inside)
        # beyond the last point where log f bends up F1 has no minimum; a cell for the stencil
        cell = grid.spacing * jnp.sum(jnp.abs(normals), axis=1)
        both = last_along(bent, grid.nodes, jnp.concatenate([normals, -normals]))
        right, left = both[: len(normals)] + cell, both[len(normals) :] + cell
        return raw.settled(-left, right)

    def look(normals: jax.Array) -> Samples:
        other = transform.toward(normals, 4)
        return samples(other, other.parted(f, maxwellian))

    scan, (count, d) = samples(transform, parts), transform.normals.shape
    angle = math.pi / (count if d == 2 else math.sqrt(count))
    noise = jnp.max(transform.noise(parts, f), axis=1)
    return Judgement(*judge(scan, transform.normals, v_max, look, angle), noise)


@eqx.filter_jit
def judge_grid(f: Any, grid: Any, v_max: Any) -> tuple[Judgement, Samples]:
    """The judgement of f on a Cartesian grid, and z on the scanned lines."""
    transform, maxwellian = grid.line_transform(), grid.matched(f)
    parts = transform.parted(f, maxwellian)
    floor = jnp.sum(transform.noise(parts, f), axis=0)[:, None]
    scan = Samples(transform.u, parts.lines.hilbert, parts.lines.slope, floor)
    return judge_lines(transform, f, maxwellian, parts, v_max), scan


def _pattern(normal: jax.Array, angle: jax.Array) -> jax.Array:
    """Directions about one: itself and steps of `angle` along 3^(d-1) - 1 ways, shape (m, d)."""
    d = normal.shape[0]
    if d == 2:
        tangents = jnp.stack([jnp.stack([-normal[1], normal[0]])])
    else:
        axis = jnp.eye(3)[jnp.argmin(jnp.abs(normal))]
        one = jnp.cross(normal, axis)
        one = one / jnp.linalg.norm(one)
        tangents = jnp.stack([one, jnp.cross(normal, one)])
    ways = np.stack(np.meshgrid(*([0.0, -1.0, 1.0],) * (d - 1), indexing="ij"), -1)
    moved = normal + jnp.tan(angle) * (ways.reshape(-1, d - 1) @ tangents)
    return moved / jnp.linalg.norm(moved, axis=-1, keepdims=True)
