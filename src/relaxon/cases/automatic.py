"""Settings of a grid that are "auto": chosen for a wanted accuracy.

A case starts on a coarse grid, `starts`, and goes through `rounds`, in which nothing but the
automatic settings and rtol change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from relaxon.cases.rounds import Round, rounds
from relaxon.core.errors import InputError
from relaxon.grids.companions import even

ROUNDS = 9
"""How many runs are tried; each has 1.5 times the points of the one before along every axis."""

COARSER = 3
"""Points along an axis that a grid has by default, relative to the start."""

REACH = 4.0
"""v_max of the start, in smallest velocity scales of the datum."""

WIDENED, REFUSALS = 1.25, 16
"""How a start that the datum does not fit in grows, and how often; cells keep their width."""


def starts(defaults: Mapping[str, Any], width: float) -> Iterator[dict[str, Any]]:
    """Automatic settings to start from, by name: those of a coarse grid, then of wider ones.

    Args:
        defaults: What a grid has for each of them by default.
        width: The smallest velocity scale of the datum.
    """
    for attempt in range(REFUSALS):
        grown = WIDENED**attempt
        yield {
            name: REACH * width * grown if name == "v_max" else even(default * grown / COARSER)
            for name, default in defaults.items()
        }


def chosen(start: Any, names: Collection[str], accuracy: float, progress: bool) -> Round:
    """The first round whose error is small enough, or else the one with the least error.

    Args:
        start: The case on the coarse grid.
        names: The settings of its grid that are automatic.
        accuracy: The largest relative error.
        progress: Show the progress of every run.

    Raises:
        InputError: The run on the coarse grid does not reach its end.
    """
    best: Round | None = None
    try:
        for tried in rounds(start, ROUNDS, names, progress):
            if best is None or tried.error < best.error:
                best = tried
            if tried.error <= accuracy:
                break
    except InputError:  # no memory for a finer grid, say
        if best is None:
            raise
    assert best is not None
    return best


def described(found: Round, names: Collection[str], accuracy: float) -> str:
    """What was chosen, in words."""
    settings = {name: found.case.settings["grid"][name] for name in names}
    if "run.rtol" in found.changes:
        settings["rtol"] = found.case.rtol
    made = ", ".join(f"{name} = {value:.4g}" for name, value in settings.items())
    return f"{made} for accuracy {accuracy:g}"


def shortfall(found: Round, accuracy: float) -> tuple[str, ...]:
    """A sentence if the accuracy is not reached."""
    if found.error <= accuracy:
        return ()
    return (
        f"accuracy = {accuracy:g} is not reached: the largest error of a field is about "
        f"{found.error:.1e} of it.",
    )
