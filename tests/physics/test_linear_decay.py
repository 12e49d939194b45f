"""The linear semigroup against eigenfunctions, a Hermite solution and the spectrum."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import erfcx

from relaxon.core.errors import InputError
from relaxon.reaction.theory import mode_matrices as galerkin
from relaxon.reaction.theory.hypocoercivity import functional_rate
from relaxon.reaction.theory.semigroup import linear_decay
from relaxon.reaction.theory.spectrum import spectral_gap

WAVE = 2 * np.pi


def gaussian(variance):
    return lambda v: np.exp(-v * v / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def eigenfunction(r, T, k):
    """(f, g) of the discrete eigenvalue with rho_g = 1."""
    lam = spectral_gap(r, T, T, k).eigenvalue
    width, chi = k * np.sqrt(T), gaussian(T)
    mass = np.sqrt(np.pi / 2) / width * erfcx((lam + 1 / r) / (np.sqrt(2) * width))
    return (
        lam,
        lambda v: -r * chi(v) / (lam + 1j * k * v + 1 / r),
        lambda v: mass * chi(v) / (lam + 1j * k * v + r),
    )


@pytest.mark.parametrize(("r", "T", "k"), [(1, 1, 0.5), (2, 0.01, WAVE), (0.6, 0.01, WAVE)])
def test_eigenfunction_decays_with_its_eigenvalue(r, T, k):
    lam, f0, g0 = eigenfunction(r, T, k)
    t = np.linspace(0, 20, 21)
    decay = linear_decay(r, T, T, k, f0, g0, t)
    factor = np.exp(lam * t)
    assert np.max(np.abs(decay.rho_g / factor - 1)) < 1e-12
    assert np.max(np.abs(decay.norm / (factor * decay.norm[0]) - 1)) < 1e-12


def test_agrees_with_a_hermite_solution_at_early_times():
    """600 Hermite modes are exact until the signal comes back from the last of them."""
    r, T1, T2, k, modes = 1.6, 1.0, 0.5, 3.0, 250
    S = galerkin.collision_matrix(r, modes) - galerkin.transport_matrix(T1, T2, k, modes)
    start = np.zeros(2 * modes)
    start[0], start[1], start[modes + 2] = 1.0, 0.3, -0.7
    chi1, chi2 = gaussian(T1), gaussian(T2)

    def f0(v):
        return np.sqrt(r) * chi1(v) * (1 + 0.3j * v / np.sqrt(T1))

    def g0(v):
        return chi2(v) / np.sqrt(r) * (-0.7) * (-1) * (v * v / T2 - 1) / np.sqrt(2)

    t = np.array([0.0, 0.3, 1.0, 2.5])
    decay = linear_decay(r, T1, T2, k, f0, g0, t)
    for i, time in enumerate(t):
        c = expm(S * time) @ start
        assert decay.rho_f[i] == pytest.approx(np.sqrt(r) * c[0], abs=1e-12)
        assert decay.rho_g[i] == pytest.approx(c[modes] / np.sqrt(r), abs=1e-12)
        assert decay.norm[i] == pytest.approx(np.linalg.norm(c), rel=1e-12)
        assert decay.macroscopic[i] == pytest.approx(
            abs(galerkin.macroscopic_vector(r, modes) @ c), abs=1e-12
        )


def test_norm_and_density_decay_at_different_rates():
    """Unit torus, rho_inf = 1: the norm at the edge 1, the density at the Landau pole 9.889."""
    gap = spectral_gap(1, 1, 1, WAVE)
    t = np.linspace(0, 12, 121)
    decay = linear_decay(1, 1, 1, WAVE, gaussian(1), lambda v: 0 * v, t)
    norm_rate = -np.log(decay.norm[120] / decay.norm[60]) / 6
    assert norm_rate == pytest.approx(gap.rate, abs=1e-9)
    late = slice(15, 26)
    density_rate = -np.polyfit(t[late], np.log(np.abs(decay.rho_f[late])), 1)[0]
    assert density_rate == pytest.approx(gap.density_rate, abs=2e-3)
    assert gap.density_rate > 9 * gap.rate


def test_real_eigenvalue_dominates_generic_data():
    r, T, k = 2.0, 0.01, WAVE
    decay = linear_decay(
        r, T, T, k, lambda v: gaussian(T)(v) * (1 + 5 * v), gaussian(T), [60.0, 90.0]
    )
    rate = -np.log(decay.norm[1] / decay.norm[0]) / 30
    assert rate == pytest.approx(spectral_gap(r, T, T, k).rate, abs=5e-4)


def test_decay_respects_the_proven_bound():
    r, T1, T2, k = 2.0, 1.0, 1.0, WAVE
    proven = functional_rate(r, T1, T2, k)
    t = np.linspace(0, 10, 41)
    decay = linear_decay(r, T1, T2, k, gaussian(T1), lambda v: -gaussian(T2)(v) / 4, t)
    bound = proven.prefactor * np.exp(-proven.rate * t) * decay.norm[0]
    assert np.all(decay.norm <= bound)


def test_profiles_given_as_densities():
    t = np.array([0.0, 0.4, 1.1])
    f0, g0 = gaussian(1.0), lambda v: 0.2 * gaussian(0.5)(v)
    closed = linear_decay(1.4, 1.0, 0.5, 2.0, f0, g0, t)
    panels = linear_decay(1.4, gaussian(1.0), gaussian(0.5), 2.0, f0, g0, t)
    assert np.allclose(closed.rho_f, panels.rho_f, atol=1e-13)
    assert np.allclose(closed.norm, panels.norm, atol=1e-12)


def test_bad_times_and_rough_data():
    with pytest.raises(InputError, match="increase"):
        linear_decay(1, 1, 1, 1, gaussian(1), gaussian(1), [1.0, 0.5])
    with pytest.raises(InputError, match="smooth"):
        linear_decay(1, 1, 1, 1, lambda v: gaussian(1)(v) * (v > 0.1), gaussian(1), [1.0])
