"""Stabilised explicit time stepping for stiff diffusion, of order four."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.stepping.chebyshev import methods
from relaxon.stepping.control import StepControl, predictive
from relaxon.stepping.status import Status
from relaxon.stepping.stepper import Stepper

REFRESH = 25
"""Accepted steps after which the spectral radius is estimated anew."""

CONTROL = StepControl(
    order=4, safety=0.8, reach=1.0 + 1e-12, grow=(0.1, 5.0), shrink=(0.1, 0.8), unusable=0.1
)


class Flow(eqx.Module):
    """What the stepper asks of an ordinary differential equation dy/dt = rate(y)."""

    @abc.abstractmethod
    def rate(self, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """dy/dt, and the L2 norm of what was taken from it to keep the invariants."""

    @abc.abstractmethod
    def level(self, y: jax.Array) -> jax.Array:
        """A functional that must not increase; watched at every step."""

    def limited(self, y: jax.Array, level: jax.Array) -> jax.Array:
        """What a step from a state of this level keeps of its result y: y within its bounds."""
        return y

    def smoothed(self, error: jax.Array, stiffness: jax.Array) -> jax.Array:
        """The error estimate of a step without what decays within it: (1 - h J)^-1 or near it.

        Args:
            error: The estimate.
            stiffness: Step size times spectral radius.
        """
        return error

    @abc.abstractmethod
    def failure(self, y: jax.Array) -> jax.Array:
        """FINE, or the `Status` with which a run must end at y."""

    @abc.abstractmethod
    def fields(self, y: jax.Array) -> dict[str, jax.Array]:
        """The distributions that a solution keeps."""

    @abc.abstractmethod
    def diagnostics(self, y: jax.Array) -> dict[str, jax.Array]:
        """The scalars that a solution keeps."""

    def complaints(self, diagnostics: Mapping[str, np.ndarray], rtol: float) -> list[str]:
        """Sentences on what makes the recorded answer doubtful."""
        return []


class StabilizedState(eqx.Module):
    """What a step hands to the next; every field is an array, so a run can be stored and resumed.

    Attributes:
        t, dt: Time, and the step to try next.
        y: The unknown, shape of the grid.
        rate: Rate of change at `y`, or, where `stale`, at what `y` was before the limiter.
        stale: Whether the limiter changed `y`, so that the next step takes the rate anew.
        limited: Sum over the steps of what the limiter changed, in L1 relative to y.
        removal: Norm of what was taken from the rate at `y` to keep the invariants.
        removed: Integral over time of that norm, relative to the norm of y.
        steps, rejected, evaluations: Counters.
        code: A `Status`; FINE while nothing is wrong.
        level, growth: The flow's functional, and its largest relative increase over a step.
        lowest: The least value of y at any accepted step so far, before the limiter.
        radius, age: Spectral radius estimate, and accepted steps since it was made.
        probe: Last vector of the power iteration.
        last_dt, last_error: Of the last accepted step, for the controller.
        stages: Stages of the last attempt.
    """

    t: jax.Array
    dt: jax.Array
    y: jax.Array
    rate: jax.Array
    stale: jax.Array
    limited: jax.Array
    removal: jax.Array
    removed: jax.Array
    steps: jax.Array
    rejected: jax.Array
    evaluations: jax.Array
    code: jax.Array
    radius: jax.Array
    age: jax.Array
    probe: jax.Array
    last_dt: jax.Array
    last_error: jax.Array
    stages: jax.Array
    level: jax.Array
    growth: jax.Array
    lowest: jax.Array


class StabilizedStepper(Stepper):
    r"""Adaptive stabilised Runge-Kutta stepping of order 4, as many stages as the step needs.

    The methods are those of `relaxon.stepping.chebyshev`: s stages are stable to `0.35 s^2` along
    the negative real axis, so a diffusion with spectral radius rho takes steps of any size h with
    `s ~ sqrt(2.9 h rho)` evaluations: the cost of a run grows with the square root of the
    stiffness. The radius is found by a power iteration on differences of the rate, renewed every
    25 steps and after a rejected one. The error estimate is a combination of the last four rates
    and the one at the new point, of order 3, measured as `|e|_2 / (rtol |y|_2)`; of stiff parts
    it says far too much, and the flow may take them out (L. F. Shampine's filter). All stages are
    affine combinations, so linear invariants of the rate are kept to rounding.

    Source: A. Abdulle, SIAM J. Sci. Comput. 23 (2002) 2041-2054; the power iteration is that of
    Sommeijer, Shampine, Verwer, J. Comput. Appl. Math. 88 (1998).

    Args:
        flow: The equation.
        rtol: Error allowed, relative in the root mean square.
        max_stages: Limit on the stages; longer steps are cut.

    Raises:
        InputError: rtol is not in (0, 1), or max_stages is below 5.

    Accuracy: order 4 with a step that goes like rtol^(1/4), so that the global error is
    proportional to rtol: relative L2 error in time of the exact BKW solution (d = 2, n = 48,
    C = 1/16, t = 5) 4.1e-5 at rtol 1e-4 (6 steps, 275 evaluations), 4.8e-7 at 1e-6 (14, 438),
    1.1e-8 at 1e-8 (48, 856). Where a grid does not resolve f, what the limiter moves is the floor.
    """

    flow: Flow
    rtol: jax.Array
    max_stages: int = eqx.field(static=True)

    def __init__(self, flow: Flow, rtol=1e-6, max_stages: int = 200):
        require(0 < float(rtol) < 1, f"rtol must lie in (0, 1), but is {rtol}.")
        require(max_stages >= 5, f"max_stages must be at least 5, but is {max_stages}.")
        self.flow = flow
        self.rtol = jnp.asarray(rtol, float)
        self.max_stages = max_stages

    @property
    def reference(self) -> str:
        """The paper of the stabilised methods of order four."""
        return (
            "A. Abdulle, Fourth order Chebyshev methods with recurrence relation, SIAM J. Sci. "
            "Comput. 23 (2002) 2041-2054"
        )

    def start(self, f0: jax.Array) -> StabilizedState:
        """State at t = 0; the first step is a tenth of what the error estimate may allow."""
        y = jnp.asarray(f0, float)
        rate, removal = self.flow.rate(y)
        slope = _norm(rate) / _norm(y)
        dt = 0.1 * self.rtol**0.25 / jnp.maximum(slope, 1e-12)
        zero = jnp.zeros((), jnp.int32)
        finite = jnp.all(jnp.isfinite(rate)) & jnp.all(jnp.isfinite(y))
        return StabilizedState(
            t=jnp.zeros(()),
            dt=jnp.where(finite, dt, 0.0),
            y=y,
            rate=rate,
            stale=jnp.zeros((), bool),
            limited=jnp.zeros(()),
            removal=removal,
            removed=jnp.zeros(()),
            steps=zero,
            rejected=zero,
            evaluations=zero + 1,
            code=jnp.where(finite, Status.FINE, Status.NON_FINITE).astype(jnp.int32),
            radius=jnp.zeros(()),
            # Old from the start: the first step estimates the radius.
            age=zero + REFRESH,
            probe=jax.random.normal(jax.random.key(7), y.shape, y.dtype),
            last_dt=jnp.zeros(()),
            last_error=jnp.ones(()),
            stages=zero,
            level=self.flow.level(y),
            growth=jnp.zeros(()),
            lowest=jnp.min(y),
        )

    def fields(self, state: StabilizedState) -> dict[str, jax.Array]:
        """The distributions at the state."""
        return self.flow.fields(state.y)

    def diagnostics(self, state: StabilizedState) -> dict[str, jax.Array]:
        """The flow's scalars, the largest relative growth of its functional, steps.

        `removed_rate` is what was taken from the rate to keep the invariants, relative to it;
        `removed` the sum of that over time, relative to y: what it may have changed in y;
        `limited` what the limiter changed in y.
        """
        found = self.flow.diagnostics(state.y)
        counted = {
            "removed_rate": state.removal / jnp.maximum(_norm(state.rate), 1e-290),
            "removed": state.removed,
            "limited": state.limited,
            "relative_entropy_growth": state.growth,
            "lowest_value": state.lowest,
            "dt": state.dt,
            "steps": state.steps,
            "evaluations": state.evaluations,
        }
        return {**found, **counted}

    def complaints(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """What the flow says of its records."""
        return self.flow.complaints(diagnostics, float(self.rtol))

    def step(self, state: StabilizedState, t_stop) -> StabilizedState:
        """One attempted step, accepted or rejected, never past `t_stop`."""
        state = self._renewed(state)
        t_stop = jnp.asarray(t_stop, float)
        # Stable steps only: h is cut to what the largest number of stages bears, then as few
        # stages are taken as h needs.
        reach = jnp.asarray(methods(self.max_stages).reach)
        radius = jnp.maximum(state.radius, 1e-30)
        attempt = CONTROL.attempt(state.t, jnp.minimum(state.dt, reach[-1] / radius), t_stop)
        h = attempt.h
        method = jnp.minimum(jnp.searchsorted(reach, h * radius), len(reach) - 1)
        stages = jnp.asarray(methods(self.max_stages).stages)[method].astype(jnp.int32)
        y, rate, removal, miss = self._stages(state, h, method)
        lost = state.removal / _norm(state.y) + removal / _norm(y)

        miss = self.flow.smoothed(miss, h * state.radius)
        error = CONTROL.held(_norm(miss) / _norm(y) / self.rtol)
        finite = jnp.isfinite(error)
        accept = finite & (error <= 1.0)
        plain, growth = predictive(CONTROL, error, h, state.last_error, state.last_dt)
        retreat = jnp.where(finite, plain, CONTROL.unusable)
        proposal = CONTROL.proposal(attempt, accept, growth, retreat)

        kept = self.flow.limited(y, state.level)
        moved = jnp.sum(jnp.abs(kept - y)) / jnp.sum(jnp.abs(y))
        least, y = jnp.min(y), kept

        # A failure stays: a run that goes on stepping must not forget it.
        trouble = CONTROL.trouble(state.t, proposal, finite)
        code = jnp.where(accept, self.flow.failure(y), trouble)
        code = jnp.where(state.code == Status.FINE, code, state.code).astype(jnp.int32)
        level = self.flow.level(y)
        rise = (level - state.level) / jnp.maximum(jnp.abs(state.level), 1e-290)

        def pick(new, old):
            return jnp.where(accept, new, old)

        return StabilizedState(
            t=pick(attempt.t, state.t),
            dt=proposal,
            y=pick(y, state.y),
            rate=pick(rate, state.rate),
            stale=accept & (moved > 0),
            limited=pick(state.limited + moved, state.limited),
            removal=pick(removal, state.removal),
            removed=pick(state.removed + 0.5 * h * lost, state.removed),
            steps=state.steps + accept,
            rejected=state.rejected + ~accept,
            evaluations=state.evaluations + stages,
            code=code,
            radius=state.radius,
            age=pick(state.age + 1, REFRESH),
            probe=state.probe,
            last_dt=pick(h, 0.0 * h),
            last_error=pick(error, state.last_error),
            stages=stages,
            level=pick(level, state.level),
            growth=pick(jnp.maximum(state.growth, rise), state.growth),
            lowest=pick(jnp.minimum(state.lowest, least), state.lowest),
        )

    def _stages(self, state: StabilizedState, h, method):
        """The result, the rate there with its removal, the error; one copy of the rate."""
        table = jax.tree.map(lambda part: jnp.asarray(part)[method], methods(self.max_stages))
        y0, middle = state.y, table.stages - 4
        # All points are kept as increments Y - y0: rounding then scales with them, and data at
        # rest stay at rest.
        first = (table.rate[0] * h) * state.rate
        last = jnp.zeros((5, *y0.shape))
        carry = (1, first, jnp.zeros_like(y0), first, last, state.removal)

        def body(carry):
            j, point, before, base, last, _ = carry
            rate, removal = self.flow.rate(y0 + point)
            # Up to g_{s-4} by the recurrence; it is the base of the points after it.
            a, b = table.rate[j], table.value[j]
            new = a * h * rate + b * point + (1 - b) * before
            last = jnp.where(j >= middle, last.at[j - middle].set(rate), last)
            base = jnp.where(j == middle, point, base)
            row = table.finish[jnp.clip(j - middle + 1, 0, 4)]
            final = base + h * jnp.tensordot(row, last[:4], 1)
            # The last turn only takes the rate at the result.
            new = jnp.where(j >= middle, jnp.where(j == middle + 4, point, final), new)
            return j + 1, new, point, base, last, removal

        out = jax.lax.while_loop(lambda carry: carry[0] <= middle + 4, body, carry)
        _, point, _, _, last, removal = out
        return y0 + point, last[4], removal, h * jnp.tensordot(table.estimate, last, 1)

    def _renewed(self, state: StabilizedState) -> StabilizedState:
        """The rate, where it is stale; the spectral radius, where it is old.

        The radius comes from a power iteration on differences of the rate, at least three rounds
        and at most 40; the estimate is kept 1.2 times too large. One copy of the rate serves both.
        """
        # sqrt(eps) |y| balances the rounding of the difference and its curvature.
        shift = _norm(state.y) * float(np.sqrt(np.finfo(float).eps))
        old = state.age >= REFRESH

        def body(carry):
            count, stale, probe, radius, _, base, removal = carry
            scaled = probe * (shift / _norm(probe))
            rate, taken = self.flow.rate(state.y + jnp.where(stale, 0.0, scaled))
            change = rate - base
            new = _norm(change) / shift
            settled = jnp.abs(new - radius) <= 0.02 * new
            usable = jnp.isfinite(new) & (new > 0)
            replace = usable & ~stale
            return (
                count + ~stale,
                jnp.zeros((), bool),
                jnp.where(replace, change, probe),
                jnp.where(replace, new, radius),
                jnp.where(stale, ~old, settled | ~usable),
                jnp.where(stale, rate, base),
                jnp.where(stale, taken, removal),
            )

        def go_on(carry):
            count, stale, _, _, settled, _, _ = carry
            enough = settled & ((count == 0) | (count > 2))
            return stale | ((count < 40) & ~enough)

        none = jnp.zeros((), jnp.int32)
        first = (none, state.stale, state.probe, state.radius / 1.2, ~old, state.rate)
        out = jax.lax.while_loop(go_on, body, (*first, state.removal))
        count, stale, probe, radius, _, rate, removal = out
        return eqx.tree_at(
            lambda s: (s.probe, s.radius, s.age, s.evaluations, s.rate, s.removal, s.stale),
            state,
            (
                probe,
                1.2 * radius,
                jnp.where(old, 0, state.age),
                state.evaluations + count + state.stale,
                rate,
                removal,
                stale,
            ),
        )


def _norm(y: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum(y**2))
