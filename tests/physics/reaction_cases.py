"""Problem P1, one compiled driver and data that several tests share."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.stepping.status import Status

# 2 |m_hat_1| of problem P1 at t = 0.02.
P1 = {1.0: 1.11005906, 0.1: 0.72417495, 0.01: 0.48839430}
P1_LIMIT = 0.48297719


@eqx.filter_jit
def run(stepper, state, t_end):
    """Step to t_end."""
    return jax.lax.while_loop(
        lambda s: (s.t < t_end) & (s.code == Status.FINE), lambda s: stepper.step(s, t_end), state
    )


@eqx.filter_jit
def watch(stepper, state, t_end, count):
    """`count` steps towards t_end with the diagnostics after each."""

    def body(s, _):
        s = stepper.step(s, t_end)
        return s, stepper.diagnostics(s.y)

    return jax.lax.scan(body, state, None, length=count)


def p1(epsilon, n=32, nodes=24, v_max=6.0, amplitude=0.5):
    """Grid, model and data of problem P1."""
    grid = PhaseGrid(TorusGrid(1, n), UniformNodes(1, nodes, v_max))
    model = KineticReaction("gaussian", "gaussian", epsilon)
    rho = 1 + amplitude * jnp.cos(2 * jnp.pi * grid.x[..., 0])
    return grid, model, model.local_equilibrium(rho, grid)


def amplitude(m):
    """2 |m_hat_1|."""
    return 2 * abs(np.fft.fft(np.asarray(m))[1]) / len(m)


def distance(a, b):
    """Relative L2 distance."""
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b)) / np.linalg.norm(np.asarray(b)))
