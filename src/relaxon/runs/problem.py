"""What to solve."""

from __future__ import annotations

import dataclasses
from typing import Any

from relaxon.core.equation import Equation
from relaxon.core.errors import require


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
        require(
            isinstance(self.equation, Equation),
            f"equation must be one such as Landau(), but is {self.equation!r}.",
        )
        self.equation.require_grid(self.grid)
        object.__setattr__(self, "f0", self.equation.checked_data(self.f0, self.grid))
