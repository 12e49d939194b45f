"""The law of a blow-up, fitted to values that obey it and to values that come to obey it."""

import numpy as np
import pytest

from relaxon.numerics.blowup import blowup

END = 0.7
T = END * (1 - np.geomspace(1, 1e-7, 80))


@pytest.mark.parametrize("power", [0.75, 1.0, 1.5])
def test_an_exact_law_is_recovered(power):
    fit = blowup(T, 5 * (END - T) ** -power)
    assert fit.time == pytest.approx(END, rel=1e-15)
    assert fit.power == pytest.approx(power, rel=1e-12) and fit.error < 1e-12
    assert fit.amplitude == pytest.approx(5, rel=1e-11)
    np.testing.assert_allclose(fit(T[-9:]), 5 * (END - T[-9:]) ** -power, rtol=1e-9)


@pytest.mark.parametrize("correction", [0.5, 0.75, 1.0])
@pytest.mark.parametrize("size", [1.0, -0.3, 20.0])
def test_the_bars_contain_the_truth_where_the_law_is_a_limit(correction, size):
    """As in runs, where F(0) (t* - t) is C (1 + O((t* - t)^(3/4)))."""
    left = END - T
    fit = blowup(T, 2 / left * (1 + size * left**correction))
    assert abs(fit.power - 1) < fit.error < 0.05
    assert abs(fit.time - END) < fit.time_error < 1e-7
    assert np.all(np.diff(np.abs(fit.powers - 1)) < 0)


def test_noise_is_in_the_bars():
    rng = np.random.default_rng(1)
    for _ in range(4):
        fit = blowup(T, 2 / (END - T) * (1 + 1e-5 * rng.standard_normal(T.size)))
        assert abs(fit.power - 1) < 3 * fit.error < 1e-3
        assert abs(fit.time - END) < 3 * fit.time_error


def test_few_records_near_the_end_give_no_fit():
    assert blowup(np.array([0.0, 0.5, 0.6]), np.array([1.0, 5.0, 1e5])) is None
