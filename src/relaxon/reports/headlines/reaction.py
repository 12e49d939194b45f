"""The numbers of a run of the reaction model."""

from __future__ import annotations

from typing import Any

import numpy as np

from relaxon.numerics.fits import exponential_rate
from relaxon.reaction.equations.confined import ConfinedReaction, LinearizedConfined
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.reaction.equations.limit import Limit, equilibrium_density
from relaxon.reaction.equations.two_species import Perturbation, TwoSpecies
from relaxon.reaction.theory.scaled_rates import ScaledRates, scaled_rates
from relaxon.reports.headlines.base import Headline, at_start
from relaxon.reports.headlines.catalogue import headline
from relaxon.reports.recorded import equation, longest_wave, volume
from relaxon.runs.solution import Solution


def model(solution: Solution) -> Any:
    """The equation of a run if it is one of the reaction model, else None."""
    found = equation(solution)
    return found if isinstance(found, TwoSpecies | Limit) else None


def is_reaction(solution: Solution) -> bool:
    """Whether a run is one of the reaction model."""
    return model(solution) is not None


def is_linear(solution: Solution) -> bool:
    """Whether a run is one of small perturbations of an equilibrium."""
    return isinstance(model(solution), Perturbation)


def is_confined(solution: Solution) -> bool:
    """Whether a run is one under a confining potential."""
    return isinstance(model(solution), ConfinedReaction | LinearizedConfined | ConfinedLimit)


def rho_infinity(solution: Solution) -> float:
    """The density at equilibrium, from (4) or from the linearisation."""
    found = model(solution)
    if isinstance(found, Perturbation):
        return float(found.rho_inf)
    return equilibrium_density(solution.diagnostics["mass_difference"][0], volume(solution))


def rates(solution: Solution) -> ScaledRates | None:
    """The explicit rates and the true one of a kinetic run with Gaussian profiles, else None."""
    length = np.inf if is_confined(solution) else longest_wave(solution)
    return scaled_rates(model(solution), rho_infinity(solution), length)


def measured_rate(solution: Solution) -> float:
    """Decay rate of the distance over the last quarter of the time, NaN if it has no two values."""
    t, y = solution.t, np.asarray(solution.diagnostics["distance"], float)
    return exponential_rate(t, y, 0.75 * t[-1])


@headline("reaction-state", when=is_reaction)
def state(solution: Solution) -> list[Headline]:
    """The density at equilibrium, and how far from it a run ended."""
    source = "of the linearisation" if is_linear(solution) else "from the mass difference, (4)"
    found = [Headline("rho_inf", "rho_inf", rho_infinity(solution), note=source)]
    for key, words in (
        ("amp1", "amplitude 2 |m_1| at the end"),
        ("distance", "distance to equilibrium at the end"),
        ("entropy", "entropy at the end"),
    ):
        if key in solution.diagnostics:
            values = solution.diagnostics[key]
            found.append(Headline(key, words, float(values[-1]), note=at_start(values[0])))
    return found


@headline("reaction-laws", when=is_reaction)
def laws(solution: Solution) -> list[Headline]:
    """What must not happen: growth of the entropy, values outside the box of Theorem 1.1."""
    values, found = solution.diagnostics, []
    if "entropy" in values and len(solution.t) > 1:
        growth = max(float(np.max(np.diff(values["entropy"]))), 0.0)
        note = "largest increase between records; theory: never increases"
        found.append(Headline("entropy_growth", "growth of entropy", growth, note=note))
    if "box_clearance" in values:
        clearance = float(np.min(values["box_clearance"])) + 0.0
        note = "smallest, relative; theory: never negative (rounding is 1e-15)"
        found.append(Headline("box_clearance", "clearance of the box", clearance, note=note))
    return found


@headline("reaction-rates", when=lambda s: is_reaction(s) and len(s.t) > 3)
def decay(solution: Solution) -> list[Headline]:
    """The measured decay rate beside the proven ones and the true one."""
    proven = rates(solution)
    if proven is None:
        return []
    note = f"true {proven.true:.4g}, proven: DMS {proven.dms:.4g}"
    note += "" if proven.h1 is None else f", H1 {proven.h1:.4g}"
    return [Headline("decay_rate", "decay rate at the end", measured_rate(solution), note=note)]
