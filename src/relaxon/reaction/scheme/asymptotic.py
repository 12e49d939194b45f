"""One scheme for the reaction model at every epsilon, and for its limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from relaxon.core.errors import require
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.phase import PhaseGrid
from relaxon.numerics.devices import Velocities, velocities
from relaxon.reaction.equations.confined import ConfinedReaction
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import density_from_difference
from relaxon.reaction.equations.two_species import admit, box_of, entropy_of
from relaxon.reaction.scheme.confined_deviations import ConfinedDeviations
from relaxon.reaction.scheme.densities import Box, Densities
from relaxon.reaction.scheme.deviations import Deviations, Extremes, TorusDeviations
from relaxon.reaction.scheme.limiter import Limiter, Limits
from relaxon.reaction.scheme.ranges import data_ranges
from relaxon.reaction.scheme.split import Raw, Split
from relaxon.stepping.control import equal_step
from relaxon.stepping.status import Status


class AsymptoticState(eqx.Module):
    """State of a run.

    Attributes:
        t: Time.
        dt: Size of the last step (of the next one before the first).
        y: Densities and deviations.
        before: The same one step earlier.
        entropy: Relative entropy of `y`.
        steps: Steps taken.
        rejected: Steps repeated with backward Euler because the entropy had grown.
        code: FINE, or NON_FINITE if a value is not finite.
        boxed: Steps in which the box had to be enforced (see `bounds.enforced`).
        damped: Steps in which that did not help and the entropy had to be held down.
    """

    t: jax.Array
    dt: jax.Array
    y: Split
    before: Split
    entropy: jax.Array
    steps: jax.Array
    rejected: jax.Array
    code: jax.Array
    boxed: jax.Array
    damped: jax.Array


class Asymptotic(eqx.Module):
    r"""Implicit, second order, uniform in epsilon, inside the box, entropy never increasing.

    One step of size h. Time derivatives are second-order backward differences (variable step),
    $\varepsilon^2 \partial_t f \to \alpha (f - \tilde f)$, $\alpha = c \varepsilon^2/h$. In the
    variables of `Split`

    1. **Densities**, from the exact moments of the implicit equations with the stress K of
       the deviations extrapolated from the last two steps: one Newton step in position space
       (`Densities`). As epsilon -> 0, K vanishes and this is the limit equation.
    2. **Deviations** with these densities: `sweeps` fixed-point steps about a constant rate, exact
       in Fourier space (`Deviations`), a contraction for every epsilon, step, and data in the box.
    3. **Densities** again, with the stress of these deviations.

    Then, only where needed and without touching any conserved quantity:

    4. m is brought into the box by `limited`, (rho_f, rho_g) by a shift along constant m,
       and p, q by a factor in [0, 1] at each x (Zhang and Shu, J. Comput. Phys. 229 (2010)).
    5. If the entropy has grown, the step is repeated by backward Euler with four rounds of 1 and
       2. If it still has, the result is blended, just far enough, with a step that cannot raise
       it (see `Limiter.damp`; the entropy is convex, the box and the mass difference survive convex
       combinations).

    The velocity axis is the first of p and q. A step meets it once: all velocities are relaxed
    independently, then moments and extremes are exchanged; the entropy of the result adds one
    number. On several devices each holds a slice of the axis (`relaxon.numerics.devices`).

    Accuracy: problem P1 (32 points, 24 nodes, dt = 5e-4, 44 steps) has a relative error of m
    below 2e-4 for every epsilon from 1 to 1e-8 and in the limit, and the observed order in time
    is 1.8 to 2.1 for epsilon = 1, 0.1, 0.01, 1e-7; spectral in x and v for smooth data
    (tests/physics/test_reaction_asymptotic.py). The box holds the data between the grid
    points, too (`data_ranges`): taken from the samples it would cut extrema off.

    Cost: per step and sweep one pair of real Fourier transforms of each species; two linear
    systems in position space.

    Args:
        model: The equation.
        grid: Phase space: a `PhaseGrid`, or a `ConfinedGrid` for a `ConfinedReaction`.
        dt: Largest step; the steps between two stops are equal after the first few.
        sweeps: Fixed-point steps of 2. One is second order as well, but follows a rate that
            varies strongly in space worse.
        ramp: The first steps are dt/2^ramp, dt/2^(ramp-1), ... to resolve an initial layer;
            the first 2*ramp steps take three rounds of 1 and 2.
        limit: Solve with epsilon = 0.
        guard_entropy: Do 5 (costs a logarithm per unknown a step).
        devices: How many devices share the velocities. Default: all that divide their number if
            the problem is large, otherwise one.
    """

    grid: Any
    masses: Any
    densities: Densities
    first: Deviations
    second: Deviations
    velocities: Velocities
    epsilon: jax.Array
    max_step: jax.Array
    sweeps: int = eqx.field(static=True)
    ramp: int = eqx.field(static=True)
    guard_entropy: bool = eqx.field(static=True)

    def __init__(
        self,
        model: KineticReaction | ConfinedReaction,
        grid: Any,
        dt: float,
        sweeps: int = 2,
        ramp: int = 4,
        limit: bool = False,
        guard_entropy: bool = True,
        devices: int | None = None,
    ):
        names = " or a ".join(known.__name__ for known in SPECIES)
        require(
            type(model) in SPECIES,
            f"Asymptotic steps a {names}, not a {type(model).__name__}.",
        )
        require(bool(np.isfinite(dt)) and dt > 0, f"dt must be positive, but is {dt!r}.")
        require(sweeps >= 1, f"sweeps must be at least 1, but is {sweeps!r}.")
        require(ramp >= 0, f"ramp must not be negative, but is {ramp!r}.")
        self.grid, self.masses = grid, model.masses(grid)
        self.epsilon = jnp.asarray(0.0 if limit else model.epsilon)
        self.velocities = velocities(grid.velocity.size, grid.positions.size, devices)
        self.first, self.second = SPECIES[type(model)](model, grid, self.epsilon, self.velocities)
        self.densities = Densities(
            grid.positions, self.first.diffusion, self.second.diffusion, self.epsilon
        )
        self.max_step = jnp.asarray(float(dt))
        self.sweeps, self.ramp, self.guard_entropy = int(sweeps), int(ramp), bool(guard_entropy)

    @property
    def core(self) -> Asymptotic:
        """What steps the unknowns: itself (between walls it is the scheme on the doubled torus)."""
        return self

    @property
    def share(self) -> float:
        """Share of the positions that the data fill: all."""
        return 1.0

    def start(self, f0: Any) -> AsymptoticState:
        """State at t = 0 from the distributions (f, g); refuses data outside every box."""
        F, G = admit(f0, self.grid, self.masses)
        box = self._box(F, G)
        rho_f = jnp.tensordot(jnp.asarray(self.masses.chi1), F, 1)
        rho_g = jnp.tensordot(jnp.asarray(self.masses.chi2), G, 1)
        # At epsilon = 0 the deviations do not enter f and g: any scale will do.
        scale = jnp.where(self.epsilon > 0, self.epsilon, 1.0)
        p = self.velocities.place((F - rho_f) / scale)
        q = self.velocities.place((G - rho_g) / scale)
        moments = self.first.moments(p), self.second.moments(q)
        m = self.grid.positions.integrate(rho_f - rho_g) / self.grid.positions.volume
        y = Split(rho_f, rho_g, p, q, *moments, box, density_from_difference(m))
        zero = jnp.int32(0)
        return AsymptoticState(
            t=jnp.asarray(0.0),
            # `step` doubles it first: the steps then are dt/2^ramp, dt/2^(ramp - 1), ...
            dt=self.max_step * 0.5 ** (self.ramp + 1),
            y=y,
            before=y,
            entropy=self._entropy(y),
            steps=zero,
            rejected=zero,
            code=zero,
            boxed=zero,
            damped=zero,
        )

    def step(self, state: AsymptoticState, t_stop: jax.Array) -> AsymptoticState:
        """One step of at most `dt`, growing at most twofold, that ends at or before t_stop."""
        step = equal_step(state.t, t_stop, jnp.minimum(self.max_step, 2.0 * state.dt))
        old, limiter = state.y, self.limiter
        tried, raw, limits, boxed = self._attempts(state, step.h)
        # NaN counts as growth, here and there: it must not pass for a step that may stand.
        damped = ~(limits.entropy <= state.entropy)
        limits = lax.cond(
            damped,
            lambda: limiter.damp(old, state.entropy, raw, limits, step.h),
            lambda: limits,
        )
        new = limiter.settle(old, raw, limits)
        return AsymptoticState(
            t=step.t,
            dt=step.h,
            y=new,
            before=old,
            entropy=limits.entropy,
            steps=state.steps + 1,
            rejected=state.rejected + (tried > 1),
            code=jnp.where(self._finite(new), Status.FINE, Status.NON_FINITE).astype(jnp.int32),
            boxed=state.boxed + boxed,
            damped=state.damped + damped,
        )

    def _attempts(
        self, state: AsymptoticState, h: jax.Array
    ) -> tuple[jax.Array, Raw, Limits, jax.Array]:
        """1 to 4 and, if the entropy has grown, once more by backward Euler.

        Returns:
            How many attempts it took, the last one, its limits, whether the box was enforced.
        """
        old = state.y
        # The first step has no past: ratio 0 turns the differences into backward Euler.
        ratio = jnp.where(state.steps > 0, h / state.dt, 0.0)
        # An initial layer leaves the first guesses poor: iterate them to convergence.
        rounds = jnp.where(state.steps < 2 * self.ramp, 3, 1)

        def attempt(carry):
            number = carry[0]
            later = number > 0
            raw = self._advance(
                old,
                state.before,
                h,
                jnp.where(later, 0.0, ratio),
                jnp.where(later, 4, rounds),
            )
            return number + 1, *self.limiter.confine(old, raw)

        def failed(carry):
            number, limits = carry[0], carry[2]
            return (number == 0) | ((number < 2) & ~(limits.entropy <= state.entropy))

        # A loop that always runs once: the scheme is compiled once for both attempts.
        nothing = jax.tree.map(
            lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(attempt, (jnp.int32(0),))
        )
        return lax.while_loop(failed, attempt, (jnp.int32(0), *nothing[1:]))

    @property
    def limiter(self) -> Limiter:
        """What brings the result of a step into its bounds."""
        return Limiter(
            self.grid,
            self.masses,
            self.first,
            self.second,
            self.velocities,
            self.epsilon,
            self.guard_entropy,
        )

    def fields(self, y: Split) -> dict[str, jax.Array]:
        """f, g (shape `grid.shape`), rho_f, rho_g and m."""
        F, G = self._ratios(y)
        # Inside the box up to rounding already (see diagnostics); drop that rounding.
        F, G = y.box.clip(F, G)
        f, g = self.masses.distributions(F, G, self.grid)
        return {"f": f, "g": g, "rho_f": y.rho_f, "rho_g": y.rho_g, "m": y.rho_f - y.rho_g}

    def diagnostics(self, y: Split) -> dict[str, jax.Array]:
        """Mass difference, relative entropy, distance to the box (relative, > 0 is outside)."""
        F, G = self._ratios(y)
        low, high = y.box.low, y.box.high
        outside = jnp.stack(
            [F.max() / high - 1, 1 - F.min() / low, G.max() * low - 1, 1 - G.min() * high]
        )
        return {
            "mass_difference": self.grid.positions.integrate(y.rho_f - y.rho_g),
            "entropy": self._entropy(y),
            "box_violation": outside.max(),
            "reaction_imbalance": jnp.abs(y.rho_f * y.rho_g - 1).max(),
        }

    def _box(self, F: jax.Array, G: jax.Array) -> Box:
        """The smallest box of the data, also between the grid points that sample them."""
        low, high = box_of(F, G)
        (least, most), (less, more) = data_ranges((F, G), self.grid.positions)
        wider = jnp.minimum(least, 1.0 / more), jnp.maximum(most, 1.0 / less)
        return Box(
            jnp.where(wider[0] > 0, jnp.minimum(low, wider[0]), low),
            jnp.where(less > 0, jnp.maximum(high, wider[1]), high),
        )

    # -- the scheme -----------------------------------------------------------------------

    def _advance(
        self, y: Split, before: Split, h: jax.Array, ratio: jax.Array, rounds: jax.Array
    ) -> Raw:
        """1 to 3: the unlimited scheme."""
        # Variable-step BDF2: ratio 1 gives (3/2, 4/3, 1/3), ratio 0 backward Euler (1, 1, 0).
        c = (1 + 2 * ratio) / (1 + ratio)
        a0, a1 = (1 + ratio) / c, ratio**2 / (1 + ratio) / c
        # What the difference formula takes from the past, and linear extrapolation as first guess.
        history = [a0 * now - a1 * then for now, then in zip(y.moving, before.moving)]
        guess = [now + ratio * (now - then) for now, then in zip(y.moving, before.moving)]
        alpha, tau = c * self.epsilon**2 / h, h / c
        first, second = self.first, self.second
        # alpha j~: the flux of the history, from the moments (entries 4 and 5) that y carries.
        known_f = alpha * first.flux(history[4])
        known_g = alpha * second.flux(history[5])

        def densities(rho_f, rho_g, moments_p, moments_q):
            push = known_f - first.stress(moments_p), known_g - second.stress(moments_q)
            return self.densities.newton(
                y.box.clip(rho_f, rho_g), (history[0], history[1]), push, alpha, tau, y.box
            )

        def round_of(_, raw):
            rho_f, rho_g, j_f, j_g = densities(raw.rho_f, raw.rho_g, raw.moments_p, raw.moments_q)
            shifts = raw.moments_p[0], raw.moments_q[0]
            # Only with rates in the box are the sweeps a contraction.
            rate_f, rate_g = y.box.clip(rho_f, rho_g)
            p, moments_p, extremes_p = first.relax(
                raw.p, (y.p, before.p, a0, a1), shifts[0], rho_f, rate_g, j_f, alpha, self.sweeps
            )
            q, moments_q, extremes_q = second.relax(
                raw.q, (y.q, before.q, a0, a1), shifts[1], rho_g, rate_f, j_g, alpha, self.sweeps
            )
            return Raw(rho_f, rho_g, p, q, moments_p, moments_q, extremes_p, extremes_q)

        nothing = Extremes(y.rho_f, y.rho_f)
        start = Raw(guess[0], guess[1], guess[2], guess[3], guess[4], guess[5], nothing, nothing)
        raw = lax.fori_loop(0, rounds, round_of, start)
        # 3: with the stress of the deviations just found.
        rho_f, rho_g, _, _ = densities(raw.rho_f, raw.rho_g, raw.moments_p, raw.moments_q)
        return eqx.tree_at(lambda r: (r.rho_f, r.rho_g), raw, (rho_f, rho_g))

    def _ratios(self, y: Split) -> tuple[jax.Array, jax.Array]:
        return y.rho_f + self.epsilon * y.p, y.rho_g + self.epsilon * y.q

    def _entropy(self, y: Split) -> jax.Array:
        F, G = self._ratios(y)
        return entropy_of(F, G, y.rho_inf, self.masses, self.grid)

    def _finite(self, y: Split) -> jax.Array:
        """The moments see every value of p and q."""
        return jnp.isfinite(jnp.sum(y.rho_f) + jnp.sum(y.moments_p) + jnp.sum(y.moments_q))


def _on_torus(
    model: KineticReaction, grid: PhaseGrid, epsilon: jax.Array, velocities: Velocities
) -> tuple[Deviations, Deviations]:
    masses = model.masses(grid)
    first, second = (
        TorusDeviations(grid.torus, grid.drift, weights, epsilon, velocities)
        for weights in (masses.chi1, masses.chi2)
    )
    return first, second


def _confined(
    model: ConfinedReaction, grid: ConfinedGrid, epsilon: jax.Array, velocities: Velocities
) -> tuple[Deviations, Deviations]:
    model.require_grid(grid)
    first, second = (ConfinedDeviations(grid, T, epsilon) for T in (model.T1, model.T2))
    return first, second


SPECIES: dict[type, Callable[..., tuple[Deviations, Deviations]]] = {
    KineticReaction: _on_torus,
    ConfinedReaction: _confined,
}
"""What transports f and what transports g, by the equation."""
