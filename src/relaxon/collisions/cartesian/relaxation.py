"""A collision operator on a Cartesian grid as a flow to be stepped explicitly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.collisions.cartesian.equilibrium import excess_entropy, matched_maxwellian, monitor
from relaxon.collisions.cartesian.limiter import limited
from relaxon.collisions.cartesian.radon_operator import RadonOperator
from relaxon.distributions.functionals import fisher_information
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.room import WARNED, outside
from relaxon.stepping.stabilized import Flow
from relaxon.stepping.status import Status

REMOVED = 1e-4
"""More than this, removed in all by the projection onto the invariants, is worth a warning."""

LIMITED = 1e-3
"""More than this share of the mass, moved in all by the limiter, is worth a warning."""


class CartesianRelaxation(Flow):
    """df/dt = operator(f) with mass, momentum, energy exact, Maxwellians stationary, f >= 0.

    Attributes:
        operator: Maps f to its conservative rate of change.
        grid: The Cartesian grid.
        v_max: The largest Vhat of a screened operator, whose Penrose margin is then watched at
            every step; None for Landau.
    """

    operator: Any
    grid: VelocityGrid = eqx.field(static=True)
    v_max: Array | None = None

    def rate(self, y: Array) -> tuple[Array, Array]:
        """The operator at y, and the norm of what its projection onto the invariants removed."""
        return self.operator.conserved(y)

    def level(self, y: Array) -> Array:
        """Entropy relative to the Maxwellian of the same invariants; must not increase."""
        return excess_entropy(y, self.grid)

    def limited(self, y: Array, level: Array) -> Array:
        """No negative values, no more entropy than before; the invariants stay."""
        return limited(y, level, self.grid)

    def smoothed(self, error: Array, stiffness: Array) -> Array:
        """The error as a diffusion over the step leaves it: kinks of the limiter do not count."""
        return self.grid.resolvent(error, stiffness)

    def failure(self, y: Array) -> Array:
        """PENROSE_UNSTABLE if the margin of a screened operator is negative."""
        if self.v_max is None:
            return jnp.asarray(int(Status.FINE), jnp.int32)
        return jnp.where(self.margin(y) < 0, Status.PENROSE_UNSTABLE, Status.FINE).astype(jnp.int32)

    def margin(self, y: Array) -> Array:
        """The signed Penrose margin; see `RadonOperator.stability`."""
        assert isinstance(self.operator, RadonOperator)
        return self.operator.stability(y, self.v_max)

    def fields(self, y: Array) -> dict[str, Array]:
        """The distribution."""
        return {"f": y}

    def diagnostics(self, y: Array) -> dict[str, Array]:
        """Invariants, second moments, entropy, Fisher information, least and largest value."""
        grid = self.grid
        found = monitor(y, grid)
        target = matched_maxwellian(y, grid)
        found["temperature"] = target.temperature
        for i in range(grid.d):
            centred = grid.v[..., i] - target.mean[i]
            found[f"temperature_{i}"] = grid.integrate(y * centred**2) / found["mass"]
        deviation = y - target.values(grid)
        found["distance_l2"] = jnp.sqrt(grid.integrate(deviation**2))
        found["fisher_information"] = fisher_information(y, grid)
        found["energy_outside"] = outside(y, grid)
        if self.v_max is not None:
            found["penrose_margin"] = self.margin(y)
        return found

    def complaints(self, diagnostics: Mapping[str, np.ndarray], rtol: float) -> list[str]:
        """A box that is narrow for the equilibrium; a projection that does more than round."""
        found = []
        beyond = float(diagnostics["energy_outside"][0])
        if beyond > WARNED:
            found.append(
                f"v_max leaves out {beyond:.1e} of the thermal energy of the equilibrium, and the "
                "relaxation is off by about as much: raise v_max (and n with it)."
            )
        removed = float(diagnostics["removed"][-1])
        if removed > max(REMOVED, 10 * rtol):
            found.append(
                f"Keeping mass, momentum and energy changed f by {removed:.1e} in all (relative "
                "L2), which is what the grid does not resolve: raise n (or v_max)."
            )
        changed = float(diagnostics["limited"][-1])
        if changed > max(LIMITED, 10 * rtol):
            found.append(
                f"Keeping f >= 0 and the entropy from rising moved {changed:.1e} of the mass in "
                "all, which is what the grid does not resolve: raise n, or smooth the data."
            )
        return found
