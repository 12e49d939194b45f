"""The limit equation: exact values, order, bounds, anisotropy; and the flux limiter."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reaction_cases import P1_LIMIT, amplitude, run
from scipy.integrate import solve_ivp

from relaxon.core.errors import InputError
from relaxon.grids.exchange import flux_limited
from relaxon.grids.torus import TorusGrid
from relaxon.reaction.equations.limit import DiffusionLimit
from relaxon.reaction.scheme.limit import Diffusive
from relaxon.stepping.status import Status


def initial(grid):
    rho = 1 + 0.5 * jnp.cos(2 * jnp.pi * grid.x[..., 0])
    return rho - 1 / rho


def solve(grid, m0, t, rtol=1e-6, equation=None):
    stepper = Diffusive(equation or DiffusionLimit(), grid, rtol)
    return run(stepper, stepper.start(m0), jnp.asarray(t))


def test_p1_limit_value_and_conservation():
    grid = TorusGrid(1, 32)
    m0 = initial(grid)
    state = solve(grid, m0, 0.02)
    assert abs(amplitude(state.y) / P1_LIMIT - 1) < 2e-6
    assert abs(float(jnp.mean(state.y) - jnp.mean(m0))) < 1e-14
    assert int(state.code) == Status.FINE


def test_third_order_in_time():
    grid = TorusGrid(1, 24)
    m0 = initial(grid)
    stepper = Diffusive(DiffusionLimit(), grid)
    exact = solve(grid, m0, 0.004, 1e-10).y
    errors = []
    for count in (4, 8, 16):
        m = m0
        for _ in range(count):
            m, _ = stepper._rosenbrock(m, jnp.asarray(0.004 / count))
        errors.append(float(jnp.linalg.norm(m - exact)))
    assert 2.6 < np.log2(errors[1] / errors[2]) < 3.6, errors


def test_dense_and_iterative_solvers_agree():
    few, many = TorusGrid(1, 32), TorusGrid(1, 256)
    coarse = solve(few, initial(few), 0.01, 1e-7).y
    fine = solve(many, initial(many), 0.01, 1e-7).y
    np.testing.assert_allclose(fine[::8], coarse, atol=2e-7)


@pytest.mark.parametrize("D2", [0.3, [[0.5, 0.2], [0.2, 0.4]]])
def test_anisotropic_limit_against_scipy(D2):
    D1 = np.array([[1.0, -0.3], [-0.3, 0.6]])
    grid = TorusGrid(2, 12)
    x = grid.x
    m0 = 0.5 * jnp.sin(2 * jnp.pi * x[..., 0]) + 0.4 * jnp.cos(2 * jnp.pi * (x[..., 0] - x[..., 1]))
    equation = DiffusionLimit(D1, D2)
    state = solve(grid, m0, 0.01, 1e-7, equation)

    # Independent: D(m) grad m with a matrix of Fourier derivatives.
    k = 2j * np.pi * np.fft.fftfreq(12, 1 / 12)
    k[6] = 0
    d = np.real(np.fft.ifft(k[:, None] * np.fft.fft(np.eye(12), axis=0), axis=0))
    second = D2 * np.eye(2) if np.isscalar(D2) else np.asarray(D2)

    def rhs(_, flat):
        m = flat.reshape(12, 12)
        rho = (m + np.sqrt(m * m + 4)) / 2
        gradient = np.stack([d @ m, m @ d.T])
        tensor = (D1[..., None, None] * rho**2 + second[..., None, None] / rho**2) / (rho + 1 / rho)
        flux = np.einsum("abxy,bxy->axy", tensor, gradient)
        return (d @ flux[0] + flux[1] @ d.T).ravel()

    exact = solve_ivp(rhs, (0, 0.01), np.asarray(m0).ravel(), method="BDF", rtol=1e-8, atol=1e-9)
    # The two differ in how they alias the nonlinearity: 1e-4 at 12 points, not in time.
    np.testing.assert_allclose(np.asarray(state.y).ravel(), exact.y[:, -1], atol=3e-4)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(0.1, 5.0),
    kind=st.sampled_from(["noise", "jump"]),
)
def test_bounds_and_mass_for_any_data(seed, size, kind):
    grid = TorusGrid(1, 16)
    rng = np.random.default_rng(seed)
    m0 = rng.uniform(-size, size, 16)
    if kind == "jump":
        m0 = np.where(np.arange(16) < rng.integers(2, 14), -size, size)
    state = solve(grid, m0, 1e-3, 1e-3)
    assert int(state.code) == Status.FINE
    slack = 1e-12 * (1 + size)
    assert float(state.y.max()) <= m0.max() + slack
    assert float(state.y.min()) >= m0.min() - slack
    assert abs(float(state.y.mean()) - m0.mean()) < slack


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 2), reach=st.floats(0.0, 3.0))
def test_flux_limiter(seed, d, reach):
    grid = TorusGrid(d, 8)
    rng = np.random.default_rng(seed)
    old = jnp.asarray(rng.uniform(0, 1, grid.shape))
    change = rng.normal(size=grid.shape) * reach
    new = old + jnp.asarray(change - change.mean())
    moved = flux_limited(old, new, jnp.asarray(0.0), jnp.asarray(1.0), grid)
    assert float(moved.max()) <= 1 + 1e-14 and float(moved.min()) >= -1e-14
    assert abs(float(moved.mean() - old.mean())) < 1e-14
    wide = flux_limited(old, new, jnp.asarray(-1e6), jnp.asarray(1e6), grid)
    np.testing.assert_allclose(wide, new, atol=1e-12 * (1 + reach))


def test_bad_input():
    grid = TorusGrid(1, 8)
    with pytest.raises(InputError, match="rtol"):
        Diffusive(DiffusionLimit(), grid, rtol=2.0)
    stepper = Diffusive(DiffusionLimit(), grid)
    with pytest.raises(InputError, match="shape"):
        stepper.start(jnp.zeros(7))
    with pytest.raises(InputError, match="non-finite"):
        stepper.start(jnp.full(8, jnp.nan))


def test_values_beyond_the_number_range_are_named():
    """The diffusivity of such data overflows; no smaller step helps, and the status says why."""
    grid = TorusGrid(1, 16)
    stepper = Diffusive(DiffusionLimit(), grid)
    state = run(stepper, stepper.start(1e200 * jnp.cos(2 * jnp.pi * grid.x[:, 0])), 0.1)
    assert int(state.code) == Status.NON_FINITE
    assert int(state.steps) == 0 and bool(jnp.all(jnp.isfinite(state.y)))
