"""The radial grid: one mapped coordinate that resolves every scale from r_min to r_max."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.integrate import cumulative_simpson
from scipy.interpolate import CubicSpline
from scipy.special import zeta

from relaxon.core.errors import require
from relaxon.core.memory import ARRAYS, require_memory
from relaxon.core.numbers import dimension, positive, whole
from relaxon.core.registry import storable
from relaxon.core.shapes import on_grid
from relaxon.core.types import AnyArray, OnGrid, Real, Vector, Whole
from relaxon.grids.base import Grid

FURTHEST = 1e90
"""Largest radius, and the inverse of the smallest: volumes of cells stay in the number range."""

OUTER_STRETCH = 4.0
"""The part of the mapped coordinate that is spent linearly on [0, r_max]; see `RadialGrid`."""

LOST = 1e-10, 1e-6
"""Shares of mass and energy that may lie beyond r_max."""

NEGLIGIBLE = 1e-14
"""A share of mass and energy in the last shell that is not looked at."""

CELL = 0.05
"""Width of a cell in the mapped coordinate if the number of cells is not given; at delta = 1e-6 the
norm of F - M at t = 1/2 then has a relative error of 2e-6."""

# Staggered differences and interpolation of order 4 on a uniform grid, cells i-1 .. i+2 to face i.
DIFFERENCE = np.array([1.0, -27.0, 27.0, -1.0]) / 24.0
INTERPOLATION = np.array([-1.0, 9.0, 9.0, -1.0]) / 16.0


@storable("grid", build="resolving")
class RadialGrid(eqx.Module, Grid):
    r"""Cells in r = |v|, graded from the scale r_min out to r_max.

    The grid is uniform in a coordinate x that is an odd analytic function of r,

    $$ x(r) = \operatorname{asinh}(r / r_{min}) + 4 r / r_{max}, \qquad
       x_i = (i + 1/2) \Delta x, \quad i = 0, \dots, n - 1, $$

    so cells are uniform below r_min, a constant fraction of r between r_min and r_max, and never
    wider than r_max dx / 4. Distributions are given by their values at the cell centres `r`.
    A smooth radial function is even in x and a distribution vanishes at r_max, so the midpoint
    rule in x converges faster than any power of dx in d = 3. In d = 2 the surface factor is odd
    and six corrected weights next to r = 0 keep the rule at order 12.

    Every array is a leaf, so that grids of equal n can be stacked and mapped over.

    Attributes:
        d: Dimension of velocity space, 2 or 3.
        n: Number of cells.
        r: Cell centres, shape (n,).
        faces: Cell faces, shape (n + 1,), from 0 to r_max.
        volumes: Weights of `integrate`, shape (n,); the volume of the shell to order dx^2.
        r_min: The scale below which cells are uniform.
        dx: Width of a cell in the mapped coordinate.
        slope: dr/dx at the centres, shape (n,).
        difference: d/dx from cells i-1 .. i+2 to interior face i, shape (n - 1, 4).
        interpolation: Values from cells i-1 .. i+2 to interior face i, shape (n - 1, 4).

    Accuracy: `integrate` of a Maxwellian is exact to rounding once its width is resolved;
    `difference` and `interpolation` have order 4 (tests/unit/grids/test_radial_grid.py).
    """

    widens = ("r_max",)

    d: int = eqx.field(static=True)
    n: int = eqx.field(static=True)
    r: Array
    faces: Array
    volumes: Array
    r_min: Array
    dx: Array
    slope: Array
    face_slope: Array
    difference: Array
    interpolation: Array

    def __init__(self, d: Whole = 3, n: Whole = 200, r_max: Real = 12.0, r_min: Real = 0.1):
        """Build the grid.

        Args:
            d: Dimension of velocity space, 2 or 3.
            n: Number of cells, at least 16.
            r_max: Outer end; the distribution must be negligible there.
            r_min: The smallest scale to resolve; 0 < r_min <= r_max.

        Raises:
            InputError: An argument is outside its range.
        """
        d, n = dimension(d, (2, 3)), whole("n", n, 16)
        r_max, r_min = positive("r_max", r_max), positive("r_min", r_min)
        require(r_min <= r_max, f"r_min must not exceed r_max = {r_max:g}, but is {r_min:g}.")
        require(
            r_min >= 1 / FURTHEST and r_max <= FURTHEST,
            f"r_min and r_max must lie between {1 / FURTHEST:g} and {FURTHEST:g}, "
            f"but are {r_min:g} and {r_max:g}.",
        )
        require_memory(f"A RadialGrid of {n} cells", ARRAYS * n, "take a smaller n")

        dx = (math.asinh(r_max / r_min) + OUTER_STRETCH) / n
        centres = _radius((np.arange(n) + 0.5) * dx, r_max, r_min)
        faces = _radius(np.arange(n + 1) * dx, r_max, r_min)
        # Exactly, whatever Newton's method left.
        faces[-1] = r_max
        slope = _slope(centres, r_max, r_min)

        self.d, self.n = d, n
        self.r = jnp.asarray(centres, float)
        self.faces = jnp.asarray(faces, float)
        self.r_min = jnp.asarray(r_min, float)
        self.dx = jnp.asarray(dx, float)
        self.slope = jnp.asarray(slope, float)
        self.face_slope = jnp.asarray(_slope(faces, r_max, r_min), float)
        volumes = sphere_area(d) * centres ** (d - 1) * slope * dx * _rule(d, n)
        self.volumes = jnp.asarray(volumes, float)
        self.difference = jnp.asarray(_stencil(DIFFERENCE / dx, n, odd=True), float)
        self.interpolation = jnp.asarray(_stencil(INTERPOLATION, n, odd=False), float)

    @classmethod
    def resolving(
        cls,
        d: int = 3,
        n: int | None = None,
        r_max: float = 12.0,
        r_min: float | None = None,
        *,
        width: float,
    ) -> RadialGrid:
        """The grid for data whose smallest scale is `width`.

        Args:
            d: Dimension.
            n: Number of cells; None makes cells of width `CELL` in the mapped coordinate.
            r_max: Outer end.
            r_min: The smallest scale to resolve; None is `width`.
            width: The smallest velocity scale of the data.
        """
        least = width if r_min is None else r_min
        if n is None:
            usable = least > 0 and r_max > 0 and math.isfinite(least + r_max)
            span = math.asinh(r_max / least) + OUTER_STRETCH if usable else 1.0
            n = max(16, math.ceil(span / CELL))
        return cls(d=d, n=n, r_max=r_max, r_min=least)

    @property
    def shape(self) -> tuple[int]:
        """Shape of a distribution on this grid."""
        return (self.n,)

    @property
    def r_max(self) -> Array:
        """Outer end of the grid."""
        return self.faces[-1]

    def check(self, f: Any, name: str = "f") -> Array:
        """The density f; refuse a box that cuts off its tail, or the Maxwellian it relaxes to."""
        values, r, volumes = np.asarray(f), np.asarray(self.r), np.asarray(self.volumes)
        # Scaled, so that data near the ends of the number range do not over- or underflow.
        shape = values / values.max()
        mass, energy = shape @ volumes, (shape * r**2) @ volumes
        width = math.sqrt(float(energy / (self.d * mass)))
        r_max = float(self.faces[-1])
        self._require_tail(name, shape, mass, energy)
        require(
            r_max > 6.5 * width,
            f"r_max = {r_max:.4g} is too small for the Maxwellian that {name} relaxes to "
            f"(temperature {width**2:.3g}): it must exceed 6.5 thermal widths; "
            f"take r_max >= {10 * width:.3g}.",
        )
        return f

    def require_maxwellian(self, temperature: float, whose: str) -> None:
        """Refuse a box at whose end the Maxwellian of this temperature underflows."""
        most = 36 * math.sqrt(temperature)
        r_max = float(self.faces[-1])
        require(
            r_max < most,
            f"r_max = {r_max:.4g} is too large: the Maxwellian of {whose} (temperature "
            f"{temperature:.3g}) underflows there; take r_max <= {most:.3g}.",
        )

    def _require_tail(self, name: str, f: np.ndarray, mass: float, energy: float) -> None:
        """Refuse what leaves too much beyond r_max, if its tail goes on like a power of r."""
        r, r_max = np.asarray(self.r), float(self.faces[-1])
        shell = float(f[-1] * sphere_area(self.d) * r_max**self.d)
        if shell * max(1 / mass, r_max**2 / energy) < NEGLIGIBLE:
            return
        power = math.log(f[-4] / f[-1]) / math.log(r[-1] / r[-4]) if f[-4] > 0 else 0.0
        require(
            power > self.d + 2,
            f"r_max = {r_max:.4g} is too small for {name}, or its energy is not finite: there it "
            f"falls like r^-{power:.3g}, and must fall faster than r^-{self.d + 2}.",
        )
        powers = power - self.d, power - self.d - 2
        cut = shell / powers[0] / mass, shell * r_max**2 / powers[1] / energy
        # The factor by which the box must grow for each of the two, and a little more.
        grown = max((2 * c / most) ** (1 / p) for c, most, p in zip(cut, LOST, powers))
        require(
            all(c < most for c, most in zip(cut, LOST)),
            f"r_max = {r_max:.4g} is too small for the tail of {name}, which falls like "
            f"r^-{power:.3g} there: {cut[0]:.1e} of the mass and {cut[1]:.1e} of the energy would "
            f"be cut off; take r_max >= {grown * r_max:.3g}.",
        )

    def mapping(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(r, dr/dx) at the mapped coordinate x."""
        r = _radius(x, float(self.r_max), float(self.r_min))
        return r, _slope(r, float(self.r_max), float(self.r_min))

    @property
    def isotropic(self) -> bool:
        """True: one direction stands for all."""
        return True

    def marginal(self, f: OnGrid, direction: Any = None) -> tuple[Vector, Vector, Vector]:
        r"""Plane integrals of a radial f, $ F_1(u) = \int_{n \cdot v = u} f \, dS $, and F_1'.

        Args:
            f: Values at the centres, > 0 (taken as 1e-300 where it is not).
            direction: Not looked at; all are the same.

        Returns:
            (u, F1, F1prime) on a uniform line of u, as fine as the finest cell allows.
        """
        return radial_marginal(self, np.asarray(on_grid("f", f, self.shape)))

    def coordinates(self) -> dict[str, Array]:
        """Names and values of the grid's axes, for labelled arrays."""
        return {"r": self.r}

    def integrate(self, f: AnyArray) -> Array:
        r"""Integral over velocity space, $ \int_{R^d} f \, dv $.

        Args:
            f: Values at the cell centres; the last axis is the grid's.

        Returns:
            The integral over the last axis. For smooth f that vanishes at r_max the error decays
            faster than any power of the cell size (d = 3).
        """
        return jnp.asarray(f) @ self.volumes

    def norm(self, x: Array, weight: Array | float = 1.0) -> Array:
        """(int weight x^2 dv)^(1/2), scaled so that squares do not underflow."""
        scale = jnp.maximum(jnp.max(jnp.abs(x)), 1e-300)
        return scale * jnp.sqrt(self.integrate(weight * (x / scale) ** 2))

    def to_faces(self, f: Array) -> Array:
        """Interpolate an even function from the centres to the n - 1 interior faces, order 4."""
        return apply_stencil(self.interpolation, f)

    def gradient(self, f: Array) -> Array:
        """df/dr of an even function at the n - 1 interior faces, order 4 in the cell size."""
        return apply_stencil(self.difference, f) / self.face_slope[1:-1]

    def dirichlet(self, g: Array) -> Array:
        r"""$ \int |\nabla g|^2 dv $ of an even function g, a sum over the faces."""
        faces = self.faces[1:-1]
        weight = sphere_area(self.d) * faces ** (self.d - 1) * self.face_slope[1:-1] * self.dx
        return jnp.sum(weight * self.gradient(g) ** 2, axis=-1)

    def cumulative(self, f: Array, power: int) -> tuple[Array, Array]:
        r"""$ \int_0^r s^p f ds $ and $ \int_r^\infty s^p f ds $ at all faces, f even in r.

        Midpoint sums from either side up to the face, with the Euler-Maclaurin terms of orders 2
        and 4 at the face (and at r = 0 for odd p).

        Returns:
            Two arrays of shape (n + 1,) at `faces`.

        Accuracy: order 6 in the cell size.
        """
        w = self.r**power * f * self.slope
        # Two values mirrored at r = 0 and two zeros beyond r_max.
        mirror = w[1::-1] * (-1) ** power
        around = jnp.concatenate([mirror, w, jnp.zeros(2)])
        q = [around[k : k + self.n + 1] for k in range(4)]
        first, third = (
            (q[0] - 27 * q[1] + 27 * q[2] - q[3]) / 24,
            -q[0] + 3 * q[1] - 3 * q[2] + q[3],
        )
        # Euler-Maclaurin terms of the midpoint rule at an end: w'/24 - 7 w'''/5760.
        end = first / 24 - 7 * third / 5760
        inside = jnp.pad(jnp.cumsum(w), (1, 0)) + end - end[0]
        outside = jnp.pad(jnp.cumsum(w[::-1])[::-1], (0, 1)) - end
        return inside.at[0].set(0.0) * self.dx, outside * self.dx

    def at_origin(self, f: Array) -> Array:
        """Value at r = 0 of an even function, from the first four cells.

        The interpolant is even in the mapped coordinate, of degree 6; the error is of order dx^8.
        """
        return jnp.asarray(f)[..., :4] @ jnp.asarray(_ORIGIN)


def apply_stencil(stencil: Array, f: Array) -> Array:
    """Sum_m stencil[i, m] f[i - 1 + m] at the n - 1 interior faces i; f has length n."""
    n = f.shape[-1]
    padded = jnp.pad(f, (1, 1))
    parts = [stencil[:, m] * padded[m : m + n - 1] for m in range(4)]
    return parts[0] + parts[1] + parts[2] + parts[3]


def _radius(x: np.ndarray, r_max: float, r_min: float) -> np.ndarray:
    """Invert x(r) by Newton's method in log r, which converges from any side."""
    # x(r) exceeds either of its two terms, so each alone bounds r from above.
    r = np.maximum(
        np.minimum(r_min * np.sinh(np.minimum(x, 700.0)), x * r_max / OUTER_STRETCH), 1e-300
    )
    for _ in range(60):
        residual = np.arcsinh(r / r_min) + OUTER_STRETCH * r / r_max - x
        step = residual * _slope(r, r_max, r_min)
        r = np.where(step < r, r - step, r / 2)
    return np.where(x == 0, 0.0, r)


def _slope(r: np.ndarray, r_max: float, r_min: float) -> np.ndarray:
    """dr/dx."""
    return 1.0 / (1.0 / np.hypot(r, r_min) + OUTER_STRETCH / r_max)


def sphere_area(d: int) -> float:
    """Area of the unit sphere in R^d: 2, 2 pi, 4 pi for d = 1, 2, 3."""
    return {1: 2.0, 2: 2 * math.pi, 3: 4 * math.pi}[d]


def _rule(d: int, n: int) -> np.ndarray:
    """Factors on the midpoint rule: 1 for an even integrand (d = 3), corrected for an odd one.

    The midpoint sum of x^k over the half line misses the integral by zeta(-k, 1/2) dx^(k+1);
    six weights cancel this for k = 1, 3, ..., 11.
    """
    factors = np.ones(n)
    if d == 2:
        nodes, powers = np.arange(6) + 0.5, np.arange(1, 12, 2)
        defect = [-_hurwitz_half(int(k)) for k in powers]
        factors[:6] += np.linalg.solve(nodes[None, :] ** powers[:, None], defect)
    return factors


def _hurwitz_half(k: int) -> float:
    """zeta(-k, 1/2) = (2^-k - 1) zeta(-k) for odd k, from the Bernoulli numbers."""
    bernoulli = 2 * (-1) ** ((k + 1) // 2 + 1) * math.factorial(k + 1) * zeta(k + 1)
    bernoulli /= (2 * math.pi) ** (k + 1)
    return (2.0**-k - 1) * (-bernoulli / (k + 1))


def _stencil(weights: np.ndarray, n: int, odd: bool) -> np.ndarray:
    """The stencil at every interior face: mirrored at r = 0, of order 2 at the last face."""
    table = np.tile(weights, (n - 1, 1))
    table[0, 1] += table[0, 0]
    table[0, 0] = 0.0
    # Two points at the outer end; the weights are those of an interval of width dx.
    inner = 24.0 / 27.0 * weights[2] if odd else 0.5
    table[-1] = [0.0, -inner if odd else inner, inner, 0.0]
    return table


def _even_origin() -> np.ndarray:
    """Weights of the even interpolant through x = 1/2, 3/2, 5/2, 7/2 at x = 0."""
    nodes = (np.arange(4) + 0.5) ** 2
    return np.array([np.prod([q / (q - p) for q in nodes if q != p]) for p in nodes])


_ORIGIN = _even_origin()


MOST = 4096


def radial_marginal(grid: RadialGrid, f: np.ndarray) -> tuple[Array, Array, Array]:
    """(u, F1, F1'); see `RadialGrid.marginal`.

    Accuracy: log f is interpolated by a cubic spline, order 4 in the cell size.
    """
    r_max, r_min = float(grid.r_max), float(grid.r_min)
    dx = float(grid.dx)
    x = (np.arange(-grid.n, grid.n) + 0.5) * dx
    half = np.log(np.maximum(f, 1e-300))
    spline = CubicSpline(x, np.concatenate([half[::-1], half]))

    def log_f(s: np.ndarray, order: int = 0) -> np.ndarray:
        at = np.minimum(np.arcsinh(s / r_min) + OUTER_STRETCH * s / r_max, x[-1])
        slope = 1 / np.hypot(s, r_min) + OUTER_STRETCH / r_max
        return spline(at, order) * slope if order else spline(at)

    finest = float(np.min(np.diff(np.asarray(grid.faces))))
    half_count = int(min(MOST // 2, max(128, np.ceil(r_max / finest))))
    h = r_max / half_count
    u = h * np.arange(half_count)
    if grid.d == 3:
        values = np.exp(log_f(u))
        slope = -2 * np.pi * u * values
        fine = h / 4 * np.arange(4 * half_count)
        # F1 = 2 pi int_u^inf s f ds by Simpson's rule on a line four times finer.
        inside = cumulative_simpson(2 * np.pi * fine * np.exp(log_f(fine)), dx=h / 4, initial=0)
        line = (inside[-1] - inside)[::4]
    else:
        s = np.hypot(u[:, None], u[None])
        inside = s < r_max
        values = np.where(inside, np.exp(log_f(np.minimum(s, r_max))), 0.0)
        steep = values * np.where(inside, log_f(np.minimum(s, r_max), 1), 0.0)
        # Both signs of the second component; the line through the origin counts once.
        rule = np.where(np.arange(half_count) == 0, h, 2 * h)
        line = values @ rule
        slope = (steep * u[:, None] / np.where(s > 0, s, 1.0)) @ rule
    # F1' is an integral of F' from u on: where F falls from there, what is positive is noise.
    rising = np.flatnonzero(np.diff(f) > 1e-14 * np.max(f))
    falls = u >= float(grid.faces[rising[-1] + 2]) if len(rising) else u >= 0
    slope = np.where(falls, np.minimum(slope, 0.0), slope)
    mirrored = np.concatenate([[0.0], line[:0:-1], line])
    odd = np.concatenate([[0.0], -slope[:0:-1], slope])
    return (
        jnp.asarray(h * np.arange(-half_count, half_count)),
        jnp.asarray(mirrored),
        jnp.asarray(odd),
    )
