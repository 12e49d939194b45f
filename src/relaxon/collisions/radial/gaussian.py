"""What a Maxwellian does to the others in closed form: lambda_1[M] and a[M], in full precision."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.special import erf

from relaxon.distributions.hot_spot import PEAK

SMALL = 0.6
"""Below this z = r/(2 T)^(1/2) series are summed: there the closed forms cancel."""


class Gauss(eqx.Module):
    """Density, lambda_1 and a = tr A at the centres of a Maxwellian, each of shape (n,)."""

    density: Array
    lam: Array
    trace: Array

    @property
    def across(self) -> Array:
        """lambda_2 = (a - lambda_1)/2."""
        return (self.trace - self.lam) / 2


def gaussian_coefficients(r: Array, mass: Array, temperature: Array) -> Gauss:
    r"""Of a Maxwellian in closed form.

    $$ a = \frac{\rho}{4 \pi r} \operatorname{erf} z, \quad
       \lambda_1 = \frac{T \rho}{4 \pi r^3} \Big( \operatorname{erf} z - \frac{2 z}{\sqrt\pi}
       e^{-z^2} \Big), \quad z = r / \sqrt{2 T}, $$

    which follow from gualdani2025 (2.15) and from stationarity.
    """
    width = jnp.sqrt(2 * temperature)
    z = r / width
    density = mass * (2 * jnp.pi * temperature) ** -1.5 * jnp.exp(-(z**2))
    small = z < SMALL
    # Each branch gets a harmless argument where it is not used: its derivative must be no NaN.
    low, safe = jnp.where(small, z, 0.0), jnp.where(small, 1.0, z)
    erf_part = jax.scipy.special.erf(safe)
    cubic = (erf_part - 2 * safe * jnp.exp(-(safe**2)) / math.sqrt(math.pi)) / safe**3
    strength = mass / (4 * jnp.pi * width)
    lam = strength / 2 * jnp.where(small, _series(low, 3, 0), cubic)
    return Gauss(density, lam, strength * jnp.where(small, _series(low, 1, 0), erf_part / safe))


def unit_excess(r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lambda_1[M] - c0, a[M] - 3 c0, M - M(0)) without cancellation near r = 0.

    They are O(r^2), gualdani2025 (3.3): the reason why E follows its own equation (2.1).
    """
    z = r / math.sqrt(2)
    small = z < SMALL
    low, safe = np.where(small, z, 0.0), np.where(small, 1.0, z)
    cubic = (erf(safe) - 2 * safe * np.exp(-(safe**2)) / math.sqrt(math.pi)) / safe**3
    strength = 1 / (4 * math.pi * math.sqrt(2))
    # Beyond SMALL the excess is a sizeable part of the value: the subtraction costs no digits.
    lam = strength / 2 * np.where(small, _series(low, 3, 1), cubic - _series(0.0, 3, 0))
    trace = strength * np.where(small, _series(low, 1, 1), erf(safe) / safe - _series(0.0, 1, 0))
    return lam, trace, PEAK * np.expm1(-(r**2) / 2)


def _series(z: Any, power: int, first: int) -> Any:
    """4/sqrt(pi) (power 3) or 2/sqrt(pi) (power 1) sum_k>=first (-1)^k z^2k/(k! (2k + power))."""
    total = 0.0 * z
    # 14 terms: the first one left out is below 1e-18 at z = SMALL. Smallest terms first.
    for k in range(13, first - 1, -1):
        total = total + (-1) ** k / (math.factorial(k) * (2 * k + power)) * z ** (2 * k)
    return total * (4 if power == 3 else 2) / math.sqrt(math.pi)
