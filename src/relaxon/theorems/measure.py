"""What the checks share when they measure: a run that reached its end, or no measurement."""

from __future__ import annotations

from relaxon.runs.problem import Problem
from relaxon.runs.record import Record
from relaxon.runs.solution import Solution
from relaxon.runs.solve import solve
from relaxon.theorems.check import Unmeasured


def solved(problem: Problem, t_end: float, record: Record, rtol: float = 1e-6) -> Solution:
    """The solution of a run that reached its end.

    Args:
        problem: What to solve.
        t_end: To what time.
        record: What to record.
        rtol: Tolerance, as for `relaxon.solve`.

    Raises:
        Unmeasured: It did not; the message says how and when it ended.
    """
    solution = solve(problem, t_end, record, rtol)
    if not solution.ok:
        name = type(problem.equation).__name__
        raise Unmeasured(
            f"A run of {name} ended with {solution.status.name} at t = {solution.t[-1]:.4g}."
        )
    return solution
