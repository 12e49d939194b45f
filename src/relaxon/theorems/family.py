"""The results of a check over its family of runs, as numbers and for a figure."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from relaxon.numerics.fits import Fit, power_law


@dataclasses.dataclass(frozen=True)
class Curve:
    """One measured quantity over the family.

    Attributes:
        label: What it is, in mathematical notation.
        y: Values > 0.
        error: Their discretisation errors.
        fit: The power law through them.
    """

    label: str
    y: np.ndarray
    error: np.ndarray
    fit: Fit


@dataclasses.dataclass(frozen=True)
class Family:
    """Quantities over the parameter that varies from run to run.

    Attributes:
        x: Values of the parameter > 0.
        label: Its name, in mathematical notation.
        title: One line.
        curves: The quantities.
    """

    x: np.ndarray
    label: str
    title: str
    curves: tuple[Curve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return {
            "parameter": self.label,
            "values": list(map(float, self.x)),
            "curves": [
                {
                    "label": curve.label,
                    "values": list(map(float, curve.y)),
                    "errors": list(map(float, curve.error)),
                    "power": curve.fit.value,
                    "power_error": curve.fit.error,
                }
                for curve in self.curves
            ],
        }


def curve(label: str, x: Any, y: Any, error: Any) -> Curve:
    """A quantity with its power law fitted; `error` may be negative (a signed difference)."""
    y, error = np.asarray(y, float), np.abs(np.asarray(error, float))
    return Curve(label, y, error, power_law(x, y, error))
