"""The Gaussian potential."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import equinox as eqx
import jax
import jax.numpy as jnp

from relaxon.core.numbers import dimension, positive
from relaxon.core.registry import storable
from relaxon.core.types import Real, Whole
from relaxon.numerics.polylogarithm import polylog_ratio
from relaxon.numerics.split_complex import Split
from relaxon.screening.potentials.base import (
    NEGATIVE,
    PI,
    Potential,
    above_zero,
    decimal_pair,
    scales,
    shifted,
)


@storable("potential", "gaussian")
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

    def __init__(self, d: Whole, amplitude: Real = 1.0, length: Real = 1.0):
        d = dimension(d, (2, 3))
        amplitude = above_zero("amplitude", amplitude, NEGATIVE)
        length = positive("length", length)
        # In 50 digits and then as two floats: near the branch point -1/c, which is marginal
        # stability, K depends on the difference z + 1/c alone.
        with localcontext(prec=50):
            area = 2 * PI * Decimal(length) ** 2
            c = Decimal(amplitude) * (area if d == 2 else area * area.sqrt())
            self.threshold = decimal_pair(-1 / c)
        self.d = d
        self.amplitude, self.length = jnp.asarray(amplitude, float), jnp.asarray(length, float)
        self.v_min, self.v_max = jnp.asarray(0.0, float), jnp.asarray(float(c), float)

    def vhat(self, k: jax.Array) -> jax.Array:
        """C exp(-l^2 k^2/2)."""
        return self.v_max * jnp.exp(-((self.length * k) ** 2) / 2)

    def k0(self) -> jax.Array:
        """c^2 Gamma((d+1)/2)/(2 l^(d+1))."""
        return self.v_max**2 * math.gamma((self.d + 1) / 2) / (2 * self.length ** (self.d + 1))

    def resolvent(self, z: Split) -> Split:
        """Polylogarithm of order (d+1)/2."""
        order = (self.d + 1) / 2
        # w = -c z and 1 - w = c (z + 1/c).
        ratio = polylog_ratio(order, z * (-self.v_max), shifted(z, self.threshold) * self.v_max)
        factor = 2 ** ((self.d - 1) / 2) * math.gamma(order) / self.length ** (self.d + 1)
        return ratio * (factor * self.v_max)

    def rescaled(self, delta: Real, a: Real) -> Gaussian:
        """Amplitude delta^-a A, length delta l."""
        delta, a = scales(delta, a)
        return Gaussian(self.d, float(self.amplitude) * delta**-a, float(self.length) * delta)

    def wavenumber(self, value: jax.Array) -> jax.Array:
        """sqrt(2 log(c/value))/l."""
        return jnp.sqrt(2 * jnp.maximum(jnp.log(self.v_max / value), 0.0)) / self.length
