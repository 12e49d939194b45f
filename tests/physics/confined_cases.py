"""The confined test problem and a solver of its discrete equations by scipy, for reference."""

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.velocity_nodes import ThermalNodes
from relaxon.reaction.equations.confined import ConfinedReaction


def wavy(x):
    """The density ratio at t = 0."""
    return 1 + 0.5 * np.tanh(x)


def problem(epsilon, n=(40, 24), T1=1.0, T2=1.0, potential="harmonic", depth=24.0, xi_max=7.0):
    """Grid, model and local equilibrium of the ratio 1 + tanh(x)/2."""
    grid = ConfinedGrid(ConfinedLine(potential, n[0], depth), ThermalNodes(n[1], xi_max))
    model = ConfinedReaction(T1, T2, epsilon, potential)
    return grid, model, model.local_equilibrium(jnp.asarray(wavy(grid.line.nodes)), grid)


def dense(grid):
    """Weights of positions and velocities and both derivatives, as numpy arrays."""
    line, velocity = grid.line, grid.velocity
    return tuple(np.asarray(a) for a in (line.weights, velocity.masses, line.slope, velocity.slope))


def kinetic(grid, model, rho, times, rtol=1e-9):
    """(F, G) at the times from local equilibrium with ratio rho, by DOP853 on the grid.

    The unknowns are scaled with the root of the weights, so that the operator is bounded evenly.
    The densities that multiply are clipped to the box of the solution: at the ends, where the
    weights are 1e-10, nodal values are noise until the steps resolve the fastest modes.
    """
    W, w, D, A = dense(grid)
    root_x, root_v = np.sqrt(W), np.sqrt(w)
    S, B = D * root_x[:, None] / root_x, A * root_v[:, None] / root_v
    root, eps = root_v[:, None] * root_x, model.epsilon
    shape = (grid.velocity.n, grid.line.n)

    low, high = rho.min(), rho.max()

    def carry(u):
        return B.T @ u @ S.T - B @ u @ S

    def rhs(_, y):
        f, g = y.reshape(2, *shape)
        rho_f = np.clip(root_v @ f / root_x, low, high)
        rho_g = np.clip(root_v @ g / root_x, 1 / high, 1 / low)
        return np.stack(
            [
                (root - rho_g * f) / eps**2 - np.sqrt(model.T1) * carry(f) / eps,
                (root - rho_f * g) / eps**2 - np.sqrt(model.T2) * carry(g) / eps,
            ]
        ).ravel()

    start = np.stack([root * rho, root / rho]).ravel()
    found = solve_ivp(
        rhs, (0, times[-1]), start, "DOP853", times, rtol=rtol, atol=1e-11, first_step=1e-5
    )
    assert found.success
    return found.y.T.reshape(-1, 2, *shape) / root


def limit(line, equation, m, times, rtol=1e-9):
    """m at the times by scipy's Radau on the line."""
    W, D = np.asarray(line.weights), np.asarray(line.slope)
    root = np.sqrt(W)
    S = D * root[:, None] / root

    def rhs(_, y):
        return -S.T @ (S @ (root * np.asarray(equation.potential_flux(jnp.asarray(y / root)))))

    found = solve_ivp(rhs, (0, times[-1]), root * m, "Radau", times, rtol=rtol, atol=1e-11)
    assert found.success
    return found.y.T / root


def observed(grid, F, G):
    """Moments of m = <F> - <G> that the references hold: x, x^3, and the reaction imbalance."""
    W, w, _, _ = dense(grid)
    x = np.asarray(grid.line.nodes)
    rho_f, rho_g = w @ F, w @ G
    m = rho_f - rho_g
    return {
        "mass_difference": float(W @ m),
        "dipole": float(W @ (x * m)),
        "cubic": float(W @ (x**3 * m)),
        "imbalance": float(np.sqrt(W @ (rho_f * rho_g - 1) ** 2)),
    }
