"""Hypocoercive rates of profiles that are not Gaussians, against large pencils in the velocity."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.optimize import minimize_scalar

from relaxon.core.errors import InputError
from relaxon.distributions.marginals import DensityMarginal, GaussianMarginal
from relaxon.distributions.profiles import profile
from relaxon.grids.velocity_nodes import MappedNodes, UniformNodes
from relaxon.reaction.theory.h1_method import fisher_information, h1_functional_rate, h1_rate
from relaxon.reaction.theory.hypocoercivity import (
    dms_constants,
    dms_rate,
    functional_rate,
    hypocoercive_rates,
    rate_map,
)

WAVE = 2 * np.pi
PROFILES = {
    "algebraic-4": (profile("algebraic", k=4.0), MappedNodes(1, 60)),
    "algebraic-6": (profile("algebraic", k=6.0), MappedNodes(1, 60)),
    "two-bump": (profile("two-bump"), UniformNodes(1, 60, 5.0)),
}
# k = 2 pi, chi_1 = chi_2: rho_inf, dms, functional, h1, functional of h1.
MEASURED = {
    "algebraic-4": [
        (1.0, 0.128189592330, 0.196429110542, 0.026537527736, 0.490626830840),
        (2.0, 0.066706455351, 0.113633250543, 0.002937868217, 0.248540766140),
        (0.3, 0.040710483112, 0.063706427577, 0.000336687643, 0.149659047817),
    ],
    "algebraic-6": [
        (1.0, 0.144090488195, 0.248731298436, 0.024670509402, 0.483730493534),
        (2.0, 0.075674863315, 0.144511368529, 0.002700306007, 0.247525005025),
        (0.3, 0.046377699609, 0.081859206733, 0.000308024383, 0.149424282916),
    ],
    "two-bump": [
        (1.0, 0.253845915484, 0.446903979918, 0.028497964226, 0.495121056421),
        (2.0, 0.137066482695, 0.247619689762, 0.003191366180, 0.249245988468),
        (0.3, 0.085092840940, 0.140905653673, 0.000367485750, 0.149823533948),
    ],
}
CASES = [(name, *row) for name, rows in MEASURED.items() for row in rows]


def operators(chi, nodes, r, k):
    """L, T, A and Pi of neumann2016 as matrices over velocity nodes, one by one."""
    v, w = nodes.v[:, 0], nodes.weights
    root = np.sqrt(w * chi(nodes.v))
    root = root / np.linalg.norm(root)
    # Unknowns sqrt(w/(r chi)) f and sqrt(w r/chi) g: (10) is the Euclidean product.
    n = v.size
    one = np.eye(n)
    gain = np.outer(root, root)
    L = np.block([[-one / r, -gain], [-gain, -r * one]])
    T = 1j * k * np.diag(np.concatenate([v, v]))
    # Pi F of (12), written out: u = (rho_f - rho_g)/(r^2 + 1).
    rows = np.concatenate([np.sqrt(r) * root, -root / np.sqrt(r)])
    columns = np.concatenate([r**2 * root / np.sqrt(r), -np.sqrt(r) * root])
    Pi = np.outer(columns, rows) / (r**2 + 1)
    assert np.allclose(Pi, Pi.T) and np.allclose(Pi @ Pi, Pi) and np.allclose(L @ Pi, 0)
    TPi = T @ Pi
    A = np.linalg.solve(np.eye(2 * n) + TPi.conj().T @ TPi, TPi.conj().T)
    return L, T, A, Pi


def pencil_rate(chi, nodes, r, k, eta):
    """The rate that H^0 proves: half the smallest eigenvalue of its dissipation relative to it."""
    L, T, A, _ = operators(chi, nodes, r, k)
    H = np.eye(len(L)) / 2 + eta * (A + A.conj().T) / 2
    S = L - T
    D = -(S.conj().T @ H + H @ S)
    return eigh((D + D.conj().T) / 2, H, eigvals_only=True, subset_by_index=[0, 0])[0] / 2


@pytest.mark.parametrize(("name", "r", "dms", "functional", "h1", "h1_functional"), CASES)
def test_rates_beside_large_pencils(name, r, dms, functional, h1, h1_functional):
    chi, nodes = PROFILES[name]
    found = hypocoercive_rates(r, chi, chi, WAVE)
    assert found.dms == pytest.approx(dms, abs=2e-12)
    assert found.functional == pytest.approx(functional, abs=2e-12)
    assert found.h1 == pytest.approx(h1, abs=2e-12)
    assert found.dms < found.functional < found.true
    # The pencil over 60 nodes (their moments are exact) has the same smallest eigenvalue ...
    here = pencil_rate(chi, nodes, r, WAVE, found.functional_weight)
    assert here == pytest.approx(found.functional, abs=1e-10)
    assert here == pytest.approx(functional, abs=1e-10)
    # ... and no other weight is better.
    for eta in (0.9 * found.functional_weight, min(1.1 * found.functional_weight, 1.99)):
        assert pencil_rate(chi, nodes, r, WAVE, eta) < found.functional
    # lambda_M and C_M of Theorem 2.1 as norms of the operators over the nodes.
    L, T, A, Pi = operators(chi, nodes, r, WAVE)
    rest = np.eye(len(L)) - Pi
    bound = np.linalg.norm(A @ (L - T) @ rest, 2)
    assert found.constants.bound == pytest.approx(bound, rel=1e-10)
    assert found.constants.macroscopic == pytest.approx(np.linalg.norm(T @ Pi, 2) ** 2, rel=1e-10)
    # Theorem 2.1 proves no more than its functional, at its own weight.
    assert pencil_rate(chi, nodes, r, WAVE, found.dms_weight) > found.dms


def test_weight_found_by_search_over_the_pencil():
    chi, nodes = PROFILES["algebraic-4"]
    best = minimize_scalar(
        lambda eta: -pencil_rate(chi, nodes, 2.0, 1.0, eta),
        bounds=(0.01, 1.9),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert -best.fun == pytest.approx(functional_rate(2.0, chi, chi, 1.0).rate, abs=1e-8)


def frequency_pencil(r, k, weights, amplitudes, p, step):
    """H^1 of section 2.2 over equidistant frequencies of v, dense."""
    a, alpha, beta, gamma = weights
    h = a + alpha * k * k + beta * p * p + 2 * gamma * k * p
    slope = k * (2 * beta * p + 2 * gamma * k)
    n = p.size
    first, second = (np.sqrt(step) * x for x in amplitudes)
    D = np.diag(np.concatenate([2 / r * h + slope, 2 * r * h + slope]))
    gain = np.outer(h * first, second) + np.outer(first, h * second)
    D[:n, n:] += gain
    D[n:, :n] += gain.T
    root = np.sqrt(np.concatenate([h, h]))
    return np.linalg.eigvalsh(D / np.outer(root, root))[0] / 2


@pytest.mark.parametrize(("name", "r", "dms", "functional", "h1", "h1_functional"), CASES)
def test_h1_functional_beside_a_dense_pencil(name, r, dms, functional, h1, h1_functional):
    chi, _ = PROFILES[name]
    found = h1_functional_rate(r, chi, chi, WAVE)
    assert found.rate == pytest.approx(h1_functional, abs=1e-9)
    assert h1 < found.rate < min(r, 1 / r)
    # The transform of sqrt(chi) by the trapezoidal rule in v, the form over 500 frequencies.
    v = np.sinh(np.linspace(-6.5, 6.5, 3001))
    dv = np.gradient(np.arcsinh(v)) * np.cosh(np.arcsinh(v))
    p = (np.arange(500) - 249.5) * 0.08
    root = np.sqrt(chi(v[:, None])) * dv
    a = np.cos(np.outer(p, v)) @ root / np.sqrt(2 * np.pi)
    rate = frequency_pencil(r, WAVE, found.weights, (a, a), p, 0.08)
    # (1 + v^2)^(-4) has the transform (1 + |p|) e^-|p|, whose kink the trapezoidal rule feels.
    assert rate == pytest.approx(found.rate, abs=3e-7)
    weights = (*found.weights[:3], 0.6 * found.weights[3])  # away from the essential part
    rate = frequency_pencil(r, WAVE, weights, (a, a), p, 0.08)
    given = h1_functional_rate(r, chi, chi, WAVE, weights=weights).rate
    assert rate == pytest.approx(given, abs=2e-7 if name == "algebraic-4" else 1e-10)


@pytest.mark.parametrize("k", [None, 0.7, WAVE])
def test_gaussians_as_densities(k):
    """The same rates through panels as in closed form."""
    first, second = GaussianMarginal(1.0).density, GaussianMarginal(0.5).density
    for r in (1.0, 2.0, 0.3):
        closed, panels = hypocoercive_rates(r, 1, 0.5, k), hypocoercive_rates(r, first, second, k)
        for name in ("dms", "functional", "h1", "true"):
            assert getattr(panels, name) == pytest.approx(getattr(closed, name), abs=1e-12), name
    exact, found = h1_functional_rate(2, 1, 0.5, k), h1_functional_rate(2, first, second, k)
    assert found.rate == pytest.approx(exact.rate, abs=1e-12)


def test_h1_functional_where_the_rate_touches_the_essential_part():
    """Here equidistant frequencies fail in the fifth digit: a pole sits on the real axis."""
    rates = [h1_functional_rate(2, 1, 0.5, 0.7, step=s).rate for s in (0.3, 0.2, 0.1)]
    assert rates[0] == pytest.approx(0.215200035931, abs=1e-11)
    assert np.ptp(rates) < 1e-12


def test_table_of_the_documentation():
    docs = Path(__file__).parents[3] / "docs"
    spec = importlib.util.spec_from_file_location("rates_table", docs / "make_rates_table.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (docs / "explanation" / "hypocoercivity.md").read_text().splitlines()
    for name, chi in script.SHAPES.items():
        assert script.row(name, chi, 2.0) in page


def test_moments_that_do_not_exist():
    heavy = profile("algebraic", k=2.0)
    for call in (dms_rate, functional_rate, hypocoercive_rates, dms_constants):
        with pytest.raises(InputError, match=r"T2 needs a finite moment of order 4.*\|v\|\^-4 "):
            call(1.0, 1.0, heavy)
    # The H^1 method needs no moment: kappa of (27) is all it asks for.
    assert h1_rate(1.0, 1.0, heavy).rate > 0.01
    assert h1_functional_rate(1.0, heavy, heavy, WAVE).rate > h1_rate(1.0, heavy, heavy).rate
    # k = 2.6 has a fourth moment, most of it far out, where the tail's power gives it.
    assert profile("algebraic", k=2.6).marginal().moment(4) == pytest.approx(75 / 11, rel=1e-12)
    # Six polynomials need the moment of order 10.
    with pytest.raises(InputError, match="order 10"):
        functional_rate(1.0, profile("algebraic", k=4.0), 1.0, WAVE, modes=6)


def test_derivatives_that_do_not_exist():
    def box(v):
        return np.where(np.abs(v) < 1.0, 0.5, 0.0)

    def laplace(v):
        return 0.5 * np.exp(-np.abs(v))

    with pytest.raises(InputError, match="T1 needs a finite Fisher information"):
        h1_rate(1.0, box, 1.0)
    assert functional_rate(1.0, box, 1.0, WAVE).rate > 0.1
    assert fisher_information("T1", laplace) == pytest.approx(1.0, rel=1e-10)


def test_profiles_that_are_not_even():
    def lopsided(v):
        bump = GaussianMarginal(0.2).density
        return 0.3 * bump(v - 1.4) + 0.7 * bump(v + 0.6)

    for call in (dms_rate, functional_rate):
        with pytest.raises(InputError, match="vanishing moment of order 3"):
            call(1.0, lopsided, 1.0)
    assert h1_rate(1.0, lopsided, 1.0).rate > 0
    with pytest.raises(InputError, match="even"):
        h1_functional_rate(1.0, lopsided, 1.0, WAVE)


def test_h1_in_more_dimensions_uses_the_whole_profile():
    assert h1_rate(1, 0.5, 1.0, dimension=3).rate == pytest.approx(
        h1_rate(1, profile("gaussian", variance=0.5), 1.0, dimension=3).rate, rel=1e-12
    )
    chi = profile("anisotropic", covariance=[0.5, 2.0])
    assert fisher_information("T1", chi, 2) == pytest.approx(2.5)
    with pytest.raises(InputError, match="marginal density"):
        h1_rate(1, DensityMarginal(GaussianMarginal(1.0).density), 1, dimension=2)


def test_polynomials_by_lanczos_are_hermite():
    b = DensityMarginal(GaussianMarginal(0.7).density).recurrence(8)
    assert np.allclose(b, np.sqrt(0.7 * np.arange(1, 8)), rtol=1e-11)
    chi = profile("two-bump").marginal()
    rates = [functional_rate(2.0, chi, 0.5, WAVE, modes).rate for modes in (3, 4, 8)]
    assert np.ptp(rates) < 1e-11


def test_rate_map_of_bumps():
    bumps = profile("two-bump", separation=4.0, variance=0.05)
    table = rate_map([1.3], [1.0, WAVE], bumps, 1.0, ("true", "density", "dms", "functional"))
    assert np.all(table["functional"] <= table["true"] + 1e-12)
    assert table["eigenvalue"][0, 0] == -table["true"][0, 0]
