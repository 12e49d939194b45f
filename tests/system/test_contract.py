"""The public names and meanings that are fixed, one line each, on real input."""

import math

import numpy as np
import pytest

import relaxon as rx


@pytest.fixture(scope="module")
def radial():
    return rx.RadialGrid(d=3, n=200, r_max=9.0, r_min=0.5)


@pytest.fixture(scope="module")
def flat():
    return rx.VelocityGrid(2, 48, 6.0)


def test_every_public_name_exists():
    for name in rx.__all__:
        assert getattr(rx, name) is not None


def test_grids_integrate(radial, flat):
    for grid in (radial, flat):
        f = rx.distributions.maxwellian(grid, mass=2.0, temperature=0.5)
        assert float(grid.integrate(f)) == pytest.approx(2.0, rel=1e-12)
    assert radial.r.shape == (200,)
    assert flat.v.shape == (48, 48, 2)


def test_coefficients_of_the_maxwellian(radial):
    """Landau-Coulomb: lambda_1(0) = c_0 = 1/(3 (2 pi)^{3/2})."""
    (lam1, lam2), friction = rx.Landau().coefficients(rx.distributions.maxwellian(radial), radial)
    assert lam1.shape == lam2.shape == friction.shape == (201,)
    assert float(lam1[0]) == pytest.approx(1 / (3 * (2 * math.pi) ** 1.5), rel=1e-10)


@pytest.mark.parametrize("d, value", [(2, math.pi**1.5 / 2), (3, math.pi**2 / 2)])
def test_landau_prefactor_of_the_unit_gaussian(d, value):
    potential = rx.potentials.Gaussian(d)
    assert float(potential.landau_prefactor()) == pytest.approx(value, rel=1e-13)
    assert float(potential.rescaled(0.5, 0.25).vhat(1.0)) == pytest.approx(
        0.5 ** (d - 0.25) * float(potential.vhat(0.5)), rel=1e-13
    )


def test_dispersion_function_on_both_grids(radial, flat):
    """Held against the closed form of the Maxwellian with beta = 1 (temperature 1/2)."""
    for grid, d in ((radial, 3), (flat, 2)):
        f = rx.distributions.maxwellian(grid, temperature=0.5)
        potential, direction = rx.potentials.Gaussian(d), np.eye(d)[0]
        found = complex(rx.dispersion.epsilon(potential, f, grid, 0.7, direction, 1.3))
        exact = complex(rx.dispersion.epsilon_maxwellian(potential, 0.7, 1.3, 1.0))
        assert found == pytest.approx(exact, rel=1e-5)
        report = rx.dispersion.penrose(potential, f, grid)
        assert report.stable and report.margin > 0 and report.u != 0 and report.k >= 0


def test_penrose_thresholds_of_two_beams(flat):
    """Unstable from a = 1.003716 (unit Gaussian, d = 2, beta = 1); no wave grows below."""

    def stable(a):
        f = rx.distributions.gaussian_mixture(flat, [0.5, 0.5], [[a, 0], [-a, 0]], [0.5, 0.5])
        return rx.dispersion.penrose(rx.potentials.Gaussian(2), f, flat).stable

    assert stable(1.0) and not stable(1.007)


def test_linearized_operator():
    operator = rx.linearized(rx.Landau(strength=math.pi**2 / 2), 0.5)
    lam1, lam2 = operator.eigenvalues(np.array([0.0, 1.0, 6.0]))
    np.testing.assert_allclose(lam1, [3.7122186646, 2.1100883357, 0.022846306484], rtol=1e-9)
    np.testing.assert_allclose(lam2, [3.7122186646, 3.1035175596, 0.81104388018], rtol=1e-9)


def test_linear_theory_of_the_reaction_model():
    gap = rx.reaction.spectral_gap(1.0, 0.01, 0.01, 2 * math.pi)
    assert gap.eigenvalue == pytest.approx(-0.3198846627556, rel=1e-12)
    assert rx.reaction.spectral_gap(1.0, 1.0, 1.0, 2 * math.pi).eigenvalue is None
    rates = rx.reaction.hypocoercive_rates(1.0, 1.0, 1.0)
    assert rates.dms == pytest.approx(0.1820, abs=1e-4)
    assert rates.h1 == pytest.approx(0.0308, abs=1e-4)
    assert rates.true == pytest.approx(1.0, rel=1e-12)
    assert rx.reaction.critical_wavenumber(1.0, 1.0, 1.0) == pytest.approx(
        math.sqrt(math.pi / 2), rel=1e-12
    )


def test_a_reaction_run_through_the_contract():
    chi = rx.distributions.profile("gaussian", variance=1.0)
    solution = rx.case("reaction-p1", epsilon=0.1).solve()
    assert solution.ok and {"rho_f", "rho_g"} <= set(solution.fields)
    model = rx.KineticReaction(chi, chi, epsilon=0.1)
    assert model.linearized() is not None and model.diffusion_limit() is not None


def test_the_catalogue_of_checks():
    catalogue = rx.checks()
    assert len(catalogue) > 30
    verdict = rx.check("landau-c0", quick=True)[0]
    assert verdict.verdict == "holds" and verdict.margin > verdict.error
    assert verdict.source == "gualdani2025, (2.2)" and verdict.detail
