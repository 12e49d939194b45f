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
from decimal import Decimal
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from relaxon.core.errors import require
from relaxon.core.numbers import number, positive, scalar, shown
from relaxon.core.types import Real
from relaxon.numerics.split_complex import FLOOR, Split, variable

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


class Potential(eqx.Module):
    """A radial potential with Vhat >= 0; what the collision operators need of it.

    `v_max` and `v_min` bound Vhat over the wavenumbers where it does not vanish.
    """

    d: eqx.AbstractVar[int]
    v_min: eqx.AbstractVar[jax.Array]
    v_max: eqx.AbstractVar[jax.Array]

    @property
    def least_wavenumber(self) -> float:
        """Below it Vhat vanishes."""
        return 0.0

    @abstractmethod
    def vhat(self, k: jax.Array) -> jax.Array:
        """Fourier transform at the wavenumber k >= 0."""

    @abstractmethod
    def k0(self) -> jax.Array:
        r"""K(0) = int_0^inf k^d Vhat^2 dk, the Landau limit of K."""

    @abstractmethod
    def resolvent(self, z: Split) -> Split:
        """G(z) in split arithmetic."""

    @abstractmethod
    def rescaled(self, delta: Real, a: Real) -> Potential:
        r"""V_delta(x) = delta^-a V(x/delta), so Vhat_delta(k) = delta^(d-a) Vhat(delta k).

        Source: duerinckx2023 (1.12). The limit is taken in the time t/`time_factor(delta, a)`.
        """

    @abstractmethod
    def wavenumber(self, value: jax.Array) -> jax.Array:
        """A k with Vhat(k) = value, for v_min <= value <= v_max."""

    def time_factor(self, delta: Real, a: Real) -> float:
        """delta^(2a+1-d): one unit of Landau time in units of t (duerinckx2023, Theorem 4)."""
        delta, a = scales(delta, a)
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
        included off resonance (tests/unit/screening/test_potentials.py, against 50 digits).
        Compiles under jit, differentiable with respect to Re z and Im z.
        """
        s = variable(z)
        y = jnp.imag(z) if jnp.iscomplexobj(z) else jnp.zeros_like(s.re)
        slope = -self.resolvent(s).im
        # `variable` has raised |Im z| to FLOOR. Off resonance K does not notice; on a cut it goes
        # like 1/|Im z| and is scaled to the true one.
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
        # The other way round: off resonance the product is linear in Im z, on a cut it is of order
        # one and stands.
        tiny = (jnp.abs(y) < FLOOR) & (jnp.abs(product) < 1e-100)
        return jnp.where(tiny, product * (jnp.abs(y) / FLOOR), product)

    def landau_prefactor(self) -> jax.Array:
        r"""L of B_L(w) = (L/|w|) Pi(w).

        $$ L = \frac{|S^{d-2}|}{d-1}\, \pi (2\pi)^{-d} \int_0^\infty k^d \hat V^2\,dk $$

        Source: duerinckx2023 (1.7).
        """
        sphere = 2.0 if self.d == 2 else 2 * math.pi
        return sphere / (self.d - 1) * math.pi * (2 * math.pi) ** (-self.d) * self.k0()


def above_zero(name: str, value: Any, why: str, infinite: bool = False) -> float:
    """A positive float, finite unless `infinite`; otherwise one sentence that says why."""
    found = scalar(value)
    bound = "positive" if infinite else "positive and finite"
    good = found > 0 and (infinite or math.isfinite(found))
    require(good, f"{name} must be {bound}{why}, but is {shown(value)}.")
    return found


def scales(delta: Any, a: Any) -> tuple[float, float]:
    """The length and the exponent of a rescaling as floats."""
    return positive("delta", delta), number("a", a)


def decimal_pair(value: Decimal) -> tuple[jax.Array, jax.Array]:
    """A number as the sum of two floats, for differences from z without rounding."""
    high = float(value)
    return jnp.asarray(high, float), jnp.asarray(float(value - Decimal(high)), float)


def shifted(z: Split, pair: tuple[jax.Array, jax.Array]) -> Split:
    """Z - pair, exact when z is close to the pair."""
    return Split((z.re - pair[0]) - pair[1], z.im, z.y)


NEGATIVE = " (a negative amplitude makes a potential that is not positive definite)"
