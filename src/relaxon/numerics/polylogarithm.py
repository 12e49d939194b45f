r"""Polylogarithms and arctangents in split arithmetic (see `relaxon.numerics.split_complex`).

$$ Li_s(w) = \sum_{n \ge 1} \frac{w^n}{n^s}, \qquad s = 3/2,\ 2; \qquad
   H(\tau) = \int_0^1 \frac{dk}{1 + \tau k^2} = \frac{\arctan \sqrt\tau}{\sqrt\tau} $$

Real and imaginary part are each accurate relative to their own size, also where Im w = 1e-300.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import bernoulli, zeta

from relaxon.numerics.legendre import unit_gauss_legendre
from relaxon.numerics.split_complex import Split, log, polynomial, sqrt, where

# 0.6^74 = 4e-17.
_TERMS = 74
_NODES, _WEIGHTS = unit_gauss_legendre(20)
_BERNOULLI = bernoulli(30)


def _like(s: Split, value: float) -> Split:
    """A real constant of the shape of `s`."""
    return Split(jnp.full_like(s.re * s.y, value), jnp.zeros_like(s.re * s.y), s.y)


def log_near_one(w: Split, complement: Split) -> Split:
    """Principal log(w), accurate at w = 1 when `complement` = 1 - w is accurate there."""
    # |w|^2 - 1 = |1 - w|^2 - 2 Re(1 - w), without cancellation at w = 1.
    excess = complement.square - 2 * complement.re
    near = jnp.abs(excess) < 0.5
    modulus = jnp.where(
        near,
        jnp.log1p(jnp.where(near, excess, 0.0)) / 2,
        jnp.log(jnp.where(near, 1.0, jnp.hypot(w.re, w.imaginary))),
    )
    return Split(modulus, log(w).im, w.y)


def polylog_ratio(order: float, w: Split, complement: Split) -> Split:
    r"""Li_s(w)/w for s = 3/2 or s = 2.

    Args:
        order: s, 1.5 or 2.
        w: The argument; cut along w > 1.
        complement: 1 - w, given apart because it decides the accuracy near w = 1.

    Returns:
        Li_s(w)/w in split form; the branch on the cut is the one of the sign of Im w.

    Accuracy: 5e-14 relative in both parts against mpmath
    (tests/unit/numerics/test_polylogarithm.py).
    """
    small = w.square <= 0.36
    series = polynomial(1.0 / np.arange(1, _TERMS + 1) ** order, where(small, w, _like(w, 0.25)))
    w_safe = where(small, _like(w, -2.0), w)
    c_safe = where(small, _like(w, 3.0), complement)
    other = _dilogarithm if order == 2 else _polylog_three_halves
    return where(small, series, other(w_safe, c_safe) / w_safe)


def _dilogarithm(w: Split, complement: Split) -> Split:
    """Li_2(w) for |w| > 0.6 by inversion, reflection and the series in -log(1 - t)."""
    # Li_2(w) = -Li_2(1/w) - pi^2/6 - log(-w)^2/2 outside the unit disk, then Li_2(t) = pi^2/6 -
    # Li_2(1 - t) - log(t) log(1 - t) for Re t > 1/2. `rest` is 1 - t.
    outside = w.square > 1.0
    t = where(outside, w.reciprocal(), w)
    rest = where(outside, -(complement / w), complement)
    reflect = t.re > 0.5
    log_rest = log_near_one(rest, t)
    log_t = log_near_one(t, rest)
    u = -where(reflect, log_t, log_rest)
    inner = _debye(u)
    inner = where(reflect, math.pi**2 / 6 - inner - log_t * log_rest, inner)
    log_minus = Split(log_near_one(w, complement).re, log(-w).im, w.y)
    inverted = -inner - math.pi**2 / 6 - log_minus * log_minus * 0.5
    return where(outside, inverted, inner)


def _debye(u: Split) -> Split:
    """Li_2(1 - exp(-u)) = sum_n B_n u^(n+1)/(n+1)!, |u| < 1.1 here."""
    even = [_BERNOULLI[2 * n] / math.factorial(2 * n + 1) for n in range(14)]
    return u * polynomial(np.array(even), u * u) - u * u * 0.25


_SHIFT = 8
_EULER_MACLAURIN = 12


def _tail_coefficients() -> np.ndarray:
    """B_2k/(2k)! (-1/2)_(2k-1), the Euler-Maclaurin coefficients of zeta(-1/2, q)."""
    coefficients, rising = [], -0.5
    for k in range(1, _EULER_MACLAURIN + 1):
        coefficients.append(_BERNOULLI[2 * k] / math.factorial(2 * k) * rising)
        rising *= (2 * k - 1.5) * (2 * k - 0.5)
    return np.array(coefficients)


_TAIL = _tail_coefficients()


def _polylog_three_halves(w: Split, complement: Split) -> Split:
    """Li_{3/2}(w) for |w| > 0.6: around w = 1 by the series in log w, elsewhere by the poles."""
    # The series in log w converges for |log w| < 2 pi; in this region it is below 2.6.
    around_one = (w.re > 0) & (w.square < 49.0)
    near = _polylog_log_series(
        where(around_one, w, _like(w, 1.5)), where(around_one, complement, _like(w, -0.5))
    )
    return where(around_one, near, _polylog_branch_points(where(around_one, _like(w, -2.0), w)))


def _log_series_coefficients() -> np.ndarray:
    """zeta(3/2 - n)/n!, through the functional equation for n >= 2."""
    values = [zeta(1.5), -1.4603545088095868]  # the second is zeta(1/2)
    for n in range(2, 46):
        s = 1.5 - n
        reflected = 2**s * math.pi ** (s - 1) * math.sin(math.pi * s / 2)
        values.append(reflected * math.gamma(1 - s) * zeta(1 - s) / math.factorial(n))
    return np.array(values)


_LOG_SERIES = _log_series_coefficients()


def _polylog_log_series(w: Split, complement: Split) -> Split:
    """Gamma(-1/2) sqrt(-l) + sum_n zeta(3/2 - n) l^n/n!, l = log w, |l| < 2.6 here."""
    l = log_near_one(w, complement)
    return sqrt(-l) * (-2 * math.sqrt(math.pi)) + polynomial(_LOG_SERIES, l)


def _polylog_branch_points(w: Split) -> Split:
    r"""Li_{3/2}(w) from its branch points in mu = log(-w).

    Jonquiere's relation for s = 3/2, averaged over both orientations, has no remainder: with
    q_n = half the difference (over i) of the two roots sqrt(mu +- i pi (2n+1))
    $$ Li_{3/2}(-e^\mu) = -4 \sqrt\pi \sum_{n \ge 0} q_n \quad\text{(zeta-regularised)} $$
    and the sum beyond n = 8 is done by Euler-Maclaurin.
    """
    mu = log(-w)

    def root(n: jax.Array) -> Split:
        # root is the sum of the two roots sqrt(mu +- i a); half their difference over i is a/root.
        a = math.pi * (2 * n + 1)
        return sqrt((mu + sqrt(mu * mu + a**2)) * 2.0)

    def add(total: Split, n: jax.Array) -> tuple[Split, None]:
        return total + math.pi * (2 * n + 1) / root(n), None

    total = jax.lax.scan(add, _like(w, 0.0), jnp.arange(_SHIFT, dtype=float))[0]

    # p +- i q = sqrt(mu +- i a) at n = 8, and mu + i a = 2 pi i (alpha - i beta). `lower` divides
    # p + i q by alpha - i beta, as each derivative in Euler-Maclaurin does.
    alpha, beta = _SHIFT + 0.5, mu / (2 * math.pi)
    both = root(jnp.asarray(float(_SHIFT)))
    p, q = both * 0.5, math.pi * (2 * _SHIFT + 1) / both
    ratio = (beta * beta + alpha**2).reciprocal()

    def lower(p: Split, q: Split) -> tuple[Split, Split]:
        return (p * alpha - q * beta) * ratio, (q * alpha + p * beta) * ratio

    def accumulate(carry: tuple[Split, Split, Split], coefficient: jax.Array):
        total, p, q = carry
        p, q = lower(p, q)
        total = total + q * coefficient
        return (total, *lower(p, q)), None

    raised = q * alpha - p * beta
    total = total + raised * (-2.0 / 3) + q * 0.5
    total = jax.lax.scan(accumulate, (total, p, q), jnp.asarray(_TAIL))[0][0]
    return total * (-4 * math.sqrt(math.pi))


def arctan_ratio(tau: Split, complement: Split) -> Split:
    r"""H(tau) = arctan(sqrt tau)/sqrt tau for |tau| <= 1; log singularity at tau = -1.

    Args:
        tau: The argument, |tau| <= 1.
        complement: 1 + tau, given apart because it decides the accuracy near tau = -1.

    Accuracy: 1e-15 relative in both parts (tests/unit/numerics/test_polylogarithm.py).
    """
    left = tau.re < -0.2
    safe = where(left, tau, _like(tau, -0.5))
    # arctan(sqrt tau)/sqrt tau = log((1 + s)/(1 - s))/(2 s), s = sqrt(-tau), and 1 - s^2 = 1 + tau.
    s = sqrt(-safe)
    near = (log(s + 1.0) * 2.0 - log(where(left, complement, _like(tau, 0.5)))) / (s * 2.0)
    return where(left, near, legendre_sum(where(left, _like(tau, 0.0), tau), 0))


def arctan_deficit(tau: Split, complement: Split) -> Split:
    r"""(1 - H(tau))/tau = int_0^1 k^2/(1 + tau k^2) dk for |tau| <= 1, without cancellation."""
    left = tau.re < -0.2
    safe = where(left, tau, _like(tau, -0.5))
    far = (1.0 - arctan_ratio(safe, where(left, complement, _like(tau, 0.5)))) / safe
    return where(left, far, legendre_sum(where(left, _like(tau, 0.0), tau), 2))


def legendre_sum(tau: Split, power: int) -> Split:
    r"""int_0^1 k^power/(1 + tau k^2) dk by 20 Gauss points; for Re tau >= -0.2, |tau| <= 1."""

    def add(total: Split, node: tuple[jax.Array, jax.Array]) -> tuple[Split, None]:
        k, weight = node
        return total + (tau * k**2 + 1.0).reciprocal() * (weight * k**power), None

    nodes = (jnp.asarray(_NODES), jnp.asarray(_WEIGHTS))
    return jax.lax.scan(add, _like(tau, 0.0), nodes)[0]


def interval_moment(start: jax.Array, width: jax.Array, low: Split) -> Split:
    r"""int_0^1 width (start + width t)/(low + width t) dt by 20 Gauss points, |low| > 2 width."""

    def add(total: Split, node: tuple[jax.Array, jax.Array]) -> tuple[Split, None]:
        t, weight = node
        return total + (low + width * t).reciprocal() * (weight * width * (start + width * t)), None

    nodes = (jnp.asarray(_NODES), jnp.asarray(_WEIGHTS))
    return jax.lax.scan(add, _like(low, 0.0), nodes)[0]
