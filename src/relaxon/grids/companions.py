r"""Coarser companions of a grid, and how functions get there.

An answer is compared with that of the same problem on a grid with a `share` of the points along
every axis. What carries a function there is of the accuracy of the grid itself, and the same for
data and for results, so that what differs is what the coarser grid does to the equation:

- radial cells and velocity nodes: log f through six neighbours (in the mapped coordinate; a radial
  f is even in it), a straight line of log f where its fifth difference is larger than `ROUGH`;
- Cartesian boxes and the torus: the trigonometric interpolant along each axis;
- Gauss nodes under a weight: the leading orthonormal polynomials of the ratio to the weight.

The box of a Cartesian grid shrinks with the root of the share, so that cells and box change alike:
what a box leaves out is then seen like what the points do not resolve.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from relaxon.grids.base import Grid
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.radial import RadialGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import MappedNodes, ThermalNodes, UniformNodes
from relaxon.grids.walls import WalledGrid
from relaxon.numerics.gauss import gauss_rule

ROUGH = 20.0
"""Where the fifth difference of log f is larger, it is interpolated by a straight line."""

POINTS = 6
"""Neighbours that an interpolated value is made of."""

LEAST = 1e-300
"""What is smaller is taken for zero."""


@functools.singledispatch
def coarser(grid: Any, share: float) -> Any:
    """The same kind of grid with about `share` of the points along every axis."""
    raise TypeError(f"A {type(grid).__name__} has no companions.")


@coarser.register
def _(grid: RadialGrid, share: float) -> RadialGrid:
    n = max(16, round(grid.n * share))
    return RadialGrid(grid.d, n, float(grid.r_max), float(grid.r_min))


@coarser.register
def _(grid: VelocityGrid, share: float) -> VelocityGrid:
    n = _even(grid.n, share, 8)
    return VelocityGrid(grid.d, n, grid.v_max * math.sqrt(n / grid.n))


@coarser.register
def _(grid: TorusGrid, share: float) -> TorusGrid:
    return TorusGrid(grid.d, _even(grid.n, share, 4), grid.length)


@coarser.register
def _(grid: ConfinedLine, share: float) -> ConfinedLine:
    return ConfinedLine(grid.potential, _even(grid.n, share, 4), grid.depth)


@coarser.register
def _(grid: PhaseGrid, share: float) -> PhaseGrid:
    return PhaseGrid(coarser(grid.torus, share), coarser(grid.velocity, share))


@coarser.register
def _(grid: WalledGrid, share: float) -> WalledGrid:
    n = max(2, round(grid.n * share))
    return WalledGrid(grid.d, n, coarser(grid.velocity, share))


@coarser.register
def _(grid: ConfinedGrid, share: float) -> ConfinedGrid:
    return ConfinedGrid(coarser(grid.line, share), coarser(grid.velocity, share))


@coarser.register
def _(nodes: UniformNodes, share: float) -> UniformNodes:
    return UniformNodes(nodes.d, _even(nodes.n, share, 4), nodes.v_max)


@coarser.register
def _(nodes: MappedNodes, share: float) -> MappedNodes:
    return MappedNodes(nodes.d, _even(nodes.n, share, 4), nodes.scale)


@coarser.register
def _(nodes: ThermalNodes, share: float) -> ThermalNodes:
    return ThermalNodes(_even(nodes.n, share, 4), nodes.xi_max)


def _even(n: int, share: float, least: int) -> int:
    return max(least, 2 * round(n * share / 2))


def carried(values: Any, grid: Grid, to: Grid) -> np.ndarray:
    """Functions on a grid at the points of a companion; leading axes are kept.

    Args:
        values: Distributions, shape `(..., *grid.shape)`, or densities over the positions alone.
        grid: Where they live.
        to: A companion of it.
    """
    values = np.asarray(values)
    whole = values.shape[-len(grid.shape) :] == grid.shape
    if isinstance(grid, RadialGrid) and isinstance(to, RadialGrid):
        cells = np.asarray(to.dx) * (np.arange(to.n) + 0.5) / np.asarray(grid.dx) - 0.5
        return _through_neighbours(values, cells, mirrored=True)
    if isinstance(grid, WalledGrid):
        return _between_walls(values, grid, to, whole)
    if isinstance(grid, ConfinedGrid) and isinstance(to, ConfinedGrid) and whole:
        return _confined(values, grid, to)
    if isinstance(grid, PhaseGrid) and isinstance(to, PhaseGrid):
        if whole:
            values = _velocities(values, grid.velocity, to.velocity)
        trailing = grid.velocity.d if whole else 0
        return _along(values, _matrices(grid.torus, to.torus), trailing)
    return _along(values, _matrices(grid, to))


def magnitude(values: Any, grid: Any) -> np.ndarray:
    r"""$\int |f|$ of distributions or densities on a grid; leading axes are kept."""
    size = jnp.abs(jnp.asarray(values))
    if size.shape[-len(grid.shape) :] == grid.shape:
        return np.asarray(grid.integrate(size))
    if isinstance(grid, WalledGrid):
        return np.asarray(grid.integrate_position(size))
    return np.asarray(grid.positions.integrate(size))


def _along(values: np.ndarray, matrices: list[np.ndarray], trailing: int = 0) -> np.ndarray:
    """Apply a matrix along each of the last axes but `trailing` ones."""
    for k, matrix in enumerate(matrices):
        axis = values.ndim - trailing - len(matrices) + k
        values = np.moveaxis(np.tensordot(matrix, values, (1, axis)), 0, axis)
    return values


def _matrices(grid: Any, to: Any) -> list[np.ndarray]:
    """A matrix for each axis of a grid of velocities, or of positions."""
    if isinstance(grid, VelocityGrid):
        return [_periodic(grid.n, 2 * grid.v_max, -grid.v_max, np.asarray(to.nodes))] * grid.d
    if isinstance(grid, TorusGrid):
        points = to.spacing * np.arange(to.n)
        return [_periodic(grid.n, grid.length, 0.0, points)] * grid.d
    line = grid.line if isinstance(grid, ConfinedGrid) else grid
    return [_polynomial(line.rule(), (to.line if isinstance(to, ConfinedGrid) else to).rule())]


def _velocities(values: np.ndarray, nodes: Any, to: Any) -> np.ndarray:
    """Distributions at other nodes of velocity.

    What is positive goes by its logarithm: the theory divides by profiles that are 1e-30 in their
    tails, where nothing is left of a function that is interpolated as it is.
    """
    mapped = isinstance(nodes, MappedNodes)
    points, first = to.line()[0], nodes.line()[0]
    if mapped:
        points, first = np.arctan(points / to.scale), np.arctan(first / nodes.scale)
    length = np.pi if mapped else 2 * nodes.v_max
    if np.any(values < 0):
        matrix = _periodic(nodes.n, length, float(first[0]), points)
        return _along(values, [matrix] * nodes.d)
    at = (points - first[0]) * nodes.n / length
    for axis in range(values.ndim - nodes.d, values.ndim):
        moved = _through_neighbours(np.moveaxis(values, axis, -1), at, mirrored=False)
        values = np.moveaxis(moved, -1, axis)
    return values


def _confined(values: np.ndarray, grid: ConfinedGrid, to: ConfinedGrid) -> np.ndarray:
    """Distributions under a potential: their ratio to exp(-phi) chi, inside its range.

    Nodal values in the corners are noise of any size, which no integral sees.
    """
    ratio = values / (np.asarray(grid.line.gibbs)[:, None] * np.asarray(grid.velocity.profile))
    velocity = _polynomial(_thermal(grid.velocity), _thermal(to.velocity))
    found = _along(ratio, [*_matrices(grid, to), velocity])
    found = np.clip(found, ratio.min(), ratio.max())
    return found * (np.asarray(to.line.gibbs)[:, None] * np.asarray(to.velocity.profile))


def _thermal(nodes: ThermalNodes) -> Any:
    """The Gauss rule behind thermal nodes."""
    end = nodes.xi_max
    return gauss_rule(lambda x: np.exp(-0.5 * x**2), -end, end, nodes.n, even=True)


def _polynomial(rule: Any, to: Any) -> np.ndarray:
    """From values at the nodes of a Gauss rule to those of the projection at fewer nodes."""
    kept = to.modes.T @ rule.modes[: len(to.nodes)]
    return kept * np.sqrt(rule.weights) / np.sqrt(to.weights)[:, None]


def _periodic(n: int, length: float, first: float, points: np.ndarray) -> np.ndarray:
    """The trigonometric interpolant of n equidistant values on a period, at other points."""
    k = np.arange(n)
    phase = 2 * np.pi * ((points[:, None] - first) / length - k / n)
    waves = np.arange(1, (n - 1) // 2 + 1)
    found = 1.0 + 2.0 * np.sum(np.cos(phase[..., None] * waves), axis=-1)
    if n % 2 == 0:  # the highest frequency is seen as a cosine only
        found = found + np.cos(phase * (n // 2))
    return found / n


def _between_walls(values: np.ndarray, grid: WalledGrid, to: Any, whole: bool) -> np.ndarray:
    """Functions between walls, by way of the torus of twice the size."""
    if values.ndim > (len(grid.shape) if whole else grid.d):
        return np.stack([_between_walls(value, grid, to, whole) for value in values])
    doubled = carried(grid.extend(jnp.asarray(values)), grid.doubled, to.doubled)
    return np.asarray(to.restrict(jnp.asarray(doubled)))


def _through_neighbours(values: np.ndarray, at: np.ndarray, mirrored: bool) -> np.ndarray:
    """The last axis at fractional indices, through neighbours: log f where f >= 0, else f.

    Args:
        values: Shape `(..., n)`.
        at: Indices, shape (m,).
        mirrored: Whether values go on evenly below the first one.
    """
    n = values.shape[-1]
    points = min(POINTS, n)
    least = -points if mirrored else 0
    first = np.clip(np.floor(at).astype(int) - points // 2 + 1, least, n - points)
    window = first[:, None] + np.arange(points)
    cells = np.where(window < 0, -1 - window, window)
    weights = _lagrange(at[:, None] - window)
    if np.any(values < 0):
        return np.sum(values[..., cells] * weights, axis=-1)
    known = np.log(np.maximum(values, LEAST))
    near = np.clip(np.floor(at).astype(int), 0, n - 2)
    share = np.clip(at - near, 0.0, 1.0)
    smooth = np.sum(known[..., cells] * weights, axis=-1)
    straight = known[..., near] * (1 - share) + known[..., near + 1] * share
    rough = np.abs(np.diff(known[..., cells], points - 1, axis=-1)[..., 0]) > ROUGH
    found = np.exp(np.where(rough, straight, smooth))
    return np.where(found > 2 * LEAST, found, 0.0)


def _lagrange(distance: np.ndarray) -> np.ndarray:
    """Weights of the interpolating polynomial at 0 of nodes that lie `distance` below."""
    found, points = np.ones_like(distance), distance.shape[-1]
    for j in range(points):
        for k in range(points):
            if k != j:
                found[..., j] *= distance[..., k] / (j - k)
    return found
