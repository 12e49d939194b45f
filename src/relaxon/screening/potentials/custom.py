r"""A potential given by a callable Vhat(k), with poles of the screening integral taken exactly.

With l = -log Vhat as the variable on every interval where Vhat is monotone,

$$ G(z) = \sum \int \frac{s(l)\,dl}{e^l + z}, \qquad s = k^d \left|\frac{dk}{dl}\right|, $$

so that the pole sits at l = log(-z), whatever Vhat is. On panels s is a polynomial of degree 19;
where the pole is close to a panel the Cauchy integral of the polynomial is exact (Legendre
functions of the second kind), elsewhere Gauss-Legendre is. Panels are graded towards the
critical points of Vhat, where s is singular.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import bernoulli

from relaxon.core.errors import InputError, require
from relaxon.core.numbers import dimension, shown
from relaxon.core.registry import Described, storable
from relaxon.core.types import Real, Whole
from relaxon.numerics.split_complex import Split, log, polynomial, where
from relaxon.screening.potentials.base import Potential, scales
from relaxon.screening.potentials.custom_panels import NODES, WEIGHTS, Segment, build_segments

_B = bernoulli(30)
# 1/(e^x - 1) = 1/x + sum_n B_n x^(n-1)/n!, n >= 1: what is left beside the pole.
_REGULAR = np.array([_B[n] / math.factorial(n) for n in range(1, 30)])
# rho + 1/rho of the Bernstein ellipse rho = 2.2, outside which 20 Gauss points err by 2.2^-40.
_ELLIPSE = 2.2 + 1 / 2.2


@storable
class Custom(Potential, Described):
    r"""A potential with a user's Vhat.

    Vhat must be smooth for k > 0, not negative, and written with `jax.numpy`; it may have several
    maxima, touch zero, decay like any power or exponential for which int k^d Vhat^2 dk
    converges at large k, and be unbounded at k = 0.

    Args:
        d: Dimension, 2 or 3.
        vhat: Callable k -> Vhat(k), elementwise on arrays.

    Raises:
        InputError: Vhat is negative or not finite somewhere, vanishes, or int k^d Vhat^2 dk
            diverges at large k.

    Accuracy: K and K Im z within 1e-10 relative of the closed forms, through resonances, for z
    at a relative distance above 1e-6 from a critical value -1/Vhat(k_c)
    (tests/unit/screening/test_custom_potential.py). Cost: about 2000 rational terms a value of z.
    """

    d: int = eqx.field(static=True)
    function: Callable = eqx.field(static=True)
    amplitude: jax.Array
    dilation: jax.Array
    segments: tuple[Segment, ...]
    tail: jax.Array
    k0_value: jax.Array
    v_min: jax.Array
    v_max: jax.Array
    finite_k0: bool = eqx.field(static=True)

    def __init__(self, d: Whole, vhat: Callable):
        d = dimension(d, (2, 3))
        require(callable(vhat), f"vhat must be a function of k, but is {shown(vhat)}.")
        built = build_segments(d, vhat)
        self.d, self.function, self.segments = d, vhat, built.segments
        # Of `rescaled`: Vhat(k) = amplitude function(dilation k), with the panels of the function.
        self.amplitude, self.dilation = jnp.asarray(1.0), jnp.asarray(1.0)
        self.tail, self.finite_k0 = jnp.asarray(built.tail, float), built.finite_k0
        self.v_min, self.v_max = jnp.asarray(0.0, float), jnp.asarray(built.v_max, float)
        self.k0_value = jnp.asarray(built.k0, float)

    def settings(self) -> dict[str, Any]:
        """Refuses: a function cannot be written to a run directory.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"A Custom potential ({getattr(self.function, '__name__', 'a callable')}) cannot be "
            "stored in a run directory; allowed with `out`: Gaussian, Yukawa, Coulomb."
        )

    def vhat(self, k: jax.Array) -> jax.Array:
        """The user's function, rescaled."""
        return self.amplitude * self.function(self.dilation * jnp.asarray(k))

    def k0(self) -> jax.Array:
        """Int k^d Vhat^2 dk from the same panels."""
        require(
            self.finite_k0,
            f"The Landau prefactor of this potential diverges: int k^{self.d} Vhat^2 dk at k = 0.",
        )
        return self.k0_value

    def resolvent(self, z: Split) -> Split:
        r"""Gauss sums over all panels, exact Cauchy integrals on those next to the pole.

        Rescaled by A and b it is $A b^{-(d+1)} G(A z)$.
        """
        z = z * self.amplitude
        left = z.re < 0
        one = jnp.ones_like(z.re * z.y)
        minus = where(left, -z, Split(one, -one, z.y))
        pole = log(minus)
        # For Re z >= 0 the pole is off the real axis by pi/2 or more, outside the ellipse of any
        # panel.
        pole = Split(jnp.where(left, pole.re, -1e6), jnp.where(left, pole.im, 0.0), z.y)
        # Beyond the panels G is a real constant, which drops out of K, minus z int k^d Vhat^2.
        total = z * (-self.tail)
        for segment in self.segments:
            total = total + _far(segment, pole, z) + _near(segment, pole, minus)
        return total * (self.amplitude * self.dilation ** -(self.d + 1))

    def rescaled(self, delta: Real, a: Real) -> Custom:
        """Vhat(k) becomes delta^(d-a) Vhat(delta k); the panels stay, nothing is compiled anew."""
        delta, a = scales(delta, a)
        factor = delta ** (self.d - a)
        return eqx.tree_at(
            lambda p: (p.amplitude, p.dilation, p.k0_value, p.v_max),
            self,
            (
                self.amplitude * factor,
                self.dilation * delta,
                self.k0_value * factor**2 * delta ** -(self.d + 1),
                self.v_max * factor,
            ),
        )

    def wavenumber(self, value: jax.Array) -> jax.Array:
        """From the panels by interpolation, with three Newton steps."""
        target = -jnp.log(jnp.asarray(value) / self.amplitude)
        best = min(self.segments, key=lambda s: float(s.exponent.min()))
        k = jnp.exp(jnp.interp(target, best.exponent.ravel(), jnp.log(best.k.ravel())))

        def newton(_: int, k: jax.Array) -> jax.Array:
            v, slope = jax.jvp(self.function, (k,), (jnp.ones_like(k),))
            step = (-jnp.log(v) - target) * v / jnp.where(slope == 0, -jnp.inf, slope)
            return k * jnp.exp(jnp.clip(step / k, -0.1, 0.1))

        return jax.lax.fori_loop(0, 3, newton, k) / self.dilation


def _zero(z: Split) -> Split:
    return Split(jnp.zeros_like(z.re * z.y), jnp.zeros_like(z.re * z.y), z.y)


def _is_near(pole: Split, centre: jax.Array, half: jax.Array) -> jax.Array:
    """Whether the pole lies in the Bernstein ellipse of the panel."""
    t, c = (pole.re - centre) / half, pole.imaginary / half
    return jnp.hypot(t - 1, c) + jnp.hypot(t + 1, c) < _ELLIPSE


def _far(segment: Segment, pole: Split, z: Split) -> Split:
    """Gauss-Legendre sums of all panels that are not near the pole."""

    def panel(total: Split, row: tuple) -> tuple[Split, None]:
        centre, half, inverse, weights = row
        near = _is_near(pole, centre, half)
        # Near panels get a harmless argument here; `_near` does them.
        re = jnp.where(near, 1.0, z.re)
        wide = Split(re[..., None], z.im[..., None], z.y[..., None])
        term = (wide + inverse).reciprocal()
        part = Split((term.re * weights).sum(-1), (term.im * weights).sum(-1), z.y)
        return total + where(near, _zero(z), part), None

    rows = (segment.centre, segment.half, jnp.exp(segment.exponent), segment.weights)
    total = jax.lax.scan(panel, _zero(z), rows)[0]
    wide = Split(z.re[..., None], z.im[..., None], z.y[..., None])
    term = (wide + segment.end_inverse).reciprocal()
    weights = segment.end_weights
    return total + Split((term.re * weights).sum(-1), (term.im * weights).sum(-1), z.y)


def _near(segment: Segment, pole: Split, minus: Split) -> Split:
    """Exact Cauchy integrals of the panel that holds the pole and its two neighbours."""
    edges = segment.centre - segment.half
    middle = jnp.searchsorted(edges, pole.re) - 1
    offsets = jnp.arange(-1, 2)

    def panel(total: Split, offset: jax.Array) -> tuple[Split, None]:
        index = jnp.clip(middle + offset, 0, len(edges) - 1)
        inside = (middle + offset >= 0) & (middle + offset < len(edges))
        centre, half = segment.centre[index], segment.half[index]
        near = inside & _is_near(pole, centre, half)
        # 1/(e^l + z) = (1/(l - pole) + regular)/(-z), l - pole = half (x - t) on the panel.
        t = (pole - centre) * (1.0 / half)
        t = Split(jnp.where(near, t.re, 3.0), t.im, t.y)
        cauchy = _legendre_cauchy(segment.legendre[index], t)
        wide = Split(t.re[..., None], t.im[..., None], t.y[..., None])
        apart = (-wide) * half[..., None] + jnp.asarray(NODES) * half[..., None]
        apart = Split(jnp.where(near[..., None], apart.re, 0.5), apart.im, apart.y)
        smooth = polynomial(_REGULAR, apart)
        weights = segment.density[index] * WEIGHTS * half[..., None]
        regular = Split((smooth.re * weights).sum(-1), (smooth.im * weights).sum(-1), t.y)
        return total + where(near, (cauchy + regular) / minus, _zero(pole)), None

    return jax.lax.scan(panel, _zero(pole), offsets)[0]


def _legendre_cauchy(coefficients: jax.Array, t: Split) -> Split:
    """int_{-1}^1 sum_n a_n P_n(x)/(x - t) dx = -2 sum_n a_n Q_n(t) by forward recursion."""
    q0 = log((t + 1.0) / (t - 1.0)) * 0.5
    q1 = t * q0 - 1.0
    total = q0 * coefficients[..., 0] + q1 * coefficients[..., 1]

    def step(carry: tuple[Split, Split, Split], row: tuple) -> tuple[tuple, None]:
        total, before, now = carry
        n, a = row
        after = (t * now * (2 * n + 1) - before * n) / (n + 1)
        return (total + after * a, now, after), None

    orders = jnp.arange(1, coefficients.shape[-1] - 1, dtype=float)
    rows = (orders, jnp.moveaxis(coefficients[..., 2:], -1, 0))
    return jax.lax.scan(step, (total, q0, q1), rows)[0][0] * (-2.0)
