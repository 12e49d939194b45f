"""The numbers of a run of the reaction model."""

from __future__ import annotations

from typing import Any

import numpy as np

from relaxon.grids.torus import TorusGrid
from relaxon.numerics.fits import tail_rate
from relaxon.reaction.equations.confined import ConfinedReaction, LinearizedConfined
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.reaction.equations.limit import Limit, equilibrium_density
from relaxon.reaction.equations.two_species import Perturbation, TwoSpecies
from relaxon.reaction.theory.scaled_rates import ScaledRates, scaled_rates
from relaxon.reports.headlines.base import Headline, at_start
from relaxon.reports.headlines.catalogue import headline
from relaxon.reports.recorded import equation, longest_wave, positions, volume
from relaxon.runs.solution import Solution

WINDOW = 0.75
"""Where the part of the time begins over which a decay rate is measured."""


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


def leading_wave(solution: Solution) -> tuple[int, ...] | None:
    """The wave of a torus that is largest over the last quarter of a run, in longest waves.

    Looked for in f, which outlives its density where no isolated eigenvalue exists, or in the
    density if f was not recorded. A plane wave of the data may decay much faster than the slowest
    mode of the torus: the product of two cosines, (1, 1), has twice its k^2. None between walls,
    under a potential, and where neither was recorded.
    """
    where = positions(solution)
    name = next((key for key in ("f", "rho_f") if key in solution.fields), None)
    if not isinstance(where, TorusGrid) or name is None:
        return None
    late = np.asarray(solution.fields[name])[solution.t >= WINDOW * solution.t[-1]]
    axes = tuple(range(1, 1 + where.d))
    waves = np.abs(np.fft.fftn(late, axes=axes)) ** 2
    power = np.sum(waves, axis=tuple(i for i in range(late.ndim) if i not in axes))
    power.flat[0] = 0.0
    place = np.unravel_index(np.argmax(power), power.shape)
    return tuple(min(int(j), where.n - int(j)) for j in place)


def observed_rates(solution: Solution) -> ScaledRates | None:
    """The rates of the wave that the run follows; those of the torus where it is not known."""
    wave = leading_wave(solution)
    if wave is None:
        return rates(solution)
    length = longest_wave(solution) / float(np.linalg.norm(wave))
    return scaled_rates(model(solution), rho_infinity(solution), length)


def measured_rate(solution: Solution) -> tuple[float, float]:
    """Decay rate of the distance over the last quarter of the time, with its error.

    Where no isolated eigenvalue exists the rate is approached as slowly as the densities still
    decay relative to the norm, see `ScaledRates.beyond`: then by `tail_rate`.
    """
    t, y = solution.t, np.asarray(solution.diagnostics["distance"], float)
    expected = observed_rates(solution)
    beyond = None if expected is None else expected.beyond
    return tail_rate(t, y, WINDOW * t[-1], beyond)


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
    proven, observed, wave = rates(solution), observed_rates(solution), leading_wave(solution)
    if proven is None or observed is None:
        return []
    note = f"true {observed.told}"
    if wave is not None:
        note += f" of the wave ({', '.join(map(str, wave))})"
    if observed.true != proven.true:
        note += f" that the data excite, {proven.told} of the longest"
    if observed.beyond is not None:
        note += "; no isolated eigenvalue: the edge of the essential spectrum"
    note += f"; proven: DMS {proven.dms:.4g}"
    note += "" if proven.h1 is None else f", H1 {proven.h1:.4g}"
    rate, error = measured_rate(solution)
    bar = error if np.isfinite(error) else None
    return [Headline("decay_rate", "decay rate at the end", rate, bar, note)]
