"""Plane integrals over many directions, the Hilbert transform on the line, back-projection."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.plane_integrals import (
    NUFFT_TOLERANCE,
    Lines,
    LineTransform,
    default_directions,
    sphere_rule,
)


def spread_transform(
    strengths: jax.Array, points: tuple[jax.Array, ...], shape: tuple[int, ...]
) -> jax.Array:
    """`sum_x c_x exp(+i k.x)` on the grid: the adjoint of `sample_transform`.

    Strengths of shape `(count, points)` give `count` grids at once.
    """
    from jax_finufft import nufft1

    return nufft1(shape, strengths, *points, iflag=1, eps=NUFFT_TOLERANCE)


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

    line: LineTransform
    weights: jax.Array

    def __init__(self, grid: VelocityGrid, directions: int | None = None, refine: int = 4):
        require(refine >= 1, f"refine must be at least 1, but is {refine}.")
        directions = default_directions(grid) if directions is None else directions
        require(directions >= 4, f"directions must be at least 4, but is {directions}.")
        normals, weights = sphere_rule(grid.d, directions)
        self.line = LineTransform(grid, normals, refine)
        self.weights = jnp.asarray(weights)

    @property
    def normals(self) -> jax.Array:
        """Directions, shape (N, d)."""
        return self.line.normals

    @property
    def grid(self) -> VelocityGrid:
        """The grid."""
        return self.line.grid

    @property
    def count(self) -> int:
        """Points of the grid's spacing on a line."""
        return self.line.count

    @property
    def refine(self) -> int:
        """Points on the refined line per grid spacing."""
        return self.line.refine

    @property
    def half_length(self) -> float:
        """U: the lines cover [-U, U)."""
        return self.line.half_length

    @property
    def fine_spacing(self) -> float:
        """Spacing of the refined line."""
        return self.line.fine_spacing

    @property
    def u(self) -> jax.Array:
        """Points of the refined line, shape `(count * refine,)`."""
        return self.line.u

    @property
    def frequencies(self) -> jax.Array:
        """Frequencies at which the transform is sampled, spacing pi / (2U)."""
        return self.line.frequencies

    def spectrum(self, f: jax.Array) -> jax.Array:
        """`f_hat(omega n)` for all directions and `frequencies`, shape `(N, count)`."""
        return self.line.spectrum(f)

    def lines(self, spectrum: jax.Array) -> Lines:
        """From the transform to values, slopes and their Hilbert transform on the line."""
        return self.line.lines(spectrum)

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
        points = tuple(p[:, ::2].reshape(-1) for p in self.line.points)
        weighted = coefficients * self.weights[:, None]
        strengths = weighted.reshape(weighted.shape[0], -1)
        return 2.0 * spread_transform(strengths, points, self.grid.shape).real
