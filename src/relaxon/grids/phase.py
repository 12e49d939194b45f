"""Phase space: a torus times velocity nodes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.memory import ARRAYS, require_memory
from relaxon.core.registry import storable
from relaxon.grids.base import PhaseSpace
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import VelocityNodes, nodes_of


@storable("grid", build="from_file", replaces={"scale": "v_max", "v_max": "scale"})
class PhaseGrid(PhaseSpace):
    """Torus times velocity nodes; a distribution has shape `torus.shape + velocity.shape`.

    Position and velocity may have different dimensions: the first `min` components of the
    velocity move the position, further ones are carried along.

    Args:
        torus: Positions.
        velocity: Velocity nodes.
    """

    widens = ("v_max",)

    torus: TorusGrid
    velocity: VelocityNodes

    def __init__(self, torus: Any, velocity: Any):
        require(
            isinstance(torus, TorusGrid),
            f"torus must be a TorusGrid, but is a {type(torus).__name__}.",
        )
        require(
            isinstance(velocity, VelocityNodes),
            "velocity must be velocity nodes (UniformNodes or MappedNodes), "
            f"but is a {type(velocity).__name__}.",
        )
        what = f"A phase space of {torus.size} positions and {velocity.size} velocities"
        points = torus.size * velocity.size
        require_memory(what, ARRAYS * points, "take a smaller n or fewer nodes")
        self.torus, self.velocity = torus, velocity

    @classmethod
    def from_file(
        cls,
        d: int = 1,
        n: int = 32,
        length: float = 1.0,
        dv: int | None = None,
        nodes: int = 24,
        v_max: float | None = None,
        scale: float | None = None,
    ) -> PhaseGrid:
        """The grid from numbers: a torus times `nodes` velocities; see `nodes_of`."""
        return cls(TorusGrid(d, n, length), nodes_of(d if dv is None else dv, nodes, v_max, scale))

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, positions first: densities have the leading ones."""
        return {**self.torus.coordinates(), **self.velocity.coordinates()}

    @property
    def positions(self) -> TorusGrid:
        """The torus."""
        return self.torus

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a distribution: positions first."""
        return self.torus.shape + self.velocity.shape

    @property
    def x(self) -> jax.Array:
        """Positions, shape `torus.shape + (d,)`."""
        return self.torus.x

    @property
    def v(self) -> np.ndarray:
        """Velocities, shape `velocity.shape + (d_v,)`."""
        return self.velocity.v

    @property
    def drift(self) -> np.ndarray:
        """What moves the position: shape `(velocity.size, torus.d)`, zero where v is too short."""
        nodes = self.velocity.v.reshape(self.velocity.size, -1)
        moved = np.zeros((self.velocity.size, self.torus.d))
        common = min(self.torus.d, self.velocity.d)
        moved[:, :common] = nodes[:, :common]
        return moved

    def density(self, f: jax.Array) -> jax.Array:
        """Integral over velocities, shape `torus.shape`."""
        return self.velocity.integrate(f)

    def integrate(self, f: jax.Array) -> jax.Array:
        """Integral over phase space."""
        return self.torus.integrate(self.density(f))

    def velocity_first(self, f: jax.Array) -> jax.Array:
        """Reshape a distribution to `(velocity.size,) + torus.shape`: the axis to split."""
        flat = jnp.reshape(f, (*self.torus.shape, self.velocity.size))
        return jnp.moveaxis(flat, -1, 0)

    def position_first(self, f: jax.Array) -> jax.Array:
        """Inverse of `velocity_first`."""
        return jnp.reshape(jnp.moveaxis(f, 0, -1), self.shape)

    def transport(self, f: jax.Array) -> jax.Array:
        r"""$v \cdot \nabla_x f$ by Fourier differentiation in x."""
        first = self.velocity_first(f)
        gradient = self.torus.gradient(first)
        drift = jnp.asarray(self.drift)
        pad = (slice(None),) + (None,) * self.torus.d
        moved = [drift[:, i][pad] * gradient[i] for i in range(self.torus.d)]
        total = jnp.sum(jnp.stack(moved), axis=0)
        return self.position_first(total)
