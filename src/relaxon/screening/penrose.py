r"""The Penrose test: does eps(k, u) = 1 + Vhat(k) z(u) wind around zero, and how near does it come?

z(u) is real where F1' = 0 (and at infinity). The number of unstable waves at wavenumber k is
the number of minima of F1 with 1 + Vhat(k) Re z < 0 minus that of maxima; the least |eps| over
k at a given u is |Im z|/|z| if Vhat takes the value -Re z/|z|^2. Source: duerinckx2023 (1.10).

Where F1' is below the noise of the data its zeros are nobody's: a verdict is `stable`, `unstable`
or `undecided`. `relaxon.screening.criterion` decides for `penrose`, the operator and runs alike.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq, minimize_scalar

from relaxon.core.errors import require
from relaxon.numerics.concavity import LEAST
from relaxon.numerics.crossings import Samples, minima_of
from relaxon.numerics.hilbert import hilbert_at, hilbert_uniform
from relaxon.screening.criterion import QUIET, VERDICTS, Judgement, judge_grid, least_epsilon
from relaxon.screening.potentials import Potential

ROUNDING = 1e-14
"""What rounding leaves of a slope, relative to the largest."""

SAFETY = 4.0
"""Noise of F1' over its estimate."""


@dataclass(frozen=True)
class PenroseReport:
    """Outcome of the Penrose test.

    Attributes:
        stable: False if a wave grows for sure (`verdict` is "unstable").
        margin: min |eps| over k and u (and directions); 0 if unstable, since then some k is
            marginal.
        k: Wavenumber of the margin (of the marginal wave if unstable).
        direction: Direction of the margin, or of the fastest wave found if unstable; None for a
            single marginal.
        u: Phase velocity of the margin.
        winding: The largest number of growing waves over k.
        resolved: False if the margin sits where F1' is below the noise of the data or outside
            the grid; it is then only known to be as small as stated, or smaller.
        verdict: "stable", "unstable" or "undecided".
        reason: Why it is undecided and what to raise; empty otherwise.
        growth: The largest growth rate over k in that direction, 0 unless unstable.
    """

    stable: bool
    margin: float
    k: float
    direction: tuple[float, ...] | None
    u: float
    winding: int
    resolved: bool
    verdict: str = "stable"
    reason: str = ""
    growth: float = 0.0

    def __str__(self) -> str:
        where = f"k = {self.k:.6g}, u = {self.u:.6g}"
        if self.direction is not None:
            where += f", direction = ({', '.join(f'{x:.4g}' for x in self.direction)})"
        if not self.stable:
            count = f"{self.winding} growing wave(s), margin 0 (eps = 0)"
            return f"Penrose-unstable: {count} at {where}; growth rate {self.growth:.3g}."
        name = "Penrose-stable" if self.verdict == "stable" else f"undecided ({self.reason})"
        return f"{name}: min |eps| = {self.margin:.6g} at {where}."


class _Marginal:
    """z and F1' anywhere, from samples."""

    def __init__(self, u: Any, f1: Any, f1prime: Any):
        self.u, self.f1, self.slope = (np.asarray(a, dtype=float) for a in (u, f1, f1prime))
        shape = self.u.shape
        good = len(shape) == 1 and shape[0] >= 8 and self.f1.shape == self.slope.shape == shape
        require(good, "u, F1 and F1prime must be 1-d arrays of one length >= 8.")
        finite = np.isfinite(self.u).all() and np.isfinite(self.f1).all()
        require(bool(finite and np.isfinite(self.slope).all()), "The marginal must be finite.")
        steps = np.diff(self.u)
        even = steps.min() > 0 and np.ptp(steps) <= 1e-6 * steps.mean()
        require(bool(even), "u must be a uniform ascending grid.")
        self.scale = float(np.abs(self.slope).max())
        require(self.scale > 0, "F1prime must not vanish everywhere.")
        self.step = float(steps.mean())
        self.samples, self.points = jnp.asarray(self.slope), jnp.asarray(self.u)
        self.real = np.asarray(hilbert_uniform(self.samples))
        self.floor = ROUNDING * self.scale + self._noise()
        self.signed = self._settled()

    def _noise(self) -> float:
        """What the samples themselves show to be noise of F1': ringing, ends, F1 below zero."""
        size = np.abs(np.fft.rfft(self.slope))
        ringing = SAFETY * 2 * size[9 * len(size) // 10 :].sum() / len(self.slope)
        below = max(-float(self.f1.min()), 0.0) / self.step
        return float(ringing + below + max(abs(self.slope[0]), abs(self.slope[-1])))

    def _settled(self) -> np.ndarray:
        """F1' with the sign of F1's own differences where F1 falls to the end of the line.

        Values of F1 may be good relative to themselves where its slope drowns in noise.
        """
        f1 = np.where(np.abs(self.f1) > LEAST, self.f1, 0.0)
        change = np.diff(f1) / np.maximum(np.abs(f1[1:]) + np.abs(f1[:-1]), LEAST)
        rises, falls = (np.flatnonzero(s * change > 1e-12) for s in (1, -1))
        right = self.u[min(rises[-1] + 2, len(self.u) - 1)] if len(rises) else -np.inf
        left = self.u[max(falls[0] - 1, 0)] if len(falls) else np.inf
        real, floor = jnp.asarray(self.real), jnp.asarray(self.floor)
        samples = Samples(self.points, real, self.samples, floor)
        return np.asarray(_settled(samples, jnp.asarray(left), jnp.asarray(right)).slope)

    def at(self, u: Any) -> tuple[np.ndarray, np.ndarray]:
        """Re z and F1'."""
        real, slope = _at(self.samples, self.points, u)
        return np.asarray(real), np.asarray(slope)

    def least(self, u: float, v_min: Any, v_max: Any) -> tuple[float, float]:
        """`least_epsilon` at u."""
        best, v = _least(self.samples, self.points, u, v_min, v_max)
        return float(best), float(v)


_at = jax.jit(hilbert_at)
_minima = eqx.filter_jit(minima_of)
_settled = eqx.filter_jit(Samples.settled)


@jax.jit
def _least(samples: jax.Array, points: jax.Array, u: Any, v_min: Any, v_max: Any) -> tuple:
    real, slope = hilbert_at(samples, points, u)
    return least_epsilon(jax.lax.complex(real, jnp.pi * slope), v_min, v_max)


def _critical_points(m: _Marginal, best: bool = True) -> list[tuple[float, float, int]]:
    """(u, Re z, orientation) at the zeros of F1' above the noise; +1 at minima of F1.

    Re z is as wrong as F1', times pi; what is returned is its best value, or its worst.
    """
    significant = np.flatnonzero(np.abs(m.signed) > m.floor)
    sign = np.sign(m.signed[significant])
    found = []
    for i in np.flatnonzero(sign[:-1] != sign[1:]):
        left, right = significant[i], significant[i + 1]
        minimum = sign[i] < 0
        if right - left <= 3:
            u = float(brentq(lambda x: float(m.at(x)[1]), m.u[left], m.u[right], xtol=1e-14))
            real = float(m.at(u)[0])
        else:  # a gap where F1' is noise: its best place decides, or its worst
            inside = slice(left, right + 1)
            pick = (np.argmax if minimum == best else np.argmin)(m.real[inside])
            u, real = float(m.u[inside][pick]), float(m.real[inside][pick])
        noise = np.pi * m.floor if minimum == best else -np.pi * m.floor
        found.append((u, real + noise, 1 if minimum else -1))
    return found


def _winding(points: list, v: float) -> int:
    """Number of growing waves at Vhat = v."""
    return sum(sign for _, real, sign in points if (real < 0 if math.isinf(v) else v * real < -1))


def penrose_marginal(potential: Potential, u: Any, f1: Any, f1prime: Any) -> PenroseReport:
    """The Penrose test for one marginal.

    Args:
        potential: The interaction; only the range of Vhat and its inverse are used.
        u: Uniform ascending grid, shape (N,), wide enough for F1' to vanish at its ends.
        f1: Plane integral F1 on it.
        f1prime: Its derivative.

    Returns:
        The report (without direction).

    Raises:
        InputError: Shapes, non-finite data, a grid that is not uniform.

    Accuracy: thresholds of instability to 1e-11, margins of 1e-5 to 1e-8 relative (as good as
    F1' is known there), see tests/unit/screening/test_dispersion.py. Cost: O(N log N).
    """
    return _report(potential, _Marginal(u, f1, f1prime))


def _report(potential: Potential, m: _Marginal) -> PenroseReport:
    v_min, v_max = float(potential.v_min), float(potential.v_max)
    wave = _growing(_critical_points(m), v_min, v_max)
    if wave is not None:
        winding, v, at = wave
        k = float(potential.wavenumber(jnp.asarray(max(v, v_min))))
        growth = _growth(potential, m)
        return PenroseReport(
            False, 0.0, k, None, at, winding, True, verdict="unstable", growth=growth
        )
    report = _margin(potential, m, v_min, v_max)
    faint = (np.abs(m.signed) <= m.floor) & (m.real + 1 / v_max < np.pi * m.floor)
    doubtful = _growing(_critical_points(m, best=False), v_min, v_max) is not None
    if doubtful or (m.floor > QUIET * m.scale and bool(faint.any())):
        share = f"F1' is noise below {m.floor / m.scale:.1e} of its maximum"
        reason = f"{share}, where waves would be resonant: take a finer or wider grid"
        return dataclasses.replace(report, verdict="undecided", reason=reason)
    return report


def _growing(points: list, v_min: float, v_max: float) -> tuple[int, float, float] | None:
    """(number of growing waves, Vhat at the first threshold, its u), None if there is none."""
    found = []
    for at, real, sign in points:
        if real < 0 and sign > 0 and -1 / real < v_max:
            winding = _winding(points, max(-1 / real * (1 + 1e-14), v_min))
            if winding > 0:
                found.append((winding, -1 / real, at))
    if not found:
        return None
    _, v, at = min(found, key=lambda wave: wave[1:])
    return max(wave[0] for wave in found), v, at


def _growth(potential: Potential, m: _Marginal) -> float:
    r"""The largest $k \gamma$ over waves exp(i k (x - (u + i gamma) t)) with eps = 0.

    On the line at a distance gamma from the axis z is a smoothed transform, its spectrum damped by
    $e^{-\omega \gamma}$; a wave is where it is real and -1/z is a value of Vhat.
    """
    finer = 8  # zeros are then found to 1e-3 of a spacing by a chord
    count = 16 * len(m.slope)  # periodic images count like the inverse square of their distance
    omega = 2 * np.pi * np.fft.rfftfreq(count, m.step)
    spectrum = finer * np.fft.rfft(m.slope, count)
    v_min, v_max = float(potential.v_min), float(potential.v_max)

    def rate(gamma: float) -> float:
        damped = spectrum * np.exp(-omega * gamma)
        real, slope = (
            np.fft.irfft(x, finer * count)[: finer * len(m.slope)]
            for x in (-1j * np.pi * damped, damped)
        )
        i = np.flatnonzero(slope[:-1] * slope[1:] < 0)
        share = slope[i] / (slope[i] - slope[i + 1])
        there = real[i] + share * (real[i + 1] - real[i])
        v = -1 / there[there < 0]
        v = v[(v < v_max) & (v >= v_min)]
        if not len(v):
            return 0.0
        return gamma * float(np.max(np.asarray(potential.wavenumber(jnp.asarray(v)))))

    gammas = np.geomspace(1e-4, 1.0, 33) * (m.u[-1] - m.u[0]) / 4
    rates = [rate(x) for x in gammas]
    best = int(np.argmax(rates))
    bounds = (gammas[max(best - 1, 0)], gammas[min(best + 1, 32)])
    polished = minimize_scalar(lambda x: -rate(x), bounds=bounds, method="bounded")
    return max(rates[best], -float(polished.fun))


def _margin(potential: Potential, m: _Marginal, v_min: float, v_max: float) -> PenroseReport:
    """The least |eps| of a stable marginal, refined between grid points."""
    z = m.real + 1j * np.pi * m.slope
    value = np.asarray(least_epsilon(jnp.asarray(z), potential.v_min, potential.v_max)[0])
    reach = math.sqrt(v_max) if math.isfinite(v_max) else math.inf
    for end in (0, -1):
        if m.real[end] < 0 and (math.isinf(v_max) or v_max * m.real[end] < -1):
            at = math.copysign(reach, m.u[end])
            k = float(potential.wavenumber(jnp.asarray(v_max)))
            return PenroseReport(True, 0.0, k, None, at, 0, False)

    def objective(u: float) -> float:
        return m.least(u, potential.v_min, potential.v_max)[0]

    best_u, best = float(m.u[value.argmin()]), float(value.min())
    dips = np.flatnonzero((value[1:-1] <= value[:-2]) & (value[1:-1] <= value[2:])) + 1
    for i in dips[np.argsort(value[dips])][:3]:
        bounds = (m.u[i - 1], m.u[i + 1])
        result = minimize_scalar(
            objective, bounds=bounds, method="bounded", options={"xatol": 1e-13}
        )
        if result.fun < best:
            best_u, best = float(result.x), float(result.fun)
    slope = m.at(best_u)[1]
    v = m.least(best_u, potential.v_min, potential.v_max)[1]
    resolved = bool(abs(float(slope)) > m.floor) or best > 1e-6
    k = float(potential.wavenumber(jnp.asarray(v))) if v > 0 else math.inf
    return PenroseReport(True, best, k, None, best_u, 0, resolved)


def sample_directions(d: int, n: int) -> np.ndarray:
    """N unit vectors on half of the sphere: equal angles (d = 2), a Fibonacci spiral (d = 3)."""
    index = np.arange(n)
    if d == 2:
        angle = math.pi * index / n
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    height = 1 - (index + 0.5) / n
    azimuth = math.pi * (3 - math.sqrt(5)) * index
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), height], axis=-1)


def penrose(potential: Potential, f: Any, grid: Any, directions: Any = None) -> PenroseReport:
    """The Penrose test over directions.

    Args:
        potential: The interaction.
        f: Distribution on `grid`.
        grid: A grid with `d` and `marginal(f, direction)`; if it has a true attribute
            `isotropic`, one direction is tested.
        directions: Unit vectors, shape (n, d); by default the axes, 64 (d = 2) or 128 (d = 3)
            sampled ones, and a local search about the worst of them.

    Returns:
        The report of the worst direction: an unstable one, else the least margin.
    """
    d = grid.d
    search = directions is None and not getattr(grid, "isotropic", False)
    if directions is None:
        axes = np.eye(d)
        directions = axes if search else axes[:1]
        if search:
            directions = np.concatenate([axes, sample_directions(d, 64 if d == 2 else 128)])

    def test(direction: np.ndarray) -> PenroseReport:
        report = penrose_marginal(potential, *grid.marginal(f, direction))
        named = tuple(float(x) for x in direction)
        return PenroseReport(**{**report.__dict__, "direction": named})

    def worse(a: PenroseReport, b: PenroseReport) -> PenroseReport:
        return min(a, b, key=lambda r: (r.stable, r.margin))

    def about(worst: PenroseReport, angle: float) -> PenroseReport:
        """A local search for a smaller margin."""
        while angle > 2e-3:
            before = worst
            for tangent in _tangents(np.asarray(worst.direction)):
                for sign in (1.0, -1.0):
                    centre = np.asarray(before.direction)
                    moved = math.cos(angle) * centre + sign * math.sin(angle) * tangent
                    worst = worse(worst, test(moved / np.linalg.norm(moved)))
            if worst.direction == before.direction:
                angle /= 2
        return worst

    if search and getattr(grid, "line_transform", None) is not None:
        return _penrose_on_lines(potential, f, grid, test, about)
    worst = test(np.asarray(directions[0], dtype=float))
    for direction in directions[1:]:
        worst = worse(worst, test(np.asarray(direction, dtype=float)))
        if not worst.stable:
            return worst
    return about(worst, math.pi / 64 if d == 2 else 0.16) if search else worst


def _penrose_on_lines(
    potential: Potential, f: Any, grid: Any, test: Callable, about: Callable
) -> PenroseReport:
    """The report on a Cartesian grid: the verdict is that of `judge`."""
    found, scan = judge_grid(f, grid, potential.v_max)
    normals = np.asarray(grid.line_transform().normals)
    verdict = VERDICTS[int(found.code)]
    if verdict == "unstable":
        depth = np.asarray(_minima(scan).certain)
        order = np.argsort(depth)
        wild = order[depth[order] + 1 / float(potential.v_max) < 0]
        wild = wild[:: max(1, len(wild) // 16)]
        reports = [test(n) for n in [np.asarray(found.direction), *np.eye(grid.d), *normals[wild]]]
        reports = [report for report in reports if not report.stable]
        if reports:
            return max(reports, key=lambda report: report.growth)
        u, real = float(found.u), float(found.depth) - 1 / float(potential.v_max)
        k = float(potential.wavenumber(jnp.maximum(-1 / real, potential.v_min)))
        named = tuple(float(x) for x in found.direction)
        return PenroseReport(False, 0.0, k, named, u, 1, True, verdict="unstable")
    z = jax.lax.complex(scan.real, jnp.pi * scan.slope)
    margins = jnp.min(least_epsilon(z, potential.v_min, potential.v_max)[0], axis=-1)
    worst = about(
        test(normals[int(jnp.argmin(margins))]), math.pi / len(normals) ** (1 / (grid.d - 1))
    )
    reason = _reason(found, grid) if verdict == "undecided" else ""
    return dataclasses.replace(worst, stable=True, verdict=verdict, reason=reason)


def _reason(found: Judgement, grid: Any) -> str:
    """Why a judgement is undecided, and what to raise."""
    rounding, spacing, box = (float(x) for x in found.noise)
    what = f"raise n = {grid.n}" if spacing >= box else f"raise v_max = {grid.v_max:g}"
    if not bool(found.silent):
        return f"F1 has a minimum at the edge of instability or lost in noise; {what}"
    return (
        f"waves would be resonant where F1' is below its noise {rounding + spacing + box:.1e}; "
        f"{what}"
    )


def _tangents(n: np.ndarray) -> np.ndarray:
    """Orthonormal vectors perpendicular to n."""
    return np.linalg.svd(n[None, :])[2][1:]
