"""Rates in the time of an equation with its epsilon."""

import math

import pytest

import relaxon as rx
from relaxon.reaction.theory.scaled_rates import gaussian_variances, scaled_rates


def test_a_scaled_equation_has_the_rates_of_the_scaled_wave_number():
    epsilon, length, r = 0.3, 2.5, 1.7
    chi = rx.distributions.profile("gaussian", variance=0.5)
    equation = rx.KineticReaction("gaussian", chi, epsilon)
    assert gaussian_variances(equation) == (1.0, 0.5)
    found = scaled_rates(equation, r, length)
    theory = rx.reaction.hypocoercive_rates(r, 1.0, 0.5, epsilon * 2 * math.pi / length)
    for name in ("dms", "h1", "true"):
        assert getattr(found, name) == pytest.approx(getattr(theory, name) / epsilon**2, rel=1e-14)
    assert scaled_rates(equation.linearized(r), r, length) == found


def test_under_a_potential_temperatures_carry_the_scaling():
    equation = rx.ConfinedReaction(1.0, 0.5, 0.5)
    found = scaled_rates(equation, 1.2, math.inf)
    theory = rx.reaction.confined_gap(1.2, 0.25, 0.125, "harmonic")
    assert found.true == pytest.approx(theory.rate / 0.25, rel=1e-12)
    assert found.error == theory.error / 0.25
    assert found.h1 is None and found.k is None and found.dms < found.true
    assert scaled_rates(equation.linearized(1.2), 1.2, math.inf) == found


def test_other_equations_and_profiles_have_none():
    algebraic = rx.KineticReaction("algebraic", "gaussian")
    assert scaled_rates(algebraic, 1.0, 1.0) is None
    assert scaled_rates(algebraic.diffusion_limit(), 1.0, 1.0) is None
