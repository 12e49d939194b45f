"""The headline numbers of a run, group by group, and the ledger of its invariants.

A group is a function that takes a saved solution and returns headlines, in any module of this
package, entered by the decorator

    @headline("relaxation", when=relaxes)

It reads what was recorded, and computes nothing but fits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from relaxon.core.catalogue import Catalogue
from relaxon.core.invariants import INVARIANTS
from relaxon.reports.headlines.base import Headline, LedgerEntry
from relaxon.reports.recorded import notes, reaction
from relaxon.runs.error import ErrorEstimate, measures
from relaxon.runs.files import clean_json
from relaxon.runs.solution import Solution

Group = Callable[[Solution], list[Headline]]


@dataclasses.dataclass(frozen=True)
class Entry:
    """A group of headlines of the catalogue.

    Attributes:
        read: Solution -> headlines.
        when: Whether it applies to a solution.
    """

    read: Group
    when: Callable[[Solution], bool]


GROUPS: Catalogue[Entry] = Catalogue("group of headlines", "relaxon.reports.headlines")


def headline(name: str, *, when: Callable[[Solution], bool]) -> Callable[[Group], Group]:
    """Decorator: enter a function in the catalogue.

    Args:
        name: Name of the group.
        when: Whether it applies to a solution.
    """

    def enter(read: Group) -> Group:
        GROUPS.enter(name, read.__module__, Entry(read, when))
        return read

    return enter


def headlines(solution: Solution, error: ErrorEstimate | None = None) -> list[Headline]:
    """The headline numbers of a run: what applies to it of the theory's statements.

    Args:
        solution: A run.
        error: Its error, for an estimate beside every number that measures the solution.
    """
    groups = [entry for entry in GROUPS.all().values() if entry.when(solution)]
    found = [number for entry in groups for number in entry.read(solution)]
    if error is None:
        return found
    errors = error.numbers(values)
    return [dataclasses.replace(h, estimate=errors.get(h.name)) for h in found]


def values(solution: Solution) -> dict[str, float]:
    """The headline numbers that measure a solution, by name."""
    return {h.name: h.value for h in headlines(solution) if measures(h.name)}


def ledger(solution: Solution) -> list[LedgerEntry]:
    """The invariants of a run and how far they drifted."""
    conserved = not reaction(solution)
    entries = []
    for name in INVARIANTS:
        if name in solution.diagnostics:
            values = np.asarray(solution.diagnostics[name], float)
            drift = solution.drift(name)
            entries.append(LedgerEntry(name, values[0], values[-1], drift, conserved))
    return entries


def warnings(solution: Solution, error: ErrorEstimate | None = None) -> list[str]:
    """What a reader should know of the numbers of a run, a sentence each."""
    return [*solution.warnings, *(error.warnings(values) if error else ())]


def as_json(solution: Solution, error: ErrorEstimate | None = None) -> dict[str, Any]:
    """Status, invariants, headline numbers and provenance, as JSON holds them."""
    return clean_json(
        {
            "status": solution.status.name,
            "ok": solution.ok,
            "advice": solution.status.advice,
            "warnings": warnings(solution, error),
            "t_end": float(solution.t[-1]),
            "recorded": len(solution.t),
            "invariants": {e.name: dataclasses.asdict(e) for e in ledger(solution)},
            "headlines": {h.name: dataclasses.asdict(h) for h in headlines(solution, error)},
            "provenance": dict(solution.provenance),
        }
    )


def as_text(solution: Solution, error: ErrorEstimate | None = None) -> str:
    """Status, invariants and headline numbers, a line each."""
    lines = str(solution).splitlines()
    choice = notes(solution).get("chosen")
    lines += [f"chosen     {choice}"] if choice else []
    lines += [f"warning    {sentence}" for sentence in error.warnings(values)] if error else []
    found = headlines(solution, error)
    width = max((len(h.label) for h in found), default=0)
    for h in found:
        words = [x for x in (h.estimated(), h.note) if x]
        lines.append("   ".join([f"{h.label:<{width}}  {h.text():>12}", *words]))
    return "\n".join(lines)
