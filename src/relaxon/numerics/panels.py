r"""Functions on the whole line as Legendre series on graded panels, integrated exactly.

The line is cut into panels on which the function is a Legendre series to rounding, graded outwards
to |v| = 2^40 scales so that algebraic tails are kept. On a panel with midpoint m, half width h

$$ \int P_n(x) / (z - x) dx = 2 Q_n(z), \quad
   \int P_n(x) e^{-i w x} dx = 2 (-i)^n j_n(w), \quad v = m + h x . $$
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import numpy as np
from scipy.special import spherical_jn

from relaxon.core.errors import InputError, require
from relaxon.numerics.legendre import gauss_legendre, to_legendre

DEGREE = 24
_DOUBLINGS = 41
_NODES, _WEIGHTS = gauss_legendre(DEGREE)
_TO_LEGENDRE = to_legendre(DEGREE)
_SLOPES = np.polynomial.legendre.legval(
    _NODES, np.polynomial.legendre.legder(np.eye(DEGREE), axis=0)
).T


class PanelSeries(eqx.Module):
    """A function as Legendre series on panels.

    Attributes:
        middles: Midpoints of the panels in order, shape (n,).
        halves: Half widths.
        coefficients: Legendre coefficients, shape (n, 24).
        nodes: Gauss-Legendre nodes of the panels, shape (n, 24).
        weights: Their weights.
        values: The function there.
        tails: Powers s with which the function falls off, |v|^-s, to the left and to the right of
            all panels; infinite where it has vanished there.

    Raises:
        InputError: The function is not finite, nowhere positive, or not resolved by 2000 panels.
    """

    middles: np.ndarray
    halves: np.ndarray
    coefficients: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    tails: tuple[float, float]

    def __init__(self, function: Callable):
        self.middles, self.halves = _panels(function)
        self.nodes = self.middles[:, None] + self.halves[:, None] * _NODES
        self.weights = self.halves[:, None] * _WEIGHTS
        self.values = np.asarray(function(self.nodes))
        self.coefficients = self.values @ _TO_LEGENDRE.T
        # f falls by 2^-s when |v| doubles.
        ends = np.array([self.ends[0], self.ends[0] / 2, self.ends[1] / 2, self.ends[1]])
        far = np.abs(np.asarray(function(ends), dtype=float))
        powers = [np.inf, np.inf]
        for side, (outer, inner) in enumerate(((far[0], far[1]), (far[3], far[2]))):
            if outer > 0:
                powers[side] = float(np.log2(inner / outer))
        self.tails = (powers[0], powers[1])

    @property
    def ends(self) -> tuple[float, float]:
        """Where the first panel begins and the last one ends."""
        return (
            float(self.middles[0] - self.halves[0]),
            float(self.middles[-1] + self.halves[-1]),
        )

    def moment(self, order: int) -> float:
        """Integral of v^order times the function; infinite where its tails make it so.

        Beyond the panels the powers `tails` are integrated in closed form.
        """
        total = float(np.sum(self.weights * self.values * self.nodes**order))
        for side, (end, power) in enumerate(zip(self.ends, self.tails)):
            if not np.isfinite(power):
                continue
            if power - order - 1 < 1e-9:
                return np.inf
            # The last node is inside the end of the panels; the power carries the value from it to
            # there.
            last = self.values[-1 if side else 0, -1 if side else 0]
            place = self.nodes[-1 if side else 0, -1 if side else 0]
            height = float(last) * abs(end / place) ** -power
            total += np.sign(end) ** order * height * abs(end) ** (order + 1) / (power - order - 1)
        return total

    def transform(self, w):
        r"""$\int u(v) e^{-i w v} dv$ at real w, exact for the piecewise polynomial."""
        w = np.asarray(w, dtype=float)
        argument = np.multiply.outer(w, self.halves)
        order = np.arange(DEGREE)
        bessel = spherical_jn(order, np.abs(argument)[..., None])
        # j_n(-x) = (-1)^n j_n(x).
        phases = (-1j) ** order * np.where(argument[..., None] < 0, (-1.0) ** order, 1.0)
        panels = np.sum(2 * phases * bessel * self.coefficients, axis=-1) * self.halves
        return np.sum(panels * np.exp(-1j * np.multiply.outer(w, self.middles)), axis=-1)

    def slope_square(self) -> float:
        """Integral of the squared derivative; infinite at jumps.

        That is where it piles up on the narrowest panels, or where two panels do not meet.
        """
        ends = self.coefficients.sum(axis=1), self.coefficients @ (-1.0) ** np.arange(DEGREE)
        if np.max(np.abs(ends[0][:-1] - ends[1][1:])) > 1e-6 * np.max(np.abs(self.values)):
            return np.inf
        slopes = self.coefficients @ _SLOPES.T / self.halves[:, None]
        parts = np.sum(self.weights * slopes**2, axis=1)
        # At a jump the squared slope grows as panels shrink, and most of it sits on the narrowest.
        narrow = self.halves < 1e-6 * np.max(self.halves[parts > 1e-3 * parts.max()])
        total = float(parts.sum())
        return np.inf if parts[narrow].sum() > 1e-4 * total else total


def _panels(function) -> tuple[np.ndarray, np.ndarray]:
    """Midpoints and half widths of panels on which the function is a Legendre series."""
    speeds = np.geomspace(1e-9, 1e9, 6001)
    spread = speeds * (np.abs(function(speeds)) + np.abs(function(-speeds)))
    require(
        bool(np.all(np.isfinite(spread))) and np.max(spread) > 0,
        "A velocity profile must be finite and somewhere positive.",
    )
    scale = speeds[np.argmax(spread)]
    outer = scale * np.concatenate([[0.0], 2.0 ** np.arange(_DOUBLINGS)])
    # One panel straddles v = 0 and panels are cut in three, so that the pole of a real lambda,
    # which comes down on v = 0, never lands on a joint.
    ends = np.concatenate([-outer[:0:-1], outer[1:]])
    middles, halves = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    done_middles, done_halves = [], []
    largest = np.max(np.abs(function(np.concatenate([-speeds, [0.0], speeds]))))
    while middles.size:
        values = np.asarray(function(middles[:, None] + halves[:, None] * _NODES))
        tail = np.abs(values @ _TO_LEGENDRE[-3:].T).max(axis=1)
        # Resolved: the last coefficients are rounding, by height or (wide panels) by mass; or the
        # panel carries nothing; or a jump has been closed in.
        fine = tail < 8e-15 * np.minimum(largest, 1 / halves)
        fine |= halves * np.abs(values).max(axis=1) < 1e-17
        fine |= halves < 1e-12 * scale
        done_middles.append(middles[fine])
        done_halves.append(halves[fine])
        middles, halves = middles[~fine], np.repeat(halves[~fine] / 3, 3)
        middles = np.repeat(middles, 3) + halves * np.tile([-2.0, 0.0, 2.0], middles.size)
        if middles.size > 2000:
            raise InputError(
                "A velocity profile is not resolved by 2000 panels: the density must be smooth."
            )
    order = np.argsort(np.concatenate(done_middles))
    return np.concatenate(done_middles)[order], np.concatenate(done_halves)[order]
