r"""Interaction potentials with their dynamical screening in closed form.

$$ \hat V(k) = \int V(x) e^{-ik\cdot x}\,dx, \qquad
   K(z) = \int_0^\infty \frac{k^d \hat V^2}{|1 + \hat V z|^2}\,dk = -\frac{\Im G(z)}{\Im z}, \qquad
   G(z) = \int_0^\infty \frac{k^d \hat V}{1 + \hat V z}\,dk $$

Source: duerinckx2023 (1.2), (1.7), (1.12), (2.12); every k-integral of the operator carries
(2 pi)^-d, which enters through `landau_prefactor` and the operator, not through K.
The user-defined potential lives in `relaxon.screening.potentials.custom`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from decimal import Decimal, localcontext
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.registry import register
from relaxon.numerics.polylogarithm import polylog_ratio
from relaxon.numerics.split_complex import FLOOR, Split, variable
from relaxon.rational_screening import rational_resolvent

_GAUSS = tuple(a * 0.5 + b for a, b in zip(np.polynomial.legendre.leggauss(12), (0.5, 0.0)))
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


class Potential(eqx.Module):
    """A radial potential with Vhat >= 0; what the collision operators need of it.

    `v_max` and `v_min` bound Vhat over the wavenumbers where it does not vanish.
    """

    d: eqx.AbstractVar[int]
    v_min: eqx.AbstractVar[jax.Array]
    v_max: eqx.AbstractVar[jax.Array]

    @abstractmethod
    def vhat(self, k: jax.Array) -> jax.Array:
        """Fourier transform at the wavenumber k >= 0."""

    @abstractmethod
    def k0(self) -> jax.Array:
        r"""K(0) = int_0^inf k^d Vhat^2 dk, the Landau limit of K."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The arguments that build this potential again."""

    @abstractmethod
    def resolvent(self, z: Split) -> Split:
        """G(z) in split arithmetic."""

    @abstractmethod
    def rescaled(self, delta: float, a: float) -> Potential:
        r"""V_delta(x) = delta^-a V(x/delta), so Vhat_delta(k) = delta^(d-a) Vhat(delta k).

        Source: duerinckx2023 (1.12). The limit is taken in the time t/`time_factor(delta, a)`.
        """

    @abstractmethod
    def wavenumber(self, value: jax.Array) -> jax.Array:
        """A k with Vhat(k) = value, for v_min <= value <= v_max."""

    def time_factor(self, delta: float, a: float) -> float:
        """delta^(2a+1-d): one unit of Landau time in units of t (duerinckx2023, Theorem 4)."""
        return delta ** (2 * a + 1 - self.d)

    @eqx.filter_jit
    def G(self, z: jax.Array) -> jax.Array:
        """The resolvent G at z, complex; on the cut the side is the sign of Im z, also of zero."""
        return self.resolvent(variable(z)).complex()

    @eqx.filter_jit
    def screening(self, z: jax.Array) -> jax.Array:
        r"""K(z) = int_0^inf k^d Vhat^2/|1 + Vhat z|^2 dk, the screened Landau weight.

        Args:
            z: Complex array (or real: Im z = 0 exactly). For a marginal F1, z = H[F1'] + i pi F1'.

        Returns:
            K(z) > 0, same shape. At a resonance (Re z < -1/Vhat for some k) it grows like
            1/|Im z|, and is inf for Im z = 0; use `screening_product` there.

        Accuracy: 1e-12 relative or better for all |z| <= 1e6 and |Im z| >= 1e-300, Im z = 0
        included off resonance (tests/unit/test_potentials.py, against 50 digits).
        Compiles under jit, differentiable with respect to Re z and Im z.
        """
        s = variable(z)
        y = jnp.imag(z) if jnp.iscomplexobj(z) else jnp.zeros_like(s.re)
        slope = -self.resolvent(s).im
        resonant = (jnp.abs(y) < FLOOR) & (slope > 1e250)
        factor = FLOOR / jnp.where(resonant, jnp.abs(y), FLOOR)
        return jnp.where(resonant, slope * factor, slope)

    @eqx.filter_jit
    def screening_product(self, z: jax.Array) -> jax.Array:
        r"""K(z) Im z/pi = -Im G(z)/pi without a division: K F1' for Im z = pi F1'.

        Args:
            z: Complex array.

        Returns:
            Same shape; odd in Im z, finite at every resonance.

        Accuracy: as `screening`.
        """
        s = variable(z)
        y = jnp.imag(z) if jnp.iscomplexobj(z) else jnp.zeros_like(s.re)
        product = -self.resolvent(s).imaginary / jnp.pi
        tiny = (jnp.abs(y) < FLOOR) & (jnp.abs(product) < 1e-100)
        return jnp.where(tiny, product * (jnp.abs(y) / FLOOR), product)

    @eqx.filter_jit
    def screening_product_average(self, left: jax.Array, right: jax.Array) -> jax.Array:
        r"""Average of `screening_product` over the segment from z = left to z = right.

        $$ \int_0^1 -\frac1\pi \Im G(z_l + (z_r - z_l) s)\,ds $$

        For a cell of u that is wider than the edge of the resonance: where Re z crosses
        -1/v_max, -Im G has a kink as sharp as Im z is small. The segment is split there and
        sampled with points that cluster at the split (s = s_0 + t^3).

        Args:
            left: z at one end of the cell; Im z must have one sign on the segment.
            right: z at the other end, same shape.

        Returns:
            Real, same shape; 24 evaluations.

        Accuracy: 1e-7 relative across the edge for Im z down to 1e-300, 1e-12 away from it
        (tests/unit/test_potentials.py).
        """
        left, right = jnp.asarray(left), jnp.asarray(right)
        run = jnp.where(right.real == left.real, 1.0, right.real - left.real)
        split = jnp.clip((-1 / self.v_max - left.real) / run, 0.0, 1.0)
        t, weights = _GAUSS
        clustered, jacobian = t**3, 3 * t**2 * weights

        def at(s: jax.Array) -> jax.Array:
            return self.screening_product(left + (right - left) * s)

        def add(total: jax.Array, row: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
            x, weight = row
            before, after = split * (1 - x), split + (1 - split) * x
            part = split * at(before) + (1 - split) * at(after)
            return total + weight * part, None

        rows = (jnp.asarray(clustered), jnp.asarray(jacobian))
        return jax.lax.scan(add, jnp.zeros_like(left.real), rows)[0]

    @eqx.filter_jit
    def resolvent_slope(self, z: jax.Array) -> jax.Array:
        """dG/dz = -int k^d Vhat^2/(1 + Vhat z)^2 dk, complex; for integrals over a cell of u."""
        s = variable(z)
        ones, zeros = jnp.ones_like(s.re), jnp.zeros_like(s.re)

        def parts(x: jax.Array) -> tuple[jax.Array, jax.Array]:
            g = self.resolvent(Split(x, s.im, s.y))
            return g.re, g.imaginary

        re, im = jax.jvp(parts, (s.re,), (ones + zeros,))[1]
        return jax.lax.complex(re, im)

    def landau_prefactor(self) -> jax.Array:
        r"""L of B_L(w) = (L/|w|) Pi(w).

        $$ L = \frac{|S^{d-2}|}{d-1}\, \pi (2\pi)^{-d} \int_0^\infty k^d \hat V^2\,dk $$

        Source: duerinckx2023 (1.7).
        """
        sphere = 2.0 if self.d == 2 else 2 * math.pi
        return sphere / (self.d - 1) * math.pi * (2 * math.pi) ** (-self.d) * self.k0()


def check_dimension(d: int) -> None:
    """Refuse a dimension other than 2 and 3."""
    require(d in (2, 3) and not isinstance(d, bool), f"d must be 2 or 3, but is {d!r}.")


def check_positive(name: str, value: float, why: str = "", infinite: bool = False) -> float:
    """A positive float, finite unless `infinite`; otherwise one sentence."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    good = number > 0 and (infinite or math.isfinite(number))
    bound = "positive" if infinite else "positive and finite"
    require(good, f"{name} must be {bound}{why}, but is {value!r}.")
    return number


def _pair(value: Decimal) -> tuple[jax.Array, jax.Array]:
    """A number as the sum of two floats, for differences from z without rounding."""
    high = float(value)
    return jnp.asarray(high, float), jnp.asarray(float(value - Decimal(high)), float)


def _shift(z: Split, pair: tuple[jax.Array, jax.Array]) -> Split:
    """Z - pair, exact when z is close to the pair."""
    return Split((z.re - pair[0]) - pair[1], z.im, z.y)


def _floats(potential: Potential, *names: str) -> dict[str, float]:
    """Settings by name, as numbers that can be stored."""
    return {name: float(getattr(potential, name)) for name in names}


_NEGATIVE = " (a negative amplitude makes a potential that is not positive definite)"


@register
class Gaussian(Potential):
    r"""V(x) = amplitude exp(-|x|^2/(2 length^2)).

    $$ \hat V(k) = c\, e^{-\ell^2 k^2/2},\quad c = A (2\pi \ell^2)^{d/2}, \qquad
       G(z) = -\frac{2^{(d-1)/2} \Gamma(\tfrac{d+1}2)}{\ell^{d+1} z}\, Li_{(d+1)/2}(-cz) $$

    Args:
        d: Dimension, 2 or 3.
        amplitude: A = V(0) > 0.
        length: l > 0, the range.
    """

    d: int = eqx.field(static=True)
    amplitude: jax.Array
    length: jax.Array
    v_min: jax.Array
    v_max: jax.Array
    threshold: tuple[jax.Array, jax.Array]

    def __init__(self, d: int, amplitude: float = 1.0, length: float = 1.0):
        check_dimension(d)
        amplitude = check_positive("amplitude", amplitude, _NEGATIVE)
        length = check_positive("length", length)
        with localcontext(prec=50):
            area = 2 * _PI * Decimal(length) ** 2
            c = Decimal(amplitude) * (area if d == 2 else area * area.sqrt())
            self.threshold = _pair(-1 / c)
        self.d = d
        self.amplitude, self.length = jnp.asarray(amplitude, float), jnp.asarray(length, float)
        self.v_min, self.v_max = jnp.asarray(0.0, float), jnp.asarray(float(c), float)

    def settings(self) -> dict[str, Any]:
        """The arguments that build this potential again."""
        return {"d": self.d, "amplitude": float(self.amplitude), "length": float(self.length)}

    def vhat(self, k: jax.Array) -> jax.Array:
        """C exp(-l^2 k^2/2)."""
        return self.v_max * jnp.exp(-((self.length * k) ** 2) / 2)

    def k0(self) -> jax.Array:
        """c^2 Gamma((d+1)/2)/(2 l^(d+1))."""
        return self.v_max**2 * math.gamma((self.d + 1) / 2) / (2 * self.length ** (self.d + 1))

    def resolvent(self, z: Split) -> Split:
        """Polylogarithm of order (d+1)/2."""
        order = (self.d + 1) / 2
        ratio = polylog_ratio(order, z * (-self.v_max), _shift(z, self.threshold) * self.v_max)
        factor = 2 ** ((self.d - 1) / 2) * math.gamma(order) / self.length ** (self.d + 1)
        return ratio * (factor * self.v_max)

    def rescaled(self, delta: float, a: float) -> Gaussian:
        """Amplitude delta^-a A, length delta l."""
        delta = check_positive("delta", delta)
        return Gaussian(self.d, float(self.amplitude) * delta**-a, float(self.length) * delta)

    def wavenumber(self, value: jax.Array) -> jax.Array:
        """sqrt(2 log(c/value))/l."""
        return jnp.sqrt(2 * jnp.maximum(jnp.log(self.v_max / value), 0.0)) / self.length


class _Rational(Potential):
    """Vhat = strength/(k^2 + mass) for k_min <= k <= k_max, zero elsewhere."""

    strength: eqx.AbstractVar[jax.Array]
    mass: eqx.AbstractVar[jax.Array]
    k_min: eqx.AbstractVar[jax.Array]
    k_max: eqx.AbstractVar[jax.Array]
    ends: eqx.AbstractVar[tuple]

    def vhat(self, k: jax.Array) -> jax.Array:
        """strength/(k^2 + mass) between the cut-offs, zero outside."""
        k = jnp.asarray(k)
        inside = (k >= self.k_min) & (k <= self.k_max)
        square = jnp.where(inside, k**2 + self.mass, 1.0)
        return jnp.where(inside, self.strength / square, 0.0)

    def resolvent(self, z: Split) -> Split:
        """Logarithm (d = 3) or arctangent (d = 2)."""
        shifted = (_shift(z, self.ends[0]), _shift(z, self.ends[1]), _shift(z, self.ends[2]))
        zeta, low, high = (s * self.strength for s in shifted)
        return rational_resolvent(self.d, zeta, low, high, self.k_min, self.k_max) * self.strength

    def wavenumber(self, value: jax.Array) -> jax.Array:
        """sqrt(strength/value - mass)."""
        return jnp.sqrt(jnp.maximum(self.strength / value - self.mass, 0.0))


def _ends(strength: float, mass: Decimal, k_min: float, k_max: float) -> tuple:
    """The three real z where zeta = strength z + mass, zeta + k_min^2, zeta + k_max^2 vanish."""
    s = Decimal(strength)
    top = Decimal(k_max) ** 2 if math.isfinite(k_max) else Decimal(0)
    return tuple(_pair(-(mass + k2) / s) for k2 in (Decimal(0), Decimal(k_min) ** 2, top))


def _check_cutoffs(k_min: float, k_max: float) -> None:
    good = math.isfinite(k_min) and 0 <= k_min < k_max
    require(good, f"k_min must lie in [0, k_max = {k_max!r}), but is {k_min!r}.")


@register
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

    def __init__(self, d: int, k_max: float, amplitude: float = 1.0, k_min: float = 0.0):
        check_dimension(d)
        amplitude = check_positive("amplitude", amplitude, _NEGATIVE)
        why = f" (without it int k^{d} Vhat^2/|1 + Vhat z|^2 dk diverges at large k)" * (d == 3)
        k_max = check_positive("k_max", k_max, why)
        _check_cutoffs(k_min, k_max)
        with localcontext(prec=50):
            self.ends = _ends(amplitude, Decimal(0), float(k_min), k_max)
        self.d, self.has_gap = d, k_min > 0
        self.amplitude = self.strength = jnp.asarray(amplitude, float)
        self.mass, self.k_min, self.k_max = (
            jnp.asarray(0.0, float),
            jnp.asarray(float(k_min), float),
            jnp.asarray(k_max, float),
        )
        self.v_min = jnp.asarray(amplitude / k_max**2, float)
        self.v_max = jnp.asarray(amplitude / k_min**2 if k_min > 0 else math.inf, float)

    def settings(self) -> dict[str, Any]:
        """The arguments that build this potential again."""
        return {"d": self.d, **_floats(self, "k_max", "amplitude", "k_min")}

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

    def rescaled(self, delta: float, a: float) -> Coulomb:
        """Amplitude delta^(d-a-2) A, cut-offs divided by delta."""
        delta = check_positive("delta", delta)
        amplitude = float(self.amplitude) * delta ** (self.d - a - 2)
        return Coulomb(self.d, float(self.k_max) / delta, amplitude, float(self.k_min) / delta)


@register
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
        d: int,
        amplitude: float,
        screening_length: float,
        k_max: float = math.inf,
        k_min: float = 0.0,
    ):
        check_dimension(d)
        amplitude = check_positive("amplitude", amplitude, _NEGATIVE)
        length = check_positive("screening_length", screening_length)
        k_max = check_positive("k_max", k_max, infinite=True)
        require(
            d == 2 or math.isfinite(k_max),
            "The Landau prefactor of a Yukawa potential in d = 3 diverges: int k^3 Vhat^2 dk "
            "is logarithmic at large k, and so is the screened one; give a finite k_max.",
        )
        _check_cutoffs(k_min, k_max)
        with localcontext(prec=50):
            exact = (2 if d == 2 else 4) * _PI * Decimal(amplitude)
            mass = 1 / Decimal(length) ** 2
            self.ends = _ends(float(exact), mass, float(k_min), k_max)
        strength = float(exact)
        self.d = d
        self.amplitude, self.screening_length = (
            jnp.asarray(amplitude, float),
            jnp.asarray(length, float),
        )
        self.strength, self.mass = jnp.asarray(strength, float), jnp.asarray(float(mass), float)
        self.k_min, self.k_max = jnp.asarray(float(k_min), float), jnp.asarray(k_max, float)
        self.v_min = jnp.asarray(strength / (k_max**2 + float(mass)), float)
        self.v_max = jnp.asarray(strength / (k_min**2 + float(mass)), float)

    def settings(self) -> dict[str, Any]:
        """The arguments that build this potential again; an infinite k_max is left out."""
        found = _floats(self, "amplitude", "screening_length", "k_max", "k_min")
        return {"d": self.d, **{k: x for k, x in found.items() if math.isfinite(x)}}

    def k0(self) -> jax.Array:
        """-G'(0), in closed form through the resolvent."""
        return self.screening(jnp.asarray(0.0 + 0.0j))

    def rescaled(self, delta: float, a: float) -> Yukawa:
        """Amplitude delta^(d-a-2) A, length delta l, cut-offs divided by delta."""
        delta = check_positive("delta", delta)
        amplitude = float(self.amplitude) * delta ** (self.d - a - 2)
        length = float(self.screening_length) * delta
        return Yukawa(
            self.d, amplitude, length, float(self.k_max) / delta, float(self.k_min) / delta
        )
