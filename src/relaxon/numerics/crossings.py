"""Where a noisy slope rises through zero, and the value of another function there."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp


class Samples(eqx.Module):
    """z on lines of u, one for each direction.

    Attributes:
        u: Increasing, shape (points,).
        real: Re z, shape (..., points).
        slope: F1' or a positive multiple, same shape.
        floor: How wrong the slope may be, shape (..., 1) or ().
        solid: Where a zero of F1' may count, broadcasting to that shape.
    """

    u: jax.Array
    real: jax.Array
    slope: jax.Array
    floor: jax.Array
    solid: jax.Array | bool = True

    def settled(self, left: jax.Array, right: jax.Array) -> Samples:
        """The same if F1 has no minimum at u <= left, nor at u >= right, shape (...).

        Once F1 falls for sure beyond `right` it falls to the end; so it does before `left`.
        """
        right, left = right[..., None], left[..., None]
        fall = (self.u >= right) & (self.slope < -self.floor)
        rise = (self.u <= left) & (self.slope > self.floor)
        first = jnp.min(jnp.where(fall, self.u, jnp.inf), axis=-1, keepdims=True)
        last = jnp.max(jnp.where(rise, self.u, -jnp.inf), axis=-1, keepdims=True)
        slope = jnp.where(self.u >= first, jnp.minimum(self.slope, -2 * self.floor), self.slope)
        slope = jnp.where(self.u <= last, jnp.maximum(slope, 2 * self.floor), slope)
        return Samples(self.u, self.real, slope, self.floor, self.solid)


class Minima(eqx.Module):
    """Re z at the minima of F1, infinite where a line has none; arrays of shape (...).

    Attributes:
        certain: The least over the minima of Re z, at the best place of one that lies in noise.
        possible: The same at the worst place.
        u: Where `certain` is.
    """

    certain: jax.Array
    possible: jax.Array
    u: jax.Array


def _cubic(values: jax.Array, t: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The cubic through four neighbours, t in [0, 1] from the second of them to the third.

    `values[..., j]` is the third. Returns the value and the derivative in t.
    """
    a, b, c, d = (jnp.roll(values, shift, axis=-1) for shift in (2, 1, 0, -1))
    one = c - a / 3 - b / 2 - d / 6
    two, three = (a - 2 * b + c) / 2, (d - a + 3 * (b - c)) / 6
    return b + t * (one + t * (two + t * three)), one + t * (2 * two + 3 * t * three)


def _shift(values: jax.Array, first: float) -> jax.Array:
    """The value at the sample before."""
    return jnp.roll(values, 1, axis=-1).at[..., 0].set(first)


def _since(start: jax.Array, values: jax.Array) -> jax.Array:
    """The largest value from the last start on, that one included; along the last axis."""

    def joined(left: tuple, right: tuple) -> tuple:
        (a, x), (b, y) = left, right
        return a | b, jnp.where(b, y, jnp.maximum(x, y))

    flags = jnp.broadcast_to(start, values.shape)
    return jax.lax.associative_scan(joined, (flags, values), axis=values.ndim - 1)[1]


def minima_of(samples: Samples) -> Minima:
    """The minima of F1 between slopes above the noise; for use inside jit.

    Where the slope changes its sign between neighbours (or within three spacings) the zero is
    interpolated; where noise lies between, F1 has its minimum somewhere there.

    Accuracy: order 4 in the spacing of uniform lines.
    """
    real, slope = samples.real, samples.slope
    sure = (jnp.abs(slope) > samples.floor) & samples.solid
    before = jnp.roll(slope, 1, axis=-1)
    zero = (before <= 0) & (slope > 0)
    t = -before / jnp.where(zero, slope - before, 1.0)
    for _ in range(3):
        value, rise = _cubic(slope, t)
        t = jnp.clip(t - value / jnp.where(rise > 0, rise, jnp.inf), 0.0, 1.0)
    there = _cubic(real, t)[0]
    step = samples.u - jnp.roll(samples.u, 1)
    place = samples.u + (t - 1) * step

    index = jnp.arange(real.shape[-1])
    # before each sample: the last sure one, and the last change of sign up to here
    last = _shift(jax.lax.cummax(jnp.where(sure, index, -1), axis=real.ndim - 1), -1)
    cross = jax.lax.cummax(jnp.where(zero, index, -1), axis=real.ndim - 1)
    # largest and least Re z since then
    extremes = _since(sure, jnp.stack([real, -real]))
    high, low = _shift(extremes[0], -jnp.inf), -_shift(extremes[1], -jnp.inf)

    def of(values: jax.Array, where: jax.Array) -> jax.Array:
        return jnp.take_along_axis(values, jnp.maximum(where, 0), axis=-1)

    rising = sure & (slope > 0) & (last >= 0) & (of(slope, last) < 0)
    at = of(place, cross)
    short = (index - last <= 3) & (cross > last)
    certain = jnp.where(short, of(there, cross), jnp.maximum(high, real))
    possible = jnp.where(short, of(there, cross), jnp.minimum(low, real))
    certain = jnp.where(rising, certain, jnp.inf)
    which = jnp.argmin(certain, axis=-1)[..., None]
    return Minima(
        jnp.take_along_axis(certain, which, axis=-1)[..., 0],
        jnp.min(jnp.where(rising, possible, jnp.inf), axis=-1),
        jnp.take_along_axis(at, which, axis=-1)[..., 0],
    )
