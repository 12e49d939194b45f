"""The whole line under a confining potential: Gauss nodes of its Gibbs weight."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.numbers import integer, scalar, shown
from relaxon.core.registry import storable
from relaxon.core.types import Real, Whole
from relaxon.grids.base import Operator, Positions
from relaxon.grids.confinement import Confinement, Confining, confinement, confinement_of
from relaxon.grids.exchange import line_exchange, line_limited
from relaxon.grids.extrema import line_top
from relaxon.numerics.gauss import GaussRule, gauss_rule


@storable("grid", build="under")
class ConfinedLine(Positions):
    r"""Positions $x \in R$ with the measure $e^{-\phi(x)} dx$.

    $$ \int u \, e^{-\phi} dx \approx \sum_i W_i u(x_i), \qquad
       \nabla = D, \quad \nabla \cdot{} = -D^t = -W^{-1} D' W $$

    The nodes are those of the Gauss rule of $e^{-\phi}$ on the interval where phi exceeds its
    minimum by at most `depth`; D differentiates the polynomial through them and D^t is its
    adjoint in the weighted scalar product, the analogue of $-\partial_x + \phi'$. So phi' is
    never needed, constants have gradient 0, a divergence has integral 0, and D^t D is
    self-adjoint: exactly, not only to truncation. The operator of the diffusion limit is
    $L = -D^t D \approx \partial_{xx} - \phi' \partial_x$.

    The interval is cut because a plain Gauss rule (Gauss-Hermite, say) has outer weights of
    1e-30, and nodal values that the weighted norm does not see are noise. At the ends the cut
    acts as a reflecting wall behind which `missing` of the mass is left out.

    Of the interface of `Positions`: operations act on the last axis and
    keep leading ones; gradient and divergence have a first axis of length one for the components.

    Args:
        potential: phi: a `Confinement`, a name or a callable (see `confinement`).
        n: Number of nodes, 4 ... 256.
        depth: Rise of phi at the ends, 8 ... 60.

    Raises:
        InputError: A potential that does not confine; n or depth out of range.

    Accuracy: spectral. Harmonic potential, depth 24, 40 nodes: Z to 4e-12, the eigenvalues
    1, 2, 3 of D^t D to 2e-10, 9e-9, 2e-7 (the cut: with depth 30 to 6e-13, 3e-11, 9e-10).
    Rounding in nodal values is multiplied by up to 4e5 at the ends (6e6 with depth 30).
    """

    d: int = eqx.field(static=True)
    potential: Confinement
    n: int = eqx.field(static=True)
    depth: float = eqx.field(static=True)
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    missing: float = eqx.field(static=True)
    nodes: jax.Array
    weights: jax.Array
    gibbs: jax.Array
    slope: jax.Array

    def __init__(self, potential: Confining = "harmonic", n: Whole = 40, depth: Real = 24.0):
        self.d, self.potential = 1, confinement(potential)
        self.n, self.depth = integer(n) or 0, scalar(depth)
        require(4 <= self.n <= 256, f"n must be an integer in 4...256, but is {shown(n)}.")
        require(8 <= self.depth <= 60, f"depth must lie between 8 and 60, but is {shown(depth)}.")
        self.low, self.high, least = self.potential.interval(self.depth)
        # A constant added to phi only scales the weight: leave it out of the exponential.
        rule = gauss_rule(
            lambda x: np.exp(least - self.potential(x)), self.low, self.high, self.n, self._even()
        )
        scale = float(np.exp(-least))
        require(
            0 < scale * rule.weights.sum() < np.inf,
            f"The minimum of the potential {self.potential.name!r} is {least:.3g}: exp(-phi) is "
            "not a floating-point number; add a constant to phi.",
        )
        self.missing = self._missing(least, float(rule.weights.sum()))
        self.nodes = jnp.asarray(rule.nodes, float)
        self.weights = jnp.asarray(scale * rule.weights, float)
        self.gibbs = jnp.asarray(np.exp(-self.potential(rule.nodes)), float)
        self.slope = jnp.asarray(rule.derivative, float)

    def _even(self) -> bool:
        """Whether phi is even to rounding on its interval."""
        if abs(self.low + self.high) > 1e-12 * self.high:
            return False
        x = np.linspace(0.0, self.high, 101)
        return bool(np.all(np.abs(self.potential(x) - self.potential(-x)) < 1e-12 * self.depth))

    def _missing(self, least: float, kept: float) -> float:
        """Share of the mass of exp(-phi) beyond the ends."""
        width, lost = self.high - self.low, 0.0
        for end, way in ((self.low, -1.0), (self.high, 1.0)):
            s = np.linspace(-9.0, 6.0, 3001)  # log of the distance over the width
            x = end + way * width * np.exp(s)
            with np.errstate(invalid="ignore", over="ignore"):
                tail = np.exp(least - self.potential(x)) * width * np.exp(s)
            lost += float(np.trapezoid(tail, s))
        return lost / (kept + lost)

    @classmethod
    def under(cls, n: int = 40, depth: float = 24.0, *, equation: Any) -> ConfinedLine:
        """The line under the potential of an equation."""
        return cls(confinement_of(equation), n, depth)

    def rule(self) -> GaussRule:
        """The Gauss rule of exp(-phi) behind this line, with its orthonormal polynomials."""
        root = np.sqrt(np.asarray(self.weights))
        least = self.potential.interval(self.depth)[2]
        rule = gauss_rule(
            lambda x: np.exp(least - self.potential(x)), self.low, self.high, self.n, self._even()
        )
        return GaussRule(rule.nodes, root**2, rule.derivative, rule.modes)

    def orthonormal_slope(self) -> np.ndarray:
        """The derivative D between orthonormal nodal functions, shape `(n, n)`."""
        root = np.sqrt(np.asarray(self.weights))
        return np.asarray(self.slope) * root[:, None] / root

    def poincare(self) -> float:
        """The smallest positive eigenvalue of D^t D: the gap of the overdamped dynamics."""
        # The last singular value is 0, that of constants.
        values = np.linalg.svd(self.orthonormal_slope(), compute_uv=False)
        return float(values[-2] ** 2)

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, for labelled arrays."""
        return {"x": np.asarray(self.nodes)}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a scalar field."""
        return (self.n,)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return self.n

    @property
    def axes(self) -> tuple[int, ...]:
        """The axis that holds the positions."""
        return (-1,)

    @property
    def x(self) -> jax.Array:
        """Nodes, shape `(n, 1)`."""
        return self.nodes[:, None]

    @property
    def volume(self) -> jax.Array:
        r"""$Z = \int e^{-\phi} dx$, scalar."""
        return jnp.sum(self.weights)

    def integrate(self, u: jax.Array) -> jax.Array:
        r"""$\int u \, e^{-\phi} dx$ over the last axis; exact for polynomials below degree 2n."""
        return jnp.sum(u * self.weights, axis=-1)

    def gradient(self, u: jax.Array) -> jax.Array:
        """D u, shape `(1, *u.shape)`."""
        return (u @ self.slope.T)[None]

    def divergence(self, flux: jax.Array) -> jax.Array:
        r"""$-D^t j = e^{\phi} \partial_x (e^{-\phi} j)$ of `flux[0]`; its integral is 0."""
        return -((flux[0] * self.weights) @ self.slope) / self.weights

    def laplacian(self, u: jax.Array) -> jax.Array:
        r"""$L u = -D^t D u = \partial_{xx} u - \phi' \partial_x u$, conservative, <= 0."""
        return self.divergence(self.gradient(u))

    @property
    def fourier(self) -> None:
        """None: the line has no Fourier modes."""
        return None

    @property
    def light_ends(self) -> bool:
        """Yes: the Gibbs weights of the outer nodes are next to nothing."""
        return True

    def amplitude(self, m: jax.Array) -> jax.Array:
        """Size of the part of m that is linear in x, in the weighted norm."""
        line = self.nodes - self.integrate(self.nodes) / self.volume
        return jnp.abs(self.integrate(line * m)) / jnp.sqrt(self.integrate(line**2))

    def top(self, u: jax.Array) -> jax.Array:
        """Largest value of the local interpolants of u, shape `(N, n)`."""
        return line_top(u, self.nodes)

    def limited(self, old: jax.Array, new: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """From `old` inside [low, high] to `new` as far as the bounds allow, same integral."""
        return line_limited(old, new, low, high, self.weights)

    def exchange(self, coefficients: list[jax.Array]) -> tuple[Operator, Operator | None]:
        """u minus its exchange with nearest neighbours; no approximate inverse is known."""
        return line_exchange(coefficients[0], self.nodes, self.gibbs, self.weights), None
