r"""The Penrose test: does eps(k, u) = 1 + Vhat(k) z(u) wind around zero, and how near does it come?

z(u) is real where F1' = 0 (and at infinity). The number of unstable waves at wavenumber k is
the number of minima of F1 with 1 + Vhat(k) Re z < 0 minus that of maxima; the least |eps| over
k at a given u is |Im z|/|z| if Vhat takes the value -Re z/|z|^2. Source: duerinckx2023 (1.10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq, minimize_scalar

from relaxon.core.errors import require
from relaxon.numerics.hilbert import hilbert_at, hilbert_uniform
from relaxon.screening.potentials import Potential

_NOISE = 1e-12


@dataclass(frozen=True)
class PenroseReport:
    """Outcome of the Penrose test.

    Attributes:
        stable: No wave grows.
        margin: min |eps| over k and u (and directions); 0 if unstable, since then some k is
            marginal.
        k: Wavenumber of the margin (of the marginal wave if unstable).
        direction: Direction of the margin, None for a single marginal.
        u: Phase velocity of the margin.
        winding: The largest number of growing waves over k.
        resolved: False if the margin sits where F1' is below the noise of the data or outside
            the grid; it is then only known to be as small as stated, or smaller.
    """

    stable: bool
    margin: float
    k: float
    direction: tuple[float, ...] | None
    u: float
    winding: int
    resolved: bool

    def __str__(self) -> str:
        where = f"k = {self.k:.6g}, u = {self.u:.6g}"
        if self.direction is not None:
            where += f", direction = ({', '.join(f'{x:.4g}' for x in self.direction)})"
        if self.stable:
            return f"Penrose-stable: min |eps| = {self.margin:.6g} at {where}."
        return f"Penrose-unstable: {self.winding} growing wave(s), margin 0 (eps = 0) at {where}."


def least_epsilon(z: jax.Array, v_min: jax.Array, v_max: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Min |1 + v z| over v_min <= v <= v_max and the minimising v; for use inside jit."""
    square = z.real**2 + z.imag**2
    safe = jnp.where(square > 0, square, 1.0)
    v = jnp.clip(jnp.where(square > 0, -z.real / safe, v_min), v_min, v_max)
    interior = (v > v_min) & (v < v_max)
    # at the interior minimum |1 + v z| = |Im z|/|z| without cancellation
    return jnp.where(interior, jnp.abs(z.imag) / jnp.sqrt(safe), jnp.abs(1 + v * z)), v


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

    def at(self, u: Any) -> tuple[np.ndarray, np.ndarray]:
        """Re z and F1'."""
        real, slope = _at(self.samples, self.points, u)
        return np.asarray(real), np.asarray(slope)

    def least(self, u: float, v_min: Any, v_max: Any) -> tuple[float, float]:
        """`least_epsilon` at u."""
        best, v = _least(self.samples, self.points, u, v_min, v_max)
        return float(best), float(v)


_at = jax.jit(hilbert_at)


@jax.jit
def _least(samples: jax.Array, points: jax.Array, u: Any, v_min: Any, v_max: Any) -> tuple:
    real, slope = hilbert_at(samples, points, u)
    return least_epsilon(jax.lax.complex(real, jnp.pi * slope), v_min, v_max)


def _critical_points(m: _Marginal) -> list[tuple[float, float, int]]:
    """(u, Re z, orientation) at the zeros of F1' above the noise; +1 at minima of F1."""
    significant = np.flatnonzero(np.abs(m.slope) > _NOISE * m.scale)
    sign = np.sign(m.slope[significant])
    found = []
    for i in np.flatnonzero(sign[:-1] != sign[1:]):
        left, right = significant[i], significant[i + 1]
        if right - left <= 3:
            u = float(brentq(lambda x: float(m.at(x)[1]), m.u[left], m.u[right], xtol=1e-14))
            real = float(m.at(u)[0])
        else:  # a gap where F1' is noise: the worst place in it decides
            inside = slice(left, right + 1)
            pick = np.argmin(m.real[inside]) if sign[i] < 0 else np.argmax(m.real[inside])
            u, real = float(m.u[inside][pick]), float(m.real[inside][pick])
        found.append((u, real, 1 if sign[i] < 0 else -1))
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
    F1' is known there), see tests/unit/test_penrose.py. Cost: O(N log N).
    """
    m = _Marginal(u, f1, f1prime)
    v_min, v_max = float(potential.v_min), float(potential.v_max)
    points = _critical_points(m)
    thresholds = [(-1 / real, at) for at, real, sign in points if real < 0 and sign > 0]
    marginal = [
        (v, at)
        for v, at in thresholds
        if v < v_max and _winding(points, max(v * (1 + 1e-14), v_min)) > 0
    ]
    if marginal:
        winding = max(_winding(points, max(v * (1 + 1e-14), v_min)) for v, _ in marginal)
        v, at = min(marginal)
        k = float(potential.wavenumber(jnp.asarray(max(v, v_min))))
        return PenroseReport(False, 0.0, k, None, at, winding, True)
    return _margin(potential, m, v_min, v_max)


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
    resolved = bool(abs(float(slope)) > _NOISE * m.scale) or best > 1e-6
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

    worst = test(np.asarray(directions[0], dtype=float))
    for direction in directions[1:]:
        worst = worse(worst, test(np.asarray(direction, dtype=float)))
        if not worst.stable:
            return worst
    angle = (math.pi / 64 if d == 2 else 0.16) if search else 0.0
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


def _tangents(n: np.ndarray) -> np.ndarray:
    """Orthonormal vectors perpendicular to n."""
    return np.linalg.svd(n[None, :])[2][1:]
