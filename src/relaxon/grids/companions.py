r"""Finer companions of a grid, and how functions get there and back.

An answer is compared with that of the same problem on a grid with `factor` times the points along
every axis. What carries a function there is more accurate than what a scheme does on the grid:

- radial cells and velocity nodes: log f through eight neighbours (in the mapped coordinate; a
  radial f is even in it), a straight line where the highest difference is larger than `ROUGH`;
- Cartesian boxes and the torus: the trigonometric interpolant along each axis;
- Gauss nodes under a weight: the orthonormal polynomials of the ratio to the weight.

Boxes of velocities grow with the root of the factor, so that cells and box change alike: what a box
leaves out is then seen like what the points do not resolve. Data are zero beyond a Cartesian box,
and go on along the logarithm beyond the last node.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError
from relaxon.grids.base import Grid
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.radial import RadialGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import MappedNodes, ThermalNodes, UniformNodes
from relaxon.grids.walls import WalledGrid

ROUGH = 20.0
"""Where the highest difference of log f is larger, it is interpolated by a straight line."""

POINTS = 8
"""Neighbours that an interpolated value is made of."""

LEAST = 1e-300
"""What is smaller is taken for zero."""


@functools.singledispatch
def finer(grid: Any, factor: float) -> Any:
    """The same kind of grid with about `factor` times the points along every axis.

    Raises:
        InputError: There is no memory for it.
    """
    raise InputError(f"A {type(grid).__name__} has no finer companion.")


@finer.register
def _(grid: RadialGrid, factor: float) -> RadialGrid:
    return RadialGrid(grid.d, math.ceil(grid.n * factor), float(grid.r_max), float(grid.r_min))


@finer.register
def _(grid: VelocityGrid, factor: float) -> VelocityGrid:
    n = even(grid.n * factor)
    return VelocityGrid(grid.d, n, grid.v_max * math.sqrt(n / grid.n))


@finer.register
def _(grid: TorusGrid, factor: float) -> TorusGrid:
    return TorusGrid(grid.d, even(grid.n * factor), grid.length)


@finer.register
def _(grid: ConfinedLine, factor: float) -> ConfinedLine:
    return ConfinedLine(grid.potential, even(grid.n * factor), grid.depth)


@finer.register
def _(grid: PhaseGrid, factor: float) -> PhaseGrid:
    return PhaseGrid(finer(grid.torus, factor), finer(grid.velocity, factor))


@finer.register
def _(grid: WalledGrid, factor: float) -> WalledGrid:
    return WalledGrid(grid.d, math.ceil(grid.n * factor), finer(grid.velocity, factor))


@finer.register
def _(grid: ConfinedGrid, factor: float) -> ConfinedGrid:
    return ConfinedGrid(finer(grid.line, factor), finer(grid.velocity, factor))


@finer.register
def _(nodes: UniformNodes, factor: float) -> UniformNodes:
    n = even(nodes.n * factor)
    return UniformNodes(nodes.d, n, nodes.v_max * math.sqrt(n / nodes.n))


@finer.register
def _(nodes: MappedNodes, factor: float) -> MappedNodes:
    return MappedNodes(nodes.d, even(nodes.n * factor), nodes.scale)


@finer.register
def _(nodes: ThermalNodes, factor: float) -> ThermalNodes:
    return ThermalNodes(even(nodes.n * factor), nodes.xi_max)


def even(size: float) -> int:
    """The even number from a size on: some grids want them."""
    return 2 * math.ceil(size / 2)


def carried(values: Any, grid: Grid, to: Grid) -> np.ndarray:
    """Functions on a grid at the points of a finer or coarser one of its kind.

    Args:
        values: A distribution, shape `grid.shape`, or a density over the positions alone; both may
            have one leading axis.
        grid: Where they live.
        to: The other grid.
    """
    values = np.asarray(values)
    whole = values.shape[-len(grid.shape) :] == grid.shape
    if isinstance(grid, RadialGrid) and isinstance(to, RadialGrid):
        cells = np.asarray(to.dx) * (np.arange(to.n) + 0.5) / np.asarray(grid.dx) - 0.5
        return _through_neighbours(values, cells, mirrored=True)
    if isinstance(grid, WalledGrid) and isinstance(to, WalledGrid):
        # By way of the torus of twice the size.
        doubled = carried(grid.extend(jnp.asarray(values)), grid.doubled, to.doubled)
        return np.asarray(to.restrict(jnp.asarray(doubled)))
    if isinstance(grid, ConfinedGrid) and isinstance(to, ConfinedGrid) and whole:
        return _confined(values, grid, to)
    if isinstance(grid, PhaseGrid) and isinstance(to, PhaseGrid):
        if whole:
            values = _velocities(values, grid.velocity, to.velocity)
        trailing = grid.velocity.d if whole else 0
        return _along(values, _matrices(grid.torus, to.torus), trailing)
    return _along(values, _matrices(grid, to))


def magnitude(values: Any, grid: Any) -> np.ndarray:
    r"""$\int |f|$ of distributions or densities with a leading axis, which is kept."""
    size = jnp.abs(jnp.asarray(values))
    whole = size.shape[1:] == grid.shape
    if isinstance(grid, WalledGrid):
        return np.asarray((grid.integrate if whole else grid.integrate_position)(size))
    return np.asarray((grid if whole else grid.positions).integrate(size))


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
    velocity = _polynomial(grid.velocity.rule(), to.velocity.rule())
    found = _along(ratio, [*_matrices(grid, to), velocity])
    found = np.clip(found, ratio.min(), ratio.max())
    return found * (np.asarray(to.line.gibbs)[:, None] * np.asarray(to.velocity.profile))


def _polynomial(rule: Any, to: Any) -> np.ndarray:
    """From values at the nodes of a Gauss rule to those of another one, by their polynomials."""
    common = min(len(rule.nodes), len(to.nodes))
    kept = to.modes[:common].T @ rule.modes[:common]
    return kept * np.sqrt(rule.weights) / np.sqrt(to.weights)[:, None]


def _periodic(n: int, length: float, first: float, points: np.ndarray) -> np.ndarray:
    """The trigonometric interpolant of n equidistant values on a period; zero outside of it."""
    k = np.arange(n)
    phase = 2 * np.pi * ((points[:, None] - first) / length - k / n)
    waves = np.arange(1, (n - 1) // 2 + 1)
    found = 1.0 + 2.0 * np.sum(np.cos(phase[..., None] * waves), axis=-1)
    if n % 2 == 0:  # the highest frequency is seen as a cosine only
        found = found + np.cos(phase * (n // 2))
    cells = (points - first) / length * n
    inside = (cells > -1) & (cells < n)
    return np.where(inside[:, None], found / n, 0.0)


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
    found = np.where(rough, straight, smooth)
    # Beyond the ends nothing grows.
    last = known[..., [0, -1]].max(axis=-1, keepdims=True) if not mirrored else known[..., -1:]
    beyond = (at < 0) & (not mirrored) | (at > n - 1)
    found = np.exp(np.where(beyond, np.minimum(found, last), found))
    return np.where(found > 2 * LEAST, found, 0.0)


def _lagrange(distance: np.ndarray) -> np.ndarray:
    """Weights of the interpolating polynomial at 0 of nodes that lie `distance` below."""
    found, points = np.ones_like(distance), distance.shape[-1]
    for j in range(points):
        for k in range(points):
            if k != j:
                found[..., j] *= distance[..., k] / (j - k)
    return found
