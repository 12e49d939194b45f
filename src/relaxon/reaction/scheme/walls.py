"""The reaction model between reflecting walls."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.grids.walls import WalledGrid
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.two_species import pair
from relaxon.reaction.scheme.asymptotic import Asymptotic, AsymptoticState
from relaxon.reaction.scheme.split import Split


class Specular(eqx.Module):
    """`Asymptotic` on the box with specular walls: same conservation, box and entropy.

    Needs profiles that are even in each velocity component that meets a wall; otherwise the
    equilibrium would not be reflected onto itself, and no steady state of the form of
    neumann2016 exists.

    Args:
        model: The equation.
        grid: Box and velocity nodes.
        dt: Largest step.
        **settings: Further settings of `Asymptotic`.
    """

    grid: WalledGrid
    inner: Asymptotic

    def __init__(self, model: KineticReaction, grid: WalledGrid, dt: float, **settings: Any):
        for name, chi in zip(("chi1", "chi2"), model.profiles(grid.doubled)):
            for axis in range(grid.d):
                odd = float(np.max(np.abs(chi - np.flip(chi, axis)))) / float(chi.max())
                require(
                    odd < 1e-10,
                    f"{name} must be even in velocity component {axis + 1} for reflecting "
                    f"walls, but its odd part is {odd:.2g} of its maximum.",
                )
        self.grid = grid
        self.inner = Asymptotic(model, grid.doubled, dt, **settings)

    @property
    def core(self) -> Asymptotic:
        """The scheme on the doubled torus."""
        return self.inner

    @property
    def share(self) -> float:
        """Share of the doubled torus that is the box."""
        return 0.5**self.grid.d

    def start(self, f0: Any) -> AsymptoticState:
        """State at t = 0 from the distributions on the box."""
        first, second = pair(f0, self.grid)
        return self.inner.start((self.grid.extend(first), self.grid.extend(second)))

    def step(self, state: AsymptoticState, t_stop: jax.Array) -> AsymptoticState:
        """One step of the doubled problem."""
        return self.inner.step(state, t_stop)

    def fields(self, y: Split) -> dict[str, jax.Array]:
        """f, g, rho_f, rho_g and m on the box."""
        fields = self.inner.fields(y)
        return {name: self.grid.restrict(value) for name, value in fields.items()}

    def diagnostics(self, y: Split) -> dict[str, jax.Array]:
        """As on the torus, per box, and how far the state is from its mirror image."""
        inner = self.inner.diagnostics(y)
        m = y.rho_f - y.rho_g
        return {
            **inner,
            "mass_difference": inner["mass_difference"] * self.share,
            "entropy": inner["entropy"] * self.share,
            "asymmetry": jnp.max(jnp.abs(m - self.grid.extend(self.grid.restrict(m)))),
        }
