"""Which time stepper solves which equation on which grid: a look-up over `@solves`."""

from __future__ import annotations

from relaxon.core.methods import method_of
from relaxon.runs.problem import Problem
from relaxon.stepping.stepper import Stepper


def stepper_for(problem: Problem, rtol: float) -> Stepper:
    """The stepper of a problem.

    Raises:
        InputError: There is no method for this equation on this grid.
    """
    return method_of(problem)(problem, rtol)
