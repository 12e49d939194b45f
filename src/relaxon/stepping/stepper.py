"""What a time stepper offers to the driver `solve`."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import numpy as np
from jax import Array


class Stepper(eqx.Module):
    """Advances a state, one attempted step at a time.

    A state is an equinox module with at least `t`, `dt`, `steps`, `rejected` and `code`, the
    value of a `relaxon.Status` (FINE while nothing is wrong). It holds everything that the
    next step depends on, so that a run restored from a saved state goes on bit for bit.
    """

    @property
    def reference(self) -> str:
        """The paper of the method, for the report of a run; empty if there is none."""
        return ""

    @abc.abstractmethod
    def start(self, f0: Any) -> Any:
        """The state at t = 0."""

    @abc.abstractmethod
    def step(self, state: Any, t_stop: Array) -> Any:
        """One attempt, accepted or rejected; never passes `t_stop`, lands on it exactly."""

    @abc.abstractmethod
    def fields(self, state: Any) -> dict[str, Array]:
        """The distributions at the state, by name."""

    @abc.abstractmethod
    def diagnostics(self, state: Any) -> dict[str, Array]:
        """Scalars at the state, by name."""

    def complaints(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """Sentences on what makes the answer doubtful, for `Solution.warnings`.

        Args:
            t: Recorded times, shape (m,).
            diagnostics: What was recorded, each with its times on the first axis.
        """
        return []
