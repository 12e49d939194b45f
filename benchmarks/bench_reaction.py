"""Problem P1 for every epsilon, its limit against scipy's BDF, and a step in 2D x 2V.

Run: python benchmarks/bench_reaction.py [n_x n_v]   (default 64 16; the large case is 128 32)
"""

import sys
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp
from scipy.sparse import diags_array

from relaxon.distributions.profiles import profile
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.numerics.devices import use_cores, velocities
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.scheme.asymptotic import Asymptotic
from relaxon.reaction.scheme.limit import Diffusive

use_cores()

EXACT = {1.0: 1.11005906, 0.1: 0.72417495, 0.01: 0.48839430, 0.0: 0.48297719}


@eqx.filter_jit
def run(stepper, state, t_end):
    return jax.lax.while_loop(
        lambda s: (s.t < t_end) & (s.code == 0), lambda s: stepper.step(s, t_end), state
    )


def best(call, repeat=5):
    """Result and shortest time, after one call to compile."""
    jax.block_until_ready(call())
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = jax.block_until_ready(call())
        times.append(time.perf_counter() - start)
    return result, min(times)


def amplitude(m):
    return 2 * abs(np.fft.fft(np.asarray(m))[1]) / len(m)


def problem_p1():
    grid = PhaseGrid(TorusGrid(1, 32), UniformNodes(1, 24, 6.0))
    end = jnp.asarray(0.02)
    print("P1, 32 x 24, dt = 5e-4\nepsilon    amplitude   error     box        drift     seconds")
    for epsilon in (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-6, 0.0):
        model = KineticReaction(epsilon=epsilon or 1.0)
        f0 = model.local_equilibrium(1 + 0.5 * jnp.cos(2 * jnp.pi * grid.x[..., 0]), grid)
        stepper = Asymptotic(model, grid, 5e-4, limit=epsilon == 0)
        start = stepper.start(f0)
        state, seconds = best(lambda stepper=stepper, start=start: run(stepper, start, end))
        before, after = stepper.diagnostics(start.y), stepper.diagnostics(state.y)
        a = amplitude(stepper.fields(state.y)["m"])
        exact = EXACT.get(epsilon, EXACT[0.0] if epsilon == 1e-6 else None)
        error = f"{abs(a / exact - 1):.1e}" if exact else "-"
        print(
            f"{epsilon:<9g} {a:.8f}  {error:<7}  {after['box_violation']:+.1e}  "
            f"{abs(after['mass_difference'] - before['mass_difference']):.1e}  {seconds:.4f}"
        )


def limit_equation():
    grid, end = TorusGrid(1, 32), jnp.asarray(0.02)
    rho = 1 + 0.5 * jnp.cos(2 * jnp.pi * grid.x[..., 0])
    print("limit equation\nsolver                 error     seconds")
    for rtol in (1e-4, 1e-5, 1e-6):
        stepper = Diffusive(KineticReaction().diffusion_limit(), grid, rtol)
        start = stepper.start(rho - 1 / rho)
        state, seconds = best(lambda stepper=stepper, start=start: run(stepper, start, end))
        error = abs(amplitude(state.y) / EXACT[0.0] - 1)
        print(f"Diffusive 32, {rtol:.0e}    {error:.1e}  {seconds:.4f}")
    n = 256
    r = 1 + 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    ones = np.ones(n)
    pattern = diags_array([ones] * 5, offsets=[-1, 0, 1, n - 1, 1 - n], shape=(n, n))

    def rhs(_, m):
        density = (m + np.sqrt(m * m + 4)) / 2
        phi = (density**2 - density**-2) / 2
        return (np.roll(phi, 1) - 2 * phi + np.roll(phi, -1)) * n * n

    def bdf():
        options = {"jac_sparsity": pattern, "rtol": 1e-6, "atol": 1e-8}
        return solve_ivp(rhs, (0, 0.02), r - 1 / r, method="BDF", **options).y[:, -1]

    m, seconds = best(bdf)
    print(f"scipy BDF 256, 1e-06   {abs(amplitude(m) / EXACT[0.0] - 1):.1e}  {seconds:.4f}")


@jax.jit
def passes(field, count):
    return jax.lax.fori_loop(0, count, lambda i, a: a * 0.5 + i, field)


def bandwidth(values, devices, count=20):
    """Bytes a second that passes over so many values move, within one compiled loop."""
    field = velocities(values // 2**14, 2**14, devices).place(jnp.ones((values // 2**14, 2**14)))
    _, one = best(lambda: passes(field, 1), 2)
    _, many = best(lambda: passes(field, 1 + count), 2)
    return 16 * values * count / (many - one)


@eqx.filter_jit
def several(stepper, state, count):
    return jax.lax.fori_loop(0, count, lambda _, s: stepper.step(s, jnp.asarray(1.0)), state)


def seconds_a_step(stepper, start, steps=5):
    """Within one compiled run of several steps, as `solve` makes them."""
    _, one = best(lambda: several(stepper, start, 1), 2)
    _, many = best(lambda: several(stepper, start, 1 + steps), 2)
    return (many - one) / steps


def two_dimensions(n, nodes):
    grid = PhaseGrid(TorusGrid(2, n), UniformNodes(2, nodes, 5.5))
    model = KineticReaction("gaussian", profile("anisotropic", covariance=[0.5, 1.0]), 0.1)
    x = 2 * jnp.pi * grid.x
    f0 = model.local_equilibrium(1 + 0.4 * jnp.cos(x[..., 0]) * jnp.sin(x[..., 1]), grid)
    unknowns = n**2 * nodes**2
    print(f"2D x 2V, {n}^2 x {nodes}^2 unknowns a field")
    print("devices    s a step   ns a value   GB/s of a pass   passes over all unknowns in a step")
    for count in (1, len(jax.devices())):
        stepper = Asymptotic(model, grid, 1e-3, ramp=0, devices=count)
        seconds = seconds_a_step(stepper, stepper.start(f0))
        rate = bandwidth(2 * unknowns, count)
        print(
            f"{count:<10d} {seconds:<10.3f} {seconds / (2 * unknowns) * 1e9:<12.1f} "
            f"{rate / 1e9:<16.1f} {seconds * rate / (32 * unknowns):.0f}"
        )


if __name__ == "__main__":
    problem_p1()
    limit_equation()
    two_dimensions(*(int(a) for a in sys.argv[1:3])) if len(sys.argv) > 2 else two_dimensions(
        64, 16
    )
