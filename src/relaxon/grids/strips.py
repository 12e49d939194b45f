"""Gauss points in every cell of a radial grid, and interpolation of even functions to them."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.grids.radial import RadialGrid
from relaxon.numerics.legendre import unit_gauss_legendre

GAUSS = 4
REACH = 6


class Strips(eqx.Module):
    """Gauss points in every cell.

    Attributes:
        grid: The radial grid.
        radius: The points, shape (n, GAUSS).
        weight: Their weights dr, same shape.
        fraction: Their weights dx, shape (GAUSS,).

    Accuracy: interpolation of order 6 in the mapped coordinate, its derivative of order 5.
    """

    grid: RadialGrid
    radius: Array
    weight: Array
    fraction: Array
    cells: tuple[Array, Array, Array]
    faces: tuple[Array, Array, Array]

    def __init__(self, grid: RadialGrid):
        node, share = unit_gauss_legendre(GAUSS)
        gauss = share * float(grid.dx)
        x = (np.arange(grid.n)[:, None] + node) * float(grid.dx)
        radius, slope = grid.mapping(x)
        self.grid = grid
        self.radius = jnp.asarray(radius, float)
        self.weight = jnp.asarray(slope * gauss, float)
        self.fraction = jnp.asarray(gauss, float)
        self.cells = _lagrange(grid.n, grid.n, node - 0.5, mirror=-1)
        self.faces = _lagrange(grid.n + 1, grid.n, node, mirror=0)

    def from_cells(self, values: Array) -> Array:
        """An even function at the Gauss points from its values at the centres."""
        index, weights, _ = self.cells
        return jnp.einsum("cqm,cm->cq", weights, values[index])

    def slope_from_cells(self, values: Array) -> Array:
        """d/dx of an even function at the Gauss points from its values at the centres."""
        index, _, slopes = self.cells
        return jnp.einsum("cqm,cm->cq", slopes, values[index]) / self.grid.dx

    def from_faces(self, values: Array) -> Array:
        """An even function at the Gauss points from its values at all n + 1 faces."""
        index, weights, _ = self.faces
        return jnp.einsum("cqm,cm->cq", weights, values[index])


def _lagrange(
    count: int, cells: int, offset: np.ndarray, mirror: int
) -> tuple[Array, Array, Array]:
    """Lagrange interpolation and its derivative, REACH points, at `offset` beyond each point.

    Values at negative indices are those at mirror - index (an even function of x); near the
    outer end the stencil is shifted inward.
    """
    start = np.minimum(np.arange(cells) - (REACH - 1) // 2, count - REACH)
    points = start[:, None] + np.arange(REACH)
    where = np.arange(cells)[:, None] + offset
    powers = np.arange(REACH)
    centred = where - start[:, None]
    # Polynomials in the local index 0 .. REACH - 1, through the inverse Vandermonde matrix.
    inverse = np.linalg.inv(powers[:, None].astype(float) ** powers)  # (power, point)
    values = centred[:, :, None] ** powers @ inverse
    lowered = np.where(powers > 0, powers * centred[:, :, None] ** np.maximum(powers - 1, 0), 0.0)
    index = np.where(points < 0, mirror - points, points)
    return (
        jnp.asarray(index, int),
        jnp.asarray(values, float),
        jnp.asarray(lowered @ inverse, float),
    )
