"""Zeros of analytic functions, counted by the argument principle so that none is missed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from relaxon.core.errors import InputError

_LARGEST_TURN = 0.7
_MOST_POINTS = 200_000


def turning(function: Callable, path: Callable, start=0.0, stop=1.0, points: int = 33) -> float:
    """Total change of the argument of `function` along `path`, in units of 2 pi.

    Args:
        function: Analytic function, vectorised; without zeros on the path.
        path: Vectorised map of the parameter to the complex plane.
        start: First parameter.
        stop: Last parameter.
        points: Samples to start from; intervals are halved where the function turns by more than
            0.7 radians or changes its modulus by more than a factor of 2.7.

    Returns:
        The turning number, an integer to rounding on closed paths.

    Raises:
        InputError: The function has a zero on the path, or too near to it to be told apart.
    """
    t = np.linspace(start, stop, points)
    values = function(path(t))
    confirmed = False
    while True:
        # log f changes by `step` on each interval; its imaginary part is the turn.
        with np.errstate(all="ignore"):
            step = np.log(values[1:] / values[:-1])
        coarse = (np.abs(step.imag) > _LARGEST_TURN) | (np.abs(step.real) > 1.0)
        if not np.any(coarse):
            if confirmed:
                return float(np.sum(step.imag) / (2 * np.pi))
            # A full turn between two samples looks like none: halve every interval once more.
            coarse[:] = True
            confirmed = True
        else:
            confirmed = False
        narrow = np.any(np.diff(t)[coarse] < 1e-13 * abs(stop - start))
        if narrow or t.size > _MOST_POINTS or not np.all(np.isfinite(step)):
            raise InputError(
                "A zero lies on the path of the argument principle, or it overflows there."
            )
        middle = (t[:-1][coarse] + t[1:][coarse]) / 2
        t = np.concatenate([t, middle])
        values = np.concatenate([values, function(path(middle))])
        order = np.argsort(t)
        t, values = t[order], values[order]


def count_in_box(function: Callable, lower: complex, upper: complex) -> int:
    """Number of zeros, with multiplicity, in the rectangle with corners `lower` and `upper`."""
    corners = [lower, complex(upper.real, lower.imag), upper, complex(lower.real, upper.imag)]
    total = 0.0
    for a, b in zip(corners, corners[1:] + corners[:1]):
        total += turning(function, lambda t, a=a, b=b: a + t * (b - a))
    return round(total)


def zeros_in_box(function: Callable, lower: complex, upper: complex) -> np.ndarray:
    """All zeros in a rectangle, by bisection of the rectangle and the secant method.

    Args:
        function: Analytic in the closed rectangle, vectorised.
        lower: Corner with the smallest real and imaginary part.
        upper: Corner with the largest ones.

    Returns:
        The zeros, as many as the argument principle counts, rightmost first.

    Raises:
        InputError: A zero lies on the rectangle's boundary.
    """
    found: list[complex] = []
    boxes = [(lower, upper, count_in_box(function, lower, upper))]
    while boxes:
        a, b, number = boxes.pop()
        if number == 0:
            continue
        size = b - a
        if number == 1:
            zero = polished(function, (a + b) / 2, abs(size) / 50)
            if zero is not None and inside(zero, a, b):
                found.append(zero)
                continue
        # A multiple zero, or several that rounding does not tell apart.
        if abs(size) < 1e-9 * max(1.0, abs(a)):
            found.extend([(a + b) / 2] * number)
            continue
        boxes.extend(_halves(function, a, b, number))
    zeros = np.array(found, dtype=complex)
    return zeros[np.lexsort((zeros.imag, -zeros.real))]


def _halves(function, a, b, number):
    """The box cut across its longer side, at the first cut that meets no zero."""
    size = b - a
    for fraction in (0.5, 0.4713, 0.5381, 0.4427, 0.5719):
        if size.real >= size.imag:
            x = a.real + fraction * size.real
            first, second = (a, complex(x, b.imag)), (complex(x, a.imag), b)
        else:
            y = a.imag + fraction * size.imag
            first, second = (a, complex(b.real, y)), (complex(a.real, y), b)
        try:
            inner = count_in_box(function, *first)
        except InputError:
            continue
        return [(*first, inner), (*second, number - inner)]
    raise InputError("The box of the zero search cannot be cut without meeting a zero.")


def inside(zero: complex, lower: complex, upper: complex) -> bool:
    """Whether a point lies in the rectangle."""
    return bool(lower.real <= zero.real <= upper.real and lower.imag <= zero.imag <= upper.imag)


def polished(function: Callable, start: complex, spread: float) -> complex | None:
    """A zero near `start` by the secant method to rounding, or None if it does not settle."""
    # Off both axes: from a real pair of points the secant method stays real for real functions.
    x0, x1 = complex(start), complex(start) + spread * (0.8 + 0.6j)
    f0, f1 = complex(function(np.array(x0))), complex(function(np.array(x1)))
    for _ in range(60):
        if f1 == f0:
            return x1 if f1 == 0 else None
        move = f1 * (x1 - x0) / (f1 - f0)
        if not abs(move) < 1e3 * max(spread, abs(start)):
            return None
        x0, f0, x1 = x1, f1, x1 - move
        f1 = complex(function(np.array(x1)))
        if not np.isfinite(f1):
            return None
        if f1 == 0:
            return x1
        if abs(move) <= 2e-15 * max(1.0, abs(x1)):
            break
    # A huge earlier value makes the last move small without a zero: ask the slope as well.
    near = 1e-6 * max(spread, 1e-6)
    slope = (complex(function(np.array(x1 + near))) - f1) / near
    return x1 if abs(f1) <= 1e-11 * abs(slope) * max(1.0, abs(x1)) else None
