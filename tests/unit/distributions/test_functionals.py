"""Functionals against closed forms for Gaussians."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import relaxon as rx

F = rx.functionals
GRID = rx.RadialGrid(3, 200, 16.0, 0.05)
POSITIVE = {"mass": st.floats(0.1, 10), "temperature": st.floats(0.3, 2.0)}


def gaussian(mass, temperature):
    return rx.distributions.maxwellian(GRID, mass, temperature)


@given(**POSITIVE)
def test_moments_and_entropy_of_a_maxwellian(mass, temperature):
    f = gaussian(mass, temperature)
    assert abs(float(F.mass(f, GRID)) / mass - 1) < 1e-12
    assert abs(float(F.energy(f, GRID)) / (3 * mass * temperature) - 1) < 1e-12
    exact = mass * (math.log(mass) - 1.5 * math.log(2 * math.pi * temperature) - 1.5)
    assert abs(float(F.entropy(f, GRID)) - exact) < 1e-11 * (1 + abs(exact))
    assert float(np.max(np.abs(F.momentum(f, GRID)))) == 0.0


@given(**POSITIVE)
def test_fisher_information_is_d_rho_over_t(mass, temperature):
    value = float(F.fisher_information(gaussian(mass, temperature), GRID))
    assert abs(value / (3 * mass / temperature) - 1) < 1e-5  # order 4, see test_space_order


@given(**POSITIVE)
def test_lp_norms(mass, temperature):
    f = gaussian(mass, temperature)
    for p in (1.0, 1.2, 1.5, 2.0, 5.0):
        exact = mass * (2 * math.pi * temperature) ** (-1.5 * (1 - 1 / p)) * p ** (-1.5 / p)
        assert abs(float(F.lp_norm(f, GRID, p)) / exact - 1) < 1e-10
    assert float(F.lp_norm(f, GRID, math.inf)) == float(np.max(f))


@given(t1=st.floats(0.3, 2.0), t2=st.floats(0.3, 2.0))
def test_relative_entropy_of_two_maxwellians(t1, t2):
    value = float(F.relative_entropy(gaussian(1.0, t1), gaussian(1.0, t2), GRID))
    exact = 1.5 * (math.log(t2 / t1) + t1 / t2 - 1)
    assert abs(value - exact) < 1e-11
    assert value >= 0


def test_relative_entropy_does_not_cancel():
    m = gaussian(1.0, 1.0)
    phi = 1e-9 * (np.asarray(GRID.r) ** 2 - 3)
    value = float(F.relative_entropy(m * (1 + phi), m, GRID))
    exact = float(GRID.integrate(m * phi**2)) / 2
    assert abs(value / exact - 1) < 1e-6  # what the rounding of m (1 + phi) leaves


def test_relative_entropy_where_the_reference_underflows():
    r = np.asarray(GRID.r)
    log_m = -1.5 * math.log(2 * math.pi * 0.01) - r**2 / 0.02  # below e^-745 from r = 4 on
    f = gaussian(1.0, 1.0)
    value = float(F.relative_entropy(f, np.exp(log_m), GRID, log_m))
    assert value == pytest.approx(1.5 * (math.log(0.01) + 100 - 1), rel=1e-9)
    assert float(F.relative_entropy(0 * f, np.exp(log_m), GRID)) == pytest.approx(1.0, abs=1e-9)


def test_norms_with_weights():
    g = gaussian(1.0, 0.5)
    # int M_{1/2}^2 / M_1 = (2 pi)^{3/2} pi^{-3} int e^{-2 r^2 + r^2/2} = (2/pi)^{3/2}(2 pi/3)^{3/2}
    exact = math.sqrt((2 * math.pi) ** 1.5 * math.pi**-3 * (2 * math.pi / 3) ** 1.5)
    assert abs(float(F.weighted_norm(g, GRID)) / exact - 1) < 1e-12
    near = math.sqrt(math.pi**-3 * (2 * math.pi / 3) ** 1.5)
    assert abs(float(F.near_field_norm(g, GRID, 1.0)) / near - 1) < 1e-12
    assert float(F.weighted_norm(np.zeros(200), GRID)) == 0.0


def test_entropy_production_of_a_maxwellian_vanishes_and_of_a_mixture_does_not():
    landau = rx.Landau()
    assert abs(float(F.entropy_production(gaussian(1.3, 0.8), GRID, landau))) < 1e-13
    mixture = gaussian(0.5, 0.4) + gaussian(0.5, 1.5)
    assert float(F.entropy_production(mixture, GRID, landau)) > 1e-3


def test_zeros_are_allowed():
    f = np.where(np.asarray(GRID.r) < 2, 1.0, 0.0)
    assert np.isfinite(float(F.entropy(f, GRID)))
    assert float(F.entropy(f, GRID)) == 0.0


def test_lp_norm_refuses_p_below_one():
    with pytest.raises(rx.InputError, match=r"^p must be >= 1, but is 0\.5\.$"):
        F.lp_norm(np.ones(200), GRID, 0.5)
