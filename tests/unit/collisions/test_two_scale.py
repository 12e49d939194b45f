"""The two-scale system: operators against closed forms, the paper's (2.4) term by term."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import relaxon as rx
from relaxon.collisions.radial import gaussian
from relaxon.collisions.radial.gaussian import unit_excess
from relaxon.collisions.two_scale.operators import (
    Potentials,
    SelfCollisions,
    Slopes,
    apply_bands,
)
from relaxon.collisions.two_scale.system import TwoScaleSystem
from relaxon.core.errors import InputError
from relaxon.distributions.hot_spot import C0, PEAK
from relaxon.numerics.block_tridiagonal import gauss_jordan

gaussian_coefficients = jax.jit(gaussian.gaussian_coefficients)


def grid(n=120, delta=1e-2):
    return rx.RadialGrid(3, n, 12.0, math.sqrt(delta))


def test_gaussian_coefficients_against_quadrature():
    mass, temperature = 0.7, 0.3
    radii = np.array([1e-3, 0.2, 0.46, 0.47, 1.0, 3.0])
    found = gaussian_coefficients(jnp.asarray(radii), jnp.asarray(mass), jnp.asarray(temperature))
    with mpmath.workdps(30):
        height = mpmath.mpf(mass) * (2 * mpmath.pi * mpmath.mpf(temperature)) ** -1.5

        def density(s):
            return height * mpmath.exp(-(s**2) / (2 * mpmath.mpf(temperature)))

        for r, lam, trace in zip(radii, found.lam, found.trace):
            r = mpmath.mpf(float(r))
            outer = mpmath.quad(lambda s: s * density(s), [r, r + 2, mpmath.inf])
            fourth = mpmath.quad(lambda s: s**4 * density(s), [0, r])
            second = mpmath.quad(lambda s: s**2 * density(s), [0, r])
            assert float(lam) == pytest.approx(float((fourth / r**3 + outer) / 3), rel=2e-13)
            assert float(trace) == pytest.approx(float(second / r + outer), rel=2e-13)


def test_excess_near_zero_keeps_its_digits():
    radii = np.array([1e-7, 1e-3, 0.8, 0.9, 4.0])
    lam, trace, density = unit_excess(radii)
    with mpmath.workdps(50):
        for i, radius in enumerate(radii):
            z = mpmath.mpf(float(radius)) / mpmath.sqrt(2)
            base = 1 / (4 * mpmath.pi * mpmath.sqrt(2))
            root = mpmath.sqrt(mpmath.pi)
            cubic = (mpmath.erf(z) - 2 * z / root * mpmath.exp(-(z**2))) / z**3
            assert lam[i] == pytest.approx(float(base / 2 * (cubic - 4 / (3 * root))), rel=1e-12)
            wanted = base * (mpmath.erf(z) / z - 2 / root)
            assert trace[i] == pytest.approx(float(wanted), rel=1e-12)
            wanted = (2 * mpmath.pi) ** -1.5 * mpmath.expm1(-(z**2))
            assert density[i] == pytest.approx(float(wanted), rel=1e-12)


def test_slopes_are_exact_for_one_and_rho_and_of_order_four():
    errors = []
    for n in (60, 120):
        g = grid(n)
        slopes, rho = Slopes(g), g.r**2 / 2
        for bands in (slopes.first, slopes.outward):
            assert np.allclose(apply_bands(bands, rho), 1.0, rtol=1e-11)
            assert np.max(np.abs(apply_bands(bands, jnp.ones(n)) * rho)) < 1e-10
        assert np.max(np.abs(apply_bands(slopes.second, rho) / (1 + rho))) < 1e-10
        x = jnp.exp(-rho)
        inner = g.r < 6
        found = [apply_bands(b, x) for b in (slopes.first, slopes.outward, slopes.second)]
        wanted = [-x, -x, g.r**2 * x]
        errors.append([float(jnp.max(jnp.abs((a - b) * inner))) for a, b in zip(found, wanted)])
    order = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert np.all(order > 3.5), order


def test_potentials_of_a_gaussian():
    """Order 6; at r = 0, where lambda_1 divides a small integral by r^3, order 4."""
    errors = []
    for n in (80, 160):
        g = grid(n)
        exact = gaussian_coefficients(g.r, jnp.ones(()), jnp.asarray(0.2))
        lam, trace = Potentials(g)(exact.density)
        pairs = ((lam[8:], exact.lam[8:]), (trace, exact.trace), (lam, exact.lam))
        errors.append([float(jnp.max(jnp.abs(x / y - 1))) for x, y in pairs])
    order = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert np.all(order > [5.5, 5.5, 3.8]), (order, errors)
    assert np.all(np.array(errors[1]) < [3e-7, 5e-8, 1e-5]), errors


def test_self_collisions_vanish_on_maxwellians():
    g = grid()
    own, width = SelfCollisions(g), jnp.asarray(0.02)
    assert np.max(np.abs(own(jnp.full(g.n, 0.3), jnp.asarray(5.0), width))) < 1e-12
    tangent = jax.jvp(
        lambda x: own(x, jnp.asarray(5.0), width), (jnp.zeros(g.n),), (g.r**2 / width,)
    )[1]
    curved = jax.jvp(
        lambda x: own(x, jnp.asarray(5.0), width), (jnp.zeros(g.n),), (g.r**4 / width**2,)
    )[1]
    near = g.r < 8 * math.sqrt(0.02)
    assert np.max(np.abs(tangent * near)) < 1e-9 * np.max(np.abs(curved * near))


@eqx.filter_jit
def dense_jacobian(system, t, y):
    return jax.jacfwd(lambda x: system.rate(t, x))(y)


@eqx.filter_jit
def solved(system, t, y, tau, rhs):
    return system.linearize(t, y)(tau)(rhs)


@pytest.mark.parametrize("delta,alpha,t", [(1e-2, 0.35, 0.0), (1e-4, 0.1, 0.3)])
def test_linearisation_is_the_exact_derivative(delta, alpha, t):
    n, g = 40, grid(40, delta)
    system, t = TwoScaleSystem(g, delta, alpha), jnp.asarray(t)
    wave = 0.1 * jnp.cos(g.r / math.sqrt(delta)) * jnp.exp(-(g.r**2) / delta / 20)
    y = jnp.stack([wave, 0.05 * jnp.exp(-g.r) * jnp.sin(g.r) ** 2])
    dense = np.asarray(dense_jacobian(system, t, y)).reshape(2 * n, 2 * n)
    rhs = np.random.default_rng(1).standard_normal((2, n))
    for tau in (1e-4, 1.0):
        found = solved(system, t, y, jnp.asarray(tau), jnp.asarray(rhs))
        wanted = np.linalg.solve(np.eye(2 * n) - tau * dense, rhs.ravel()).reshape(2, n)
        assert np.max(np.abs(found - wanted)) < 1e-11 * np.max(np.abs(wanted))


class Blob:
    """A sum of Gaussians with everything that (2.4) asks of it in closed form."""

    def __init__(self, r, *parts):
        self.r, self.parts = r, parts
        each = [gaussian_coefficients(r, jnp.asarray(m), jnp.asarray(w)) for m, w in parts]
        self.value = sum(e.density for e in each)
        self.lam, self.trace = sum(e.lam for e in each), sum(e.trace for e in each)
        # second derivative along v, and first derivative over r
        self.along = sum(e.density * (r**2 / w**2 - 1 / w) for e, (_, w) in zip(each, parts))
        self.across = sum(-e.density / w for e, (_, w) in zip(each, parts))


def contracted(x, y):
    """Tr(A[x] Hess y)."""
    return x.lam * y.along + (x.trace - x.lam) * y.across


def q(x, y):
    """Q(x, y) by (2.14)."""
    return contracted(x, y) + x.value * y.value


@pytest.mark.parametrize("t", [0.0, 0.05])
def test_rhs_is_the_system_of_the_paper_term_by_term(t):
    delta, alpha = 1e-2, 0.35
    errors = []
    for n in (60, 120):
        g = grid(n, delta)
        equation, r = rx.TwoScale(delta, alpha), g.r
        width, mass = delta + 2 * C0 * t, delta**alpha * math.exp(2 * PEAK * t)
        unit, spot = Blob(r, (1.0, 1.0)), Blob(r, (mass, width))
        far = Blob(r, (0.04, 0.8), (-0.03, 0.5))
        near = Blob(r, (0.05 * mass, 0.8 * width), (-0.08 * mass, 0.6 * width))
        laplacian = spot.along + 2 * spot.across
        dh = (
            q(near, near) + q(far, near) + q(spot, near) + q(near, spot) + q(unit, near)
            + q(far, spot) + far.value * near.value + near.value * unit.value
            + far.value * spot.value + unit.value * spot.value + q(unit, spot)
            - C0 * laplacian - 2 * PEAK * spot.value
        )  # fmt: skip
        dg = (
            q(far, far) + q(unit, far) + q(far, unit) + contracted(near, unit)
            + contracted(near, far) + contracted(spot, far) + contracted(spot, unit)
        )  # fmt: skip
        found = equation.rhs({"g": far.value, "h": near.value}, g, t)
        small = float(rx.functionals.weighted_norm(found["g"] - dg, g))
        scale = float(rx.functionals.weighted_norm(dg, g))
        weight = jnp.exp(r**2 / (4 * width)) * (r < 8 * math.sqrt(width))
        near_error = g.integrate(((found["h"] - dh) * weight) ** 2)
        near_scale = g.integrate((dh * weight) ** 2)
        errors.append([small / scale, float(jnp.sqrt(near_error / near_scale))])
    order = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert max(errors[1]) < 2e-4, errors
    assert np.all(order > 3.3), (order, errors)


def test_maxwellian_alone_is_stationary():
    g = grid()
    system = TwoScaleSystem(g, 1e-2, 0.35)
    rest = jnp.zeros(g.n)
    none = system._far(rest, (rest, rest), eqx.tree_at(
        lambda e: (e.density, e.lam, e.trace), system.unit, (rest, rest, rest)))  # fmt: skip
    assert np.all(np.asarray(none) == 0.0)


def test_bad_input_is_one_sentence():
    with pytest.raises(InputError, match=r"delta must lie in \(0, 1\), but is 2"):
        rx.TwoScale(2, 0.3)
    equation, g = rx.TwoScale(1e-2, 0.3), grid()
    with pytest.raises(InputError, match="needs a RadialGrid with d = 3"):
        rx.Problem(equation, rx.RadialGrid(2, 100, 12.0, 0.1), jnp.ones(100))
    other = rx.distributions.blowdown(g, 1e-2, 0.35)
    with pytest.raises(InputError, match="starts from M"):
        rx.solve(rx.Problem(equation, g, other), 0.1)
    direct = rx.solve(rx.Problem(rx.Landau(), g, other), 0.0)
    with pytest.raises(InputError, match="need a solution of TwoScale"):
        rx.bootstrap_constant(direct)


@pytest.mark.parametrize("delta", [1e-4, 1e-8])
def test_source_of_the_near_field_is_of_order_m_over_width_to_three_halves(delta):
    """S_E = c0 E (k^2/2 - 3 k^4/10) at leading order in k = r/sqrt(T): |S_E| = C m T^(-3/2).

    Its square integrates to 57.3 (2 pi)^(3/2) by the moments 15, 105, 945 of k^4, k^6, k^8.
    """
    system, y = TwoScaleSystem(grid(200, delta), delta, 0.3), jnp.zeros((2, 200))
    found = system.norms(jnp.zeros(()), system.rate(jnp.zeros(()), y))[1]
    wanted = C0 * (2 * math.pi) ** -0.75 * math.sqrt(57.3) * delta ** (0.3 - 1.5)
    assert float(found) == pytest.approx(wanted, rel=30 * delta + 1e-9)


def test_gauss_jordan_pivots():
    rng = np.random.default_rng(3)
    a = rng.standard_normal((24, 24)) * 10.0 ** rng.integers(-6, 7, (24, 1))
    a[0, 0] = 0.0
    b = rng.standard_normal((24, 5))
    found, wanted = gauss_jordan(jnp.asarray(a), jnp.asarray(b)), np.linalg.solve(a, b)
    assert np.max(np.abs(found - wanted)) < 1e-10 * np.max(np.abs(wanted))
