"""The antisymmetric form: conservation, entropy, equilibria and the Jacobian, for any data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import relaxon as rx
from relaxon.collisions.radial.form import Frame, kernel_sum, log_rate
from relaxon.collisions.radial.jacobian import linearize

GRIDS = [rx.RadialGrid(3, 60, 12.0, r_min) for r_min in (1e-4, 0.1, 12.0)]
ANY = st.tuples(st.sampled_from(GRIDS), st.integers(0, 2**32 - 1), st.floats(0.01, 3.0))


def data(drawn):
    """A Maxwellian times exp(noise): smooth or rough, near to or far from equilibrium."""
    grid, seed, size = drawn
    random = np.random.default_rng(seed)
    return grid, jnp.asarray(size * random.normal(size=grid.n))


def frame_on(grid, mass=1.0, temperature=1.0):
    return Frame(grid, jnp.asarray(mass), jnp.asarray(temperature))


@jax.jit
def collide(grid, ell):
    """F, Q(F, F), and the same with every quantity replaced by its modulus (for rounding)."""
    frame = frame_on(grid)
    frame = frame.adapted(ell)
    f = frame.maxwellian * jnp.exp(ell)
    return f, f * log_rate(frame, rx.Landau().kernel_model(grid).value, ell)


@given(ANY)
def test_mass_and_energy_are_conserved_for_any_positive_data(drawn):
    grid, ell = data(drawn)
    _, q = collide(grid, ell)
    assert np.all(np.isfinite(q))
    scale = float(grid.integrate(jnp.abs(q)))
    assert abs(float(grid.integrate(q))) <= 1e-13 * scale
    scale = float(grid.integrate(jnp.abs(q) * grid.r**2))
    assert abs(float(grid.integrate(q * grid.r**2))) <= 1e-13 * scale


@given(ANY)
def test_entropy_never_increases_for_any_positive_data(drawn):
    grid, ell = data(drawn)
    _, q = collide(grid, ell)
    log_f = frame_on(grid).log_maxwellian + ell
    terms = q * log_f
    production = -float(grid.integrate(terms))
    assert production >= -1e-13 * float(grid.integrate(jnp.abs(terms)))


@given(
    st.sampled_from(GRIDS),
    st.floats(1e-6, 1e6),
    st.floats(0.7, 2.0),
    st.floats(0.7, 2.0),
)
def test_every_maxwellian_is_stationary_whatever_the_reference(grid, mass, t1, t2):
    frame = frame_on(grid, 1.0, t1)
    ell = frame_on(grid, mass, t2).log_maxwellian - frame.log_maxwellian
    rate = log_rate(frame, rx.Landau().kernel_model(grid).value, ell)
    f = frame.maxwellian * jnp.exp(ell)
    # A generic distribution of this mass changes at the rate mass^2; rounding of ell is all here.
    change = float(grid.integrate(jnp.abs(f * rate)))
    assert change <= 1e-9 * mass**2


def test_kernel_sum_is_the_double_sum(grid):
    frame = frame_on(grid)
    a = rx.Landau().kernel_model(grid).value
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, grid.n - 1)))
    matrix = np.minimum.outer(np.asarray(a.a), np.asarray(a.a)) * np.asarray(frame.measure)
    np.testing.assert_allclose(kernel_sum(frame, a, x), x @ matrix.T, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(kernel_sum(frame, a, x[0]), matrix @ x[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("grid", GRIDS, ids=["graded", "medium", "uniform"])
@pytest.mark.parametrize("size", [1e-6, 0.1, 2.0])
def test_factored_linearization_inverts_the_exact_jacobian(grid, size):
    random = np.random.default_rng(1)
    ell = jnp.asarray(size * random.normal(size=grid.n))
    frame = frame_on(grid).adapted(ell)
    a = rx.Landau().kernel_model(grid).value
    gain = jnp.asarray(random.normal(size=grid.n))
    jacobian = jax.jacfwd(lambda x: log_rate(frame, a, x))(ell) + jnp.diag(gain)
    vector = jnp.asarray(random.normal(size=grid.n))
    for tau in (1e-3, 1.0, 1e3):
        tau = tau / float(jnp.max(jnp.abs(jacobian)))
        rhs = vector - tau * jacobian @ vector
        found = invert(frame, a, ell, gain, jnp.asarray(tau), rhs)
        np.testing.assert_allclose(found, vector, rtol=1e-7, atol=1e-7)


@jax.jit
def invert(frame, a, ell, gain, tau, rhs):
    return linearize(frame, a, ell, gain).factor(tau)(rhs)


def test_constrained_restores_the_invariants_to_rounding(grid):
    frame = frame_on(grid)
    ell = jnp.asarray(1e-3 * np.cos(np.asarray(grid.r)))
    found = frame.invariants(frame.constrained(ell))
    assert np.all(np.abs(np.asarray(found)) < 1e-17)
    tiny = frame.constrained(1e-80 * ell)
    assert np.all(np.abs(np.asarray(frame.invariants(tiny))) < 1e-96)
    assert float(jnp.max(jnp.abs(tiny))) > 1e-85


def test_coarse_faces_take_two_points_and_smooth_ones_four(grid):
    frame = frame_on(grid)
    smooth = frame.adapted(0.1 * grid.r)
    np.testing.assert_array_equal(smooth.difference, grid.difference)
    step = frame.adapted(jnp.where(grid.r < 2, 0.0, -5.0))
    at = int(np.argmax(np.asarray(grid.r) >= 2))
    assert np.all(np.asarray(step.difference)[at - 2 : at + 1, [0, 3]] == 0)
    np.testing.assert_array_equal(step.difference[at + 1 :], grid.difference[at + 1 :])
