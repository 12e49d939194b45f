"""The Landau equation on a radial grid: coefficients, rates, sentences."""

import math

import numpy as np
import pytest
from scipy.special import erf

import relaxon as rx
from relaxon.core.registry import settings

LANDAU = rx.Landau()
FINE = rx.RadialGrid(3, 200, 14.0, 0.05)


def test_coefficients_of_a_maxwellian():
    (lam1, lam2), friction = LANDAU.coefficients(rx.distributions.maxwellian(FINE), FINE)
    s = np.asarray(FINE.faces)[1:]
    gauss = (2 * np.pi) ** -1.5 * np.exp(-(s**2) / 2)
    inner = erf(s / math.sqrt(2)) / (4 * np.pi) - s * gauss  # int_0^s t^2 M dt
    np.testing.assert_allclose(lam1[1:], inner / s**3, rtol=2e-6)
    np.testing.assert_allclose(friction[1:], -inner / s**2, rtol=2e-6)
    trace = inner / s + gauss  # int_s^inf t M dt = M for temperature one
    np.testing.assert_allclose(lam2[1:], (trace - inner / s**3) / 2, rtol=2e-6)
    c0 = 1 / (3 * (2 * np.pi) ** 1.5)  # (2.2)
    assert abs(float(lam1[0]) / c0 - 1) < 1e-6
    assert abs(float(lam2[0]) / c0 - 1) < 1e-6


def test_eigenvalues_decrease():
    """Lemma 2.3 of gualdani2025: both eigenvalues of A[M] are decreasing in |v|."""
    (lam1, lam2), _ = LANDAU.coefficients(rx.distributions.maxwellian(FINE), FINE)
    assert np.all(np.diff(np.asarray(lam1)[1:]) < 0)
    assert np.all(np.diff(np.asarray(lam2)[1:]) < 0)


def test_rate_is_the_operator_in_non_divergence_form():
    """rhs against lam1 F'' + (2/r) lam2 F' + F^2, all in closed form for two Maxwellians."""
    grid = rx.RadialGrid(3, 400, 14.0, 0.2)
    r = np.asarray(grid.r)

    def pieces(weight, temp):
        x = r / math.sqrt(temp)
        gauss = weight * (2 * np.pi * temp) ** -1.5 * np.exp(-(x**2) / 2)
        inner = weight * erf(x / math.sqrt(2)) / (4 * np.pi) - r * temp * gauss
        lam1 = temp * inner / r**3
        trace = inner / r + temp * gauss
        first, second = -r / temp * gauss, (r**2 / temp**2 - 1 / temp) * gauss
        return np.stack([gauss, lam1, (trace - lam1) / 2, first, second])

    f, lam1, lam2, first, second = pieces(0.6, 0.5) + pieces(0.4, 1.5)
    exact = lam1 * second + 2 / r * lam2 * first + f**2
    found = np.asarray(LANDAU.rhs(f, grid))
    total = float(grid.integrate(np.abs(exact)))
    assert float(grid.integrate(np.abs(found - exact))) < 1e-7 * total
    # At single cells near r = 0 the error is that of a divergence, dx^4/r^2: order 2 in the first.
    assert np.max(np.abs(found - exact)) < 2e-4 * np.max(np.abs(exact))


def test_strength_and_reaction_enter_linearly(grid, mixture):
    q = LANDAU.rhs(mixture, grid)
    triple = rx.Landau(strength=3 / (8 * math.pi)).rhs(mixture, grid)
    np.testing.assert_allclose(triple, 3 * q, rtol=1e-12, atol=1e-300)
    reactive = rx.Landau(reaction=0.7).rhs(mixture, grid)
    np.testing.assert_allclose(reactive, q + 0.7 * mixture**2, rtol=1e-12)


def test_invariants_and_equilibrium(grid, mixture):
    invariants = LANDAU.invariants(mixture, grid)
    equilibrium = LANDAU.equilibrium(mixture, grid)
    assert abs(float(invariants["mass"]) - 1) < 1e-13
    assert abs(float(invariants["energy"]) - 3 * 0.85) < 1e-12
    exact = rx.distributions.maxwellian(grid, 1.0, 0.85)
    np.testing.assert_allclose(equilibrium, exact, rtol=1e-11)


def test_settings_build_the_same_equation():
    equation = rx.Landau(gamma=-2.0, strength=0.5, reaction=0.1)
    again = rx.Landau(**settings(equation))
    assert settings(again) == settings(equation)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"gamma": -4}, "gamma must lie in [-3, 1], but is -4."),
        ({"gamma": math.nan}, "gamma must be a finite number, but is nan."),
        ({"strength": 0.0}, "strength must be > 0, but is 0."),
        ({"strength": "1"}, "strength must be a finite number, but is '1'."),
        ({"reaction": math.inf}, "reaction must be a finite number, but is inf."),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(rx.InputError) as error:
        rx.Landau(**arguments)
    assert str(error.value) == sentence


def test_grids_without_an_operator(mixture):
    soft = rx.Landau(gamma=-2.0)
    with pytest.raises(rx.InputError, match=r"needs gamma = -3, but gamma = -2"):
        soft.rhs(mixture, rx.RadialGrid(3, 100, 12.0, 0.05))
    with pytest.raises(rx.InputError, match=r"no operator on a list"):
        LANDAU.rhs(mixture, [])
