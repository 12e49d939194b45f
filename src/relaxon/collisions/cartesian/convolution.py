"""Landau collisions of any softness on a Cartesian grid, by convolution with the cut kernel."""

from __future__ import annotations

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.special import jv, roots_jacobi, spherical_jn

from relaxon.collisions.cartesian.equilibrium import Maxwellian, conserve, matched_maxwellian
from relaxon.collisions.cartesian.flux import coefficients, flux, tilted_gradient, triangle
from relaxon.core.errors import require
from relaxon.core.numbers import scalar, shown
from relaxon.grids.cartesian import VelocityGrid


class LandauConvolution(eqx.Module):
    r"""The Landau operator with kernel `B(w) = strength |w|^(gamma+2) (Id - w x w / |w|^2)`.

    $$ J(v) = \int B(v - w) [f(w) h(v) - f(v) h(w)] dw $$

    (duerinckx2023 (1.11) for gamma = -3, d = 3). The kernel is cut at the diagonal of twice the
    box, farther than any two points of it are apart, so nothing is lost; the Fourier transform
    of the cut kernel is smooth and known in closed form up to one-dimensional integrals. It is
    transformed once, on a grid wide enough for the cut, to values at all differences of grid
    points; each evaluation then is a convolution on the doubled box.

    Args:
        grid: The Cartesian grid.
        gamma: Softness, in [-3, 1]; 0 is Maxwell molecules, -3 Coulomb.
        strength: Prefactor of the kernel.

    Raises:
        InputError: gamma lies outside [-3, 1], or strength is not a finite number.

    Accuracy: spectral in h (BKW, tests/physics/test_exact_solutions.py).
    Cost: `d (d + 1) / 2 + 2 d + 1` real FFTs of `(2 n)^d` points.
    """

    kernel: jax.Array
    strength: jax.Array
    grid: VelocityGrid = eqx.field(static=True)

    def __init__(self, grid: VelocityGrid, gamma: float = -3.0, strength=1 / (8 * np.pi)):
        exponent = scalar(gamma)
        require(-3.0 <= exponent <= 1.0, f"gamma must lie in [-3, 1], but is {shown(gamma)}.")
        self.grid = grid
        self.kernel = jnp.asarray(_unit_kernel(grid, exponent))
        self.strength = jnp.asarray(strength, float)

    def __call__(self, f: jax.Array) -> jax.Array:
        """Rate of change `div J`, conservative to rounding; shape `grid.shape`."""
        return self.conserved(f)[0]

    def conserved(self, f: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The rate, and the norm of what was removed to make it conservative."""
        maxwellian = matched_maxwellian(f, self.grid)
        h = tilted_gradient(f, maxwellian, self.grid)
        diffusion, response = self.flux_terms(f, h)
        return conserve(self.grid.div(flux(diffusion, response, f, h)), maxwellian, self.grid)

    def coefficients(self, f: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Diffusion tensor D `(..., d, d)` and friction P `(..., d)`: `J = D grad f - P f`."""
        maxwellian: Maxwellian = matched_maxwellian(f, self.grid)
        h = tilted_gradient(f, maxwellian, self.grid)
        return coefficients(*self.flux_terms(f, h), maxwellian, self.grid)

    def flux_terms(self, f: jax.Array, h: jax.Array) -> tuple[jax.Array, jax.Array]:
        """D as its upper triangle `(d (d + 1) / 2, ...)`, and the response `(d, ...)` to h."""
        grid, d = self.grid, self.grid.d
        # Doubled with zeros: the cyclic convolution then is the one on the whole space.
        double = (2 * grid.n,) * d
        axes = tuple(range(-d, 0))
        inputs = jnp.concatenate([f[None], jnp.moveaxis(h, -1, 0)])
        padding = [(0, 0)] + [(0, grid.n)] * d
        waves = jnp.fft.rfftn(jnp.pad(inputs, padding), axes=axes)
        pairs = triangle(d)
        # D = B * f as the upper triangle, then R_i = sum_j B_ij * h_j.
        outputs = [self.kernel[k] * waves[0] for k in range(len(pairs))]
        for i in range(d):
            row = [self.kernel[pairs.index((min(i, j), max(i, j)))] for j in range(d)]
            outputs.append(jnp.sum(jnp.stack(row) * waves[1:], axis=0))
        fields = self.strength * jnp.fft.irfftn(jnp.stack(outputs), s=double, axes=axes)
        inside = fields[(slice(None),) + (slice(0, grid.n),) * d]
        return inside[: len(pairs)], inside[len(pairs) :]


@functools.lru_cache(maxsize=8)
def _unit_kernel(grid: VelocityGrid, gamma: float) -> np.ndarray:
    """Transform of the kernel at grid differences on the doubled box, strength one.

    Shape `(d (d + 1) / 2, 2n, ..., n + 1)`, real because the kernel is even. The grid's cell
    volume is included.
    """
    d, n = grid.d, grid.n
    # No two points are farther apart than `radius`. Periodic images of the cut kernel stay off the
    # differences of grid points if the period is at least 2 v_max + radius.
    radius = 2 * math.sqrt(d) * grid.v_max
    wide = next_fast_len(math.ceil(n * (1 + math.sqrt(d))), real=True)
    wide += wide % 2
    full = 2 * np.pi * np.fft.fftfreq(wide, grid.spacing)
    half = np.abs(full[: wide // 2 + 1])
    axes = np.meshgrid(*[full] * (d - 1), half, indexing="ij", sparse=True)
    step = full[1]
    # All wavevectors with the same |k|^2 share two radial functions: few levels, many points.
    squares = sum(np.rint(k / step).astype(np.int64) ** 2 for k in axes)
    levels, place = np.unique(squares, return_inverse=True)
    isotropic, deviator = _radial_transforms(d, gamma, step * radius * np.sqrt(levels))
    # |w|^(gamma+2) dw over the ball of this radius, from the unit ball.
    scale = radius ** (gamma + 2 + d)
    place = place.reshape(squares.shape)
    even = (scale * isotropic)[place]
    # At k = 0 the deviator vanishes; the 1 only avoids 0/0.
    tilt = (scale * deviator)[place] / np.maximum(squares, 1)
    # Differences 0 .. n-1, a place-holder, then -(n-1) .. -1, as the FFT orders them.
    index = np.arange(n)
    keep = np.ix_(*[np.concatenate([index, [0], index[1:] - n]) % wide] * d)
    out = []
    # a Id + b (k k/|k|^2 - Id/d); the inverse transform brings the cell volume along.
    for i, j in triangle(d):
        transform = tilt * (axes[i] * axes[j] / step**2)
        if i == j:
            transform = transform + even - (scale * deviator)[place] / d
        local = irfftn(transform, s=(wide,) * d, workers=-1)[keep]
        # No pair of points differs by n: zero there keeps the kernel even and its transform real.
        for axis in range(d):
            local[(slice(None),) * axis + (n,)] = 0.0
        out.append(rfftn(local, workers=-1).real)
    return np.stack(out)


def _radial_transforms(d: int, gamma: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""The two radial functions of the transform of `|w|^(gamma+2) (Id - w w/|w|^2)`, |w| < 1.

    $$ \hat B = a(x) Id + b(x) (k k/|k|^2 - Id/d), \qquad x = |k| $$

    with (d = 2) `a = pi int t^(gamma+3) J_0(xt) dt`, `b = 2 pi int t^(gamma+3) J_2(xt) dt`, and
    (d = 3) `a = (8 pi/3) int t^(gamma+4) j_0(xt) dt`, `b = 4 pi int t^(gamma+4) j_2(xt) dt` over
    (0, 1). The Gauss rule for the weight `t^p` has enough nodes to be exact to rounding.
    """
    power = gamma + d + 1
    count = int(x.max() / 2) + 40
    nodes, weights = roots_jacobi(count, 0.0, power)
    t, w = (1 + nodes) / 2, weights / 2 ** (power + 1)
    a, b = np.empty_like(x), np.empty_like(x)
    # In pieces, to bound the memory of the outer product.
    for start in range(0, len(x), 2048):
        part = slice(start, start + 2048)
        argument = np.outer(x[part], t)
        if d == 2:
            a[part] = np.pi * jv(0, argument) @ w
            b[part] = 2 * np.pi * jv(2, argument) @ w
        else:
            a[part] = 8 * np.pi / 3 * spherical_jn(0, argument) @ w
            b[part] = 4 * np.pi * spherical_jn(2, argument) @ w
    return a, b


@functools.lru_cache(maxsize=8)
def _operator(grid: VelocityGrid, gamma: float) -> LandauConvolution:
    # Inside a trace the arrays would be tracers, which must not outlive it in the cache.
    with jax.ensure_compile_time_eval():
        return LandauConvolution(grid, gamma, 1.0)


def landau_operator(grid: VelocityGrid, gamma: float, strength) -> LandauConvolution:
    """The operator for a grid; its kernel is computed once per grid and gamma and then reused.

    Pass the object itself into jitted functions: its kernel is then an argument, not a constant.
    """
    unit = _operator(grid, float(gamma))
    return eqx.tree_at(lambda op: op.strength, unit, jnp.asarray(strength, float))
