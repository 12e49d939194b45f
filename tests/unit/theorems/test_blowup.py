import dataclasses

import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status
from relaxon.theorems.gualdani2025.blowup import fit_blowup


def synthetic(star, q, c, correction=0.0):
    t = star * (1 - np.geomspace(1.0, 1e-7, 90))
    left = star - t
    value = c * left**-q * (1 + correction * left)
    return Solution(t, {}, {"central_value": value}, Status.BLOWUP, {}, {})


@pytest.mark.parametrize("q", [0.75, 1.0, 1.5])
def test_an_exact_law_is_recovered(q):
    fit = fit_blowup(synthetic(0.3, q, 2.0), 3.0, 1e4)
    assert abs(fit.time - 0.3) < 1e-9
    assert abs(fit.rate - q) < 1e-5
    assert abs(fit.prefactor - 2.0) < 1e-3


def test_a_correction_lies_within_the_error():
    fit = fit_blowup(synthetic(0.3, 1.0, 2.0, 20.0), 10.0, 1e5)
    assert 0 < abs(fit.rate - 1.0) < 2 * fit.rate_error
    assert abs(fit.time - 0.3) < 2 * fit.time_error


def test_a_run_that_does_not_blow_up_has_no_rate():
    with pytest.raises(InputError, match="status BLOWUP"):
        fit_blowup(dataclasses.replace(synthetic(0.3, 1.0, 2.0), status=Status.DONE))
    with pytest.raises(InputError, match="at least 9"):
        fit_blowup(synthetic(0.3, 1.0, 2.0), 10.0, 11.0)
