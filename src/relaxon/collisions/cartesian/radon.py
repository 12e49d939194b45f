"""Plane integrals over many directions, the Hilbert transform on the line, back-projection."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import sici

from relaxon.core.errors import require
from relaxon.grids.cartesian import VelocityGrid, line_points
from relaxon.numerics.legendre import gauss_legendre

NUFFT_TOLERANCE = 1e-13


def sample_transform(f: jax.Array, points: tuple[jax.Array, ...]) -> jax.Array:
    r"""`sum_k f_k exp(-i k.x)` at points x in [-pi, pi)^d, k the centred integers of the grid.

    The only place, with its adjoint below, that knows which nonuniform FFT is used.
    """
    from jax_finufft import nufft2

    return nufft2(f.astype(complex), *points, iflag=-1, eps=NUFFT_TOLERANCE)


def spread_transform(
    strengths: jax.Array, points: tuple[jax.Array, ...], shape: tuple[int, ...]
) -> jax.Array:
    """`sum_x c_x exp(+i k.x)` on the grid: the adjoint of `sample_transform`.

    Strengths of shape `(count, points)` give `count` grids at once.
    """
    from jax_finufft import nufft1

    return nufft1(shape, strengths, *points, iflag=1, eps=NUFFT_TOLERANCE)


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


def default_directions(grid: VelocityGrid) -> int:
    """Directions per half-turn that keep the angular error below the grid's own (measured)."""
    return grid.n if grid.d == 2 else max(8, 3 * grid.n // 8)


class Lines(eqx.Module):
    """A function's plane integrals over all directions on the refined line, shape `(N, points)`.

    `slope` is the derivative in u and `hilbert` the Hilbert transform of the slope.
    """

    value: jax.Array
    slope: jax.Array
    hilbert: jax.Array


class RadonTransform(eqx.Module):
    r"""The Radon transform of a Cartesian grid, its adjoint, and calculus on its lines.

    $$ F_1(u; n) = \int \delta(u - n \cdot v) f(v) dv, \qquad
       \hat F_1(\omega; n) = \hat f(\omega n) $$

    (projection-slice theorem), so one nonuniform FFT yields all plane integrals. Lines span the
    diagonal of the box, `|u| <= U`, U >= sqrt(d) v_max; the transform is sampled twice as
    densely as they need, which leaves room for the Hilbert transform with the kernel cut at
    distance 2U: a convolution that is exact on the line, without periodic images.

    Args:
        grid: The Cartesian grid.
        directions: Directions per half-turn; by default `default_directions(grid)`.
        refine: Points on the refined line per grid spacing.

    Accuracy: spectral. Cost: O(n^d log n + N n).
    """

    normals: jax.Array
    weights: jax.Array
    points: tuple[jax.Array, ...]
    si: jax.Array
    grid: VelocityGrid = eqx.field(static=True)
    count: int = eqx.field(static=True)
    refine: int = eqx.field(static=True)

    def __init__(self, grid: VelocityGrid, directions: int | None = None, refine: int = 4):
        require(refine >= 1, f"refine must be at least 1, but is {refine}.")
        directions = default_directions(grid) if directions is None else directions
        require(directions >= 4, f"directions must be at least 4, but is {directions}.")
        normals, weights = sphere_rule(grid.d, directions)
        self.grid, self.refine = grid, refine
        self.count = line_points(grid)
        # Frequencies in units of 1/spacing: pi m / count, m < count, all below pi.
        step = np.pi / self.count * np.arange(self.count)
        self.points = tuple(jnp.asarray(np.outer(normals[:, i], step)) for i in range(grid.d))
        self.normals, self.weights = jnp.asarray(normals), jnp.asarray(weights)
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

    def line_transform(self, values: jax.Array, order: int | None = None) -> jax.Array:
        """Fourier coefficients of refined-line values, kept up to the grid's own frequency.

        Shape `(..., points)` to `(..., count // 2)`; the first one is halved, so that the
        function is twice the real part of the sum. With `order` they are damped by
        `exp(-36 (k / k_max)^order)`: an edge on the line then rings over a few cells only.
        """
        # The line has the period 2U, so its frequencies are every second one of `frequencies`.
        modes = self.count // 2
        coefficients = jnp.fft.rfft(values)[..., :modes] / (self.count * self.refine)
        sign = 1.0 - 2.0 * (jnp.arange(modes) % 2)
        if order is not None:
            coefficients = coefficients * np.exp(-36.0 * (np.arange(modes) / modes) ** order)
        return coefficients * sign * jnp.where(jnp.arange(modes) == 0, 0.5, 1.0)

    def backproject(self, coefficients: jax.Array) -> jax.Array:
        r"""`sum_n w_n g_n(n.v)` on the grid, the integral over all directions.

        Args:
            coefficients: From `line_transform`, shape `(batch, N, count // 2)`.

        Returns:
            Shape `(batch,) + grid.shape`.
        """
        # The same every second frequency as in `line_transform`.
        points = tuple(p[:, ::2].reshape(-1) for p in self.points)
        weighted = coefficients * self.weights[:, None]
        strengths = weighted.reshape(weighted.shape[0], -1)
        return 2.0 * spread_transform(strengths, points, self.grid.shape).real
