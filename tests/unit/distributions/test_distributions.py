"""Named distributions: moments, exact values, sentences for bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import relaxon as rx
from relaxon.distributions.hot_spot import C0, blowdown_profile, cells_for

D = rx.distributions


@given(mass=st.floats(1e-3, 1e3), temperature=st.floats(0.1, 2.5))
def test_maxwellian_moments(mass, temperature):
    grid = rx.RadialGrid(3, 100, 16.0, 0.05)
    f = D.maxwellian(grid, mass, temperature)
    assert abs(float(grid.integrate(f)) / mass - 1) < 1e-9
    assert abs(float(rx.functionals.temperature(f, grid)) / temperature - 1) < 1e-9


def test_maxwellian_values(grid):
    r = np.asarray(grid.r)
    f = np.asarray(D.maxwellian(grid, 2.0, 0.7))
    np.testing.assert_allclose(f, 2 * (2 * np.pi * 0.7) ** -1.5 * np.exp(-(r**2) / 1.4), rtol=1e-13)


def test_mixture_is_the_sum_of_its_parts(grid):
    f = D.gaussian_mixture(grid, [0.3, 0.7], np.zeros((2, 3)), [0.5, np.eye(3) * 2])
    parts = D.maxwellian(grid, 0.3, 0.5) + D.maxwellian(grid, 0.7, 2.0)
    np.testing.assert_allclose(f, parts, rtol=1e-13)


def test_blowdown_mass_and_energy():
    for delta in (1e-2, 1e-6, 1e-12):
        grid = rx.RadialGrid(3, 400, 12.0, 0.1 * math.sqrt(delta))
        f = D.blowdown(grid, delta, 0.3)
        assert abs(float(grid.integrate(f)) - 1 - delta**0.3) < 1e-13
        energy = 3 * (1 + delta**1.3)
        assert abs(float(grid.integrate(f * grid.r**2)) / energy - 1) < 1e-13


def test_blowdown_profile_starts_as_the_spot_and_heats_at_rate_2_c0():
    grid = rx.RadialGrid(3, 200, 12.0, 0.01)
    delta, alpha = 1e-3, 0.35
    spot = D.blowdown(grid, delta, alpha) - D.maxwellian(grid)
    start = blowdown_profile(grid, 0.0, delta, alpha)
    np.testing.assert_allclose(start, spot, atol=1e-12 * float(np.max(spot)))
    later = blowdown_profile(grid, 0.4, delta, alpha)
    temperature = float(rx.functionals.temperature(later, grid))
    assert abs(temperature - (delta + 2 * C0 * 0.4)) < 1e-12
    assert abs(C0 - 1 / (3 * (2 * math.pi) ** 1.5)) < 1e-17


def test_bkw_has_unit_mass_and_temperature():
    grid = rx.RadialGrid(3, 200, 14.0, 0.1)
    f = D.bkw(grid, 1.0, strength=1 / 24, c=0.3)
    assert abs(float(grid.integrate(f)) - 1) < 1e-12
    assert abs(float(rx.functionals.temperature(f, grid)) - 1) < 1e-12


def test_the_advised_number_of_cells_is_the_least_that_is_accepted():
    grid = rx.RadialGrid(3, 40, 12.0, 1e-3)
    needed = cells_for(grid, 1e-4)
    with pytest.raises(rx.InputError, match=f"at least {needed} cells are needed"):
        D.blowdown(grid, 1e-8, 0.3)
    D.blowdown(rx.RadialGrid(3, needed, 12.0, 1e-3), 1e-8, 0.3)
    with pytest.raises(rx.InputError, match="too coarse"):
        D.blowdown(rx.RadialGrid(3, needed - 1, 12.0, 1e-3), 1e-8, 0.3)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda g: D.blowdown(g, -0.1, 0.3), "delta must lie in (0, 1), but is -0.1."),
        (lambda g: D.blowdown(g, 1.0, 0.3), "delta must lie in (0, 1), but is 1.0."),
        (lambda g: D.blowdown(g, "x", 0.3), "delta must lie in (0, 1), but is 'x'."),
        (lambda g: D.blowdown(g, True, 0.3), "delta must lie in (0, 1), but is True."),
        (lambda g: D.blowdown(g, 0.1, -1), "alpha must be a finite number >= 0, but is -1."),
        (lambda g: D.blowdown(g, 0.1, math.nan), "alpha must be a finite number >= 0, but is nan."),
        (
            lambda g: D.maxwellian(g, -1.0),
            "The weights of a mixture must be finite and >= 0, but are [-1.0].",
        ),
        (
            lambda g: D.maxwellian(g, 1.0, 0.0),
            "temperature must be positive, but is 0.0.",
        ),
        (
            lambda g: D.gaussian_mixture(g, [1.0], np.zeros((2, 3)), [1.0]),
            "A mixture of 1 Gaussians needs means of shape (1, 3) and 1 covariances, "
            "but got (2, 3) and 1.",
        ),
    ],
)
def test_bad_arguments(grid, call, sentence):
    with pytest.raises(rx.InputError) as error:
        call(grid)
    assert str(error.value) == sentence


def test_a_radial_grid_refuses_what_is_not_radial(grid):
    with pytest.raises(rx.InputError, match="mean 0 and an isotropic covariance"):
        D.maxwellian(grid, 1.0, 1.0, mean=[1.0, 0, 0])
    with pytest.raises(rx.InputError, match="mean 0 and an isotropic covariance"):
        D.gaussian_mixture(grid, [1.0], np.zeros((1, 3)), [np.diag([1.0, 1.0, 1.1])])


def test_bkw_refuses_times_at_which_it_is_negative(grid):
    with pytest.raises(rx.InputError, match="non-negative only for K in"):
        D.bkw(grid, 0.0, c=1.0)


def test_the_spot_begins_as_the_datum_says_and_has_its_mass():
    from relaxon.distributions.hot_spot import spot_at, spot_mass, spot_temperature

    grid = rx.RadialGrid(n=200, r_min=0.02)
    delta, alpha = 1e-2, 0.3
    start = delta**alpha * D.maxwellian(grid, temperature=delta)
    np.testing.assert_allclose(spot_at(grid.r, 0.0, delta, alpha), start, rtol=1e-14)
    for t in (0.0, 0.5):
        spot = blowdown_profile(grid, t, delta, alpha)
        mass = float(grid.integrate(spot))
        assert mass == pytest.approx(float(spot_mass(t, delta, alpha)), rel=1e-9)
        width = float(grid.integrate(spot * grid.r**2)) / (3 * mass)
        assert width == pytest.approx(spot_temperature(t, delta), rel=1e-9)
