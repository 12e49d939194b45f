"""Abel transforms on a radial grid by product integration: the line geometry of d = 2."""

from __future__ import annotations

import numpy as np

from relaxon.grids.radial import RadialGrid
from relaxon.grids.strips import GAUSS, Strips
from relaxon.numerics.legendre import gauss_legendre, unit_gauss_legendre

# Cells next to the singular end that are integrated by `_root_rule`, and its points.
NEAR = 4
POINTS = 12


def abel_matrices(strips: Strips) -> tuple[np.ndarray, np.ndarray]:
    r"""Inner and outer Abel integrals at all faces of a density in the mapped coordinate.

    $$ \int_0^{r_i} \frac{g\,dx}{\sqrt{r_i^2 - s^2}}, \qquad
       \int_{r_i}^{r_{max}} \frac{g\,dx}{\sqrt{s^2 - r_i^2}} $$

    Args:
        strips: Gauss points; g is given there.

    Returns:
        Two matrices of shape (n + 1, n GAUSS). The inner one has a zero first row.

    Accuracy: g is a polynomial of degree GAUSS - 1 in the NEAR cells next to the singular end,
    and integrated by the cells' Gauss rules elsewhere; order GAUSS or better for smooth g.
    """
    grid, n = strips.grid, strips.grid.n
    faces, s = np.asarray(grid.faces), np.asarray(strips.radius)
    fraction = np.asarray(strips.fraction)
    square = faces[:, None, None] ** 2 - s**2
    far = fraction / np.sqrt(np.abs(square))
    cell, face = np.arange(n), np.arange(n + 1)[:, None]
    inner = np.where((cell < face)[:, :, None], far, 0.0)
    outer = np.where((cell >= face)[:, :, None], far, 0.0)
    for near in range(NEAR):
        # The cell at a distance `near` inside of face i is i - 1 - near, outside of it i + near.
        for matrix, shift, way in ((inner, -1 - near, -1.0), (outer, near, 1.0)):
            i = np.arange(n + 1)[(np.arange(n + 1) + shift >= 0) & (np.arange(n + 1) + shift < n)]
            x, weight = _root_rule(near, near + 1.0)
            moved = i[:, None] + way * x
            root = _root(grid, i.astype(float), moved, faces[i], way)
            local = moved - (i + shift)[:, None]
            basis = _gauss_basis(local)
            matrix[i, i + shift] = np.einsum("ip,ipq->iq", weight / root, basis) * float(grid.dx)
    return inner.reshape(n + 1, -1), outer.reshape(n + 1, -1)


def spread_matrix(strips: Strips) -> np.ndarray:
    r"""B with $ \int_u^\infty Y dx / \sqrt{s^2 - u^2} = \sum_j B_{uj} Y_j \Delta x $.

    Y is an odd function of x given at the interior faces, u runs over the Gauss points. Y is
    interpolated by four points, so sums of smooth functions against columns of B, too, are
    Abel integrals to order 4.

    Returns:
        Matrix of shape (n GAUSS, n - 1).
    """
    grid, n = strips.grid, strips.grid.n
    radius = np.asarray(strips.radius)
    node = unit_gauss_legendre(GAUSS)[0]
    panel, gauss = unit_gauss_legendre(6)
    s, _ = grid.mapping((np.arange(n)[:, None] + panel) * float(grid.dx))
    full = np.zeros((n, GAUSS, n + 3))  # faces -1 .. n + 1
    weights = _cubic(panel)
    cells = np.arange(n)
    for q in range(GAUSS):
        u = radius[:, q]
        square = s[None] ** 2 - u[:, None, None] ** 2
        # Six Gauss points far from u; the faces j - 1 .. j + 2 around cell j share by cubic
        # weights.
        beyond = (cells[None] > cells[:, None] + NEAR)[:, :, None]
        far = np.where(beyond, gauss / np.sqrt(np.where(beyond, square, 1.0)), 0.0) @ weights
        for m in range(4):
            full[:, q, m : m + n] += far[:, :, m]
        for near in range(NEAR + 1):
            c = cells[cells + near < n]
            low, high = max(near - node[q], 0.0), near + 1 - node[q]
            x, weight = _root_rule(low, high)
            start = c + node[q]
            root = _root(grid, start, start[:, None] + x, u[c], 1.0)
            local = np.broadcast_to(node[q] + x - near, (len(c), len(x)))
            share = np.einsum("ip,ipm->im", weight / root, _cubic(local))
            for m in range(4):
                full[c, q, c + near + m] += share[:, m]
    # Face -1 mirrors face 1 with a minus sign, face 0 carries Y = 0, faces >= n are empty.
    full[:, :, 2] -= full[:, :, 0]
    return full[:, :, 2 : n + 1].reshape(n * GAUSS, n - 1)


def _root_rule(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss points y in [low, high] with y = t^2, and weights dy: removes y^(-1/2)."""
    node, gauss = gauss_legendre(POINTS)
    a, b = np.sqrt(low), np.sqrt(high)
    t = (b + a) / 2 + (b - a) / 2 * node
    return t**2, gauss * (b - a) / 2 * 2 * t


def _root(
    grid: RadialGrid, start: np.ndarray, x: np.ndarray, u: np.ndarray, way: float
) -> np.ndarray:
    """|s^2 - u^2|^(1/2) at x (in cells), accurate where s is close to u = r(start)."""
    s, _ = grid.mapping(np.maximum(x, 0.0) * float(grid.dx))
    # s^2 - u^2 as a product: no cancellation next to the singular end.
    u = u[:, None]
    return np.sqrt(np.maximum(way * (s - u), 1e-300) * (s + u))


def _gauss_basis(x: np.ndarray) -> np.ndarray:
    """Lagrange basis through the cell's Gauss points at x in [0, 1]; appends an axis."""
    node = unit_gauss_legendre(GAUSS)[0]
    powers = np.arange(GAUSS)
    return x[..., None] ** powers @ np.linalg.inv(node[:, None] ** powers)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Lagrange basis through the points -1, 0, 1, 2 at x in [0, 1]; appends an axis."""
    powers, points = np.arange(4), np.arange(-1.0, 3.0)
    return x[..., None] ** powers @ np.linalg.inv(points[:, None] ** powers)
