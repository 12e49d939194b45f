"""What an equation offers: a rate of change, its invariants, its equilibrium, its data."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.core.errors import InputError, require


class Equation(eqx.Module):
    """A kinetic equation df/dt = rhs(f).

    It knows no time method, and grids know no equation.
    """

    reference: ClassVar[str] = ""
    """The paper of the theory, for the report of a run."""

    @abc.abstractmethod
    def rhs(self, f: Any, grid: Any) -> Any:
        """df/dt at the distribution f, of the grid's shape."""

    @abc.abstractmethod
    def invariants(self, f: Any, grid: Any) -> dict[str, Array]:
        """The integrals that the equation conserves (or, with a source, watches).

        Their names are those of `relaxon.core.invariants`.
        """

    @abc.abstractmethod
    def equilibrium(self, f: Any, grid: Any) -> Any:
        """The steady state that f relaxes to: that of the same invariants."""

    def require_grid(self, grid: Any) -> None:
        """Raise `InputError` unless this equation has an operator on the grid."""

    def checked_data(self, f0: Any, grid: Any) -> Any:
        """Initial data as the equation takes them: a density on the grid, finite and >= 0.

        Raises:
            InputError: Wrong shape, NaN or negative values, an empty distribution, or a box that
                cuts the distribution off.
        """
        return grid.check(density("f0", f0, grid.shape), "f0")


def density(name: str, value: Any, shape: Any) -> Array:
    """`value` as an array of this shape, finite, >= 0, not zero everywhere; else one sentence."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "c":
            raise TypeError
        array = array.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be an array of numbers, but is {value!r}.") from None
    require(
        array.shape == tuple(shape),
        f"{name} must have the grid's shape {tuple(shape)}, but has {array.shape}.",
    )
    bad = int(np.sum(~np.isfinite(array)))
    require(bad == 0, f"{name} must be finite, but has {bad} values that are NaN or infinite.")
    low = float(np.min(array))
    require(low >= 0, f"{name} must be >= 0, but its minimum is {low:.3g}.")
    require(float(np.max(array)) > 0, f"{name} must not vanish everywhere.")
    return jnp.asarray(array)
