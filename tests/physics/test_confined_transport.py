"""Free transport under a harmonic potential is a rotation of phase space; refinement studies."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.velocity_nodes import ThermalNodes


def start(x, xi):
    return 1.5 + np.tanh(x + 0.5 * xi) + 0.3 * np.cos(x - 0.7)


def exactly(grid, time):
    """exp(-t T) F by the eigenvectors that the grid keeps: its propagator, no time step."""
    a, b = np.asarray(grid.even_modes), np.asarray(grid.odd_modes)
    half, n = grid.velocity.n // 2, grid.line.n
    root = np.sqrt(np.outer(grid.velocity.masses, grid.line.weights))
    x, xi = np.asarray(grid.line.nodes), np.asarray(grid.velocity.nodes)[:, None]
    F = start(x, xi) * root
    up, down = F[half:], F[half - 1 :: -1]
    even, odd = a @ ((up + down) / np.sqrt(2)).ravel(), b @ ((up - down) / np.sqrt(2)).ravel()
    c, s = np.cos(time * grid.frequencies), np.sin(time * grid.frequencies)
    even, odd = c * even + s * odd, c * odd - s * even
    up = (a.T @ even + b.T @ odd).reshape(half, n) / np.sqrt(2)
    down = (a.T @ even - b.T @ odd).reshape(half, n) / np.sqrt(2)
    return np.concatenate([down[::-1], up]) / root


def error(grid, time):
    x, xi = np.asarray(grid.line.nodes), np.asarray(grid.velocity.nodes)[:, None]
    c, s = np.cos(time), np.sin(time)
    # d_t F + xi d_x F - x d_xi F = 0: F(t, x, xi) = F_0 of where the point was.
    exact = start(c * x - s * xi, s * x + c * xi)
    difference = exactly(grid, time) - exact
    masses = np.outer(grid.velocity.masses, grid.line.weights)
    weak = np.abs(np.sum(masses * difference * np.cos(x + 0.3) * np.cos(xi - 0.2)))
    return np.sqrt(np.sum(masses * difference**2)), weak


def test_rotation_by_refinement():
    """Spectral: measured norms 4.7e-2, 1.4e-2, 2.8e-3, 2.4e-4, weakly 9e-5, 6e-7, 6e-10, 2e-11.

    The norm of the difference sits where the mass is below 1e-6 and polynomials of degree n
    cannot follow tanh; what integrals see converges twice as fast.
    """
    errors = [
        error(ConfinedGrid(ConfinedLine("harmonic", n), ThermalNodes(n)), 1.0)
        for n in (10, 16, 24, 36)
    ]
    norm, weak = np.array(errors).T
    assert np.all(norm[1:] < norm[:-1] / 3)
    assert np.all(weak[1:] < weak[:-1] / 10)
    assert norm[-1] < 5e-4 and weak[-1] < 1e-10


def test_a_full_turn_brings_everything_back():
    grid = ConfinedGrid(ConfinedLine("harmonic", 36), ThermalNodes(36))
    _, weak = error(grid, 2 * np.pi)
    assert weak < 2e-10


@pytest.mark.parametrize("potential, force", [("quartic", lambda x: -(x**3))])
def test_moments_along_orbits(potential, force):
    """A weak moment after time 0.8 against orbits integrated one by one."""
    grid = ConfinedGrid(ConfinedLine(potential, 40), ThermalNodes(32))
    time = 0.8
    x, xi = np.asarray(grid.line.nodes), np.asarray(grid.velocity.nodes)[:, None]
    X, V = np.broadcast_arrays(x, xi)

    def back(_, y):
        place, speed = y.reshape(2, -1)
        return np.concatenate([-speed, -force(place)])

    begin = np.concatenate([X.ravel(), V.ravel()])
    end = solve_ivp(back, (0, time), begin, "DOP853", rtol=1e-10, atol=1e-10).y[:, -1]
    place, speed = end.reshape(2, *X.shape)
    masses = np.outer(grid.velocity.masses, grid.line.weights)
    weight = masses * np.cos(x + 0.3) * np.exp(-(xi**2) / 4)
    found, expected = np.sum(weight * exactly(grid, time)), np.sum(weight * start(place, speed))
    assert abs(found - expected) < 3e-6


def test_the_propagator_solves_the_transport_equation():
    grid = ConfinedGrid(ConfinedLine("double-well", 16), ThermalNodes(12))
    h = 1e-4
    root = np.sqrt(np.outer(grid.velocity.masses, grid.line.weights))
    rate = (exactly(grid, h) - exactly(grid, -h)) / (2 * h)
    here = np.asarray(grid.carry(jnp.asarray(exactly(grid, 0.0))))
    assert np.abs(root * (rate + here)).max() < 1e-4 * np.abs(root * here).max()
