"""A run, or a set of verdicts, as one HTML page that needs nothing else to be read.

Figures are inlined; the page is made from saved results only.
"""

from __future__ import annotations

import base64
import datetime
import io
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.core.version import VERSION
from relaxon.reports import citations
from relaxon.reports.figures import catalogue as figures_of
from relaxon.reports.figures.style import STYLE
from relaxon.reports.headlines.catalogue import headlines, ledger, warnings
from relaxon.reports.recorded import notes as notes_of
from relaxon.runs.error import ErrorEstimate
from relaxon.runs.files import whole_file
from relaxon.runs.solution import Solution

SKIPPED = ("notes", "equation", "grid", "references", "warnings")
"""Provenance that is shown elsewhere on the page."""


NOTED = ("case", "chosen")
"""Notes of a case that are no settings."""


def run_page(
    solution: Solution,
    figures: Mapping[str, str] | None = None,
    error: ErrorEstimate | None = None,
) -> str:
    """The page of a run.

    Args:
        solution: A saved run.
        figures: SVG text of its figures by name; None draws them.
        error: Its error, shown beside the headline numbers.

    Returns:
        HTML, complete in itself.
    """
    if figures is None:
        figures = draw_all(solution)
    notes = notes_of(solution)
    shown = [(key, value) for key, value in solution.provenance.items() if key not in SKIPPED]
    if "chosen" in notes:
        shown.append(("chosen", notes["chosen"]))
    if not notes:
        shown += [(key, solution.provenance.get(key)) for key in ("equation", "grid")]
    return _render(
        "run.html",
        name=notes.get("case", "run"),
        description=notes.get("description", ""),
        ok=solution.ok,
        status=solution.status.name,
        advice=solution.status.advice,
        warnings=warnings(solution, error),
        headlines=headlines(solution, error),
        ledger=ledger(solution),
        t_end=f"{solution.t[-1]:.6g}",
        figures=[
            {"data": inline(text), "caption": figures_of.FIGURES[name].caption}
            for name, text in figures.items()
        ],
        provenance=shown,
        settings=to_toml(notes),
        papers=citations.of_run(solution),
    )


def verdicts_page(verdicts: Sequence[Any]) -> str:
    """The page of a set of verdicts: a figure of the margins, then one section each.

    A verdict over a family of runs has the figure of that family in its section.
    """
    counts = Counter(v.verdict for v in verdicts)
    words = [f"{k}: {counts[k]}" for k in ("holds", "fails", "undecided") if counts[k]]
    return _render(
        "verdicts.html",
        verdicts=verdicts,
        counts=", ".join(words),
        families={
            v.name: inline(svg(figures_of.draw_family(v.family)))
            for v in verdicts
            if getattr(v, "family", None) is not None
        },
        figure=inline(svg(figures_of.draw_verdicts(verdicts))),
        version=VERSION,
        date=datetime.date.today().isoformat(),
        papers=citations.of_verdicts(v.source for v in verdicts),
    )


def convergence_page(found: Any) -> str:
    """The page of a table of errors and orders, `relaxon.convergence(...)`."""
    return _render(
        "convergence.html",
        name=found.name,
        tables=found.html(),
        version=VERSION,
        date=datetime.date.today().isoformat(),
    )


def draw_all(solution: Solution) -> dict[str, str]:
    """SVG text of the figures that apply to a run, by name.

    The overview of all scalars is left out where the run has three figures of its own.
    """
    names = figures_of.applicable(solution)
    if len(names) > 3:
        names = [name for name in names if name != "diagnostics"]
    return {name: svg(figures_of.draw(solution, name)) for name in names}


def svg(figure: Any) -> str:
    """A figure as SVG text."""
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def inline(text: str) -> str:
    """SVG text as the address of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def write(text: str, path: pathlib.Path) -> None:
    """Write a page whole or not at all.

    Raises:
        InputError: The path cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as stream:
            stream.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from None


def write_run(
    solution: Solution, path: pathlib.Path, error: ErrorEstimate | None = None
) -> pathlib.Path:
    """Write the figures and the page of a run into its directory, with its error if given.

    Returns:
        The path of the page.

    Raises:
        InputError: The directory cannot be written, or its figures are a link out of it.
    """
    folder = path / "figures"
    require(not folder.is_symlink(), f"{folder} is a link, and no link is followed.")
    figures = draw_all(solution)
    for name, text in figures.items():
        write(text, folder / f"{name}.svg")
    page = path / "report.html"
    write(run_page(solution, figures, error), page)
    return page


def to_toml(settings: Mapping[str, Any]) -> str:
    """Settings as the text of a configuration file: all but what a run notes beside them.

    What is None is left out, as TOML has no word for it: it is what a missing setting means.
    """
    import tomli_w

    return tomli_w.dumps(_plain({k: v for k, v in settings.items() if k not in NOTED})).strip()


def _plain(value: Any) -> Any:
    """Tables and lists without None, numpy's numbers as Python's."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value if item is not None]
    return value.item() if isinstance(value, np.generic) else value


def _render(template: str, **values: Any) -> str:
    import jinja2

    loader = jinja2.PackageLoader("relaxon.reports", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)
    return environment.get_template(template).render(**values)
