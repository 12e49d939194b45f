"""The numbers of a relaxation to a Maxwellian."""

from __future__ import annotations

import numpy as np

from relaxon.numerics import fits
from relaxon.reports.headlines.base import Headline, at_start
from relaxon.reports.headlines.catalogue import headline
from relaxon.reports.recorded import reaction
from relaxon.runs.solution import Solution

MONOTONE = {
    "relative_entropy": "relative entropy",
    "relative_fisher": "relative Fisher information",
}


def relaxes(solution: Solution) -> bool:
    """Whether the equation has an equilibrium that a run could tend to."""
    return not reaction(solution)


def decay_fit(solution: Solution) -> fits.StretchedExponential | None:
    """The stretched exponential of the distance to equilibrium, if the run is long enough."""
    if "distance_l2" not in solution.diagnostics or not relaxes(solution):
        return None
    return fits.stretched_exponential(solution.t, np.asarray(solution.diagnostics["distance_l2"]))


@headline("decay", when=lambda s: decay_fit(s) is not None)
def decay(solution: Solution) -> list[Headline]:
    """The exponent of the stretched exponential."""
    fit = decay_fit(solution)
    assert fit is not None
    note = "|F - Meq| ~ t^b exp(-lambda t^p); theorem: p = 2/3"
    if not fit.at_bound:
        return [Headline("decay_power", "decay exponent p", fit.power, fit.error, note)]
    note += "; the fit ends at the bound of its range: the run is no stretched exponential (yet)"
    return [Headline("decay_power", "decay exponent p", fit.power, None, note)]


@headline("distance", when=lambda s: relaxes(s) and "distance_l2" in s.diagnostics)
def distance(solution: Solution) -> list[Headline]:
    """The distance to equilibrium at the end."""
    values = solution.diagnostics["distance_l2"]
    label = "|F - Meq| at the end"
    return [Headline("distance_l2", label, float(values[-1]), note=at_start(values[0]))]


@headline("fisher", when=lambda s: "fisher_information" in s.diagnostics)
def fisher(solution: Solution) -> list[Headline]:
    """The Fisher information at the end."""
    values = solution.diagnostics["fisher_information"]
    label = "Fisher information at the end"
    return [Headline("fisher_information", label, float(values[-1]), note=at_start(values[0]))]


@headline("growth", when=relaxes)
def growth(solution: Solution) -> list[Headline]:
    """By how much what must not increase did, over any step."""
    note = "largest relative increase over one step; theory: never increases"
    found = []
    for name, words in MONOTONE.items():
        key = f"{name}_growth"
        if key in solution.diagnostics:
            value = float(solution.diagnostics[key][-1])
            found.append(Headline(key, f"growth of {words}", value, note=note))
    return found
