"""Finer companions of grids, and functions carried there and back."""

import numpy as np
import pytest

import relaxon as rx
from relaxon.grids.companions import carried, finer, magnitude


def gauss(x, variance=1.0):
    return np.exp(-(np.asarray(x) ** 2) / (2 * variance))


def phase(grid):
    """A wave times a narrow Gaussian."""
    x, v = np.asarray(grid.x)[..., 0], np.asarray(grid.velocity.line()[0])
    return (1 + 0.5 * np.cos(2 * np.pi * x))[:, None] * gauss(v, 0.3)


def confined(grid):
    """A tilted density at local equilibrium."""
    x = np.asarray(grid.x)[:, 0]
    weight = np.asarray(grid.line.gibbs) * (1 + 0.5 * np.tanh(0.5 * x))
    return weight[:, None] * np.asarray(grid.velocity.profile)


GRIDS = {
    "radial": (
        rx.RadialGrid(n=100, r_min=0.05), lambda g: gauss(g.r) + 50 * gauss(g.r, 0.01), 2e-6,
    ),
    "plane": (rx.VelocityGrid(n=32, v_max=7.0), lambda g: gauss(np.hypot(*g.v.T).T), 3e-10),
    "torus": (rx.TorusGrid(n=16), lambda g: np.cos(6 * np.pi * np.asarray(g.x)[..., 0]), 1e-14),
    "phase": (rx.PhaseGrid(rx.TorusGrid(n=8), rx.UniformNodes(1, 24, 6.0)), phase, 1e-13),
    "mapped": (
        rx.PhaseGrid(rx.TorusGrid(n=8), rx.MappedNodes(1, 32)),
        lambda g: (1 + np.asarray(g.velocity.line()[0]) ** 2) ** -2.0 + 0 * np.asarray(g.x), 3e-4,
    ),
    "walls": (rx.WalledGrid(1, 8, rx.UniformNodes(1, 24, 6.0)), phase, 1e-13),
    "line": (rx.ConfinedLine(n=20), lambda g: np.asarray(g.x)[:, 0] ** 3, 1e-10),
    "confined": (
        rx.ConfinedGrid(rx.ConfinedLine(n=20), rx.ThermalNodes(12)), confined, 1e-5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRIDS)
def test_a_formula_carried_is_the_formula_there(name):
    """To the accuracy of the interpolation; the same function at the points of the companion."""
    grid, formula, error = GRIDS[name]
    there = finer(grid, 1.25)
    assert all(n > m for n, m in zip(there.shape, grid.shape))
    wanted = np.asarray(formula(there))
    found = carried(np.asarray(formula(grid)), grid, there)
    assert found.shape == there.shape
    gap, size = magnitude(np.stack([found - wanted, wanted]), there)
    assert gap < error * size


@pytest.mark.parametrize("name", GRIDS)
def test_there_and_back_with_a_leading_axis(name):
    grid, formula, error = GRIDS[name]
    values = np.stack([np.asarray(formula(grid))] * 2)
    there = finer(grid, 1.25)
    again = carried(carried(values, grid, there), there, grid)
    assert np.all(magnitude(again - values, grid) < 2 * error * magnitude(values, grid))


def test_tails_of_velocities_keep_their_relative_accuracy():
    """A profile is divided by, down to 1e-26 of its height."""
    grid, _, _ = GRIDS["phase"]
    there = finer(grid, 1.25)
    found, wanted = carried(phase(grid), grid, there), phase(there)
    assert wanted.min() < 1e-26 and np.allclose(found, wanted, rtol=1e-9, atol=0.0)


def test_densities_have_the_positions_alone():
    grid, _, _ = GRIDS["walls"]
    there = finer(grid, 1.25)
    rho = np.stack([np.cos(np.pi * np.arange(grid.n + 1) / grid.n)] * 3)
    wanted = np.cos(np.pi * np.arange(there.n + 1) / there.n)
    assert np.allclose(carried(rho, grid, there), wanted, atol=1e-14)
    assert magnitude(rho, grid).shape == (3,)


def test_a_step_stays_between_its_sides():
    grid = rx.RadialGrid(n=100)
    f = np.where(np.asarray(grid.r) < 2.0, 1.0, 0.0)
    found = carried(f, grid, finer(grid, 1.25))
    assert found.min() >= 0 and found.max() < 1.1
