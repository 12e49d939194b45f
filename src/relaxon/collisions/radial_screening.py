r"""Dynamical screening of a radial distribution: from F to the kernel of the collision operator.

For d = 3 the marginal of a radial F has $ F_1' = -2 \pi u F(|u|) $, so with the constants of
duerinckx2023 (2.12) the operator has the antisymmetric form of `relaxon.collisions.radial` with

$$ \kappa(r, s) = a(\min(r, s)), \qquad a(r) = \int_0^r K(z(u)) \, u^2 du, \qquad
   z = -4 \pi \, \mathrm{p.v.} \int_0^\infty \frac{w^2 F(w)}{u^2 - w^2} dw - 2 \pi^2 i u F(u), $$

and Landau is the case K = K_0. K changes by orders of magnitude within a few cells where a mode is
weakly damped, and has kinks where resonance sets in; so it is integrated over every cell with
Gauss points at which z, which is smooth, is interpolated.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.collisions.kernels import Kernel, KernelModel, MinKernel
from relaxon.grids.radial import RadialGrid
from relaxon.potentials import Potential

GAUSS = 4
REACH = 6


class RadialScreening(KernelModel):
    """The kernel of the isotropic Lenard-Balescu operator, d = 3.

    Attributes:
        potential: The interaction.
        grid: The radial grid.
        hilbert: Real part of z at all n + 1 faces from F at the centres, shape (n + 1, n).
        radius: Gauss points in each cell, shape (n, GAUSS).
        weight: Their weights dr, same shape.
    """

    potential: Potential
    grid: RadialGrid
    hilbert: Array
    radius: Array
    weight: Array
    from_cells: tuple[Array, Array]
    from_faces: tuple[Array, Array]

    def __init__(self, potential: Potential, grid: RadialGrid):
        self.potential, self.grid = potential, grid
        node, gauss = np.polynomial.legendre.leggauss(GAUSS)
        node, gauss = (node + 1) / 2, gauss / 2
        n, r, faces = grid.n, np.asarray(grid.r), np.asarray(grid.faces)
        # The p.v. integral at a face lies midway between two nodes of the midpoint rule, which
        # then converges as if there were no pole.
        strip = np.asarray(grid.slope) * float(grid.dx)
        self.hilbert = jnp.asarray(-4 * np.pi * r**2 * strip / (faces[:, None] ** 2 - r**2))
        x = (np.arange(n)[:, None] + node) * float(grid.dx)
        radius, slope = grid.mapping(x)
        self.radius = jnp.asarray(radius)
        self.weight = jnp.asarray(slope * gauss * float(grid.dx))
        self.from_cells = _lagrange(n, node - 0.5, mirror=-1)
        self.from_faces = _lagrange(n + 1, node, mirror=0, cells=n)

    @property
    def fixed(self) -> bool:
        """False: screening follows the distribution."""
        return False

    def dispersion(self, log_f: Array) -> Array:
        """Z at the Gauss points, shape (n, GAUSS), complex."""
        f = jnp.exp(_interpolate(self.from_cells, log_f))
        real = _interpolate(self.from_faces, self.hilbert @ jnp.exp(log_f))
        return real - 2j * jnp.pi**2 * self.radius * f

    def kernel(self, log_f: Array) -> Kernel:
        """a(r) = int_0^r K u^2 du at the interior faces."""
        density = self.potential.screening(self.dispersion(log_f)) * self.radius**2
        return MinKernel(jnp.cumsum(jnp.sum(density * self.weight, axis=1))[:-1])

    def strips(self, log_f: Array) -> tuple[Array, Array]:
        """Derivative of the cells' integrals of K u^2; strip c reaches the faces beyond cell c."""
        n = self.grid.n
        z, f = self.dispersion(log_f), jnp.exp(log_f)
        measure = self.weight * self.radius**2
        real, imaginary = (
            measure * jax.jvp(self.potential.screening, (z,), (jnp.full_like(z, way),))[1]
            for way in (1.0, 1.0j)
        )
        index, weights = self.from_faces
        faces = jnp.zeros((n, n + 1)).at[jnp.arange(n)[:, None], index]
        through_real = faces.add(jnp.einsum("cq,cqm->cm", real, weights)) @ (self.hilbert * f)
        index, weights = self.from_cells
        cells = jnp.zeros((n, n)).at[jnp.arange(n)[:, None], index]
        local = jnp.einsum("cq,cqm->cm", imaginary * z.imag, weights)
        return cells.add(local) + through_real, jnp.triu(jnp.ones((n, n - 1)))


def _interpolate(rule: tuple[Array, Array], values: Array) -> Array:
    index, weights = rule
    return jnp.einsum("cqm,cm->cq", weights, values[index])


def _lagrange(count: int, offset: np.ndarray, mirror: int, cells: int | None = None):
    """Lagrange interpolation of REACH points on a uniform grid at `offset` beyond each point.

    Values at negative indices are those at mirror - index (an even function of x); near the
    outer end the stencil is shifted inward.
    """
    n = cells or count
    start = np.minimum(np.arange(n) - (REACH - 1) // 2, count - REACH)
    points = start[:, None] + np.arange(REACH)
    where = np.arange(n)[:, None] + offset
    weights = np.ones((n, len(offset), REACH))
    for m in range(REACH):
        for k in range(REACH):
            if k != m:
                weights[:, :, m] *= (where - points[:, k : k + 1]) / (m - k)
    index = np.where(points < 0, mirror - points, points)
    return jnp.asarray(index), jnp.asarray(weights)
