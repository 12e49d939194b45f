"""Fits with uncertainties: exponents for the checks, curves through recorded values for reports.

The checks measure exponents over families and windows, with the local exponent as a witness;
reports fit a whole curve, prefactor and all, that can be drawn.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from relaxon.core.errors import require

POWERS = 0.05, 2.0
"""Where the power of a stretched exponential is looked for."""


@dataclasses.dataclass(frozen=True)
class Fit:
    """An exponent with its uncertainty.

    Attributes:
        value: The exponent.
        error: Root of the sum of squares of the three parts below.
        scatter: Standard error of the regression.
        drift: Largest distance of the local exponent from the value: zero for an exact law.
        discretisation: What the errors of the data can do to the exponent, all conspiring.
        prefactor: C in C x^p, lambda in exp(-lambda t^p), C in C (t* - t)^-q.
        x: Where the local exponent is given.
        local: The local exponent.
    """

    value: float
    error: float
    scatter: float
    drift: float
    discretisation: float
    prefactor: float
    x: np.ndarray
    local: np.ndarray

    def over(self, unit: float) -> Fit:
        """The exponent in units of another one, as in p / (d - a)."""
        return dataclasses.replace(self, value=self.value / unit, error=self.error / abs(unit))

    def __str__(self) -> str:
        return f"{self.value:.4f} +- {self.error:.4f}"


def total(*parts: float) -> float:
    """Independent errors together: the root of the sum of squares."""
    return float(np.sqrt(np.sum(np.square(parts))))


def refined(values: Any, sizes: Any, order: float | None = None) -> tuple[float, float]:
    """Value and error from grids of increasing size.

    With three grids the order is observed; Richardson's step is taken only if the observed order
    is at least 1, and the error is the size of the last step. With two the error is the
    difference, divided by (ratio^order - 1) if the order is given.

    Args:
        values: The quantity on two or three grids, coarsest first.
        sizes: Numbers of cells, increasing.
        order: Known order of convergence.

    Returns:
        (value on the finest grid, error >= 0), never smaller than 1e-15 relative.
    """
    values, sizes = np.asarray(values, float), np.asarray(sizes, float)
    require(len(values) == len(sizes) and len(values) >= 2, "Refinement needs two grids or more.")
    last = abs(values[-1] - values[-2])
    ratio = sizes[-1] / sizes[-2]
    error = last
    if order is not None:
        error = last / (ratio**order - 1)
    elif len(values) > 2 and last > 0:
        before = abs(values[-2] - values[-3])
        observed = np.log(max(before, 1e-300) / last) / np.log(ratio)
        if observed >= 1:
            # An observed order above 4 is not trusted to go on.
            error = last / (ratio ** min(observed, 4.0) - 1)
    return float(values[-1]), float(max(error, 1e-15 * abs(values[-1])))


def power_law(x: Any, y: Any, y_error: Any = None) -> Fit:
    r"""Weighted least squares for $ y = C x^p $ in logarithms.

    Args:
        x: Abscissae > 0, at least three.
        y: Values > 0.
        y_error: Errors of y; the weights are those of independent errors plus a common scatter.

    Returns:
        The exponent p. Its error holds the scatter of the fit, the largest distance of the local
        slope between neighbours, and the largest change that errors of size `y_error` can make.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    order = np.argsort(x)
    log_x, log_y = np.log(x[order]), np.log(y[order])
    noise = np.zeros_like(y) if y_error is None else np.abs(np.asarray(y_error, float)[order])
    noise = noise / y[order]
    require(len(x) >= 3, f"A power law needs at least three points, but got {len(x)}.")
    weight = np.ones_like(log_x)
    # The scatter common to all points comes out of the fit that it weighs: three rounds settle it.
    for _ in range(3):
        slope, intercept, influence, spread = _line(log_x, log_y, weight)
        variance = noise**2 + spread**2
        weight = 1.0 / np.maximum(variance, 1e-32)
        weight = weight / weight.max()
    # Each y_i moves the slope by influence_i: independently for the scatter, all in the worst
    # direction for the errors of the data.
    scatter = float(spread * np.sqrt(np.sum(influence**2)))
    local = np.diff(log_y) / np.diff(log_x)
    drift = float(np.max(np.abs(local - slope)))
    discretisation = float(np.sum(np.abs(influence) * noise))
    middle = np.exp((log_x[1:] + log_x[:-1]) / 2)
    error = total(scatter, drift, discretisation)
    prefactor = float(np.exp(intercept))
    return Fit(float(slope), error, scatter, drift, discretisation, prefactor, middle, local)


def exponential_rate(t: Any, y: Any, start: float = 0.0) -> float:
    """The lambda of y ~ exp(-lambda t) for t >= start by least squares; NaN without two values.

    Args:
        t: Times.
        y: Values; those that are not positive are left out.
        start: Where the fitted window begins.
    """
    t, y = np.asarray(t, float), np.asarray(y, float)
    late = (t >= start) & (y > 0)
    if np.sum(late) < 2:
        return float("nan")
    return float(-np.polyfit(t[late], np.log(y[late]), 1)[0])


def tail_rate(
    t: Any, y: Any, start: float = 0.0, beyond: float | None = None
) -> tuple[float, float]:
    r"""The lambda of $ y \sim e^{-\lambda t} $ for t >= start, with its error.

    With `beyond` = g the law is $ y = C e^{-\lambda t} (1 + B e^{-2 g t} + ...) $, which the slopes
    s_1, s_2 of the two halves of the window approach as a geometric series: with q the ratio of
    its terms, $e^{-2 g}$ to the power of the distance of the halves,
    $ \lambda = s_2 + (s_2 - s_1) q / (1 - q) $.

    Args:
        t: Times.
        y: Values; those that are not positive are left out.
        start: Where the fitted window begins.
        beyond: g; None or little data for a plain exponential.

    Returns:
        The rate and its error: half the change between the halves, and the step to the limit.
        NaN without two values, the error without four.
    """
    plain = exponential_rate(t, y, start)
    t, y = np.asarray(t, float), np.asarray(y, float)
    late = np.flatnonzero((t >= start) & (y > 0))
    if len(late) < 4:
        return plain, float("nan")
    halves = np.array_split(late, 2)
    first, second = (exponential_rate(t[part], y[part]) for part in halves)
    change = abs(second - first) / 2
    if beyond is None:
        return plain, change
    q = np.exp(-2.0 * beyond * (t[halves[1]].mean() - t[halves[0]].mean()))
    rate = float(second + (second - first) * q / -np.expm1(np.log(q))) if q > 0 else second
    return rate, max(change, abs(rate - second))


def algebraic_exponent(t: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """-d log(norm)/d log(t), local exponents of a power law, at the times t."""
    _check_series(t, norms)
    return -np.gradient(np.log(norms), np.log(t))


def stretched_exponent(t: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """p(t) of norm ~ exp(-c t^p): the local slope of log(-d log(norm)/dt) in log(t), plus one.

    The derivative of log(norm) is taken first, so a constant factor of the norm has no influence.
    """
    _check_series(t, norms)
    rate = -np.gradient(np.log(norms), np.log(t)) / t
    return 1 + np.gradient(np.log(rate), np.log(t))


def _check_series(t: np.ndarray, norms: np.ndarray) -> None:
    good = len(t) == len(norms) >= 3 and bool(np.all(np.diff(norms) < 0)) and norms[-1] > 0
    require(good, "norms must be at least 3 positive, decreasing values, one for each time.")


def golden_section(
    function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-10
) -> float:
    """Where a function with one minimum between low and high has it.

    The interval shrinks to `tolerance` times its larger end; what is returned is its middle. The
    value there is then exact to rounding, the place to about the root of rounding.
    """
    part = (np.sqrt(5.0) - 1) / 2
    left, right = high - part * (high - low), low + part * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > tolerance * max(abs(low), abs(high)):
        if at_left > at_right:
            low, left, at_left = left, right, at_right
            right = low + part * (high - low)
            at_right = function(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - part * (high - low)
            at_left = function(left)
    return (low + high) / 2


def stretched_power(t: Any, y: Any, window: tuple[float, float], decades: float = 1.0) -> Fit:
    r"""The exponent p of $ |y| \sim e^{-\lambda t^p} $ from the rate of decay.

    With $ R = -d \log y / d \log t = \lambda p t^p $ the slope of log R against log t is p, with
    no constant to be known. It is fitted over the window and, for the drift, over sliding parts
    of it.

    Args:
        t: Times > 0, increasing.
        y: Values > 0.
        window: (first, last) time of the fit.
        decades: Length of a sliding part, in decades of t.

    Returns:
        The exponent p over the window; `local` is p over the sliding parts (at their middle),
        and the drift its largest distance from p: in the asymptotic regime it is small.
    """
    t, y = np.asarray(t, float), np.asarray(y, float)
    t, y = t[y > 0], y[y > 0]
    log_t = np.log(t)
    # R of the formula above: for an exact law log R is a line with slope p and intercept log(lambda
    # p).
    rate = -np.gradient(np.log(y), log_t)
    inside = (t >= window[0]) & (t <= window[1]) & (rate > 0)
    require(
        int(inside.sum()) >= 5,
        f"Fewer than five times lie in the window {window[0]:g} .. {window[1]:g}.",
    )
    s, log_rate = log_t[inside], np.log(rate[inside])
    slope, intercept, influence, spread = _line(s, log_rate, np.ones_like(s))
    half = decades * np.log(10.0) / 2
    centres = [c for c in s if c - half >= s[0] - 1e-9 and c + half <= s[-1] + 1e-9]
    local = []
    for c in centres:
        part = np.abs(s - c) <= half + 1e-9
        local.append(_line(s[part], log_rate[part], np.ones(int(part.sum())))[0])
    local_array = np.asarray(local if local else [slope])
    scatter = float(spread * np.sqrt(np.sum(influence**2)))
    drift = float(np.max(np.abs(local_array - slope)))
    return Fit(
        float(slope),
        total(scatter, drift),
        scatter,
        drift,
        0.0,
        float(np.exp(intercept) / slope),
        np.exp(np.asarray(centres if centres else [s.mean()])),
        local_array,
    )


def _line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple:
    """Slope, intercept, influence of each y on the slope, and rms residual of a weighted line."""
    w = weight / weight.sum()
    mean_x, mean_y = np.sum(w * x), np.sum(w * y)
    spread_x = np.sum(w * (x - mean_x) ** 2)
    influence = w * (x - mean_x) / spread_x
    slope = float(np.sum(influence * y))
    residual = y - mean_y - slope * (x - mean_x)
    free = max(len(x) - 2, 1)
    rms = float(np.sqrt(np.sum(w * residual**2) * len(x) / free))
    return slope, float(mean_y - slope * mean_x), influence, rms


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
        at_bound: Whether p is an end of the range 0.05 ... 2 that it was looked for in: then the
            values are no stretched exponential there, and p and its error mean nothing.
    """

    power: float
    error: float
    rate: float
    scale: float
    prefactor: float
    start: float
    at_bound: bool = False

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """The fitted curve."""
        return np.exp(self.scale + self.prefactor * np.log(t) - self.rate * t**self.power)


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
    # The spread over these windows is what the exponent is uncertain by.
    for begin, prefactor in ((start, True), (start, False), (2 * start, True), (2 * start, False)):
        window = t >= begin
        if np.sum(window) >= 8:
            powers.append(_stretched(t[window], np.log(y[window]), prefactor))
    if not powers:
        return None
    power, rate, scale, exponent = powers[0]
    spread = max(p[0] for p in powers) - min(p[0] for p in powers)
    at_bound = min(abs(power - end) for end in POWERS) < 1e-4
    return StretchedExponential(power, spread / 2, rate, scale, exponent, float(start), at_bound)


def _stretched(t: np.ndarray, log_y: np.ndarray, prefactor: bool) -> tuple[float, ...]:
    """p by minimisation, the rest by linear least squares inside it."""
    from scipy.optimize import minimize_scalar

    def linear(power: float) -> tuple[float, np.ndarray]:
        # In units of the last time the columns are of one size, whatever the power.
        scaled = (t / t[-1]) ** power
        columns = [np.ones_like(t), -scaled] + ([np.log(t)] if prefactor else [])
        matrix = np.stack(columns, axis=1)
        solution, *_ = np.linalg.lstsq(matrix, log_y, rcond=None)
        return float(np.sum((matrix @ solution - log_y) ** 2)), solution

    found = minimize_scalar(
        lambda p: linear(p)[0], bounds=POWERS, method="bounded", options={"xatol": 1e-10}
    )
    power = float(found.x)
    solution = linear(power)[1]
    rate = float(solution[1]) / t[-1] ** power
    return power, rate, float(solution[0]), float(solution[2]) if prefactor else 0.0


def local_power(t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""The exponent p along $ y \sim e^{-\lambda t^p} $, by differences of neighbours.

    $$ p(t) = \frac{d}{d \log t} \log \Big( -\frac{d \log y}{d \log t} \Big) $$

    Args:
        t: Times > 0, increasing.
        y: Values > 0; where they grow they are left out.

    Returns:
        Times between the given ones, and p at them.
    """
    x, log_y = np.log(t), np.log(y)
    rate = -np.diff(log_y) / np.diff(x)
    middle = (x[1:] + x[:-1]) / 2
    good = rate > 0
    middle, rate = middle[good], rate[good]
    return np.exp((middle[1:] + middle[:-1]) / 2), np.diff(np.log(rate)) / np.diff(middle)
