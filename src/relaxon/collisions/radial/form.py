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

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.radial.kernels import Kernel
from relaxon.grids.radial import RadialGrid, apply_stencil, sphere_area

# e^1.5 = 4.5 from cell to cell: beyond it four points no longer describe log u.
STEEP = 1.5

DEEPEST = 640.0
"""The logarithm of the reference falls by no more than this: at 36 thermal widths the number range
ends, and tails that are no Maxwellian's go on."""


class Frame(eqx.Module):
    """A reference Maxwellian on a radial grid, with the stencils and weights of the relative form.

    Beyond `sqrt(2 DEEPEST)` thermal widths (35.8) the reference R is constant, so that a box may be
    as large as the tail of F asks for; within, R is the Maxwellian M. What is below exp(-DEEPEST)
    of its value at the origin is zero for all that is measured.

    Attributes:
        grid: The radial grid.
        maxwellian: R at the centres, shape (n,).
        log_maxwellian: Its logarithm.
        surplus: log R/M at the centres, shape (n,).
        at_faces: R at the interior faces, shape (n - 1,).
        excess: (log R/M)'/r at the interior faces, shape (n - 1,).
        kinked: Whether R changes its form within the four-point stencil of a face, shape (n - 1,).
        temperature: Variance per component of M.
        ratio: M(face)/M(cell) for the faces c-2 .. c+1 of cell c, shape (n, 4).
        difference: d/dx at the interior faces, shape (n - 1, 4).
        interpolation: Values at the interior faces, shape (n - 1, 4).
    """

    grid: RadialGrid
    maxwellian: Array
    log_maxwellian: Array
    surplus: Array
    at_faces: Array
    excess: Array
    kinked: Array
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
        whole = grid.r**2 / (2 * temperature)
        depth = jnp.minimum(whole, DEEPEST)
        bound = whole >= DEEPEST
        left, right = bound[:-1], bound[1:]
        # Where R changes its form its logarithm is a chord, and its slope that of two points.
        chord = (depth[:-1] + depth[1:]) / 2
        at_faces = jnp.where(left, DEEPEST, jnp.where(right, chord, faces**2 / (2 * temperature)))
        self.log_maxwellian = jnp.log(norm) - depth
        self.maxwellian = jnp.exp(self.log_maxwellian)
        self.surplus = whole - depth
        self.at_faces = norm * jnp.exp(-at_faces)
        fall = jnp.diff(whole - depth) / (jnp.diff(grid.r**2) / 2)
        self.excess = jnp.where(left | right, fall, 0.0)
        mixed = left != right
        self.kinked = mixed | _shifted(mixed, -1) | _shifted(mixed, 1)
        # One exponential each: the quotient of two would be 0/0 in the far tail.
        self.ratio = jnp.exp(depth[:, None] - _faces_around(at_faces))
        self.difference = grid.difference
        self.interpolation = grid.interpolation

    def adapted(self, ell: Array) -> Frame:
        """The same frame with two-point stencils at the faces where u = F/M is not resolved.

        A face keeps the four-point stencils if u changes by less than a factor e^STEEP between
        neighbours in them. All that this module promises holds for any choice of stencils, face by
        face, because differences of r^2, of log u and of test functions use the same one.
        """
        # (n - 1,): the four-point stencil of face i spans the jumps over the faces i - 1, i, i + 1.
        jumps = jnp.abs(jnp.diff(ell))
        steepest = jnp.maximum(jumps, jnp.maximum(_shifted(jumps, -1), _shifted(jumps, 1)))
        smooth = ((steepest < STEEP) & ~self.kinked)[:, None]
        narrow = jnp.array([0.0, -1.0, 1.0, 0.0]) / self.grid.dx, jnp.array([0.0, 0.5, 0.5, 0.0])
        wide = self.grid.difference, self.grid.interpolation
        stencils = [jnp.where(smooth, a, b) for a, b in zip(wide, narrow)]
        return eqx.tree_at(lambda f: (f.difference, f.interpolation), self, tuple(stencils))

    @property
    def narrow(self) -> Array:
        """The interior faces whose stencils have two points, shape (n - 1,)."""
        return (self.difference[:, 0] == 0) & (self.difference[:, 3] == 0)

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
        # The adjoint of `difference`: cell c is entry 3 - k of the stencil of face c - 2 + k. This
        # is what makes the sums with psi = 1 and psi = r^2 vanish to rounding.
        columns = [_faces_around(self.difference[:, 3 - k])[:, k] for k in range(4)]
        volume = self.grid.volumes / sphere_area(self.grid.d)
        weights = jnp.stack(columns, axis=1) * (-self.grid.dx / volume)[:, None]
        # A missing face counts as r = 0 in `ratio`, which may overflow there: 0 * inf is not 0.
        return jnp.where(weights == 0, 0.0, weights * self.ratio)

    def logarithm(self, ell: Array) -> Array:
        """log F/M for F = R exp(ell), at the centres."""
        return ell + self.surplus

    def face_values(self, ell: Array) -> tuple[Array, Array]:
        """(u, xi): the ratio F/R and the slope (log F/M)'/r at the interior faces."""
        # log u is interpolated, not u: the value stays positive whatever the state.
        u = jnp.exp(apply_stencil(self.interpolation, ell))
        return u, apply_stencil(self.difference, ell) / self.half_square + self.excess

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
            # The Gram matrix of (1, r^2) under F, solved by hand; det > 0 by the Cauchy-Schwarz
            # inequality.
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


def kernel_sum(frame: Frame, kernel: Kernel, x: Array) -> Array:
    """S(x)_i = sum_j kappa(r_i, r_j) measure_j x_j over the interior faces."""
    return kernel.sum(frame.measure * x)


def log_rate(frame: Frame, kernel: Kernel, ell: Array) -> Array:
    """d ell/dt = Q(F, F)/F for F = M exp(ell)."""
    u, xi = frame.face_values(ell)
    # One call for S(u) and S(u xi): sum_j kappa_ij u_j (xi_i - xi_j) = xi_i S(u)_i - S(u xi)_i.
    sum_u, sum_g = kernel_sum(frame, kernel, jnp.stack([u, u * xi]))
    bracket = u * (xi * sum_u - sum_g)
    return divergence(frame, bracket) * jnp.exp(-ell)


def divergence(frame: Frame, bracket: Array) -> Array:
    """Divergence of the flux -M bracket / r^2, divided by M at the centres."""
    return jnp.sum(frame.transfer * _faces_around(bracket), axis=1)
