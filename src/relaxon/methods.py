"""Which time stepper solves which equation on which grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.landau import Landau
from relaxon.collisions.lenard_balescu import LenardBalescu
from relaxon.collisions.relative import RelativeSystem
from relaxon.errors import InputError
from relaxon.grids.radial import RadialGrid
from relaxon.problem import Problem
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.stepper import Stepper


def _radial_landau(problem: Problem, rtol: float) -> Stepper:
    equation, grid = problem.equation, problem.grid
    reaction = float(equation.reaction)
    if grid.d == 2:  # the kernel is a matrix that numpy sets up
        model = equation.kernel_model(grid)
        system = eqx.filter_jit(RelativeSystem)(problem.f0, grid, model, reaction)
    else:
        system = _relative_system(equation, grid, problem.f0, reaction)
    return Rosenbrock(system, jnp.asarray(rtol))


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
    return Rosenbrock(system, jnp.asarray(rtol))


METHODS: dict[tuple[type, type], Callable[[Problem, float], Stepper]] = {
    (Landau, RadialGrid): _radial_landau,
    (LenardBalescu, RadialGrid): _radial_screened,
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
