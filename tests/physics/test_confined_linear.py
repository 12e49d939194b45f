"""The linearised confined model: against a dense exponential, conservation, decay."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import relaxon as rx
from relaxon.reaction import confined_gap


def perturbed(rho_inf, T1, T2, epsilon, potential):
    """A smooth perturbation of mass difference zero, not at local equilibrium."""
    grid = rx.ConfinedGrid(rx.ConfinedLine(potential, 24), rx.ThermalNodes(16))
    model = rx.ConfinedReaction(T1, T2, epsilon, potential).linearized(rho_inf)
    x = grid.line.nodes
    m = jnp.tanh(x - 0.5) + jnp.cos(x)
    u = (m - grid.line.integrate(m) / grid.line.volume) / (rho_inf**2 + 1)
    flat = jnp.ones((grid.velocity.n, 1))
    tilt = 1 + 0.3 * grid.v * jnp.exp(-(grid.v**2) / 4)
    return rx.Problem(model, grid, model.state(u * rho_inf**2 * tilt, -u * flat, grid))


@pytest.mark.parametrize(
    "settings", [(1.0, 1.0, 1.0, 1.0, "harmonic"), (2.0, 1.0, 0.5, 0.5, "quartic")]
)
def test_against_a_dense_exponential(settings):
    """Relative error in the norm (10) after t = 1: 1e-11 and 5e-11."""
    problem = perturbed(*settings)
    model, grid = problem.equation, problem.grid
    solution = rx.solve(problem, 1.0, rx.Record(times=[0.5]))

    def flat(state):
        return jnp.concatenate([state[name].ravel() for name in ("f", "g")])

    def rhs(y):
        f, g = y.reshape(2, *grid.shape)
        return flat(model.rhs({"f": f, "g": g}, grid))

    ones = jnp.ones((grid.velocity.n, grid.line.n))
    masses = grid.velocity.masses * grid.line.weights[:, None]
    scale = np.asarray(jnp.sqrt(jnp.tile(masses.ravel(), 2)) / flat(model.state(ones, ones, grid)))
    start = np.asarray(flat(problem.f0))
    matrix = scale[:, None] * np.asarray(jax.jacfwd(rhs)(jnp.asarray(start))) / scale
    exact = expm(matrix) @ (scale * start)
    found = scale * np.concatenate([solution.fields[name][-1].ravel() for name in ("f", "g")])
    assert np.linalg.norm(found - exact) < 1e-9 * np.linalg.norm(exact)


def test_mass_difference_norm_and_rate():
    """Waves that decay a little faster make the local rate swing between 0.2 and 0.8."""
    problem = perturbed(1.0, 1.0, 1.0, 1.0, "harmonic")
    solution = rx.solve(problem, 60.0, rx.Record(times=np.linspace(0, 60, 121)))
    size = solution.diagnostics["distance"]
    assert np.max(np.abs(solution.diagnostics["mass_difference"])) < 1e-14
    assert np.all(np.diff(size) < 0)
    np.testing.assert_allclose(size[0], problem.equation.norm(problem.f0, problem.grid), rtol=1e-12)
    late = solution.t >= 20
    rate = -np.polyfit(solution.t[late], np.log(size[late]), 1)[0]
    true = confined_gap(1.0, 1.0, 1.0, "harmonic").rate
    assert abs(rate / true - 1) < 0.03
