import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.numerics.fits import power_law, refined, stretched_power


def test_an_exact_power_is_recovered_to_rounding():
    x = np.geomspace(1e-10, 1e-2, 9)
    fit = power_law(x, 0.24 * x**0.35)
    assert abs(fit.value - 0.35) < 1e-13
    assert fit.error < 1e-12
    assert abs(fit.prefactor / 0.24 - 1) < 1e-11


def test_the_error_of_a_power_covers_scatter_and_drift():
    rng = np.random.default_rng(1)
    x = np.geomspace(1e-6, 1e-1, 12)
    for _ in range(20):
        noisy = power_law(x, x**0.5 * np.exp(0.05 * rng.standard_normal(12)))
        assert abs(noisy.value - 0.5) < 3 * noisy.error
    bent = power_law(x, x**0.5 * (1 + 2 * x**0.25))
    assert np.all(np.abs(bent.local - bent.value) <= bent.error)
    assert bent.drift > 0.02


def test_data_errors_enter_the_error_of_a_power():
    x = np.geomspace(1e-4, 1e-1, 7)
    plain, uncertain = power_law(x, x**0.5), power_law(x, x**0.5, 0.1 * x**0.5)
    assert uncertain.discretisation > 0.01 > plain.error


def test_points_of_low_quality_weigh_little():
    x = np.geomspace(1e-4, 1e-1, 7)
    y = x**0.5
    y[0] *= 3
    error = 1e-6 * y
    error[0] = 3 * y[0]
    assert abs(power_law(x, y, error).value - 0.5) < 0.02


@pytest.mark.parametrize("p", [0.5, 2 / 3, 1.0])
def test_a_stretched_exponential_is_recovered(p):
    t = np.geomspace(1.0, 1e4, 161)
    fit = stretched_power(t, np.exp(-0.01 * t**p), (10.0, 5e3))
    assert abs(fit.value - p) < 1e-3
    assert abs(fit.prefactor / 0.01 - 1) < 0.01
    assert fit.drift < 1e-3


def test_a_changing_exponent_shows_as_drift():
    t = np.geomspace(1.0, 1e4, 161)
    fit = stretched_power(t, np.exp(-0.1 * t**0.5 - 0.001 * t), (10.0, 5e3))
    assert fit.drift > 0.05
    assert np.all(np.diff(fit.local) > 0)


def test_refinement_observes_the_order():
    sizes = np.array([100, 200, 400])
    value, error = refined(1 + 1e6 * sizes**-4.0, sizes)
    assert abs(value - 1) < 1.01 * error
    assert error < 2 * abs(value - 1)
    assert refined([1.0, 1.1], [100, 200], 4)[1] == pytest.approx(0.1 / 15)


def test_too_few_points_are_refused():
    with pytest.raises(InputError, match="at least three"):
        power_law([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InputError, match="Fewer than five"):
        stretched_power([1.0, 2.0, 3.0], [1.0, 0.5, 0.2], (1.0, 3.0))
