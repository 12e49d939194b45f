"""The steppers of the reaction model as the driver wants them, with what the theory watches."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from relaxon.reaction.equations.limit import density_from_difference
from relaxon.reaction.equations.two_species import norm_of, production_of, weighted_squares
from relaxon.reaction.scheme.asymptotic import Asymptotic
from relaxon.reaction.scheme.limit import Diffusive
from relaxon.reaction.scheme.split import Split
from relaxon.reaction.scheme.walls import Specular
from relaxon.stepping.stepper import Stepper


class Reacting(Stepper):
    r"""`Asymptotic` or `Specular` with diagnostics at every record.

    - `mass_difference`, conserved; `entropy` (5) relative to equilibrium; `entropy_production`
      (6), per unit of the scaled time;
    - `distance`, the norm (10) of the difference to equilibrium; `distance_local`, that to the
      local equilibrium $(\rho_f \chi_1, \rho_g \chi_2)$;
    - `box_clearance`, the relative distance of f and g to the box of Theorem 1.1, negative if the
      box has been left; `reaction_imbalance`, the largest $|\rho_f \rho_g - 1|$;
    - `amp1`, the amplitude $2 |\hat m_1|$ of the longest wave along the first axis;
    - `boxed`, `damped`: steps in which the box or the entropy had to be enforced.
    """

    inner: Asymptotic | Specular

    def start(self, f0: Any) -> Any:
        """The state at t = 0."""
        return self.inner.start(f0)

    def step(self, state: Any, t_stop: Array) -> Any:
        """One step."""
        return self.inner.step(state, t_stop)

    def fields(self, state: Any) -> dict[str, Array]:
        """f, g, rho_f, rho_g and m."""
        return self.inner.fields(state.y)

    def diagnostics(self, state: Any) -> dict[str, Array]:
        """The scalars listed above."""
        found = self.inner.diagnostics(state.y)
        core, share = self.inner.core, self.inner.share
        found["box_clearance"] = -found.pop("box_violation")
        distance, local = distances(state.y, core)
        return {
            **found,
            "entropy_production": share * production(state.y, core),
            "distance": jnp.sqrt(share) * distance,
            "distance_local": jnp.sqrt(share) * local,
            "amp1": core.grid.positions.amplitude(state.y.rho_f - state.y.rho_g),
            "boxed": state.boxed,
            "damped": state.damped,
        }


class Limiting(Stepper):
    """`Diffusive` with the diagnostics of the limit equation; `distance` is that of (10)."""

    inner: Diffusive

    def start(self, f0: Any) -> Any:
        """The state at t = 0."""
        return self.inner.start(f0)

    def step(self, state: Any, t_stop: Array) -> Any:
        """One attempted step."""
        return self.inner.step(state, t_stop)

    def fields(self, state: Any) -> dict[str, Array]:
        """m, rho_f and rho_g."""
        return self.inner.fields(state.y)

    def diagnostics(self, state: Any) -> dict[str, Array]:
        """Mass difference, entropy, distance to equilibrium, longest wave, extremes of m."""
        grid, m = self.inner.grid, state.y
        rho = density_from_difference(m)
        r = density_from_difference(grid.integrate(m) / grid.volume)
        square = weighted_squares((rho - r) ** 2, (1 / rho - 1 / r) ** 2, r)
        return {
            **self.inner.diagnostics(m),
            "distance": jnp.sqrt(grid.integrate(square)),
            "amp1": grid.amplitude(m),
            "boxed": state.boxed,
        }


def distances(y: Split, core: Asymptotic) -> tuple[Array, Array]:
    """Distances (10) to the equilibrium and to the local equilibrium."""
    eps, measured = core.epsilon, (y.rho_inf, core.masses, core.grid)
    whole = y.rho_f - y.rho_inf + eps * y.p, y.rho_g - 1.0 / y.rho_inf + eps * y.q
    return norm_of(*whole, *measured), norm_of(eps * y.p, eps * y.q, *measured)


def production(y: Split, core: Asymptotic) -> Array:
    """Entropy production (6) per unit of the scaled time; at epsilon = 0 its limit is not ours."""
    scale = jnp.where(core.epsilon > 0, core.epsilon, 1.0) ** 2
    F, G = y.rho_f + core.epsilon * y.p, y.rho_g + core.epsilon * y.q
    return production_of(F, G, core.masses, core.grid) / scale
