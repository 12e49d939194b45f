"""Which time stepper solves which equation on which grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from relaxon.blowdown import TwoScale
from relaxon.collisions.landau import Landau
from relaxon.collisions.relative import RelativeSystem
from relaxon.errors import InputError
from relaxon.grids.radial import RadialGrid
from relaxon.problem import Problem
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.stepper import Stepper


def _radial_landau(problem: Problem, rtol: float) -> Stepper:
    equation, grid = problem.equation, problem.grid
    system = RelativeSystem(problem.f0, grid, equation.kernel(grid), equation.reaction)
    return Rosenbrock(system, jnp.asarray(rtol))


def _two_scale(problem: Problem, rtol: float) -> Stepper:
    problem.equation.require_datum(problem.f0, problem.grid)
    return Rosenbrock(problem.equation.system(problem.grid), jnp.asarray(rtol))


METHODS: dict[tuple[type, type], Callable[[Problem, float], Stepper]] = {
    (Landau, RadialGrid): _radial_landau,
    (TwoScale, RadialGrid): _two_scale,
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
