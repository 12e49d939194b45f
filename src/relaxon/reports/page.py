"""A run, or a set of verdicts, as one HTML page that needs nothing else to be read.

Figures are inlined; the page is made from saved results only.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from relaxon.core.errors import InputError
from relaxon.core.version import VERSION
from relaxon.reports import citations
from relaxon.reports.figures import radial as plot
from relaxon.reports.headlines import blowdown as summary
from relaxon.runs.solution import Solution

SKIPPED = ("notes", "equation", "grid")
"""Provenance that the settings show already."""


def run_page(solution: Solution, figures: Mapping[str, str] | None = None) -> str:
    """The page of a run.

    Args:
        solution: A saved run.
        figures: SVG text of its figures by name; None draws them.

    Returns:
        HTML, complete in itself.
    """
    if figures is None:
        figures = draw_all(solution)
    notes = solution.provenance.get("notes", {})
    shown = [(key, value) for key, value in solution.provenance.items() if key not in SKIPPED]
    if not notes:
        shown += [(key, solution.provenance.get(key)) for key in ("equation", "grid")]
    source = notes.get("source", "")
    return _render(
        "run.html",
        name=notes.get("case", "run"),
        description=notes.get("description", ""),
        ok=solution.ok,
        status=solution.status.name,
        advice=solution.status.advice,
        headlines=summary.headlines(solution),
        ledger=summary.ledger(solution),
        t_end=f"{solution.t[-1]:.6g}",
        figures=[
            {"data": inline(text), "caption": _caption(name)} for name, text in figures.items()
        ],
        provenance=shown,
        settings=to_toml(notes),
        papers=[*citations.cite([source]), citations.METHOD],
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
            v.name: inline(svg(plot.draw_family(v.family)))
            for v in verdicts
            if getattr(v, "family", None) is not None
        },
        figure=inline(svg(plot.draw_verdicts(verdicts))),
        version=VERSION,
        date=datetime.date.today().isoformat(),
        papers=citations.cite([v.source for v in verdicts]),
    )


def draw_all(solution: Solution) -> dict[str, str]:
    """SVG text of the figures that apply to a run, by name.

    The overview of all scalars is left out where the run has three figures of its own.
    """
    names = plot.applicable(solution)
    if len(names) > 3:
        names = [name for name in names if name != "diagnostics"]
    return {name: svg(plot.draw(solution, name)) for name in names}


def svg(figure: Any) -> str:
    """A figure as SVG text."""
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context(plot.STYLE):
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
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from None


def write_run(solution: Solution, path: pathlib.Path) -> pathlib.Path:
    """Write the figures and the page of a run into its directory.

    Returns:
        The path of the page.

    Raises:
        InputError: The directory cannot be written.
    """
    figures = draw_all(solution)
    for name, text in figures.items():
        write(text, path / "figures" / f"{name}.svg")
    page = path / "report.html"
    write(run_page(solution, figures), page)
    return page


def to_toml(settings: Mapping[str, Any]) -> str:
    """Settings as the text of a configuration file."""
    lines, tables = [], []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            rows = [f"{k} = {_toml(v)}" for k, v in value.items()]
            tables.append("\n".join([f"[{key}]", *rows]))
        elif key != "case":
            lines.append(f"{key} = {_toml(value)}")
    return "\n\n".join(["\n".join(lines), *tables]).strip()


def _toml(value: Any) -> str:
    """JSON's notation of a value, which TOML shares for text, numbers, lists and truth values."""
    return json.dumps(value)


def _caption(name: str) -> str:
    """The first paragraph of the docstring of a figure's function."""
    text = plot.catalogue()[name][0].__doc__ or name
    return " ".join(text.split("\n\nArgs")[0].split())


def _render(template: str, **values: Any) -> str:
    import jinja2

    loader = jinja2.PackageLoader("relaxon.reports", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)
    return environment.get_template(template).render(**values)
