"""A collision operator on a Cartesian grid as a flow to be stepped explicitly."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.cartesian.equilibrium import excess_entropy, matched_maxwellian, monitor
from relaxon.collisions.cartesian.radon_operator import RadonOperator
from relaxon.distributions.functionals import fisher_information
from relaxon.grids.cartesian import VelocityGrid
from relaxon.stepping.stabilized import Flow
from relaxon.stepping.status import Status


class CartesianRelaxation(Flow):
    """df/dt = operator(f): mass, momentum, energy exact; Maxwellians stationary to rounding.

    Attributes:
        operator: Maps f to its conservative rate of change.
        grid: The Cartesian grid.
        v_max: The largest Vhat of a screened operator, whose Penrose margin is then watched at
            every step; None for Landau.
    """

    operator: Any
    grid: VelocityGrid = eqx.field(static=True)
    v_max: Array | None = None

    def rate(self, y: Array) -> Array:
        """The operator at y."""
        return self.operator(y)

    def level(self, y: Array) -> Array:
        """Entropy relative to the Maxwellian of the same invariants; must not increase."""
        return excess_entropy(y, self.grid)

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
        if self.v_max is not None:
            found["penrose_margin"] = self.margin(y)
        return found
