"""A uniform Cartesian grid in velocity space with spectral calculus."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.core.memory import ARRAYS, require_memory
from relaxon.core.numbers import dimension, integer, positive, reals, shown
from relaxon.core.registry import storable
from relaxon.core.shapes import on_grid
from relaxon.core.types import AnyArray, Field, OnGrid, Real, Scalar, Vector, VectorField, Whole
from relaxon.grids.base import Grid
from relaxon.grids.matched import Maxwellian, matched_maxwellian
from relaxon.grids.plane_integrals import (
    LineTransform,
    default_directions,
    line_points,
    sphere_rule,
)
from relaxon.grids.room import require_room


@storable("grid")
@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class VelocityGrid(Grid):
    r"""Points `-v_max + j h`, `h = 2 v_max / n`, along each of `d` velocity axes.

    A function on the grid stands for its trigonometric interpolant on the periodic box, so sums
    are integrals and derivatives are exact for everything the grid resolves. The function must
    have died out at the faces of the box: `check` says so when it has not.

    The grid carries no arrays: it is hashable and enters jit as a static value.

    Args:
        d: Dimension, 2 or 3.
        n: Points per axis, even, at least 8.
        v_max: Half width of the box, > 0, in units of velocity.

    Raises:
        InputError: An argument lies outside its range.

    Accuracy: spectral (tests/unit/grids/test_cartesian.py).
    """

    widens = ("v_max",)

    d: int
    n: int
    v_max: float

    def __init__(self, d: Whole = 2, n: Whole = 48, v_max: Real = 6.0):
        points = integer(n) or 0
        require(
            points >= 8 and points % 2 == 0,
            f"n must be an even whole number of at least 8, but is {shown(n)}.",
        )
        object.__setattr__(self, "d", dimension(d, (2, 3)))
        object.__setattr__(self, "n", points)
        object.__setattr__(self, "v_max", positive("v_max", v_max))
        what = f"A VelocityGrid of {self.n}^{self.d} points"
        require_memory(what, ARRAYS * self.n**self.d, "take a smaller n")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a function on the grid, `(n,) * d`."""
        return (self.n,) * self.d

    @property
    def spacing(self) -> float:
        """Distance h between neighbours along an axis."""
        return 2.0 * self.v_max / self.n

    @property
    def cell(self) -> float:
        """Volume `h^d` that a point stands for."""
        return self.spacing**self.d

    @property
    def nodes(self) -> jax.Array:
        """The n coordinates along one axis."""
        return jnp.asarray(self._line, float)

    @property
    def _line(self) -> np.ndarray:
        return self.spacing * (np.arange(self.n) - self.n // 2)

    @property
    def v(self) -> jax.Array:
        """All points, shape `(n, ..., n, d)`."""
        axes = np.meshgrid(*(self._line,) * self.d, indexing="ij")
        return jnp.asarray(np.stack(axes, axis=-1), float)

    def integrate(self, f: AnyArray) -> jax.Array:
        """Integral over velocity of `f`, shape `(..., n, ..., n)`: `h^d sum f`."""
        return self.cell * jnp.sum(f, axis=tuple(range(-self.d, 0)))

    def wavenumbers(self) -> tuple[np.ndarray, ...]:
        """Frequencies per axis as `rfftn` orders them, each shaped to broadcast.

        The unmatched highest frequency is set to 0: its derivative has no real counterpart.
        """
        full = 2 * np.pi * np.fft.fftfreq(self.n, self.spacing)
        full[self.n // 2] = 0.0
        half = 2 * np.pi * np.fft.rfftfreq(self.n, self.spacing)
        half[-1] = 0.0
        axes = [full] * (self.d - 1) + [half]
        return tuple(
            k.reshape((1,) * i + (-1,) + (1,) * (self.d - 1 - i)) for i, k in enumerate(axes)
        )

    def grad(self, f: OnGrid) -> VectorField:
        """Gradient of `f` (shape `self.shape`), components on the last axis."""
        spectrum = jnp.fft.rfftn(f)
        parts = jnp.stack([1j * k * spectrum for k in self.wavenumbers()])
        slopes = jnp.fft.irfftn(parts, s=self.shape, axes=tuple(range(-self.d, 0)))
        return jnp.moveaxis(slopes, 0, -1)

    def div(self, flux: VectorField, order: int | None = None) -> Field:
        """Divergence of `flux` (shape `self.shape + (d,)`).

        Args:
            flux: Components on the last axis.
            order: If given, frequencies are damped by `exp(-36 |k / k_max|^order)` along each
                axis. A flux with an edge that the grid does not resolve has parts at the highest
                frequencies that need not vanish at the faces of the box, where the derivative of
                v itself jumps; without damping they spoil the moments (measured: 5e-6, against
                1e-8 with order 8). The damping keeps the moments of a
                resolved flux (measured: degree 4 to 5e-12 at n = 48, N(0, 1/2), v_max = 6).
        """
        spectra = jnp.fft.rfftn(jnp.moveaxis(flux, -1, 0), axes=tuple(range(-self.d, 0)))
        total = sum(1j * k * spectra[i] for i, k in enumerate(self.wavenumbers()))
        if order is not None:
            full = np.exp(-36.0 * np.abs(2 * np.fft.fftfreq(self.n)) ** order)
            half = full[: self.n // 2 + 1]
            for axis in range(self.d):
                damp = half if axis == self.d - 1 else full
                total = total * damp.reshape((1,) * axis + (-1,) + (1,) * (self.d - 1 - axis))
        return jnp.fft.irfftn(total, s=self.shape)

    def resolvent(self, f: OnGrid, stiffness: Any) -> Field:
        r"""$(1 - a \Delta)^{-1} f$, where $-a \Delta$ is at most `stiffness` on the grid."""
        full = (2 * np.fft.fftfreq(self.n)) ** 2 / self.d
        axes = [full] * (self.d - 1) + [full[: self.n // 2 + 1]]
        square = sum(
            k.reshape((1,) * i + (-1,) + (1,) * (self.d - 1 - i)) for i, k in enumerate(axes)
        )
        return jnp.fft.irfftn(jnp.fft.rfftn(f) / (1 + stiffness * square), s=self.shape)

    def coordinates(self) -> dict[str, jax.Array]:
        """Names and values of the grid's axes, for labelled arrays."""
        return {f"v{i + 1}": self.nodes for i in range(self.d)}

    def dirichlet(self, g: OnGrid) -> Scalar:
        r"""$ \int |\nabla g|^2 dv $."""
        return self.integrate(jnp.sum(self.grad(g) ** 2, axis=-1))

    def marginal(self, f: OnGrid, direction: Any) -> tuple[Vector, Vector, Vector]:
        r"""Plane integrals of `f` across one direction, and their slope.

        $$ F_1(u) = \int_{n \cdot v = u} f \, dS $$

        by the projection-slice theorem: the line transform of `F1` is the transform of `f` along
        `n`. Many directions at once: `relaxon.grids.plane_integrals.LineTransform`.

        Args:
            f: Function on the grid.
            direction: Any nonzero vector of length d; it is normalised.

        Returns:
            `(u, F1, F1prime)`, with u spaced like the grid over the width of the whole box.

        Raises:
            InputError: The direction is not a nonzero vector of length d.

        Accuracy: spectral. Cost: O(n^(d+1)).
        """
        normal, f = reals("direction", direction), on_grid("f", f, self.shape)
        require(
            normal.shape == (self.d,) and bool(np.isfinite(normal).all() and normal.any()),
            f"direction must be a nonzero vector of length {self.d}, but is {shown(direction)}.",
        )
        normal = normal / np.linalg.norm(normal)
        count = line_points(self)
        length = count * self.spacing
        omega = 2 * np.pi / length * np.arange(count // 2)
        spectrum = f.astype(complex)
        waves = [jnp.exp(-1j * omega[:, None] * n_i * self.nodes) for n_i in normal]
        spectrum = jnp.tensordot(waves[0], spectrum, axes=1)
        for wave in waves[1:]:
            spectrum = jnp.einsum("mj,mj...->m...", wave, spectrum)
        # Nodes are centred: (-1)^m moves u = 0 to the middle of the line.
        spectrum = self.cell * spectrum * (-1.0) ** np.arange(count // 2)
        u = self.spacing * (jnp.arange(count) - count // 2)
        line = jnp.fft.irfft(spectrum, n=count) / self.spacing
        slope = jnp.fft.irfft(1j * omega * spectrum, n=count) / self.spacing
        return u, line, slope

    def line_transform(self) -> LineTransform:
        """Plane integrals over the directions of the general collision operator."""
        return LineTransform(self, sphere_rule(self.d, default_directions(self))[0], 3)

    def matched(self, f: jax.Array) -> Maxwellian:
        """The Maxwellian whose sums on the grid have the mass, momentum and energy of `f`."""
        return matched_maxwellian(f, self)

    def check(self, f, name: str = "f") -> jax.Array:
        """Refuse data that the grid cannot carry; return `f` as a float64 array.

        Raises:
            InputError: Wrong shape, NaN or infinite values, values clearly below zero, no mass,
                a box that cuts off more than 1e-4 of the mass or too much of the Maxwellian of
                the same moments (`relaxon.grids.room`), or too coarse a grid (more than
                1e-2 of the spectrum's height left at the highest frequencies).
        """
        array = np.asarray(f, dtype=float)
        require(
            array.shape == self.shape,
            f"{name} must have the grid's shape {self.shape}, but has shape {array.shape}.",
        )
        bad = int(np.size(array) - np.count_nonzero(np.isfinite(array)))
        require(bad == 0, f"{name} must be finite, but has {bad} NaN or infinite values.")
        top, low = float(array.max()), float(array.min())
        require(top > 0, f"{name} must have positive mass, but its largest value is {top:.3g}.")
        require(
            low >= -1e-8 * top,
            f"{name} must not be negative, but its least value is {low:.3g} (largest {top:.3g}).",
        )
        cut = cut_fraction(self, array)
        require(
            cut <= 1e-4,
            f"v_max = {self.v_max:g} is too small for {name}: the box cuts off about {cut:.1e} "
            "of its mass (allowed: 1e-4).",
        )
        require_room(jnp.asarray(array), self, name)
        rest = unresolved_fraction(self, array)
        if rest > 1e-2:
            raise InputError(
                f"n = {self.n} is too coarse for {name}: {rest:.1e} of the spectrum's height is "
                f"left at the highest frequency (allowed: 1e-2); try n = {2 * self.n}."
            )
        return jnp.asarray(array)


def cut_fraction(grid: VelocityGrid, f: np.ndarray) -> float:
    """Share of the mass that lies beyond the box, each axis' tail continued exponentially."""
    total = f.sum()
    cut = 0.0
    for axis in range(grid.d):
        line = f.sum(axis=tuple(i for i in range(grid.d) if i != axis))
        for tail in (line, line[::-1]):
            # The tail goes on geometrically with the ratio of neighbours, taken over two cells
            # since the outermost may be noise; 0.99 bounds flat ends.
            outer, inner = max(tail[0], 0.0), max(tail[2], 0.0)
            if outer <= 1e-15 * line.max():
                continue
            ratio = min(outer / inner, 0.99**2) if inner > 0 else 0.99**2
            cut += outer * math.sqrt(ratio) / (1.0 - math.sqrt(ratio))
    return float(cut / total)


def unresolved_fraction(grid: VelocityGrid, f: np.ndarray) -> float:
    """Largest Fourier amplitude in the outer tenth of the frequencies over the mass."""
    spectrum = np.abs(np.fft.fftn(f))
    index = np.abs(np.fft.fftfreq(grid.n)) * 2
    outer = sum(np.meshgrid(*(index >= 0.9,) * grid.d, indexing="ij")) > 0
    return float(spectrum[outer].max() / spectrum.flat[0])
