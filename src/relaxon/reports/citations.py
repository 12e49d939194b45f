"""What a report asks its reader to cite: papers, the methods that ran, this program."""

from __future__ import annotations

from collections.abc import Iterable

from relaxon.core.references import PAPERS
from relaxon.core.version import VERSION
from relaxon.reports import recorded
from relaxon.runs.solution import Solution


def program(version: str = VERSION) -> str:
    """This program, in the words of CITATION.cff."""
    return (
        "The relaxon developers, relaxon: relaxation to equilibrium in kinetic theory, "
        f"version {version}, software, MIT license"
    )


def cite(sources: Iterable[str]) -> list[str]:
    """The papers whose keys occur in the sources, in the order of `PAPERS`."""
    text = " ".join(sources)
    return [paper for key, paper in PAPERS.items() if key in text]


def of_run(solution: Solution) -> list[str]:
    """What a run rests on: the papers of its case and its equation, its method, the program.

    A run of an earlier version did not record its method; it cites the papers only.
    """
    ran = solution.provenance.get("references")
    if ran is None:
        equation = recorded.equation(solution)
        ran = {"equation": [] if equation is None else [equation.reference], "method": []}
    papers = cite([recorded.notes(solution).get("source", "")])
    version = str(solution.provenance.get("relaxon", VERSION))
    return _unique([*papers, *ran["equation"], *ran["method"], program(version)])


def of_verdicts(sources: Iterable[str]) -> list[str]:
    """The papers whose statements were checked, and the program."""
    return [*cite(sources), program()]


def _unique(texts: Iterable[str]) -> list[str]:
    """Each text that is not empty once, in order."""
    return list(dict.fromkeys(filter(None, texts)))
