import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh, expm

from relaxon.core.errors import InputError
from relaxon.distributions.marginals import GaussianMarginal
from relaxon.numerics.pencils import best_pencil, matrix_witness
from relaxon.reaction.theory import mode_matrices as galerkin
from relaxon.reaction.theory.h1_method import h1_functional_rate, h1_rate
from relaxon.reaction.theory.hypocoercivity import (
    dms_constants,
    dms_rate,
    functional_rate,
    hypocoercive_rates,
    rate_map,
)
from relaxon.reaction.theory.spectrum import spectral_gap

WAVE = 2 * np.pi
rhos = st.floats(0.3, 4.0)
variances = st.floats(0.05, 3.0)


def generator(r, T1, T2, k, modes):
    return galerkin.collision_matrix(r, modes) - galerkin.transport_matrix(T1, T2, k, modes)


def test_values_on_the_unit_torus():
    one, two = hypocoercive_rates(1, 1, 1), hypocoercive_rates(2, 1, 1)
    assert (one.dms, one.true) == (pytest.approx(0.1820, abs=5e-5), 1.0)
    assert (two.dms, two.true) == (pytest.approx(0.0962, abs=5e-5), 0.5)
    assert one.h1 == pytest.approx(0.0308, abs=5e-5)
    assert two.h1 == pytest.approx(0.0035, abs=5e-5)
    assert one.functional == pytest.approx(0.328449464709, abs=1e-11)
    assert two.functional == pytest.approx(0.185984356415, abs=1e-11)


@settings(max_examples=25, deadline=None)
@given(rhos, variances, variances, st.floats(0.3, 12.0))
def test_order_of_the_rates(r, T1, T2, k):
    rates = hypocoercive_rates(r, T1, T2, k)
    assert 0 < rates.dms <= rates.functional * (1 + 1e-10)
    assert rates.functional <= rates.true * (1 + 1e-10)
    assert 0 < rates.h1 <= rates.true


@settings(max_examples=15, deadline=None)
@given(rhos, variances, variances)
def test_exchange_of_the_species(r, T1, T2):
    one, two = hypocoercive_rates(r, T1, T2), hypocoercive_rates(1 / r, T2, T1)
    for name in ("dms", "h1", "functional", "true"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-8, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(rhos, variances, variances, st.floats(0.2, 20.0))
def test_constants_are_the_operator_norms(r, T1, T2, k):
    """lambda_m, lambda_M, |AL|, |AT(1-Pi)| and C_M against matrices of Hermite coefficients."""
    modes = 8
    c = dms_constants(r, T1, T2, k)
    L = galerkin.collision_matrix(r, modes)
    T = galerkin.transport_matrix(T1, T2, k, modes)
    q = galerkin.macroscopic_vector(r, modes)
    rest = np.eye(2 * modes) - np.outer(q, q)
    image = T @ np.outer(q, q)
    auxiliary = np.linalg.solve(np.eye(2 * modes) + image.T @ image, image.T)
    assert np.allclose(auxiliary, galerkin.auxiliary_matrix(r, T1, T2, k, modes), atol=1e-12)
    assert np.linalg.norm(auxiliary @ L, 2) == pytest.approx(c.bound_collision, rel=1e-10)
    assert np.linalg.norm(auxiliary @ T @ rest, 2) == pytest.approx(c.bound_transport, rel=1e-10)
    both = np.linalg.norm(np.vstack([auxiliary @ L, auxiliary @ T @ rest]), 2)
    assert both <= c.bound * (1 + 1e-12)
    # The two images are in the odd and in the even part: the sum of squares is attained.
    assert np.linalg.norm(auxiliary @ (L - T) @ rest, 2) == pytest.approx(c.bound, rel=1e-10)
    assert q @ T.T @ T @ q == pytest.approx(c.macroscopic, rel=1e-12)
    coercivity = np.sort(np.linalg.eigvalsh(-L))[1]
    assert coercivity == pytest.approx(c.microscopic, rel=1e-12)
    assert abs(q @ T @ q) < 1e-12


def test_torus_constant_is_the_supremum_over_modes():
    for r, T1, T2 in ((1, 1, 1), (3, 0.001, 0.05), (0.2, 0.02, 0.001), (6, 2e-4, 0.02)):
        waves = WAVE * np.concatenate([np.arange(1, 400), np.geomspace(400, 1e6, 100)])
        largest = max(dms_constants(r, T1, T2, k).bound for k in waves)
        bound = dms_constants(r, T1, T2).bound
        assert largest <= bound * (1 + 1e-13)
        assert largest >= bound * (1 - 1e-6)


def test_more_hermite_modes_change_nothing():
    for k in (0.5, WAVE):
        rates = [functional_rate(2, 1, 0.3, k, modes).rate for modes in (3, 4, 8, 24)]
        assert np.ptp(rates) < 1e-11


def test_proven_decay_bounds_the_true_decay():
    """|F(t)| <= C exp(-rate t) |F(0)| with the proven prefactor, for the worst datum."""
    modes = 24
    for r, T1, T2, k in ((1, 1, 1, 1.0), (2, 0.5, 1.5, 0.7)):
        S = generator(r, T1, T2, k, modes)
        for proven in (dms_rate(r, T1, T2, k), functional_rate(r, T1, T2, k)):
            for t in (0.5, 2.0, 5.0):
                norm = np.linalg.norm(expm(S * t), 2)
                assert norm <= proven.prefactor * np.exp(-proven.rate * t) * (1 + 1e-9)


def test_functional_rate_is_sharp():
    """Some datum loses H^0 at exactly twice the proven rate."""
    r, T1, T2, k, modes = 2.0, 1.0, 0.4, WAVE, 6
    best = functional_rate(r, T1, T2, k)
    H = np.eye(2 * modes) / 2 + best.weight * galerkin.auxiliary_matrix(r, T1, T2, k, modes)
    H = (H + H.T) / 2
    S = generator(r, T1, T2, k, modes)
    losses = np.linalg.eigvals(np.linalg.solve(H, -(S.T @ H + H @ S))).real
    assert losses.min() == pytest.approx(2 * best.rate, rel=1e-9)
    for eta in (0.7 * best.weight, 1.3 * best.weight):
        D, F = galerkin.h0_forms(r, galerkin.transport_matrix(T1, T2, k, 3))
        assert matrix_witness(D[None], F[None])([eta]).rate < 2 * best.rate - 1e-3


def hermite_h1(r, T1, T2, k, modes, weights):
    """Functional and dissipation of section 2.2 in Hermite functions, complex, independently."""
    off = np.sqrt(np.arange(1, modes))
    position, gradient = np.diag(off, 1) + np.diag(off, -1), np.diag(off, 1) - np.diag(off, -1)
    zero = np.zeros((modes, modes))
    v = np.block([[np.sqrt(T1) * position, zero], [zero, np.sqrt(T2) * position]])
    dv = np.block([[gradient / np.sqrt(T1), zero], [zero, gradient / np.sqrt(T2)]]) / 2
    S = galerkin.collision_matrix(r, modes) - 1j * k * v
    one = np.eye(2 * modes)
    A, alpha, beta, gamma = weights
    cross = np.conj(1j * k * one).T @ dv
    H = A * one + alpha * k * k * one + beta * dv.T @ dv + gamma * (cross + cross.conj().T)
    D = -(S.conj().T @ H + H @ S)
    keep = np.r_[0 : modes - 3, modes : 2 * modes - 3]
    return D[np.ix_(keep, keep)], H[np.ix_(keep, keep)]


@pytest.mark.parametrize(("r", "T1", "T2", "k"), [(1, 1, 1, WAVE), (2, 0.7, 1.6, 3.0)])
def test_h1_rates_hold_for_hermite_functions(r, T1, T2, k):
    explicit, exact = h1_rate(r, T1, T2, k), h1_functional_rate(r, T1, T2, k)
    assert explicit.rate < exact.rate < spectral_gap(r, T1, T2, k).rate
    for proven in (explicit, exact):
        D, H = hermite_h1(r, T1, T2, k, 60, proven.weights)
        lowest = eigh(D, H, eigvals_only=True)[0] / 2
        assert lowest >= proven.rate - 1e-9
    # The exact functional loses no more than Hermite functions show: they converge from above.
    assert lowest < 1.25 * exact.rate
    again = h1_functional_rate(r, T1, T2, k, weights=exact.weights)
    assert again.rate == pytest.approx(exact.rate, abs=1e-12)
    finer = h1_functional_rate(r, T1, T2, k, weights=exact.weights, step=0.2)
    assert finer.rate == pytest.approx(exact.rate, abs=1e-11)


def test_h1_one_set_of_weights_serves_the_torus():
    for r in (1.0, 2.0):
        assert h1_rate(r, 1, 1).rate == pytest.approx(h1_rate(r, 1, 1, WAVE).rate, rel=1e-9)
    assert h1_rate(1, 1, 1, dimension=3).rate < h1_rate(1, 1, 1).rate


def test_unit_weights_of_the_paper_need_rho_inf_below_two():
    def best(r):
        return max(
            h1_functional_rate(r, 1, 1, weights=(1, 1, 1, g)).rate for g in (0.001, 0.1, 0.5)
        )

    assert best(1.0) > 0.4
    assert best(1.9) > 0.02
    assert best(2.1) < -0.02
    assert best(1 / 2.1) < -0.02


def test_non_gaussian_profiles_have_constants():
    T = 0.8
    closed = dms_rate(2, T, 0.5, WAVE)
    panels = dms_rate(2, GaussianMarginal(T).density, GaussianMarginal(0.5).density, WAVE)
    assert panels.rate == pytest.approx(closed.rate, rel=1e-10)
    with pytest.raises(InputError, match="order 4"):
        dms_rate(1, lambda v: 2 / np.pi / (1 + v * v) ** 2, 1.0)


def test_rate_map():
    table = rate_map([1, 2], [0.5, 1.0, WAVE], 1.0, 1.0, ("true", "density", "dms", "functional"))
    assert table["true"].shape == (2, 3)
    assert np.isnan(table["eigenvalue"][1, 2]) and table["edge"][1, 2] == -0.5
    assert table["eigenvalue"][0, 0] == pytest.approx(-0.21407115581145, abs=1e-13)
    assert np.all(table["dms"] <= table["functional"] + 1e-12)
    assert np.all(table["functional"] <= table["true"] + 1e-12)
    assert np.all(table["density"] >= table["true"] - 1e-12)
    with pytest.raises(InputError, match="methods"):
        rate_map([1], [1], 1, 1, ("speed",))


def test_ellipsoids_find_a_known_optimum():
    """D - l H = diag(w1 - l, w2 - l, 3 - w1 - 2 w2 - l): best l where all three are equal."""
    base, zero = np.diag([0.0, 0.0, 3.0]), np.zeros((3, 3))
    D = np.array([[base, np.diag([1.0, 0, -1]), np.diag([0, 1.0, -2])]])
    H = np.array([[np.eye(3), zero, zero]])
    best = best_pencil(matrix_witness(D, H), [0.0, 0.0], [5.0, 5.0])
    assert best.rate == pytest.approx(0.75, abs=1e-11)
    assert np.allclose(best.weights, 0.75, atol=1e-6)
    assert best.gap < 1e-11
    with pytest.raises(InputError, match="positive"):
        best_pencil(matrix_witness(D, -H), [0.0, 0.0], [1.0, 1.0])


def test_bad_input():
    with pytest.raises(InputError, match="T1"):
        hypocoercive_rates(1, -1, 1)
    with pytest.raises(InputError, match="rho_inf"):
        hypocoercive_rates(0, 1, 1)
    with pytest.raises(InputError, match="modes"):
        functional_rate(1, 1, 1, modes=2)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((1.0, 1.0, 1.0, 2 * np.pi), 0.184747369792102828),
        ((1.0, 1.0, 1.0, 1e-3), 3.818348896841454e-07),
        ((1.0, 1.0, 1.0, 1e-6), 3.819658807543098e-13),
        ((100.0, 1e-3, 1e3, 1.0), 7.844796400784625e-08),
    ],
)
def test_theorem_rate_keeps_its_digits(arguments, expected):
    """mpmath, 60 digits: the optimum over the weight; long waves prove tiny rates."""
    assert dms_rate(*arguments).rate == pytest.approx(expected, rel=1e-12)


def test_theorem_rate_is_never_negative():
    """However long the wave or uneven the densities: some weight proves decay."""
    for arguments in ((1.0, 1.0, 1.0, 1e-150), (1e10, 1.0, 1.0, 1e-12), (1.0, 1e-300, 1e-300, 1.0)):
        assert 0 <= dms_rate(*arguments).rate <= spectral_gap(*arguments).rate


def test_rates_of_long_waves_keep_their_digits():
    """At small epsilon they are divided by epsilon^2: rate/k^2 must converge."""
    waves = np.array([1e-3, 1e-4, 6e-6, 6e-8])
    for rate, arguments, limit in (
        (h1_rate, (1.0, 1.0, 1.0), 0.25),
        (h1_rate, (2.0, 1.0, 0.3), 0.006),
        (dms_rate, (1.0, 1.0, 1.0), (3 - np.sqrt(5)) / 2),
    ):
        found = np.array([rate(*arguments, k).rate for k in waves]) / waves**2
        assert np.all(np.abs(found / limit - 1) < 10 * waves)


@pytest.mark.parametrize("k", [1e-3, 0.5, 2 * np.pi])
def test_h1_rate_at_its_weights_in_many_digits(k):
    """The smallest eigenvalue of the forms of the docstring, for the weights that came out."""
    r, kappa = mp.mpf(2), mp.mpf("0.5")
    found = h1_rate(2.0, 1.0, 1.0, k)
    with mp.workdps(40):
        a, alpha, beta, gamma = map(mp.mpf, found.weights)
        k, loss, size = mp.mpf(k), 1 / r, r + 1 / r
        first, cross = a + alpha * k**2, -beta * (k + kappa)
        x = cross - 2 * gamma * size * k
        dissipation = mp.matrix(
            [
                [2 * loss * first + 2 * gamma * k**2, 0, x],
                [0, 2 * gamma * k**2, cross],
                [x, cross, 2 * loss * beta],
            ]
        )
        mixed = gamma * k
        form = mp.matrix([[first, 0, mixed], [0, first, mixed], [mixed, mixed, beta]])
        root = mp.cholesky(form) ** -1
        expected = min(mp.eigsy(root * dissipation * root.T, eigvals_only=True)) / 2
    assert found.rate == pytest.approx(float(expected), rel=1e-11)


def test_no_method_proves_growth():
    """Where the best rate is below rounding it is zero, not a negative number."""
    for arguments in ((1e3, 1.0, 1.0), (1e6, 1.0, 1.0), (1.0, 1e-300, 1e-300, 1.0)):
        assert h1_rate(*arguments).rate >= 0
