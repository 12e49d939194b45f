"""Equal steps by a rational approximation of the exponential: for linear equations."""

from __future__ import annotations

import abc
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.stepping.control import equal_step
from relaxon.stepping.status import Status
from relaxon.stepping.stepper import Stepper

DEGREE = 6
"""Poles of the approximation."""


def partial_fractions(degree: int = DEGREE) -> tuple[np.ndarray, np.ndarray]:
    r"""Poles and residues of the L-stable Pade approximation of degree (m-1, m) to $e^z$.

    $$ e^z \approx \sum_i \frac{r_i}{z_i - z} $$

    Its order is 2m - 1, $|e^z - R(z)| \le 4.5 \times 10^{-12} |z|^{12}$ for small z and m = 6.
    """
    f, m, j = math.factorial, degree, degree - 1
    # Numerator of degree m - 1 and denominator of degree m, ascending powers.
    upper = [f(j + m - i) * f(j) / (f(j + m) * f(i) * f(j - i)) for i in range(j + 1)]
    lower = [(-1) ** i * f(j + m - i) * f(m) / (f(j + m) * f(i) * f(m - i)) for i in range(m + 1)]
    poles = np.roots(lower[::-1])
    slope = np.polyder(np.array(lower[::-1]))
    # Residues of sum r_i/(z_i - z): minus those in z - z_i.
    return poles, -np.polyval(upper[::-1], poles) / np.polyval(slope, poles)


class LinearState(eqx.Module):
    """State of a run: time, next step, what is advanced, counters, failure code."""

    t: Array
    dt: Array
    y: Any
    steps: Array
    rejected: Array
    code: Array


class Exponential(Stepper):
    """Equal steps with an approximation of the exponential; what is advanced is up to heirs.

    Attributes:
        largest: Largest step.
    """

    largest: eqx.AbstractVar[Array]

    @abc.abstractmethod
    def advanced(self, y: Any, h: Array) -> Any:
        """The state a time h later."""

    def begun(self, y: Any) -> LinearState:
        """The state of a run at t = 0."""
        zero = jnp.int32(0)
        return LinearState(jnp.asarray(0.0), self.largest, y, zero, zero, zero)

    def step(self, state: LinearState, t_stop: Array) -> LinearState:
        """One step, one of equal steps to t_stop."""
        attempt = equal_step(state.t, t_stop, self.largest)
        y = self.advanced(state.y, attempt.h)
        finite = jnp.isfinite(sum(jnp.sum(part) for part in jax.tree.leaves(y)))
        code = jnp.where(finite, Status.FINE, Status.NON_FINITE).astype(jnp.int32)
        return LinearState(attempt.t, attempt.h, y, state.steps + 1, state.rejected, code)
