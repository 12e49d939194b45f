r"""Complex numbers whose imaginary part keeps its own relative accuracy.

$$ s = a + i y b, \qquad z = x + i y $$

A real-analytic function of z has an imaginary part proportional to y = Im z. Written as the pair
(a, b), every operation below is free of division by y wherever the function is regular, so b is
accurate even for y = 1e-300, and for y = 0 it is the derivative of a (dual numbers). On a branch
cut b grows like 1/|y|, and y b stays accurate. Products of b always go through y b, never through
y^2, which would underflow. All operations can be differentiated by jax, and since b is a smooth
function of y^2, the derivatives do not cancel either.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

FLOOR = 1e-290
"""Smallest |y| that enters the arithmetic; below it, y b on a cut no longer depends on y."""


class Split(NamedTuple):
    """The number `re + i y im`; all numbers that meet in an expression share the same `y`."""

    re: jax.Array
    im: jax.Array
    y: jax.Array

    @property
    def imaginary(self) -> jax.Array:
        """The ordinary imaginary part y b."""
        return self.y * self.im

    @property
    def square(self) -> jax.Array:
        """|s|^2."""
        return self.re**2 + self.imaginary**2

    def complex(self) -> jax.Array:
        """The ordinary complex number."""
        return jax.lax.complex(self.re, self.imaginary)

    def __neg__(self) -> Split:
        return Split(-self.re, -self.im, self.y)

    def __add__(self, other: Split | jax.Array | float) -> Split:  # type: ignore[override]
        if isinstance(other, Split):
            return Split(self.re + other.re, self.im + other.im, self.y)
        return Split(self.re + other, self.im, self.y)

    def __radd__(self, other: jax.Array | float) -> Split:
        return self + other

    def __sub__(self, other: Split | jax.Array | float) -> Split:
        return self + (-other)

    def __rsub__(self, other: jax.Array | float) -> Split:
        return (-self) + other

    def __mul__(self, other: Split | jax.Array | float) -> Split:  # type: ignore[override]
        if isinstance(other, Split):
            return Split(
                self.re * other.re - self.imaginary * other.imaginary,
                self.re * other.im + self.im * other.re,
                self.y,
            )
        return Split(self.re * other, self.im * other, self.y)

    def __rmul__(self, other: jax.Array | float) -> Split:  # type: ignore[override]
        return self * other

    def reciprocal(self) -> Split:
        """1/s."""
        square = self.square
        return Split(self.re / square, -self.im / square, self.y)

    def __truediv__(self, other: Split | jax.Array | float) -> Split:
        if isinstance(other, Split):
            return self * other.reciprocal()
        return Split(self.re / other, self.im / other, self.y)

    def __rtruediv__(self, other: jax.Array | float) -> Split:
        return self.reciprocal() * other


def variable(z: jax.Array) -> Split:
    """The variable z itself, with |Im z| raised to `FLOOR` (its sign, also of zero, is kept)."""
    z = jnp.asarray(z)
    x, y = (z.real, z.imag) if jnp.iscomplexobj(z) else (z, jnp.zeros_like(z))
    x, y = x.astype(float), y.astype(float)
    sign = jnp.where(jnp.signbit(y), -1.0, 1.0)
    return Split(x, jnp.ones_like(x), jnp.where(jnp.abs(y) < FLOOR, sign * FLOOR, y))


def where(condition: jax.Array, left: Split, right: Split) -> Split:
    """Choose elementwise; both sides must be finite everywhere, for the sake of derivatives."""
    return Split(
        jnp.where(condition, left.re, right.re),
        jnp.where(condition, left.im, right.im),
        left.y,
    )


@jax.custom_jvp
def _inverse(y: jax.Array) -> jax.Array:
    """1/|y|, with a derivative that saturates instead of overflowing."""
    return 1.0 / jnp.abs(y)


@_inverse.defjvp
def _inverse_jvp(primals, tangents):
    (y,), (dy,) = primals, tangents
    value = _inverse(y)
    slope = jnp.where(value < 1e150, value, 1e150) ** 2
    return value, -jnp.sign(y) * slope * dy


_ARCTAN = np.array([(-1.0) ** n / (2 * n + 1) for n in range(14)])


def _arctan_ratio(p: jax.Array) -> jax.Array:
    """arctan(sqrt p)/sqrt p for 0 <= p <= 1, smooth in p."""
    # arctan(root)/root has no derivative at p = 0; the series has.
    small = p < 0.05
    root = jnp.sqrt(jnp.where(small, 0.5, p))
    return jnp.where(small, jnp.polyval(_ARCTAN[::-1], p), jnp.arctan(root) / root)


def log(s: Split) -> Split:
    """Principal logarithm; cut along re < 0."""
    a, b, c = s.re, s.im, s.imaginary
    return Split(jnp.log(jnp.hypot(a, c)), _argument(a, b, c, s.y), s.y)


def _argument(a, b, c, y):
    """atan2(y b, a)/y with c = y b, regular at y -> 0 for a > 0."""
    # |y b| <= |a|: b/a times a regular factor, and for a < 0 the jump pi/|y|. Otherwise
    # pi/2 - arctan(a/(y b)), where dividing by y loses nothing.
    flat = jnp.abs(c) <= jnp.abs(a)
    a_flat = jnp.where(flat, a, 1.0)
    t = jnp.where(flat, c, 0.0) / a_flat
    beyond = jnp.where(a < 0, jnp.pi * jnp.sign(b) * _inverse(y), 0.0)
    near = jnp.where(flat, b, 0.0) / a_flat * _arctan_ratio(t * t) + beyond
    c_steep = jnp.where(flat, 1.0, c)
    angle = jnp.sign(c_steep) * (jnp.pi / 2) - jnp.arctan(jnp.where(flat, 0.0, a) / c_steep)
    return jnp.where(flat, near, angle / jnp.where(flat, 1.0, y))


def sqrt(s: Split) -> Split:
    """Principal square root; cut along re < 0."""
    a, b, c = s.re, s.im, s.imaginary
    modulus = jnp.hypot(a, c)
    # The larger of the two parts by the root, the other by division: neither cancels.
    right = a >= 0
    larger = jnp.sqrt((modulus + jnp.abs(a)) / 2)
    re = jnp.where(right, larger, jnp.abs(c) / (2 * larger))
    im = jnp.where(right, b / (2 * larger), jnp.sign(b) * larger * _inverse(s.y))
    return Split(re, im, s.y)


def polynomial(coefficients: np.ndarray, s: Split) -> Split:
    """sum_n coefficients[n] s^n by Horner's rule in a loop (one compiled body)."""

    def step(total: Split, coefficient: jax.Array) -> tuple[Split, None]:
        return total * s + coefficient, None

    zero = Split(jnp.zeros_like(s.re * s.y), jnp.zeros_like(s.re * s.y), s.y)
    return jax.lax.scan(step, zero, jnp.asarray(coefficients[::-1]))[0]
