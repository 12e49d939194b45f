"""The numbers of a run that a reader looks for first; from saved results only."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from relaxon.numerics import fits
from relaxon.reports.headlines import reaction as summary_reaction
from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status

INVARIANTS = ("mass", "energy", "mass_difference")
MONOTONE = {
    "relative_entropy": "relative entropy",
    "relative_fisher": "relative Fisher information",
}


@dataclasses.dataclass(frozen=True)
class Headline:
    """One number with its meaning.

    Attributes:
        name: Key, as in the JSON of `relaxon show --json`.
        label: What it is, in words.
        value: The number.
        error: Its uncertainty, or None.
        note: What to compare it with.
    """

    name: str
    label: str
    value: float
    error: float | None = None
    note: str = ""

    def text(self) -> str:
        """The number with its uncertainty."""
        if self.error is None or not 0 < self.error < abs(self.value):
            return f"{self.value:.6g}"
        digits = max(0, 1 - math.floor(math.log10(self.error)))
        return f"{self.value:.{digits}f} +- {self.error:.{digits}f}"


@dataclasses.dataclass(frozen=True)
class LedgerEntry:
    """What became of one invariant.

    Attributes:
        name: The invariant.
        first: Value at t = 0.
        last: Value at the end.
        drift: Largest relative change.
        conserved: Whether the equation conserves it.
    """

    name: str
    first: float
    last: float
    drift: float
    conserved: bool


def ledger(solution: Solution) -> list[LedgerEntry]:
    """The invariants of a run and how far they drifted."""
    entries = []
    for name in INVARIANTS:
        if name in solution.diagnostics:
            values = np.asarray(solution.diagnostics[name], float)
            conserved = not reaction(solution)
            entries.append(
                LedgerEntry(name, values[0], values[-1], solution.drift(name), conserved)
            )
    return entries


def headlines(solution: Solution) -> list[Headline]:
    """The headline numbers of a run: what applies to it of the theory's statements."""
    found = []
    if has_theorem(solution):
        found += _blowdown(solution)
    if solution.status is Status.BLOWUP:
        found += _blowup(solution)
    found += _relaxation(solution)
    for key, words, value, note in summary_reaction.headlines(solution):
        found.append(Headline(key, words, value, None, note))
    return found


def blowdown_settings(solution: Solution) -> tuple[float, float] | None:
    """(delta, alpha) of a run that started from M + delta^alpha M_delta, else None."""
    initial = solution.provenance.get("notes", {}).get("initial", {})
    if initial.get("type") != "blowdown":
        return None
    return float(initial["delta"]), float(initial["alpha"])


def has_theorem(solution: Solution) -> bool:
    """Whether a run is one that the blow-down theorem speaks of, with its norms recorded."""
    recorded = "remainder" in solution.diagnostics
    return recorded and blowdown_settings(solution) is not None and not reaction(solution)


def reaction(solution: Solution) -> float:
    """The prefactor of F^2 in the equation of a run."""
    equation = solution.provenance.get("equation", {})
    settings = equation.get("settings", {}) if isinstance(equation, dict) else {}
    return float(settings.get("reaction", 0.0))


def decay_fit(solution: Solution) -> fits.StretchedExponential | None:
    """The stretched exponential of the distance to equilibrium, if the run is long enough."""
    if "distance_l2" not in solution.diagnostics or reaction(solution):
        return None
    return fits.stretched_exponential(solution.t, np.asarray(solution.diagnostics["distance_l2"]))


def blowup_fit(solution: Solution) -> fits.Blowup | None:
    """The growth of the central value towards the blow-up time, for a run that blew up."""
    if solution.status is not Status.BLOWUP or "central_value" not in solution.diagnostics:
        return None
    return fits.blowup(solution.t, np.asarray(solution.diagnostics["central_value"]))


def as_json(solution: Solution) -> dict[str, Any]:
    """Status, invariants, headline numbers and provenance, as JSON holds them."""
    from relaxon.runs.files import clean_json

    return clean_json(
        {
            "status": solution.status.name,
            "ok": solution.ok,
            "advice": solution.status.advice,
            "t_end": float(solution.t[-1]),
            "recorded": len(solution.t),
            "invariants": {e.name: dataclasses.asdict(e) for e in ledger(solution)},
            "headlines": {h.name: dataclasses.asdict(h) for h in headlines(solution)},
            "provenance": dict(solution.provenance),
        }
    )


def as_text(solution: Solution) -> str:
    """Status, invariants and headline numbers, a line each."""
    lines = str(solution).splitlines()
    found = headlines(solution)
    width = max((len(h.label) for h in found), default=0)
    for h in found:
        note = f"   {h.note}" if h.note else ""
        lines.append(f"{h.label:<{width}}  {h.text():>12}{note}")
    return "\n".join(lines)


def _blowdown(solution: Solution) -> list[Headline]:
    settings = blowdown_settings(solution)
    assert settings is not None
    delta, alpha = settings
    norms = solution.diagnostics
    k = int(np.flatnonzero(solution.t <= 0.5)[-1])
    t = solution.t[k]
    distance, remainder = float(norms["distance_m"][k]), float(norms["remainder"][k])
    bound = delta ** (alpha - 0.25)
    found = [
        Headline(
            "distance_m",
            f"|F - M|_M at t = {t:.3g}",
            distance,
            note=f"theorem: <= C delta^(alpha - 1/4) = C {bound:.4g}",
        ),
        Headline(
            "remainder",
            f"|F - M - E|_M at t = {t:.3g}",
            remainder,
            note=f"{remainder / delta**alpha:.3g} delta^alpha",
        ),
    ]
    values = norms["central_value"]
    found.append(
        Headline("central_value", f"F(0) at t = {t:.3g}", float(values[k]), None, _from(values[0]))
    )
    return found


def _blowup(solution: Solution) -> list[Headline]:
    fit = blowup_fit(solution)
    if fit is None:
        return [Headline("blowup_time", "blow-up after t =", float(solution.t[-1]))]
    return [
        Headline("blowup_time", "blow-up time", fit.time),
        Headline(
            "blowup_power",
            "growth exponent q",
            fit.power,
            fit.error,
            "F(0,t) ~ (t* - t)^-q; dF/dt = c F^2 has q = 1",
        ),
    ]


def _relaxation(solution: Solution) -> list[Headline]:
    found = []
    values = solution.diagnostics
    fit = decay_fit(solution)
    if fit is not None:
        note = "|F - Meq| ~ t^b exp(-lambda t^p); theorem: p = 2/3"
        found.append(Headline("decay_power", "decay exponent p", fit.power, fit.error, note))
    if "distance_l2" in values and not reaction(solution):
        last = float(values["distance_l2"][-1])
        found.append(
            Headline(
                "distance_l2", "|F - Meq| at the end", last, None, _from(values["distance_l2"][0])
            )
        )
    if "fisher_information" in values:
        fisher = values["fisher_information"]
        label = "Fisher information at the end"
        found.append(
            Headline("fisher_information", label, float(fisher[-1]), None, _from(fisher[0]))
        )
    for name, words in MONOTONE.items():
        if f"{name}_growth" in values and not reaction(solution):
            growth = float(values[f"{name}_growth"][-1])
            note = "largest relative increase over one step; theory: never increases"
            found.append(Headline(f"{name}_growth", f"growth of {words}", growth, None, note))
    return found


def _from(first: Any) -> str:
    return f"from {float(first):.4g} at t = 0"
