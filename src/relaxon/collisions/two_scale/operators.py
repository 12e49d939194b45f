"""Radial operators of the two-scale system: derivatives, potentials, self-collisions."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.grids.radial import RadialGrid, apply_stencil

WIDTH = 3
"""Half bandwidth of every local operator here."""

# On the cells i - 3 .. i + 3, order 4 in the cell index: d/di centred, d/di biased to the side that
# transport comes from, d^2/di^2.
CENTRAL = np.array([0, 1, -8, 0, 8, -1, 0]) / 12.0
OUTWARD = np.array([-1, 6, -18, 10, 3, 0, 0]) / 12.0
SECOND = np.array([0, -1, 16, -30, 16, -1, 0]) / 12.0
# Euler-Maclaurin terms of orders 2 and 4 at a node: w'/12 - w'''/720.
END = np.array([0, 1, -8, 0, 8, -1, 0]) / 144.0 - np.array([0, -1, 2, 0, -2, 1, 0]) / 1440.0


class Slopes(eqx.Module):
    """Derivatives in rho = r^2/2 at the cell centres, exact for 1 and rho, of order 4.

    Each is a band matrix of shape (n, 7): row i acts on cells i - 3 .. i + 3.

    Attributes:
        first: The centred first derivative.
        outward: The one biased against transport away from r = 0.
        second: r^2 times the second derivative.
        square: r^2 at the centres.
    """

    first: Array
    outward: Array
    second: Array
    square: Array

    def __init__(self, grid: RadialGrid):
        """Build the stencils; functions are even at r = 0 and go on linearly beyond r_max."""
        r = np.asarray(grid.r)
        rho = r**2 / 2
        central, outward, second = (_full(w, grid.n, 1.0) for w in (CENTRAL, OUTWARD, SECOND))
        # By the chain rule in the cell index i: x_rho = x_i/rho_i, and r^2 x_rhorho = (r/rho_i)^2
        # (x_ii - rho_ii x_rho). So 1 and rho are differentiated exactly.
        first = central / (central @ rho)[:, None]
        twice = second - (second @ rho)[:, None] * first
        self.square = grid.r**2
        self.first = jnp.asarray(_compact(first))
        self.outward = jnp.asarray(_compact(outward / (outward @ rho)[:, None]))
        self.second = jnp.asarray(_compact(twice * (r / (central @ rho))[:, None] ** 2))

    # Block (d) of docs/explanation/two-scale.md: what is left of A : Hess X / M_T beside 1 + phi.

    def transport(self, x: Array, lam: Array, trace: Array, width: Array | float) -> Array:
        """a x_rho + lambda_1 (r^2 x_rhorho - 2 r^2/T x_rho)."""
        return lam * apply_bands(self.with_lam(width), x) + trace * apply_bands(self.first, x)

    def with_lam(self, width: Array | float) -> Array:
        """The bands that lambda_1 multiplies in `transport`; those of a are `first`."""
        return self.second - (2 / width * self.square)[:, None] * self.outward


class Potentials(eqx.Module):
    r"""The maps from a field X to lambda_1[X] and a[X], all at the cell centres.

    $$ r^3 \lambda_1 = \int \tfrac13 \min(r, s)^3 \, s X \, ds, \qquad
       r a = \int \min(r, s) \, s X \, ds $$

    by sums over the centres with the Euler-Maclaurin terms of the kink, orders 2 and 4.

    Attributes:
        cube: r^3/3, the first kernel.
        line: r, the second.
        weight: s ds.
        lam_end: The terms of the kink in lambda_1, bands of shape (n, 7).
        trace_end: The same in a.

    Accuracy: order 6; lambda_1 in the first cells next to r = 0 order 4.
    """

    cube: Array
    line: Array
    weight: Array
    lam_end: Array
    trace_end: Array

    def __init__(self, grid: RadialGrid):
        """Weights and bands on this grid."""
        r, weight = np.asarray(grid.r), np.asarray(grid.r * grid.slope * grid.dx)
        # At s = r the integrand turns from (s/r)^3 s X, even at s = 0, into s X, which is odd: the
        # end terms of the trapezoidal rule act on the difference.
        even, odd = _full(END, grid.n, 1.0, 0.0), _full(END, grid.n, -1.0, 0.0)
        lam = (odd - even * (r[None, :] / r[:, None]) ** 3) / 3
        trace = odd - even * (r[None, :] / r[:, None])
        self.cube, self.line = jnp.asarray(r**3 / 3), jnp.asarray(r)
        self.weight = jnp.asarray(weight)
        self.lam_end = jnp.asarray(_compact(lam * weight))
        self.trace_end = jnp.asarray(_compact(trace * weight))

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """(lambda_1[x], a[x]): block (h) of docs/explanation/two-scale.md."""
        source = self.weight * x
        lam = kernel_sum(self.cube, source) / (3 * self.cube) + apply_bands(self.lam_end, x)
        trace = kernel_sum(self.line, source) / self.line + apply_bands(self.trace_end, x)
        return lam, trace


class SelfCollisions(eqx.Module):
    r"""Q(H, H)/E for H = E (1 + phi), E a Maxwellian of temperature T, in antisymmetric form.

    $$ \frac{Q(H, H)}{E} = 3 \beta + r \beta' - \frac{r^2}{T} \beta, \qquad
       r^3 \beta = \phi_\rho \, S[1 + \phi] - (1 + \phi) \, S[\phi_\rho] $$

    with S[x] = int min(r, s)^3/3 E x s ds over the faces. Zero for constant phi, and its
    linearisation about phi = 0 is zero for phi = r^2, both to rounding.

    Attributes:
        cube: r^3/3 at the interior faces.
        square: r^2 at the interior faces.
        difference: d/d rho at the interior faces, shape (n - 1, 4).
        interpolation: Values there.
        measure: s ds there.
        middle: Values at cell c from its faces c - 2 .. c + 1, shape (n, 4).
        change: r d/dr at cell c from the same faces.
        outer: r^2 at the centres.
    """

    cube: Array
    square: Array
    difference: Array
    interpolation: Array
    measure: Array
    middle: Array
    change: Array
    outer: Array

    def __init__(self, grid: RadialGrid):
        """Stencils on this grid."""
        faces = grid.faces[1:-1]
        stretch = apply_stencil(grid.difference, grid.r**2 / 2)
        self.cube, self.square = faces**3 / 3, faces**2
        self.difference = grid.difference / stretch[:, None]
        self.interpolation = grid.interpolation
        self.measure = stretch * grid.dx
        # From four faces to the cell between them: interpolation and derivative, both of order 4.
        self.middle = jnp.asarray(_from_faces(np.array([-1, 9, 9, -1]) / 16.0, grid.n))
        change = jnp.asarray(_from_faces(np.array([1, -27, 27, -1]) / 24.0, grid.n))
        self.change = change * (grid.r / (grid.slope * grid.dx))[:, None]
        self.outer = grid.r**2

    def weight(self, height: Array, width: Array) -> Array:
        """E s ds at the faces for E = height exp(-r^2/2T)."""
        return height * jnp.exp(-self.square / (2 * width)) * self.measure

    def divergence(self, width: Array) -> Array:
        """beta at the faces c - 2 .. c + 1 to Q(H, H)/E at cell c, shape (n, 4)."""
        return (3 - self.outer / width)[:, None] * self.middle + self.change

    def face_values(self, phi: Array) -> tuple[Array, Array]:
        """1 + phi and phi_rho at the faces."""
        return 1 + apply_stencil(self.interpolation, phi), apply_stencil(self.difference, phi)

    def __call__(self, phi: Array, height: Array, width: Array) -> Array:
        """Q(H, H)/E at the centres."""
        # Block (f): the flux r E beta at the faces, then its divergence.
        value, slope = self.face_values(phi)
        weight = self.weight(height, width)
        total, change = kernel_sum(self.cube, weight * value), kernel_sum(self.cube, weight * slope)
        beta = (slope * total - value * change) / (3 * self.cube)
        padded = jnp.pad(beta, (2, 2))
        outflow, n = self.divergence(width), phi.shape[0]
        near = jnp.stack([padded[k : k + n] for k in range(4)], axis=1)
        return jnp.sum(outflow * near, axis=1)


def kernel_sum(kernel: Array, x: Array) -> Array:
    """sum_j min(kernel_i, kernel_j) x_j for an increasing kernel: O(n)."""
    inner = jnp.cumsum(kernel * x)
    return inner + kernel * (jnp.cumsum(x[::-1])[::-1] - x)


def apply_bands(bands: Array, x: Array) -> Array:
    """sum_k bands[i, k] x[i - 3 + k]."""
    return jnp.sum(bands * around(x), axis=1)


def around(x: Array) -> Array:
    """x[i - 3 .. i + 3], zero outside, shape (n, 7)."""
    n = x.shape[0]
    padded = jnp.pad(x, (WIDTH, WIDTH))
    return jnp.stack([padded[k : k + n] for k in range(2 * WIDTH + 1)], axis=1)


def _full(weights: np.ndarray, n: int, mirror: float, onward: float = 1.0) -> np.ndarray:
    """The stencil at every cell as a matrix, ghost values folded in.

    Below r = 0 functions are even (mirror 1) or odd (-1); beyond r_max they go on linearly in the
    index (onward 1) or vanish (0).
    """
    table = np.zeros((n, n + 2 * WIDTH))
    for i in range(n):
        # Columns -3 .. n + 2; what stands outside 0 .. n - 1 is folded back.
        table[i, i : i + 2 * WIDTH + 1] = weights
    full = table[:, WIDTH : WIDTH + n].copy()
    full[:, :WIDTH] += mirror * table[:, :WIDTH][:, ::-1]
    # x_(n+j) = (j + 2) x_(n-1) - (j + 1) x_(n-2), a straight line.
    for j in range(WIDTH):
        ghost = onward * table[:, n + WIDTH + j]
        full[:, -1] += ghost * (j + 2)
        full[:, -2] -= ghost * (j + 1)
    return full


def _from_faces(weights: np.ndarray, n: int) -> np.ndarray:
    """A stencil from the faces c - 2 .. c + 1 to cell c; even about r = 0, constant beyond r_max.

    The value at r = 0, which is no interior face, is the even interpolant (4 b_1 - b_2)/3.
    """
    table = np.tile(weights, (n, 1))
    table[0, 2:] += weights[0] * np.array([1.0, 0.0]) + weights[1] * np.array([4.0, -1.0]) / 3
    table[0, :2] = 0.0
    table[1, 1:3] += weights[0] * np.array([4.0, -1.0]) / 3
    table[1, 0] = 0.0
    table[-2, 2] += weights[3]
    table[-1, 1] += weights[2] + weights[3]
    table[-2, 3] = table[-1, 2] = table[-1, 3] = 0.0
    return table


def _compact(full: np.ndarray) -> np.ndarray:
    """The seven diagonals of a band matrix."""
    n = full.shape[0]
    padded = np.pad(full, ((0, 0), (WIDTH, WIDTH)))
    return np.stack([padded[i, i : i + 2 * WIDTH + 1] for i in range(n)])
