"""Deviations from local equilibrium under a confining potential."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.reaction.scheme.bounds import clip_and_share
from relaxon.reaction.scheme.deviations import Deviations, Extremes


class ConfinedDeviations(Deviations):
    r"""With the force of a confining potential.

    $$ (\alpha + \rho_g + \varepsilon \sqrt T \mathcal T) p = \alpha \tilde p
       - \sqrt T \mathcal T \rho_f + \varepsilon \nabla \cdot j_f $$

    The force couples the velocities, so that the resolvent of the whole grid stands where the
    torus has its Fourier transform. Moments are the flux $\sqrt T \langle u p \rangle$ and the
    stress of `ConfinedGrid.stress`.

    Args:
        grid: Phase space.
        temperature: Variance of the profile.
        epsilon: Scale of (9), or 0.
    """

    grid: ConfinedGrid
    temperature: float = eqx.field(static=True)
    epsilon: jax.Array

    @property
    def diffusion(self) -> jax.Array:
        """Second moment of the profile on the nodes, (1, 1)."""
        nodes = self.grid.velocity
        return self.temperature * jnp.reshape(nodes.masses @ nodes.drift**2, (1, 1))

    @property
    def _speed(self) -> float:
        return float(np.sqrt(self.temperature))

    def moments(self, p: jax.Array) -> jax.Array:
        """The moments 1, u, A u, A^t u of p, stacked."""
        return self.grid.moments(p)

    def centred(self, moments: jax.Array, shift: jax.Array) -> jax.Array:
        """Moments of p - shift from those of p."""
        return moments - self.grid.moment_rows.sum(axis=1)[:, None] * shift

    def flux(self, moments: jax.Array) -> jax.Array:
        """The flux, shape (1, n_x)."""
        return self._speed * moments[1:2]

    def stress(self, moments: jax.Array) -> jax.Array:
        """What transport adds to the equation of the flux, shape (1, n_x)."""
        return self.epsilon * self.temperature * self.grid.stress(moments)

    def relax(
        self,
        p: jax.Array,
        past: tuple[jax.Array, jax.Array, Any, Any],
        shift: jax.Array,
        rho: jax.Array,
        partner: jax.Array,
        flux: jax.Array,
        alpha: Any,
        sweeps: int,
    ) -> tuple[jax.Array, jax.Array, Extremes]:
        """As in `Deviations`: every sweep is exact in the modes of transport."""
        grid, eps = self.grid, self.epsilon
        now, then, a0, a1 = past
        # The middle of the range: the constant rate with the best contraction.
        rate = 0.5 * (partner.max() + partner.min())
        known = (
            alpha * (a0 * now - a1 * then)
            - self._speed * grid.drift * grid.line.gradient(rho)
            + eps * grid.line.divergence(flux)
        )
        new = p - shift
        for _ in range(sweeps):
            right = known - (partner - rate) * new
            new = grid.resolvent(right, alpha + rate, eps * self._speed)
        return new, self.moments(new), Extremes(new.max(axis=0), new.min(axis=0))

    def fitted(
        self,
        p: jax.Array,
        moments: jax.Array,
        extremes: Extremes,
        rho: jax.Array,
        low: jax.Array,
        high: jax.Array,
    ) -> tuple[jax.Array, jax.Array, Extremes, jax.Array]:
        """What `relax` found, clipped to the bounds at each velocity with its mean kept.

        At the ends of the Gibbs weights nodal values are rough, where rho is close to its bounds:
        a common factor for all velocities would spoil those that carry the mass.

        The last of the results is how much that moved at each position.
        """
        eps = self.epsilon
        # (n_v, n_x): what p - mean adds to rho. Only positions with a node outside are touched.
        excess = eps * (p - moments[0])
        kept = clip_and_share(excess, low - rho, high - rho, self.grid.velocity.masses, axis=0)
        inside = (excess <= high - rho) & (excess >= low - rho)
        new = jnp.where(jnp.all(inside, axis=0), p, kept / jnp.where(eps > 0, eps, 1.0))
        moved = self.grid.mean(jnp.abs(kept - excess))
        return new, self.moments(new), Extremes(new.max(axis=0), new.min(axis=0)), moved
