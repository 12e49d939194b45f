"""A stiffly accurate Rosenbrock method of order 5 with error control."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.stepping.status import Status
from relaxon.stepping.stepper import Stepper
from relaxon.stepping.system import State, System

REFERENCE = (
    "G. Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks "
    "within the Julia Differential Equations package, BIT 63 (2023) 27"
)

# Rodas5P in the transformed variables
# (1/(gamma h) - J) k_i = f(y + sum a_ij k_j) + sum c_ij k_j / h + d_i h f_t.
GAMMA = 0.21193756319429014
_LAST = [
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
]
A = [
    [],
    [3.0],
    [2.849394379747939, 0.45842242204463923],
    [-6.954028509809101, 2.489845061869568, -10.358996098473584],
    [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641],
    _LAST,
    [*_LAST, 1.0],
    [*_LAST, 1.0, 1.0],
]
C = [
    [],
    [-14.155112264123755],
    [-17.97296035885952, -2.859693295451294],
    [147.12150275711716, -1.41221402718213, 71.68940251302358],
    [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306],
    [
        24.854864614690072,
        -3.0009227002832186,
        47.4931110020768,
        5.5814197821558125,
        -0.6610691825249471,
    ],
    [
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ],
    [
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ],
]
NODES = np.array(
    [0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1, 1, 1]
)
TIME = np.array(
    [
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0,
        0,
        0,
    ]
)
ORDER = 5
STAGES = 8


def _square(rows: list[list[float]]) -> np.ndarray:
    return np.array([row + [0.0] * (STAGES - len(row)) for row in rows])


class StepState(eqx.Module):
    """Everything that a run needs to go on: saved at checkpoints, restored bit for bit.

    Attributes:
        t: Time.
        y: The unknown.
        dt: The step size to try next.
        error: Error of the last accepted step in units of the tolerance (for step control).
        lyapunov: The values of the system's Lyapunov functionals at y.
        growth: The largest relative increase of each over one accepted step, so far.
        steps: Accepted steps.
        rejected: Rejected steps.
        code: A `Status` value; 0 while nothing is wrong.
    """

    t: Array
    y: State
    dt: Array
    error: Array
    lyapunov: Array
    growth: Array
    steps: Array
    rejected: Array
    code: Array


class Rosenbrock(Stepper):
    """Adaptive steps of Rodas5P: linearly implicit, L-stable, order 5 with an estimate of order 4.

    Linear invariants of the system are kept by every step, whatever its size, because the exact
    Jacobian annihilates them too; what rounding leaves is removed by `System.constrain`.

    Accuracy: order 5 in the step size (tests/physics/test_time_order.py). Cost per step: one
    factorisation, eight rates and eight solves.

    Attributes:
        system: What is solved.
        rtol: Error allowed to a step, relative to the size of the solution.
        largest_change: A step that changes a component of the unknown by more is rejected. Where
            the unknown is a logarithm, the norm of the error does not see a far tail overshoot.
    """

    system: System
    rtol: Array
    largest_change: Array | float = math.inf

    @property
    def reference(self) -> str:
        """The paper of the coefficients."""
        return REFERENCE

    def start(self, f0: Any) -> StepState:
        """The state at the beginning of a run, with a cautious first step size."""
        system, t = self.system, jnp.zeros(())
        y = system.encode(f0)
        size, slope = system.size(t, y), system.error(t, y, system.rate(t, y))
        dt = jnp.where(slope > 0, 0.01 * self.rtol ** (1 / ORDER) * size / slope, 1.0)
        level = system.lyapunov(t, y)
        none = jnp.zeros((), jnp.int64)
        return StepState(
            t,
            y,
            jnp.where(dt > 0, dt, 1e-6),
            jnp.ones(()),
            level,
            jnp.zeros_like(level),
            none,
            none,
            jnp.zeros((), jnp.int32),
        )

    def step(self, state: StepState, t_stop: Array) -> StepState:
        """One attempt, accepted or rejected; never passes `t_stop`, lands on it exactly."""
        t, y = state.t, state.y
        system = self.system.frozen(t, y)
        left = t_stop - t
        cut = left <= state.dt * 1.001
        dt = jnp.where(cut, left, state.dt)
        t_new = jnp.where(cut, t_stop, t + dt)
        y_new, defect = _attempt(system, t, y, dt)
        y_new = system.constrain(t_new, y_new)

        finite = jnp.all(jnp.isfinite(y_new)) & jnp.all(jnp.isfinite(defect))
        inside = finite & system.admissible(t_new, y_new)
        inside = inside & (jnp.max(jnp.abs(y_new - y)) <= self.largest_change)
        size = jnp.maximum(system.size(t, y), system.size(t_new, y_new))
        # Held against both ends: what is negligible at y may have become large at y_new.
        wrong = jnp.maximum(system.error(t, y, defect), system.error(t_new, y_new, defect))
        error = jnp.where(size > 0, wrong / (self.rtol * size), 0.0)
        accept = inside & (error <= 1.0)

        # PI control (Gustafsson) after success, plain control or a quarter after failure.
        safe = jnp.maximum(error, 1e-8)
        good = 0.9 * safe ** (-0.7 / ORDER) * state.error ** (0.4 / ORDER)
        bad = jnp.where(inside, 0.9 * safe ** (-1 / ORDER), 0.25)
        factor = jnp.where(accept, jnp.clip(good, 0.2, 6.0), jnp.clip(bad, 0.1, 0.9))
        proposal = dt * factor
        proposal = jnp.where(accept & cut, jnp.maximum(proposal, state.dt), proposal)

        level = system.lyapunov(t_new, y_new)
        growth = (level - state.lyapunov) / jnp.maximum(jnp.abs(state.lyapunov), 1e-290)
        too_small = ~accept & (proposal <= 4e-15 * jnp.maximum(jnp.abs(t), 1e-280))
        cause = jnp.where(
            ~finite, Status.NON_FINITE, jnp.where(inside, Status.STEP_TOO_SMALL, Status.BOUNDS_LEFT)
        )
        failure = jnp.where(accept, system.failure(t_new, y_new), 0)
        code = jnp.where(failure > 0, failure, jnp.where(too_small, cause, 0))

        def pick(new, old):
            return jnp.where(accept, new, old)

        return StepState(
            pick(t_new, t),
            pick(y_new, y),
            proposal,
            pick(safe, state.error),
            pick(level, state.lyapunov),
            pick(jnp.maximum(state.growth, growth), state.growth),
            state.steps + accept,
            state.rejected + ~accept,
            code.astype(jnp.int32),
        )

    def fields(self, state: StepState) -> dict[str, Array]:
        """The distributions at the state, by name."""
        return self.system.fields(state.t, state.y)

    def diagnostics(self, state: StepState) -> dict[str, Array]:
        """The system's scalars, the largest relative growth of each Lyapunov functional, steps."""
        found = self.system.diagnostics(state.t, state.y)
        names = self.system.lyapunov_names
        growth = {f"{name}_growth": state.growth[i] for i, name in enumerate(names)}
        return {**found, **growth, "dt": state.dt, "steps": state.steps}


def _attempt(system: System, t: Array, y: State, dt: Array) -> tuple[State, State]:
    """One step of Rodas5P: the new value and the estimate of its error."""
    tau = GAMMA * dt
    solve = system.linearize(t, y)(tau)
    _, drift = jax.jvp(lambda s: system.rate(s, y), (t,), (jnp.ones_like(t),))
    table = jnp.asarray(_square(A)), jnp.asarray(_square(C)), jnp.asarray(NODES), jnp.asarray(TIME)

    def stage(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        _, stages = carry
        a, c, node, d = (part[i] for part in table)
        value = y + jnp.tensordot(a, stages, 1)
        force = system.rate(t + node * dt, value) + d * dt * drift
        force = force + jnp.tensordot(c, stages, 1) / dt
        return value, stages.at[i].set(solve(tau * force))

    # A loop rather than eight copies: compilation is what a user waits for.
    empty = jnp.zeros((STAGES, *y.shape))
    value, stages = jax.lax.fori_loop(0, STAGES, stage, (y, empty))
    return value + stages[-1], stages[-1]
