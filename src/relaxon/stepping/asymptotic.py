"""One scheme for the reaction model at every epsilon, and for its limit."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from relaxon.errors import require
from relaxon.grids.phase import PhaseGrid
from relaxon.reaction.diffusion import density_from_difference
from relaxon.reaction.model import (
    KineticReaction,
    Masses,
    admit,
    box_of,
    entropy_of,
    homogeneous_flow,
)
from relaxon.stepping.bounds import flux_limited
from relaxon.stepping.linear import linear_solver


class Split(eqx.Module):
    r"""Densities and what deviates from local equilibrium, velocities first.

    $$ f = \chi_1 (\rho_f + \varepsilon p), \quad g = \chi_2 (\rho_g + \varepsilon q), \quad
       \int \chi_1 p \, dv = \int \chi_2 q \, dv = 0 $$

    All four are of order one for every epsilon, so nothing cancels as epsilon -> 0.
    `low` and `high` are the box of Theorem 1.1, `rho_inf` the density at equilibrium.
    """

    rho_f: jax.Array
    rho_g: jax.Array
    p: jax.Array
    q: jax.Array
    low: jax.Array
    high: jax.Array
    rho_inf: jax.Array

    @property
    def moving(self) -> tuple[jax.Array, ...]:
        """The parts that change in time."""
        return self.rho_f, self.rho_g, self.p, self.q

    def moved(self, parts: tuple[jax.Array, ...]) -> Split:
        """The same box with other parts."""
        rho_f, rho_g, p, q = parts
        return Split(rho_f, rho_g, p, q, self.low, self.high, self.rho_inf)


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
        code: 0, or 1 if a value is not finite.
        boxed: Steps in which the box had to be enforced by more than rounding.
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
    variables of `Split` the scheme repeats `sweeps` times

    1. **Densities.** The exact moments of the implicit equations, for f (likewise g)

       $$ m - \tilde m + \tfrac{h}{c} \nabla \cdot (j_f - j_g) = 0, \quad
          \alpha (\rho_f - \tilde\rho_f) + \varepsilon^2 \nabla \cdot j_f = 1 - \rho_f \rho_g $$
       $$ (\alpha + \rho_g) j_f = \alpha \tilde j_f - D_1 \nabla \rho_f - \nabla \cdot K_f,
          \quad K_f = \varepsilon \int (v \otimes v - D_1) \chi_1 p \, dv $$

       closed by K of the previous sweep. As epsilon -> 0, K vanishes and this is the limit
       equation. One Newton step, in position space only.
    2. **Deviations.** With these densities the transport equation of p,
       $(\alpha + \rho_g + \varepsilon v \cdot \nabla) p = \alpha \tilde p - v \cdot \nabla \rho_f
       + \varepsilon \nabla \cdot j_f$, by one fixed-point step about a constant rate, exact in
       Fourier space: a contraction for every epsilon, step, and data in the box.

    Then, only where needed and without touching any conserved quantity:

    3. m is brought into the box by `flux_limited`, (rho_f, rho_g) by a shift along constant m,
       and p, q by a factor in [0, 1] at each x (Zhang and Shu, J. Comput. Phys. 229 (2010)).
    4. If the entropy has grown, the step is repeated by backward Euler with eight sweeps. If it
       still has, the result is blended with the exact reaction flow of the old state, whose
       entropy is not larger, just far enough (the entropy is convex; the box and the mass
       difference survive convex combinations).

    The velocity axis is the first of p and q and is met only by sums and minima over it
    (moments once a sweep, then one minimum and one entropy), so it can be split over devices.

    Accuracy: problem P1 (32 points, 24 nodes, dt = 5e-4, 44 steps) has a relative error of m
    below 2e-4 for every epsilon from 1 to 1e-8 and in the limit, and the observed order in time
    is 1.8 to 2.1 for epsilon = 1, 0.1, 0.01, 1e-7; spectral in x and v for smooth data
    (tests/physics/test_reaction_asymptotic.py). Where data jump by a factor of 500 on 32 points
    and epsilon^2 is far below dt, the entropy limiter acts in most steps and slows the solution
    down (a jump by a factor of 3 needs it in none): `damped` counts these steps.

    Cost: per step and sweep one pair of real Fourier transforms of each species and a linear
    system in position space.

    Args:
        model: The equation.
        grid: Phase space.
        dt: Largest step; the steps between two stops are equal after the first few.
        sweeps: Repetitions of 1 and 2; two make the scheme second order and stable in all
            tests. Each costs a pair of Fourier transforms of each species.
        ramp: The first steps are dt/2^ramp, dt/2^(ramp-1), ... to resolve an initial layer;
            the first 2*ramp steps take at least six sweeps.
        limit: Solve with epsilon = 0.
        guard_entropy: Do 4 (costs a logarithm per unknown a step).
    """

    grid: PhaseGrid
    masses: Masses
    drift: np.ndarray
    D1: np.ndarray
    D2: np.ndarray
    epsilon: jax.Array
    max_step: jax.Array
    sweeps: int = eqx.field(static=True)
    ramp: int = eqx.field(static=True)
    guard_entropy: bool = eqx.field(static=True)

    def __init__(
        self,
        model: KineticReaction,
        grid: PhaseGrid,
        dt: float,
        sweeps: int = 2,
        ramp: int = 4,
        limit: bool = False,
        guard_entropy: bool = True,
    ):
        require(
            isinstance(model, KineticReaction),
            f"Asymptotic steps a KineticReaction, not a {type(model).__name__}.",
        )
        require(bool(np.isfinite(dt)) and dt > 0, f"dt must be positive, but is {dt!r}.")
        require(sweeps >= 1, f"sweeps must be at least 1, but is {sweeps!r}.")
        require(ramp >= 0, f"ramp must not be negative, but is {ramp!r}.")
        self.grid, self.masses = grid, model.masses(grid)
        self.drift = grid.drift
        self.D1 = np.einsum("j,ja,jb->ab", self.masses.chi1, self.drift, self.drift)
        self.D2 = np.einsum("j,ja,jb->ab", self.masses.chi2, self.drift, self.drift)
        self.epsilon = jnp.asarray(0.0 if limit else model.epsilon)
        self.max_step = jnp.asarray(float(dt))
        self.sweeps, self.ramp, self.guard_entropy = int(sweeps), int(ramp), bool(guard_entropy)

    # -- protocol -------------------------------------------------------------------------

    def start(self, f0: Any) -> AsymptoticState:
        """State at t = 0 from the distributions (f, g); refuses data outside every box."""
        F, G = admit(f0, self.grid, self.masses)
        low, high = box_of(F, G)
        rho_f, rho_g = self._mean(F, self.masses.chi1), self._mean(G, self.masses.chi2)
        scale = jnp.where(self.epsilon > 0, self.epsilon, 1.0)
        m = self.grid.torus.integrate(rho_f - rho_g) / self.grid.torus.volume
        y = Split(
            rho_f,
            rho_g,
            (F - rho_f) / scale,
            (G - rho_g) / scale,
            low,
            high,
            density_from_difference(m),
        )
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
        left = t_stop - state.t
        wanted = jnp.minimum(self.max_step, 2.0 * state.dt)
        count = jnp.maximum(jnp.ceil(left / wanted * (1.0 - 1e-12)), 1.0)
        h = left / count
        ratio = jnp.where(state.steps > 0, h / state.dt, 0.0)
        y, old = state.y, state.y
        # An initial layer leaves the first guesses poor: iterate them to convergence.
        sweeps = jnp.where(state.steps < 2 * self.ramp, max(6, self.sweeps), self.sweeps)

        def attempt(carry):
            number = carry[0]
            later = number > 0
            new, boxed = self._confine(
                old,
                self._advance(
                    y,
                    state.before,
                    h,
                    jnp.where(later, 0.0, ratio),
                    jnp.where(later, max(8, self.sweeps), sweeps),
                ),
            )
            entropy = self._entropy(new) if self.guard_entropy else state.entropy
            return number + 1, new, boxed, entropy

        def failed(carry):
            number, _, _, entropy = carry
            return (number == 0) | ((number < 2) & ~(entropy <= state.entropy))

        start = (jnp.int32(0), old, jnp.asarray(False), state.entropy)
        tried, new, boxed, entropy = lax.while_loop(failed, attempt, start)
        damped = ~(entropy <= state.entropy)
        new, entropy = lax.cond(
            damped,
            lambda: self._damp(old, state.entropy, new, entropy, h),
            lambda: (new, entropy),
        )
        t = jnp.where(count == 1.0, t_stop, state.t + h)
        finite = jnp.isfinite(jnp.sum(new.rho_f) + jnp.sum(new.p) + jnp.sum(new.q))
        return AsymptoticState(
            t=t,
            dt=h,
            y=new,
            before=old,
            entropy=entropy,
            steps=state.steps + 1,
            rejected=state.rejected + (tried > 1),
            code=jnp.where(finite, jnp.int32(0), jnp.int32(1)),
            boxed=state.boxed + boxed,
            damped=state.damped + damped,
        )

    def fields(self, y: Split) -> dict[str, jax.Array]:
        """f, g (shape `grid.shape`), rho_f, rho_g and m."""
        F, G = self._ratios(y)
        # Inside the box up to rounding already (see diagnostics); drop that rounding.
        F, G = jnp.clip(F, y.low, y.high), jnp.clip(G, 1.0 / y.high, 1.0 / y.low)
        f, g = self.masses.distributions(F, G, self.grid)
        return {"f": f, "g": g, "rho_f": y.rho_f, "rho_g": y.rho_g, "m": y.rho_f - y.rho_g}

    def diagnostics(self, y: Split) -> dict[str, jax.Array]:
        """Mass difference, relative entropy, distance to the box (relative, > 0 is outside)."""
        F, G = self._ratios(y)
        outside = jnp.stack(
            [
                F.max() / y.high - 1,
                1 - F.min() / y.low,
                G.max() * y.low - 1,
                1 - G.min() * y.high,
            ]
        )
        return {
            "mass_difference": self.grid.torus.integrate(y.rho_f - y.rho_g),
            "entropy": self._entropy(y),
            "box_violation": outside.max(),
            "reaction_imbalance": jnp.abs(y.rho_f * y.rho_g - 1).max(),
        }

    # -- the scheme -----------------------------------------------------------------------

    def _advance(
        self, y: Split, before: Split, h: jax.Array, ratio: jax.Array, sweeps: jax.Array
    ) -> Split:
        """Steps 1 and 2: the unlimited scheme."""
        c = (1 + 2 * ratio) / (1 + ratio)
        a0, a1 = (1 + ratio) / c, ratio**2 / (1 + ratio) / c
        history = [a0 * now - a1 * then for now, then in zip(y.moving, before.moving)]
        guess = [now + ratio * (now - then) for now, then in zip(y.moving, before.moving)]
        alpha, tau = c * self.epsilon**2 / h, h / c
        rho_f, rho_g = self._inside(guess[0], guess[1], y)
        p, q = guess[2], guess[3]
        w1, w2 = self.masses.chi1, self.masses.chi2
        past_flux_f, past_flux_g = self._flux(history[2], w1), self._flux(history[3], w2)

        def sweep(_, carry):
            rho_f, rho_g, p, q = carry
            K_f, K_g = self._stress(p, w1, self.D1), self._stress(q, w2, self.D2)
            rho_f, rho_g, j_f, j_g = self._densities(
                (rho_f, rho_g),
                (history[0], history[1]),
                (alpha * past_flux_f - K_f, alpha * past_flux_g - K_g),
                alpha,
                tau,
                y,
            )
            p = self._deviation(p, history[2], rho_f, rho_g, j_f, alpha, w1)
            q = self._deviation(q, history[3], rho_g, rho_f, j_g, alpha, w2)
            return rho_f, rho_g, p, q

        return y.moved(lax.fori_loop(0, sweeps, sweep, (rho_f, rho_g, p, q)))

    def _densities(self, guess, history, push, alpha, tau, y):
        """One Newton step for (rho_f, rho_g) in the moment equations; returns the fluxes too."""
        torus, eps2 = self.grid.torus, self.epsilon**2
        rho_f, rho_g = guess
        # Coefficients in the box keep the linear problem elliptic whatever the guess.
        rate_f, rate_g = alpha + rho_g, alpha + rho_f

        def fluxes(r_f, r_g):
            grad_f, grad_g = torus.gradient(r_f), torus.gradient(r_g)
            j_f = (push[0] - jnp.tensordot(self.D1, grad_f, 1)) / rate_f
            j_g = (push[1] - jnp.tensordot(self.D2, grad_g, 1)) / rate_g
            return j_f, j_g

        j_f, j_g = fluxes(rho_f, rho_g)
        past_m = history[0] - history[1]
        sawtooth = self._sawtooth(rate_f, rate_g)
        r_m = rho_f - rho_g - past_m
        r_m = r_m + tau * (torus.divergence(j_f - j_g) + sawtooth(rho_f, rho_g))
        r_f = alpha * (rho_f - history[0]) + eps2 * torus.divergence(j_f) + rho_f * rho_g - 1.0

        def operator(u):
            m, w_f = u[0], u[1]
            w_g = w_f - m
            d_f = -(jnp.tensordot(self.D1, torus.gradient(w_f), 1) + j_f * w_g) / rate_f
            d_g = -(jnp.tensordot(self.D2, torus.gradient(w_g), 1) + j_g * w_f) / rate_g
            first = m + tau * (torus.divergence(d_f - d_g) + sawtooth(w_f, w_g))
            second = alpha * w_f + eps2 * torus.divergence(d_f) + rho_g * w_f + rho_f * w_g
            return jnp.stack([first, second])

        precondition = self._preconditioner(rho_f, rho_g, rate_f, rate_g, alpha, tau)
        right = -jnp.stack([r_m, r_f])
        # The guess is second order already, and the next sweep corrects: 1e-7 of it will do.
        change = linear_solver(operator, right.shape, precondition, rtol=1e-7)(right)
        new_f = rho_f + change[1]
        new_m = rho_f - rho_g + change[0]
        # The mean of m is known exactly: put right what the linear solver left.
        new_m = new_m + (jnp.mean(past_m) - jnp.mean(new_m))
        new_g = new_f - new_m
        safe_f, safe_g = self._inside(new_f, new_g, y)
        grad_f, grad_g = torus.gradient(new_f), torus.gradient(new_g)
        j_f = (push[0] - jnp.tensordot(self.D1, grad_f, 1)) / (alpha + safe_g)
        j_g = (push[1] - jnp.tensordot(self.D2, grad_g, 1)) / (alpha + safe_f)
        return new_f, new_g, j_f, j_g

    def _sawtooth(self, rate_f, rate_g):
        """Diffusion of the highest frequency, whose first derivatives the grid cannot see.

        Without it a sawtooth of m would never decay on a grid with even n.
        """
        torus = self.grid.torus
        if torus.n % 2:
            return lambda u_f, u_g: 0.0
        missed = torus.full_wavenumbers**2 - torus.wavenumbers**2
        s1 = jnp.tensordot(jnp.diag(jnp.asarray(self.D1)), missed, 1) * jnp.mean(1.0 / rate_f)
        s2 = jnp.tensordot(jnp.diag(jnp.asarray(self.D2)), missed, 1) * jnp.mean(1.0 / rate_g)
        return lambda u_f, u_g: torus.inverse(s1 * torus.transform(u_f) - s2 * torus.transform(u_g))

    def _preconditioner(self, rho_f, rho_g, rate_f, rate_g, alpha, tau):
        """Inverse of the moment equations with constant coefficients, in Fourier space."""
        torus, k = self.grid.torus, self.grid.torus.full_wavenumbers
        k1 = jnp.einsum("a...,b...,ab->...", k, k, self.D1) * jnp.mean(1.0 / rate_f)
        k2 = jnp.einsum("a...,b...,ab->...", k, k, self.D2) * jnp.mean(1.0 / rate_g)
        mean_f, mean_g = jnp.mean(rho_f), jnp.mean(rho_g)
        # Unknowns (m, w_f), w_g = w_f - m.
        a11, a12 = 1.0 + tau * k2, tau * (k1 - k2)
        a21, a22 = -mean_f, alpha + self.epsilon**2 * k1 + mean_f + mean_g
        determinant = a11 * a22 - a12 * a21

        def inverse(u):
            first, second = torus.transform(u[0]), torus.transform(u[1])
            return jnp.stack(
                [
                    torus.inverse((a22 * first - a12 * second) / determinant),
                    torus.inverse((a11 * second - a21 * first) / determinant),
                ]
            )

        return inverse

    def _deviation(self, p, past, rho, partner, flux, alpha, weights):
        """One fixed-point step for p in its transport equation."""
        torus, eps = self.grid.torus, self.epsilon
        rate = 0.5 * (partner.max() + partner.min())
        gradient = torus.gradient(rho)
        right = alpha * past - (partner - rate) * p + eps * torus.divergence(flux)
        right = right - jnp.tensordot(jnp.asarray(self.drift), gradient, 1)
        turn = eps * jnp.tensordot(jnp.asarray(self.drift), jnp.asarray(torus.wavenumbers), 1)
        damping = alpha + rate
        right_hat = torus.transform(right)
        scale = 1.0 / (damping**2 + turn**2)
        new = torus.inverse(right_hat * lax.complex(damping * scale, -turn * scale))
        return new - self._mean(new, weights)

    # -- limiters -------------------------------------------------------------------------

    def _inside(self, rho_f, rho_g, y):
        """Both densities clipped to the box; for coefficients, not for the solution."""
        return (
            jnp.clip(rho_f, y.low, y.high),
            jnp.clip(rho_g, 1.0 / y.high, 1.0 / y.low),
        )

    def _confine(self, old: Split, new: Split) -> tuple[Split, jax.Array]:
        """Step 3: the box of Theorem 1.1, with the mass difference kept."""
        low, high, eps = new.low, new.high, self.epsilon
        m_low, m_high = low - 1.0 / low, high - 1.0 / high
        m, m_old = new.rho_f - new.rho_g, old.rho_f - old.rho_g
        slack = 1e-13 * (high + 1.0 / low)
        leaves = (m.max() > m_high + slack) | (m.min() < m_low - slack)
        m = lax.cond(
            leaves,
            lambda: flux_limited(m_old, m, m_low, m_high, self.grid.torus),
            lambda: m,
        )
        rho_f = jnp.clip(
            new.rho_f, jnp.maximum(low, m + 1.0 / high), jnp.minimum(high, m + 1.0 / low)
        )
        rho_g = rho_f - m
        pieces, tight = [], []
        for rho, part, floor, ceiling in (
            (rho_f, new.p, low, high),
            (rho_g, new.q, 1.0 / high, 1.0 / low),
        ):
            up, down = eps * part.max(axis=0), -eps * part.min(axis=0)
            room_up, room_down = jnp.maximum(ceiling - rho, 0), jnp.maximum(rho - floor, 0)
            share_up = jnp.where(up > room_up, room_up / jnp.where(up > 0, up, 1.0), 1.0)
            share_down = jnp.where(
                down > room_down, room_down / jnp.where(down > 0, down, 1.0), 1.0
            )
            excess = jnp.maximum((up - room_up).max(), (down - room_down).max())
            pieces.append(part * jnp.minimum(share_up, share_down))
            tight.append(excess > slack)
        boxed = leaves | tight[0] | tight[1]
        return new.moved((rho_f, rho_g, pieces[0], pieces[1])), boxed

    def _damp(self, old: Split, before: jax.Array, new: Split, entropy: jax.Array, h: jax.Array):
        """Step 4: blend with the exact reaction flow until the entropy does not grow."""
        time = h / jnp.where(self.epsilon > 0, self.epsilon**2, 1e-300)
        rho_f, rho_g, left_by_f, left_by_g = homogeneous_flow(old.rho_f, old.rho_g, time)
        calm = old.moved((rho_f, rho_g, old.p * left_by_g, old.q * left_by_f))
        calm, _ = self._confine(old, calm)
        least = self._entropy(calm)
        # Convexity: H((1-s) new + s calm) <= (1-s) H(new) + s H(calm).
        share = jnp.clip((entropy - before) / jnp.maximum(entropy - least, 1e-300), 0.0, 1.0)
        share = jnp.where(jnp.isfinite(share), share, 1.0)
        parts = [
            jnp.where(share < 1.0, (1 - share) * a, 0.0) + share * b
            for a, b in zip(new.moving, calm.moving)
        ]
        blend = new.moved(tuple(parts))
        return blend, jnp.minimum(self._entropy(blend), before)

    # -- moments --------------------------------------------------------------------------

    def _mean(self, F: jax.Array, weights: np.ndarray) -> jax.Array:
        return jnp.tensordot(jnp.asarray(weights), F, 1)

    def _flux(self, p: jax.Array, weights: np.ndarray) -> jax.Array:
        """The integral of v chi p."""
        return jnp.tensordot(jnp.asarray((weights[:, None] * self.drift).T), p, 1)

    def _stress(self, p: jax.Array, weights: np.ndarray, D: np.ndarray) -> jax.Array:
        """Divergence of K = epsilon int (v x v) chi p dv; D drops out as p has mean zero."""
        d = self.grid.torus.d
        products = jnp.einsum("j,ja,jb->abj", weights, self.drift, self.drift)
        upper = [(a, b) for a in range(d) for b in range(a, d)]
        moments = jnp.tensordot(jnp.stack([products[i] for i in upper]), p, 1)
        k, torus = self.grid.torus.wavenumbers, self.grid.torus
        hats = torus.transform(moments)
        rows = [jnp.zeros(hats.shape[1:], hats.dtype) for _ in range(d)]
        for index, (a, b) in enumerate(upper):
            rows[a] = rows[a] + 1j * k[b] * hats[index]
            if a != b:
                rows[b] = rows[b] + 1j * k[a] * hats[index]
        return self.epsilon * torus.inverse(jnp.stack(rows))

    def _ratios(self, y: Split) -> tuple[jax.Array, jax.Array]:
        return y.rho_f + self.epsilon * y.p, y.rho_g + self.epsilon * y.q

    def _entropy(self, y: Split) -> jax.Array:
        F, G = self._ratios(y)
        return entropy_of(F, G, y.rho_inf, self.masses, self.grid)
