"""Fits of rates to recorded values, each with the spread over windows as its uncertainty."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class StretchedExponential:
    """y = exp(a) t^b exp(-rate t^power), fitted for t >= start.

    Attributes:
        power: The exponent p.
        error: Half the spread of p over later and shorter windows, with and without t^b.
        rate: lambda.
        scale: a.
        prefactor: b.
        start: Where the fitted window begins.
    """

    power: float
    error: float
    rate: float
    scale: float
    prefactor: float
    start: float

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """The fitted curve."""
        return np.exp(self.scale + self.prefactor * np.log(t) - self.rate * t**self.power)


@dataclasses.dataclass(frozen=True)
class Blowup:
    """y = amplitude (time - t)^-power, fitted to the last decades of growth.

    Attributes:
        time: The blow-up time.
        power: The exponent q; 1 for dy/dt = c y^2.
        error: Half the spread of q over windows.
        amplitude: The prefactor.
        start: Where the fitted window begins.
    """

    time: float
    power: float
    error: float
    amplitude: float
    start: float

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """The fitted curve."""
        return self.amplitude * (self.time - t) ** -self.power


def stretched_exponential(t: np.ndarray, y: np.ndarray) -> StretchedExponential | None:
    """Fit exp(a) t^b exp(-rate t^p) to a decaying positive y(t).

    Args:
        t: Times, increasing.
        y: Values; those that are not positive are left out.

    Returns:
        The fit over the last decade and a half of t in which y has fallen by at least 1e3, or None
        if y does not fall by ten decades (a power of t would fit as well).
    """
    keep = (t > 0) & (y > 0)
    t, y = t[keep], y[keep]
    if len(t) < 12 or y[-1] > 1e-10 * y[0]:
        return None
    start = max(t[-1] / 10**1.5, t[np.argmax(y < 1e-3 * y[0])])
    powers = []
    for begin, prefactor in ((start, True), (start, False), (2 * start, True), (2 * start, False)):
        window = t >= begin
        if np.sum(window) >= 8:
            powers.append(_stretched(t[window], np.log(y[window]), prefactor))
    if not powers:
        return None
    power, rate, scale, exponent = powers[0]
    spread = max(p[0] for p in powers) - min(p[0] for p in powers)
    return StretchedExponential(power, spread / 2, rate, scale, exponent, float(start))


def blowup(t: np.ndarray, y: np.ndarray) -> Blowup | None:
    """Fit amplitude (t* - t)^-q to a growing y(t).

    Args:
        t: Times, increasing.
        y: Positive values.

    Returns:
        The fit to the last decades of growth, or None if fewer than five recorded values lie there.
    """
    growth = y / y[0]
    fits = []
    for least in (1e2, 1e3, 1e1):
        window = growth > least
        if np.sum(window) >= 5:
            fits.append((*_power(t[window], np.log(y[window])), float(t[window][0])))
    if not fits:
        return None
    time, power, amplitude, start = fits[0]
    spread = max(f[1] for f in fits) - min(f[1] for f in fits)
    return Blowup(time, power, spread / 2, amplitude, start)


def _stretched(t: np.ndarray, log_y: np.ndarray, prefactor: bool) -> tuple[float, ...]:
    """p by minimisation, the rest by linear least squares inside it."""
    from scipy.optimize import minimize_scalar

    def linear(power: float) -> tuple[float, np.ndarray]:
        scaled = (t / t[-1]) ** power
        columns = [np.ones_like(t), -scaled] + ([np.log(t)] if prefactor else [])
        matrix = np.stack(columns, axis=1)
        solution, *_ = np.linalg.lstsq(matrix, log_y, rcond=None)
        return float(np.sum((matrix @ solution - log_y) ** 2)), solution

    bounds = (0.05, 2.0)
    found = minimize_scalar(
        lambda p: linear(p)[0], bounds=bounds, method="bounded", options={"xatol": 1e-10}
    )
    power = float(found.x)
    solution = linear(power)[1]
    rate = float(solution[1]) / t[-1] ** power
    return power, rate, float(solution[0]), float(solution[2]) if prefactor else 0.0


def _power(t: np.ndarray, log_y: np.ndarray) -> tuple[float, float, float]:
    """(t*, q, amplitude): t* by minimisation over log(t* - t_last), the rest linear inside it."""
    from scipy.optimize import minimize_scalar

    last, steps = t[-1], np.diff(t)

    def linear(log_gap: float) -> tuple[float, np.ndarray]:
        matrix = np.stack([np.ones_like(t), -np.log(last + np.exp(log_gap) - t)], axis=1)
        solution, *_ = np.linalg.lstsq(matrix, log_y, rcond=None)
        return float(np.sum((matrix @ solution - log_y) ** 2)), solution

    low, high = np.log(max(1e-3 * steps.min(), 1e-15 * last)), np.log(1e3 * steps.max())
    grid = np.linspace(low, high, 200)
    best = int(np.argmin([linear(g)[0] for g in grid]))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    found = minimize_scalar(lambda g: linear(g)[0], bounds=bounds, method="bounded")
    solution = linear(float(found.x))[1]
    return float(last + np.exp(found.x)), float(solution[1]), float(np.exp(solution[0]))
