r"""How much mass a profile puts near a plane: the exponent theta of neumann2016 (3).

$$ Q(\delta) = \sup_{a, \omega} \int_{|a + v \cdot \omega| < \delta} \chi \, dv
   \le C \delta^\theta $$

Lemma 3.2 uses nothing else of chi: the averaged density gains theta/(2 + theta) derivatives. What
the first line of (3) says of theta: if chi is bounded, Q <= 2 delta sup chi in dimension 1; if
(1 + |v|^2) chi <= M, the integral of chi over a line is at most pi M, so Q <= 2 pi M delta in
dimension 2; over a plane that bound is logarithmic, cut at |v|^2 = 1/delta by the second moment S:
Q <= 2 pi M delta log(1 + 1/delta) + S delta, every theta < 1, in dimension 3 (and theta = 1 if the
tail is any power thinner). Exponents below 1 thus need an integrable singularity, which the first
line excludes and the lemma admits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import equinox as eqx
import numpy as np

from relaxon.numerics.legendre import gauss_legendre, to_legendre

_NODES, _WEIGHTS = gauss_legendre(16)
_LAST = to_legendre(16)[-3:]
_LEVELS = 60
_KEPT = 160


class Concentration(eqx.Module):
    """The exponent theta of (3), as measured.

    Attributes:
        theta: The exponent, at most 1. In more than one dimension a lower bound, attained if the
            singularity lies along a plane.
        error: By how much `theta` may be off: what the exponent still changes from one scale to
            the next, and what the quadrature leaves open.
        place: Where the mass concentrates, shape (d,).
        scales: The smallest and largest window delta it was taken from.
        mass: Integral of the profile over the range of the nodes by adaptive quadrature, or None
            where that was not computed.
    """

    theta: float
    error: float
    place: tuple[float, ...]
    scales: tuple[float, float]
    mass: float | None


@lru_cache(maxsize=32)
def concentration_on_line(function: Callable, edges: tuple[float, float], width: float):
    r"""theta of a density on the line, by quadrature and optimisation on the density itself.

    The line is cut into cells of Gauss-Legendre quadrature. Those with the most mass and those in
    which the density is least like a polynomial are halved up to 60 times, so a singularity is
    seen also where it holds little mass. From the cumulated masses P

    $$ Q(\delta) = \max_a P(a + \delta) - P(a - \delta) $$

    is searched over all cell edges, and theta is its slope in log delta from 2^-18 to 2^-22 of the
    first cell's width. The error is what is left if the change against the four octaves before goes
    on like 1/log delta, the slowest that integrable singularities show, plus what unresolved cells
    inside the window can shift it.

    Args:
        function: Vectorised density.
        edges: The interval that is searched.
        width: Width of the first cells.

    Returns:
        `Concentration`.

    Accuracy: for |v - a|^(theta - 1) with theta = 0.75, 0.5, 0.25: 2e-10, 1e-8, 4e-5 at a = 0 and
    2e-5, 6e-4, 9e-3 at a = 0.3337, where rounding stops the halving; 1e-7 for bounded densities;
    always within `error` (tests/unit/distributions/test_concentration.py). A spike that falls
    between the 16 points of a first cell is not seen. Cost: 10 ms.
    """
    number = int(np.clip(np.ceil((edges[1] - edges[0]) / width), 8, 20000))
    ends = np.linspace(*edges, number + 1)
    left, right = ends[:-1], ends[1:]
    done: list[np.ndarray] = []
    for _ in range(_LEVELS):
        masses, roughness = _measured(function, left, right)
        # Halve the heaviest cells, which decide Q, and the roughest, which may hide a singularity.
        chosen = np.zeros(left.size, dtype=bool)
        chosen[np.argsort(masses)[-_KEPT:]] = True
        chosen[np.argsort(roughness)[-_KEPT:]] = True
        chosen &= right - left > 1e-10 * np.maximum(np.abs(left), np.abs(right))
        done.append(np.stack([left, right, masses, roughness])[:, ~chosen])
        left, right = left[chosen], right[chosen]
        middle = (left + right) / 2
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    done.append(np.stack([left, right, *_measured(function, left, right)]))
    left, right, masses, roughness = np.concatenate(done, axis=1)
    order = np.argsort(left)
    ends = np.append(left[order], right[order][-1])
    below = np.concatenate([[0.0], np.cumsum(masses[order])])
    deltas = (edges[1] - edges[0]) / number * 2.0 ** -np.arange(14.0, 23.0)
    found = [_heaviest(ends, below, delta) for delta in deltas]
    logs = np.log2([mass for mass, _ in found])
    # Slopes of log Q over the last four octaves and the four before.
    late, early = (logs[4] - logs[8]) / 4, (logs[0] - logs[4]) / 4
    mass, place = found[-1]
    within = (ends[1:] >= place - deltas[-1]) & (ends[:-1] <= place + deltas[-1])
    unsure = float(np.sum((roughness * (right - left))[order][within]) / mass)
    drift = abs(late - early) * (18 / 4)
    return Concentration(
        theta=float(np.clip(late, 0.0, 1.0)),
        error=float(drift + unsure / 4),
        place=(float(place),),
        scales=(float(deltas[-1]), float(deltas[0])),
        mass=float(below[-1]),
    )


def _measured(function, left, right) -> tuple[np.ndarray, np.ndarray]:
    """Masses of cells, and how far the density is from a polynomial there."""
    halves = (right - left) / 2
    with np.errstate(all="ignore"):
        values = np.asarray(function((left + right)[:, None] / 2 + halves[:, None] * _NODES))
    values = np.where(np.isfinite(values), values, 0.0)
    rough = np.abs(values @ _LAST.T).max(axis=1)
    return np.maximum(halves * (values @ _WEIGHTS), 0.0), rough


def _heaviest(ends, below, delta) -> tuple[float, float]:
    """Largest mass of a window of half width delta with an end at a cell edge; its centre."""
    starts = np.concatenate([ends, ends - 2 * delta])
    masses = np.interp(starts + 2 * delta, ends, below) - np.interp(starts, ends, below)
    best = int(np.argmax(masses))
    return float(masses[best]), float(starts[best] + delta)


@lru_cache(maxsize=32)
def concentration_in_space(function: Callable, d: int, starts: tuple):
    r"""Lower bound of theta in dimension d > 1, from the strongest local growth of the profile.

    If chi <= c dist^-gamma near a plane, line or point then Q(delta) <= C delta^(1 - gamma), with
    equality for a plane. The search starts at the heaviest points it is given and follows the
    profile uphill, on stencils that shrink by 2 in each of 30 levels; gamma is the growth a level.

    Args:
        function: Vectorised density of v, shape (..., d).
        d: Dimension.
        starts: Points to start from, with the initial size of the stencil as the last entry.

    Accuracy: 0.03 for ridges of the exponents 0.25, 0.5, 0.75 in several directions.

    Returns:
        `Concentration`; theta = 1 for bounded profiles (in dimension 3: every theta < 1, or 1 if
        the tail is thinner than |v|^-2).
    """
    steps = np.stack(np.meshgrid(*[[-1.0, -0.5, 0.0, 0.5, 1.0]] * d, indexing="ij"), -1)
    steps = steps.reshape(-1, d)
    # Irregular, so that no point falls on the singularity itself, where the value says nothing.
    shifts = np.random.default_rng(0).uniform(-0.2, 0.2, steps.shape)
    steps = np.where(np.any(steps != 0, axis=1, keepdims=True), steps + shifts, 0.0)
    points, size = np.array(starts[:-1]), float(starts[-1])
    heights = []
    for _ in range(30):
        tried = points[:, None] + size * steps
        with np.errstate(all="ignore"):
            values = np.asarray(function(tried), dtype=float)
        values = np.where(np.isfinite(values), values, 0.0)
        chosen = np.argmax(values, axis=1)
        points = np.take_along_axis(tried, chosen[:, None, None], axis=1)[:, 0]
        # The highest value depends on how near a point happens to come; a quantile does not.
        heights.append(np.quantile(values, 0.7, axis=1))
        size /= 2
    logs = np.log2(np.maximum(np.array(heights), 1e-300))
    late, early = (logs[24] - logs[16]) / 8, (logs[16] - logs[8]) / 8
    worst = int(np.argmax(late))
    # A smooth hill that is still being climbed grows by less than this.
    theta = float(np.clip(1 - late[worst], 0.0, 1.0)) if late[worst] > 1e-5 else 1.0
    return Concentration(
        theta=theta,
        error=float(abs(late[worst] - early[worst])) if theta < 1 else 0.0,
        place=tuple(map(float, points[worst])),
        scales=(float(starts[-1]) * 2.0**-24, float(starts[-1]) * 2.0**-8),
        mass=None,
    )
