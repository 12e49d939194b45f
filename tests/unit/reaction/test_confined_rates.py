"""Spectrum, Poincare constants and hypocoercive rates under a confining potential."""

from math import comb

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import eigh
from scipy.optimize import brentq

from relaxon.core.errors import InputError
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.velocity_nodes import ThermalNodes
from relaxon.reaction.theory.confined_rates import (
    confined_dms_constants,
    confined_functional_rate,
    confined_rates,
    poincare_constant,
)
from relaxon.reaction.theory.confined_spectrum import DEPTH, XI_MAX, DensityResolvents, confined_gap
from relaxon.reaction.theory.spectrum import limit_diffusivity

SMALL = (28, 20)


def ladder(n, s, omega):
    r"""int_0^inf e^{-st} cos^n(omega t) dt, the resolvent of a harmonic potential on He_n."""
    return sum(comb(n, k) / 2**n / (s + 1j * omega * (n - 2 * k)) for k in range(n + 1))


def harmonic_eigenvalues(r, T1, T2, kappa, modes=12):
    """All eigenvalues right of the edge, degree by degree, from exact small matrices.

    Transport rotates phase space and keeps the span of He_{n-k}(x) He_k(xi), k = 0 ... n, where
    it is a tridiagonal antisymmetric matrix; collisions act on k = 0 only.
    """
    edge, found = -min(r, 1 / r), []
    for n in range(1, modes + 1):
        k = np.arange(n)
        turn = np.diag(np.sqrt((k + 1) * (n - k)), -1)
        turn = turn - turn.T
        one = np.eye(n + 1)
        corner = np.outer(one[0], one[0])
        matrix = np.block(
            [
                [-one / r - np.sqrt(kappa * T1) * turn, -corner],
                [-corner, -r * one - np.sqrt(kappa * T2) * turn],
            ]
        )
        found += [z for z in np.linalg.eigvals(matrix) if z.real > edge + 1e-9]
    return sorted(found, key=lambda z: -z.real)


@pytest.mark.parametrize(
    "r, T1, T2, kappa",
    [
        (1.0, 1.0, 1.0, 1.0),
        (2.0, 1.0, 4.0, 1.0),
        (0.5, 0.3, 2.0, 1.7),
        (1.0, 0.01, 0.01, 1.0),
        (1.0, 0.2, 0.2, 1.0),
        (1.0, 100.0, 100.0, 1.0),
        (4.0, 9.0, 0.01, 1.0),
    ],
)
def test_harmonic_eigenvalue_against_the_rational_equation(r, T1, T2, kappa):
    expected = harmonic_eigenvalues(r, T1, T2, kappa)[0]
    gap = confined_gap(r, T1, T2, lambda x: 0.5 * kappa * x**2, SMALL)
    assert abs(gap.eigenvalue - complex(expected.real, abs(expected.imag))) < 1e-11 * abs(expected)
    assert gap.rate == -np.real(gap.eigenvalue) < -gap.edge == min(r, 1 / r)
    assert gap.error < 1e-9


def test_harmonic_eigenvalue_to_many_digits():
    """r = T = 1: s = 1 + lambda solves 1/(2 s) + s/(2 (s^2 + 4)) = 1 (the breathing mode)."""
    s = max(np.roots([2.0, -2.0, 8.0, -4.0]), key=lambda z: abs(z.imag) < 1e-12)
    gap = confined_gap(1.0, 1.0, 1.0, "harmonic", (32, 24))
    np.testing.assert_allclose(gap.eigenvalue, s.real - 1, rtol=1e-12)
    assert gap.eigenvalue == gap.real


@pytest.mark.parametrize("s, T", [(1.0, 1.0), (0.3, 2.0), (0.4 + 2.1j, 1.0)])
def test_density_resolvent_is_diagonal_in_hermite_polynomials(s, T):
    grid = ConfinedGrid(ConfinedLine("harmonic", 32, DEPTH), ThermalNodes(24, XI_MAX))
    R = DensityResolvents(grid)(s, T)
    for n in (1, 2, 3, 4):
        assert (
            abs(R[n - 1, n - 1] - ladder(n, s, np.sqrt(T))) < 1e-10
        )  # what the cut at depth 36 costs
    assert np.abs(R[:4, :4] - np.diag(np.diag(R[:4, :4]))).max() < 1e-8


def continued_fraction(line, s, T, modes):
    """<(s + sqrt(T) T)^{-1}> by Hermite modes in the velocity, eliminated from the top."""
    root = np.sqrt(np.asarray(line.weights))
    S = np.asarray(line.slope) * root[:, None] / root
    K = s * np.eye(line.n)
    for n in range(modes, 0, -1):
        K = s * np.eye(line.n) + n * T * S.T @ np.linalg.solve(K, S)
    Q = line.rule().modes[1:]
    return Q @ np.linalg.inv(K) @ Q.T


def test_quartic_eigenvalue_against_a_continued_fraction():
    """Other velocities (Hermite modes, not nodes), other elimination, no singular values."""
    line = ConfinedLine("quartic", 40, DEPTH)
    r, T1, T2 = 2.0, 1.0, 1.0

    def excess(lam):
        first = continued_fraction(line, lam + 1 / r, T1, 60)
        second = continued_fraction(line, lam + r, T2, 60)
        return np.max(np.linalg.eigvals(first @ second).real) - 1

    gap = confined_gap(r, T1, T2, "quartic", (40, 32))
    low, high = excess(gap.real - 2e-4), excess(gap.real + 2e-4)
    root = gap.real - 2e-4 + 4e-4 * low / (low - high)
    assert low > 0 > high
    assert abs(root - gap.real) < 5 * gap.error + 1e-6


def test_the_error_of_a_double_well_is_honest():
    """A saddle converges slowly: the continued fraction has many more velocities."""
    line = ConfinedLine("double-well", 48, DEPTH)
    gap = confined_gap(1.0, 1.0, 1.0, "double-well", (48, 32))

    def excess(lam):
        R = continued_fraction(line, lam + 1.0, 1.0, 128)
        return np.linalg.eigvalsh((R + R.T) / 2)[-1] - 1

    better = brentq(excess, -0.1, -0.05, xtol=1e-7)
    assert abs(better + 0.072) < 1e-3
    assert 0.3 * gap.error < abs(better - gap.eigenvalue) < 1.5 * gap.error


def test_small_temperature_is_the_diffusion_limit():
    """Rate over epsilon^2 -> D(m_inf) P as epsilon -> 0, with T epsilon^2 for T."""
    r, T1, T2 = 1.6, 1.0, 0.5
    for potential in ("harmonic", "quartic"):
        expected = limit_diffusivity(r, T1, T2) * poincare_constant(potential)
        errors = []
        for epsilon in (0.05, 0.025, 0.0125):
            gap = confined_gap(r, T1 * epsilon**2, T2 * epsilon**2, potential, SMALL)
            errors.append(abs(gap.rate / epsilon**2 / expected - 1))
        # second order in epsilon
        assert errors[2] < 1e-3
        assert abs(errors[1] / errors[2] - 4) < 0.1


@pytest.mark.parametrize("kappa", [0.25, 1.0, 9.0])
def test_poincare_constant_of_a_harmonic_potential(kappa):
    found = poincare_constant(lambda x: 0.5 * kappa * x**2, 32)
    np.testing.assert_allclose(found, kappa, rtol=1e-12)


@pytest.mark.parametrize(
    "potential, formula",
    [
        ("quartic", lambda x: 0.25 * x**4),
        ("double-well", lambda x: 2 * (x**2 - 1) ** 2),
    ],
)
def test_poincare_constant_against_a_schroedinger_operator(potential, formula):
    """-L is unitarily equivalent to -d_xx + phi'^2/4 - phi''/2, here in sine functions."""
    x, h = np.linspace(-5, 5, 4001, retstep=True)
    d1 = np.gradient(formula(x), h, edge_order=2)
    if potential == "quartic":
        d1, d2 = x**3, 3 * x**2
    else:
        d1, d2 = 8 * x * (x**2 - 1), 24 * x**2 - 8
    V = np.minimum(d1**2 / 4 - d2 / 2, 1e5)
    k = np.arange(1, 161)
    basis = np.sin(np.outer(np.pi * k / 10, x + 5)) / np.sqrt(5)
    matrix = basis * V @ basis.T * h + np.diag((np.pi * k / 10) ** 2)
    levels = eigh(matrix, eigvals_only=True)[:2]
    assert abs(levels[0]) < 1e-7
    np.testing.assert_allclose(poincare_constant(potential), levels[1], rtol=3e-8)


def test_dms_constants_of_a_harmonic_potential_in_closed_form():
    """He_n diagonalise all forms: |D^2 u|^2 = n (n-1), |L u|^2 = n^2, kappa = 1."""
    r, T1, T2 = 0.7, 2.0, 0.3
    share = r * r / (1 + r * r)
    d0, swapped = share * T1 + (1 - share) * T2, (1 - share) * T1 + share * T2
    E = share * T1**2 + (1 - share) * T2**2
    n = np.arange(1.0, 200.0)
    sums = (swapped * n + E * (2 * n * (n - 1) + n**2) - d0**2 * n**2) / (1 + d0 * n) ** 2
    c = confined_dms_constants(r, T1, T2)
    expected = np.sqrt(max(sums.max(), (3 * E - d0**2) / d0**2))
    np.testing.assert_allclose(c.bound, expected, rtol=1e-7)
    np.testing.assert_allclose(c.macroscopic, d0, rtol=1e-12)
    assert c.microscopic == 0.7
    np.testing.assert_allclose(np.hypot(c.bound_collision, c.bound_transport), c.bound)


def test_dms_bound_is_a_supremum_on_random_functions():
    r, T1, T2 = 2.0, 1.0, 3.0
    line = ConfinedLine("double-well", 48, DEPTH)
    c = confined_dms_constants(r, T1, T2, "double-well", 48)
    grid = ConfinedGrid(line, ThermalNodes(12, XI_MAX))
    share = r * r / (1 + r * r)
    d0 = share * T1 + (1 - share) * T2
    W, w = np.asarray(line.weights), np.asarray(grid.velocity.masses)
    rng = np.random.default_rng(0)
    norm = lambda F, G: float(w @ (F**2 + G**2) @ W)  # noqa: E731
    operator = np.eye(48) - d0 * np.array([line.laplacian(e) for e in np.eye(48)]).T
    largest = 0.0
    for _ in range(20):
        m = rng.standard_normal(6) @ np.array([line.nodes**k for k in range(6)])
        m -= W @ m / W.sum()
        g = np.linalg.solve(operator, m)
        flat = np.ones((12, 1))
        F, G = r * flat * g / np.sqrt(1 + r * r), -flat * g / np.sqrt(1 + r * r)
        tF, tG = (np.sqrt(T) * np.asarray(grid.carry(u)) for T, u in ((T1, F), (T2, G)))
        odd = norm(tF / r, tG * r)  # L acts on odd functions as -1/r and -r
        ttF, ttG = (np.sqrt(T) * np.asarray(grid.carry(u)) for T, u in ((T1, tF), (T2, tG)))
        macro = (r * (w @ ttF) - w @ ttG) / np.sqrt(1 + r * r)
        even = norm(ttF, ttG) - float(W @ macro**2)
        largest = max(largest, (odd + even) / float(W @ m**2))
    assert 0.3 * c.bound**2 < largest <= c.bound**2 * (1 + 1e-6)


@pytest.mark.parametrize("potential", ["harmonic", "double-well"])
def test_the_functional_loses_what_its_rate_says(potential):
    """H^0 and its derivative along the discrete semigroup, from operators on phase space."""
    r, T1, T2 = 2.0, 1.0, 0.5
    proven = confined_functional_rate(r, T1, T2, potential)
    coarse = confined_functional_rate(r, T1, T2, potential, 32)
    np.testing.assert_allclose(coarse.rate, proven.rate, rtol=1e-6)
    grid = ConfinedGrid(ConfinedLine(potential, 24, DEPTH), ThermalNodes(12, XI_MAX))
    line, w = grid.line, np.asarray(grid.velocity.masses)
    W, drift = np.asarray(line.weights), np.asarray(grid.velocity.drift)[:, None]
    d0 = (r * r * T1 + T2) / (1 + r * r)
    operator = np.eye(24) - d0 * np.array([line.laplacian(e) for e in np.eye(24)]).T
    scale = np.sqrt(1 + r * r)

    def change(a, b):
        """The generator in the variables in which (10) is the plain weighted norm."""
        return (
            -a / r - w @ b - np.sqrt(T1) * np.asarray(grid.carry(a)),
            -r * b - w @ a - np.sqrt(T2) * np.asarray(grid.carry(b)),
        )

    def auxiliary(a, b):
        """A F as a density: (1 + (T Pi)* T Pi)^{-1} (T Pi)* F."""
        flux = r * np.sqrt(T1) * w @ (drift * a) - np.sqrt(T2) * w @ (drift * b)
        return np.linalg.solve(operator, -np.asarray(line.divergence(flux[None])) / scale)

    x, xi = np.asarray(line.nodes), np.asarray(grid.velocity.nodes)[:, None]
    width = np.abs(x).max()
    fields = []
    for i, j, s in np.ndindex(3, 14, 2):
        pair = [np.zeros((12, 24)), np.zeros((12, 24))]
        pair[s] = np.polynomial.hermite_e.hermeval(xi, np.eye(3)[i]) * np.cos(
            j * np.arccos(x / width * (1 - 1e-12))
        )
        m = W @ (r * (w @ pair[0]) - w @ pair[1]) / W.sum() / scale**2
        fields.append((pair[0] - r * m, pair[1] + m))
    rates = [change(*pair) for pair in fields]
    masses = np.sqrt(np.outer(w, W)).ravel()
    flat = lambda pairs: np.array(  # noqa: E731
        [np.concatenate([masses * u.ravel() for u in pair]) for pair in pairs]
    )
    macro = lambda pairs: np.array([(r * (w @ a) - w @ b) / scale for a, b in pairs])  # noqa: E731
    helped = lambda pairs: np.array([auxiliary(*pair) for pair in pairs]) * W  # noqa: E731

    def form(left, right):
        cross = helped(left) @ macro(right).T + macro(left) @ helped(right).T
        return flat(left) @ flat(right).T / 2 + proven.weight / 2 * cross

    functional, loss = form(fields, fields), -form(rates, fields)
    levels, vectors = np.linalg.eigh(functional)
    good = levels > 1e-10 * levels[-1]  # the constants that were taken out, and near multiples
    root = vectors[:, good] / np.sqrt(levels[good])
    least = np.linalg.eigvalsh(root.T @ (loss + loss.T) @ root)[0]
    assert 2 * proven.rate * (1 - 1e-6) <= least <= 2.2 * proven.rate


def test_rates_are_ordered_and_improve_with_the_grid():
    rates = confined_rates(2.0, 1.0, 1.0, "harmonic", SMALL)
    assert 0 < rates.dms < rates.functional < rates.true < -rates.edge
    np.testing.assert_allclose(rates.poincare, 1.0, rtol=1e-9)
    assert rates.constants.macroscopic == pytest.approx(1.0, rel=1e-9)
    # a saddle is resolved slowly, and the error says so
    coarse = confined_gap(1.0, 1.0, 1.0, "double-well", (24, 16))
    fine = confined_gap(1.0, 1.0, 1.0, "double-well", SMALL)
    assert 1e-4 < fine.error < coarse.error


@pytest.mark.parametrize("r, T1, T2", [(5.0, 1.0, 10.0), (3.0, 0.5, 3.0), (0.2, 10.0, 1.0)])
def test_complex_eigenvalues_can_lead(r, T1, T2):
    """The sloshing mode of the abundant species outlives everything that does not oscillate."""
    leading = harmonic_eigenvalues(r, T1, T2, 1.0)[0]
    assert abs(leading.imag) > 0.5
    gap = confined_gap(r, T1, T2, "harmonic", (20, 16))
    assert abs(gap.eigenvalue - complex(leading.real, abs(leading.imag))) < 1e-11
    assert gap.real < -gap.rate


def test_z_of_the_quartic_is_what_quad_says():
    exact = quad(lambda x: np.exp(-0.25 * x**4), -6, 6, epsabs=1e-13)[0]
    np.testing.assert_allclose(ConfinedLine("quartic", 24).volume, exact, rtol=2e-12)


def test_bad_arguments():
    with pytest.raises(InputError, match="rho_inf"):
        confined_gap(-1.0, 1.0, 1.0)
    with pytest.raises(InputError, match="n must hold the numbers"):
        confined_gap(1.0, 1.0, 1.0, "harmonic", 40)


def test_tiny_eigenvalues_keep_their_digits():
    """T epsilon^2 of 1e-16: the diffusion limit, which 1 - R_1 R_2 loses in rounding."""
    for potential in ("harmonic", "double-well"):
        gap = confined_gap(2.0, 1e-16, 5e-17, potential)
        limit = limit_diffusivity(2.0, 1e-16, 5e-17) * poincare_constant(potential)
        assert gap.rate == pytest.approx(limit, rel=1e-8)
    rates = [confined_rates(2.0, T, T).dms for T in (1e-8, 1e-12)]
    assert 0 < rates[1] < rates[0]
