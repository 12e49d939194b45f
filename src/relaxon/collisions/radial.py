r"""The antisymmetric form of a radial collision operator, relative to a Maxwellian.

For radial F and a test function psi with chi = psi'/r, every operator here reads

$$ \int \dot F \psi \, r^2 dr = -\frac12 \iint \kappa(r, s) \, (\chi(r) - \chi(s)) \,
   [ s F(s) F'(r) - r F(r) F'(s) ] \, dr \, ds, \qquad \kappa(r, s) = a(\min(r, s)), $$

with $a(r) = r^3/3$ for Landau-Coulomb (gualdani2025, the radial form of (1.1) after one
integration by parts: $r^3 \lambda_1 = \int \kappa s F ds$ and $r m = -\int \kappa r F' ds / F$).
Mass (psi = 1) and energy (psi = r^2, chi = 2) drop out by antisymmetry, and so does a Maxwellian,
whose F'/(r F) is constant. With F = M u, u = 1 + phi, the
Maxwellian part of F' cancels in the bracket, and what is left is a difference of slopes:

$$ s F(s) F'(r) - r F(r) F'(s) = r s \, F(r) F(s) \, [ \xi(r) - \xi(s) ],
   \qquad \xi = (\log u)' / r. $$

The discrete operator is this formula with log u differentiated and interpolated to the faces in
order 4, r dr replaced by half the difference of r^2, and the integrals by sums over the faces.
Hence, to rounding and for any u > 0: mass and energy are conserved, every Maxwellian is stationary,
and the entropy sum_c volume_c F_c log F_c never increases (take psi = log u, chi = xi: the double
sum is a square). Because every term carries the local M, phi keeps its relative accuracy in the far
tail, where F - M is hundreds of orders below the rounding of F. The sums over a kinked kernel are
of order 4 since the bracket vanishes at the kink.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from relaxon.grids.radial import RadialGrid, apply_stencil
from relaxon.stepping.block_tridiagonal import blocks_from_bands, factor

STEEP = 1.5


class Frame(eqx.Module):
    """A reference Maxwellian on a radial grid, with the stencils and weights of the relative form.

    Attributes:
        grid: The radial grid, d = 3.
        maxwellian: M at the centres, shape (n,).
        log_maxwellian: Its logarithm.
        at_faces: M at the interior faces, shape (n - 1,).
        temperature: Variance per component of M.
        ratio: M(face)/M(cell) for the faces c-2 .. c+1 of cell c, shape (n, 4).
        difference: d/dx at the interior faces, shape (n - 1, 4).
        interpolation: Values at the interior faces, shape (n - 1, 4).
    """

    grid: RadialGrid
    maxwellian: Array
    log_maxwellian: Array
    at_faces: Array
    temperature: Array
    ratio: Array
    difference: Array
    interpolation: Array

    def __init__(self, grid: RadialGrid, mass: Array, temperature: Array):
        """Build the frame of the Maxwellian with this mass and temperature."""
        mass, temperature = jnp.asarray(mass, float), jnp.asarray(temperature, float)
        faces = grid.faces[1:-1]
        norm = mass * (2 * jnp.pi * temperature) ** (-grid.d / 2)
        self.grid = grid
        self.temperature = temperature
        self.log_maxwellian = jnp.log(norm) - grid.r**2 / (2 * temperature)
        self.maxwellian = jnp.exp(self.log_maxwellian)
        self.at_faces = norm * jnp.exp(-(faces**2) / (2 * temperature))
        # One exponential each: the quotient of two would be 0/0 in the far tail.
        around = _faces_around(faces**2)
        self.ratio = jnp.exp((grid.r[:, None] ** 2 - around) / (2 * temperature))
        self.difference = grid.difference
        self.interpolation = grid.interpolation

    def adapted(self, ell: Array) -> Frame:
        """The same frame with two-point stencils at the faces where u = F/M is not resolved.

        A face keeps the four-point stencils if u changes by less than a factor e^STEEP between
        neighbours in them. All that this module promises holds for any choice of stencils, face by
        face, because differences of r^2, of log u and of test functions use the same one.
        """
        jumps = jnp.abs(jnp.diff(ell))
        steepest = jnp.maximum(jumps, jnp.maximum(_shifted(jumps, -1), _shifted(jumps, 1)))
        smooth = (steepest < STEEP)[:, None]
        narrow = jnp.array([0.0, -1.0, 1.0, 0.0]) / self.grid.dx, jnp.array([0.0, 0.5, 0.5, 0.0])
        wide = self.grid.difference, self.grid.interpolation
        stencils = [jnp.where(smooth, a, b) for a, b in zip(wide, narrow)]
        return eqx.tree_at(lambda f: (f.difference, f.interpolation), self, tuple(stencils))

    @property
    def half_square(self) -> Array:
        """Half of d(r^2)/dx at the interior faces, as the stencils differentiate r^2."""
        return apply_stencil(self.difference, self.grid.r**2) / 2

    @property
    def measure(self) -> Array:
        """M r dr at the interior faces, shape (n - 1,)."""
        return self.at_faces * self.half_square * self.grid.dx

    @property
    def transfer(self) -> Array:
        """Divergence of face fluxes; cell c takes faces c-2 .. c+1, shape (n, 4)."""
        columns = [_faces_around(self.difference[:, 3 - k])[:, k] for k in range(4)]
        volume = self.grid.volumes / (4 * jnp.pi)
        weights = jnp.stack(columns, axis=1) * (-self.grid.dx / volume)[:, None]
        return jnp.where(weights == 0, 0.0, weights * self.ratio)

    def face_values(self, ell: Array) -> tuple[Array, Array]:
        """(u, xi): the ratio F/M and the slope (log u)'/r at the interior faces."""
        u = jnp.exp(apply_stencil(self.interpolation, ell))
        return u, apply_stencil(self.difference, ell) / self.half_square

    def invariants(self, ell: Array) -> Array:
        """Mass and energy of F - M, integrals of (1, |v|^2), shape (2,)."""
        weight = self.grid.volumes * self.maxwellian * jnp.expm1(ell)
        return jnp.stack([jnp.sum(weight), jnp.sum(weight * self.grid.r**2)])

    def constrained(self, ell: Array, target: Array | float = 0.0) -> Array:
        """F times the factor exp(a + b r^2) that gives F - M the invariants `target`.

        Newton's method, three times: the error of a time step and the rounding of its linear
        solves go to rounding, relative to F - M itself however small that is.
        """
        square = self.grid.r**2

        def newton(_: int, ell: Array) -> Array:
            weight = self.grid.volumes * self.maxwellian * jnp.exp(ell)
            m0, m2, m4 = (jnp.sum(weight * square**k) for k in range(3))
            mass, energy = (self.invariants(ell) - target) / m0
            m2, m4 = m2 / m0, m4 / m0  # masses far from one must not under- or overflow in det
            det = m4 - m2 * m2
            return ell - (m4 * mass - m2 * energy) / det - (energy - m2 * mass) / det * square

        return jax.lax.fori_loop(0, 3, newton, ell)


def _shifted(x: Array, by: int) -> Array:
    """x at the neighbour, repeating the last value at the ends."""
    return jnp.pad(x, (1, 1), mode="edge")[1 + by : 1 + by + x.shape[0]]


def _faces_around(x: Array) -> Array:
    """Face values c-2 .. c+1 around each cell c, zero where there is no such face, shape (n, 4)."""
    padded = jnp.pad(x, (2, 2))
    n = x.shape[0] + 1
    return jnp.stack([padded[k : k + n] for k in range(4)], axis=1)


def kernel_sum(frame: Frame, a: Array, x: Array) -> Array:
    """S(x)_i = sum_j a(min(r_i, r_j)) measure_j x_j over the faces, by cumulative sums: O(n).

    The last axis of x is the faces; several x at once compile faster than one after another.
    """
    weighted = frame.measure * x
    inner, outer = jnp.cumsum(jnp.stack([a * weighted, weighted[..., ::-1]]), axis=-1)
    return inner + a * (outer[..., ::-1] - weighted)


def log_rate(frame: Frame, a: Array, ell: Array) -> Array:
    """d ell/dt = Q(F, F)/F for F = M exp(ell), kernel values `a` at the interior faces."""
    u, xi = frame.face_values(ell)
    sum_u, sum_g = kernel_sum(frame, a, jnp.stack([u, u * xi]))
    bracket = u * (xi * sum_u - sum_g)
    return divergence(frame, bracket) * jnp.exp(-ell)


def divergence(frame: Frame, bracket: Array) -> Array:
    """Divergence of the flux -M bracket / r^2, divided by M at the centres."""
    return jnp.sum(frame.transfer * _faces_around(bracket), axis=1)


class Linearization(eqx.Module):
    """The derivative of `log_rate` at one state, ready to be factored for any step size.

    With g = u xi the bracket is g S(u) - u S(g). Taking z = S(du) and y = S(dg) as further unknowns
    makes the derivative a banded matrix: the kernel min(a_i, a_j) is the Green's function of a
    second difference in a, whose matrix is tridiagonal.

    Attributes:
        frame: The reference Maxwellian.
        a: Kernel values at the interior faces.
        u, g: The ratio and its scaled slope at the faces.
        to_u, to_g: Their derivatives in ell; face i takes cells i-1 .. i+2, shape (n - 1, 4).
        sum_u, sum_g: S(u) and S(g).
        gain: Derivative of the local terms, shape (n,).
        weight: u at the centres: rates of ell are rates of u divided by it.
    """

    frame: Frame
    a: Array
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
            rows = jnp.pad(rhs, (0, 3 * groups - n)).reshape(groups, 3)
            return lu.solve(jnp.pad(rows, ((0, 0), (0, 6))))[:, :3].reshape(-1)[:n]

        return solve

    def _bands(self, tau: Array) -> list[list[Array]]:
        """Bands of 1 - tau J over the fields (ell, z / scale, y temperature / scale)."""
        frame, a, n = self.frame, self.a, self.frame.grid.n
        scale = self.sum_u  # makes the further unknowns of order one, y with a temperature

        # Rows of ell: minus tau times the divergence of the varied bracket.
        def at(k: int, x: Array) -> Array:
            """Values at the face c - 2 + k of each cell c."""
            return jnp.pad(x, [(2, 2)] + [(0, 0)] * (x.ndim - 1))[k : k + n]

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


def linearize(frame: Frame, a: Array, ell: Array, gain: Array) -> Linearization:
    """Linearise `log_rate` about ell with the kernel values held fixed (exact for Landau).

    `gain` is the derivative of a further local term, shape (n,), added on the diagonal.
    """
    u, xi = frame.face_values(ell)
    to_u = u[:, None] * frame.interpolation
    to_g = (u / frame.half_square)[:, None] * frame.difference + xi[:, None] * to_u
    sum_u, sum_g = kernel_sum(frame, a, jnp.stack([u, u * xi]))
    rate = divergence(frame, u * (xi * sum_u - sum_g)) * jnp.exp(-ell)
    return Linearization(frame, a, u, u * xi, to_u, to_g, sum_u, sum_g, gain - rate, jnp.exp(ell))
