"""Phase space under a confining potential, with the resolvent of its transport."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import svd

from relaxon.core.errors import require
from relaxon.core.registry import storable
from relaxon.grids.base import PhaseSpace
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.velocity_nodes import ThermalNodes

LARGEST = 4096
"""Most unknowns of one parity: the singular value decomposition beyond takes minutes."""


@storable("grid", build="under")
class ConfinedGrid(PhaseSpace):
    r"""Positions under a confining potential times velocities in thermal units.

    A species of temperature T has $v = \sqrt T \xi$; Hamiltonian transport under the force
    $-T \phi'$ acts on the ratio F of its density to $e^{-\phi} \chi$ as
    $v \partial_x - T \phi' \partial_v = \sqrt T \, \mathcal T$ with

    $$ \mathcal T = \xi \partial_x - \phi' \partial_\xi
       = A^t \otimes D - A \otimes D^t , $$

    one operator for every temperature, without phi'. With the matrices of `ConfinedLine` and
    `ThermalNodes` it annihilates constants and is skew in $\sum_{ij} W_i w_j F_{ij} G_{ij}$, so
    free transport keeps mass and the norm (10) of neumann2016 exactly.

    The velocity rule is even, so transport maps functions that are even in xi to odd ones and
    back. One singular value decomposition $B = U \Sigma V'$ of its even-to-odd block, made here
    once, gives $(c + s \mathcal T)^{-1}$ for every damping c and speed s (`resolvent`): what the
    Fourier transform does on the torus.

    Distributions have shape `(n_x, n_v)`, positions first; "velocity first" is `(n_v, n_x)`.
    `integrate` and `density` are integrals of physical densities over dx dxi and dxi; the line
    integrates ratios with the weight e^{-phi}.

    Args:
        line: Positions.
        velocity: Velocities.

    Raises:
        InputError: Other types, or more than 4096 unknowns of one parity.

    Accuracy: with the rotation of the harmonic potential for exact solution, spectral: integrals
    to 6e-7, 6e-10, 2e-11 with 16, 24, 36 nodes each way for data like tanh
    (tests/physics/test_confined_transport.py).

    **Corners.** A node that is far out in x and in xi has a weight down to 1e-21 of the largest.
    Norms and integrals do not see it, so its nodal value is rounding divided by the root of that
    weight, or where polynomials cannot follow the data, more: after 30 implicit steps of a
    smooth problem nodal values out to 1e4 have been measured, with integrals good to 1e-9. A
    nonlinear run must bring F and G into their box at each node and step
    (`clip_and_share` of the scheme, which moves the rest by the weight of the corner),
    and clip densities that multiply.
    """

    line: ConfinedLine
    velocity: ThermalNodes
    frequencies: jax.Array
    even_modes: jax.Array
    odd_modes: jax.Array

    def __init__(self, line: Any, velocity: Any = None):
        velocity = ThermalNodes() if velocity is None else velocity
        require(
            isinstance(line, ConfinedLine),
            f"line must be a ConfinedLine, but is a {type(line).__name__}.",
        )
        require(
            isinstance(velocity, ThermalNodes),
            f"velocity must be ThermalNodes, but is a {type(velocity).__name__}.",
        )
        unknowns = line.n * velocity.n // 2
        require(
            unknowns <= LARGEST,
            f"A ConfinedGrid takes at most {LARGEST} unknowns of one parity in the velocity, but "
            f"{line.n} positions and {velocity.n} velocities make {unknowns}.",
        )
        self.line, self.velocity = line, velocity
        # Columns of U are odd functions of xi, rows of V' even ones.
        odd, values, even = svd(parity_block(line, velocity), lapack_driver="gesdd")
        self.frequencies = jnp.asarray(values, float)
        self.even_modes = jnp.asarray(even, float)
        self.odd_modes = jnp.asarray(odd.T.copy(), float)

    @classmethod
    def under(
        cls,
        n: int = 40,
        depth: float = 24.0,
        nodes: int = 24,
        xi_max: float = 7.0,
        *,
        equation: Any,
    ) -> ConfinedGrid:
        """The line under the potential of an equation, times `nodes` velocities."""
        return cls(ConfinedLine.under(n, depth, equation=equation), ThermalNodes(nodes, xi_max))

    def coordinates(self) -> dict[str, np.ndarray]:
        """Names and values of the axes, positions first: densities have the leading one."""
        return {**self.line.coordinates(), **self.velocity.coordinates()}

    @property
    def positions(self) -> ConfinedLine:
        """The line."""
        return self.line

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a distribution: positions first."""
        return (self.line.n, self.velocity.n)

    @property
    def x(self) -> jax.Array:
        """Positions, shape `(n_x, 1)`."""
        return self.line.x

    @property
    def v(self) -> jax.Array:
        """Velocities in thermal units, shape `(n_v, 1)`."""
        return self.velocity.v

    @property
    def drift(self) -> jax.Array:
        r"""$u = A^t 1$ in thermal units, shape `(n_v, 1)`: the flux is $\sum_j w_j u_j F_j$."""
        return self.velocity.drift[:, None]

    def density(self, f: jax.Array) -> jax.Array:
        """Integral of a physical density over xi, shape `(n_x,)`; it contains e^{-phi}."""
        return jnp.sum(f * self.velocity.weights, axis=-1)

    def integrate(self, f: jax.Array) -> jax.Array:
        """Integral of a physical density over phase space."""
        return self.line.integrate(self.density(f) / self.line.gibbs)

    def velocity_first(self, f: jax.Array) -> jax.Array:
        """A distribution as `(n_v, n_x)`."""
        return jnp.swapaxes(f, -1, -2)

    def position_first(self, f: jax.Array) -> jax.Array:
        """Inverse of `velocity_first`."""
        return jnp.swapaxes(f, -1, -2)

    def mean(self, F: jax.Array) -> jax.Array:
        r"""$\langle F \rangle = \int \chi F d\xi$ of a ratio, velocity first: shape `(n_x,)`."""
        return jnp.tensordot(self.velocity.masses, F, 1)

    @property
    def moment_rows(self) -> jax.Array:
        r"""Weights of the moments $1, u, A u, A^t u$, shape `(4, n_v)`.

        For smooth ratios $A u \approx 1$ and $A^t u \approx \xi^2 - 1$.
        """
        nodes = self.velocity
        masses, drift, slope = nodes.masses, nodes.drift, nodes.slope
        return jnp.stack(
            [masses, masses * drift, masses * (slope @ drift), slope.T @ (masses * drift)]
        )

    def moments(self, F: jax.Array) -> jax.Array:
        r"""The moments 1, u, A u, A^t u of a ratio, velocity first: shape `(4, n_x)`."""
        return jnp.tensordot(self.moment_rows, F, 1)

    def stress(self, moments: jax.Array) -> jax.Array:
        r"""$\langle u \mathcal T F \rangle$ from the moments of F, shape `(1, n_x)`.

        The moments of transport are exact on the grid: $\langle \mathcal T F \rangle
        = \nabla \cdot \langle u F \rangle$ and $\langle u \mathcal T F \rangle
        = \nabla \langle (A u) F \rangle + \nabla \cdot \langle (A^t u) F \rangle$.
        """
        return self.line.gradient(moments[2]) + self.line.divergence(moments[3:4])

    def carry(self, F: jax.Array) -> jax.Array:
        r"""$\mathcal T F$ of a ratio, velocity first; leading axes are kept."""
        w = self.velocity.masses[:, None]
        slope = self.velocity.slope
        raised = slope.T @ (w * self.line.gradient(F)[0]) / w
        return raised + slope @ self.line.divergence(F[None])

    def transport(self, F: jax.Array) -> jax.Array:
        r"""$\mathcal T F$ of a ratio, positions first."""
        return self.position_first(self.carry(self.velocity_first(F)))

    def resolvent(self, right: jax.Array, damping: jax.Array, speed: jax.Array) -> jax.Array:
        r"""The ratio F with $(c + s \mathcal T) F = right$.

        Args:
            right: Ratios, velocity first, shape `(..., n_v, n_x)`.
            damping: c > 0, scalar or of the leading shape of `right`.
            speed: s, of any sign; $\varepsilon \sqrt T$ for a species of temperature T. The same
                shapes.

        Returns:
            F, of the shape of `right`.

        Accuracy: residual in the weighted norm, relative to the right side, c = s = 1: 3e-14 with
        40 x 24 nodes, 1e-13 with 64 x 32, 5e-13 with 96 x 48; s = 100: 1e-13, 2e-13, 6e-13. For
        nodal values see the class. Cost: four products with square matrices of `n_x n_v / 2`
        rows, shared by all leading axes: for two species 0.9 ms, 1.4 ms, 12 ms on one core;
        set-up 0.1 s, 0.6 s, 5 s.
        """
        c, s = (jnp.asarray(z, dtype=float)[..., None] for z in (damping, speed))
        masses = self.velocity.masses[:, None] * self.line.weights
        # Constants are mapped to constants; without them less rounding reaches the corners.
        level = (jnp.sum(right * masses, axis=(-1, -2)) / jnp.sum(masses))[..., None, None]
        a, b = self.to_modes(right - level)
        # c + s T on a pair (a, b) is the matrix ((c, -turn), (turn, c)).
        turn = s * self.frequencies
        scale = 1.0 / (c * c + turn * turn)
        moved = self.from_modes(scale * (c * a + turn * b), scale * (c * b - turn * a))
        return moved + level / c[..., None]

    def to_modes(self, F: jax.Array) -> tuple[jax.Array, jax.Array]:
        r"""Coordinates of ratios, velocity first, in the singular bases of even and odd functions.

        In them $\mathcal T$ takes (a, b) to $(-\sigma b, \sigma a)$, and the weighted norm is the
        plain one. Shapes `(..., n_v, n_x)` and twice `(..., n_x n_v / 2)`.
        """
        lead, half = F.shape[:-2], self.velocity.n // 2
        # (F(xi) +- F(-xi))/sqrt 2 times the roots of the weights: orthonormal coordinates.
        scaled = F * jnp.sqrt(0.5 * self.velocity.masses[:, None] * self.line.weights)
        up, down = scaled[..., half:, :], scaled[..., half - 1 :: -1, :]
        even, odd = (part.reshape(*lead, -1) for part in (up + down, up - down))
        return even @ self.even_modes.T, odd @ self.odd_modes.T

    @property
    def density_of_even(self) -> jax.Array:
        """From the even coordinates of a ratio to its density times the root of the line's weight.

        Shape `(n_x, n_x n_v / 2)`; the transpose lifts. Odd coordinates have no density.
        """
        half, n = self.velocity.n // 2, self.line.n
        root = jnp.sqrt(2.0 * self.velocity.masses[half:])
        return jnp.einsum("j,mjx->xm", root, self.even_modes.reshape(-1, half, n))

    def from_modes(self, even: jax.Array, odd: jax.Array) -> jax.Array:
        """Inverse of `to_modes`."""
        lead, half = even.shape[:-1], self.velocity.n // 2
        first = (even @ self.even_modes).reshape(*lead, half, self.line.n)
        second = (odd @ self.odd_modes).reshape(*lead, half, self.line.n)
        moved = jnp.concatenate([jnp.flip(first - second, -2), first + second], axis=-2)
        return moved / jnp.sqrt(2.0 * self.velocity.masses[:, None] * self.line.weights)


def parity_block(line: ConfinedLine, velocity: ThermalNodes) -> np.ndarray:
    """The even-to-odd block of transport between orthonormal bases, velocities slow.

    Row and column j stand for the node pair of the j-th positive velocity.
    """
    half = velocity.n // 2
    root_w = np.sqrt(np.asarray(velocity.masses))
    root_x = np.sqrt(np.asarray(line.weights))
    a = np.asarray(velocity.slope) * root_w[:, None] / root_w
    d = np.asarray(line.slope) * root_x[:, None] / root_x
    # Even functions have equal values at -xi and xi, odd ones opposite.
    even_to_odd = a[half:, half:] + a[half:, half - 1 :: -1]
    odd_to_even = a[half:, half:] - a[half:, half - 1 :: -1]
    return np.kron(odd_to_even.T, d) - np.kron(even_to_odd, d.T)
