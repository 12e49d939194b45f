"""Operators with a known fault: what the spoiled twins put in the place of the code under test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from relaxon.collisions.landau import Landau
from relaxon.collisions.lenard_balescu import LenardBalescu
from relaxon.collisions.linear.linearized import Linearized, linearized
from relaxon.collisions.linear.sector import Sector
from relaxon.distributions.gaussians import gaussian_mixture
from relaxon.screening.potentials import Potential


@dataclasses.dataclass(frozen=True)
class WrongDiffusion:
    """The Landau operator with a wrong factor on lambda_1.

    Attributes:
        factor: The factor as a function of |v|.
    """

    factor: Callable[[Any], Any]

    def coefficients(self, f: Any, grid: Any) -> Any:
        """((lambda_1, lambda_2), P) at the faces, lambda_1 times the factor."""
        (lam1, lam2), friction = Landau().coefficients(f, grid)
        return (lam1 * self.factor(grid.faces), lam2), friction

    def rhs(self, f: Any, grid: Any) -> Any:
        """The right rate: the fault is in the coefficients only."""
        return Landau().rhs(f, grid)


@dataclasses.dataclass(frozen=True)
class WrongRate:
    """The Lenard-Balescu operator with its rate changed.

    Attributes:
        equation: The right one.
        change: (rate, f, grid) -> the wrong rate.
    """

    equation: LenardBalescu
    change: Callable[[Any, Any, Any], Any]

    def rhs(self, f: Any, grid: Any) -> Any:
        """The changed rate."""
        return self.change(self.equation.rhs(f, grid), f, grid)


def wrong_rate(change: Callable[[Any, Any, Any], Any]) -> Callable[[Potential], WrongRate]:
    """What builds a `WrongRate` from a potential, as `LenardBalescu` is built."""
    return lambda potential: WrongRate(LenardBalescu(potential), change)


@dataclasses.dataclass(frozen=True)
class WeakDissipation:
    """A linearised operator with less dissipation, its invariants kept.

    Attributes:
        operator: The right one.
        share: What is taken from -int g L[g], in units of the paper's norm (2.62).
    """

    operator: Linearized
    share: float

    def sector(self, *settings: Any) -> Sector:
        """As of the right one, with the form of the wrong operator."""
        found = self.operator.sector(*settings)
        apart = np.eye(len(found.radius)) - found.kernel @ (found.mass @ found.kernel).T
        return dataclasses.replace(
            found, form=found.form - self.share * apart.T @ found.norm @ apart
        )


def weak_dissipation(share: float) -> Callable[[Any, float], WeakDissipation]:
    """What builds a `WeakDissipation`, as `linearized` builds the right operator."""
    return lambda equation, temperature: WeakDissipation(linearized(equation, temperature), share)


def two_temperatures(grid: Any, mass: float, temperature: float) -> Any:
    """Not a Maxwellian, if barely: halves five per cent colder and hotter than `temperature`."""
    centres = [[0.0] * grid.d] * 2
    return gaussian_mixture(
        grid, [0.5 * mass] * 2, centres, [0.95 * temperature, 1.05 * temperature]
    )
