"""What a stiff system offers to an implicit stepper."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import numpy as np
from jax import Array

State = Array
"""The unknown, one array (several fields are stacked)."""


class System(eqx.Module):
    """An ordinary differential equation dy/dt = rate(t, y) that can be solved implicitly.

    Attributes:
        lyapunov_names: Names of the functionals that `lyapunov` returns.
    """

    lyapunov_names: tuple[str, ...] = eqx.field(static=True)

    @abc.abstractmethod
    def encode(self, f0: Any) -> State:
        """The unknown of the initial distribution f0."""

    @abc.abstractmethod
    def fields(self, t: Array, y: State) -> dict[str, Array]:
        """The distributions that a solution keeps: "f", and further ones by name."""

    @abc.abstractmethod
    def diagnostics(self, t: Array, y: State) -> dict[str, Array]:
        """Scalars that a solution keeps: invariants, entropies, distances."""

    @abc.abstractmethod
    def frozen(self, t: Array, y: State) -> System:
        """The system with the choices that depend on y made, and held, for one step from y."""

    @abc.abstractmethod
    def rate(self, t: Array, y: State) -> State:
        """dy/dt."""

    @abc.abstractmethod
    def linearize(self, t: Array, y: State) -> Callable[[Array], Callable[[State], State]]:
        """tau -> (rhs -> (1 - tau J)^-1 rhs) with J the derivative of `rate` in y."""

    @abc.abstractmethod
    def size(self, t: Array, y: State) -> Array:
        """The norms of the solution against which a step's error is held: a scalar, or (k,)."""

    @abc.abstractmethod
    def error(self, t: Array, y: State, defect: State) -> Array:
        """The same norms of a small change `defect` of y; each is held against its size."""

    @abc.abstractmethod
    def constrain(self, t: Array, y: State) -> State:
        """Remove from y what rounding did to quantities that the equation conserves."""

    @abc.abstractmethod
    def admissible(self, t: Array, y: State) -> Array:
        """True if y is inside the bounds that the equation keeps; else a step is rejected."""

    @abc.abstractmethod
    def lyapunov(self, t: Array, y: State) -> Array:
        """Functionals that must not increase along solutions, shape (m,); checked every step.

        NaN where a functional is not resolved.
        """

    def complaints(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """Sentences on what makes the answer doubtful; see `Stepper.complaints`."""
        return []

    @abc.abstractmethod
    def failure(self, t: Array, y: State) -> Array:
        """FINE, or the `Status` with which a run must end at y (BLOWUP, PENROSE_UNSTABLE)."""
