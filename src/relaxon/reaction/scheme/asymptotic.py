"""One scheme for the reaction model at every epsilon, and for its limit."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from relaxon.core.errors import require
from relaxon.numerics.devices import Velocities, velocities
from relaxon.reaction.equations.confined import ConfinedReaction
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import density_from_difference, relative
from relaxon.reaction.equations.two_species import admit, box_of, entropy_of, homogeneous_flow
from relaxon.reaction.scheme.bounds import diffused, enforced, limited, share_of_room
from relaxon.reaction.scheme.confined_deviations import ConfinedDeviations
from relaxon.reaction.scheme.densities import Box, Densities
from relaxon.reaction.scheme.deviations import Deviations, Extremes
from relaxon.reaction.scheme.ranges import data_ranges
from relaxon.stepping.control import equal_step
from relaxon.stepping.status import Status


class Split(eqx.Module):
    r"""Densities and what deviates from local equilibrium, velocities first.

    $$ f = \chi_1 (\rho_f + \varepsilon p), \quad g = \chi_2 (\rho_g + \varepsilon q), \quad
       \int \chi_1 p \, dv = \int \chi_2 q \, dv = 0 $$

    All four are of order one for every epsilon, so nothing cancels as epsilon -> 0. With p and q
    come their moments (`Deviations.moments`): no step sums over velocities for what it knows.
    `rho_inf` is the density at equilibrium.
    """

    rho_f: jax.Array
    rho_g: jax.Array
    p: jax.Array
    q: jax.Array
    moments_p: jax.Array
    moments_q: jax.Array
    box: Box
    rho_inf: jax.Array

    @property
    def moving(self) -> tuple[jax.Array, ...]:
        """The parts that change in time."""
        return self.rho_f, self.rho_g, self.p, self.q, self.moments_p, self.moments_q

    def moved(self, parts: tuple[jax.Array, ...]) -> Split:
        """The same box with other parts."""
        rho_f, rho_g, p, q, moments_p, moments_q = parts
        return Split(rho_f, rho_g, p, q, moments_p, moments_q, self.box, self.rho_inf)


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


class Raw(eqx.Module):
    """What the unlimited scheme found; the first moments of p and q are still to be taken out."""

    rho_f: jax.Array
    rho_g: jax.Array
    p: jax.Array
    q: jax.Array
    moments_p: jax.Array
    moments_q: jax.Array
    extremes_p: Extremes
    extremes_q: Extremes


class Limits(eqx.Module):
    """What becomes of it: densities, and p = keep_p (p - mean of p) + old_p (p of the old state).

    All but the entropy are fields of the position.
    """

    rho_f: jax.Array
    rho_g: jax.Array
    keep_p: jax.Array
    keep_q: jax.Array
    old_p: jax.Array
    old_q: jax.Array
    entropy: jax.Array


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
       it (see `_damp`; the entropy is convex, the box and the mass difference survive convex
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
    first: Deviations | ConfinedDeviations
    second: Deviations | ConfinedDeviations
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
        require(
            isinstance(model, KineticReaction | ConfinedReaction),
            f"Asymptotic steps a KineticReaction or a ConfinedReaction, not a "
            f"{type(model).__name__}.",
        )
        require(bool(np.isfinite(dt)) and dt > 0, f"dt must be positive, but is {dt!r}.")
        require(sweeps >= 1, f"sweeps must be at least 1, but is {sweeps!r}.")
        require(ramp >= 0, f"ramp must not be negative, but is {ramp!r}.")
        self.grid, self.masses = grid, model.masses(grid)
        self.epsilon = jnp.asarray(0.0 if limit else model.epsilon)
        self.velocities = velocities(grid.velocity.size, grid.torus.size, devices)
        self.first, self.second = _species(model, grid, self.epsilon, self.velocities)
        self.densities = Densities(
            grid.torus, self.first.diffusion, self.second.diffusion, self.epsilon
        )
        self.max_step = jnp.asarray(float(dt))
        self.sweeps, self.ramp, self.guard_entropy = int(sweeps), int(ramp), bool(guard_entropy)

    # -- protocol -------------------------------------------------------------------------

    def start(self, f0: Any) -> AsymptoticState:
        """State at t = 0 from the distributions (f, g); refuses data outside every box."""
        F, G = admit(f0, self.grid, self.masses)
        box = self._box(F, G)
        rho_f = jnp.tensordot(jnp.asarray(self.masses.chi1), F, 1)
        rho_g = jnp.tensordot(jnp.asarray(self.masses.chi2), G, 1)
        scale = jnp.where(self.epsilon > 0, self.epsilon, 1.0)
        p = self.velocities.place((F - rho_f) / scale)
        q = self.velocities.place((G - rho_g) / scale)
        moments = self.first.moments(p), self.second.moments(q)
        m = self.grid.torus.integrate(rho_f - rho_g) / self.grid.torus.volume
        y = Split(rho_f, rho_g, p, q, *moments, box, density_from_difference(m))
        zero = jnp.int32(0)
        return AsymptoticState(
            t=jnp.asarray(0.0),
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
        attempt = equal_step(state.t, t_stop, jnp.minimum(self.max_step, 2.0 * state.dt))
        h = attempt.h
        ratio = jnp.where(state.steps > 0, h / state.dt, 0.0)
        old = state.y
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
            return number + 1, *self._confine(old, raw)

        def failed(carry):
            number, limits = carry[0], carry[2]
            return (number == 0) | ((number < 2) & ~(limits.entropy <= state.entropy))

        nothing = jax.tree.map(
            lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(attempt, (jnp.int32(0),))
        )
        tried, raw, limits, boxed = lax.while_loop(failed, attempt, (jnp.int32(0), *nothing[1:]))
        damped = ~(limits.entropy <= state.entropy)
        limits = lax.cond(
            damped,
            lambda: self._damp(old, state.entropy, raw, limits, h),
            lambda: limits,
        )
        new = self._settle(old, raw, limits)
        return AsymptoticState(
            t=attempt.t,
            dt=h,
            y=new,
            before=old,
            entropy=limits.entropy,
            steps=state.steps + 1,
            rejected=state.rejected + (tried > 1),
            code=jnp.where(self._finite(new), Status.FINE, Status.NON_FINITE).astype(jnp.int32),
            boxed=state.boxed + boxed,
            damped=state.damped + damped,
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
            "mass_difference": self.grid.torus.integrate(y.rho_f - y.rho_g),
            "entropy": self._entropy(y),
            "box_violation": outside.max(),
            "reaction_imbalance": jnp.abs(y.rho_f * y.rho_g - 1).max(),
        }

    def _box(self, F: jax.Array, G: jax.Array) -> Box:
        """The smallest box of the data, also between the grid points that sample them."""
        low, high = box_of(F, G)
        (least, most), (less, more) = data_ranges((F, G), self.grid.torus)
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
        c = (1 + 2 * ratio) / (1 + ratio)
        a0, a1 = (1 + ratio) / c, ratio**2 / (1 + ratio) / c
        history = [a0 * now - a1 * then for now, then in zip(y.moving, before.moving)]
        guess = [now + ratio * (now - then) for now, then in zip(y.moving, before.moving)]
        alpha, tau = c * self.epsilon**2 / h, h / c
        first, second = self.first, self.second
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
        rho_f, rho_g, _, _ = densities(raw.rho_f, raw.rho_g, raw.moments_p, raw.moments_q)
        return eqx.tree_at(lambda r: (r.rho_f, r.rho_g), raw, (rho_f, rho_g))

    # -- limiters -------------------------------------------------------------------------

    def _confine(self, old: Split, raw: Raw) -> tuple[Raw, Limits, jax.Array]:
        """4: the box of Theorem 1.1, with the mass difference kept; whether that was needed."""
        low, high, eps = old.box.low, old.box.high, self.epsilon
        m_low, m_high = low - 1.0 / low, high - 1.0 / high
        m, m_old = raw.rho_f - raw.rho_g, old.rho_f - old.rho_g
        slack = 1e-13 * (high + 1.0 / low)
        leaves = (m.max() > m_high + slack) | (m.min() < m_low - slack)
        m = lax.cond(
            leaves,
            lambda: limited(self.grid.torus, m_old, m, m_low, m_high),
            lambda: m,
        )
        rho_f = jnp.clip(
            raw.rho_f, jnp.maximum(low, m + 1.0 / high), jnp.minimum(high, m + 1.0 / low)
        )
        rho_g = rho_f - m
        *fitted_p, moved_p = self.first.fitted(
            raw.p, raw.moments_p, raw.extremes_p, rho_f, low, high
        )
        *fitted_q, moved_q = self.second.fitted(
            raw.q, raw.moments_q, raw.extremes_q, rho_g, 1.0 / high, 1.0 / low
        )
        moved = jnp.abs(rho_f - raw.rho_f) + jnp.abs(rho_g - raw.rho_g) + moved_p + moved_q
        raw = eqx.tree_at(
            lambda r: (r.p, r.moments_p, r.extremes_p, r.q, r.moments_q, r.extremes_q),
            raw,
            (*fitted_p, *fitted_q),
        )
        share_p, excess_p = share_of_room(rho_f, eps, raw.extremes_p, raw.moments_p[0], low, high)
        share_q, excess_q = share_of_room(
            rho_g, eps, raw.extremes_q, raw.moments_q[0], 1.0 / high, 1.0 / low
        )
        none = jnp.zeros_like(rho_f)
        limits = Limits(rho_f, rho_g, share_p, share_q, none, none, -jnp.asarray(jnp.inf))
        if self.guard_entropy:
            limits = self._weighed(old, raw, limits)
        beyond = leaves | (excess_p > slack) | (excess_q > slack)
        return raw, limits, enforced(self.grid.torus, moved, beyond)

    def _damp(
        self, old: Split, before: jax.Array, raw: Raw, limits: Limits, h: jax.Array
    ) -> Limits:
        r"""5: blend with a step whose entropy is not larger, until that of the result is not.

        That step is a mean of two: the exact reaction flow of the old state, and the linear
        diffusion of m by nearest neighbours with the coefficients D(m) of the old state, at
        reaction equilibrium. The first is right for $h \ll \varepsilon^2$ and the second for
        $h \gg \varepsilon^2$; the second gets the share $h/(h + \varepsilon^2)$. Neither raises
        the entropy or leaves the box.
        """
        time = h / jnp.where(self.epsilon > 0, self.epsilon**2, 1e-300)
        rho_f, rho_g, left_by_f, left_by_g = homogeneous_flow(old.rho_f, old.rho_g, time)
        tensors = self.first.diffusion, self.second.diffusion
        rho = density_from_difference(diffused(self.grid.torus, old.rho_f - old.rho_g, h, tensors))
        slow = h / (h + self.epsilon**2)
        none = jnp.zeros_like(rho)
        calm = Limits(
            (1 - slow) * rho_f + slow * rho,
            (1 - slow) * rho_g + slow / rho,
            none,
            none,
            (1 - slow) * left_by_g,
            (1 - slow) * left_by_f,
            none,
        )
        calm = self._weighed(old, raw, calm)
        # Convexity: H((1-s) new + s calm) <= (1-s) H(new) + s H(calm).
        excess = limits.entropy - before
        share = jnp.clip(excess / jnp.maximum(limits.entropy - calm.entropy, 1e-300), 0.0, 1.0)
        share = jnp.where(jnp.isfinite(share), share, 1.0)
        blend = jax.tree.map(
            lambda a, b: jnp.where(share < 1.0, (1 - share) * a, 0.0) + share * b, limits, calm
        )
        blend = self._weighed(old, raw, blend)
        return eqx.tree_at(lambda b: b.entropy, blend, jnp.minimum(blend.entropy, before))

    def _weighed(self, old: Split, raw: Raw, limits: Limits) -> Limits:
        """The limits with the entropy of what they make."""

        def kernel(slices, x):
            epsilon, rho_inf = x["numbers"]
            total = 0.0
            for (weights, *parts), rho, factors, target in zip(
                slices, x["rho"], x["factors"], (rho_inf, 1.0 / rho_inf)
            ):
                F = rho + epsilon * _made(*parts, *factors)
                total = total + jnp.tensordot(weights, relative(F, target), 1)
            return (), total, ()

        numbers = jnp.stack([self.epsilon, old.rho_inf])
        weights = jnp.asarray(self.masses.chi1), jnp.asarray(self.masses.chi2)
        slices = ((weights[0], raw.p, old.p), (weights[1], raw.q, old.q))
        shared = {
            "numbers": numbers,
            "rho": (limits.rho_f, limits.rho_g),
            "factors": _factors(raw, limits),
        }
        _, entropy, _ = self.velocities.sweep(kernel, slices, shared)
        entropy = self.grid.torus.integrate(entropy)
        return eqx.tree_at(lambda b: b.entropy, limits, entropy)

    def _settle(self, old: Split, raw: Raw, limits: Limits) -> Split:
        """The new state."""

        def kernel(slices, factors):
            return tuple(_made(*parts, *f) for parts, f in zip(slices, factors)), (), ()

        factors = _factors(raw, limits)
        slices = ((raw.p, old.p), (raw.q, old.q))
        (p, q), _, _ = self.velocities.sweep(kernel, slices, factors)
        moments = [
            keep * part.centred(new, shift) + then * past
            for part, new, past, (shift, keep, then) in (
                (self.first, raw.moments_p, old.moments_p, factors[0]),
                (self.second, raw.moments_q, old.moments_q, factors[1]),
            )
        ]
        return old.moved((limits.rho_f, limits.rho_g, p, q, *moments))

    # -- moments --------------------------------------------------------------------------

    def _ratios(self, y: Split) -> tuple[jax.Array, jax.Array]:
        return y.rho_f + self.epsilon * y.p, y.rho_g + self.epsilon * y.q

    def _entropy(self, y: Split) -> jax.Array:
        F, G = self._ratios(y)
        return entropy_of(F, G, y.rho_inf, self.masses, self.grid)

    def _finite(self, y: Split) -> jax.Array:
        """The moments see every value of p and q."""
        return jnp.isfinite(jnp.sum(y.rho_f) + jnp.sum(y.moments_p) + jnp.sum(y.moments_q))


def _species(
    model: Any, grid: Any, epsilon: jax.Array, velocities: Velocities
) -> tuple[Deviations | ConfinedDeviations, ...]:
    """What transports f and what transports g."""
    if isinstance(model, ConfinedReaction):
        model.require_grid(grid)
        return tuple(ConfinedDeviations(grid, T, epsilon) for T in (model.T1, model.T2))
    masses = model.masses(grid)
    return tuple(
        Deviations(grid.torus, grid.drift, weights, epsilon, velocities)
        for weights in (masses.chi1, masses.chi2)
    )


def _factors(raw: Raw, limits: Limits) -> tuple:
    """What `_made` needs for p and for q."""
    return (
        (raw.moments_p[0], limits.keep_p, limits.old_p),
        (raw.moments_q[0], limits.keep_q, limits.old_q),
    )


def _made(new: jax.Array, old: jax.Array, shift: Any, keep: Any, then: Any) -> jax.Array:
    """The deviation that `Limits` describe."""
    return keep * (new - shift) + then * old
