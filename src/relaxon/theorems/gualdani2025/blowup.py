r"""Blow-up of the modified Landau equation, and the rate at which F(0, t) grows."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from relaxon.collisions.landau import Landau
from relaxon.core.errors import require
from relaxon.distributions.hot_spot import blowdown
from relaxon.grids.radial import RadialGrid
from relaxon.numerics.fits import approach
from relaxon.runs.problem import Problem
from relaxon.runs.record import Record
from relaxon.runs.solution import Solution
from relaxon.runs.solve import solve
from relaxon.stepping.status import Status


@dataclasses.dataclass(frozen=True)
class BlowupFit:
    """The law F(0, t) ~ C (t* - t)^-q fitted to the end of a run.

    Attributes:
        time: t*.
        time_error: Its uncertainty: change between the two halves of the window.
        rate: q.
        rate_error: Scatter of the fit and half the range of q over the parts of the window.
        prefactor: C.
        window: (first, last) value of F(0, t) used.
        local: q over successive parts of the window, first to last.
    """

    time: float
    time_error: float
    rate: float
    rate_error: float
    prefactor: float
    window: tuple[float, float]
    local: np.ndarray


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


def fit_blowup(solution: Solution, first: float = 30.0, last: float = 3e4) -> BlowupFit:
    """Fit F(0, t) ~ C (t* - t)^-q where F(0, t) lies between two multiples of its first value.

    t* is the time for which log F(0, t) is most nearly linear in log(t* - t).

    Args:
        solution: A run that ended with status BLOWUP.
        first: Lower end of the window, in units of F(0, 0).
        last: Upper end.

    Returns:
        The fit; the exponent is also fitted on thirds of the window (in log F).

    Raises:
        InputError: The run did not blow up, or fewer than nine records lie in the window.
    """
    require(
        solution.status is Status.BLOWUP,
        f"Only a run with status BLOWUP has a rate, but this one is {solution.status.name}.",
    )
    t, value = solution.t, np.asarray(solution.diagnostics["central_value"])
    inside = (value >= first * value[0]) & (value <= last * value[0])
    require(
        int(inside.sum()) >= 9,
        f"Only {int(inside.sum())} records lie in the window of the fit; at least 9 are needed.",
    )
    ts, log_f = t[inside], np.log(value[inside])
    star, slope, prefactor, residual = approach(ts, log_f)
    thirds = np.array_split(np.arange(len(ts)), 3)
    local = np.array([-np.polyfit(np.log(star - ts[i]), log_f[i], 1)[0] for i in thirds])
    halves = [approach(ts[i], log_f[i])[0] for i in np.array_split(np.arange(len(ts)), 2)]
    # Standard error of a slope: residual over this.
    spread = np.std(np.log(star - ts)) * math.sqrt(len(ts))
    return BlowupFit(
        time=star,
        time_error=float(max(abs(h - star) for h in halves)),
        rate=slope,
        rate_error=float(math.hypot(residual / spread, np.ptp(local) / 2)),
        prefactor=prefactor,
        window=(float(value[inside][0]), float(value[inside][-1])),
        local=local,
    )
