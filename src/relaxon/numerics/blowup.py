r"""The law $ y = C (t^* - t)^{-q} $ of growth towards a time of blow-up.

The law is a limit: $ y = C \tau^{-q} (1 + O(\tau^s)) $ with $\tau = t^* - t$, so a fit over all of
a run misses q by far more than its scatter. Here q comes from windows that slide towards the end,
and what the last slide changed is its error; t* then is where $ y^{-1/q} $, which is nearly linear
in t, vanishes.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from relaxon.numerics.fits import golden_section, total

DECADES, SLIDE = 2.0, 1.0
"""Width of a window and distance of two windows, in decades of y."""

FEWEST = 5
"""Values in a window."""


@dataclasses.dataclass(frozen=True)
class Blowup:
    """y = amplitude (time - t)^-power, fitted to the end of the growth.

    Attributes:
        time: The blow-up time t*.
        time_error: Its uncertainty: what the curvature of y^(-1/q) and the error of q make of it.
            The error of the values themselves is not in it; refine the run for that.
        power: The exponent q; 1 for dy/dt = c y^2.
        error: Its uncertainty: scatter, and the change from the window before.
        amplitude: The prefactor.
        start: Where the fitted window begins.
        windows: First values of y of all windows, in order.
        powers: q over them.
    """

    time: float
    time_error: float
    power: float
    error: float
    amplitude: float
    start: float
    windows: np.ndarray
    powers: np.ndarray

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """The fitted curve."""
        return self.amplitude * (self.time - t) ** -self.power


def blowup(t: np.ndarray, y: np.ndarray) -> Blowup | None:
    """Fit amplitude (t* - t)^-q to the end of a growing y(t).

    Windows of two decades of y slide towards the end by one; that with the least error is taken.
    A remainder that falls at least by half from one to the next is inside the error.

    Args:
        t: Times, increasing.
        y: Positive values.

    Returns:
        The fit, or None if fewer than two windows hold five values.
    """
    t, y = np.asarray(t, float), np.asarray(y, float)
    level = np.log10(y)
    growing = np.arange(len(y)) >= int(np.argmin(y))
    found = []
    for top in np.arange(level[-1], level[0] + DECADES - 1e-9, -SLIDE)[::-1]:
        inside = growing & (level >= top - DECADES - 1e-9) & (level <= top + 1e-9)
        if np.sum(inside) >= FEWEST:
            _, power, _, residual = approach(t[inside], np.log(y[inside]))
            # Both ends of a window lie within two decades: its slope scatters by about this.
            scatter = power * residual / np.sqrt(np.sum(inside))
            found.append((inside, power, scatter))
    if len(found) < 2:
        return None
    powers = np.array([power for _, power, _ in found])
    scatters = np.array([scatter for _, _, scatter in found])
    errors = np.hypot(scatters[1:], np.diff(powers))
    best = int(np.argmin(errors)) + 1
    inside, power, _ = found[best]
    time, time_error, amplitude = _vanishing(t[inside], y[inside], power, float(errors[best - 1]))
    return Blowup(
        time,
        time_error,
        float(power),
        float(errors[best - 1]),
        amplitude,
        float(t[inside][0]),
        np.array([y[one][0] for one, _, _ in found]),
        powers,
    )


def _vanishing(
    t: np.ndarray, y: np.ndarray, power: float, error: float
) -> tuple[float, float, float]:
    """t* with its error, and the prefactor: t as a polynomial of w = y^(-1/q), at w = 0."""

    def end(power: float, degree: int) -> np.ndarray:
        """Coefficients of t - t[-1] in powers of w over its largest value, constant last."""
        w = (y / y[0]) ** (-1.0 / power)
        # Relative to w: the last values are the nearest ones, and count most.
        return np.polyfit(w, t - t[-1], degree, w=1.0 / w)

    line, curve = end(power, 1), end(power, 2)
    moved = max(abs(end(power + step, 2)[-1] - curve[-1]) for step in (-error, error))
    time_error = total(float(curve[-1] - line[-1]), float(moved), float(np.spacing(t[-1])))
    # t* - t = -slope w near the end.
    amplitude = y[0] * float(-curve[-2]) ** power
    return float(t[-1] + curve[-1]), time_error, float(amplitude)


def approach(t: np.ndarray, log_y: np.ndarray) -> tuple[float, float, float, float]:
    """The law y = C (t* - t)^-q of least squares in log y.

    Args:
        t: Times before t*, increasing.
        log_y: Logarithms of the values.

    Returns:
        (t*, q, C, rms residual): t* by golden section over log(t* - t_last), from a thousandth of
        the shortest step to a thousand of the longest, the rest linear inside it.
    """
    last, steps = t[-1], np.diff(t)

    def linear(log_gap: float) -> tuple[float, np.ndarray]:
        matrix = np.stack([np.ones_like(t), -np.log(last + np.exp(log_gap) - t)], axis=1)
        solution, *_ = np.linalg.lstsq(matrix, log_y, rcond=None)
        return float(np.mean((matrix @ solution - log_y) ** 2)), solution

    low, high = np.log(max(1e-3 * steps.min(), 1e-15 * last)), np.log(1e3 * steps.max())
    # The residual may have several minima over the decades of the gap: first a grid, then one
    # valley.
    grid = np.linspace(low, high, 200)
    best = int(np.argmin([linear(g)[0] for g in grid]))
    ends = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    gap = golden_section(lambda g: linear(g)[0], *ends, tolerance=1e-14)
    square, solution = linear(gap)
    time = float(last + np.exp(gap))
    return time, float(solution[1]), float(np.exp(solution[0])), float(np.sqrt(square))
