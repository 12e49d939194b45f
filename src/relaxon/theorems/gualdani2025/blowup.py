r"""Blow-up of the modified Landau equation, and the rate at which F(0, t) grows."""

from __future__ import annotations

import math

import numpy as np

from relaxon.collisions.landau import Landau
from relaxon.core.errors import InputError, require
from relaxon.distributions.hot_spot import blowdown
from relaxon.grids.radial import RadialGrid
from relaxon.numerics.blowup import Blowup, blowup
from relaxon.runs.problem import Problem
from relaxon.runs.record import Record
from relaxon.runs.solution import Solution
from relaxon.runs.solve import solve
from relaxon.stepping.status import Status


def solve_to_blowup(
    delta: float,
    alpha: float,
    reaction: float,
    n: int = 300,
    r_min: float | None = None,
    r_max: float = 12.0,
    t_end: float = 5.0,
    rtol: float = 1e-7,
    decades: float = 6.0,
    per_decade: int = 12,
) -> Solution:
    r"""Solve the modified equation from the hot spot, recorded on the approach to blow-up.

    A first run finds the time t_b at which it ends; the second records at t_b (1 - s) with s
    spaced by logarithm, so that every decade of t* - t is seen.

    Args:
        delta: Squared width of the spot.
        alpha: Exponent of its mass.
        reaction: epsilon in + epsilon F^2 (gualdani2025, introduction).
        n: Cells.
        r_min: Smallest scale; None is 1e-4 sqrt(delta), for a solution that contracts.
        r_max: Outer end.
        t_end: Where to stop if nothing blows up.
        rtol: Relative tolerance.
        decades: How many decades of t* - t to record.
        per_decade: Records in each.

    Returns:
        The solution; its status is `BLOWUP` if F grew a millionfold.
    """
    r_min = 1e-4 * math.sqrt(delta) if r_min is None else r_min
    grid = RadialGrid(3, n, r_max, r_min)
    problem = Problem(Landau(reaction=reaction), grid, blowdown(grid, delta, alpha))
    first = solve(problem, t_end, Record(n=2), rtol)
    if first.status is not Status.BLOWUP:
        return first
    end = float(first.t[-1])
    left = np.geomspace(1.0, 10.0**-decades, int(decades * per_decade) + 1)[1:]
    return solve(problem, t_end, Record(times=end * (1 - left)), rtol)


def fit_blowup(solution: Solution) -> Blowup:
    """The law F(0, t) ~ C (t* - t)^-q of the end of a run, see `numerics.blowup`.

    Args:
        solution: A run that ended with status BLOWUP.

    Returns:
        The fit. With delta = 1e-2, alpha = 0.35, epsilon = 1/2 and 300 cells q is 0.99992(34) and
        t* 0.842739125, which 600 cells move by 1.2e-5, rtol = 1e-9 instead of 1e-7 by 2e-9 and ten
        decades of records instead of six by 7e-12: the bar of t*, 2e-10, is that of the fit alone.

    Raises:
        InputError: The run did not blow up, or its records cannot tell.
    """
    require(
        solution.status is Status.BLOWUP,
        f"Only a run with status BLOWUP has a rate, but this one is {solution.status.name}.",
    )
    found = blowup(solution.t, np.asarray(solution.diagnostics["central_value"]))
    if found is None:
        raise InputError(
            f"The run must have five records in each of its last three decades of F(0), but has "
            f"{len(solution.t)} in all."
        )
    return found
