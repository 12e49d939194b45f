"""What to solve, how far and how accurately."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from relaxon.core.equation import Equation
from relaxon.core.errors import require
from relaxon.core.numbers import scalar, shown
from relaxon.grids.base import Grid

SHORTEST = 1e-290
"""Times below are zero: compiled code flushes the smallest numbers to it."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """An equation, the grid it is solved on, and the initial datum.

    Attributes:
        equation: For instance `relaxon.Landau()`.
        grid: A grid that the equation has an operator on.
        f0: Initial distribution: an array of the grid's shape, finite and >= 0 (for equations of
            several fields a mapping of such arrays, {"f": ..., "g": ...} for a reaction). The
            equation checks it, see `Equation.checked_data`.

    Raises:
        InputError: Wrong shape, NaN or negative values, an empty distribution, a box that cuts
            the distribution off, or a grid that the equation cannot use.
    """

    equation: Any
    grid: Any
    f0: Any

    def __post_init__(self) -> None:
        for name, kind, example, value in (
            ("equation", Equation, "Landau()", self.equation),
            ("grid", Grid, "RadialGrid()", self.grid),
        ):
            require(
                isinstance(value, kind),
                f"{name} must be one such as {example}, but is of type {type(value).__name__}; "
                "the order is Problem(equation, grid, f0).",
            )
        self.equation.require_grid(self.grid)
        object.__setattr__(self, "f0", self.equation.checked_data(self.f0, self.grid))


def end_time(t_end: Any) -> float:
    """`t_end` as a float, or an `InputError` if a run cannot end there."""
    end = scalar(t_end)
    require(0 <= end < math.inf, f"t_end must be finite and >= 0, but is {shown(t_end)}.")
    require(
        end == 0 or end >= SHORTEST,
        f"t_end must be 0 or at least {SHORTEST:g}, but is {shown(t_end)}.",
    )
    return end


def tolerance(rtol: Any) -> float:
    """`rtol` as a float in (0, 0.1], or an `InputError`."""
    found = scalar(rtol)
    require(0 < found <= 0.1, f"rtol must lie in (0, 0.1], but is {shown(rtol)}.")
    return found
