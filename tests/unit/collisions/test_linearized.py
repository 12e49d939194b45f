"""Eigenvalues of A(v), Dirichlet forms and input checks of the linearised operators."""

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import relaxon as rx
from relaxon.collisions.linear.linearized import Linearized, linearized
from relaxon.screening import potentials

REFERENCE = Path(__file__).parents[2] / "reference" / "linearized.json"
L_GAUSS = {2: np.pi**1.5 / 2, 3: np.pi**2 / 2}


@cache
def lenard_balescu(d: int, temperature: float = 0.5) -> Linearized:
    return linearized(SimpleNamespace(potential=potentials.Gaussian(d)), temperature)


def landau(d: int, temperature: float = 0.5) -> Linearized:
    return linearized(rx.Landau(strength=L_GAUSS[d]), temperature, d=d)


def test_eigenvalues_of_the_unit_gaussian():
    along, across = lenard_balescu(2).eigenvalues([0.0, 1.0, 6.0])
    np.testing.assert_allclose(along, [0.087526362104, 0.098027955863, 0.0069462238474], rtol=1e-11)
    np.testing.assert_allclose(across, [0.087526362104, 0.090874742736, 0.07069071145], rtol=1e-10)
    along, across = lenard_balescu(3).eigenvalues([0.0, 1.0, 6.0])
    # int_0^inf u^2 K mu_1 du = K_0/4, and what is beyond u = 6 counts for less than 1e-12
    expected = [0.061109624977, 0.065814801001, np.pi**2 / 2 / 6**3]
    np.testing.assert_allclose(along, expected, rtol=2e-11)
    assert along[2] == pytest.approx(expected[2], rel=1e-12)
    expected = [0.061109624977, 0.062627901573, 0.0679376771859]
    np.testing.assert_allclose(across, expected, rtol=1e-11)
    along, across = landau(3).eigenvalues([0.0, 1.0, 6.0])
    np.testing.assert_allclose(along, [3.7122186646, 2.1100883357, 0.022846306484], rtol=3e-11)
    np.testing.assert_allclose(across, [3.7122186646, 3.1035175596, 0.81104388018], rtol=2e-11)


@pytest.mark.parametrize("row", json.loads(REFERENCE.read_text()), ids=lambda r: f"{r[0]}{r[1]}")
def test_eigenvalues_against_mpmath(row):
    name, d, parameter, v, beta, expected = row
    if name == "gaussian":
        potential = potentials.Gaussian(d, parameter)
    else:
        potential = potentials.Coulomb(d, parameter)
    operator = linearized(SimpleNamespace(potential=potential), 0.5 / beta)
    np.testing.assert_allclose(np.stack(operator.eigenvalues(v)), expected, rtol=1e-10)


def test_dirichlet_form_of_the_fourth_power():
    assert lenard_balescu(3).dirichlet(lambda r: r**4) == pytest.approx(1.7835205694, rel=3e-11)
    assert landau(3).dirichlet(lambda r: r**4) == pytest.approx(31.4992198914, rel=1e-11)


def test_dirichlet_form_of_landau_in_closed_form():
    """Var |w|^2 = (d - 1)/2 on a plane: the form of |v|^4 is 8 (d - 1) C K0 |S| int u^2 mu1^2."""
    second = np.sqrt(np.pi / 2) / 4 / np.pi
    for d, area, weight in ((2, 2 * np.pi, L_GAUSS[2] / 2), (3, 4 * np.pi, L_GAUSS[3] / np.pi)):
        exact = 8 * (d - 1) * weight * area * second
        assert landau(d).dirichlet(lambda r: r**4) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_invariants_are_the_kernel(d):
    operator = lenard_balescu(d)
    for l, phi in ((0, lambda r: 1.0), (0, lambda r: r**2), (1, lambda r: r)):
        assert abs(operator.dirichlet(phi, l=l)) < 1e-17
        psi = lambda r, l=l: r ** (l + 4)  # noqa: E731
        assert abs(operator.dirichlet(psi, phi, l)) < 1e-14 * operator.dirichlet(psi, l=l)


def test_form_is_symmetric_and_bilinear():
    operator = lenard_balescu(3)
    phi, psi = (lambda r: r**4), (lambda r: r**2 * np.e ** (-(r**2)))
    both = operator.dirichlet(lambda r: phi(r) + psi(r))
    cross = operator.dirichlet(phi, psi)
    assert cross == pytest.approx(operator.dirichlet(psi, phi), rel=1e-14)
    parts = operator.dirichlet(phi) + operator.dirichlet(psi) + 2 * cross
    assert both == pytest.approx(parts, rel=1e-12)


def test_temperature_scaling():
    """At temperature T the operator is beta^(3/2) times that of beta V at beta = 1."""
    beta = 2.5
    hot = lenard_balescu(2, 0.5 / beta)
    scaled = linearized(SimpleNamespace(potential=potentials.Gaussian(2, beta)), 0.5)
    r = np.array([0.3, 1.0, 4.0])
    for a, b in zip(hot.eigenvalues(r), scaled.eigenvalues(np.sqrt(beta) * r)):
        np.testing.assert_allclose(a, b * beta**0.5 / beta**2, rtol=1e-11)
    one = hot.dirichlet(lambda r: r**4)
    other = scaled.dirichlet(lambda s: (s**2 / beta) ** 2)
    assert one == pytest.approx(other * beta**1.5 / beta**2, rel=1e-11)


def test_diffusion_matrix():
    operator, v = lenard_balescu(3), np.array([[0.3, -1.0, 0.5], [0.0, 0.0, 0.0]])
    matrix = operator.diffusion(v)
    along, across = operator.eigenvalues(np.linalg.norm(v, axis=1))
    np.testing.assert_allclose(matrix[0] @ v[0], along[0] * v[0], rtol=1e-13)
    np.testing.assert_allclose(np.trace(matrix[0]), along[0] + 2 * across[0], rtol=1e-13)
    np.testing.assert_allclose(matrix[1], across[1] * np.eye(3), atol=1e-13)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: linearized(rx.Landau(), -1.0), "temperature must be positive"),
        (lambda: linearized(rx.Landau(gamma=0.0)), "gamma = -3"),
        (lambda: linearized(rx.Landau(), d=4), "d must be 2 or 3"),
        (lambda: linearized("landau"), "no linearised operator of a str"),
        (lambda: landau(3).dirichlet(lambda r: r, l=-1), "l must be an integer from 0 to 40"),
        (lambda: landau(3).sector(0, parts=0), "parts must be"),
        (lambda: landau(3).diffusion(np.zeros(2)), "v must have 3 components"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(rx.InputError, match=words):
        call()
