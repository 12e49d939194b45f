"""Adaptive implicit stepping of the limit equation inside its bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from relaxon.core.errors import require
from relaxon.numerics.linear_solver import linear_solver
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.reaction.equations.limit import DiffusionLimit, density_from_difference
from relaxon.reaction.scheme.ranges import data_ranges
from relaxon.stepping.control import StepControl
from relaxon.stepping.status import Status
from relaxon.stepping.tableaux import RODAS3

CONTROL = StepControl(order=RODAS3.order, halve=True)


class DiffusiveState(eqx.Module):
    """State of a run: time, next step, m with its bounds, counters, failure code."""

    t: jax.Array
    dt: jax.Array
    y: jax.Array
    low: jax.Array
    high: jax.Array
    steps: jax.Array
    rejected: jax.Array
    code: jax.Array
    boxed: jax.Array


class Diffusive(eqx.Module):
    r"""Rosenbrock method of order 3 (RODAS3), spectral in space, adaptive, within bounds.

    $\partial_t m = \nabla \cdot (D(m) \nabla m)$ on the torus or a confined line: L-stable and
    linearly implicit, four linear systems a step with one matrix. The integral of m is kept to
    rounding, and the maximum principle $\min m_0 \le m \le \max m_0$ by `grid.limited`, which acts
    only when a step leaves the bounds by more than rounding.

    Accuracy: for problem P1 at t = 0.02 the relative L2 error is 5e-5, 6e-6, 7e-7 with
    rtol = 1e-4, 1e-5, 1e-6 (14, 27, 56 steps), whatever the number of points from 16 to 256.

    Source: `RODAS3.reference` of `relaxon.stepping.tableaux` for the coefficients.

    Args:
        equation: `DiffusionLimit` or `ConfinedLimit`.
        grid: A torus for the first, a confined line for the second.
        rtol: Error per step relative to the largest `1 + |m|`.
        first_step: First step; later ones follow from the error.
    """

    equation: DiffusionLimit | ConfinedLimit
    grid: Any
    rtol: jax.Array
    first_step: jax.Array

    def __init__(
        self,
        equation: DiffusionLimit | ConfinedLimit,
        grid: Any,
        rtol: float = 1e-6,
        first_step: float = 1e-5,
    ):
        require(0 < rtol < 1, f"rtol must lie in (0, 1), but is {rtol!r}.")
        require(first_step > 0, f"first_step must be positive, but is {first_step!r}.")
        self.equation, self.grid = equation, grid
        self.rtol, self.first_step = jnp.asarray(float(rtol)), jnp.asarray(float(first_step))

    def start(self, f0: Any) -> DiffusiveState:
        """State at t = 0 from m, shape `grid.shape`."""
        m = jnp.asarray(f0, dtype=float)
        require(
            m.shape == self.grid.shape,
            f"m must have shape {self.grid.shape}, but has {m.shape}.",
        )
        if not isinstance(m, jax.core.Tracer):
            require(bool(jnp.all(jnp.isfinite(m))), "m holds non-finite values.")
        zero = jnp.int32(0)
        low, high = data_ranges((m[None],), self.grid)[0]
        return DiffusiveState(
            jnp.asarray(0.0), self.first_step, m, low, high, zero, zero, zero, zero
        )

    def step(self, state: DiffusiveState, t_stop: jax.Array) -> DiffusiveState:
        """One attempted step, accepted if its error estimate is within rtol."""
        attempt = CONTROL.attempt(state.t, state.dt, t_stop)
        new, error = self._rosenbrock(state.y, attempt.h)
        size = jnp.max(jnp.abs(error)) / (self.rtol * (1.0 + jnp.max(jnp.abs(state.y))))
        finite = jnp.isfinite(size)
        accept = finite & (size <= 1.0)
        new, boxed = self._inside(state, new, accept)
        growth, retreat = CONTROL.deadbeat(size), CONTROL.retreat(size, finite)
        dt = CONTROL.proposal(attempt, accept, growth, retreat)
        trouble = CONTROL.trouble(t_stop, dt, finite)
        return DiffusiveState(
            t=jnp.where(accept, attempt.t, state.t),
            dt=dt,
            y=jnp.where(accept, new, state.y),
            low=state.low,
            high=state.high,
            steps=state.steps + accept,
            rejected=state.rejected + ~accept,
            code=jnp.where(accept, Status.FINE, trouble).astype(jnp.int32),
            boxed=state.boxed + boxed,
        )

    def _inside(
        self, state: DiffusiveState, new: jax.Array, accept: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """An accepted step brought into the bounds, and whether that was needed."""
        # Rounding does not count as leaving the bounds.
        slack = 1e-13 * (1.0 + jnp.maximum(jnp.abs(state.low), jnp.abs(state.high)))
        leaves = (new.max() > state.high + slack) | (new.min() < state.low - slack)
        boxed = leaves & accept
        new = lax.cond(
            boxed,
            lambda: self.grid.limited(state.y, new, state.low, state.high),
            lambda: new,
        )
        return new, boxed

    def fields(self, y: jax.Array) -> dict[str, jax.Array]:
        """The difference m and the densities that belong to it."""
        rho = density_from_difference(y)
        return {"m": y, "rho_f": rho, "rho_g": 1.0 / rho}

    def diagnostics(self, y: jax.Array) -> dict[str, jax.Array]:
        """Mass difference, relative entropy, extremes of m."""
        return {
            "mass_difference": self.grid.integrate(y),
            "entropy": self.equation.entropy(y, self.grid),
            "min": y.min(),
            "max": y.max(),
        }

    def _rosenbrock(self, m: jax.Array, h: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The new value, its integral put right, and the error estimate.

        The stages are those of the tableau in a plain loop, not those of `Rosenbrock`: the bounds
        need the old and the new value, which no `System` sees together, the equation does not
        depend on time, and a stage at m itself (a row of zeros) takes the rate that is known.
        """
        grid = self.grid

        def rhs(u):
            return self.equation.rhs(u, grid)

        first, slope = jax.linearize(rhs, m)
        # (1/(gamma h) - J) k = rate + push/h, the stage equation of `tableaux`.
        shift = 1.0 / (RODAS3.gamma * h)
        solve = linear_solver(lambda w: shift * w - slope(w), grid.shape, self._nearby(m, shift))
        stages: list[jax.Array] = []
        value = m
        for row in RODAS3.a:
            value = RODAS3.value(m, stages)
            rate = rhs(value) if any(row) else first
            stages.append(solve(rate + RODAS3.push(stages) / h))
        new = value + stages[-1]
        return new + grid.integrate(m - new) / grid.volume, stages[-1]

    def _nearby(self, m: jax.Array, shift: jax.Array) -> Callable[[jax.Array], jax.Array] | None:
        """Inverse of the linear systems with a constant diffusivity, in Fourier space."""
        grid, symbol = self.grid.fourier, self.equation.mean_symbol(m, self.grid)
        if grid is None or symbol is None:
            return None
        return lambda u: grid.inverse(grid.transform(u) / (shift + symbol))
