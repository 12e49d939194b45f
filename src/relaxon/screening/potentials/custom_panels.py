"""Set-up of `Custom`: monotone intervals of Vhat, and graded panels in -log Vhat on each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

from relaxon.core.errors import InputError, require
from relaxon.numerics.legendre import gauss_legendre, legendre_values

NODES, WEIGHTS = gauss_legendre(20)
# The closed form of `to_legendre(20)`; stored runs hold its last bits.
_TO_LEGENDRE = (2 * np.arange(20) + 1)[:, None] / 2 * legendre_values(NODES, 20).T * WEIGHTS
# Vhat is followed down to e^-60 of its largest value, on panels of at most 1.5 in l, graded by
# 2^-40 towards critical points.
_RANGE = 60.0
_PANEL = 1.5
_LEVELS = 40


class Segment(eqx.Module):
    """Panels in l = -log Vhat, ascending, on an interval of k where Vhat is monotone."""

    centre: jax.Array
    half: jax.Array
    exponent: jax.Array
    density: jax.Array
    weights: jax.Array
    legendre: jax.Array
    k: jax.Array
    end_inverse: jax.Array
    end_weights: jax.Array


@dataclass(frozen=True)
class Built:
    """What `Custom` stores."""

    segments: tuple[Segment, ...]
    tail: float
    k0: float
    v_max: float
    finite_k0: bool


@dataclass(frozen=True)
class _Exponent:
    """l(k) = -log Vhat(k) with its derivatives, as numpy functions."""

    value: Callable
    slope: Callable
    curvature: Callable


def _exponent(vhat: Callable) -> _Exponent:
    def value(k: jax.Array) -> jax.Array:
        return -jnp.log(vhat(k))

    def slope(k: jax.Array) -> jax.Array:
        v, dv = jax.jvp(vhat, (k,), (jnp.ones_like(k),))
        return -dv / v

    def curvature(k: jax.Array) -> jax.Array:
        return jax.jvp(slope, (k,), (jnp.ones_like(k),))[1]

    fast_value, fast_slope = jax.jit(value), jax.jit(slope)
    return _Exponent(
        lambda k: np.asarray(fast_value(jnp.asarray(k, dtype=float))),
        lambda k: np.asarray(fast_slope(jnp.asarray(k, dtype=float))),
        lambda k: float(curvature(jnp.asarray(k))),
    )


def build_segments(d: int, vhat: Callable) -> Built:
    """Find the monotone intervals of Vhat and lay panels on them.

    Raises:
        InputError: Vhat negative, not finite, zero everywhere, or int k^d Vhat^2 dk divergent
            at large k.
    """
    k, v = _sample(vhat)
    exponent = _exponent(vhat)
    origin = float(np.asarray(vhat(jnp.asarray(0.0))))
    bounded = math.isfinite(origin) and origin > 0
    unbounded = not math.isfinite(origin)
    scale = _scale(d, k, v, unbounded)
    points = _critical_points(exponent, k, v)
    top = math.exp(-float(exponent.value(scale))) if unbounded else max(float(v.max()), origin)
    last = _RANGE - math.log(top)
    start = 0.0 if bounded else _first(k, v, scale * 1e-9 if unbounded else 0.0, last)
    stop = _last(exponent, k, v, last)
    ends = [start, *[p for p in points if start < p < stop], stop]
    critical = [bounded, *[True] * (len(ends) - 2), False]
    segments = tuple(
        _segment(d, exponent, a, b, at_a, at_b)
        for a, b, at_a, at_b in zip(ends[:-1], ends[1:], critical[:-1], critical[1:], strict=True)
    )
    tail = _tail(d, exponent, stop)
    k0 = tail + sum(
        float(np.sum(s.weights * np.exp(-2 * s.exponent)))
        + float(np.sum(s.end_weights / s.end_inverse**2))
        for s in segments
    )
    v_max = max([origin, *[math.exp(-float(exponent.value(p))) for p in points]])
    v_max = math.inf if unbounded else v_max
    # K_0 is finite if nothing is lost below the first panel, where an unbounded Vhat is cut off.
    small = start ** (d + 1) * math.exp(-2 * float(exponent.value(start))) if start > 0 else 0.0
    finite_k0 = small < 1e-3 * k0
    require(tail < 1e-2 * k0 or not finite_k0, _divergence(d))
    return Built(segments, tail, k0, v_max, finite_k0)


def _divergence(d: int) -> str:
    return (
        f"The Landau prefactor of this potential diverges: int k^{d} Vhat^2 dk does not converge "
        f"at large k; Vhat must decay faster than k^-{(d + 1) / 2:g}."
    )


def _sample(vhat: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Vhat on a fine logarithmic and linear grid, checked."""
    k = np.unique(np.concatenate([np.geomspace(1e-12, 1e14, 8001), np.linspace(0.01, 60, 3001)]))
    try:
        v = np.asarray(vhat(jnp.asarray(k)), dtype=float)
    except (TypeError, jax.errors.JAXTypeError) as error:
        raise InputError(
            f"vhat must map an array of k to an array with jax.numpy: {error}"
        ) from None
    require(v.shape == k.shape, f"vhat must be elementwise, but maps {k.shape} to {v.shape}.")
    bad = ~np.isfinite(v)
    require(
        not bad.any(),
        f"vhat must be finite for k > 0, but is {v[bad.argmax()]} at k = {k[bad.argmax()]:.4g}.",
    )
    low = v.argmin()
    require(
        v[low] >= 0,
        f"vhat must not be negative (the potential is not positive definite), but is "
        f"{v[low]:.6g} at k = {k[low]:.6g}.",
    )
    require(v.max() > 0, "vhat must not vanish everywhere, but is 0 at every sampled k.")
    return k, v


def _scale(d: int, k: np.ndarray, v: np.ndarray, unbounded: bool) -> float:
    """The k where k^(d+1) Vhat^2 is largest (screened, if Vhat is unbounded)."""
    screened = v / (1 + v) if unbounded else v
    return float(k[np.argmax(k ** (d + 1) * screened**2)])


def _critical_points(exponent: _Exponent, k: np.ndarray, v: np.ndarray) -> list[float]:
    """Zeros of the slope, away from places where Vhat underflows or rounding hides the slope."""
    good = v > 1e-290
    with np.errstate(all="ignore"):
        slope = np.where(good, exponent.slope(np.where(good, k, k[good][0])), np.nan)
    # k dl/dk: where it is this small Vhat is constant to rounding and its slope has no sign.
    relevant = good & (np.abs(slope) * k > 1e-9)
    kk, ss = k[relevant], slope[relevant]
    change = np.flatnonzero(ss[:-1] * ss[1:] < 0)
    return [
        float(brentq(lambda x: float(exponent.slope(x)), kk[i], kk[i + 1], xtol=1e-300, rtol=1e-15))
        for i in change
    ]


def _first(k: np.ndarray, v: np.ndarray, least: float, last: float) -> float:
    """Where to start when Vhat is unbounded or zero at k = 0."""
    with np.errstate(divide="ignore"):
        inside = (k >= least) & (-np.log(v) < last)
    return float(k[inside.argmax()])


def _last(exponent: _Exponent, k: np.ndarray, v: np.ndarray, last: float) -> float:
    """Where l reaches `last` for good, or the end of the sampled range."""
    with np.errstate(divide="ignore"):
        l = -np.log(v)
    inside = np.flatnonzero(l < last)
    i = int(inside[-1])
    if i + 1 == len(k) or not np.isfinite(l[i + 1]):
        return float(k[i])
    return float(brentq(lambda x: float(exponent.value(x)) - last, k[i], k[i + 1]))


def _tail(d: int, exponent: _Exponent, stop: float) -> float:
    """int_stop^inf k^d Vhat^2 dk from the local power law; refuses a divergent one."""
    power = stop * float(exponent.slope(stop))
    require(2 * power > d + 1 + 1e-6, _divergence(d))
    return stop ** (d + 1) * math.exp(-2 * float(exponent.value(stop))) / (2 * power - d - 1)


def _segment(d: int, exponent: _Exponent, a: float, b: float, at_a: bool, at_b: bool) -> Segment:
    """Panels between a and b: graded from the critical ends, of length 1.5 otherwise."""
    la, lb = float(exponent.value(a)), float(exponent.value(b))
    if at_a and at_b:
        middle = brentq(lambda x: float(exponent.value(x)) - (la + lb) / 2, a, b)
        parts = [_anchored(d, exponent, a, middle), _anchored(d, exponent, b, middle)]
    elif at_a:
        parts = [_anchored(d, exponent, a, b)]
    elif at_b:
        parts = [_anchored(d, exponent, b, a)]
    else:
        parts = [_free(d, exponent, a, b)]
    # Panels in ascending l, whatever the direction in k.
    panels = [np.concatenate(rows) for rows in zip(*[p[0] for p in parts], strict=True)]
    order = np.argsort(panels[0])
    centre, half, l, k, density = (rows[order] for rows in panels)
    ends = [np.concatenate(rows) for rows in zip(*[p[1] for p in parts], strict=True)]
    return Segment(
        centre=jnp.asarray(centre),
        half=jnp.asarray(half),
        exponent=jnp.asarray(l),
        density=jnp.asarray(density),
        weights=jnp.asarray(density * WEIGHTS * half[:, None]),
        legendre=jnp.asarray(density @ _TO_LEGENDRE.T),
        k=jnp.asarray(k),
        end_inverse=jnp.asarray(ends[0]),
        end_weights=jnp.asarray(ends[1]),
    )


def _edges(length: float, levels: int) -> np.ndarray:
    """0 excluded: dyadic towards 0, then at most `_PANEL` long."""
    first = min(length, _PANEL)
    graded = first * 2.0 ** -np.arange(levels, 0, -1.0)
    count = max(1, math.ceil((length - first) / _PANEL))
    rest = np.linspace(first, length, count + 1) if length > first else np.array([first])
    return np.concatenate([graded, rest])


def _anchored(d: int, exponent: _Exponent, c: float, b: float) -> tuple:
    """Panels from the critical point c (or k = 0) to b, graded in l - l(c)."""
    lc, length = float(exponent.value(c)), abs(float(exponent.value(b)) - float(exponent.value(c)))
    up = 1.0 if float(exponent.value(b)) > lc else -1.0
    side = 1.0 if b > c else -1.0
    rise, slope = _local(exponent, c, side, up)
    edges = _edges(length, _LEVELS)
    centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    offset = centre[:, None] + half[:, None] * NODES
    distance = _invert(rise, offset, abs(b - c))
    k = c + side * distance
    density = k**d / np.abs(slope(distance))
    # From c to the first panel dk/dl is singular: Gauss points in k, where the integrand is smooth.
    inner = float(_invert(rise, edges[:1], abs(b - c))[0])
    end_k = c + side * inner * (NODES + 1) / 2
    end_inverse = np.exp(exponent.value(end_k))
    return (
        (lc + up * centre, half, lc + up * offset, k, density)
        if up > 0
        else (lc - centre, half, (lc - offset)[:, ::-1], k[:, ::-1], density[:, ::-1])
    ), (end_inverse, inner / 2 * WEIGHTS * end_k**d)


def _free(d: int, exponent: _Exponent, a: float, b: float) -> tuple:
    """Panels of equal length between two ends that are no critical points."""
    la, lb = float(exponent.value(a)), float(exponent.value(b))
    low, high, from_k, to_k = (la, lb, a, b) if la < lb else (lb, la, b, a)
    edges = np.linspace(low, high, max(2, math.ceil((high - low) / _PANEL) + 1))
    centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    l = centre[:, None] + half[:, None] * NODES
    left, right = np.full(l.shape, math.log(from_k)), np.full(l.shape, math.log(to_k))
    for _ in range(100):
        middle = (left + right) / 2
        below = exponent.value(np.exp(middle)) < l
        left, right = np.where(below, middle, left), np.where(below, right, middle)
    k = np.exp((left + right) / 2)
    return (centre, half, l, k, k**d / np.abs(exponent.slope(k))), (np.ones(0), np.zeros(0))


def _local(exponent: _Exponent, c: float, side: float, up: float) -> tuple[Callable, Callable]:
    """|l(k) - l(c)| and |l'(k)| as functions of the distance |k - c|, accurate at 0."""
    lc = float(exponent.value(c))
    if c == 0.0:

        def rise(x: np.ndarray) -> np.ndarray:
            # l - l(c) cancels close to c: there it is integrated from its slope.
            direct = up * (exponent.value(x) - lc)
            t = (NODES + 1) / 2
            integral = (exponent.slope(x[..., None] * t) * WEIGHTS / 2).sum(-1) * x * up
            return np.where(direct < 0.3, integral, direct)

        return rise, lambda x: np.abs(exponent.slope(x))

    width = min(c, abs(exponent.curvature(c)) ** -0.5)
    reach = 0.01 * width
    # Within `reach` of c both l - l(c) and l' are differences of rounded values: a polynomial
    # through zero slope at c stands for them.
    x = np.cos(np.pi * (np.arange(15) + 0.5) / 15)
    slopes = np.polynomial.Polynomial.fit(x, exponent.slope(c + 10 * reach * x), 14, [-1, 1])
    slopes = slopes - slopes(0.0)
    rises = slopes.integ() * (10 * reach)

    def rise_near(x: np.ndarray) -> np.ndarray:
        near = up * rises(side * np.minimum(x, reach) / (10 * reach))
        return np.where(x < reach, near, up * (exponent.value(c + side * x) - lc))

    def slope_near(x: np.ndarray) -> np.ndarray:
        near = slopes(side * np.minimum(x, reach) / (10 * reach))
        return np.abs(np.where(x < reach, near, exponent.slope(c + side * x)))

    return rise_near, slope_near


def _invert(rise: Callable, offset: np.ndarray, reach: float) -> np.ndarray:
    """Distance at which the rise is `offset`, by bisection of its logarithm."""
    left, right = (
        np.full(offset.shape, math.log(reach) - 80.0),
        np.full(offset.shape, math.log(reach)),
    )
    # By halving: the rise is monotone, and 100 rounds settle the last bit of 80 e-folds.
    for _ in range(100):
        middle = (left + right) / 2
        below = rise(np.exp(middle)) < offset
        left, right = np.where(below, middle, left), np.where(below, right, middle)
    return np.exp((left + right) / 2)
