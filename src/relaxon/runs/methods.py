"""Which time stepper solves which equation on which grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.collisions.cartesian.convolution import landau_operator
from relaxon.collisions.cartesian.radon_operator import RadonOperator, resolution
from relaxon.collisions.cartesian.relaxation import CartesianRelaxation
from relaxon.collisions.landau import Landau
from relaxon.collisions.lenard_balescu import LenardBalescu
from relaxon.collisions.radial.relaxation import RelativeSystem
from relaxon.collisions.two_scale.equation import TwoScale
from relaxon.core.errors import InputError
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.radial import RadialGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.walls import WalledGrid
from relaxon.reaction.equations.confined import ConfinedReaction, LinearizedConfined
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.reaction.equations.kinetic import KineticReaction, LinearizedReaction
from relaxon.reaction.equations.limit import DiffusionLimit
from relaxon.reaction.scheme.asymptotic import Asymptotic
from relaxon.reaction.scheme.confined_modes import ConfinedModes
from relaxon.reaction.scheme.limit import Diffusive
from relaxon.reaction.scheme.linear_modes import LinearModes
from relaxon.reaction.scheme.steppers import Limiting, Reacting
from relaxon.reaction.scheme.walls import Specular
from relaxon.reaction.theory.confined_rates import poincare_of
from relaxon.runs.problem import Problem
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.stabilized import StabilizedStepper
from relaxon.stepping.stepper import Stepper

LARGEST_CHANGE = 5.0
"""By how much log F may change in a cell over one step of a radial solver."""


def _radial_landau(problem: Problem, rtol: float) -> Stepper:
    equation, grid = problem.equation, problem.grid
    reaction = float(equation.reaction)
    if grid.d == 2:  # the kernel is a matrix that numpy sets up
        model = equation.kernel_model(grid)
        system = eqx.filter_jit(RelativeSystem)(problem.f0, grid, model, reaction)
    else:
        system = _relative_system(equation, grid, problem.f0, reaction)
    return Rosenbrock(system, jnp.asarray(rtol), jnp.asarray(LARGEST_CHANGE))


@eqx.filter_jit
def _relative_system(
    equation: Landau, grid: RadialGrid, f0: Array, reaction: float
) -> RelativeSystem:
    """One compiled function: dozens of small ones cost seconds when they are first called."""
    return RelativeSystem(f0, grid, equation.kernel_model(grid), reaction)


def _radial_screened(problem: Problem, rtol: float) -> Stepper:
    equation, grid = problem.equation, problem.grid
    equation.require_stable(problem.f0, grid)
    model = equation.kernel_model(grid)
    system = eqx.filter_jit(RelativeSystem)(problem.f0, grid, model, 0.0)
    return Rosenbrock(system, jnp.asarray(rtol), jnp.asarray(LARGEST_CHANGE))


def _two_scale(problem: Problem, rtol: float) -> Stepper:
    problem.equation.require_datum(problem.f0, problem.grid)
    return Rosenbrock(problem.equation.system(problem.grid), jnp.asarray(rtol))


def _cartesian_landau(problem: Problem, rtol: float) -> Stepper:
    equation, grid = problem.equation, problem.grid
    operator = landau_operator(grid, equation.gamma, equation.strength)
    if equation.reactive:
        raise InputError(
            "The modified equation (reaction != 0) is solved on a RadialGrid only; "
            "take a RadialGrid or reaction = 0."
        )
    return StabilizedStepper(CartesianRelaxation(operator, grid), rtol)


def _cartesian_screened(problem: Problem, rtol: float) -> Stepper:
    equation, grid = problem.equation, problem.grid
    equation.require_stable(problem.f0, grid)
    operator = RadonOperator(grid, equation.potential)
    resolution(operator, problem.f0)  # warns of a resonance that the grid does not resolve
    return StabilizedStepper(CartesianRelaxation(operator, grid, equation.potential.v_max), rtol)


STEP = 20.0
"""Steps of the reaction model at tolerance rtol: STEP sqrt(rtol) times the time in which diffusion
damps the longest wave by a factor e. At rtol = 1e-6 problem P1 then has errors below 2e-4."""


def reaction_step(model: KineticReaction, grid: PhaseGrid, rtol: float, m: float) -> float:
    r"""Step of the second-order scheme, the same for every epsilon.

    $$ h = 20 \sqrt{rtol} \, \frac{L^2}{4 \pi^2 D}, \qquad
       D = \max(|D_1|, |D_2|, |D(m_\infty)|) $$

    Args:
        model: The equation.
        grid: Torus and velocities.
        rtol: Tolerance.
        m: The mean of rho_f - rho_g; far from 0 the limit equation is much faster than D_1, D_2.
    """
    masses, drift = model.masses(grid), grid.drift
    tensors = [np.einsum("j,ja,jb->ab", w, drift, drift) for w in (masses.chi1, masses.chi2)]
    limit = DiffusionLimit(*tensors).diffusivity(jnp.asarray(m), grid.torus.d)
    largest = max(float(np.linalg.eigvalsh(tensor)[-1]) for tensor in (*tensors, limit))
    wave = 2.0 * np.pi / grid.torus.length
    return STEP * float(np.sqrt(rtol)) / (wave**2 * largest)


def _reaction(problem: Problem, rtol: float) -> Stepper:
    model, grid, f0 = problem.equation, problem.grid, problem.f0
    m = float(model.invariants(f0, grid)["mass_difference"]) / grid.torus.volume
    return Reacting(Asymptotic(model, grid, reaction_step(model, grid, rtol, m)))


def _walled_reaction(problem: Problem, rtol: float) -> Stepper:
    model, grid, whole = problem.equation, problem.grid, problem.grid.doubled
    f0 = {key: grid.extend(value) for key, value in problem.f0.items()}
    m = float(model.invariants(f0, whole)["mass_difference"]) / whole.torus.volume
    return Reacting(Specular(model, grid, reaction_step(model, whole, rtol, m)))


def _confined_reaction(problem: Problem, rtol: float) -> Stepper:
    model, grid = problem.equation, problem.grid
    step = STEP * float(np.sqrt(rtol)) / (poincare_of(grid.line) * max(model.T1, model.T2))
    return Reacting(Asymptotic(model, grid, step))


def _limit(problem: Problem, rtol: float) -> Stepper:
    return Limiting(Diffusive(problem.equation, problem.grid, rtol))


def _linear_reaction(problem: Problem, rtol: float) -> Stepper:
    return LinearModes(problem.equation, problem.grid)


def _confined_linear(problem: Problem, rtol: float) -> Stepper:
    return ConfinedModes(problem.equation, problem.grid)


METHODS: dict[tuple[type, type], Callable[[Problem, float], Stepper]] = {
    (Landau, RadialGrid): _radial_landau,
    (LenardBalescu, RadialGrid): _radial_screened,
    (Landau, VelocityGrid): _cartesian_landau,
    (LenardBalescu, VelocityGrid): _cartesian_screened,
    (TwoScale, RadialGrid): _two_scale,
    (KineticReaction, PhaseGrid): _reaction,
    (KineticReaction, WalledGrid): _walled_reaction,
    (LinearizedReaction, PhaseGrid): _linear_reaction,
    (DiffusionLimit, TorusGrid): _limit,
    (ConfinedReaction, ConfinedGrid): _confined_reaction,
    (LinearizedConfined, ConfinedGrid): _confined_linear,
    (ConfinedLimit, ConfinedLine): _limit,
}
"""Keyed by the classes of equation and grid; an entry builds the stepper of a problem."""


def stepper_for(problem: Problem, rtol: float) -> Stepper:
    """The stepper of a problem.

    Raises:
        InputError: There is no method for this equation on this grid.
    """
    key: tuple[Any, Any] = (type(problem.equation), type(problem.grid))
    if key not in METHODS:
        pairs = ", ".join(f"{e.__name__} on {g.__name__}" for e, g in METHODS)
        raise InputError(
            f"There is no method for {key[0].__name__} on {key[1].__name__}; allowed: {pairs}."
        )
    return METHODS[key](problem, rtol)
