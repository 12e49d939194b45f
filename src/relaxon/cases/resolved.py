"""A case on the grid, and with the tolerance, that a wanted accuracy needs."""

from __future__ import annotations

import dataclasses
from typing import Any

from relaxon.cases.catalogue import Case, case
from relaxon.cases.rounds import rounds as attempts
from relaxon.core.errors import InputError, require
from relaxon.core.numbers import scalar, shown, whole
from relaxon.core.types import Real, Whole
from relaxon.runs.solution import Solution


@dataclasses.dataclass(frozen=True)
class Resolved:
    """A case that reaches an accuracy, and its solution.

    Attributes:
        case: The case, with the settings that were found.
        solution: Its solution.
        rounds: For every round the settings that were changed so far, and the error.
    """

    case: Case
    solution: Solution
    rounds: tuple[tuple[dict[str, Any], float], ...]

    def __str__(self) -> str:
        return "\n".join(f"error {error:.1e} with {_words(made)}" for made, error in self.rounds)


def resolved(problem: Case | str, accuracy: Real = 1e-4, rounds: Whole = 8) -> Resolved:
    """Refine a case until its estimated error is small enough.

    The error is that of the worst field, in L1 and relative, at the worst recorded time
    (`Solution.error`). A round makes better what makes the larger part of it: the grid, 1.5 times
    the points along every axis in a box 1.1 times as wide where it has a v_max, or the steps, a
    tenth of rtol. The case as it stands is the first round: start from a small one.

    Args:
        problem: A case, or the name of a ready-made one.
        accuracy: The largest relative error, in (0, 1).
        rounds: How many runs to try, at least 1.

    Raises:
        InputError: An argument outside its range, a run that does not reach its end, or an accuracy
            that is not reached in so many rounds or in the memory that there is.
    """
    start = case(problem) if isinstance(problem, str) else problem
    require(isinstance(start, Case), f"resolved needs a case, but got a {type(start).__name__}.")
    wanted, rounds = scalar(accuracy), whole("rounds", rounds, 1)
    require(0 < wanted < 1, f"accuracy must lie in (0, 1), but is {shown(accuracy)}.")
    start.require_numbers("resolved")
    found: list[tuple[dict[str, Any], float]] = []
    for tried in attempts(start, rounds):
        found.append((dict(tried.changes), tried.error))
        if tried.error <= wanted:
            return Resolved(tried.case, tried.solution, tuple(found))
    least = min(error for _, error in found)
    raise InputError(
        f"accuracy = {wanted:g} is not reached in {rounds} rounds: the least error is "
        f"{least:.1e}; start from a finer grid, or allow more rounds."
    )


def _words(settings: dict[str, Any]) -> str:
    named = [f"{name.partition('.')[2]} = {value:.4g}" for name, value in settings.items()]
    return ", ".join(named) or "the settings of the case"
