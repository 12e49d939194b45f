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
from relaxon.reaction.scheme.bounds import limited
from relaxon.reaction.scheme.ranges import data_ranges


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
    rounding, and the maximum principle $\min m_0 \le m \le \max m_0$ by `limited`, which acts
    only when a step leaves the bounds by more than rounding.

    Accuracy: for problem P1 at t = 0.02 the relative L2 error is 5e-5, 6e-6, 7e-7 with
    rtol = 1e-4, 1e-5, 1e-6 (14, 27, 56 steps), whatever the number of points from 16 to 256.

    Source: Sandu et al., Atmos. Environ. 31 (1997) for the coefficients.

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
        left = t_stop - state.t
        last = state.dt >= left * (1 - 1e-10)
        # Two equal steps rather than one and a crumb.
        h = jnp.where(last, left, jnp.where(2 * state.dt > left, 0.5 * left, state.dt))
        new, error = self._rosenbrock(state.y, h)
        size = jnp.max(jnp.abs(error)) / (self.rtol * (1.0 + jnp.max(jnp.abs(state.y))))
        size = jnp.where(jnp.isfinite(size), size, 1e6)
        accept = size <= 1.0
        slack = 1e-13 * (1.0 + jnp.maximum(jnp.abs(state.low), jnp.abs(state.high)))
        leaves = (new.max() > state.high + slack) | (new.min() < state.low - slack)
        new = lax.cond(
            leaves & accept,
            lambda: limited(self.grid, state.y, new, state.low, state.high),
            lambda: new,
        )
        grow = jnp.clip(0.9 * jnp.maximum(size, 1e-10) ** (-1.0 / 3.0), 0.2, 5.0)
        # A step cut short by t_stop says nothing against the longer one.
        proposal = h * jnp.where(accept, grow, jnp.minimum(grow, 0.9))
        dt = jnp.where(accept & (h < state.dt), jnp.maximum(proposal, state.dt), proposal)
        tiny = ~accept & (dt < 1e-14 * jnp.maximum(t_stop, 1e-300))
        return DiffusiveState(
            t=jnp.where(accept, jnp.where(last, t_stop, state.t + h), state.t),
            dt=dt,
            y=jnp.where(accept, new, state.y),
            low=state.low,
            high=state.high,
            steps=state.steps + accept,
            rejected=state.rejected + ~accept,
            code=jnp.where(tiny, jnp.int32(2), jnp.int32(0)),
            boxed=state.boxed + (leaves & accept),
        )

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
        """Four stages with gamma = 1/2; returns the new value and the error estimate."""
        grid = self.grid

        def rhs(u):
            return self.equation.rhs(u, grid)

        first, slope = jax.linearize(rhs, m)
        shift = 2.0 / h
        solve = linear_solver(lambda w: shift * w - slope(w), grid.shape, self._nearby(m, shift))
        u1 = solve(first)
        # The second stage has the same argument as the first.
        u2 = solve(first + 4.0 * u1 / h)
        third = rhs(m + 2 * u1) + (u1 - u2) / h
        u3 = solve(third)
        fourth = rhs(m + 2 * u1 + u3) + (u1 - u2 - (8.0 / 3.0) * u3) / h
        u4 = solve(fourth)
        new = m + 2 * u1 + u3 + u4
        return new + grid.integrate(m - new) / grid.volume, u4

    def _nearby(self, m: jax.Array, shift: jax.Array) -> Callable[[jax.Array], jax.Array] | None:
        """Inverse of the linear systems with a constant diffusivity, in Fourier space."""
        grid = self.grid
        if not isinstance(self.equation, DiffusionLimit):
            return None
        k = grid.full_wavenumbers
        D = jnp.mean(self.equation.diffusivity(m, grid.d), axis=tuple(range(grid.d)))
        symbol = shift + jnp.einsum("a...,b...,ab->...", k, k, D)
        return lambda u: grid.inverse(grid.transform(u) / symbol)
