"""Velocity nodes: quadrature in v, with or without a grid of positions."""

from __future__ import annotations

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.memory import ARRAYS, require_memory
from relaxon.core.numbers import dimension, integer, positive, scalar, shown, whole
from relaxon.core.registry import storable
from relaxon.core.types import Real, Whole
from relaxon.grids.torus import axis_names
from relaxon.numerics.gauss import GaussRule, gauss_rule


@storable
class ThermalNodes(eqx.Module):
    r"""Velocities in thermal units, $v = \sqrt{T} \xi$: Gauss nodes of the unit Gaussian.

    $$ \int h \chi \, d\xi \approx \sum_j w_j h(\xi_j), \qquad
       A = \partial_\xi, \quad A^t = w^{-1} A' w \approx \xi - \partial_\xi, \quad
       u = A^t 1 \approx \xi $$

    The Gaussian is cut at $|\xi| = \xi_{max}$ and normalised; see `ConfinedLine` for the reason.

    Args:
        n: Number of nodes, even, 4 ... 256.
        xi_max: Largest |xi|, 3 ... 10; 7 leaves out 3e-12 of the mass.

    Accuracy: $\sum w_j u_j^2 - 1$, the error of the diffusivity, is 3e-10 for 24 nodes with
    xi_max = 7, and 1.1e-8 with 6.5.
    """

    n: int = eqx.field(static=True)
    xi_max: float = eqx.field(static=True)
    nodes: jax.Array
    masses: jax.Array
    slope: jax.Array
    drift: jax.Array

    def __init__(self, n: Whole = 24, xi_max: Real = 7.0):
        self.n, self.xi_max = integer(n) or 0, scalar(xi_max)
        require(
            4 <= self.n <= 256 and self.n % 2 == 0,
            f"n must be an even integer in 4...256, but is {shown(n)}.",
        )
        require(
            3 <= self.xi_max <= 10, f"xi_max must lie between 3 and 10, but is {shown(xi_max)}."
        )
        rule = self.rule()
        masses = rule.weights / rule.weights.sum()
        self.nodes = jnp.asarray(rule.nodes, float)
        self.masses = jnp.asarray(masses, float)
        self.slope = jnp.asarray(rule.derivative, float)
        self.drift = jnp.asarray((rule.derivative.T @ masses) / masses, float)

    def rule(self) -> GaussRule:
        """The Gauss rule of the profile, whose nodes these are."""
        end = self.xi_max
        return gauss_rule(lambda x: np.exp(-0.5 * x**2), -end, end, self.n, even=True)

    @property
    def d(self) -> int:
        """Dimension."""
        return 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a function of the velocity."""
        return (self.n,)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return self.n

    @property
    def v(self) -> jax.Array:
        """Nodes, shape `(n, 1)`."""
        return self.nodes[:, None]

    @property
    def profile(self) -> jax.Array:
        r"""The Gaussian $(2\pi)^{-1/2} e^{-\xi^2/2}$ at the nodes."""
        return jnp.exp(-0.5 * self.nodes**2) / np.sqrt(2.0 * np.pi)

    @property
    def weights(self) -> jax.Array:
        """Weights of integrals over xi without the Gaussian, shape `(n,)`."""
        return self.masses / self.profile

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, for labelled arrays."""
        return {"xi": np.asarray(self.nodes)}


def _require_memory(nodes: VelocityNodes) -> None:
    what = f"A grid of {nodes.n}^{nodes.d} velocities"
    require_memory(what, ARRAYS * nodes.size, "take fewer nodes")


class VelocityNodes(eqx.Module):
    r"""A quadrature rule for velocities, $\int h \, dv \approx \sum_j w_j h(v_j)$.

    Use `UniformNodes` or `MappedNodes`; both are tensor products of one rule along each axis,
    symmetric under $v \to -v$.
    """

    d: eqx.AbstractVar[int]
    n: eqx.AbstractVar[int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a function of the velocity."""
        return (self.n,) * self.d

    @property
    def size(self) -> int:
        """Number of nodes."""
        return self.n**self.d

    @abc.abstractmethod
    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights along one axis."""

    @abc.abstractmethod
    def finer(self, n: int) -> VelocityNodes:
        """The rule with n nodes along each axis and the same ends or scale."""

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, for labelled arrays."""
        return {name: self.line()[0] for name in axis_names("v", self.d)}

    @property
    def v(self) -> np.ndarray:
        """Nodes, shape `(n, ..., n, d)`."""
        nodes, _ = self.line()
        return np.stack(np.meshgrid(*[nodes] * self.d, indexing="ij"), axis=-1)

    @property
    def weights(self) -> np.ndarray:
        """Weights, shape `(n, ..., n)`."""
        _, weights = self.line()
        total = weights
        for _ in range(self.d - 1):
            total = total[..., None] * weights
        return total

    def integrate(self, h: jax.Array) -> jax.Array:
        """Integral over the last `d` axes."""
        axes = tuple(range(-self.d, 0))
        return jnp.sum(h * self.weights, axis=axes)


@storable
class UniformNodes(VelocityNodes):
    r"""Equidistant nodes, $v_j = -v_{max} + (j + 1/2) \, 2 v_{max}/n$, equal weights.

    For analytic profiles that are negligible beyond $v_{max}$ the rule is spectrally accurate:
    for a Gaussian of variance T and spacing s the error is about $2 e^{-2 \pi^2 T/s^2}$ plus the
    tail that is cut off. `v_max = 6 sqrt(T)` with spacing `sqrt(T)/2` cuts 2e-9 and aliases
    less than rounding.
    """

    d: int = eqx.field(static=True)
    n: int = eqx.field(static=True)
    v_max: float = eqx.field(static=True)

    def __init__(self, d: Whole, n: Whole, v_max: Real):
        self.d, self.n, self.v_max = dimension(d), whole("n", n, 4), positive("v_max", v_max)
        _require_memory(self)

    def finer(self, n: int) -> UniformNodes:
        """The rule with n nodes along each axis up to the same v_max."""
        return UniformNodes(self.d, n, self.v_max)

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights along one axis."""
        step = 2.0 * self.v_max / self.n
        # Made from one half, so that the rule is symmetric to the last bit.
        half = (np.arange((self.n + 1) // 2) + (0.5 if self.n % 2 == 0 else 0.0)) * step
        nodes = np.concatenate([-half[::-1], half[self.n % 2 :]])
        return nodes, np.full(self.n, step)


@storable
class MappedNodes(VelocityNodes):
    r"""Nodes on the whole line for algebraic tails, $v = s \tan\phi$ with equidistant $\phi$.

    $$ \int h \, dv = s \int_{-\pi/2}^{\pi/2} h(s \tan\phi) \cos^{-2}\phi \, d\phi $$

    With $h = (1 + v^2/s^2)^{-k}$ the integrand is $\cos^{2k-2}\phi$: the midpoint rule is exact
    for integer k < n and converges like $n^{-(2k-1)}$ otherwise. The largest node is about
    $2 s n / \pi$.
    """

    d: int = eqx.field(static=True)
    n: int = eqx.field(static=True)
    scale: float = eqx.field(static=True)

    def __init__(self, d: Whole, n: Whole, scale: Real = 1.0):
        self.d, self.n, self.scale = dimension(d), whole("n", n, 4), positive("scale", scale)
        _require_memory(self)

    def finer(self, n: int) -> MappedNodes:
        """The rule with n nodes along each axis and the same scale."""
        return MappedNodes(self.d, n, self.scale)

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights along one axis."""
        step = np.pi / self.n
        half = (np.arange((self.n + 1) // 2) + (0.5 if self.n % 2 == 0 else 0.0)) * step
        phi = np.concatenate([-half[::-1], half[self.n % 2 :]])
        return self.scale * np.tan(phi), self.scale * step / np.cos(phi) ** 2


def nodes_of(d: int, n: int, v_max: float | None, scale: float | None) -> VelocityNodes:
    """`n` nodes along each of `d` axes: equidistant up to v_max (6), or on the line with `scale`.

    Raises:
        InputError: Both v_max and scale.
    """
    if scale is None:
        return UniformNodes(d, n, 6.0 if v_max is None else v_max)
    require(v_max is None, "A grid has either v_max or scale, not both.")
    return MappedNodes(d, n, scale)
