"""Data from functions that jump: their integral on every grid, and what smooth data keep."""

import numpy as np
import pytest

import relaxon as rx
from relaxon.core.errors import InputError
from relaxon.distributions import cell_averages, sampled

BALL = 4 * np.pi / 3


def ball(r):
    return np.where(r < 1, 1.0, 0.0)


def hat(r):
    return np.maximum(1 - r, 0.0)


def ring(r):
    return np.where((r > 0.5) & (r < 1.3), 1.0, 0.0)


EXACT = {
    ball: {2: np.pi, 3: BALL},
    hat: {2: np.pi / 3, 3: np.pi / 3},
    ring: {2: np.pi * 1.44, 3: BALL * (1.3**3 - 0.125)},
}


@pytest.mark.parametrize("n", [16, 100, 1600])
@pytest.mark.parametrize("function", [ball, hat, ring])
def test_mass_is_exact_on_every_radial_grid(function, n):
    for d in (2, 3):
        grid = rx.RadialGrid(d, n, 12.0, 0.1)
        values = sampled(function, grid)
        assert float(grid.integrate(values)) == pytest.approx(EXACT[function][d], rel=1e-12)
        assert 0 <= float(values.min()) and float(values.max()) < 1.1
        # Only cells at a jump or a kink, and their neighbours, differ from samples.
        moved = np.asarray(values) != function(np.asarray(grid.r))
        assert 0 < moved.sum() <= 10


def test_samples_of_a_step_converge_erratically_and_this_does_not():
    grids = [rx.RadialGrid(3, n, 12.0, 0.1) for n in (100, 200, 400)]
    samples = [float(grid.integrate(ball(np.asarray(grid.r)))) / BALL - 1 for grid in grids]
    assert min(abs(x) for x in samples) > 1e-2
    for grid in grids:
        values = sampled(ball, grid)
        assert abs(float(grid.integrate(values)) / BALL - 1) < 1e-13
        assert abs(float(grid.integrate(values * grid.r**2)) / (0.6 * BALL) - 1) < 2e-3


@pytest.mark.parametrize("offset", [0.0, 1e-15, 1e-9, 1e-4, -1e-4, 3e-3])
def test_a_step_at_a_face_is_seen(offset):
    grid = rx.RadialGrid(3, 60, 12.0, 0.1)
    radius = float(grid.faces[20]) * (1 + offset)
    values = sampled(lambda r: np.where(r < radius, 1.0, 0.0), grid)
    assert float(grid.integrate(values)) == pytest.approx(BALL * radius**3, rel=1e-13)


def test_smooth_data_are_samples():
    grid = rx.RadialGrid(3, 60, 12.0, 0.1)
    expected = rx.distributions.maxwellian(grid)
    found = sampled(lambda r: np.exp(-r * r / 2) / (2 * np.pi) ** 1.5, grid)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-16)
    averages = cell_averages(lambda r: np.exp(-r * r / 2) / (2 * np.pi) ** 1.5, grid)
    assert averages.integral == pytest.approx(1.0, abs=1e-14) and not averages.rough.any()
    square = rx.VelocityGrid(2, 16, 4.0)
    found = sampled(lambda v: np.exp(-np.sum(v**2, -1) / 2) / (2 * np.pi), square)
    np.testing.assert_allclose(found, rx.distributions.maxwellian(square), atol=1e-16)


def test_discs_and_steps_on_grids_of_points():
    grid = rx.VelocityGrid(2, 16, 4.0)
    found = cell_averages(lambda v: ball(np.linalg.norm(v, axis=-1)), grid)
    assert abs(found.integral - np.pi) < min(found.error, 1e-5)
    values = sampled(lambda v: ball(np.linalg.norm(v, axis=-1)), grid)
    assert float(grid.integrate(values)) == pytest.approx(found.integral, rel=1e-13)
    line = rx.TorusGrid(1, 20)
    density = sampled(lambda x: 1.0 + (np.abs(x[..., 0] - 0.5) < 0.21), line)
    assert float(line.integrate(density)) == pytest.approx(1.42, abs=1e-13)


def test_a_run_starts_with_the_mass_of_its_step():
    grid = rx.RadialGrid(3, 100, 12.0, 0.1)
    f0 = sampled(lambda r: np.where(r < 1, 1.0, 0.0) + np.exp(-r * r / 2), grid)
    problem = rx.Problem(rx.Landau(), grid, f0)
    mass = float(problem.equation.invariants(problem.f0, grid)["mass"])
    assert mass == pytest.approx(BALL + (2 * np.pi) ** 1.5, rel=1e-12)


def test_what_is_refused():
    grid = rx.RadialGrid(3, 16)
    with pytest.raises(InputError, match="RadialGrid, a VelocityGrid or a TorusGrid, not of a int"):
        cell_averages(ball, 3)
    with pytest.raises(InputError, match="must map points of shape"):
        sampled(lambda r: 1.0, grid)
    with pytest.raises(InputError, match="finite in all cells"):
        sampled(lambda r: np.where(r < 1, np.inf, 0.0), grid)
    with pytest.raises(InputError, match="take a finer grid or allow more"):
        sampled(lambda v: ball(np.linalg.norm(v, axis=-1)), rx.VelocityGrid(2, 16, 4.0), 1e-9)
