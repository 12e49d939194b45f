import dataclasses

import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status
from relaxon.theorems.gualdani2025.blowup import fit_blowup, solve_to_blowup


def synthetic(star, q, c, correction=0.0):
    t = star * (1 - np.geomspace(1.0, 1e-7, 90))
    left = star - t
    value = c * left**-q * (1 + correction * left)
    return Solution(t, {}, {"central_value": value}, Status.BLOWUP, {}, {})


def test_the_law_of_a_run_is_that_of_its_central_value():
    fit = fit_blowup(synthetic(0.3, 1.0, 2.0, 20.0))
    assert abs(fit.power - 1.0) < fit.error < 1e-3
    assert abs(fit.time - 0.3) < fit.time_error < 1e-9


def test_a_run_that_does_not_blow_up_has_no_rate():
    solution = synthetic(0.3, 1.0, 2.0)
    with pytest.raises(InputError, match="status BLOWUP"):
        fit_blowup(dataclasses.replace(solution, status=Status.DONE))
    few = {"central_value": solution.diagnostics["central_value"][::12]}
    with pytest.raises(InputError, match="five records in each"):
        fit_blowup(dataclasses.replace(solution, t=solution.t[::12], diagnostics=few))


@pytest.mark.slow
def test_refinement_moves_the_blow_up_time_and_not_the_exponent():
    """t* of order 4 in the cell size; q contains 1 on every grid, tolerance and set of records."""
    settings = [(200, 1e-7, 6.0), (300, 1e-7, 6.0), (300, 1e-9, 8.0), (600, 1e-7, 6.0)]
    found = [
        fit_blowup(solve_to_blowup(1e-2, 0.35, 0.5, n=n, rtol=rtol, decades=decades))
        for n, rtol, decades in settings
    ]
    for fit in found:
        assert abs(fit.power - 1.0) < fit.error < 1e-3
    times = [fit.time for fit in found]
    assert abs(times[2] - times[1]) < 1e-8
    assert 3.0 < (times[1] - times[0]) / (times[3] - times[1]) < 6.0
