"""The numbers of the blow-down theorem, gualdani2025, Theorem 1.1."""

from __future__ import annotations

import numpy as np

from relaxon.reports.headlines.base import Headline, at_start
from relaxon.reports.headlines.catalogue import headline
from relaxon.reports.recorded import notes, reaction
from relaxon.runs.solution import Solution


def blowdown_settings(solution: Solution) -> tuple[float, float] | None:
    """(delta, alpha) of a run that started from M + delta^alpha M_delta, else None."""
    initial = notes(solution).get("initial", {})
    if initial.get("type") != "blowdown":
        return None
    return float(initial["delta"]), float(initial["alpha"])


def has_theorem(solution: Solution) -> bool:
    """Whether a run is one that the blow-down theorem speaks of, with its norms recorded."""
    recorded = "remainder" in solution.diagnostics
    return recorded and blowdown_settings(solution) is not None and not reaction(solution)


@headline("blowdown", when=has_theorem)
def blowdown(solution: Solution) -> list[Headline]:
    """The norms of the theorem at t* = 1/2, or the last time before, and F(0)."""
    settings = blowdown_settings(solution)
    assert settings is not None
    delta, alpha = settings
    norms = solution.diagnostics
    k = int(np.flatnonzero(solution.t <= 0.5)[-1])
    at = f"at t = {solution.t[k]:.3g}"
    distance, remainder = float(norms["distance_m"][k]), float(norms["remainder"][k])
    bound = f"theorem: <= C delta^(alpha - 1/4) = C {delta ** (alpha - 0.25):.4g}"
    share = f"{remainder / delta**alpha:.3g} delta^alpha"
    values = norms["central_value"]
    return [
        Headline("distance_m", f"|F - M|_M {at}", distance, note=bound),
        Headline("remainder", f"|F - M - E|_M {at}", remainder, note=share),
        Headline("central_value", f"F(0) {at}", float(values[k]), note=at_start(values[0])),
    ]
