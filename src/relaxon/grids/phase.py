"""Phase space: a torus times velocity nodes."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import dimension, positive, require, whole
from relaxon.core.registry import register
from relaxon.grids.torus import TorusGrid, axis_names, plain


def _check(d: int, n: int, extent: float, name: str) -> None:
    dimension(d)
    whole("n", n, 4)
    positive(name, extent)


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

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights along one axis."""
        raise NotImplementedError

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


@register
class UniformNodes(VelocityNodes):
    r"""Equidistant nodes, $v_j = -v_{max} + (j + 1/2) \, 2 v_{max}/n$, equal weights.

    For analytic profiles that are negligible beyond $v_{max}$ the rule is spectrally accurate:
    for a Gaussian of variance T and spacing s the error is about $2 e^{-2 \pi^2 T/s^2}$ plus the
    tail that is cut off. `v_max = 6 sqrt(T)` with spacing `sqrt(T)/2` cuts 2e-9 and aliases
    less than rounding.
    """

    d: int = eqx.field(static=True, converter=plain)
    n: int = eqx.field(static=True, converter=plain)
    v_max: float = eqx.field(static=True, converter=plain)

    def __check_init__(self):
        """Refuse what is no rule."""
        _check(self.d, self.n, self.v_max, "v_max")

    def settings(self) -> dict[str, float]:
        """The arguments that build these nodes again."""
        return {"d": self.d, "n": self.n, "v_max": float(self.v_max)}

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights along one axis."""
        step = 2.0 * self.v_max / self.n
        half = (np.arange((self.n + 1) // 2) + (0.5 if self.n % 2 == 0 else 0.0)) * step
        nodes = np.concatenate([-half[::-1], half[self.n % 2 :]])
        return nodes, np.full(self.n, step)


@register
class MappedNodes(VelocityNodes):
    r"""Nodes on the whole line for algebraic tails, $v = s \tan\phi$ with equidistant $\phi$.

    $$ \int h \, dv = s \int_{-\pi/2}^{\pi/2} h(s \tan\phi) \cos^{-2}\phi \, d\phi $$

    With $h = (1 + v^2/s^2)^{-k}$ the integrand is $\cos^{2k-2}\phi$: the midpoint rule is exact
    for integer k < n and converges like $n^{-(2k-1)}$ otherwise. The largest node is about
    $2 s n / \pi$.
    """

    d: int = eqx.field(static=True, converter=plain)
    n: int = eqx.field(static=True, converter=plain)
    scale: float = eqx.field(static=True, converter=plain, default=1.0)

    def __check_init__(self):
        """Refuse what is no rule."""
        _check(self.d, self.n, self.scale, "scale")

    def settings(self) -> dict[str, float]:
        """The arguments that build these nodes again."""
        return {"d": self.d, "n": self.n, "scale": float(self.scale)}

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights along one axis."""
        step = np.pi / self.n
        half = (np.arange((self.n + 1) // 2) + (0.5 if self.n % 2 == 0 else 0.0)) * step
        phi = np.concatenate([-half[::-1], half[self.n % 2 :]])
        return self.scale * np.tan(phi), self.scale * step / np.cos(phi) ** 2


@register
class PhaseGrid(eqx.Module):
    """Torus times velocity nodes; a distribution has shape `torus.shape + velocity.shape`.

    Position and velocity may have different dimensions: the first `min` components of the
    velocity move the position, further ones are carried along.

    Args:
        torus: Positions.
        velocity: Velocity nodes.
    """

    torus: TorusGrid
    velocity: VelocityNodes

    def __check_init__(self):
        """Refuse anything but a torus and velocity nodes."""
        require(
            isinstance(self.torus, TorusGrid),
            f"torus must be a TorusGrid, but is a {type(self.torus).__name__}.",
        )
        require(
            isinstance(self.velocity, VelocityNodes),
            "velocity must be velocity nodes (UniformNodes or MappedNodes), "
            f"but is a {type(self.velocity).__name__}.",
        )

    def settings(self) -> dict[str, object]:
        """The arguments that build this grid again."""
        return {"torus": self.torus, "velocity": self.velocity}

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, positions first: densities have the leading ones."""
        return {**self.torus.coordinates(), **self.velocity.coordinates()}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a distribution: positions first."""
        return self.torus.shape + self.velocity.shape

    @property
    def x(self) -> jax.Array:
        """Positions, shape `torus.shape + (d,)`."""
        return self.torus.x

    @property
    def v(self) -> np.ndarray:
        """Velocities, shape `velocity.shape + (d_v,)`."""
        return self.velocity.v

    @property
    def drift(self) -> np.ndarray:
        """What moves the position: shape `(velocity.size, torus.d)`, zero where v is too short."""
        nodes = self.velocity.v.reshape(self.velocity.size, -1)
        moved = np.zeros((self.velocity.size, self.torus.d))
        common = min(self.torus.d, self.velocity.d)
        moved[:, :common] = nodes[:, :common]
        return moved

    def density(self, f: jax.Array) -> jax.Array:
        """Integral over velocities, shape `torus.shape`."""
        return self.velocity.integrate(f)

    def integrate(self, f: jax.Array) -> jax.Array:
        """Integral over phase space."""
        return self.torus.integrate(self.density(f))

    def velocity_first(self, f: jax.Array) -> jax.Array:
        """Reshape a distribution to `(velocity.size,) + torus.shape`: the axis to split."""
        flat = jnp.reshape(f, (*self.torus.shape, self.velocity.size))
        return jnp.moveaxis(flat, -1, 0)

    def position_first(self, f: jax.Array) -> jax.Array:
        """Inverse of `velocity_first`."""
        return jnp.reshape(jnp.moveaxis(f, 0, -1), self.shape)

    def transport(self, f: jax.Array) -> jax.Array:
        r"""$v \cdot \nabla_x f$ by Fourier differentiation in x."""
        first = self.velocity_first(f)
        gradient = self.torus.gradient(first)
        drift = jnp.asarray(self.drift)
        pad = (slice(None),) + (None,) * self.torus.d
        moved = [drift[:, i][pad] * gradient[i] for i in range(self.torus.d)]
        total = jnp.sum(jnp.stack(moved), axis=0)
        return self.position_first(total)
