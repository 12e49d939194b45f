"""Coulomb potentials with cut-offs, and Yukawa potentials."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from relaxon.core.errors import require
from relaxon.core.numbers import dimension, number, positive
from relaxon.core.registry import storable
from relaxon.core.types import Real, Whole
from relaxon.numerics.polylogarithm import (
    arctan_deficit,
    arctan_ratio,
    interval_moment,
)
from relaxon.numerics.split_complex import Split, log, sqrt, where
from relaxon.screening.potentials.base import (
    NEGATIVE,
    PI,
    Potential,
    above_zero,
    decimal_pair,
    scales,
    shifted,
)


class _Rational(Potential):
    """Vhat = strength/(k^2 + mass) for k_min <= k <= k_max, zero elsewhere."""

    strength: eqx.AbstractVar[jax.Array]
    mass: eqx.AbstractVar[jax.Array]
    k_min: eqx.AbstractVar[jax.Array]
    k_max: eqx.AbstractVar[jax.Array]
    ends: eqx.AbstractVar[tuple]

    @property
    def least_wavenumber(self) -> float:
        """k_min."""
        return float(self.k_min)

    def vhat(self, k: jax.Array) -> jax.Array:
        """strength/(k^2 + mass) between the cut-offs, zero outside."""
        k = jnp.asarray(k)
        inside = (k >= self.k_min) & (k <= self.k_max)
        square = jnp.where(inside, k**2 + self.mass, 1.0)
        return jnp.where(inside, self.strength / square, 0.0)

    def resolvent(self, z: Split) -> Split:
        """Logarithm (d = 3) or arctangent (d = 2)."""
        at = tuple(shifted(z, end) for end in self.ends)
        zeta, low, high = (s * self.strength for s in at)
        return rational_resolvent(self.d, zeta, low, high, self.k_min, self.k_max) * self.strength

    def wavenumber(self, value: jax.Array) -> jax.Array:
        """sqrt(strength/value - mass)."""
        return jnp.sqrt(jnp.maximum(self.strength / value - self.mass, 0.0))


def _ends(strength: float, mass: Decimal, k_min: float, k_max: float) -> tuple:
    """The three real z where zeta = strength z + mass, zeta + k_min^2, zeta + k_max^2 vanish."""
    s = Decimal(strength)
    top = Decimal(k_max) ** 2 if math.isfinite(k_max) else Decimal(0)
    return tuple(decimal_pair(-(mass + k2) / s) for k2 in (Decimal(0), Decimal(k_min) ** 2, top))


def _lower_cutoff(k_min: Any, k_max: float) -> float:
    found = number("k_min", k_min)
    require(0 <= found < k_max, f"k_min must lie in [0, k_max = {k_max!r}), but is {found!r}.")
    return found


@storable("potential", "coulomb")
class Coulomb(_Rational):
    r"""The Coulomb potential with a cut-off: Vhat = amplitude/k^2 for k_min <= k <= k_max.

    $$ G = \frac A2 \left[k_m^2 - \zeta \ln(1 + k_m^2/\zeta)\right]\ (d=3), \qquad
       G = A \left[k_m - \sqrt\zeta \arctan(k_m/\sqrt\zeta)\right]\ (d=2), \qquad \zeta = A z $$

    (written for k_min = 0). The screened K(z) needs no cut-off at small k, but the Landau
    prefactor does: without k_min, `k0` and `landau_prefactor` refuse.

    Args:
        d: Dimension, 2 or 3.
        k_max: Upper cut-off (inverse Landau length).
        amplitude: A > 0.
        k_min: Lower cut-off, 0 by default.
    """

    d: int = eqx.field(static=True)
    amplitude: jax.Array
    strength: jax.Array
    mass: jax.Array
    k_min: jax.Array
    k_max: jax.Array
    v_min: jax.Array
    v_max: jax.Array
    ends: tuple
    has_gap: bool = eqx.field(static=True)

    def __init__(self, d: Whole, k_max: Real, amplitude: Real = 1.0, k_min: Real = 0.0):
        d = dimension(d, (2, 3))
        amplitude = above_zero("amplitude", amplitude, NEGATIVE)
        why = f" (without it int k^{d} Vhat^2/|1 + Vhat z|^2 dk diverges at large k)" * (d == 3)
        k_max = above_zero("k_max", k_max, why)
        k_min = _lower_cutoff(k_min, k_max)
        with localcontext(prec=50):
            self.ends = _ends(amplitude, Decimal(0), k_min, k_max)
        self.d, self.has_gap = d, k_min > 0
        self.amplitude = self.strength = jnp.asarray(amplitude, float)
        self.mass, self.k_min, self.k_max = (
            jnp.asarray(0.0, float),
            jnp.asarray(k_min, float),
            jnp.asarray(k_max, float),
        )
        self.v_min = jnp.asarray(amplitude / k_max**2, float)
        self.v_max = jnp.asarray(amplitude / k_min**2 if k_min > 0 else math.inf, float)

    def k0(self) -> jax.Array:
        """A^2 ln(k_max/k_min) for d = 3, A^2 (1/k_min - 1/k_max) for d = 2."""
        require(
            self.has_gap,
            f"The Landau prefactor of this potential diverges: int k^{self.d} Vhat^2 dk = "
            f"int k^{self.d - 4} dk at k = 0; give k_min > 0.",
        )
        if self.d == 3:
            return self.amplitude**2 * jnp.log(self.k_max / self.k_min)
        return self.amplitude**2 * (1 / self.k_min - 1 / self.k_max)

    def rescaled(self, delta: Real, a: Real) -> Coulomb:
        """Amplitude delta^(d-a-2) A, cut-offs divided by delta."""
        delta, a = scales(delta, a)
        amplitude = float(self.amplitude) * delta ** (self.d - a - 2)
        return Coulomb(self.d, float(self.k_max) / delta, amplitude, float(self.k_min) / delta)


@storable("potential", "yukawa")
class Yukawa(_Rational):
    r"""The screened Coulomb potential, l = screening_length.

    $$ d = 3:\ V = A \frac{e^{-|x|/\ell}}{|x|},\ \hat V = \frac{4\pi A}{k^2 + \ell^{-2}}; \qquad
       d = 2:\ V = A K_0(|x|/\ell),\ \hat V = \frac{2\pi A}{k^2 + \ell^{-2}} $$

    (K_0 the Bessel function), so G is Coulomb's with zeta = (4 or 2) pi A z + l^-2. In d = 3
    the integral int k^3 Vhat^2 dk diverges logarithmically at large k: a finite `k_max` is
    required there. In d = 2 it converges and k_max may be infinite; int k^2 Vhat dk does not, and
    `G` is then given without the infinite real constant (all K and differences of G are right).

    Args:
        d: Dimension, 2 or 3.
        amplitude: A > 0.
        screening_length: l > 0.
        k_max: Upper cut-off, required for d = 3.
        k_min: Lower cut-off, 0 by default.
    """

    d: int = eqx.field(static=True)
    amplitude: jax.Array
    screening_length: jax.Array
    strength: jax.Array
    mass: jax.Array
    k_min: jax.Array
    k_max: jax.Array
    v_min: jax.Array
    v_max: jax.Array
    ends: tuple

    def __init__(
        self,
        d: Whole,
        amplitude: Real,
        screening_length: Real,
        k_max: Real = math.inf,
        k_min: Real = 0.0,
    ):
        d = dimension(d, (2, 3))
        amplitude = above_zero("amplitude", amplitude, NEGATIVE)
        length = positive("screening_length", screening_length)
        k_max = above_zero("k_max", k_max, "", infinite=True)
        require(
            d == 2 or math.isfinite(k_max),
            "The Landau prefactor of a Yukawa potential in d = 3 diverges: int k^3 Vhat^2 dk "
            "is logarithmic at large k, and so is the screened one; give a finite k_max.",
        )
        k_min = _lower_cutoff(k_min, k_max)
        with localcontext(prec=50):
            exact = (2 if d == 2 else 4) * PI * Decimal(amplitude)
            mass = 1 / Decimal(length) ** 2
            self.ends = _ends(float(exact), mass, k_min, k_max)
        strength = float(exact)
        self.d = d
        self.amplitude, self.screening_length = (
            jnp.asarray(amplitude, float),
            jnp.asarray(length, float),
        )
        self.strength, self.mass = jnp.asarray(strength, float), jnp.asarray(float(mass), float)
        self.k_min, self.k_max = jnp.asarray(k_min, float), jnp.asarray(k_max, float)
        self.v_min = jnp.asarray(strength / (k_max**2 + float(mass)), float)
        self.v_max = jnp.asarray(strength / (k_min**2 + float(mass)), float)

    def k0(self) -> jax.Array:
        """-G'(0), in closed form through the resolvent."""
        return self.screening(jnp.asarray(0.0 + 0.0j))

    def rescaled(self, delta: Real, a: Real) -> Yukawa:
        """Amplitude delta^(d-a-2) A, length delta l, cut-offs divided by delta."""
        delta, a = scales(delta, a)
        amplitude = float(self.amplitude) * delta ** (self.d - a - 2)
        length = float(self.screening_length) * delta
        return Yukawa(
            self.d, amplitude, length, float(self.k_max) / delta, float(self.k_min) / delta
        )


def rational_resolvent(
    d: int, zeta: Split, low: Split, high: Split, k_min: jax.Array, k_max: jax.Array
) -> Split:
    """g_d(zeta); `low` and `high` are zeta + k_min^2 and zeta + k_max^2, given apart.

    For d = 2 and k_max = inf the infinite real constant is left out.
    """
    if d == 3:
        return _logarithmic(zeta, low, high, k_min, k_max)
    return _trigonometric(zeta, low, high, k_min, k_max)


def _logarithmic(zeta: Split, low: Split, high: Split, k_min: jax.Array, k_max: jax.Array) -> Split:
    """D = 3: half of int s/(s + zeta) ds over s = k^2."""
    # With s = k^2 and zeta the integral is (width - zeta log(high/low))/2. Far from the interval
    # the two terms cancel: quadrature there. `anchor` keeps the branch not used regular.
    width = k_max**2 - k_min**2
    far = low.square > 4 * width**2
    anchor = Split(jnp.full_like(low.re, 4.0) * width, low.im, low.y)
    smooth = interval_moment(k_min**2, width, where(far, low, anchor))
    near_low = where(far, anchor, low)
    near_high = where(far, anchor + width, high)
    near_zeta = where(far, anchor - k_min**2, zeta)
    near = width - near_zeta * log(near_high / near_low)
    return where(far, smooth, near) * 0.5


def _trigonometric(
    zeta: Split, low: Split, high: Split, k_min: jax.Array, k_max: jax.Array
) -> Split:
    """D = 2: a sum over the two ends, each with its own regular part."""
    # arctan(k/sqrt zeta) = pi/2 - arctan(sqrt zeta/k) at an end with |zeta| < k^2; the terms with
    # pi/2 cancel between two such ends and are added only if one end has them.
    size = jnp.sqrt(zeta.square)
    upper, upper_root = _end(zeta, high, k_max)
    lower, lower_root = _end(zeta, low, jnp.where(k_min > 0, k_min, 1.0))
    gap = k_min > 0
    zero = Split(jnp.zeros_like(size * zeta.y), jnp.zeros_like(size * zeta.y), zeta.y)
    lower = where(gap & jnp.ones_like(size, bool), lower, zero)
    root = sqrt(zeta) * (-math.pi / 2)
    crossing = upper_root & ~(lower_root & gap)
    return upper - lower + where(crossing, root, zero)


def _end(zeta: Split, shifted: Split, k: jax.Array) -> tuple[Split, jax.Array]:
    r"""int_0^k k^2/(k^2 + zeta) dk, without -pi sqrt(zeta)/2 where |zeta| < k^2 (flag)."""
    # In zeta/k^2 inside, in k^2/zeta outside; either way gets harmless arguments elsewhere.
    finite = jnp.isfinite(k)
    k = jnp.where(finite, k, 1.0)
    inside = (zeta.square < k**4) | ~finite
    one = Split(jnp.ones_like(zeta.re), zeta.im * 0.0, zeta.y)
    small = where(inside & finite, zeta / k**2, one * 0.5)
    small_shift = where(inside & finite, shifted / k**2, one * 1.5)
    below = zeta * arctan_ratio(small, small_shift) / k + k
    below = where(finite & jnp.ones_like(inside), below, one * 0.0)
    large = where(inside, one * 2.0, zeta)
    tau = where(inside, one * 0.5, large.reciprocal() * k**2)
    tau_shift = where(inside, one * 1.5, shifted / large)
    above = tau * arctan_deficit(tau, tau_shift) * k
    return where(inside, below, above), inside
