r"""The dispersion integral of a Maxwellian, for real and complex phase velocities.

$$ I(u) = \frac{2}{\sqrt\pi} \int \frac{w e^{-w^2}}{w - u}\,dw = 2(1 + i\sqrt\pi\, u\, w(u)),
   \qquad \Im u > 0, $$

continued analytically (Landau) to Im u <= 0; w(u) is the Faddeeva function. Computed by the
trapezoidal rule with the pole's residue added (Al Azah and Chandler-Wilde, 2021), on whichever of
two staggered grids keeps away from the pole. The symmetric sum has no cancellation at large |u|,
so no asymptotic series is needed.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

# The rule of step 1/2 errs by e^{-(pi/h)^2} = 7e-18, and at w = 7 the weight is 3e-20.
_H = 0.5
_COUNT = 14
_INTEGER = _H * np.arange(1, _COUNT + 1)
_HALF = _H * (np.arange(_COUNT) + 0.5)


def _weights(w: np.ndarray) -> np.ndarray:
    # w/(w - u) and the term of -w together are 2 w^2/(w^2 - u^2); w = 0 contributes nothing.
    return 4 / math.sqrt(math.pi) * _H * w**2 * np.exp(-(w**2))


def _profile(u: jax.Array) -> jax.Array:
    """2 u exp(-u^2)/sqrt(pi), minus the derivative of the unit marginal."""
    return 2 / math.sqrt(math.pi) * u * jnp.exp(-(u**2))


def _trapezoid(u: jax.Array, staggered: jax.Array) -> jax.Array:
    """Sum over w > 0 of the weights over w^2 - u^2 = (w - u)(w + u), on one of the two grids."""
    total = jnp.zeros_like(u)
    for w_int, w_half, c_int, c_half in zip(
        _INTEGER, _HALF, _weights(_INTEGER), _weights(_HALF), strict=True
    ):
        w = jnp.where(staggered, w_half, w_int)
        total = total + jnp.where(staggered, c_half, c_int) / ((w - u) * (w + u))
    return total


@jax.jit
def dispersion_integral_real(u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Real and imaginary part of I(u + i0) for real u.

    Accuracy: 1e-14 relative to |I| in the real part for all u up to 1e150; the imaginary part
    is 2 sqrt(pi) u exp(-u^2), good to rounding of the exponent until it underflows.
    """
    u = jnp.asarray(u, dtype=float)
    # The distance of u from the nearest whole node, in steps. Within a quarter of one the nodes
    # half way between are used, so that no term is large.
    phase = u / _H
    offset = phase - jnp.round(phase)
    staggered = jnp.abs(offset) < 0.25
    offset = jnp.where(staggered, offset + 0.5, offset)
    residue = math.pi * _profile(u)
    # What the rule misses of the principal value across the pole: pi cot(pi offset) times the
    # profile.
    return _trapezoid(u, staggered) + residue / jnp.tan(math.pi * offset), residue


@jax.jit
def dispersion_integral(u: jax.Array) -> jax.Array:
    """I(u) for complex u, continued from the upper half-plane.

    Accuracy: 1e-13 relative for |Im u| <= 5 (tests/unit/screening/test_dispersion.py); deep below
    the axis it grows like exp(|Im u|^2), until it overflows at |Im u| = 26.
    """
    u = jnp.asarray(u, dtype=complex)
    # In the lower half-plane: the value at the conjugate point, and the residue that Landau's
    # continuation picks up.
    below = u.imag < 0
    upper = jnp.where(below, jnp.conj(u), u)
    phase = upper / _H
    staggered = jnp.abs(phase.real - jnp.round(phase.real)) < 0.25
    shifted = phase - jnp.where(staggered, 0.5, 0.0)
    # At Im u = pi/h the correction has fallen to the error of the rule itself.
    counts = upper.imag < math.pi / _H
    safe = jnp.where(counts, shifted, 0.25)
    # exp(2 pi i x) of the fractional part: large |Re u| must not cost digits
    turn = jnp.exp(2j * math.pi * (safe - jnp.round(safe.real)))
    correction = -2j * math.pi * _profile(jnp.where(counts, upper, 0.0)) * turn / (1 - turn)
    value = _trapezoid(upper, staggered) + jnp.where(counts, correction, 0.0)
    jump = 2j * math.pi * _profile(jnp.where(below, u, 0.0))
    return jnp.where(below, jnp.conj(value) + jump, value)


def dispersion_slope(u: jax.Array, value: jax.Array) -> jax.Array:
    """I'(u) = (I - 2)/u - 2 u I from the value I(u); loses u^2 units of rounding at large u."""
    return (value - 2) / u - 2 * u * value
