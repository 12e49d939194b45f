"""A box with reflecting walls, as the symmetric part of a torus of twice its size."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.memory import ARRAYS, require_memory
from relaxon.core.numbers import dimension, number, whole
from relaxon.core.registry import storable
from relaxon.core.types import Whole
from relaxon.grids.base import Grid
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid, axis_names
from relaxon.grids.velocity_nodes import VelocityNodes, nodes_of


@storable("grid", build="from_file", replaces={"scale": "v_max", "v_max": "scale"})
class WalledGrid(eqx.Module, Grid):
    r"""The unit box $[0,1]^d$ with specular walls, times velocity nodes.

    A distribution that is reflected at the walls, $f(x, v) = f(x, v - 2 (v \cdot n) n)$, is
    the restriction of one on the torus of length 2 with $f(-x_a, -v_a) = f(x_a, v_a)$ along
    each axis. Free transport and local reactions keep this symmetry, so the torus solver is the
    solver with walls, and mass and kinetic energy are reflected exactly.

    Points are $x_i = i/n$, i = 0 ... n, both walls included.

    Args:
        d: Dimension of the box.
        n: Intervals along each axis (`n + 1` points).
        velocity: Velocity nodes of dimension at least d, symmetric as all rules here are.
    """

    refines = ("n", "nodes")
    widens = ("v_max",)

    d: int = eqx.field(static=True)
    n: int = eqx.field(static=True)
    velocity: VelocityNodes

    def __init__(self, d: Whole, n: Whole, velocity: VelocityNodes):
        self.d, self.n, self.velocity = dimension(d), whole("n", n, 2), velocity
        require(
            isinstance(velocity, VelocityNodes),
            "velocity must be velocity nodes (UniformNodes or MappedNodes), "
            f"but is a {type(velocity).__name__}.",
        )
        require(
            self.velocity.d >= self.d,
            f"The velocity has dimension {self.velocity.d}, but the box {self.d}.",
        )
        positions = (2 * self.n) ** self.d  # of the doubled box
        what = f"A box of {self.n}^{self.d} cells with {self.velocity.size} velocities"
        points = positions * self.velocity.size
        require_memory(what, ARRAYS * points, "take a smaller n or fewer nodes")

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
    ) -> WalledGrid:
        """The grid from numbers, those of `PhaseGrid.from_file`; the box has sides of length 1."""
        require(
            number("length", length) == 1.0,
            f"The box has sides of length 1, but length is {length}.",
        )
        return cls(d, n, nodes_of(d if dv is None else dv, nodes, v_max, scale))

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, positions first."""
        line = np.arange(self.n + 1) / self.n
        positions = {name: line for name in axis_names("x", self.d)}
        return {**positions, **self.velocity.coordinates()}

    @property
    def doubled(self) -> PhaseGrid:
        """The torus of length 2 times the velocity nodes."""
        return PhaseGrid(TorusGrid(self.d, 2 * self.n, 2.0), self.velocity)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a distribution: positions first."""
        return (self.n + 1,) * self.d + self.velocity.shape

    @property
    def x(self) -> jax.Array:
        """Positions, shape `(n+1, ..., d)`."""
        line = jnp.arange(self.n + 1) / self.n
        return jnp.stack(jnp.meshgrid(*[line] * self.d, indexing="ij"), axis=-1)

    def extend(self, f: jax.Array) -> jax.Array:
        """A field on the box (with or without velocities) to the doubled torus.

        Leading axes are kept; a field has velocities if its last axes are those of `shape`.
        """
        whole = f.shape[-len(self.shape) :] == self.shape
        return self._extended(f, self.velocity.d if whole else 0)

    def _extended(self, f: jax.Array, velocities: int) -> jax.Array:
        """The extension of a field whose last axes are so many of velocity."""
        first = f.ndim - velocities - self.d
        for axis in range(first, first + self.d):
            inner = jnp.flip(jnp.take(f, jnp.arange(1, self.n), axis=axis), axis)
            if velocities:
                inner = jnp.flip(inner, self.d + axis)
            f = jnp.concatenate([f, inner], axis=axis)
        return f

    def restrict(self, f: jax.Array) -> jax.Array:
        """A field on the doubled torus to the box; the mean over the mirror images at the walls.

        Leading axes are kept, as in `extend`.
        """
        shape = self.doubled.shape
        with_velocity = f.shape[-len(shape) :] == shape
        first = f.ndim - (len(shape) if with_velocity else self.d)
        for axis in range(first, first + self.d):
            # Flip and roll by one is x -> -x on the torus: the walls x = 0 and x = 1 stay in place.
            image = jnp.roll(jnp.flip(f, axis), 1, axis)
            if with_velocity:
                image = jnp.flip(image, self.d + axis)
            f = 0.5 * (f + image)
            f = jnp.take(f, jnp.arange(self.n + 1), axis=axis)
        return f

    def integrate_position(self, u: jax.Array) -> jax.Array:
        """Integral of a density over the box: half that of its extension along each axis."""
        return self.doubled.torus.integrate(self._extended(u, 0)) / 2.0**self.d

    def integrate(self, f: jax.Array) -> jax.Array:
        """Integral of a distribution over the box and all velocities."""
        return self.integrate_position(self.velocity.integrate(f))
