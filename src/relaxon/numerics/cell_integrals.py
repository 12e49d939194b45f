r"""Integrals of a function over cells, whatever it does inside them: jumps, kinks, plateaus.

On a line jumps are found first, by bisection to the last bit between neighbouring samples; between
them Gauss panels are halved until they settle. In boxes of more dimensions the cells that a jump
crosses are halved along every axis while a number of boxes allows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from relaxon.numerics.legendre import gauss_legendre, legendre_values, to_legendre

ORDER = 12
"""Gauss nodes on a panel of a line."""

ROUGH_LINE, ROUGH_BOX = 1e-8, 2e-2
"""Error of the polynomial of a cell, over the largest value, from which on the cell is rough. In
boxes few nodes stand along an axis, and a cell may be as wide as a Gaussian: only jumps count."""

SETTLED = 1e-15
"""Change by one halving, over the largest value and all cells, at which a panel is left alone."""

INSIDE, UNSEEN = 1e-9, 0.02
"""How far inside a panel its ends are looked at; the part of its half width beyond the nodes."""

SAMPLES = 64
"""Samples of a cell between which jumps are looked for."""

AXIS, CHUNK = 4, 4096
"""Gauss nodes along an axis of a cube; cubes that are looked at together."""

BOXES = 60_000
"""Most cubes, or panels, of one size."""


class CellIntegrals(NamedTuple):
    """Integrals over cells.

    Attributes:
        values: One a cell.
        error: Estimated error of their sum.
        rough: Cells in which the function is not smooth.
    """

    values: np.ndarray
    error: float
    rough: np.ndarray


Function = Callable[[np.ndarray], np.ndarray]


def integrals_on_line(function: Function, faces: np.ndarray) -> CellIntegrals:
    """Integrals over the cells between neighbouring faces.

    Args:
        function: Vectorised, finite.
        faces: Increasing, shape (n + 1,).

    Accuracy: with jumps and kinks 1e-14 of the sum (tests/unit/numerics/test_cell_integrals.py).
    What does not settle on `BOXES` panels, such as noise, is left with the error that it has.
    """
    values, change, size, ends = _panels(function, faces[:-1], faces[1:])
    rough = change > ROUGH_LINE * size * np.diff(faces)
    # A jump so close to a face that no node saw it: values and slopes of neighbours do not meet.
    apart = np.max(np.abs(ends[1:, 0] - ends[:-1, 1]), axis=1) > 1e2 * ROUGH_LINE * size
    rough[1:] |= apart
    rough[:-1] |= apart
    wide = widened(rough)
    jumps = _jumps(function, faces[:-1][wide], faces[1:][wide], 1e-6 * size)
    edges = np.unique(np.concatenate([faces, jumps]))
    cells = np.searchsorted(faces, edges[:-1], side="right") - 1
    fresh = wide[cells]
    low, high, cells = edges[:-1][fresh], edges[1:][fresh], cells[fresh]
    values[wide] = 0.0
    error, total = 0.0, size * float(faces[-1] - faces[0])
    while len(low):
        found, change, _, _ = _panels(function, low, high)
        narrow = high - low < 1e-15 * np.maximum(np.abs(low), np.abs(high))
        done = (change <= SETTLED * total) | narrow | (len(low) > BOXES)
        np.add.at(values, cells[done], found[done])
        error += float(change[done].sum())
        low, high, cells = low[~done], high[~done], cells[~done]
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        cells = np.concatenate([cells, cells])
    return CellIntegrals(values, error + SETTLED * total, rough)


def integrals_in_boxes(function: Function, centres: np.ndarray, width: float) -> CellIntegrals:
    """Integrals over cubes.

    A cube is halved along every axis where the polynomial of its nodes is off by `ROUGH_BOX` of the
    largest value at its centre, corners, or the middles of edges and faces, while that makes at
    most `BOXES` of them.

    Args:
        function: Of points, shape `(..., d)`, vectorised and finite.
        centres: Centres of the cubes, shape (n, d).
        width: Their width.

    Accuracy: the disc of radius 1 in d = 2 to 1e-8 .. 1e-6, the ball in d = 3 to 1e-4; the error
    is that of as many cut cubes as are left, independent of each other.
    """
    n, d = centres.shape
    signs = np.stack(np.meshgrid(*[[-0.25, 0.25]] * d, indexing="ij"), -1).reshape(-1, d)
    values, rough = np.zeros(n), np.zeros(n, bool)
    cells, middles, side, size, square = np.arange(n), centres, width, 0.0, 0.0
    while len(cells):
        found, off, largest = _cubes(function, middles, side)
        size = max(size, largest)
        going = off > ROUGH_BOX * size
        if side == width:
            rough = going
        if np.count_nonzero(going) * len(signs) > BOXES:
            square = float(np.sum((0.25 * off[going] * side**d) ** 2))
            going = np.zeros_like(going)
        np.add.at(values, cells[~going], found[~going])
        cells = np.repeat(cells[going], len(signs))
        middles, side = (middles[going][:, None] + side * signs).reshape(-1, d), side / 2
    return CellIntegrals(values, float(np.sqrt(square)), rough)


def widened(rough: np.ndarray) -> np.ndarray:
    """Cells that are marked, or have a neighbour along an axis that is."""
    found = rough.copy()
    for axis in range(rough.ndim):
        line, out = np.moveaxis(rough, axis, 0), np.moveaxis(found, axis, 0)
        out[1:] |= line[:-1]
        out[:-1] |= line[1:]
    return found


def _panels(function: Function, low: np.ndarray, high: np.ndarray) -> tuple:
    """Integrals by halves, their change from the whole, the largest value, and the ends.

    The ends are value and slope times width of the polynomial at low and at high, `(n, 2, 2)`.
    """
    nodes, weights = gauss_legendre(ORDER)
    middle, half = (low + high)[:, None] / 2, (high - low)[:, None] / 2
    whole = function(middle + half * nodes)
    left, right = (function(middle + half * (nodes + s) / 2) for s in (-1.0, 1.0))
    finer = half[:, 0] / 2 * ((left + right) @ weights)
    series = whole @ to_legendre(ORDER).T
    at = legendre_values(np.array([-1.0, 1.0]), ORDER)
    # What no node sees, between the last one and the end: the value there tells.
    seen = function(middle + half * np.array([-1.0, 1.0]) * (1 - INSIDE))
    unseen = UNSEEN * half[:, 0] * np.max(np.abs(series @ at.T - seen), axis=1)
    change = np.abs(finer - half[:, 0] * (whole @ weights)) + unseen
    # P_k'(+-1) = (+-1)^(k-1) k (k + 1)/2, in units of half the width.
    k = np.arange(ORDER)
    rise = np.stack([(-1.0) ** (k + 1), np.ones(ORDER)]) * k * (k + 1)
    ends = np.stack([series @ at.T, series @ rise.T], axis=-1)
    size = max(float(np.max(np.abs(part), initial=0.0)) for part in (whole, left, right))
    return finer, change, size, ends


def _jumps(function: Function, low: np.ndarray, high: np.ndarray, least: float) -> np.ndarray:
    """Where the function jumps by more than `least` in the cells from low to high."""
    x = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, SAMPLES + 1)
    y = function(x)
    far = np.abs(np.diff(y)) > least
    a, b, left, right = x[:, :-1][far], x[:, 1:][far], y[:, :-1][far], y[:, 1:][far]
    first = np.abs(right - left)
    while len(a):
        middle = 0.5 * (a + b)
        # A jump keeps its height as the interval shrinks, anything else loses it.
        kept = np.abs(right - left) > 1e-3 * first
        closed = ~((a < middle) & (middle < b))
        if np.all(closed | ~kept):
            return b[kept]
        a, b, left, right = (part[kept] for part in (a, b, left, right))
        first, middle = first[kept], middle[kept]
        value = function(middle)
        # Into the half that holds more of the difference; an interval that is closed stays.
        lower = np.abs(value - left) > np.abs(right - value)
        b, right = np.where(lower, middle, b), np.where(lower, value, right)
        a, left = np.where(lower, a, middle), np.where(lower, left, value)
    return b


def _cubes(function: Function, middles: np.ndarray, side: float) -> tuple:
    """Integrals over cubes, how far the polynomials of their nodes are off, the largest value."""
    d = middles.shape[1]
    nodes, weights = gauss_legendre(AXIS)
    line = np.array([-1.0, 0.0, 1.0])
    reach = legendre_values(line, AXIS) @ to_legendre(AXIS)
    rule, extend = np.ones(1), np.ones((1, 1))
    for _ in range(d):
        rule, extend = np.kron(rule, weights), np.kron(extend, reach)
    inner, outer = (
        side / 2 * np.stack(np.meshgrid(*[x] * d, indexing="ij"), -1).reshape(-1, d)
        for x in (nodes, line * (1 - INSIDE))
    )
    found, off, largest = np.empty(len(middles)), np.empty(len(middles)), 0.0
    for first in range(0, len(middles), CHUNK):
        part = slice(first, first + CHUNK)
        values = function(middles[part][:, None] + inner)
        seen = function(middles[part][:, None] + outer)
        found[part] = (side / 2) ** d * (values @ rule)
        off[part] = np.max(np.abs(values @ extend.T - seen), axis=1)
        largest = max(largest, float(np.max(np.abs(values))), float(np.max(np.abs(seen))))
    return found, off, largest
