"""The figures by name: which apply to a run, how they are drawn and written.

A figure is a function that takes a saved solution and returns a matplotlib Figure, in any module of
this package, entered by the decorator

    @figure("decay", when=decays, part="laws")

Its docstring is its caption. It shows what was recorded, and computes nothing but fits and the
explicit formulas of a theorem.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from relaxon.core.catalogue import Catalogue
from relaxon.core.errors import InputError, require
from relaxon.reports.figures import verdicts
from relaxon.reports.figures.style import STYLE
from relaxon.runs.files import whole_file
from relaxon.runs.solution import Solution

PARTS = ("state", "theorem", "invariants", "laws", "medium", "everything")
"""The order of a page: the solution itself, norms of a theorem, what is conserved, laws of decay
and growth, properties of the medium, all scalars."""

FORMATS = ("png", "svg", "pdf")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A figure of the catalogue.

    Attributes:
        draw: Solution -> Figure.
        when: Whether it applies to a solution of more than one recorded time.
        part: One of `PARTS`.
    """

    draw: Callable[[Solution], Figure]
    when: Callable[[Solution], bool]
    part: str

    @property
    def caption(self) -> str:
        """The docstring of the function, on one line."""
        return " ".join((self.draw.__doc__ or "").split())

    def applies(self, solution: Solution) -> bool:
        """Whether a solution has the data for it."""
        return len(solution.t) > 1 and self.when(solution)


FIGURES: Catalogue[Entry] = Catalogue("figure", "relaxon.reports.figures")


def figure(
    name: str, *, when: Callable[[Solution], bool], part: str
) -> Callable[[Callable[[Solution], Figure]], Callable[[Solution], Figure]]:
    """Decorator: enter a function in the catalogue.

    Args:
        name: Name of the figure, and of its file.
        when: Whether it applies to a solution; called for more than one recorded time only.
        part: Where in a page it stands, one of `PARTS`.
    """
    assert part in PARTS, f"{part!r} is none of {PARTS}"

    def enter(draw: Callable[[Solution], Figure]) -> Callable[[Solution], Figure]:
        FIGURES.enter(name, draw.__module__, Entry(draw, when, part))
        return draw

    return enter


def catalogue() -> dict[str, Entry]:
    """Every figure by name, in the order of `PARTS`, then of modules, then of definition."""
    found = FIGURES.all()
    return dict(sorted(found.items(), key=lambda item: PARTS.index(item[1].part)))


def applicable(solution: Solution) -> list[str]:
    """Names of the figures that a solution has the data for."""
    return [name for name, entry in catalogue().items() if entry.applies(solution)]


def draw(solution: Solution, name: str) -> Figure:
    """The figure of that name, in the package's style.

    Raises:
        InputError: No figure of that name, or the run lacks the data for it.
    """
    entry = FIGURES[name]
    if not entry.applies(solution):
        have = ", ".join(applicable(solution)) or "none"
        raise InputError(f"This run has no data for the figure {name!r}; it has: {have}.")
    with matplotlib.rc_context(STYLE):
        return entry.draw(solution)


def draw_verdicts(found: Sequence[Any]) -> Figure:
    """The figure of a set of verdicts, in the package's style."""
    with matplotlib.rc_context(STYLE):
        return verdicts.margins(found)


def draw_family(found: Any) -> Figure:
    """The figure of the family of a verdict, in the package's style."""
    with matplotlib.rc_context(STYLE):
        return verdicts.family(found)


def save(figure: Figure, path: pathlib.Path) -> None:
    """Write a figure whole or not at all; the suffix says the format (png, svg, pdf).

    Raises:
        InputError: Another suffix, or a path that cannot be written.
    """
    kind = path.suffix.lstrip(".")
    require(kind in FORMATS, f"A figure's file must end in .png, .svg or .pdf, but is {path}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(STYLE), whole_file(path) as stream:
            figure.savefig(stream, format=kind)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from None
