"""What keeps the asymptotic scheme in its box and its entropy from growing.

It acts only where needed and touches no conserved quantity; the numbers 4 and 5 are the steps of
`Asymptotic`.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from relaxon.numerics.devices import Velocities
from relaxon.reaction.equations.limit import density_from_difference, relative
from relaxon.reaction.equations.two_species import homogeneous_flow
from relaxon.reaction.scheme.bounds import diffused, enforced, share_of_room
from relaxon.reaction.scheme.deviations import Deviations
from relaxon.reaction.scheme.split import Raw, Split


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


class Limiter(eqx.Module):
    """Step 4 and 5 of `Asymptotic`: the box, the entropy, and the state that comes of it.

    Attributes:
        grid: Phase space.
        masses: Node masses of the profiles.
        first, second: What transports f and g.
        velocities: How the velocity axis is worked through.
        epsilon: Scale of (9), or 0.
        guard_entropy: Whether the entropy is looked at.
    """

    grid: Any
    masses: Any
    first: Deviations
    second: Deviations
    velocities: Velocities
    epsilon: jax.Array
    guard_entropy: bool = eqx.field(static=True)

    def confine(self, old: Split, raw: Raw) -> tuple[Raw, Limits, jax.Array]:
        """4: the box of Theorem 1.1, with the mass difference kept; whether that was needed."""
        low, high, eps = old.box.low, old.box.high, self.epsilon
        # m = rho - 1/rho increases in rho: the box bounds m as well.
        m_low, m_high = low - 1.0 / low, high - 1.0 / high
        m, m_old = raw.rho_f - raw.rho_g, old.rho_f - old.rho_g
        slack = 1e-13 * (high + 1.0 / low)
        leaves = (m.max() > m_high + slack) | (m.min() < m_low - slack)
        m = lax.cond(
            leaves,
            lambda: self.grid.positions.limited(m_old, m, m_low, m_high),
            lambda: m,
        )
        # Both densities in the box at fixed m: rho_g = rho_f - m must lie in [1/high, 1/low].
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
        # Without the guard the entropy never counts as grown.
        limits = Limits(rho_f, rho_g, share_p, share_q, none, none, -jnp.asarray(jnp.inf))
        if self.guard_entropy:
            limits = self._weighed(old, raw, limits)
        beyond = leaves | (excess_p > slack) | (excess_q > slack)
        return raw, limits, enforced(self.grid.positions, moved, beyond)

    def damp(self, old: Split, before: jax.Array, raw: Raw, limits: Limits, h: jax.Array) -> Limits:
        r"""5: blend with a step whose entropy is not larger, until that of the result is not.

        That step is a mean of two: the exact reaction flow of the old state, and the linear
        diffusion of m by nearest neighbours with the coefficients D(m) of the old state, at
        reaction equilibrium. The first is right for $h \ll \varepsilon^2$ and the second for
        $h \gg \varepsilon^2$; the second gets the share $h/(h + \varepsilon^2)$. Neither raises
        the entropy or leaves the box.
        """
        # Reactions run in t/epsilon^2; at epsilon = 0 they are at their equilibrium at once.
        time = h / jnp.where(self.epsilon > 0, self.epsilon**2, 1e-300)
        rho_f, rho_g, left_by_f, left_by_g = homogeneous_flow(old.rho_f, old.rho_g, time)
        tensors = self.first.diffusion, self.second.diffusion
        rho = density_from_difference(
            diffused(self.grid.positions, old.rho_f - old.rho_g, h, tensors)
        )
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
        # share = 1 replaces `limits` altogether: 0 * NaN would not.
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
                # (velocities of the block, *positions): what `settle` would make of this block.
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
        entropy = self.grid.positions.integrate(entropy)
        return eqx.tree_at(lambda b: b.entropy, limits, entropy)

    def settle(self, old: Split, raw: Raw, limits: Limits) -> Split:
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


def _factors(raw: Raw, limits: Limits) -> tuple:
    """What `_made` needs for p and for q."""
    return (
        (raw.moments_p[0], limits.keep_p, limits.old_p),
        (raw.moments_q[0], limits.keep_q, limits.old_q),
    )


def _made(new: jax.Array, old: jax.Array, shift: Any, keep: Any, then: Any) -> jax.Array:
    """The deviation that `Limits` describe."""
    return keep * (new - shift) + then * old
