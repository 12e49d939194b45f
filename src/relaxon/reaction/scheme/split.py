"""The unknowns of the asymptotic scheme: densities, and what deviates from local equilibrium."""

from __future__ import annotations

import equinox as eqx
import jax

from relaxon.reaction.scheme.densities import Box
from relaxon.reaction.scheme.deviations import Extremes


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
