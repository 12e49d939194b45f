"""The general collision engine: plane integrals, screening on each line, back-projection."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from typing import Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.collisions.cartesian.equilibrium import Maxwellian, conserve, matched_maxwellian
from relaxon.collisions.cartesian.flux import coefficients, flux, tilted_gradient, triangle
from relaxon.collisions.cartesian.radon import RadonTransform
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.plane_integrals import Lines
from relaxon.grids.radial import sphere_area
from relaxon.numerics.legendre import gauss_legendre
from relaxon.screening.criterion import Judgement, judge_lines, least_epsilon


class Screening(Protocol):
    """What the engine asks of a potential."""

    def screening(self, z: jax.Array) -> jax.Array:
        """`K(z) = int_0^inf k^d Vhat^2 / |1 + Vhat z|^2 dk`, real, z complex."""


class ConstantScreening(eqx.Module):
    """K that does not depend on the distribution: the Landau kernel `strength / |w|`."""

    value: jax.Array

    def __init__(self, d: int, strength):
        """The constant that gives `B(w) = strength |w|^-1 Pi(w)` (duerinckx2023 (1.6), (1.7))."""
        self.value = jnp.asarray(strength, float) * (d - 1) / (sphere_area(d - 1) * line_factor(d))

    def screening(self, z: jax.Array) -> jax.Array:
        """The constant, with the shape of z."""
        return jnp.broadcast_to(self.value, z.shape)


class ResolutionWarning(UserWarning):
    """A resonance is narrower than what the lines resolve."""


def line_factor(d: int) -> float:
    """`C = pi (2 pi)^-d`, the prefactor of the flux."""
    return np.pi * (2 * np.pi) ** -d


class LineTerms(eqx.Module):
    """What the flux needs on each refined line, with what the correction changed."""

    diffusion: jax.Array
    friction: jax.Array
    change: jax.Array


class RadonOperator(eqx.Module):
    r"""Lenard-Balescu (and Landau with the kernel `1/|w|`) on a Cartesian grid.

    $$ J(v) = C \int_{S^{d-1}} n \, K(n \cdot v)
       \left[ F_1 \, n \cdot h(v) - f(v) H_1 \right] dn, \qquad
       h = \nabla f + \frac{v - \bar v}{T} f $$

    with `C = pi (2 pi)^-d`, `F1`, `H1` the plane integrals of f and of n.h, and
    `K = K(z(u; n))`, `z = Hilbert(F1') + i pi F1'`. This is the flux of duerinckx2023 (1.1) to
    (1.3): tilting the gradient by any Maxwellian adds `F1 n.(v - vbar)/T f - f (u - n.vbar)/T F1`,
    which vanishes on `u = n.v`. With the Maxwellian of f's own invariants h is computed from the
    deviation `f - M`, so Maxwellians are stationary to rounding and the relative accuracy near
    equilibrium is that of the deviation.

    **Resonances.** z and F1 are smooth on the grid's scale, K is not: where `1 + Vhat(k) z`
    nearly vanishes K F1 has an edge whose width is Im z. K is therefore evaluated on a line
    `refine` times finer, and in about `cells` cells of each line, where K F1 bends most, its
    interpolant is replaced, under the integral sign, by K of the interpolated z at `nodes` Gauss
    points (product integration: the remainder is distributed to the neighbouring points with the
    weights of the interpolation). Only then is the line reduced to the grid's own frequencies,
    the highest damped (order 8, on the lines and in the divergence): undamped, the ringing of
    the edge pollutes the tail of f through the derivative. Measured on N(0, diag(0.8, 0.3)), d = 2,
    n = 48, v_max = 6, unit Gaussian potential, rate of change at |v| = 5 to 6: error 5e-5
    undamped, 1e-7 damped. With constant K nothing has edges and nothing is damped.

    Args:
        grid: The Cartesian grid.
        potential: Anything with `.screening(z)`.
        directions: Directions per half-turn, by default from the grid.
        refine: Line points per grid spacing.
        cells: Corrected cells per line, in two runs; 0 switches the correction off.
        nodes: Gauss points in a corrected cell.

    Accuracy: spectral while K is constant. Unit Gaussian potential, rate of `int v1^2 f` against
    an independent quadrature (tests/reference): f = N(0, diag(0.8, 0.3)), d = 2, v_max = 6:
    relative error 2.5e-4, 3.4e-7, 2.7e-8, 1.4e-9 at n = 32, 48, 64, 96; f = N(0, diag(0.8, 0.3,
    0.3)), d = 3, whose resonance is 1e-6 line spacings wide: 4.2e-7 at n = 48, 9e-8 at n = 64.
    D at the Maxwellian beta = 1 (Lemma 2.2), d = 2, v_max = 8, |v| = 0, 1, 6: 6e-4, 1e-4, 8e-6
    at n = 64, 96, 128. (These with refine = 4, cells = 20, nodes = 12. The defaults cost two thirds
    of that; in the first example they leave 3.5e-8 at n = 64, and 8e-6 instead of 9e-7 in the sum
    rule int u K F1' du = -K0 on every line.)
    Cost: O(n^d log n).
    """

    radon: RadonTransform
    potential: Screening
    grid: VelocityGrid = eqx.field(static=True)
    cells: int = eqx.field(static=True)
    nodes: int = eqx.field(static=True)
    damping: int | None = eqx.field(static=True)

    def __init__(
        self,
        grid: VelocityGrid,
        potential: Screening,
        directions: int | None = None,
        refine: int = 3,
        cells: int = 12,
        nodes: int = 8,
    ):
        smooth = isinstance(potential, ConstantScreening)
        self.damping = None if smooth else 8
        self.grid, self.potential = grid, potential
        self.radon = _transform(grid, directions, refine)
        self.cells, self.nodes = 0 if smooth else cells, nodes

    @eqx.filter_jit
    def __call__(self, f: jax.Array) -> jax.Array:
        """Rate of change `div J`, conservative to rounding; shape `grid.shape`."""
        return self.conserved(f)[0]

    @eqx.filter_jit
    def conserved(self, f: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The rate, and the norm of what was removed to make it conservative."""
        maxwellian = matched_maxwellian(f, self.grid)
        return self._rate(f, maxwellian, *self.line_functions(f, maxwellian))

    @eqx.filter_jit
    def judged(self, f: jax.Array, vhat_max: jax.Array) -> tuple[jax.Array, Judgement]:
        """The rate, and whether it is defined; one transform of f serves both."""
        maxwellian = matched_maxwellian(f, self.grid)
        parts = self.radon.line.parted(f, maxwellian)
        rate, _ = self._rate(f, maxwellian, parts.lines, parts.response)
        return rate, judge_lines(self.radon.line, f, maxwellian, parts, vhat_max)

    def _rate(
        self, f: jax.Array, maxwellian: Maxwellian, lines: Lines, response: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        h = tilted_gradient(f, maxwellian, self.grid)
        diffusion, reaction = self.flux_terms(lines, response)
        rate = self.grid.div(flux(diffusion, reaction, f, h), self.damping)
        return conserve(rate, maxwellian, self.grid)

    @eqx.filter_jit
    def coefficients(self, f: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Diffusion tensor D `(..., d, d)` and friction P `(..., d)`: `J = D grad f - P f`."""
        maxwellian = matched_maxwellian(f, self.grid)
        lines, response = self.line_functions(f, maxwellian)
        diffusion, response = self.flux_terms(lines, response)
        return coefficients(diffusion, response, maxwellian, self.grid)

    def flux_terms(self, lines: Lines, response: jax.Array) -> tuple[jax.Array, jax.Array]:
        """D as its upper triangle `(d (d + 1) / 2, ...)`, and the response `(d, ...)` to h."""
        # (N, points): K F1 and K H1 by direction; C n n K F1 and C n K H1 go back to velocity
        # space.
        terms = self.line_terms(lines, response)
        normals = self.radon.normals
        d = self.grid.d
        # (d (d + 1)/2, N): the entries of n x n.
        pairs = jnp.stack([normals[:, i] * normals[:, j] for i, j in triangle(d)])
        factor = line_factor(d)
        first = self.radon.line_transform(factor * terms.diffusion, self.damping)
        second = self.radon.line_transform(factor * terms.friction, self.damping)
        batch = jnp.concatenate([pairs[:, :, None] * first, normals.T[:, :, None] * second])
        fields = self.radon.backproject(batch)
        return fields[: len(pairs)], fields[len(pairs) :]

    def line_functions(self, f: jax.Array, maxwellian: Maxwellian) -> tuple[Lines, jax.Array]:
        """Plane integrals of f with z's two parts, and those of n.h, on the refined lines."""
        parts = self.radon.line.parted(f, maxwellian)
        return parts.lines, parts.response

    def line_terms(self, lines: Lines, response: jax.Array) -> LineTerms:
        """`K F1` and `K H1` on the refined lines, resonances integrated over their cells."""
        # Below this the slope is noise: rounding of the transform, or whatever has driven F1
        # below zero. K grows like 1/Im z at a resonance and would amplify it.
        noise = jnp.maximum(-jnp.min(lines.value), 0.0) / self.grid.spacing
        floor = 1e-14 * jnp.max(jnp.abs(lines.slope)) + noise + 1e-290
        value = jnp.maximum(lines.value, 0.0)
        stack = jnp.stack([lines.hilbert, lines.slope, value, response])
        products = self._products(stack, floor)
        corrected, change = self._correct(stack, products, floor)
        window = self._window()
        return LineTerms(corrected[0] * window, corrected[1] * window, change)

    def stability(self, f: jax.Array, vhat_max) -> jax.Array:
        r"""Penrose margin of f for a potential with `0 <= Vhat <= vhat_max`, signed.

        The least `|1 + s z(u; n)|` over the lines and `0 <= s <= vhat_max`; negative (the
        distance to marginality, `1 + vhat_max Re z`) where a direction has a minimum of F1 with
        `1 + vhat_max Re z < 0` for sure; see `relaxon.screening.criterion.judge`.
        """
        maxwellian = matched_maxwellian(f, self.grid)
        parts = self.radon.line.parted(f, maxwellian)
        z = jax.lax.complex(parts.lines.hilbert, jnp.pi * parts.lines.slope)
        margin = least_epsilon(z, jnp.zeros(()), vhat_max)[0]
        found = judge_lines(self.radon.line, f, maxwellian, parts, vhat_max)
        return jnp.where(found.code == 2, vhat_max * found.depth, jnp.min(margin))

    def _products(self, stack: jax.Array, floor: jax.Array) -> jax.Array:
        real, slope, value, response = stack
        # K is even in Im z. The floor bounds it where the slope vanishes within a resonance.
        imaginary = jnp.pi * jnp.maximum(jnp.abs(slope), floor)
        k = self.potential.screening(real + 1j * imaginary)
        return jnp.stack([k * value, k * response])

    def _correct(self, stack, products, floor):
        """Product integration in the cells where K F1 bends most."""
        if self.cells == 0:
            return products, jnp.zeros(products.shape[1])
        first = products[0]
        points = first.shape[-1]
        # Fourth differences: large where a line sees an edge, tiny where it resolves K F1.
        bend = jnp.abs(
            first[:, 4:]
            - 4 * first[:, 3:-1]
            + 6 * first[:, 2:-2]
            - 4 * first[:, 1:-3]
            + first[:, :-4]
        )
        # Cell c lies between points c and c + 1; bend[j] is centred on point j + 2.
        measure = jnp.maximum(bend[:, :-1], bend[:, 1:])
        chosen, weight = _windows(measure, self.cells)
        # (N, cells, 6): the interpolation points about each chosen cell, inside the line.
        corner = jnp.clip(chosen, 0, points - 6)
        index = corner[..., None] + jnp.arange(6)
        weights, interpolate = cell_rule(self.nodes)
        local = jnp.take_along_axis(
            stack.reshape(4, -1, 1, points), index[None].reshape(1, *index.shape[:1], 1, -1), -1
        ).reshape(4, *index.shape)
        # (4, N, cells, nodes): Re z, F1', F1, H1 are smooth and interpolated; K is evaluated after.
        inside = jnp.einsum("anck,qk->ancq", local, interpolate)
        exact = self._products(inside, floor)
        sampled = jnp.take_along_axis(
            products.reshape(2, -1, 1, points), index[None].reshape(1, *index.shape[:1], 1, -1), -1
        ).reshape(2, *index.shape)
        # What the interpolant of the sampled products misses, given back to its six points.
        remainder = exact - jnp.einsum("anck,qk->ancq", sampled, interpolate)
        shares = jnp.einsum("nc,ancq,q,qk->anck", weight, remainder, weights, interpolate)
        rows = jnp.arange(index.shape[0])[:, None, None]
        corrected = products.at[:, rows, index].add(shares)
        change = jnp.sum(jnp.abs(jnp.sum(shares[0], axis=-1)), axis=-1)
        return corrected, change

    def _window(self) -> jax.Array:
        """One inside the box, smoothly to zero where a line leaves it (corner to end of line).

        K F1 need not decay (long-range potentials); the jump at the line's ends would ring.
        """
        reach = self.grid.v_max * jnp.sum(jnp.abs(self.radon.normals), axis=1)[:, None]
        depth = (jnp.abs(self.radon.u) / reach - 0.85) / 0.15
        s = jnp.clip(depth, 0.0, 1.0)
        # Step of degree 7: three derivatives vanish at both ends.
        return 1.0 - s**4 * (35 - 84 * s + 70 * s**2 - 20 * s**3)


@dataclasses.dataclass(frozen=True)
class Resolution:
    """How well the lines resolve the resonances of one distribution.

    Attributes:
        correction: What product integration changed in the integral of K F1, worst line,
            relative to that integral.
        width: Narrowest resonance, `Im z / |d Re z / du|` in units of the line spacing, over the
            points where Re z < 0 and K F1 jumps by 5 % of its maximum; infinite if there is none.
    """

    correction: float
    width: float


def resolution(operator: RadonOperator, f: jax.Array, warn: float = 1e-2) -> Resolution:
    """Measure how much of K F1 lies in resonances narrower than the line spacing.

    Args:
        operator: The general operator.
        f: Distribution on its grid.
        warn: Relative correction above which a `ResolutionWarning` is issued.
    """
    share, narrow = (float(x) for x in _resolution(operator, f))
    result = Resolution(correction=share, width=narrow)
    if share > warn:
        warnings.warn(
            f"A resonance {narrow:.2g} line spacings wide is not resolved: sub-cell integration "
            f"changed the integral of K F1 by {share:.1e} (allowed: {warn:.0e}); raise n or "
            "refine.",
            ResolutionWarning,
            stacklevel=2,
        )
    return result


@eqx.filter_jit
def _resolution(operator: RadonOperator, f: jax.Array) -> tuple[jax.Array, jax.Array]:
    grid = operator.grid
    maxwellian = matched_maxwellian(f, grid)
    lines, response = operator.line_functions(f, maxwellian)
    terms = operator.line_terms(lines, response)
    share = jnp.max(terms.change / jnp.sum(jnp.abs(terms.diffusion), axis=-1))
    spacing = operator.radon.fine_spacing
    steep = jnp.abs(jnp.asarray(jnp.gradient(lines.hilbert, spacing, axis=-1)))
    # Im z/|d Re z/du|, the width of the resonance, in units of the line spacing.
    width = jnp.pi * jnp.abs(lines.slope) / (steep * spacing)
    measure = jnp.abs(jnp.diff(terms.diffusion, axis=-1, prepend=0.0))
    where = measure > 0.05 * jnp.max(jnp.abs(terms.diffusion))
    return share, jnp.min(jnp.where(where & (lines.hilbert < 0), width, jnp.inf))


@functools.lru_cache(maxsize=8)
def _transform(grid: VelocityGrid, directions: int | None, refine: int) -> RadonTransform:
    """Built once: the public rate makes an operator at every call."""
    with jax.ensure_compile_time_eval():
        return RadonTransform(grid, directions, refine)


def _windows(measure: jax.Array, cells: int) -> tuple[jax.Array, jax.Array]:
    """Cells to correct on each line, in two runs about the two sharpest places, with weights.

    A resonance that the line resolves is already summed to high order because the errors of
    neighbouring cells cancel; a correction that ended abruptly would spoil that, so its weight
    falls smoothly to zero at the ends of a run.
    """
    half = cells // 4
    reach = 2 * half + 1
    position = jnp.arange(measure.shape[-1])
    offset = jnp.arange(-half, half + 1)
    taper = jnp.cos(0.5 * jnp.pi * offset / (half + 1)) ** 2
    runs, weights = [], []
    for _ in range(2):
        centre = jnp.argmax(measure, axis=-1)[:, None]
        run = centre + offset
        # A run may stick out of the line: its cells there keep their place, with weight zero.
        inside = (run >= 0) & (run < measure.shape[-1])
        runs.append(run)
        weights.append(jnp.where(inside, taper, 0.0))
        # The second run keeps clear of the first.
        measure = jnp.where(jnp.abs(position - centre) < reach, 0.0, measure)
    return jnp.concatenate(runs, axis=-1), jnp.concatenate(weights, axis=-1)


def cell_rule(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss rule on the middle cell of six points at 0..5, and the weights of interpolation.

    Returns:
        Weights that sum to 1, and the matrix `(count, 6)` of Lagrange values.
    """
    x, w = gauss_legendre(count)
    nodes = 2.5 + x / 2
    grid = np.arange(6.0)
    values = np.ones((count, 6))
    for k in range(6):
        for j in range(6):
            if j != k:
                values[:, k] *= (nodes - grid[j]) / (grid[k] - grid[j])
    return w / 2, values
