import numpy as np
import pytest

from relaxon.numerics import fits


@pytest.mark.parametrize("power", [0.5, 2 / 3, 0.8])
@pytest.mark.parametrize("prefactor", [0.0, -1.5])
def test_a_stretched_exponential_is_recovered(power, prefactor):
    t = np.geomspace(1e-2, 1e4, 200)
    rate = 100 / t[-1] ** power
    y = 3 * t**prefactor * np.exp(-rate * t**power)
    fit = fits.stretched_exponential(t, y)
    assert fit.power == pytest.approx(power, abs=1e-6)
    assert fit.rate == pytest.approx(rate, rel=1e-5)
    assert abs(fit.power - power) <= max(fit.error, 1e-6)
    np.testing.assert_allclose(fit(t[-20:]), y[-20:], rtol=1e-5)


def test_the_error_covers_a_slow_correction():
    t = np.geomspace(1e-2, 1e4, 200)
    y = np.exp(-0.3 * t ** (2 / 3) - 0.5 * t ** (1 / 3))
    fit = fits.stretched_exponential(t, y)
    assert fit.error > 1e-3
    assert abs(fit.power - 2 / 3) < 3 * fit.error


def test_too_little_decay_gives_no_fit():
    t = np.geomspace(1e-2, 1e2, 100)
    assert fits.stretched_exponential(t, np.exp(-0.05 * t)) is None


def test_the_local_power_of_a_stretched_exponential():
    t = np.geomspace(1e-1, 1e3, 60)
    middle, power = fits.local_power(t, np.exp(-0.1 * t**0.6))
    assert np.all((middle > t[0]) & (middle < t[-1]))
    np.testing.assert_allclose(power, 0.6, atol=1e-3)


def test_a_golden_section_finds_the_minimum_on_either_side_of_zero():
    for place in (-3.2, 0.7):
        found = fits.golden_section(lambda x, p=place: abs(x - p), place - 1.3, place + 0.9)
        assert found == pytest.approx(place, rel=1e-9)


def test_the_rate_of_an_exponential_from_its_late_part():
    t = np.linspace(0, 5, 51)
    y = np.where(t < 2, 1.0, 7 * np.exp(-0.3 * t))
    y[-1] = 0.0  # left out
    assert fits.exponential_rate(t, y, 2.0) == pytest.approx(0.3, rel=1e-12)
    assert np.isnan(fits.exponential_rate(t, y, 4.9))


def test_an_exponent_in_units_of_another():
    x = np.geomspace(1, 10, 5)
    fit = fits.power_law(x, x**-6.0 * (1 + 0.01 * np.cos(x)))
    part = fit.over(-2.0)
    assert part.value == fit.value / -2 and part.error == fit.error / 2 > 0
    assert part.scatter == fit.scatter


def test_a_fit_that_ends_at_its_bound_says_so():
    t = np.geomspace(1e-3, 1e3, 80)
    slow, fast = t**-4.0 * (1 + t) ** -12.0, np.exp(-((t / 200) ** 3.0) - 30 * t / (1 + t))
    for y in (slow, fast):
        fit = fits.stretched_exponential(t, y)
        assert fit.at_bound
        assert min(abs(fit.power - 0.05), abs(fit.power - 2.0)) < 1e-4
    assert not fits.stretched_exponential(t, np.exp(-(t**0.6))).at_bound
