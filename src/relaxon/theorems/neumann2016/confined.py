"""Check of what neumann2016 conjectures: the whole space with a confining potential."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.velocity_nodes import ThermalNodes
from relaxon.numerics.fits import exponential_rate
from relaxon.reaction.equations.confined import ConfinedReaction
from relaxon.reaction.equations.limit import equilibrium_density
from relaxon.reaction.theory.confined_rates import confined_dms_constants
from relaxon.reaction.theory.confined_spectrum import confined_gap
from relaxon.reaction.theory.hypocoercivity import rate_of_constants
from relaxon.runs.problem import Problem
from relaxon.runs.record import Record
from relaxon.theorems.check import Measurement, claim
from relaxon.theorems.measure import solved

EPSILON = 0.3
ROUGH, FINE = 4e-5, 1e-5
"""Tolerances; the step goes with the root."""


@claim(
    "reaction-confined",
    source="neumann2016, conjecture of section 1",
    statement="Under a confining potential f and g stay in the box of their data, the entropy does "
    "not grow, the mass difference is kept, and |F(t)|_w <= C e^{-lambda t} |F(0)|_w with the "
    "explicit lambda and C of Theorem 2.1, lambda below the spectral gap.",
    family="harmonic and quartic potential; rho_inf near 1 and 1.5; epsilon = 0.3, T = 1; "
    "relative amplitude 0.3 (and 0.03)",
    measured="sup over t of |F(t)| e^{lambda t} / (C |F(0)|); beside it the rates",
    rule="at most one, the difference to a run with twice the step included; clearance of the box, "
    "growth of entropy and drift zero within 1e-12",
    twin=[{"excess": 1.2}, {"share": 0.9}],
)
def confined(quick: bool, *, excess: float | None = None, share: float = 1.0) -> Measurement:
    """The decay; `excess` claims that multiple of the true rate, `share` that part of the box."""
    values, errors, lines, kept, data = [], [], [], [], {}
    sizes = (0.3,) if quick else (0.3, 0.03)
    for potential in ("harmonic", "quartic"):
        for mean in (1.0, 1.5):
            for size in sizes:
                rough, fine = (_run(potential, mean, size, rtol) for rtol in (ROUGH, FINE))
                rho = equilibrium_density(
                    fine.diagnostics["mass_difference"][0], _grid(potential).line.volume
                )
                true, proven, prefactor = _rates(potential, rho)
                rate = proven if excess is None else excess * true
                t = fine.t
                bound = np.exp(rate * t) / prefactor
                curve, other = (
                    run.diagnostics["distance"] / run.diagnostics["distance"][0]
                    for run in (fine, rough)
                )
                values.append(float(np.max(curve * bound)))
                errors.append(float(np.max(np.abs(curve - other) * bound)))
                slope = exponential_rate(t, curve, 0.6 * t[-1])
                lines.append(
                    f"{potential}, rho_inf = {rho:.3f}, amplitude {size:g}: measured {slope:.4f}, "
                    f"true {true:.4f}, DMS {proven:.4f}"
                )
                kept.append(_kept(fine, potential, mean, size, share))
                data[f"{potential} rho_inf={rho:.3g} {size:g}"] = np.stack([t, curve])
    worst = int(np.argmax(values))
    structure = min(kept)
    detail = "; ".join(lines) + f"; worst of clearance, entropy and drift {structure:.1e}."
    margin, error = 1 - values[worst], max(errors)
    if structure < -1e-12:
        margin, error = min(margin, structure), 1e-13
    return Measurement(values[worst], error, margin, detail, None, data)


@functools.lru_cache(maxsize=2)
def _grid(potential: str) -> ConfinedGrid:
    return ConfinedGrid(ConfinedLine(potential, 32), ThermalNodes(20))


@functools.lru_cache(maxsize=16)
def _run(potential: str, mean: float, size: float, rtol: float) -> Any:
    """A run from a tilted density."""
    grid, model = _grid(potential), ConfinedReaction(1.0, 1.0, EPSILON, potential)
    data = model.local_equilibrium(mean * (1 + size * jnp.tanh(grid.line.nodes)), grid)
    return solved(Problem(model, grid, data), 6.0, Record(times=np.linspace(0.2, 6.0, 30)), rtol)


@functools.lru_cache(maxsize=16)
def _rates(potential: str, rho: float) -> tuple[float, float, float]:
    """True rate, proven rate and constant C, in the time of the scaled equations.

    Those with epsilon are the ones with epsilon = 1, temperatures epsilon^2 and time t/epsilon^2.
    """
    square = EPSILON**2
    proven = rate_of_constants(confined_dms_constants(rho, square, square, potential))
    gap = confined_gap(rho, square, square, potential, (32, 20))
    return gap.rate / square, proven.rate / square, proven.prefactor


def _kept(run: Any, potential: str, mean: float, size: float, share: float) -> float:
    """The smallest of clearance, decrease of entropy and constancy of mass; >= 0 is perfect."""
    grid = _grid(potential)
    masses = ConfinedReaction(potential=potential).masses(grid)
    F, G = masses.density_ratio(run.fields["f"][1:], run.fields["g"][1:], grid)
    low, high = mean * (1 - size * share), mean * (1 + size * share)
    inside = [
        1 - float(jnp.max(F)) / high,
        float(jnp.min(F)) / low - 1,
        1 - float(jnp.max(1 / G)) / high,
        float(jnp.min(1 / G)) / low - 1,
        float(np.min(run.diagnostics["box_clearance"])),
    ]
    entropy, mass = (run.diagnostics[name] for name in ("entropy", "mass_difference"))
    drift = np.max(np.abs(mass - mass[0]))
    return min(*inside, -float(np.max(np.diff(entropy))), -float(drift))
