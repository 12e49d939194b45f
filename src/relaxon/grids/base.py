"""What grids have in common: where a function lives, and how it is integrated."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax
import numpy as np

Operator = Callable[[jax.Array], jax.Array]
"""A linear operator on scalar fields."""


class Grid(abc.ABC):
    """Where a distribution or a density lives.

    `refines` are the settings of a case file that make the grid finer, `widens` those that make
    its box wider.
    """

    refines: ClassVar[tuple[str, ...]] = ("n",)
    widens: ClassVar[tuple[str, ...]] = ()

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of a function on the grid."""

    @abc.abstractmethod
    def coordinates(self) -> Mapping[str, Any]:
        """Names and values of the axes, for labelled arrays."""

    @abc.abstractmethod
    def integrate(self, f: jax.Array) -> jax.Array:
        """The integral of a function on the grid; leading axes are kept."""

    def check(self, f: Any, name: str = "f") -> jax.Array:
        """The density f, or an `InputError` that names it if the grid cannot carry it."""
        return f


class Positions(eqx.Module, Grid):
    """A space of positions: the torus, or a line under a confining potential.

    All operations act on the last `d` axes and keep leading ones. A divergence has integral zero,
    and is the adjoint of minus the gradient, in the measure of `integrate`.
    """

    d: eqx.AbstractVar[int]
    n: eqx.AbstractVar[int]

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """Number of points."""

    @property
    @abc.abstractmethod
    def axes(self) -> tuple[int, ...]:
        """The axes that hold the positions, counted from the last."""

    @property
    @abc.abstractmethod
    def x(self) -> jax.Array:
        """Points, shape `(*shape, d)`."""

    @property
    @abc.abstractmethod
    def volume(self) -> jax.Array | float:
        """The integral of one."""

    @property
    @abc.abstractmethod
    def fourier(self) -> Fourier | None:
        """These positions as ones with Fourier modes, or None if they have none."""

    @property
    @abc.abstractmethod
    def light_ends(self) -> bool:
        """Whether points carry so little weight somewhere that nodal values there are rough."""

    @abc.abstractmethod
    def gradient(self, u: jax.Array) -> jax.Array:
        """Gradient of u, shape `(d, *u.shape)`."""

    @abc.abstractmethod
    def divergence(self, flux: jax.Array) -> jax.Array:
        """Divergence of `flux`, whose first axis counts the components."""

    @abc.abstractmethod
    def amplitude(self, m: jax.Array) -> jax.Array:
        """Size of the slowest structure in m along the first axis."""

    @abc.abstractmethod
    def top(self, u: jax.Array) -> jax.Array:
        """Largest value of the functions that samples u, shape `(N, *shape)`, stand for.

        It may lie between the points, but is not that of an overshoot at a jump.
        """

    @abc.abstractmethod
    def limited(self, old: jax.Array, new: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """From `old` inside [low, high] to `new` as far as the bounds allow, same integral."""

    @abc.abstractmethod
    def exchange(self, coefficients: list[jax.Array]) -> tuple[Operator, Operator | None]:
        """u minus its diffusive exchange with nearest neighbours, and an approximate inverse.

        Args:
            coefficients: Step times diffusivity along each axis, at the points.
        """


class Fourier(Positions):
    """Positions whose gradient is diagonal in Fourier modes."""

    length: eqx.AbstractVar[float]

    @property
    @abc.abstractmethod
    def spacing(self) -> float:
        """Distance between neighbours."""

    @property
    @abc.abstractmethod
    def wavenumbers(self) -> np.ndarray:
        """Wave vectors of the half-complex transform, shape `(d, ...)`; Nyquist 0."""

    @property
    @abc.abstractmethod
    def full_wavenumbers(self) -> np.ndarray:
        """The same with the Nyquist frequency: for second derivatives."""

    @abc.abstractmethod
    def transform(self, u: jax.Array) -> jax.Array:
        """Half-complex Fourier transform over the positions."""

    @abc.abstractmethod
    def inverse(self, u_hat: jax.Array) -> jax.Array:
        """Inverse of `transform`."""


class PhaseSpace(eqx.Module, Grid):
    """Positions times velocities; a distribution has the positions first.

    "Velocity first" is a distribution as `(number of velocities, *positions)`: the axis that is
    split over devices and summed in moments.
    """

    refines = ("n", "nodes")

    velocity: eqx.AbstractVar[Any]

    @property
    @abc.abstractmethod
    def positions(self) -> Positions:
        """Where the densities live."""

    @property
    @abc.abstractmethod
    def drift(self) -> Any:
        """What moves the position: shape `(number of velocities, positions.d)`."""

    @abc.abstractmethod
    def density(self, f: jax.Array) -> jax.Array:
        """Integral over velocities, of the shape of the positions."""

    @abc.abstractmethod
    def velocity_first(self, f: jax.Array) -> jax.Array:
        """A distribution with the velocities, flattened, as leading axis."""

    @abc.abstractmethod
    def position_first(self, f: jax.Array) -> jax.Array:
        """Inverse of `velocity_first`."""

    @abc.abstractmethod
    def transport(self, f: jax.Array) -> jax.Array:
        """What free transport does to a distribution (on a confined line: to a ratio)."""
