"""Exact derivatives of the radial collision rate: banded for a fixed kernel, dense otherwise."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.radial.form import Frame, divergence, kernel_sum
from relaxon.collisions.radial.kernels import KernelModel, MinKernel
from relaxon.numerics.block_tridiagonal import blocks_from_bands, factor


class Linearization(eqx.Module):
    """The derivative of `log_rate` at one state, ready to be factored for any step size.

    With g = u xi the bracket is g S(u) - u S(g). Taking z = S(du) and y = S(dg) as further unknowns
    makes the derivative a banded matrix: the kernel min(a_i, a_j) is the Green's function of a
    second difference in a, whose matrix is tridiagonal.

    Attributes:
        frame: The reference Maxwellian.
        kernel: The kernel, held fixed.
        u, g: The ratio and its scaled slope at the faces.
        to_u, to_g: Their derivatives in ell; face i takes cells i-1 .. i+2, shape (n - 1, 4).
        sum_u, sum_g: S(u) and S(g).
        gain: Derivative of the local terms, shape (n,).
        weight: u at the centres: rates of ell are rates of u divided by it.
    """

    frame: Frame
    kernel: MinKernel
    u: Array
    g: Array
    to_u: Array
    to_g: Array
    sum_u: Array
    sum_g: Array
    gain: Array
    weight: Array

    def factor(self, tau: Array) -> Callable[[Array], Array]:
        """The map rhs -> (1 - tau J)^-1 rhs, as block LU over groups of three cells: O(n)."""
        lu = factor(*blocks_from_bands(self._bands(tau), width=3))
        n = self.frame.grid.n
        groups = lu.inverse.shape[0]

        def solve(rhs: Array) -> Array:
            # Only ell has a right-hand side: of the nine entries of a group six are zero.
            rows = jnp.pad(rhs, (0, 3 * groups - n)).reshape(groups, 3)
            return lu.solve(jnp.pad(rows, ((0, 0), (0, 6))))[:, :3].reshape(-1)[:n]

        return solve

    def _bands(self, tau: Array) -> list[list[Array]]:
        """Bands of 1 - tau J over the fields (ell, z / scale, y temperature / scale)."""
        frame, a, n = self.frame, self.kernel.a, self.frame.grid.n
        scale = self.sum_u  # makes the further unknowns of order one, y with a temperature

        # Rows of ell: minus tau times the divergence of the varied bracket.
        def at(k: int, x: Array) -> Array:
            """Values at the face c - 2 + k of each cell c."""
            return jnp.pad(x, [(2, 2)] + [(0, 0)] * (x.ndim - 1))[k : k + n]

        # bracket = g S(u) - u S(g): its variation in (u, g), then below in the sums, + g z - u y.
        local = self.sum_u[:, None] * self.to_g - self.sum_g[:, None] * self.to_u
        outflow = -tau * frame.transfer / self.weight[:, None]
        ell_ell = _columns((1.0 - tau * self.gain)[:, None], 3)
        for k in range(4):
            ell_ell = ell_ell + _columns(outflow[:, k, None] * at(k, local), k)
        through = jnp.stack([self.g * scale, -self.u * scale / frame.temperature])
        ell_z, ell_y = (
            _columns(outflow * jnp.stack([at(k, x) for k in range(4)], axis=1), 1) for x in through
        )

        # Rows of z and y: (second difference in a) z = measure * du, row scaled to a unit diagonal.
        one = jnp.ones(n - 1)
        # min(a_i, a_j) vanishes at a = 0 and is constant beyond the last face: Dirichlet and
        # Neumann.
        gap = jnp.diff(a, prepend=0.0)
        weight = jnp.append(1.0 / (1.0 / gap[:-1] + 1.0 / gap[1:]), gap[-1])
        below = jnp.append(gap[1:] / (gap[:-1] + gap[1:]), 1.0) * jnp.pad(scale, (1, 0))[:-1]
        above = jnp.append(gap[:-1] / (gap[:-1] + gap[1:]) * scale[1:], 0.0)
        source = -(weight * frame.measure / scale)[:, None]
        z_z = _with_identity(_columns(jnp.stack([-below / scale, one, -above / scale], axis=1), 2))
        z_ell = _with_zero(_columns(source * self.to_u, 2))
        y_ell = _with_zero(_columns(source * frame.temperature * self.to_g, 2))
        zero = jnp.zeros((n, 7))
        return [[ell_ell, ell_z, ell_y], [z_ell, z_z, zero], [y_ell, zero, z_z]]


def _columns(x: Array, first: int) -> Array:
    """Put the columns of x at `first`, ... of seven."""
    return jnp.pad(x, ((0, 0), (first, 7 - first - x.shape[1])))


def _with_zero(bands: Array) -> Array:
    """Append a row of zeros: there is one face fewer than cells."""
    return jnp.pad(bands, ((0, 1), (0, 0)))


def _with_identity(bands: Array) -> Array:
    """Append a row of the identity."""
    return jnp.concatenate([bands, jnp.zeros((1, 7)).at[0, 3].set(1.0)])


def linearize(frame: Frame, kernel: MinKernel, ell: Array, gain: Array) -> Linearization:
    """Linearise `log_rate` about ell with the kernel values held fixed (exact for Landau).

    `gain` is the derivative of a further local term, shape (n,), added on the diagonal.
    """
    u, xi = frame.face_values(ell)
    to_u = u[:, None] * frame.interpolation
    to_g = (u / frame.half_square)[:, None] * frame.difference + xi[:, None] * to_u
    sum_u, sum_g = kernel_sum(frame, kernel, jnp.stack([u, u * xi]))
    rate = divergence(frame, u * (xi * sum_u - sum_g)) * jnp.exp(-ell)
    # The rate is a divergence times exp(-ell); this is the derivative of that factor.
    gain = gain - rate
    return Linearization(frame, kernel, u, u * xi, to_u, to_g, sum_u, sum_g, gain, jnp.exp(ell))


def dense_jacobian(frame: Frame, model: KernelModel, ell: Array) -> Array:
    """The derivative of `log_rate` with a kernel that moves with F, shape (n, n).

    The kernel is linear in its strips, so their part of the bracket's derivative is
    u_i B_ci (xi_i p_c - q_c) dA_c with p = B (measure u), q = B (measure u xi).
    """
    log_f = frame.log_maxwellian + ell
    u, xi = frame.face_values(ell)
    kernel, moved, spread = model.moved(log_f)
    sum_u, sum_g = kernel_sum(frame, kernel, jnp.stack([u, u * xi]))
    to_u = u[:, None] * frame.interpolation
    to_g = (u / frame.half_square)[:, None] * frame.difference + xi[:, None] * to_u
    # (n - 1, n - 1): kappa_ij measure_j. The bracket g S(u) - u S(g) varies in u, in g, and below
    # in the amounts A_c of the strips.
    pairs = kernel.sum(jnp.diag(frame.measure)).T
    bracket = _times_stencil(jnp.diag(-sum_g) + (u * xi)[:, None] * pairs, to_u)
    bracket += _times_stencil(jnp.diag(sum_u) - u[:, None] * pairs, to_g)
    p, q = spread @ (frame.measure * u), spread @ (frame.measure * u * xi)
    bracket += (u[:, None] * spread.T * (xi[:, None] * p - q)) @ moved

    # (n + 3, n): every column of the bracket's derivative takes the divergence.
    padded = jnp.pad(bracket, ((2, 2), (0, 0)))
    rows = [frame.transfer[:, k, None] * padded[k : k + frame.grid.n] for k in range(4)]
    rate = divergence(frame, u * (xi * sum_u - sum_g)) * jnp.exp(-ell)
    return sum(rows) * jnp.exp(-ell)[:, None] - jnp.diag(rate)


def _times_stencil(matrix: Array, stencil: Array) -> Array:
    """matrix @ S for the stencil matrix S from cells to interior faces."""
    # The stencil of face i begins at cell i - 1, so the first and last column stand for no cell.
    columns = [jnp.pad(matrix * stencil[:, m], ((0, 0), (m, 3 - m))) for m in range(4)]
    return jnp.sum(jnp.stack(columns), axis=0)[:, 1:-1]
