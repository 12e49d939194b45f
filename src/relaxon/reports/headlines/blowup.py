"""The numbers of a run that blew up."""

from __future__ import annotations

import numpy as np

from relaxon.numerics import blowup as fits
from relaxon.reports.headlines.base import Headline
from relaxon.reports.headlines.catalogue import headline
from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status


def blew_up(solution: Solution) -> bool:
    """Whether a run ended because its solution grew without bound."""
    return solution.status is Status.BLOWUP


def blowup_fit(solution: Solution) -> fits.Blowup | None:
    """The growth of the central value towards the blow-up time, for a run that blew up."""
    if not blew_up(solution) or "central_value" not in solution.diagnostics:
        return None
    return fits.blowup(solution.t, np.asarray(solution.diagnostics["central_value"]))


@headline("blowup", when=blew_up)
def blowup(solution: Solution) -> list[Headline]:
    """The fitted blow-up time with its exponent; without a fit the last time."""
    fit = blowup_fit(solution)
    if fit is None:
        return [Headline("blowup_time", "blow-up after t =", float(solution.t[-1]))]
    bar = f"of the fit +- {fit.time_error:.1g}; what grid and steps add shows under refinement"
    note = "F(0,t) ~ (t* - t)^-q; dF/dt = c F^2 has q = 1"
    return [
        Headline("blowup_time", "blow-up time", fit.time, note=bar),
        Headline("blowup_power", "growth exponent q", fit.power, fit.error, note),
    ]
