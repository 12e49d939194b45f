"""Errors of the reaction scheme on problem P1 over the grid, the step and epsilon."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from reaction_cases import run

from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.scheme.asymptotic import Asymptotic

SIZES = (8, 12, 16, 24)
REACH = {8: 4.0, 12: 4.8, 16: 5.4, 24: 6.4, 32: 7.4}
"""Velocities kept with so many nodes: spacing and cut-off lose about as much."""
STEPS = (1e-3, 5e-4, 2.5e-4)
EPSILONS = (0.02, 0.01, 0.005, 0.0025)


def m_at_end(epsilon, n=24, nodes=12, dt=5e-4):
    """m of problem P1 at t = 0.02; epsilon = 0 is the limit.

    The entropy guard, which never acts on these data, is left out: it compiles slowly.
    """
    grid = PhaseGrid(TorusGrid(1, n), UniformNodes(1, nodes, REACH[nodes]))
    model = KineticReaction("gaussian", "gaussian", epsilon or 1.0)
    stepper = Asymptotic(model, grid, dt, limit=epsilon == 0, guard_entropy=False)
    rho = 1 + 0.5 * np.cos(2 * np.pi * np.arange(n) / n)[:, None]
    chi1, chi2 = (np.asarray(chi) for chi in model.profiles(grid))
    start = eqx.filter_jit(stepper.start)((jnp.asarray(rho * chi1), jnp.asarray(chi2 / rho)))
    state = run(stepper, start, jnp.asarray(0.02))
    return np.asarray(state.y.rho_f - state.y.rho_g)


def relative(a, b):
    """Relative L2 distance of two trigonometric polynomials, each from its own points."""
    size = max(len(a), len(b))
    waves = []
    for values in (a, b):
        found = np.zeros(size, complex)
        k = np.fft.fftfreq(len(values), 1 / len(values)).astype(int)
        found[k] = np.fft.fft(values) / len(values)
        waves.append(found)
    return float(np.linalg.norm(waves[0] - waves[1]) / np.linalg.norm(waves[1]))


def over_positions(epsilon):
    """Errors with `SIZES` points, against 36."""
    exact = m_at_end(epsilon, 36)
    return [relative(m_at_end(epsilon, n), exact) for n in SIZES]


def over_velocities(epsilon):
    """Errors with `SIZES` nodes, against 32."""
    exact = m_at_end(epsilon, nodes=32)
    return [relative(m_at_end(epsilon, nodes=n), exact) for n in SIZES]


def over_steps(epsilon):
    """Errors with `STEPS`, against a sixteenth of the last."""
    exact = m_at_end(epsilon, dt=STEPS[-1] / 16)
    return [relative(m_at_end(epsilon, dt=dt), exact) for dt in STEPS]


def over_epsilon():
    """Distances to the limit for `EPSILONS`."""
    exact = m_at_end(0, dt=1.25e-4)
    return [relative(m_at_end(epsilon, dt=1.25e-4), exact) for epsilon in EPSILONS]


def orders(errors, sizes):
    """Powers between neighbours."""
    return np.diff(np.log(errors)) / np.diff(np.log(sizes))
