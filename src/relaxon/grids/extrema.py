"""The largest value of a function between the points that sample it.

Where neighbouring second differences disagree in sign or size, as at jumps, where interpolants
overshoot, the parabola of the smallest of them is the most that is granted.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from relaxon.grids.base import Fourier

ROOM = 1.25
"""How far an interpolant may leave the samples, in units of what a parabola through them does."""

STENCIL = 10
"""Nodes of the local interpolation on a line."""


def torus_top(u: jax.Array, torus: Fourier) -> jax.Array:
    """The maximum of the trigonometric interpolants, to rounding where the data are smooth."""
    fine = (4 if torus.d == 1 else 2) * torus.n

    def of_one(field):
        values = _refined(field, torus, fine)
        place = jnp.argmax(values)
        return values.ravel()[place], place

    tops, places = lax.map(of_one, u)
    best = jnp.argmax(tops)
    index = jnp.stack(jnp.unravel_index(places[best], (fine,) * torus.d))
    found = _polished(u[best], index * (torus.length / fine), torus)
    bends = []
    for axis in torus.axes:
        d2 = jnp.roll(u, 1, axis) - 2 * u + jnp.roll(u, -1, axis)
        bends.append(_hollow(d2, jnp.roll(d2, 1, axis), jnp.roll(d2, -1, axis)))
    # A parabola with the second difference d2 rises above its samples by |d2|/8 at most.
    most = jnp.max(u + ROOM * torus.d / 8 * sum(bends))
    return jnp.clip(jnp.maximum(found, tops[best]), jnp.max(u), most)


def _refined(field: jax.Array, torus: Fourier, fine: int) -> jax.Array:
    """The trigonometric interpolant on a finer torus; the Nyquist wave as a cosine."""
    n, d = torus.n, torus.d
    shifted = jnp.fft.fftshift(jnp.fft.fftn(field))
    if n % 2 == 0:
        for axis in range(d):
            first = 0.5 * jnp.take(shifted, jnp.array([0]), axis)
            inner = jnp.take(shifted, jnp.arange(1, n), axis)
            shifted = jnp.concatenate([first, inner, first], axis)
    # The mean stands in the middle of both: at n//2 here, at fine//2 there.
    before = fine // 2 - n // 2
    after = fine - before - shifted.shape[0]
    padded = jnp.pad(shifted, [(before, after)] * d)
    return jnp.real(jnp.fft.ifftn(jnp.fft.ifftshift(padded))) * (fine / n) ** d


def _polished(field: jax.Array, start: jax.Array, torus: Fourier) -> jax.Array:
    """The maximum of the interpolant near `start`, by Newton's method."""
    coefficients = jnp.fft.fftn(field) / field.size
    line = 2 * np.pi / torus.length * np.fft.fftfreq(torus.n, 1.0 / torus.n)
    k = jnp.stack(jnp.meshgrid(*[jnp.asarray(line)] * torus.d, indexing="ij"))

    def parts(x):
        angle = jnp.tensordot(x, k, 1)
        wave = jnp.exp(1j * angle) * coefficients
        return jnp.real(wave), jnp.imag(wave)

    def newton(_, x):
        height, tilt = parts(x)
        slope = -jnp.tensordot(k, tilt, torus.d)
        bend = -jnp.einsum("a...,b...,...->ab", k, k, height)
        move = -jnp.linalg.solve(bend, slope)
        # At most one spacing, and only uphill: a saddle or a flat top must not lead away.
        move = jnp.clip(jnp.where(jnp.isfinite(move), move, 0.0), -torus.spacing, torus.spacing)
        higher = jnp.sum(parts(x + move)[0]) >= jnp.sum(height)
        return jnp.where(higher, x + move, x)

    return jnp.sum(parts(lax.fori_loop(0, 6, newton, jnp.asarray(start, dtype=float)))[0])


def line_top(u: jax.Array, x: jax.Array) -> jax.Array:
    """The maximum of the local interpolants of degree 9 through samples at the nodes x."""
    n = x.size
    size = min(STENCIL, n)
    first = np.clip(np.arange(n - 1) - (size // 2 - 1), 0, n - size)
    nodes = first[:, None] + np.arange(size)
    places = np.linspace(0.0, 1.0, 33)[1:-1]
    at = x[:-1, None] + jnp.diff(x)[:, None] * places  # (intervals, points)
    local = x[nodes]  # (intervals, size)
    # Lagrange weights of the local nodes at every place, (intervals, points, size).
    gaps = local[:, :, None] - local[:, None, :] + jnp.eye(size)
    factors = (at[:, :, None, None] - local[:, None, None, :]) / gaps[:, None]
    weights = jnp.prod(jnp.where(jnp.eye(size, dtype=bool), 1.0, factors), axis=-1)
    between = jnp.einsum("ips,vis->vip", weights, u[:, nodes])
    slopes = jnp.diff(u) / jnp.diff(x)
    bend = 2 * jnp.diff(slopes) / (x[2:] - x[:-2])
    bend = jnp.pad(bend, [(0, 0), (1, 1)])
    widest = jnp.pad(jnp.maximum(jnp.diff(x)[1:], jnp.diff(x)[:-1]), 1)
    padded = jnp.pad(bend, [(0, 0), (1, 1)])
    hollow = _hollow(bend, padded[:, :-2], padded[:, 2:])
    most = jnp.max(u + ROOM / 8 * hollow * widest**2)
    return jnp.clip(jnp.max(between), jnp.max(u), most)


def _hollow(here: jax.Array, left: jax.Array, right: jax.Array) -> jax.Array:
    """Downward bend that a point shares with a neighbour, as a positive number; else 0."""
    return jnp.maximum(0.0, -jnp.maximum(here, jnp.minimum(left, right)))
