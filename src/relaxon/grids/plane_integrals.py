"""Plane integrals of a function on a Cartesian grid, with calculus on their lines."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import sici

from relaxon.grids.matched import Maxwellian
from relaxon.numerics.legendre import gauss_legendre

NUFFT_TOLERANCE = 1e-13

ROUNDING = 1e-14
"""What rounding leaves of a slope, relative to the largest."""

SAFETY = 4.0
"""What the spacing spoils, over its estimate."""


def sample_transform(f: jax.Array, points: tuple[jax.Array, ...]) -> jax.Array:
    r"""`sum_k f_k exp(-i k.x)` at points x in [-pi, pi)^d, k the centred integers of the grid.

    The only place, with its adjoint below, that knows which nonuniform FFT is used.
    """
    from jax_finufft import nufft2

    return nufft2(f.astype(complex), *points, iflag=-1, eps=NUFFT_TOLERANCE)


def line_points(grid: Any) -> int:
    """Points of spacing h on a line that spans the box in every direction (even, FFT-friendly)."""
    from scipy.fft import next_fast_len

    return 2 * next_fast_len(math.ceil(math.sqrt(grid.d) * grid.n / 2), real=True)


def sphere_rule(d: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions on half of the unit sphere with weights that sum to the area of the whole.

    d = 2: `count` equally spaced angles. d = 3: `count` Gauss-Legendre heights times `count`
    equally spaced longitudes on a half-turn. Exact for even functions of degree below `2 count`.

    Returns:
        normals `(N, d)` and weights `(N,)`, N = count or count^2.
    """
    angle = np.pi * np.arange(count) / count
    if d == 2:
        return np.stack([np.cos(angle), np.sin(angle)], axis=1), np.full(count, 2 * np.pi / count)
    height, weight = gauss_legendre(count)
    ring = np.sqrt(1 - height**2)
    normals = np.stack(
        [
            np.outer(ring, np.cos(angle)),
            np.outer(ring, np.sin(angle)),
            np.outer(height, np.ones(count)),
        ],
        axis=-1,
    )
    return normals.reshape(-1, 3), np.repeat(weight * 2 * np.pi / count, count)


def default_directions(grid: Any) -> int:
    """Directions per half-turn that keep the angular error below the grid's own (measured)."""
    return grid.n if grid.d == 2 else max(8, 3 * grid.n // 8)


class Lines(eqx.Module):
    """A function's plane integrals over all directions on the refined line, shape `(N, points)`.

    `slope` is the derivative in u and `hilbert` the Hilbert transform of the slope.
    """

    value: jax.Array
    slope: jax.Array
    hilbert: jax.Array


class Parts(eqx.Module):
    """F on the lines, split into a Maxwellian M and the deviation f - M.

    Attributes:
        lines: Of f.
        response: `rest' + (u - n.vbar)/T rest`, rest the plane integrals of the deviation.
        deviation: f - M on the grid.
        spectrum: Its transform along the directions, shape (N, count).
    """

    lines: Lines
    response: jax.Array
    deviation: jax.Array
    spectrum: jax.Array


class LineTransform(eqx.Module):
    r"""Plane integrals over any directions by one nonuniform FFT.

    $$ F_1(u; n) = \int \delta(u - n \cdot v) f(v) dv, \qquad
       \hat F_1(\omega; n) = \hat f(\omega n) $$

    (projection-slice theorem). Lines span the diagonal of the box, `|u| <= U`,
    U >= sqrt(d) v_max; the transform is sampled twice as densely as they need, which leaves room
    for the Hilbert transform with the kernel cut at distance 2U: a convolution that is exact on
    the line, without periodic images.

    Args:
        grid: The Cartesian grid.
        normals: Unit vectors, shape (N, d); may be traced.
        refine: Points on the refined line per grid spacing.

    Accuracy: spectral. Cost: O(n^d log n + N n).
    """

    normals: jax.Array
    points: tuple[jax.Array, ...]
    si: jax.Array
    grid: Any = eqx.field(static=True)
    count: int = eqx.field(static=True)
    refine: int = eqx.field(static=True)

    def __init__(self, grid: Any, normals: Any, refine: int):
        self.grid, self.refine = grid, refine
        self.count = line_points(grid)
        self.normals = jnp.asarray(normals, float)
        # Frequencies in units of 1/spacing: pi m / count, m < count, all below pi.
        step = np.pi / self.count * np.arange(self.count)
        self.points = tuple(self.normals[:, i, None] * step for i in range(grid.d))
        omega = step / grid.spacing
        # p.v. 1/u cut at |u| < 2U has the transform -2i Si(2U omega).
        self.si = jnp.asarray(sici(omega * 2 * self.half_length)[0])

    @property
    def half_length(self) -> float:
        """U: the lines cover [-U, U)."""
        return self.count * self.grid.spacing / 2

    @property
    def fine_spacing(self) -> float:
        """Spacing of the refined line."""
        return self.grid.spacing / self.refine

    @property
    def u(self) -> jax.Array:
        """Points of the refined line, shape `(count * refine,)`."""
        total = self.count * self.refine
        return self.fine_spacing * (jnp.arange(total) - total // 2)

    @property
    def frequencies(self) -> jax.Array:
        """Frequencies at which the transform is sampled, spacing pi / (2U)."""
        return jnp.pi / (2 * self.half_length) * jnp.arange(self.count)

    def spectrum(self, f: jax.Array) -> jax.Array:
        """`f_hat(omega n)` for all directions and `frequencies`, shape `(N, count)`."""
        flat = tuple(p.reshape(-1) for p in self.points)
        values = sample_transform(f, flat)
        return self.grid.cell * values.reshape(-1, self.count)

    def lines(self, spectrum: jax.Array) -> Lines:
        """From the transform to values, slopes and their Hilbert transform on the line."""
        omega = self.frequencies
        whole = 2 * self.count * self.refine
        # (-1)^m moves u = 0 to the middle of the period 4U; below the inner half is kept.
        shifted = spectrum * (1.0 - 2.0 * (jnp.arange(self.count) % 2))
        # i omega (slope) times -2i Si (cut Hilbert kernel) is 2 omega Si.
        stack = jnp.stack([shifted, 1j * omega * shifted, 2 * omega * self.si * shifted])
        values = jnp.fft.irfft(stack, n=whole) / self.fine_spacing
        quarter = self.count * self.refine // 2
        return Lines(*values[..., quarter : quarter + 2 * quarter])

    @property
    def reach(self) -> jax.Array:
        """Up to where a line is inside the box, shape (N,)."""
        return self.grid.v_max * jnp.sum(jnp.abs(self.normals), axis=1)

    def toward(self, normals: jax.Array, refine: int) -> LineTransform:
        """The same for other directions."""
        return LineTransform(self.grid, normals, refine)

    def parted(self, f: jax.Array, maxwellian: Maxwellian) -> Parts:
        """Lines of f; the share of M in closed form keeps the relative accuracy of its tail."""
        deviation = f - maxwellian.values(self.grid)
        centre = (self.normals @ maxwellian.mean)[:, None]
        temperature = maxwellian.temperature
        omega = self.frequencies
        # The transform of the Maxwellian's plane integrals; only its Hilbert transform comes from
        # it.
        bell = maxwellian.density * jnp.exp(-1j * omega * centre - 0.5 * temperature * omega**2)
        spectrum = self.spectrum(deviation)
        rest = self.lines(spectrum)
        shift = (self.u - centre) / temperature
        value = maxwellian.density * jnp.exp(-0.5 * temperature * shift**2)
        value = value / jnp.sqrt(2 * jnp.pi * temperature)
        hilbert = rest.hilbert + self.lines(bell).hilbert
        lines = Lines(rest.value + value, rest.slope - shift * value, hilbert)
        # H1 from the deviation alone: the tilted slope of the Maxwellian is zero.
        return Parts(lines, rest.slope + shift * rest.value, deviation, spectrum)

    def noise(self, parts: Parts, f: jax.Array) -> jax.Array:
        r"""How wrong F1' may be, from the data: rounding, spacing, box; shape (3, N).

        What stands in the last tenth of the band is as doubtful as what the spacing leaves out
        beyond it (aliases, kinks of f that a limiter has left), and rings along the line with the
        amplitude $ \int |\omega \hat F_1| d\omega/\pi $; for every direction. A value left on the
        faces of the box is an edge of F1, a cell wide. Whatever has driven F1 below zero is noise,
        too; and what stands next to zeros of f is as wrong as they are (a limiter has left them),
        spread over the planes.
        """
        weight = self.frequencies / (2 * self.half_length)
        ringing = jnp.sum((jnp.abs(parts.spectrum) * weight)[:, -(self.count // 10) :], axis=1)
        empty, axes = f <= 0, range(self.grid.d)
        beside = sum(jnp.roll(empty, s, axis).astype(int) for axis in axes for s in (1, -1)) > 0
        beside = (
            self.grid.cell * jnp.sum(jnp.where(beside, jnp.abs(f), 0.0)) / (2 * self.grid.v_max)
        )
        below = jnp.maximum(-jnp.min(parts.lines.value, axis=1), 0.0) / self.grid.spacing
        faces = [
            jnp.sum(jnp.abs(jnp.take(parts.deviation, end, axis=axis)))
            for axis in range(self.grid.d)
            for end in (0, -1)
        ]
        edge = self.grid.cell / self.grid.spacing**2 * jnp.max(jnp.stack(faces))
        return jnp.stack(
            [
                ROUNDING * jnp.max(jnp.abs(parts.lines.slope), axis=1),
                SAFETY * (ringing + below + beside / self.grid.spacing),
                jnp.broadcast_to(edge, below.shape),
            ]
        )
