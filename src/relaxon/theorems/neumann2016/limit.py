"""Checks of neumann2016, section 3: the limit of fast reactions."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import DiffusionLimit
from relaxon.runs.problem import Problem
from relaxon.runs.record import Record
from relaxon.theorems.check import Measurement, claim
from relaxon.theorems.family import Curve, Family, curve
from relaxon.theorems.measure import solved

EPSILONS = (0.04, 0.02, 0.01, 0.005, 0.0025)
SMALLER = (0.01, 0.005, 0.0025, 0.00125)
END = 0.02
ROUGH, FINE = 2.4e-7, 6e-8
"""Tolerances: two and four steps between two of the late records, so the steps do differ."""
TITLE = r"Problem P1 as $\varepsilon \to 0$: distances in $L^2$"
TIMES = np.concatenate([np.geomspace(1e-5, 1e-3, 20), np.linspace(1.5e-3, END, 38)])


def _grid(n: int = 32) -> PhaseGrid:
    return PhaseGrid(TorusGrid(1, n), UniformNodes(1, 24, 6.0))


@functools.lru_cache(maxsize=16)
def _run(epsilon: float, rtol: float) -> Any:
    """Problem P1."""
    grid, model = _grid(), KineticReaction("gaussian", "gaussian", epsilon)
    rho = 1 + 0.5 * jnp.cos(2 * jnp.pi * grid.x[..., 0])
    problem = Problem(model, grid, model.local_equilibrium(rho, grid))
    return solved(problem, END, Record(times=TIMES), rtol)


def _away(epsilons: tuple[float, ...]) -> tuple[Curve, Curve]:
    """The distances of Lemma 3.1 over epsilon, both in L^2 over t <= 0.02."""
    found: dict[float, list[tuple[float, float]]] = {}
    for rtol in (ROUGH, FINE):
        found[rtol] = []
        for epsilon in epsilons:
            run = _run(epsilon, rtol)
            product = np.sqrt(run.fields["rho_f"] * run.fields["rho_g"]) - 1
            size = np.sqrt(np.mean(product**2, axis=1))
            local = run.diagnostics["distance_local"]
            found[rtol].append((_in_time(run.t, local), _in_time(run.t, size)))
    fine, rough = np.array(found[FINE]).T, np.array(found[ROUGH]).T
    labels = (r"$(f, g)$ to $(\rho_f \chi_1, \rho_g \chi_2)$", r"$\sqrt{\rho_f \rho_g}$ to 1")
    first, second = (curve(label, epsilons, y, y - z) for label, y, z in zip(labels, fine, rough))
    return first, second


def _in_time(t: np.ndarray, y: np.ndarray) -> float:
    """The L^2 norm over time by the trapezoidal rule."""
    return float(np.sqrt(np.trapezoid(y**2, t)))


@claim(
    "reaction-local-equilibrium",
    source="neumann2016, Lemma 3.1",
    statement="(f - rho_f chi_1)/epsilon and (g - rho_g chi_2)/epsilon are bounded in L^2_{t,x,v}, "
    "and sqrt(rho_f rho_g) - 1 = O(epsilon) in L^2_{t,x}, uniformly in epsilon.",
    family="problem P1, epsilon = 0.01, 0.005, 0.0025, 0.00125, two step sizes",
    measured="the powers of epsilon in the two norms over t <= 0.02",
    rule="both at least one within 0.05, the fit's error included",
    twin={"claimed": 1.5},
)
def local_equilibrium(quick: bool, *, claimed: float = 1.0) -> Measurement:
    """The powers; `claimed` is what they are held against."""
    curves = _away(SMALLER)
    fits = [found.fit for found in curves]
    worst = min(fits, key=lambda fit: fit.value - fit.error)
    detail = (
        f"f - rho_f chi_1: power {fits[0]}; sqrt(rho_f rho_g) - 1: power {fits[1]} "
        "(one better than the bound, from data at local equilibrium)."
    )
    family = Family(np.array(SMALLER), r"$\varepsilon$", TITLE, curves)
    margin = worst.value - claimed + 0.05
    return Measurement(worst.value, worst.error, margin, detail, worst, family=family)


@claim(
    "reaction-limit",
    source="neumann2016, Theorem 3.3",
    statement="As epsilon -> 0, rho_f - rho_g converges to the solution m of "
    "dm/dt = div(D(m) grad m).",
    family="problem P1 at t = 0.02, epsilon = 0.04, 0.02, ... 0.0025 (quick: 0.005), against the "
    "limit equation",
    measured="the power of epsilon in the relative L^2 distance",
    rule="at least one, the fit's error included (the theorem claims no rate; the measured is two)",
    twin={"equation": DiffusionLimit(1.3, 1.3)},
)
def limit(quick: bool, *, equation: DiffusionLimit | None = None) -> Measurement:
    """The convergence; `equation` is the claimed limit."""
    grid = _grid()
    equation = equation or KineticReaction().diffusion_limit(grid.velocity)
    rho = 1 + 0.5 * jnp.cos(2 * jnp.pi * grid.x[..., 0])
    m0 = rho - 1 / rho
    exact = solved(Problem(equation, grid.torus, m0), END, Record(n=2), 1e-7).fields["m"][-1]
    epsilons = EPSILONS[:4] if quick else EPSILONS
    distances, errors = [], []
    for epsilon in epsilons:
        # The scheme is of second order: extrapolate, and keep a part of the step as the error.
        rough, fine = (_run(epsilon, rtol).fields["m"][-1] for rtol in (ROUGH, FINE))
        best = fine + (fine - rough) / 3
        size = np.linalg.norm(exact)
        distances.append(float(np.linalg.norm(best - exact) / size))
        errors.append(float(np.linalg.norm(best - fine) / size) / 4)
    m = curve(rf"$m$ to its limit, relative, $t = {END:g}$", epsilons, distances, errors)
    away, fit = _away(epsilons), m.fit
    shown = ", ".join(f"{x:.2e}" for x in distances)
    detail = (
        f"Distances {shown}; power {fit}, between the two smallest {fit.local[0]:.3f}. "
        f"On the same runs (f, g) goes to local equilibrium with power {away[0].fit}, "
        f"sqrt(rho_f rho_g) to 1 with power {away[1].fit}."
    )
    family = Family(np.array(epsilons), r"$\varepsilon$", TITLE, (m, *away))
    return Measurement(fit.value, fit.error, fit.value - 1, detail, fit, family=family)
