"""The flat torus: equidistant points, Fourier derivatives."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.memory import ARRAYS, require_memory
from relaxon.core.numbers import dimension, positive, whole
from relaxon.core.registry import storable
from relaxon.core.types import Real, Whole
from relaxon.grids.base import Fourier, Operator
from relaxon.grids.exchange import flux_limited, torus_exchange
from relaxon.grids.extrema import torus_top


def axis_names(letter: str, d: int) -> list[str]:
    """The names of d axes: `x` alone, or `x1`, `x2`, ..."""
    return [letter] if d == 1 else [f"{letter}{i + 1}" for i in range(d)]


@storable("grid")
class TorusGrid(Fourier):
    r"""Equidistant points on the torus $[0, L)^d$; `L = 1` gives the torus of volume one.

    $$ x_i = i L / n, \qquad \int u \, dx \approx (L/n)^d \sum_i u(x_i) $$

    Derivatives are those of the trigonometric interpolant, so they are spectrally accurate for
    smooth data and exact for modes below the Nyquist frequency (whose first derivative is set to
    zero, as symmetry demands). All operations act on the last `d` axes and keep leading ones.

    Args:
        d: Dimension, 1, 2 or 3.
        n: Points along each axis, at least 2.
        length: Length of the period, the same along each axis.
    """

    d: int = eqx.field(static=True)
    n: int = eqx.field(static=True)
    length: float = eqx.field(static=True)

    def __init__(self, d: Whole = 1, n: Whole = 32, length: Real = 1.0):
        self.d, self.n, self.length = dimension(d), whole("n", n, 2), positive("length", length)
        what = f"A TorusGrid of {self.n}^{self.d} points"
        require_memory(what, ARRAYS * self.n**self.d, "take a smaller n")

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, for labelled arrays."""
        return {name: np.arange(self.n) * self.spacing for name in axis_names("x", self.d)}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a scalar field."""
        return (self.n,) * self.d

    @property
    def size(self) -> int:
        """Number of points."""
        return self.n**self.d

    @property
    def spacing(self) -> float:
        """Distance between neighbours."""
        return self.length / self.n

    @property
    def volume(self) -> float:
        """Volume of the torus."""
        return self.length**self.d

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that hold the positions."""
        return tuple(range(-self.d, 0))

    @property
    def x(self) -> jax.Array:
        """Points, shape `(n, ..., n, d)`."""
        line = np.arange(self.n) * self.spacing
        return jnp.asarray(np.stack(np.meshgrid(*[line] * self.d, indexing="ij"), axis=-1), float)

    @property
    def wavenumbers(self) -> np.ndarray:
        """Wave vectors of the half-complex transform, shape `(d, n, ..., n//2+1)`; Nyquist 0."""
        k = self.full_wavenumbers
        return np.where(np.abs(k) * self.length >= np.pi * self.n * (1 - 1e-12), 0.0, k)

    @property
    def full_wavenumbers(self) -> np.ndarray:
        """The same with the Nyquist frequency: for second derivatives."""
        full = np.fft.fftfreq(self.n, 1.0 / self.n)
        lines = [full] * (self.d - 1) + [np.arange(self.n // 2 + 1.0)]
        mesh = np.stack(np.meshgrid(*lines, indexing="ij"))
        return 2.0 * np.pi / self.length * mesh

    def transform(self, u: jax.Array) -> jax.Array:
        """Half-complex Fourier transform over the positions."""
        return jnp.fft.rfftn(u, axes=self.axes)

    def inverse(self, u_hat: jax.Array) -> jax.Array:
        """Inverse of `transform`."""
        return jnp.fft.irfftn(u_hat, s=self.shape, axes=self.axes)

    def gradient(self, u: jax.Array) -> jax.Array:
        """Gradient of `u`, shape `(d, *u.shape)`."""
        u_hat = self.transform(u)
        k = self.wavenumbers
        return jnp.stack([self.inverse(1j * k[i] * u_hat) for i in range(self.d)])

    def divergence(self, flux: jax.Array) -> jax.Array:
        """Divergence of `flux`, whose first axis counts the components; its mean is exactly 0."""
        k = self.wavenumbers
        total = sum(1j * k[i] * self.transform(flux[i]) for i in range(self.d))
        return self.inverse(total)

    def integrate(self, u: jax.Array) -> jax.Array:
        """Integral over the torus (trapezoidal rule: exact below the sampling frequency)."""
        return jnp.mean(u, axis=self.axes) * self.volume

    @property
    def fourier(self) -> TorusGrid:
        """The torus itself."""
        return self

    @property
    def light_ends(self) -> bool:
        """No: all points have the same weight."""
        return False

    def amplitude(self, m: jax.Array) -> jax.Array:
        r"""Amplitude $2 |\hat m_1|$ of the longest wave along the first axis."""
        lines = jnp.mean(m, axis=self.axes[1:]) if self.d > 1 else m
        return 2.0 * jnp.abs(jnp.fft.rfft(lines)[1]) / self.n

    def top(self, u: jax.Array) -> jax.Array:
        """Largest value of the trigonometric interpolants of u, shape `(N, *shape)`."""
        return torus_top(u, self)

    def limited(self, old: jax.Array, new: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """From `old` inside [low, high] to `new` as far as the bounds allow, same integral."""
        return flux_limited(old, new, low, high, self)

    def exchange(self, coefficients: list[jax.Array]) -> tuple[Operator, Operator | None]:
        """u minus its exchange with nearest neighbours; the inverse has the mean coefficients."""
        return torus_exchange(coefficients, self)
