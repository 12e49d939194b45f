"""What an equation offers: a rate of change, its coefficients, its invariants, its equilibrium."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import equinox as eqx
from jax import Array


class Equation(eqx.Module):
    """A spatially homogeneous kinetic equation df/dt = div(D grad f - P f) + source.

    It knows no time method, and grids know no equation.
    """

    reference: ClassVar[str] = ""
    """The paper of the theory, for the report of a run."""

    @abc.abstractmethod
    def rhs(self, f: Array, grid: Any) -> Array:
        """df/dt at the distribution f, of the grid's shape."""

    @abc.abstractmethod
    def coefficients(self, f: Array, grid: Any) -> tuple[Any, Array]:
        """The diffusion D[f] and the friction P[f]."""

    @abc.abstractmethod
    def invariants(self, f: Array, grid: Any) -> dict[str, Array]:
        """The integrals that the equation conserves (or, with a source, watches)."""

    @abc.abstractmethod
    def equilibrium(self, f: Array, grid: Any) -> Array:
        """The Maxwellian with the mass, momentum and energy of f."""
