"""Checks of neumann2016, section 3: the limit of fast reactions."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.special import erfcx, gamma

from relaxon.grids.phase import PhaseGrid, UniformNodes
from relaxon.grids.torus import TorusGrid
from relaxon.problem import Problem, Record
from relaxon.reaction.diffusion import DiffusionLimit
from relaxon.reaction.model import KineticReaction
from relaxon.theorems.check import Measurement, claim
from relaxon.theorems.fits import power_law
from relaxon.theorems.reaction import solved

EPSILONS = (0.04, 0.02, 0.01, 0.005)
SMALLER = (0.01, 0.005, 0.0025, 0.00125)
END = 0.02
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
)
def local_equilibrium(quick: bool, *, claimed: float = 1.0) -> Measurement:
    """The powers; `claimed` is what they are held against."""
    norms: dict[float, list[tuple[float, float]]] = {}
    for rtol in (4e-6, 1e-6):
        found = []
        for epsilon in SMALLER:
            run = _run(epsilon, rtol)
            product = np.sqrt(run.fields["rho_f"] * run.fields["rho_g"]) - 1
            size = np.sqrt(np.mean(product**2, axis=1))
            local = run.diagnostics["distance_local"]
            found.append((_in_time(run.t, local), _in_time(run.t, size)))
        norms[rtol] = found
    fine, rough = np.array(norms[1e-6]), np.array(norms[4e-6])
    fits = [power_law(SMALLER, fine[:, i], np.abs(fine[:, i] - rough[:, i])) for i in range(2)]
    worst = min(fits, key=lambda fit: fit.value - fit.error)
    detail = (
        f"f - rho_f chi_1: power {fits[0]}; sqrt(rho_f rho_g) - 1: power {fits[1]} "
        "(one better than the bound, from data at local equilibrium)."
    )
    data = {"epsilon": SMALLER, "local": fine[:, 0], "product": fine[:, 1]}
    return Measurement(worst.value, worst.error, worst.value - claimed + 0.05, detail, worst, data)


@claim(
    "reaction-averaging",
    source="neumann2016, Lemma 3.2",
    statement="If epsilon df/dt + v.grad f = h with f, h bounded in L^2 with weight 1/chi, then "
    "rho_f is bounded in L^2_t H^s_x, s = theta/(2 + theta), theta from (3).",
    family="marginals along the wave vector: Gaussian (theta = 1), |v|^(theta-1) e^{-v^2/2} with "
    "theta = 1/2 and 1/4; |xi| = 2 pi 2^j, j = 4 ... 11",
    measured="the power of 1/|xi| in the largest |rho| over (|f|^2 + |h|^2)^(1/2), which is the "
    "root of max_a int chi/(1 + (v.xi - a)^2) dv",
    rule="at least s for every profile, the fit's error included",
)
def averaging(quick: bool, *, claimed: Any = None) -> Measurement:
    """The smoothing; `claimed` maps theta to the exponent s."""
    claimed = claimed or (lambda theta: theta / (2 + theta))
    waves = 2 * math.pi * 2.0 ** np.arange(4, 12)
    margins, lines, fits, data = [], [], [], {"xi": waves}
    for theta in (1.0, 0.5, 0.25):
        values = np.sqrt(_resolvent(theta, waves))
        fit = power_law(1 / waves, values)
        fits.append(fit)
        margins.append(fit.value - claimed(theta))
        lines.append(f"theta = {theta:g}: measured {fit}, claimed {claimed(theta):.4f}")
        data[f"theta={theta:g}"] = values
    worst = int(np.argmin([m - fit.error for m, fit in zip(margins, fits)]))
    detail = "; ".join(lines) + "; the measured power is theta/2, which is more than the lemma's."
    fit = fits[worst]
    return Measurement(fit.value, fit.error, margins[worst], detail, fit, data)


def _resolvent(theta: float, waves: np.ndarray) -> np.ndarray:
    """Integral of chi/(1 + xi^2 v^2), chi proportional to |v|^(theta-1) e^{-v^2/2}.

    Convolution of two even unimodal functions is largest at a = 0.
    """
    if theta == 1.0:
        return math.sqrt(math.pi / 2) / waves * erfcx(1 / (math.sqrt(2) * waves))
    # With v = e^s the integrand is analytic and decays at both ends: trapezoidal rule.
    s = np.linspace(-60 / theta, 3.5, 12001)
    v = np.exp(s)
    mass = 2 ** (theta / 2 - 1) * gamma(theta / 2)
    weight = np.exp(theta * s - v**2 / 2) / mass * (s[1] - s[0])
    return np.array([np.sum(weight / (1 + (xi * v) ** 2)) for xi in waves])


@claim(
    "reaction-limit",
    source="neumann2016, Theorem 3.3",
    statement="As epsilon -> 0, rho_f - rho_g converges to the solution m of "
    "dm/dt = div(D(m) grad m).",
    family="problem P1 at t = 0.02, epsilon = 0.04, 0.02, 0.01, 0.005, against the limit equation",
    measured="the power of epsilon in the relative L^2 distance",
    rule="at least one, the fit's error included (the theorem claims no rate; the measured is two)",
)
def limit(quick: bool, *, equation: DiffusionLimit | None = None) -> Measurement:
    """The convergence; `equation` is the claimed limit."""
    grid = _grid()
    equation = equation or KineticReaction().diffusion_limit(grid.velocity)
    rho = 1 + 0.5 * jnp.cos(2 * jnp.pi * grid.x[..., 0])
    m0 = rho - 1 / rho
    exact = solved(Problem(equation, grid.torus, m0), END, Record(n=2), 1e-7).fields["m"][-1]
    distances, errors = [], []
    for epsilon in EPSILONS:
        # The scheme is of second order: extrapolate, and keep a part of the step as the error.
        rough, fine = (_run(epsilon, rtol).fields["m"][-1] for rtol in (4e-6, 1e-6))
        best = fine + (fine - rough) / 3
        size = np.linalg.norm(exact)
        distances.append(float(np.linalg.norm(best - exact) / size))
        errors.append(float(np.linalg.norm(best - fine) / size) / 4)
    fit = power_law(EPSILONS, distances, errors)
    shown = ", ".join(f"{x:.2e}" for x in distances)
    detail = f"Distances {shown}; power {fit}."
    data = {"epsilon": EPSILONS, "distance": distances, "error": errors}
    return Measurement(fit.value, fit.error, fit.value - 1, detail, fit, data)
