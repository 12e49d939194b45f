"""Gauss rules of truncated weights: exactness, derivative, symmetry."""

import numpy as np
import pytest
from mpmath import mp, mpf, quad

from relaxon.core.errors import InputError
from relaxon.numerics.gauss import gauss_rule


def gaussian(x):
    return np.exp(-0.5 * x**2)


@pytest.mark.parametrize("n", [6, 24, 64])
def test_moments_are_exact_up_to_degree_2n_minus_1(n):
    rule = gauss_rule(gaussian, -7.0, 7.0, n, even=True)
    degrees = [0, 2, 4, 2 * n - 4, 2 * n - 2]
    with mp.workdps(40):
        for k in degrees:
            exact = quad(
                lambda x, k=k: (x / 7) ** k * mp.exp(-x * x / 2), mp.linspace(mpf(-7), mpf(7), 29)
            )
            found = rule.weights @ (rule.nodes / 7) ** k
            assert abs(found / float(exact) - 1) < 1e-12
    assert abs(rule.weights @ rule.nodes**3) < 1e-14
    # One degree more is not integrated exactly.
    if n == 6:
        with mp.workdps(40):
            exact = quad(lambda x: (x / 7) ** 12 * mp.exp(-x * x / 2), mp.linspace(-7, 7, 29))
        assert abs(rule.weights @ (rule.nodes / 7) ** 12 / float(exact) - 1) > 1e-3


def test_an_uneven_weight_against_mpmath():
    rule = gauss_rule(lambda x: np.exp(-x + 0.3 * np.sin(3 * x)), -1.0, 5.0, 20)
    with mp.workdps(30):
        for k in (0, 1, 7, 38, 39):
            exact = quad(
                lambda x, k=k: x**k * mp.exp(-x + mpf("0.3") * mp.sin(3 * x)),
                mp.linspace(-1, 5, 25),
            )
            np.testing.assert_allclose(rule.weights @ rule.nodes**k, float(exact), rtol=1e-11)


@pytest.mark.parametrize("n", [24, 96])
def test_derivative_is_that_of_the_polynomial(n):
    rule = gauss_rule(gaussian, -7.0, 7.0, n, even=True)
    x, w, D = rule.nodes, rule.weights, rule.derivative
    weighted = lambda u: np.sqrt(w @ u**2)  # noqa: E731
    assert weighted(D @ x**3 - 3 * x**2) < 1e-11
    assert weighted(D @ np.sin(x) - np.cos(x)) < 3e-12
    # Constants: rows sum to zero to the rounding of their entries.
    assert np.all(np.abs(D.sum(axis=1)) <= 1e-14 * np.abs(D).sum(axis=1))
    np.testing.assert_allclose(rule.modes @ rule.modes.T, np.eye(n), atol=2e-13)


def test_an_even_weight_gives_an_even_rule_to_the_last_bit():
    rule = gauss_rule(gaussian, -6.0, 6.0, 17, even=True)
    np.testing.assert_array_equal(rule.nodes, -rule.nodes[::-1])
    np.testing.assert_array_equal(rule.weights, rule.weights[::-1])
    np.testing.assert_array_equal(rule.derivative, -rule.derivative[::-1, ::-1])
    assert rule.nodes[8] == 0.0


def test_too_many_nodes_are_refused():
    with pytest.raises(InputError, match="2 to 256 nodes"):
        gauss_rule(gaussian, -1.0, 1.0, 257)
