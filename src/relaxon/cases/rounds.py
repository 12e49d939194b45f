"""A case solved again and again, on finer grids or with smaller steps, whichever is worth more."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from relaxon.core.errors import InputError
from relaxon.grids.companions import even
from relaxon.runs.error import GRID, TIME
from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status

FINER, WIDER, SHARPER = 1.5, 1.1, 0.1
"""What points along an axis, boxes of velocities and rtol are multiplied with in a round."""

SHARPEST = 1e-12
"""The smallest rtol."""


@dataclasses.dataclass(frozen=True)
class Round:
    """One of the rounds.

    Attributes:
        case: The case with the settings of the round.
        changes: Its settings that are not those of the start, by key.
        solution: Its solution.
        error: The error of the worst field, in L1 and relative, at the worst recorded time.
    """

    case: Any
    changes: Mapping[str, Any]
    solution: Solution
    error: float


def rounds(
    start: Any,
    most: int,
    only: Collection[str] = (),
    progress: bool = False,
) -> Iterator[Round]:
    """At most so many rounds, each with settings that make smaller what is the larger error.

    Args:
        start: The case, which is the first round.
        most: How many rounds.
        only: Settings of the grid that may be raised; all if there are none.
        progress: Show the progress of every run.

    Raises:
        InputError: A run that does not reach its end, or no memory for the next one.
    """
    changes: dict[str, Any] = {}
    for _ in range(most):
        tried = start.changed(changes) if changes else start
        solution = tried.solve(progress)
        if solution.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        if not solution.ok:
            raise InputError(
                f"{start.name} ends with {solution.status.name} at t = {solution.t[-1]:.4g} and "
                f"not at t = {start.t_end:g}; take a smaller t_end."
            )
        parts = {source: worst(solution, source) for source in (GRID, TIME)}
        yield Round(tried, changes, solution, sum(parts.values()))
        changes = {**changes, **better(tried, parts[GRID] >= parts[TIME], only)}


def worst(solution: Solution, source: str) -> float:
    """The largest relative error of any field at any time that comes from "grid" or "time"."""
    error = solution.error
    return max(
        float(np.max(error.part(name, source) / np.maximum(size, 1e-300)))
        for name, size in error.sizes.items()
    )


def better(tried: Any, grid: bool, only: Collection[str] = ()) -> dict[str, Any]:
    """Settings that make the grid, or else the steps, of a case better."""
    if not grid:
        return {"run.rtol": max(tried.rtol * SHARPER, SHARPEST)}
    found: dict[str, Any] = {}
    settings, space = tried.settings["grid"], tried.problem.grid
    for name in space.refines:
        if not only or name in only:
            size = settings.get(name, getattr(space, name, None))
            found[f"grid.{name}"] = even(size * FINER)
    if "v_max" in (only or settings):
        found["grid.v_max"] = settings["v_max"] * WIDER
    return found
