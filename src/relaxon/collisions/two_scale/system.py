r"""The two-scale system of gualdani2025 (2.4) on a radial grid.

With G = M + g (far field), H = E + h (near field) and F = G + H the system reads

$$ \partial_t G = A[F] : \nabla^2 G + G^2, \qquad \partial_t H = Q(F, H) + G H, $$

because Q(M, M) = Q(E, E) = 0 and (2.1), (2.14). The unknowns are gamma = g/M and phi = h/E. For
X = M_T (1 + phi), rho = r^2/2 and radial coefficients lambda_1, a of any field,

$$ \frac{A : \nabla^2 X}{M_T} = (1 + \phi) \Big( \frac{\lambda_1 r^2}{T^2} - \frac{a}{T} \Big)
   + \Big( a - \frac{2 \lambda_1 r^2}{T} \Big) \phi_\rho + \lambda_1 r^2 \phi_{\rho\rho}, $$

so that the Gaussians are differentiated by hand, M and E enter the coefficients in closed form, and
every discretisation error is relative to g and h, however small they are beside M and E. Nothing
grows where E underflows: phi solves a transport equation that runs outwards there.

Comments name the blocks (a) to (l) of docs/explanation/two-scale.md, which derives all this.

The collisions of the near field with itself, which are faster than everything else by
delta^(alpha - 1/2), keep the antisymmetric form of `relaxon.collisions.radial.form`: relative to E

$$ \frac{Q(H, H)}{E} = 3 \beta + r \beta' - \frac{r^2}{T} \beta, \qquad
   r^3 \beta = \phi_\rho \, S[E (1 + \phi)] - (1 + \phi) \, S[E \phi_\rho], $$

S[X] = int a(min(r, s)) X s ds, a = r^3/3; a change of mass or temperature of E is annihilated to
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.collisions.radial.gaussian import Gauss, gaussian_coefficients, unit_excess
from relaxon.collisions.two_scale.operators import (
    Potentials,
    SelfCollisions,
    Slopes,
    apply_bands,
    around,
    kernel_sum,
)
from relaxon.distributions.functionals import moments
from relaxon.distributions.hot_spot import PEAK, spot_mass, spot_temperature
from relaxon.grids.radial import RadialGrid
from relaxon.numerics.block_tridiagonal import blocks_from_bands, factor
from relaxon.stepping.status import Status
from relaxon.stepping.system import System


class RateBands(NamedTuple):
    """Derivatives of the two rates, Q(H, H) left out; bands (n, 7), factors (n,)."""

    near_near: Array
    near_far: Array
    far_near: Array
    far_far: Array
    by_far: tuple[Array, Array]
    """Of the near rate in (lambda_1, a) of g."""
    by_rest: tuple[Array, Array]
    """Of the far rate in (lambda_1, a) of g + h."""


class TwoScaleSystem(System):
    """Unknowns (phi, gamma) = (h/E, g/M), stacked to shape (2, n); both start at 0.

    Attributes:
        grid: Radial grid, d = 3.
        delta: Squared width of the initial spot.
        alpha: Exponent of its mass.
        unit: Density and coefficients of M.
        excess: (lambda_1[M] - c0, a[M] - 3 c0, 2 (M - M(0))): what E's own equation (2.1) leaves.
        slopes: Stencils at the centres.
        potentials: lambda_1 and a of a field.
        collisions: Q(H, H)/E.
    """

    grid: RadialGrid
    delta: Array
    alpha: Array
    unit: Gauss
    excess: tuple[Array, Array, Array]
    slopes: Slopes
    potentials: Potentials
    collisions: SelfCollisions

    def __init__(self, grid: RadialGrid, delta: Array, alpha: Array):
        """Build the system for the datum M + delta^alpha M_delta (1.2)."""
        self.grid = grid
        self.delta = jnp.asarray(delta, float)
        self.alpha = jnp.asarray(alpha, float)
        # Blocks (h) and (e): M in closed form, and what it exceeds its values at v = 0 by.
        self.unit = gaussian_coefficients(grid.r, jnp.ones(()), jnp.ones(()))
        lam, trace, density = unit_excess(np.asarray(grid.r))
        self.excess = jnp.asarray(lam), jnp.asarray(trace), jnp.asarray(2 * density)
        self.slopes = Slopes(grid)
        self.potentials = Potentials(grid)
        self.collisions = SelfCollisions(grid)
        self.lyapunov_names = ()

    # Block (b): the profile E.

    def temperature(self, t: Array) -> Array:
        """T(t) of (2.3)."""
        return spot_temperature(t, self.delta)

    def mass(self, t: Array) -> Array:
        """m(t) of (1.4)."""
        return spot_mass(t, self.delta, self.alpha)

    def height(self, t: Array) -> Array:
        """E(t, 0)."""
        return self.mass(t) * (2 * jnp.pi * self.temperature(t)) ** -1.5

    def profile(self, t: Array) -> Gauss:
        """E(t) of (1.4) and its coefficients."""
        return gaussian_coefficients(self.grid.r, self.mass(t), self.temperature(t))

    def encode(self, f0: Array) -> Array:
        """g = h = 0."""
        return jnp.zeros((2, self.grid.n))

    def fields(self, t: Array, y: Array) -> dict[str, Array]:
        """F = M + E + g + h, its parts, and f = g + h = F - M - E of Theorem 1.1."""
        spot, unit = self.profile(t).density, self.unit.density
        h, g = spot * y[0], unit * y[1]
        return {"f": unit + spot + (g + h), "g": g, "h": h, "E": spot, "perturbation": g + h}

    def diagnostics(self, t: Array, y: Array) -> dict[str, Array]:
        """Moments of F, the norms (2.5), (2.6), and the quantities of (5.1) and Theorem 1.1."""
        far, near = self.norms(t, y)
        spot = self.profile(t).density
        found = self.fields(t, y)
        rest = found["perturbation"]
        mass = self.delta**self.alpha
        return {
            **moments(found["f"], self.grid),
            "central_value": self.grid.at_origin(found["f"]),
            "width": self.temperature(t),
            "far_field_norm": far,
            "near_field_norm": near,
            "far_field_ratio": far / (mass * self.temperature(t)),
            "near_field_ratio": near / self.delta ** (self.alpha - 0.25),
            "distance_m": self._unit_norm(spot + rest),
            "remainder": self._unit_norm(rest),
        }

    # Block (l): the norms.

    def norms(self, t: Array, y: Array) -> Array:
        """(|g| of (2.6), |h| of (2.5)), from h^2/mu = phi^2 E^2/mu without overflow."""
        width = self.temperature(t)
        # E^2/mu_T = E(0)^2 T^-3/2 exp(-r^2/2T)
        weight = jnp.exp(-(self.grid.r**2) / (2 * width)) * width**-1.5
        near = self.grid.integrate(weight * y[0] ** 2)
        far = self.grid.integrate(self.unit.density * y[1] ** 2)
        return jnp.stack([_root(far), self.height(t) * _root(near)])

    # Blocks (e) to (g): the right-hand sides.

    def rate(self, t: Array, y: Array) -> Array:
        """(d phi/dt, d gamma/dt): (2.4) divided by E and by M."""
        # A[.] of g alone and of g + h: the near field feels its own E + h through Q(H, H) instead.
        (phi, gamma), spot = y, self.profile(t)
        far = self.potentials(self.unit.density * gamma)
        total = self.potentials(self.unit.density * gamma + spot.density * phi)
        return jnp.stack([self._near(t, phi, gamma, far), self._far(gamma, total, spot)])

    def _near(self, t: Array, phi: Array, gamma: Array, far: tuple[Array, Array]) -> Array:
        """(Q(H, H) + A[G] : Hess H + 2 G H)/E - (1 + phi) d log E/dt; `far` belongs to g."""
        width = self.temperature(t)
        moved = self.slopes.transport(phi, self.unit.lam + far[0], self.unit.trace + far[1], width)
        own = self.collisions(phi, self.height(t), width)  # block (f)
        return (1 + phi) * self._near_source(width, gamma, far) + moved + own

    def _near_source(self, width: Array, gamma: Array, far: tuple[Array, Array]) -> Array:
        # Block (e): what (2.1) leaves of A[G], 2 G; S_E of (2.10) is the part without g.
        lam, trace = self.excess[0] + far[0], self.excess[1] + far[1]
        density = self.excess[2] + 2 * self.unit.density * gamma
        return lam * self.grid.r**2 / width**2 - trace / width + density

    def _far(self, gamma: Array, total: tuple[Array, Array], spot: Gauss) -> Array:
        """(A[F] : Hess G + G^2)/M less A[M] : Hess M + M^2 = 0; `total` belongs to g + h."""
        # Block (g): E in closed form, g + h by sums; S_M of (2.11) is the part of E alone.
        lam, trace = spot.lam + total[0], spot.trace + total[1]
        moved = self.slopes.transport(gamma, self.unit.lam + lam, self.unit.trace + trace, 1.0)
        return (1 + gamma) * self._far_source(gamma, lam, trace) + moved

    def _far_source(self, gamma: Array, lam: Array, trace: Array) -> Array:
        return lam * self.grid.r**2 - trace + self.unit.density * gamma

    def frozen(self, t: Array, y: Array) -> TwoScaleSystem:
        """Nothing to choose."""
        return self

    def linearize(self, t: Array, y: Array) -> Callable:
        """Exact derivative of `rate`: O(n), see `bands`."""

        def factored(tau: Array) -> Callable[[Array], Array]:
            blocks = blocks_from_bands(self.bands(t, y, tau), width=3)
            lu = factor(*blocks)
            n, groups = self.grid.n, lu.inverse.shape[0]
            fields = lu.inverse.shape[1] // 3

            def solve(rhs: Array) -> Array:
                rows = jnp.pad(rhs, ((0, fields - 2), (0, 3 * groups - n)))
                # (fields, 3 groups) to (groups, 3 fields): three cells of every field make a group.
                rows = rows.reshape(fields, groups, 3).swapaxes(0, 1).reshape(groups, -1)
                found = lu.solve(rows).reshape(groups, fields, 3).swapaxes(0, 1)
                return found.reshape(fields, -1)[:2, :n]

            return solve

        return factored

    def bands(self, t: Array, y: Array, tau: Array) -> list[list[Array]]:
        """Bands of 1 - tau J, shape (n, 7) each, over eight fields.

        phi, gamma, the kernel sums of (lambda_1, a) of g and of g + h at the centres, and those of
        1 + phi and phi_rho at the faces: with the sums as unknowns everything is local. Each sum is
        divided by its kernel, each row by its diagonal.
        """
        n, zero = self.grid.n, jnp.zeros((self.grid.n, 7))
        unit, spot, pot, own = self.unit, self.profile(t), self.potentials, self.collisions
        rates = self._rate_bands(t, y)
        near_near, via, weight = self._own_bands(t, y, rates.near_near)
        identity = _diagonal(jnp.ones(n))
        blocks = [[zero] * 8 for _ in range(8)]
        # Block (i), rows 0 and 1: the two rates.
        blocks[0][0], blocks[0][1] = identity - tau * near_near, -tau * rates.near_far
        blocks[1][0], blocks[1][1] = -tau * rates.far_near, identity - tau * rates.far_far
        # Block (j), rows 2 to 5: the sums behind lambda_1 and a, of g and of g + h.
        for m, kernel in enumerate((pot.cube, pot.line)):
            second, scale = _kernel_rows(kernel)
            share = (1 / 3, 1.0)[m]
            source = scale * pot.weight
            blocks[0][2 + m], blocks[1][4 + m] = (
                _diagonal(-tau * share * rates.by_far[m]),
                _diagonal(-tau * share * rates.by_rest[m]),
            )
            blocks[2 + m][2 + m] = blocks[4 + m][4 + m] = second
            blocks[2 + m][1] = blocks[4 + m][1] = _diagonal(-source * unit.density)
            blocks[4 + m][0] = _diagonal(-source * spot.density)
        # Block (k), rows 6 and 7: the sums S[1 + phi] and S[phi_rho] over the n - 1 interior faces.
        second, scale = _kernel_rows(own.cube)
        for m, stencil in enumerate((own.interpolation, own.difference)):
            blocks[0][6 + m] = -tau * via[m]
            blocks[6 + m][6 + m] = jnp.concatenate([second, identity[:1]])
            source = -(scale * weight)[:, None] * stencil
            blocks[6 + m][0] = zero.at[: n - 1, 2:6].set(source)
        return blocks

    def _rate_bands(self, t: Array, y: Array) -> RateBands:
        """Block (i): local derivatives of `_near` and `_far`, Q(H, H) left out."""
        (phi, gamma), unit, spot = y, self.unit, self.profile(t)
        slopes, pot, square = self.slopes, self.potentials, self.grid.r**2
        width = self.temperature(t)
        far = pot(unit.density * gamma)
        rest = pot(unit.density * gamma + spot.density * phi)
        near_lam, far_lam = slopes.with_lam(width), slopes.with_lam(1.0)
        lam, trace = spot.lam + rest[0], spot.trace + rest[1]
        near_near = (unit.lam + far[0])[:, None] * near_lam
        near_near += (unit.trace + far[1])[:, None] * slopes.first
        near_near += _diagonal(self._near_source(width, gamma, far))
        far_far = (unit.lam + lam)[:, None] * far_lam + (unit.trace + trace)[:, None] * slopes.first
        far_far += _diagonal(self._far_source(gamma, lam, trace) + (1 + gamma) * unit.density)
        # What the rates are multiplied with: d/d lambda_1 and d/da of the formula in block (d).
        by_far = (
            (1 + phi) * square / width**2 + apply_bands(near_lam, phi),
            -(1 + phi) / width + apply_bands(slopes.first, phi),
        )
        by_rest = (
            (1 + gamma) * square + apply_bands(far_lam, gamma),
            -(1 + gamma) + apply_bands(slopes.first, gamma),
        )

        def ends(factors: tuple[Array, Array], density: Array) -> Array:
            # The Euler-Maclaurin terms of lambda_1 and a are local too.
            local = factors[0][:, None] * pot.lam_end + factors[1][:, None] * pot.trace_end
            return local * around(density)

        near_far = ends(by_far, unit.density) + _diagonal(2 * (1 + phi) * unit.density)
        far_far += ends(by_rest, unit.density)
        far_near = ends(by_rest, spot.density)
        return RateBands(near_near, near_far, far_near, far_far, by_far, by_rest)

    def _own_bands(self, t: Array, y: Array, near_near: Array) -> tuple[Array, list[Array], Array]:
        """Block (k): near_near with Q(H, H)/E, its derivatives in the two sums, and E s ds.

        Cell c takes beta from the faces c - 2 .. c + 1, face i takes phi from the cells i - 1 ..
        i + 2.
        """
        own, n, width = self.collisions, self.grid.n, self.temperature(t)
        value, slope = own.face_values(y[0])
        weight = own.weight(self.height(t), width)
        sums = [_row(own.cube, weight * x) for x in (value, slope)]
        # beta = (slope sums[0] - value sums[1]) / 3: first in slope and value, then in the sums.
        local = (sums[0][:, None] * own.difference - sums[1][:, None] * own.interpolation) / 3
        through = slope / 3, -value / 3
        outflow = own.divergence(width)
        via = [jnp.zeros((n, 7))] * 2
        for k in range(4):
            face = slice(k, k + n)
            flux = outflow[:, k, None] * jnp.pad(local, ((2, 2), (0, 0)))[face]
            near_near = near_near.at[:, k : k + 4].add(flux)
            for m in range(2):
                column = outflow[:, k] * jnp.pad(through[m], (2, 2))[face]
                via[m] = via[m].at[:, k + 1].set(column)
        return near_near, via, weight

    def size(self, t: Array, y: Array) -> Array:
        """One: `error` is already relative."""
        return jnp.ones(())

    def error(self, t: Array, y: Array, defect: Array) -> Array:
        """Changes of g and h in their norms, relative to them or to the scales m T, m T^(1/2)."""
        width = self.temperature(t)
        # g = h = 0 at the start: a tenth of their expected sizes stands in for the norms.
        scale = self.delta**self.alpha * jnp.stack([width, jnp.sqrt(width)])
        return jnp.max(self.norms(t, defect) / (self.norms(t, y) + 0.1 * scale))

    def constrain(self, t: Array, y: Array) -> Array:
        """Nothing: the invariants of F are left as a measure of the error."""
        return y

    def admissible(self, t: Array, y: Array) -> Array:
        """Always: steps are controlled by their error."""
        return jnp.asarray(True)

    def lyapunov(self, t: Array, y: Array) -> Array:
        """None."""
        return jnp.zeros(0)

    def failure(self, t: Array, y: Array) -> Array:
        """None: the equation does not blow up (Guillen, Silvestre)."""
        return jnp.asarray(int(Status.FINE))

    def _unit_norm(self, x: Array) -> Array:
        """(int x^2/M dv)^(1/2)."""
        # 1/M overflows where x^2 underflows: the root of the weight times x does neither.
        weight = jnp.exp(self.grid.r**2 / 4) / math.sqrt(PEAK)
        return jnp.sqrt(self.grid.integrate((x * weight) ** 2))


def _diagonal(x: Array) -> Array:
    """A diagonal as bands, shape (n, 7)."""
    return jnp.zeros((x.shape[0], 7)).at[:, 3].set(x)


def _row(kernel: Array, x: Array) -> Array:
    """The kernel sum of x divided by the kernel."""
    return kernel_sum(kernel, x) / kernel


def _kernel_rows(kernel: Array) -> tuple[Array, Array]:
    """(second, scale): bands with second @ (z / kernel) = scale * x for z = kernel_sum(kernel, x).

    The difference quotient of z in the kernel is the sum of x outside, so its difference is x.
    """
    # gap is 1/(a_i - a_(i-1)). Beyond the last place nothing is left to sum, so `onward` is 0
    # there.
    gap = 1.0 / jnp.diff(kernel, prepend=0.0)
    onward = jnp.append(gap[1:], 0.0)
    scale = 1.0 / (kernel * (gap + onward))
    below = -gap * scale * jnp.append(0.0, kernel[:-1])
    above = -onward * scale * jnp.append(kernel[1:], 0.0)
    second = jnp.zeros((kernel.shape[0], 7))
    return second.at[:, 2].set(below).at[:, 3].set(1.0).at[:, 4].set(above), scale


def _root(x: Array) -> Array:
    """Square root with derivative 0 at 0."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)
