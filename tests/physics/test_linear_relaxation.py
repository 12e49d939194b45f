"""Sum rules, the nonlinear operator's derivative, coercivity and linear decay."""

from functools import cache
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import relaxon as rx
from relaxon.collisions.linear.linearized import Linearized, linearized
from relaxon.collisions.linear.semigroup import (
    Semigroup,
    exponential_data,
    polynomial_data,
)
from relaxon.collisions.radial.form import Frame, log_rate
from relaxon.collisions.radial.kernels import FixedKernel, MinKernel
from relaxon.collisions.radial.screening import radial_screening
from relaxon.numerics.fits import algebraic_exponent, stretched_exponent
from relaxon.screening import potentials

GAUSSIAN = potentials.Gaussian(3)


@cache
def screened() -> Linearized:
    return linearized(SimpleNamespace(potential=GAUSSIAN), 0.5)


@cache
def landau(d: int = 3) -> Linearized:
    return linearized(rx.Landau(strength=np.pi**2 / 2), 0.5, d=d)


def test_screening_does_not_change_the_far_field():
    """int u F1' K du = -K0, so |v|^3 lambda_1 has the same limit with and without screening."""
    far = np.array([20.0, 1e3])
    one, other = (operator.eigenvalues(far)[0] for operator in (screened(), landau()))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(one * far**3, np.pi**2 / 2, rtol=1e-12)


def test_friction_balances_diffusion():
    """div(A mu) = -int B grad_* mu_*: in d = 3, r lambda_1' + 3 lambda_1 = 4 pi k(r)."""
    r, h = np.array([0.4, 1.7, 3.0, 5.0]), 1e-4
    operator = screened()
    ends = [operator.eigenvalues(r + j * h)[0] for j in (-2, -1, 1, 2)]
    slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h)
    left = r * slope + 3 * operator.eigenvalues(r)[0]
    np.testing.assert_allclose(left, 4 * np.pi * operator.line(r), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("kind", ["landau", "screened"])
def test_form_is_the_derivative_of_the_nonlinear_operator(kind):
    errors = []
    for n in (100, 200):
        grid = rx.RadialGrid(3, n, r_max=9.0, r_min=1.0)
        frame = Frame(grid, 1.0, 0.5)
        if kind == "landau":
            model = FixedKernel(MinKernel(4 * jnp.pi**3 * grid.faces[1:-1] ** 3 / 3))
        else:
            model = radial_screening(GAUSSIAN, grid)
        phi = grid.r**4 * jnp.exp(-0.1 * grid.r**2)

        def rate(size, frame=frame, model=model, phi=phi):
            ell = jnp.log1p(size * phi)
            return log_rate(frame, model.kernel(frame.log_maxwellian + ell), ell)

        rate = jax.jit(rate)
        change = (rate(1e-6) - rate(-1e-6)) / 2e-6
        measured = -grid.integrate(frame.maxwellian * phi * change)
        operator = landau() if kind == "landau" else screened()
        exact = operator.dirichlet(lambda r: r**4 * jnp.exp(-0.1 * r**2))
        errors.append(abs(float(measured) / exact - 1))
    assert errors[1] < 1e-6
    assert errors[1] < errors[0] / 8


@pytest.mark.parametrize("l", [0, 1, 2])
def test_sector_matches_the_plane_variance(l):
    sector = screened().sector(l, degree=10)
    g = np.sqrt(screened().maxwellian(sector.radius)) * sector.radius ** (4 + l)
    exact = screened().dirichlet(lambda r: r ** (4 + l), l=l)
    assert sector.dirichlet(g) == pytest.approx(exact, rel=1e-11)
    assert sector.kernel_defect < 1e-7
    np.testing.assert_allclose(sector.form, sector.form.T, atol=1e-14 * np.abs(sector.form).max())
    if l < 2:
        invariant = np.sqrt(screened().maxwellian(sector.radius)) * sector.radius**l
        rounding = 1e-15 * (invariant @ np.abs(sector.form) @ invariant)
        assert abs(sector.dirichlet(invariant)) < rounding
        assert np.abs(sector.mass @ sector.apply(g) @ invariant) < 1e-11 * sector.dirichlet(g)


def test_coercivity_of_landau():
    result = landau().coercivity(3)
    assert result.l == 0
    assert result.constant == pytest.approx(0.4105358907, rel=1e-8)
    finer = landau().sector(0, parts=2, degree=9).coercivity()[0]
    assert finer == pytest.approx(result.constant, rel=1e-9)
    other = linearized(rx.Landau(), 3.0).sector(0).coercivity()[0]
    assert other == pytest.approx(result.constant, rel=1e-9)


def test_coercivity_of_lenard_balescu():
    value, best = screened().sector(1).coercivity()
    assert value == pytest.approx(0.2283979806, rel=1e-8)
    sector = screened().sector(1)
    assert sector.dirichlet(best) == pytest.approx(value * (best @ sector.norm @ best), rel=1e-9)
    assert np.abs(sector.centred(best) - best).max() < 1e-9


@cache
def semigroup() -> Semigroup:
    return Semigroup.of(landau().sector(0, r_max=1e6))


def test_polynomial_weight():
    """g0 ~ |v|^-q has int <v>^l |g0|^2 < inf for l < 2 q - 3, and decays just so."""
    t = np.geomspace(100, 1e3, 9)
    radius = semigroup().sector.radius
    for q in (3.0, 3.5):
        norms = semigroup().squared_norms(polynomial_data(radius, q), t)
        np.testing.assert_allclose(algebraic_exponent(t, norms)[1:-1], 2 * q - 3, rtol=5e-3)


def test_stretched_exponential_weight():
    """theta = 1/2: the norm is that of e^{-c t/|v|} g0, whose exponent tends to 1/3 from above."""
    t = np.geomspace(100, 2000, 12)
    radius, c = semigroup().sector.radius, np.pi**2 / 2
    norms = semigroup().squared_norms(exponential_data(radius, 1.0, 0.5), t)

    def leading(time):
        def integrand(y):
            r = np.exp(y)
            return 4 * np.pi * r**3 * np.exp(-2 * c * time / r - (1 + r**2) ** 0.25)

        return quad(integrand, 0, 14, epsabs=0, limit=200)[0]

    model = np.array([leading(time) for time in t])
    exponent = stretched_exponent(t, norms)[2:-2]
    np.testing.assert_allclose(exponent, stretched_exponent(t, model)[2:-2], atol=2e-3)
    assert np.all(np.diff(exponent) < 0)
    assert 1 / 3 < exponent[-1] < 0.42


def test_decay_is_that_of_the_semigroup():
    sector = semigroup().sector
    g0 = sector.centred(exponential_data(sector.radius, 0.5, 2.0))
    h = 1e-3
    change = (semigroup().at(g0, 1 + h) - semigroup().at(g0, 1 - h)) / (2 * h)
    expected = sector.apply(semigroup().at(g0, 1.0))
    difference = change - expected
    size = np.sqrt(expected @ sector.mass @ expected)
    assert np.sqrt(difference @ sector.mass @ difference) < 1e-5 * size


@pytest.mark.parametrize("l", [0, 1, 2])
def test_the_gradient_and_the_operator_norms(l):
    """Against |grad (r^l exp(-r^2) Y)|^2 by quadrature; sup norms bound every single g0."""
    sector = screened().sector(l, 12.0, 1, 6)
    r = sector.radius
    g = sector.sample(lambda r: r**l * np.exp(-(r**2)))

    def density(r):
        slope = (l * r ** (l - 1) if l else 0.0) - 2 * r ** (l + 1)
        return (slope**2 + l * (l + 1) * r ** max(2 * l - 2, 0)) * np.exp(-2 * r**2) * r**2

    exact = 4 * np.pi * quad(density, 0, 12)[0]
    assert g @ sector.gradient @ g == pytest.approx(exact, rel=1e-8)
    semigroup, t = Semigroup.of(sector), np.array([0.01, 1.0, 10.0])
    gap = semigroup.rates[sector.kernel.shape[1]]
    np.testing.assert_allclose(semigroup.operator_norms(t, 0), np.exp(-gap * t), rtol=1e-6)
    bound = semigroup.operator_norms(t)
    g = sector.centred(np.exp(-r) * r**l)
    weight = sector.mass + sector.gradient
    square = weight @ np.linalg.solve(sector.mass, weight)
    size = [np.sqrt(h @ square @ h) for h in (g, *(semigroup.at(g, time) for time in t))]
    assert np.all(np.array(size[1:]) <= bound * size[0])
    with pytest.raises(rx.InputError, match="order must"):
        semigroup.operator_norms(t, 3)
