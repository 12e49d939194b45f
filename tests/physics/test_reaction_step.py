"""The step that `solve` chooses for the reaction model."""

import numpy as np
import pytest

import relaxon as rx


@pytest.mark.parametrize("mean", [20.0, 0.05])
def test_the_step_follows_the_mass_difference(mean):
    """Far from m = 0 the limit diffuses with D(m_inf), about 20 here; the error does not grow."""
    torus = rx.TorusGrid(1, 32)
    grid = rx.PhaseGrid(torus, rx.UniformNodes(1, 24, 6.0))
    model = rx.KineticReaction(epsilon=1e-6)
    rho = mean * (1 + 0.5 * np.cos(2 * np.pi * np.arange(32) / 32))
    t, record = 0.0013, rx.Record(n=2)
    kinetic = rx.solve(rx.Problem(model, grid, model.local_equilibrium(rho, grid)), t, record)
    problem = rx.Problem(model.diffusion_limit(), torus, rho - 1 / rho)
    exact = np.asarray(rx.solve(problem, t, record, rtol=1e-9).fields["m"][-1])
    error = np.linalg.norm(kinetic.fields["m"][-1] - exact)
    assert error < 5e-4 * np.linalg.norm(exact - exact.mean())
