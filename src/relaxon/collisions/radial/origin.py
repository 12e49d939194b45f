"""The rate in the first cells in d = 2, where the conservative form is not consistent pointwise.

In d = 2 the midpoint rule meets an odd integrand, r dr, at its end r = 0: sums over the volumes are
right to high order because six of these are corrected (`RadialGrid`), which a rate divided by them
shows (12 % in the first cell), and r times the flux, an even function of r, has a kink in the odd
continuation that the differences assume (three cells). Both are local errors of a conservative form
that sums to the right moments on any grid, and of a relative size that no finer grid reduces.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.grids.radial import RadialGrid, sphere_area

FILLED, USED = 3, 5
"""Cells that are filled in, and those beyond that give the even polynomial."""


def _continuation() -> np.ndarray:
    """Weights of the even interpolant through the used cells at the filled ones."""
    square = (np.arange(FILLED + USED) + 0.5) ** 2
    at, nodes = square[:FILLED, None], square[FILLED:]
    columns = [
        np.prod((at - np.delete(nodes, k)) / (nodes[k] - np.delete(nodes, k)), axis=1)
        for k in range(USED)
    ]
    return np.stack(columns, axis=1)


def pointwise(grid: RadialGrid, f: Array, rate: Array) -> Array:
    """The rate as point values: regular at the origin, mass and energy conserved as before.

    Accuracy: order 4 in the cell size at the origin, too (d = 2; in d = 3 nothing is changed).
    """
    if grid.d == 3:
        return rate
    plain = sphere_area(grid.d) * grid.r * grid.slope * grid.dx
    regular = rate * grid.volumes / plain
    inner = jnp.asarray(_continuation()) @ regular[FILLED : FILLED + USED]
    regular = regular.at[:FILLED].set(inner)
    # What this changed in mass and energy goes back in the shape of f: of order 4, too.
    m0, m2, m4 = (jnp.sum(grid.volumes * f * grid.r**k) for k in (0, 2, 4))
    mass, energy = (jnp.sum(grid.volumes * regular * grid.r**k) / m0 for k in (0, 2))
    m2, m4 = m2 / m0, m4 / m0
    det = m4 - m2 * m2
    a, b = (m4 * mass - m2 * energy) / det, (energy - m2 * mass) / det
    return regular - f * (a + b * grid.r**2)
