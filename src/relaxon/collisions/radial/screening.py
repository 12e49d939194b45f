r"""Dynamical screening of a radial distribution: from F to the kernel of the collision operator.

With the constants of duerinckx2023 (2.12) the isotropic operator has the antisymmetric form of
`relaxon.collisions.radial.form`, with a kernel that is a superposition over strips of u = n.v:

$$ d = 3:\ \kappa = \int_0^{\min(r, s)} K u^2 du, \qquad
   d = 2:\ \kappa = \frac2\pi \int_0^{\min(r, s)}
   \frac{K u^2 du}{\sqrt{r^2 - u^2} \sqrt{s^2 - u^2}} $$

and Landau is the case K = K_0. K = K(z(u)) follows from

$$ d = 3:\ z = -4 \pi\, \mathrm{p.v.} \int_0^\infty \frac{w^2 F dw}{u^2 - w^2} - 2 \pi^2 i u F(u),
   \qquad
   d = 2:\ z = 2 \pi F(0) + 2 \pi u \int_0^u \frac{F'\,ds}{\sqrt{u^2 - s^2}}
   + 2 \pi i u \int_u^\infty \frac{F'\,ds}{\sqrt{s^2 - u^2}} . $$

K changes by orders of magnitude within a few cells where a mode is weakly damped, and has kinks
where resonance sets in; so it is integrated over every cell with Gauss points at which z, which is
smooth, is interpolated.
"""

from __future__ import annotations

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.radial.kernels import KernelModel, MinKernel, StripKernel
from relaxon.grids.abel import abel_matrices, spread_matrix
from relaxon.grids.radial import RadialGrid, sphere_area
from relaxon.grids.strips import GAUSS, Strips
from relaxon.screening.criterion import least_at_minima, least_epsilon
from relaxon.screening.potentials import Potential


class RadialScreening(KernelModel):
    """The kernel of the isotropic Lenard-Balescu operator.

    Attributes:
        potential: The interaction.
        strips: Gauss points in every cell, and interpolation to them.
    """

    potential: eqx.AbstractVar[Potential]
    strips: eqx.AbstractVar[Strips]

    @property
    def fixed(self) -> bool:
        """False: screening follows the distribution."""
        return False

    @abc.abstractmethod
    def dispersion(self, log_f: Array) -> Array:
        """z at the Gauss points, shape (n, GAUSS), complex."""

    @abc.abstractmethod
    def marginal(self, log_f: Array) -> Array:
        """F1 at the Gauss points, shape (n, GAUSS)."""

    @abc.abstractmethod
    def line_integrals(self, density: Array) -> Array:
        """Average over directions n of density(|n.v|) at all n + 1 faces; shape of input (n, q)."""

    def at_centre(self, density: Array) -> Array:
        """The value at u = 0 of an even function, from the Gauss points of the first cell."""
        # Lagrange interpolation at u = 0 in the variable u^2, since the function is even.
        square = self.strips.radius[0] ** 2
        ratio = square / (square - square[:, None] + jnp.eye(GAUSS))
        return density[0] @ jnp.prod(jnp.where(jnp.eye(GAUSS) > 0, 1.0, ratio), axis=1)

    def density(self, log_f: Array) -> Array:
        """K u^2 du at the Gauss points, shape (n, GAUSS)."""
        strips = self.strips
        return self.potential.screening(self.dispersion(log_f)) * strips.radius**2 * strips.weight

    def density_jacobian(self, log_f: Array) -> tuple[Array, Array]:
        """`density` and d density / d log_f, shapes (n, GAUSS) and (n, GAUSS, n)."""

        def parts(x: Array) -> tuple[Array, Array]:
            z = self.dispersion(x)
            return z.real, z.imag

        z = self.dispersion(log_f)
        measure = self.strips.radius**2 * self.strips.weight
        real, imaginary = jax.jacfwd(parts)(log_f)
        value, slopes = _value_and_slopes(self.potential, z)
        jacobian = slopes[0][..., None] * real + slopes[1][..., None] * imaginary
        return value * measure, measure[..., None] * jacobian

    def diffusion(self, log_f: Array) -> tuple[Array, Array]:
        r"""(lambda_1, lambda_2) of $ C \int n \otimes n K F_1 dn $ at all faces (Lemma 2.2)."""
        grid, u = self.strips.grid, self.strips.radius
        weight = self.potential.screening(self.dispersion(log_f)) * self.marginal(log_f)
        # C |S^{d-1}|, because `line_integrals` averages over the directions.
        constant = jnp.pi * (2 * jnp.pi) ** (-grid.d) * sphere_area(grid.d)
        total = self.line_integrals(weight)
        # n.v/|v| = u/r gives lambda_1; lambda_2 = (tr A - lambda_1)/(d - 1), duerinckx2023 below
        # (2.14). At r = 0 the matrix is isotropic.
        square = jnp.where(grid.faces > 0, grid.faces, 1.0) ** 2
        along = self.line_integrals(weight * u**2) / square
        along = along.at[0].set(total[0] / grid.d)
        return constant * along, constant * (total - along) / (grid.d - 1)

    def friction(self, log_f: Array) -> Array:
        r"""Radial component of $ C \int n K F_1' dn $ at all faces."""
        grid = self.strips.grid
        constant = jnp.pi * (2 * jnp.pi) ** (-grid.d) * sphere_area(grid.d)
        # K F1' without the division by Im z; n projects on v with u/r, which makes the integrand
        # even.
        product = self.potential.screening_product(self.dispersion(log_f)) * self.strips.radius
        faces = jnp.where(grid.faces > 0, grid.faces, 1.0)
        return (constant * self.line_integrals(product) / faces).at[0].set(0.0)

    def monitor(self, log_f: Array) -> dict[str, Array]:
        """The Penrose margin: the least |eps| over k and the Gauss points."""
        z = self.dispersion(log_f)
        least, _ = least_epsilon(z, self.potential.v_min, self.potential.v_max)
        return {"penrose_margin": jnp.min(least)}

    def stable(self, log_f: Array) -> Array:
        """No minimum of F1 has 1 + Vhat Re z < 0 for the largest Vhat (duerinckx2023 (1.10))."""
        z = self.dispersion(log_f).reshape(-1)
        # Where F1 is flat to rounding the sign of its slope is noise and marks no minimum.
        noise = 1e-12 * jnp.max(jnp.abs(z.imag))
        slope = jnp.where(jnp.abs(z.imag) > noise, z.imag, 0.0)
        # F1' is an integral of F' from u on: where F falls from there it is negative for sure.
        f = jnp.exp(log_f)
        rise = jnp.append(jnp.diff(f) > 1e-14 * jnp.max(f), False)
        beyond = jnp.cumsum(rise[::-1])[::-1] > 0
        slope = jnp.where(jnp.repeat(beyond, GAUSS), slope, jnp.minimum(slope, 0.0))
        return ~(least_at_minima(z.real, slope, self.potential.v_max) < 0)


class Screening3D(RadialScreening):
    """d = 3: the kernel depends on min(r, s) only and is summed in O(n)."""

    potential: Potential
    strips: Strips
    hilbert: Array

    def __init__(self, potential: Potential, grid: RadialGrid):
        self.potential, self.strips = potential, Strips(grid)
        # The p.v. integral at a face lies midway between two nodes of the midpoint rule, which
        # then converges as if there were no pole.
        gap = grid.faces[:, None] ** 2 - grid.r**2
        self.hilbert = -4 * jnp.pi * grid.r**2 * grid.slope * grid.dx / gap

    def dispersion(self, log_f: Array) -> Array:
        """z by the trapezoidal Hilbert transform at the faces and F1' = -2 pi u F."""
        f = jnp.exp(self.strips.from_cells(log_f))
        real = self.strips.from_faces(self.hilbert @ jnp.exp(log_f))
        # Im z = pi F1' = -2 pi^2 u F, see `dispersion` above.
        return real - 2j * jnp.pi**2 * self.strips.radius * f

    def marginal(self, log_f: Array) -> Array:
        """F1 = 2 pi int_u^inf s F ds, interpolated as a logarithm."""
        _, outside = self.strips.grid.cumulative(jnp.exp(log_f), 1)
        # F1 = 0 at the last face has no logarithm: it is extrapolated from the two before.
        faces = jnp.log(jnp.maximum(2 * jnp.pi * outside[:-1], 1e-300))
        last = 2 * faces[-1] - faces[-2]
        return jnp.exp(self.strips.from_faces(jnp.append(faces, last)))

    def line_integrals(self, density: Array) -> Array:
        """(1/r) int_0^r density du."""
        cells = jnp.sum(density * self.strips.weight, axis=1)
        total = jnp.pad(jnp.cumsum(cells), (1, 0))
        faces = self.strips.grid.faces
        # At r = 0 the average is the value at u = 0.
        return (total / jnp.where(faces > 0, faces, 1.0)).at[0].set(self.at_centre(density))

    def kernel(self, log_f: Array) -> MinKernel:
        """a(r) = int_0^r K u^2 du at the interior faces."""
        return MinKernel(jnp.cumsum(jnp.sum(self.density(log_f), axis=1))[:-1])

    def moved(self, log_f: Array) -> tuple[MinKernel, Array, Array]:
        """One strip a cell; it reaches the faces beyond."""
        n = self.strips.grid.n
        value, jacobian = self.density_jacobian(log_f)
        # Interior face i is the outer end of cell i, so strip c reaches the faces i >= c.
        kernel = MinKernel(jnp.cumsum(jnp.sum(value, axis=1))[:-1])
        return kernel, jnp.sum(jacobian, axis=1), jnp.triu(jnp.ones((n, n - 1)))


class Screening2D(RadialScreening):
    """d = 2: Abel transforms, summed in O(n^2)."""

    potential: Potential
    strips: Strips
    inner: Array
    outer: Array
    spread: Array

    def __init__(self, potential: Potential, grid: RadialGrid):
        self.potential, self.strips = potential, Strips(grid)
        inner, outer = abel_matrices(self.strips)
        self.inner, self.outer = jnp.asarray(inner, float), jnp.asarray(outer, float)
        self.spread = jnp.asarray(spread_matrix(self.strips), float)

    def dispersion(self, log_f: Array) -> Array:
        """z at the faces by product integration of F'; Im z interpolated relative to u F."""
        strips, grid = self.strips, self.strips.grid
        f = jnp.exp(strips.from_cells(log_f))
        # dF/dx = F d log F/dx: the logarithm is what the stencils resolve in the tail.
        slope = (f * strips.slope_from_cells(log_f)).reshape(-1)
        u = grid.faces
        centre = grid.at_origin(jnp.exp(log_f))
        real = 2 * jnp.pi * (centre + u * (self.inner @ slope))
        # Near r_max both u F and the tail beyond vanish; the ratio is taken from the last faces.
        at_faces = jnp.exp(grid.to_faces(log_f))
        ratio = 2 * jnp.pi * (self.outer[1:-1] @ slope) / at_faces
        # Even extrapolation to u = 0 from three faces at distances 1 : 2 : 3.
        first = (15 * ratio[0] - 6 * ratio[1] + ratio[2]) / 10
        ratio = jnp.concatenate([first[None], ratio, (2 * ratio[-1] - ratio[-2])[None]])
        return strips.from_faces(real) + 1j * strips.radius * f * strips.from_faces(ratio)

    def marginal(self, log_f: Array) -> Array:
        """F1 = 2 int_u^inf s F ds / (s^2 - u^2)^(1/2)."""
        grid = self.strips.grid
        faces = jnp.exp(grid.to_faces(log_f)) * grid.faces[1:-1] * grid.face_slope[1:-1] * grid.dx
        return (2 * self.spread @ faces).reshape(grid.n, GAUSS)

    def line_integrals(self, density: Array) -> Array:
        """(2/pi) int_0^r density du / (r^2 - u^2)^(1/2)."""
        # dr/dx, since the Abel matrix integrates in x.
        slope = self.strips.weight / self.strips.fraction
        total = 2 / jnp.pi * self.inner @ (density * slope).reshape(-1)
        return total.at[0].set(self.at_centre(density))

    def kernel(self, log_f: Array) -> StripKernel:
        """(2/pi) K u^2 du on the strips, spread by the Abel transform."""
        return StripKernel(2 / jnp.pi * self.density(log_f).reshape(-1), self.spread)

    def moved(self, log_f: Array) -> tuple[StripKernel, Array, Array]:
        """Every Gauss point is a strip."""
        n = self.strips.grid.n
        value, jacobian = self.density_jacobian(log_f)
        kernel = StripKernel(2 / jnp.pi * value.reshape(-1), self.spread)
        return kernel, 2 / jnp.pi * jacobian.reshape(-1, n), self.spread


@eqx.filter_jit
def coefficients_of(model: RadialScreening, f: Array) -> tuple[tuple[Array, Array], Array]:
    """((lambda_1, lambda_2), P) at all faces for the distribution f, shape (n,)."""
    log_f = jnp.log(jnp.maximum(f, 1e-300))
    return model.diffusion(log_f), model.friction(log_f)


def radial_screening(potential: Potential, grid: RadialGrid) -> RadialScreening:
    """The screening model of the grid's dimension."""
    return Screening2D(potential, grid) if grid.d == 2 else Screening3D(potential, grid)


def dispersion_of(potential: Potential, grid: RadialGrid, f: Any) -> tuple[Array, Array]:
    """The phase velocities u at which the operator evaluates the dispersion function, and z(u).

    Args:
        potential: The interaction.
        grid: The radial grid.
        f: Distribution, shape (n,).

    Returns:
        u, increasing, and complex z(u), of the same shape (n * GAUSS,).
    """
    model = radial_screening(potential, grid)
    z = model.dispersion(jnp.log(jnp.maximum(jnp.asarray(f), 1e-300)))
    return model.strips.radius.reshape(-1), z.reshape(-1)


def _value_and_slopes(potential: Potential, z: Array) -> tuple[Array, Array]:
    """K and its derivatives in Re z and Im z (first axis); one copy of K to be compiled."""

    # K is not holomorphic: Re z and Im z are varied one by one.
    def along(way: Array) -> tuple[Array, Array]:
        return jax.jvp(potential.screening, (z,), (jnp.full_like(z, way),))

    values, slopes = jax.vmap(along, out_axes=(None, 0))(jnp.array([1.0, 1.0j]))
    return values, slopes
