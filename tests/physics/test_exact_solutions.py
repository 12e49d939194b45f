"""Maxwell molecules (gamma = 0): exact solution, covariance law, linearised rate."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.collisions.cartesian.convolution import LandauConvolution, landau_operator
from relaxon.collisions.cartesian.equilibrium import moments
from relaxon.collisions.cartesian.relaxation import CartesianRelaxation
from relaxon.grids.cartesian import VelocityGrid
from relaxon.stepping.stabilized import StabilizedStepper
from relaxon.stepping.status import Status


def bkw(grid, t, c_kernel, c):
    d = grid.d
    k = 1 - c * jnp.exp(-2 * (d - 1) * c_kernel * t)
    square = jnp.sum(grid.v**2, -1)
    shape = ((d + 2) * k - d) / (2 * k) + (1 - k) / (2 * k**2) * square
    return (2 * jnp.pi * k) ** (-d / 2) * jnp.exp(-square / (2 * k)) * shape


@eqx.filter_jit
def run(stepper, state, t_end):
    return jax.lax.while_loop(
        lambda s: (s.t < t_end) & (s.code == Status.FINE), lambda s: stepper.step(s, t_end), state
    )


def evolve(operator, f, t, t_end, rtol):
    stepper = StabilizedStepper(CartesianRelaxation(operator, operator.grid), rtol=rtol)
    return run(stepper, stepper.start(f), jnp.asarray(t_end - t))


@pytest.mark.parametrize(
    ("d", "n", "v_max", "c_kernel", "c", "t", "bound"),
    [
        (2, 32, 5.5, 1 / 16, 0.5, 0.0, 1e-4),
        (2, 64, 7.0, 1 / 16, 0.5, 0.0, 1e-9),
        (3, 32, 6.0, 1 / 24, 1.0, 5.5, 1e-6),
        pytest.param(3, 48, 6.5, 1 / 24, 1.0, 5.5, 2e-8, marks=pytest.mark.slow),
    ],
)
def test_rate_of_the_exact_solution(d, n, v_max, c_kernel, c, t, bound):
    grid = VelocityGrid(d, n, v_max)
    f, exact = jax.jvp(lambda s: bkw(grid, s, c_kernel, c), (t,), (1.0,))
    rate = LandauConvolution(grid, 0.0, c_kernel)(f)
    assert float(jnp.abs(rate - exact).max() / jnp.abs(exact).max()) < bound


def test_bkw_in_two_dimensions():
    grid = VelocityGrid(2, 48, 6.0)
    operator = landau_operator(grid, 0.0, 1 / 16)
    f0, exact = bkw(grid, 0.0, 1 / 16, 0.5), bkw(grid, 5.0, 1 / 16, 0.5)
    # The grid's share is 1.4e-7; the rest is proportional to rtol.
    for rtol, evaluations in ((1e-4, 300), (1e-6, 480), (1e-8, 950)):
        end = evolve(operator, f0, 0.0, 5.0, rtol)
        error = float(jnp.linalg.norm(end.y - exact) / jnp.linalg.norm(exact))
        assert error < rtol + 1.5e-7 and int(end.evaluations) < evaluations
        drift = (moments(end.y, grid) - moments(f0, grid)) / moments(f0, grid)[0]
        assert np.abs(drift).max() < 1e-13 and float(end.y.min()) >= 0
        assert float(end.limited) < 2e-7  # smooth data are not touched above the grid's error


@pytest.mark.slow
def test_bkw_in_three_dimensions():
    grid = VelocityGrid(3, 40, 6.0)
    f0 = bkw(grid, 5.5, 1 / 24, 1.0)
    end = evolve(landau_operator(grid, 0.0, 1 / 24), f0, 5.5, 6.5, 1e-7)
    exact = bkw(grid, 6.5, 1 / 24, 1.0)
    assert float(jnp.linalg.norm(end.y - exact) / jnp.linalg.norm(exact)) < 5e-6
    drift = (moments(end.y, grid) - moments(f0, grid)) / moments(f0, grid)[0]
    assert np.abs(drift).max() < 1e-13


def covariance(f, grid):
    mass = grid.integrate(f)
    mean = jnp.stack([grid.integrate(f * grid.v[..., i]) for i in range(grid.d)]) / mass
    shift = grid.v - mean
    pairs = [
        [grid.integrate(f * shift[..., i] * shift[..., j]) for j in range(grid.d)]
        for i in range(grid.d)
    ]
    return np.array(pairs) / float(mass)


def two_bumps(grid):
    shift = jnp.array([1.0, 0.6, -0.4])[: grid.d]
    one = jnp.exp(-0.5 * jnp.sum((grid.v - shift) ** 2, -1) / 0.5)
    two = jnp.exp(-0.5 * jnp.sum((grid.v + shift) ** 2, -1) / 0.7)
    f = one + 1.4 * two
    return f / grid.integrate(f)


def test_covariance_law_along_a_run():
    # S(t) = S_inf + (S0 - S_inf) exp(-4 d C t) for any data.
    grid, c_kernel, t = VelocityGrid(2, 44, 7.0), 0.1, 1.0
    f0 = two_bumps(grid)
    end = evolve(landau_operator(grid, 0.0, c_kernel), f0, 0.0, t, 1e-8)
    start, now = covariance(f0, grid), covariance(end.y, grid)
    limit = np.eye(2) * np.trace(start) / 2
    # The error is that of the grid.
    expected = limit + (start - limit) * np.exp(-8 * c_kernel * t)
    assert now == pytest.approx(expected, abs=2e-6)
    # The global error in time is proportional to rtol.
    runs = [evolve(landau_operator(grid, 0.0, c_kernel), f0, 0.0, t, r) for r in (1e-4, 1e-6)]
    gaps = [float(jnp.linalg.norm(x.y - end.y) / jnp.linalg.norm(end.y)) for x in runs]
    assert gaps[0] < 1e-4 and gaps[1] < 1e-6 and 30 < gaps[0] / gaps[1] < 300


def test_covariance_law_in_three_dimensions():
    grid = VelocityGrid(3, 32, 6.0)
    f = two_bumps(grid)
    rate = LandauConvolution(grid, 0.0, 1.0)(f)
    start = covariance(f, grid)
    shift = covariance(f + rate, grid)
    limit = np.eye(3) * np.trace(start) / 3
    assert shift - start == pytest.approx(-12 * (start - limit), abs=1e-5)


def test_linearised_rate_is_eight():
    grid = VelocityGrid(3, 32, 7.0)
    square = jnp.sum(grid.v**2, -1)
    maxwellian = jnp.exp(-square / 2) / (2 * np.pi) ** 1.5
    mode = maxwellian * (square**2 - 10 * square + 15)
    operator = LandauConvolution(grid, 0.0, 1.0)
    odd = (operator(maxwellian + 1e-3 * mode) - operator(maxwellian - 1e-3 * mode)) / 2e-3
    assert float(jnp.abs(odd + 8 * mode).max()) < 1e-6
