"""Dispersion function, Penrose test, damped waves, Hilbert transform, Faddeeva-type integral."""

import math

import equinox as eqx
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.numerics.hilbert import hilbert_at
from relaxon.screening.criterion import least_at_minima
from relaxon.screening.dispersion import (
    epsilon,
    epsilon_maxwellian,
    gridded_mode,
    marginal_maxwellian,
    maxwellian_mode,
    penrose,
    penrose_marginal,
    z_maxwellian,
    z_of_marginal,
)
from relaxon.screening.plasma_function import dispersion_integral
from relaxon.screening.potentials import Coulomb, Gaussian

U = np.linspace(-9, 9, 361)[:-1]


class Beams:
    """Two Maxwellians (beta = 1) at +-a along the first axis; stands for a velocity grid."""

    def __init__(self, d, a):
        self.d, self.a = d, a

    def marginal(self, f, direction):
        shift = self.a * direction[0]
        left, right = marginal_maxwellian(U - shift), marginal_maxwellian(U + shift)
        return U, (left[0] + right[0]) / 2, (left[1] + right[1]) / 2


def beams(potential, a):
    return penrose_marginal(potential, *Beams(2, a).marginal(None, (1.0, 0.0)))


def exact_integral(u):
    with mp.workdps(80):
        u = mp.mpc(u.real, u.imag)
        return 2 * (1 + 1j * mp.sqrt(mp.pi) * u * mp.exp(-u * u) * mp.erfc(-1j * u))


def test_dispersion_integral():
    rng = np.random.default_rng(3)
    u = np.concatenate([rng.uniform(-8, 8, 60) + 1j * rng.uniform(-5, 9, 60), [1e-9j, 6.3j, 40.0]])
    value = np.asarray(dispersion_integral(jnp.asarray(u)))
    for a, b in zip(value, u):
        exact = exact_integral(b)
        assert abs(mp.mpc(complex(a)) - exact) < 1e-13 * abs(exact)


def test_z_of_maxwellian():
    u = np.array([0.0, 1e-6, 0.3, 0.924, 2.0, 5.1, 10.0, 24.0])
    z = np.asarray(z_maxwellian(jnp.asarray(u)))
    for a, b in zip(z, u):
        exact = mp.conj(exact_integral(complex(b)))
        assert abs(a.real - exact.real) < 1e-14 * max(abs(exact), 1e-3)
        imag = -2 * mp.sqrt(mp.pi) * mp.mpf(b) * mp.exp(-(mp.mpf(b) ** 2))
        assert abs(a.imag - imag) <= 3e-14 * abs(imag)
    far = complex(z_maxwellian(jnp.asarray(1e6)))
    assert math.isclose(far.real, -1e-12, rel_tol=1e-11)
    scaled = complex(z_maxwellian(jnp.asarray(0.7), 2.5))
    assert abs(scaled - 2.5 * complex(z_maxwellian(jnp.asarray(0.7 * 2.5**0.5)))) < 1e-14


def test_screening_at_maxwellian():
    u = jnp.asarray([0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0])
    expected = [
        2.04167061383, 2.70129240716, 6.28480628052, 182.428383442,
        26730.3327298, 5171445.58943, 299.667274962,
    ]  # fmt: skip
    assert np.allclose(Gaussian(3).screening(z_maxwellian(u)), expected, rtol=3e-12)
    coulomb = Coulomb(3, 10.0).screening(z_maxwellian(jnp.asarray([0.5, 1.5])))
    assert np.allclose(coulomb, [1.6557438722265, 3.6102488123649], rtol=1e-13)


def test_hilbert_on_a_uniform_grid():
    slope = marginal_maxwellian(U)[1]
    assert np.abs(z_of_marginal(slope) - z_maxwellian(jnp.asarray(U))).max() < 1e-14
    targets = jnp.asarray([-20.0, -8.99, 0.013, 3.3, 50.0])
    transform, value = hilbert_at(slope, jnp.asarray(U), targets)
    assert np.abs(transform - z_maxwellian(targets).real).max() < 2e-14
    assert np.abs(value - marginal_maxwellian(targets)[1]).max() < 1e-14


def test_epsilon_of_a_grid():
    k, u = 0.8, jnp.asarray([-3.1, 0.0, 0.37, 12.0])
    ours = epsilon(Gaussian(2), None, Beams(2, 0.0), k, (0.6, 0.8), u)
    assert np.abs(ours / epsilon_maxwellian(Gaussian(2), k, u) - 1).max() < 1e-13
    with pytest.raises(InputError, match="unit vector of length 2"):
        epsilon(Gaussian(2), None, Beams(2, 0.0), k, (1.0, 1.0), u)


def test_margin_of_the_unit_gaussian():
    # min over u of |1 + Vhat(0) z(u)|, by golden section with 40 digits
    with mp.workdps(40):

        def size(u):
            return abs(1 + (2 * mp.pi) ** 1.5 * mp.conj(exact_integral(mp.mpc(u))))

        low, high, golden = mp.mpf("4.16"), mp.mpf("4.17"), (mp.sqrt(5) - 1) / 2
        for _ in range(90):
            a, b = high - golden * (high - low), low + golden * (high - low)
            low, high = (low, b) if size(a) < size(b) else (a, high)
        least = float(size(low))
    report = penrose_marginal(Gaussian(3), U, *marginal_maxwellian(U))
    assert report.stable and report.winding == 0 and report.resolved
    assert abs(report.margin / least - 1) < 2e-6
    assert abs(abs(report.u) - 4.16673) < 1e-5
    assert abs(least / 6.708063977e-6 - 1) < 5e-6


def bisect(function, low, high):
    start = function(low)
    for _ in range(34):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) == start else (low, middle)
    return low


def test_two_beam_thresholds():
    potential = Gaussian(2)
    onset = bisect(lambda a: beams(potential, a).stable, 0.9, 1.1)
    end = bisect(lambda a: beams(potential, a).stable, 2.8, 2.9)
    assert abs(onset - 1.003716366180) < 1e-10 and abs(end - 2.854308990086) < 1e-10
    report = beams(potential, 1.5)
    assert not report.stable and report.winding == 1 and report.margin == 0.0
    eps = 1 + potential.vhat(report.k) * complex(z_maxwellian(1.5))  # H is even: H[F1'](0) = z(a)
    assert abs(eps.real) < 1e-10
    assert "k = 1.59679" in str(report)
    for height, unstable in ((1.755, False), (1.757, True)):
        weak = Gaussian(2, height / (2 * math.pi))
        assert any(not beams(weak, a).stable for a in np.linspace(1.2, 1.8, 25)) == unstable


@pytest.mark.parametrize("a", [0.3, 0.998, 1.009, 2.85, 2.86])
def test_the_criterion_on_samples_agrees_with_the_refined_one(a):
    potential = Gaussian(2)
    slope = jnp.asarray(Beams(2, a).marginal(None, (1.0, 0.0))[2])
    found = eqx.filter_jit(least_at_minima)
    least = float(found(z_of_marginal(slope).real, slope, potential.v_max))
    assert (least >= 0) == beams(potential, a).stable
    assert found(z_of_marginal(slope).real, slope, potential.v_max, False) == np.inf


def test_penrose_over_directions():
    report = penrose(Gaussian(2), None, Beams(2, 1.5))
    assert not report.stable and abs(report.direction[0]) == 1.0
    stable = penrose(Gaussian(2), None, Beams(2, 0.9), directions=[(1.0, 0.0), (0.0, 1.0)])
    assert stable.stable and 0 < stable.margin < 1


def test_penrose_bad_input():
    f1, slope = marginal_maxwellian(U)
    with pytest.raises(InputError, match="uniform ascending"):
        penrose_marginal(Gaussian(2), U**3, f1, slope)
    with pytest.raises(InputError, match="finite"):
        penrose_marginal(Gaussian(2), U, f1, slope * np.nan)


@pytest.mark.parametrize("k", [0.5, 1.0, 2.0, 3.0])
def test_modes(k):
    potential = Gaussian(3)
    mode = maxwellian_mode(potential, k)
    v = mp.mpf(float(potential.vhat(k)))
    residual = 1 + v * exact_integral(mp.mpc(mode.u))
    assert abs(residual) < 1e-11 and mode.rate < 0 < mode.frequency
    gridded = gridded_mode(potential, k, U, marginal_maxwellian(U)[1])
    assert abs(gridded.u - mode.u) < max(1e-10, 10 * gridded.error)


def test_growing_mode_of_two_beams():
    u, _, slope = Beams(2, 1.5).marginal(None, (1.0, 0.0))
    mode = gridded_mode(Gaussian(2), 0.3, u, slope)
    v = float(Gaussian(2).vhat(0.3))
    exact = (exact_integral(mode.u - 1.5) + exact_integral(mode.u + 1.5)) / 2
    assert mode.rate > 0 and abs(1 + v * exact) < 1e-10


def test_weak_damping_keeps_its_digits():
    mode = maxwellian_mode(Gaussian(3, 8.0), 0.5)
    s = mp.findroot(
        lambda s: 1 + mp.mpf(float(Gaussian(3, 8.0).vhat(0.5))) * exact_integral(mp.mpc(s)),
        mp.mpc(mode.u),
    )
    assert abs(mode.u.imag / float(s.imag) - 1) < 1e-8 and mode.u.imag < 0
    with pytest.raises(InputError, match="k must be positive"):
        maxwellian_mode(Gaussian(3), 0.0)


def test_the_plane_of_the_dispersion_function_covers_the_waves():
    from relaxon.screening.dispersion import epsilon_plane, weight_ratio

    z = z_maxwellian(jnp.linspace(0.0, 4.0, 9))
    for potential in (Gaussian(3), Coulomb(3, 10.0), Coulomb(3, 10.0, k_min=0.5)):
        k, eps = epsilon_plane(potential, z, count=20)
        assert eps.shape == (20, 9) and np.all(np.diff(k) > 0)
        assert k[0] >= potential.least_wavenumber
        expected = 1 + np.asarray(potential.vhat(jnp.asarray(k)))[:, None] * np.asarray(z)
        np.testing.assert_array_equal(eps, expected)
    weight, relative = weight_ratio(Gaussian(3), jnp.asarray([1e-12 + 0j]))
    assert relative and abs(weight[0] - 1) < 1e-9
    assert not weight_ratio(Coulomb(3, 10.0), z)[1]
