"""Configuration of Cartesian velocity grids: their tables [grid] and [initial]."""

from __future__ import annotations

import math
from typing import Any

from relaxon.cases import files as config
from relaxon.core.errors import require


class VelocityGridSection(config.GridSection):
    """A Cartesian grid; see `relaxon.VelocityGrid`."""

    d: int = 2
    n: int = 48
    v_max: float = 6.0

    def build(self, width: float) -> Any:
        """The grid."""
        from relaxon.grids.cartesian import VelocityGrid

        return VelocityGrid(self.d, self.n, self.v_max)


class GaussiansSection(config.InitialSection):
    """A sum of Gaussians with means and variances along the axes."""

    weights: list[float]
    means: list[list[float]]
    variances: list[list[float]]

    def width(self) -> float:
        """The square root of the least variance."""
        entries = [x for row in self.variances for x in row]
        require(
            bool(entries) and all(math.isfinite(x) and x > 0 for x in entries),
            f"The variances must be positive, but are {self.variances}.",
        )
        return math.sqrt(min(entries))

    def build(self, grid: Any, equation: Any) -> Any:
        """The initial distribution on the grid."""
        import numpy as np

        from relaxon.distributions.gaussians import gaussian_mixture

        covariances = [np.diag(row) for row in self.variances]
        return gaussian_mixture(grid, self.weights, self.means, covariances)


class BeamsSection(config.InitialSection):
    """Two equal Gaussians that drift against each other along the first axis, at +-drift."""

    drift: float
    temperature: float = 0.5

    def width(self) -> float:
        """The thermal width."""
        require(
            math.isfinite(self.temperature) and self.temperature > 0,
            f"temperature must be positive, but is {self.temperature!r}.",
        )
        return math.sqrt(self.temperature)

    def build(self, grid: Any, equation: Any) -> Any:
        """The initial distribution on the grid."""
        from relaxon.distributions.gaussians import gaussian_mixture

        rest = [0.0] * (grid.d - 1)
        means = [[self.drift, *rest], [-self.drift, *rest]]
        return gaussian_mixture(grid, [0.5, 0.5], means, [self.temperature] * 2)


config.GRIDS["VelocityGrid"] = VelocityGridSection
config.INITIALS.update({"gaussians": GaussiansSection, "beams": BeamsSection})
