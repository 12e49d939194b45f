import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh_tridiagonal

from relaxon.core.errors import InputError
from relaxon.distributions.marginals import GaussianMarginal
from relaxon.distributions.profiles import profile
from relaxon.numerics.roots import count_in_box, polished, turning, zeros_in_box
from relaxon.reaction.theory.spectrum import (
    critical_wavenumber,
    dispersion,
    landau_poles,
    limit_diffusivity,
    spectral_gap,
)
from relaxon.reaction.theory.torus_gap import torus_gap

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "reference" / "reaction_spectrum.json").read_text()
)
WAVE = 2 * np.pi
rhos = st.floats(0.15, 6.0)
variances = st.floats(0.02, 5.0)


def gaussian(variance):
    return GaussianMarginal(variance).density


def bumps(v):
    return (gaussian(0.05)(v - 2) + gaussian(0.05)(v + 2)) / 2


@pytest.mark.parametrize("case", REFERENCE["zeros"])
def test_eigenvalues_against_mpmath(case):
    r, T1, T2, k, zero = map(float, case[:5])
    gap = spectral_gap(r, T1, T2, k)
    assert gap.density_rate == pytest.approx(-zero, rel=1e-13)
    if case[5]:
        assert gap.eigenvalue == pytest.approx(zero, rel=1e-13)
        assert gap.rate == -gap.eigenvalue
    else:
        assert gap.eigenvalue is None
        assert gap.rate == min(r, 1 / r) == -gap.edge


@pytest.mark.parametrize("case", REFERENCE["critical"])
def test_critical_wavenumber_against_mpmath(case):
    r, T1, T2, k = map(float, case)
    assert critical_wavenumber(r, T1, T2) == pytest.approx(k, rel=1e-13)


def test_values_of_the_theory():
    assert spectral_gap(1, 1, 1, WAVE).eigenvalue is None
    for r, expected in ((1, -0.3198846627556), (2, -0.4117584054993)):
        assert spectral_gap(r, 0.01, 0.01, WAVE).eigenvalue == pytest.approx(expected, abs=1e-12)
    assert spectral_gap(1, 1, 1, 0.5).eigenvalue == pytest.approx(-0.21407115581145, abs=1e-13)
    assert critical_wavenumber(1, 1, 1) == pytest.approx(np.sqrt(np.pi / 2), rel=1e-14)
    assert critical_wavenumber(2, 1, 1) == pytest.approx(0.712978730869, abs=1e-12)


@given(rhos, variances, variances, st.floats(0.02, 0.999))
def test_root_below_the_critical_wavenumber(r, T1, T2, fraction):
    k = fraction * critical_wavenumber(r, T1, T2)
    gap = spectral_gap(r, T1, T2, k)
    assert gap.edge < gap.eigenvalue < 0
    assert abs(dispersion(gap.eigenvalue, r, T1, T2, k)) < 1e-11


@given(rhos, variances, variances, st.floats(1.001, 30.0))
def test_none_beyond_the_critical_wavenumber(r, T1, T2, factor):
    k = factor * critical_wavenumber(r, T1, T2)
    gap = spectral_gap(r, T1, T2, k)
    assert gap.eigenvalue is None and gap.eigenvalues == ()
    assert gap.rate == min(r, 1 / r)
    assert gap.density_rate >= gap.rate


@given(rhos, variances, variances, st.floats(0.05, 8.0))
def test_exchange_of_the_species(r, T1, T2, k):
    one, two = spectral_gap(r, T1, T2, k), spectral_gap(1 / r, T2, T1, k)
    assert one.rate == pytest.approx(two.rate, rel=1e-12)
    assert one.density_rate == pytest.approx(two.density_rate, rel=1e-12)


@given(rhos, variances, variances, st.floats(0.1, 6.0), st.floats(0.2, 5.0))
def test_scaling_of_velocity_and_length(r, T1, T2, k, scale):
    one, two = spectral_gap(r, T1, T2, k), spectral_gap(r, T1 * scale**2, T2 * scale**2, k / scale)
    assert one.density_rate == pytest.approx(two.density_rate, rel=1e-11)


@settings(max_examples=15, deadline=None)
@given(rhos, variances, variances, st.floats(0.1, 3.0))
def test_argument_principle_finds_no_complex_eigenvalue(r, T1, T2, k):
    """The unimodal theorem: at most the real zero lies right of the edge, whatever r, T1, T2."""
    gap = spectral_gap(r, T1, T2, k)
    near = 0.02 * min(r, 1 / r)
    if abs(-gap.density_rate - gap.edge) < 2 * near:
        return
    left = gap.edge + near

    def line(t):
        return left + 1j * 30 * np.tan(np.pi * (t - 0.5))

    number = -round(turning(lambda x: dispersion(x, r, T1, T2, k), line, 1e-6, 1 - 1e-6, 129))
    assert number == (gap.eigenvalue is not None)


@pytest.mark.parametrize(("r", "T1", "T2", "k"), [(2, 0.01, 0.02, WAVE), (0.6, 1, 0.3, 0.4)])
def test_quadrature_agrees_with_closed_form(r, T1, T2, k):
    closed = spectral_gap(r, T1, T2, k)
    panels = spectral_gap(r, gaussian(T1), gaussian(T2), k)
    assert panels.eigenvalue == pytest.approx(closed.eigenvalue, abs=1e-12)
    assert spectral_gap(r, gaussian(T1), gaussian(T2), 20 * k).eigenvalue is None
    assert critical_wavenumber(r, gaussian(T1), gaussian(T2)) == pytest.approx(
        critical_wavenumber(r, T1, T2), rel=1e-12
    )


def test_algebraic_tail_has_a_polynomial_relation():
    def profile(v):
        return 2 / np.pi / (1 + v * v) ** 2

    r, k = 1.5, 0.5
    one, two = np.poly1d([1, k + 1 / r]), np.poly1d([1, k + r])
    exact = ((one**2 * two**2) - (one + k) * (two + k)).roots
    exact = max(x.real for x in exact if abs(x.imag) < 1e-12)
    gap = spectral_gap(r, profile, profile, k)
    assert gap.eigenvalue == pytest.approx(exact, abs=1e-12)
    assert len(gap.eigenvalues) == 1


def test_two_bumps_oscillate():
    """A profile that is not unimodal has a complex pair right of the edge."""
    gap = spectral_gap(1.3, bumps, gaussian(1.0), 1.0)
    expected = complex(*map(float, REFERENCE["two_bumps"]))
    assert len(gap.eigenvalues) == 2
    assert min(abs(z - expected) for z in gap.eigenvalues) < 1e-12
    assert min(abs(z - expected.conjugate()) for z in gap.eigenvalues) < 1e-12
    assert gap.rate == pytest.approx(-expected.real, abs=1e-12)


def test_landau_poles_are_complete_and_exact():
    poles = landau_poles(2, 1, 0.3, WAVE)
    expected = complex(*map(float, REFERENCE["pole"]))
    assert min(abs(poles - expected)) < 1e-12
    assert poles[0].real == pytest.approx(-spectral_gap(2, 1, 0.3, WAVE).density_rate, rel=1e-13)
    assert np.max(np.abs(dispersion(poles, 2, 1, 0.3, WAVE, continued=True))) < 1e-9
    assert len(poles) % 2 == 1
    assert max(min(abs(poles - pole.conjugate())) for pole in poles) < 1e-11
    from_panels = landau_poles(2, gaussian(1), gaussian(0.3), WAVE, left=-13.0)
    assert np.allclose(from_panels, poles[poles.real > -13.0], atol=1e-11)


def test_long_waves_see_the_nonlinear_diffusivity_not_d0():
    r, T1, T2, k = 2.0, 1.0, 0.4, 1e-5
    slope = -spectral_gap(r, T1, T2, k).eigenvalue / k**2
    assert slope == pytest.approx(limit_diffusivity(r, T1, T2), rel=1e-9)
    d0 = (r * r * T1 + T2) / (r * r + 1)
    assert abs(slope - d0) > 0.1


def test_velocity_grid_fakes_a_slower_gap():
    """400 Gauss-Hermite nodes have eigenvalues at Re = -0.93683 where the true rate is 1."""
    nodes, vectors = eigh_tridiagonal(np.zeros(400), np.sqrt(np.arange(1, 400)))
    weights = vectors[0] ** 2

    def secular(s):
        # The modes f = -g of rho_inf = 1: eigenvalues -1 + s of the 400 x 400 matrix.
        return np.sum(weights / (np.asarray(s)[..., None] + 1j * WAVE * nodes), axis=-1) - 1

    fake = polished(secular, 0.063 + 0.492j, 1e-3)
    assert fake.real - 1 == pytest.approx(-0.93683196, abs=1e-8)
    gap = spectral_gap(1, 1, 1, WAVE)
    assert gap.eigenvalue is None and gap.rate == 1.0


def test_torus_gap_searches_all_wave_vectors():
    rng = np.random.default_rng(3)
    for _ in range(2):
        a, b = rng.normal(size=(2, 2, 2))
        first, second = 1e-3 * (a @ a.T + 0.1 * np.eye(2)), 1e-3 * (b @ b.T + 0.1 * np.eye(2))
        best = min(
            spectral_gap(
                1.7,
                n @ first @ n / (n @ n),
                n @ second @ n / (n @ n),
                WAVE * np.sqrt(n @ n),
            ).rate
            for n in np.array([(i, j) for i in range(-4, 5) for j in range(5) if i or j], float)
        )
        assert torus_gap(1.7, first, second).rate == pytest.approx(best, rel=1e-13)
    assert torus_gap(1.7, 0.01, 0.02, dimension=3).k == pytest.approx(WAVE)
    assert torus_gap(2, gaussian(0.01), gaussian(0.01)).rate == pytest.approx(
        0.4117584054993, abs=1e-12
    )


def lattice(dimension, reach):
    axes = np.meshgrid(*[np.arange(-reach, reach + 1.0)] * dimension, indexing="ij")
    vectors = np.stack(axes, -1).reshape(-1, dimension)
    return vectors[np.any(vectors != 0, axis=1)]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_torus_gap_of_isotropic_densities(dimension):
    closed = torus_gap(2, 0.01, 0.02, dimension)
    panels = torus_gap(2, gaussian(0.01), gaussian(0.02), dimension)
    assert panels.rate == pytest.approx(closed.rate, abs=1e-12)
    chi = profile("algebraic", k=5.0)
    marginal = chi.marginal(np.eye(dimension)[0])

    def shrunk(v):
        return marginal.density(np.asarray(v) / 0.1) / 0.1

    found = torus_gap(1.5, shrunk, 0.003, dimension)
    lengths = {float(np.sqrt(n @ n)) for n in lattice(dimension, 2)}
    every = [spectral_gap(1.5, shrunk, 0.003, WAVE * x).rate for x in lengths]
    assert found.rate == pytest.approx(min(every), abs=1e-12)
    assert found.k == pytest.approx(WAVE)
    assert torus_gap(1.5, chi, chi, dimension).eigenvalue is None


def test_torus_gap_of_bumps_tries_all_lengths():
    """In 2D the wave of length sqrt 2 counts, which the torus of dimension 1 does not have."""

    def double(v):
        return (gaussian(2e-4)(v - 0.3) + gaussian(2e-4)(v + 0.3)) / 2

    found = torus_gap(1.5, double, 4e-4, 2)
    every = [spectral_gap(1.5, double, 4e-4, WAVE * np.sqrt(s)).rate for s in (1, 2, 4, 5, 8)]
    assert found.rate == pytest.approx(min(every), abs=1e-12)
    assert np.iscomplex(found.eigenvalue)


def test_torus_gap_of_anisotropic_gaussians_in_three_dimensions():
    first, second = np.diag([1e-3, 4e-2, 6e-3]), np.diag([3e-2, 1e-3, 2e-3])
    best = min(
        spectral_gap(
            1.5, n @ first @ n / (n @ n), n @ second @ n / (n @ n), WAVE * np.sqrt(n @ n)
        ).rate
        for n in lattice(3, 2)
    )
    assert torus_gap(1.5, first, second, 3).rate == pytest.approx(best, rel=1e-13)
    chi = [profile("anisotropic", covariance=np.diag(m)) for m in (first, second)]
    assert torus_gap(1.5, *chi, 3).rate == pytest.approx(best, rel=1e-13)


def test_torus_gap_takes_milliseconds_in_all_dimensions():
    chi = profile("algebraic", k=5.0).marginal((1.0, 0.0, 0.0))
    torus_gap(2, chi, chi, 3)
    start = time.perf_counter()
    for r in (0.5, 1.0, 2.0, 4.0):
        torus_gap(r, chi, chi, 3)
        torus_gap(r, np.diag([1e-3, 2e-2, 1e-2]), 0.003, 3)
    assert (time.perf_counter() - start) / 8 < 0.05


def test_a_gap_takes_milliseconds():
    spectral_gap(2, 1, 1, 0.5)
    start = time.perf_counter()
    for k in np.linspace(0.1, 5, 50):
        spectral_gap(2, 1, 1, k)
    assert (time.perf_counter() - start) / 50 < 0.02


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spectral_gap(0, 1, 1, 1), "rho_inf"),
        (lambda: spectral_gap(1, 1, -1, 1), "T2"),
        (lambda: spectral_gap(1, 1, 1, 0), "k must be positive"),
        (lambda: critical_wavenumber(np.inf, 1, 1), "rho_inf"),
        (lambda: torus_gap(1, np.array([[1, 2], [2, 1]]), 1), "positive definite"),
        (lambda: torus_gap(1, 1, 1, 4), "1, 2 or 3"),
        (lambda: torus_gap(1, np.eye(2), np.eye(3)), "one shape"),
        (lambda: torus_gap(1, gaussian(1.0), np.diag([1, 2])), "isotropic partner"),
        (lambda: torus_gap(1, profile("two-bump"), 1, 2), "isotropic profiles"),
        (lambda: landau_poles(1, 1, 1, 1, left=1.0), "negative"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_zeros_of_a_polynomial_are_all_found():
    roots = np.array([0.1, -0.3 + 0.4j, -0.3 - 0.4j, 0.7 + 0.01j, 0.7 - 0.01j, 3.0])

    def polynomial(z):
        return np.prod(np.asarray(z)[..., None] - roots, axis=-1)

    assert count_in_box(polynomial, -1 - 1j, 1 + 1j) == 5
    found = zeros_in_box(polynomial, -1 - 1j, 1.2 + 1.1j)
    assert np.allclose(np.sort_complex(found), np.sort_complex(roots[:5]), atol=1e-13)
    with pytest.raises(InputError, match="zero"):
        count_in_box(polynomial, 0.1 - 1j, 1 + 1j)
