"""The numbers of a run of the reaction model that a reader looks for first."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import numpy as np

from relaxon.numerics.fits import exponential_rate
from relaxon.runs.solution import Solution

KINDS = (
    "KineticReaction",
    "LinearizedReaction",
    "DiffusionLimit",
    "ConfinedReaction",
    "ConfinedLimit",
)


@dataclasses.dataclass(frozen=True)
class Rates:
    """Decay rates of the norm in the time of a run.

    Attributes:
        dms: What neumann2016, Theorem 2.1 proves with the best weight.
        h1: What the method of its section 2.2 proves with the best weights; None under a
            confining potential.
        true: The spectral gap.
        rho_inf: Density at equilibrium.
        k: Wave number of the longest wave, times epsilon; None under a confining potential.
    """

    dms: float
    h1: float | None
    true: float
    rho_inf: float
    k: float | None


def kind(solution: Solution) -> str | None:
    """The class of the equation if it is one of the reaction model, else None."""
    equation = solution.provenance.get("equation", {})
    name = equation.get("class") if isinstance(equation, dict) else None
    return name if name in KINDS else None


def equation_settings(solution: Solution) -> dict[str, Any]:
    """The settings of the equation of a run."""
    return dict(solution.provenance["equation"]["settings"])


def period(solution: Solution) -> float:
    """Length of the torus; 2 for a box of length one, whose waves are half as long again."""
    grid = solution.provenance["grid"]
    if grid["class"] == "WalledGrid":
        return 2.0
    settings = grid["settings"]
    return float((settings["torus"]["settings"] if "torus" in settings else settings)["length"])


def side(solution: Solution) -> float:
    """Length of the positions along each axis."""
    walled = solution.provenance["grid"]["class"] == "WalledGrid"
    return 1.0 if walled else period(solution)


def gaussian_variances(solution: Solution) -> tuple[float, float] | None:
    """T1 and T2 if both profiles are isotropic Gaussians, else None."""
    settings = equation_settings(solution)
    found = []
    for name in ("chi1", "chi2"):
        chi = settings.get(name, {}).get("settings", {})
        if chi.get("name") != "gaussian":
            return None
        found.append(float(chi.get("variance", 1.0)))
    return found[0], found[1]


def rho_infinity(solution: Solution) -> float:
    """The density at equilibrium, from (4) or from the linearisation."""
    settings = equation_settings(solution)
    if "rho_inf" in settings:
        return float(settings["rho_inf"])
    volume, grid = 1.0, solution.provenance["grid"]["class"]
    if grid.startswith("Confined"):
        volume = float(line(solution).volume)
    elif grid != "WalledGrid":
        d = sum(name.startswith("x") for name in solution.coordinates)
        volume = period(solution) ** d
    m = float(solution.diagnostics["mass_difference"][0]) / volume
    root = math.hypot(m, 2.0)
    return 0.5 * (m + root) if m >= 0 else 2.0 / (root - m)


def rates(solution: Solution) -> Rates | None:
    """The explicit rates and the true one for a kinetic run with Gaussian profiles, else None.

    The scaled equations (9) are those with epsilon = 1, wave numbers epsilon k and time
    t/epsilon^2, so rates are those of epsilon k over epsilon^2.
    """
    if kind(solution) == "ConfinedReaction":
        return _confined_rates(solution)
    if kind(solution) not in ("KineticReaction", "LinearizedReaction"):
        return None
    variances = gaussian_variances(solution)
    if variances is None:
        return None
    from relaxon.reaction import hypocoercive_rates

    epsilon = float(equation_settings(solution)["epsilon"])
    r, k = rho_infinity(solution), epsilon * 2 * math.pi / period(solution)
    found = hypocoercive_rates(r, *variances, k)
    dms, h1, true = (x / epsilon**2 for x in (found.dms, found.h1, found.true))
    return Rates(dms, h1, true, r, k)


def line(solution: Solution) -> Any:
    """The positions of a run under a confining potential."""
    from relaxon.core.registry import from_spec
    from relaxon.grids.confined_line import ConfinedLine

    grid = solution.provenance["grid"]
    found = from_spec(grid["settings"]["line"] if grid["class"] == "ConfinedGrid" else grid)
    assert isinstance(found, ConfinedLine)
    return found


def confined(solution: Solution) -> bool:
    """Whether the run is one under a confining potential."""
    return kind(solution) in ("ConfinedReaction", "ConfinedLimit")


def _confined_rates(solution: Solution) -> Rates:
    """Temperatures epsilon^2 T stand for the scaling, as wave numbers do on the torus."""
    settings = equation_settings(solution)
    square, r = float(settings["epsilon"]) ** 2, rho_infinity(solution)
    dms, true = _proven_and_true(
        r, square * settings["T1"], square * settings["T2"], line(solution).potential
    )
    return Rates(dms / square, None, true / square, r, None)


@functools.lru_cache(maxsize=16)
def _proven_and_true(r: float, T1: float, T2: float, potential: Any) -> tuple[float, float]:
    """Kept: headlines and figures of one run ask for them again, and they cost a second."""
    from relaxon.reaction.theory.confined_rates import confined_dms_constants
    from relaxon.reaction.theory.confined_spectrum import confined_gap
    from relaxon.reaction.theory.hypocoercivity import rate_of_constants

    proven = rate_of_constants(confined_dms_constants(r, T1, T2, potential))
    return proven.rate, confined_gap(r, T1, T2, potential).rate


def measured_rate(solution: Solution) -> float:
    """Decay rate of the distance over the last quarter of the time, NaN if it has no two values."""
    t, y = solution.t, np.asarray(solution.diagnostics["distance"], float)
    return exponential_rate(t, y, 0.75 * t[-1])


def headlines(solution: Solution) -> list[tuple[str, str, float, str]]:
    """Headline numbers: key, words, value, what to compare with."""
    name = kind(solution)
    if name is None:
        return []
    values = solution.diagnostics
    found = [("rho_inf", "rho_inf", rho_infinity(solution), "from the mass difference, (4)")]
    if name == "LinearizedReaction":
        found[0] = (*found[0][:3], "of the linearisation")
    for key, words in (
        ("amp1", "amplitude 2 |m_1| at the end"),
        ("distance", "distance to equilibrium at the end"),
        ("entropy", "entropy at the end"),
    ):
        if key in values:
            note = f"from {float(values[key][0]):.4g} at t = 0"
            found.append((key, words, float(values[key][-1]), note))
    if "entropy" in values and len(solution.t) > 1:
        growth = float(np.max(np.diff(values["entropy"])))
        note = "largest increase between records; theory: never increases"
        found.append(("entropy_growth", "growth of entropy", max(growth, 0.0), note))
    if "box_clearance" in values:
        clearance = float(np.min(values["box_clearance"])) + 0.0
        note = "smallest, relative; theory: never negative (rounding is 1e-15)"
        found.append(("box_clearance", "clearance of the box", clearance, note))
    proven = rates(solution)
    if proven is not None and len(solution.t) > 3:
        note = f"true {proven.true:.4g}, proven: DMS {proven.dms:.4g}"
        note += "" if proven.h1 is None else f", H1 {proven.h1:.4g}"
        found.append(("decay_rate", "decay rate at the end", measured_rate(solution), note))
    return found
