r"""The explicit rates and the true one of an equation of the reaction model in its own time.

The theory is written for epsilon = 1. The scaled equations (9) of neumann2016 are those with
epsilon = 1, wave numbers epsilon k and time t/epsilon^2, so their rates are those of epsilon k
over epsilon^2; under a confining potential temperatures epsilon^2 T stand for the scaling.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import numpy as np

from relaxon.reaction.equations.confined import ConfinedReaction, LinearizedConfined
from relaxon.reaction.equations.kinetic import KineticReaction, LinearizedReaction
from relaxon.reaction.theory.confined_rates import confined_dms_constants
from relaxon.reaction.theory.confined_spectrum import ConfinedGap, confined_gap
from relaxon.reaction.theory.hypocoercivity import (
    hypocoercive_rates,
    rate_map,
    rate_of_constants,
)
from relaxon.reaction.theory.spectrum import critical_wavenumber, spectral_gap


@dataclasses.dataclass(frozen=True)
class ScaledRates:
    r"""Decay rates of the norm in the time of an equation with its epsilon.

    Attributes:
        dms: What neumann2016, Theorem 2.1 proves with the best weight.
        h1: What the method of its section 2.2 proves with the best weights; None under a
            confining potential.
        true: The spectral gap.
        rho_inf: Density at equilibrium.
        k: Wave number of the wave, times epsilon; None under a confining potential.
        error: Error of `true`: 0 on a torus, an estimate under a confining potential.
        beyond: By how much faster than `true` the densities decay where no isolated eigenvalue
            exists; None where one does. The norm then is
            $C e^{-true \, t} (1 + O(e^{-2 beyond \, t}))$.
    """

    dms: float
    h1: float | None
    true: float
    rho_inf: float
    k: float | None
    error: float = 0.0
    beyond: float | None = None

    @property
    def told(self) -> str:
        """The true rate with its error in words."""
        return f"{self.true:.4g}" + (
            f" +- {self.error:.1g}" if self.error > 1e-4 * self.true else ""
        )


@dataclasses.dataclass(frozen=True)
class RateMap:
    """Norm rates over densities and wave numbers, for Gaussian profiles and epsilon = 1.

    Attributes:
        rho_inf: Densities at equilibrium, shape (m,).
        k: Wave numbers, shape (n,).
        true: The spectral gap, shape (m, n).
        dms: What Theorem 2.1 proves, shape (m, n).
        critical: The wave number beyond which no discrete eigenvalue is left, shape (m,).
    """

    rho_inf: np.ndarray
    k: np.ndarray
    true: np.ndarray
    dms: np.ndarray
    critical: np.ndarray


def gaussian_variances(equation: Any) -> tuple[float, float] | None:
    """T1 and T2 if the profiles of a kinetic equation are isotropic Gaussians, else None."""
    found = []
    for chi in (equation.chi1, equation.chi2):
        if chi.name != "gaussian" or chi.parameters is None:
            return None
        found.append(float(dict(chi.parameters).get("variance", 1.0)))
    return found[0], found[1]


def scaled_rates(equation: Any, rho_inf: float, length: float) -> ScaledRates | None:
    """The rates of an equation of the reaction model.

    Args:
        equation: `KineticReaction`, `ConfinedReaction` or the linearisation of one of them.
        rho_inf: Density of the first species at equilibrium.
        length: Length of the longest wave; of no meaning under a confining potential.

    Returns:
        The rates; None for another equation, and for profiles that are not isotropic Gaussians.
    """
    if isinstance(equation, ConfinedReaction | LinearizedConfined):
        square = equation.epsilon**2
        dms, under = _confined(
            rho_inf, square * equation.T1, square * equation.T2, equation.potential
        )
        rate, error = under.rate / square, under.error / square
        return ScaledRates(dms / square, None, rate, rho_inf, None, error)
    if not isinstance(equation, KineticReaction | LinearizedReaction):
        return None
    variances = gaussian_variances(equation)
    if variances is None:
        return None
    k, square = equation.epsilon * 2 * math.pi / length, equation.epsilon**2
    found, gap = hypocoercive_rates(rho_inf, *variances, k), spectral_gap(rho_inf, *variances, k)
    beyond = None
    if gap.eigenvalue is None and gap.density_rate is not None:
        beyond = (gap.density_rate - gap.rate) / square
    proven = found.dms / square, found.h1 / square
    return ScaledRates(*proven, gap.rate / square, rho_inf, k, 0.0, beyond)


@functools.lru_cache(maxsize=4)
def gaussian_map(T1: float, T2: float) -> RateMap:
    """The rates for rho_inf from 0.2 to 5 and k sqrt(T) from 0.1 to 20; kept, as it costs 1 s."""
    r, k = np.geomspace(0.2, 5.0, 23), np.geomspace(0.1, 20.0, 24) / np.sqrt(max(T1, T2))
    table = rate_map(r, k, T1, T2, ("true", "dms"))
    critical = np.array([critical_wavenumber(one, T1, T2) for one in r])
    return RateMap(r, k, table["true"], table["dms"], critical)


@functools.lru_cache(maxsize=16)
def _confined(r: float, T1: float, T2: float, potential: Any) -> tuple[float, ConfinedGap]:
    """Proven and true; kept, for a report asks for them several times and they cost a second."""
    proven = rate_of_constants(confined_dms_constants(r, T1, T2, potential))
    return proven.rate, confined_gap(r, T1, T2, potential)
