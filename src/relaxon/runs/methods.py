"""Which time stepper solves which equation on which grid: a look-up over `@solves`."""

from __future__ import annotations

from relaxon.core.methods import Posed, method_of
from relaxon.stepping.stepper import Stepper


def stepper_for(problem: Posed, rtol: float) -> Stepper:
    """The stepper of a problem.

    Raises:
        InputError: There is no method for this equation on this grid.
    """
    return method_of(problem)(problem, rtol)
