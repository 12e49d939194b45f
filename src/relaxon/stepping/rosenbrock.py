"""Adaptive Rosenbrock steps: linearly implicit, with any stiffly accurate tableau."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.stepping.control import StepControl
from relaxon.stepping.stepper import Stepper
from relaxon.stepping.system import State, System
from relaxon.stepping.tableaux import RODAS5P, Tableau


class StepState(eqx.Module):
    """Everything that a run needs to go on: saved at checkpoints, restored bit for bit.

    Attributes:
        t: Time.
        y: The unknown.
        dt: The step size to try next.
        error: Error of the last accepted step in units of the tolerance (for step control).
        lyapunov: The values of the system's Lyapunov functionals at y, as the last step froze them.
        growth: The largest relative increase of each over one accepted step that resolves it.
        steps: Accepted steps.
        rejected: Rejected steps.
        code: A `Status` value; FINE while nothing is wrong.
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
    """Adaptive steps of a Rosenbrock method with PI control, by default Rodas5P.

    That is L-stable, of order 5 with an estimate of order 4. Linear invariants of the system are
    kept by every step, whatever its size, because the exact Jacobian annihilates them too; what
    rounding leaves is removed by `System.constrain`.

    Accuracy: the order of the tableau in the step size (tests/physics/test_time_order.py). Cost per
    step: one factorisation, a rate and a solve for each stage.

    Attributes:
        system: What is solved.
        rtol: Error allowed to a step, relative to the size of the solution.
        largest_change: A step that changes a component of the unknown by more is rejected. Where
            the unknown is a logarithm, the norm of the error does not see a far tail overshoot.
        tableau: The method.
    """

    system: System
    rtol: Array
    largest_change: Array | float = math.inf
    tableau: Tableau = eqx.field(static=True, default=RODAS5P)

    @property
    def control(self) -> StepControl:
        """PI control that lands on the end also by a step stretched by a thousandth."""
        return StepControl(
            order=self.tableau.order,
            reach=1.001,
            grow=(0.2, 6.0),
            shrink=(0.1, 0.9),
            unusable=0.25,
            least_error=1e-8,
            rounding=4e-15,
        )

    @property
    def reference(self) -> str:
        """The paper of the coefficients."""
        return self.tableau.reference

    def start(self, f0: Any) -> StepState:
        """The state at the beginning of a run, with a cautious first step size."""
        system, t = self.system, jnp.zeros(())
        y = system.encode(f0)
        size, slope = system.size(t, y), system.error(t, y, system.rate(t, y))
        # A hundredth of the step over which the rate alone changes the solution by its own size,
        # scaled by the tolerance to the power 1/order; the shortest that one of the norms asks for.
        share = 0.01 * self.rtol ** (1 / self.tableau.order)
        dt = jnp.min(jnp.where(slope > 0, share * size / slope, 1.0))
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
        t, y, control = state.t, state.y, self.control
        system = self.system.frozen(t, y)
        attempt = control.attempt(t, state.dt, t_stop)
        y_new, defect = rosenbrock_step(self.tableau, system, t, y, attempt.h)
        y_new = system.constrain(attempt.t, y_new)

        # Three reasons to reject: not finite, out of bounds (or too far a jump), not accurate.
        finite = jnp.all(jnp.isfinite(y_new)) & jnp.all(jnp.isfinite(defect))
        inside = finite & system.admissible(attempt.t, y_new)
        inside = inside & (jnp.max(jnp.abs(y_new - y)) <= self.largest_change)
        error = self._error(system, (t, y), (attempt.t, y_new), defect)
        accept = inside & (error <= 1.0)

        growth, retreat = control.damped(error, state.error), control.retreat(error, inside)
        proposal = control.proposal(attempt, accept, growth, retreat)

        trouble = control.trouble(t, proposal, finite, inside)
        code = jnp.where(accept, system.failure(attempt.t, y_new), trouble)
        # Both ends with the choices of this step: another stencil is another functional.
        before, level = system.lyapunov(t, y), system.lyapunov(attempt.t, y_new)
        rise = (level - before) / jnp.maximum(jnp.abs(before), 1e-290)

        def pick(new, old):
            return jnp.where(accept, new, old)

        return StepState(
            pick(attempt.t, t),
            pick(y_new, y),
            proposal,
            pick(control.held(error), state.error),
            pick(level, state.lyapunov),
            # NaN: a step at which the functional is not resolved says nothing of it.
            pick(jnp.fmax(state.growth, rise), state.growth),
            state.steps + accept,
            state.rejected + ~accept,
            code.astype(jnp.int32),
        )

    def _error(
        self, system: System, old: tuple[Array, State], new: tuple[Array, State], defect: State
    ) -> Array:
        """The error of a step in units of the tolerance, in the norm where it is largest.

        Held against both ends: what is negligible at the old state may be large at the new one.
        """
        size = jnp.maximum(system.size(*old), system.size(*new))
        wrong = jnp.maximum(system.error(*old, defect), system.error(*new, defect))
        return jnp.max(jnp.where(size > 0, wrong / (self.rtol * size), 0.0))

    def complaints(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """What the system says of its records."""
        return self.system.complaints(t, diagnostics)

    def fields(self, state: StepState) -> dict[str, Array]:
        """The distributions at the state, by name."""
        return self.system.fields(state.t, state.y)

    def diagnostics(self, state: StepState) -> dict[str, Array]:
        """The system's scalars, the largest relative growth of each Lyapunov functional, steps."""
        found = self.system.diagnostics(state.t, state.y)
        names = self.system.lyapunov_names
        growth = {f"{name}_growth": state.growth[i] for i, name in enumerate(names)}
        return {**found, **growth, "dt": state.dt, "steps": state.steps}


def rosenbrock_step(
    tableau: Tableau, system: System, t: Array, y: State, dt: Array
) -> tuple[State, State]:
    """One step of the method: the new value and the estimate of its error."""
    tau = tableau.gamma * dt
    solve = system.linearize(t, y)(tau)
    # df/dt at fixed y, for systems that depend on time themselves.
    _, drift = jax.jvp(lambda s: system.rate(s, y), (t,), (jnp.ones_like(t),))
    table = tuple(jnp.asarray(part) for part in tableau.arrays())

    def stage(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        _, stages = carry
        a, c, node, d = (part[i] for part in table)
        value = y + jnp.tensordot(a, stages, 1)
        force = system.rate(t + node * dt, value) + d * dt * drift
        force = force + jnp.tensordot(c, stages, 1) / dt
        # The stage equation of `tableaux` times tau: (1 - tau J) k = tau force.
        return value, stages.at[i].set(solve(tau * force))

    # A loop rather than a copy for each stage: compilation is what a user waits for.
    empty = jnp.zeros((tableau.stages, *y.shape))
    value, stages = jax.lax.fori_loop(0, tableau.stages, stage, (y, empty))
    return value + stages[-1], stages[-1]
