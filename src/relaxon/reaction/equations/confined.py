"""The kinetic reaction model on the whole line, held together by a confining potential."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.numbers import positive
from relaxon.core.registry import storable
from relaxon.core.types import Real
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.confinement import Confinement, Confining, confinement
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.reaction.equations.two_species import Pair, Perturbation, Reaction, TwoSpecies


class GibbsMasses(eqx.Module):
    r"""Node masses of the Gibbs densities on a `ConfinedGrid`; the interface of `Masses`.

    Attributes:
        chi1: $w_j \chi(\xi_j)$, shape `(n_v,)`, sum 1.
        chi2: The same: in thermal units both species have the unit Gaussian.
        weights: Weights of integrals over xi, shape `(n_v,)`.
        gibbs: $e^{-\phi(x_i)}$, shape `(n_x,)`.
    """

    chi1: jax.Array
    chi2: jax.Array
    weights: jax.Array
    gibbs: jax.Array

    def density_ratio(self, f: jax.Array, g: jax.Array, grid: ConfinedGrid) -> Pair:
        r"""$F = f/(e^{-\phi} \chi)$ and $G = g/(e^{-\phi} \chi)$, velocity first."""
        factor = (self.weights / self.chi1)[:, None] / self.gibbs
        return grid.velocity_first(f) * factor, grid.velocity_first(g) * factor

    def distributions(self, F: jax.Array, G: jax.Array, grid: ConfinedGrid) -> Pair:
        """Inverse of `density_ratio`."""
        factor = (self.chi1 / self.weights)[:, None] * self.gibbs
        return grid.position_first(F * factor), grid.position_first(G * factor)


class _Confined(TwoSpecies):
    """What the nonlinear and the linearised equation share."""

    T1: eqx.AbstractVar[float]
    T2: eqx.AbstractVar[float]
    epsilon: eqx.AbstractVar[float]
    potential: eqx.AbstractVar[Confinement]

    def require_grid(self, grid: Any) -> None:
        """Refuse a grid that is not made for this potential."""
        require(
            isinstance(grid, ConfinedGrid),
            f"The confined reaction model lives on a ConfinedGrid, not on a {type(grid).__name__}.",
        )
        mine, its = self.potential, grid.line.potential
        same = mine is its or (
            mine.parameters is not None
            and mine.parameters == its.parameters
            and mine.name == its.name
        )
        if not same:
            x = np.asarray(grid.line.nodes)
            same = bool(np.allclose(mine(x), its(x), rtol=1e-12, atol=1e-12))
        require(
            same,
            f"The equation has the potential {mine.name!r}, but the grid was made for "
            f"{its.name!r} of other values: build both from one potential.",
        )

    def masses(self, grid: ConfinedGrid) -> GibbsMasses:
        """Node masses of the Gibbs densities on a grid."""
        v = grid.velocity
        return GibbsMasses(v.masses, v.masses, v.weights, grid.line.gibbs)

    def speeds(self) -> tuple[float, float]:
        r"""$\varepsilon \sqrt{T_1}$ and $\varepsilon \sqrt{T_2}$, for `ConfinedGrid.resolvent`."""
        return self.epsilon * float(np.sqrt(self.T1)), self.epsilon * float(np.sqrt(self.T2))


@storable("equation")
class ConfinedReaction(_Confined, Reaction):
    r"""Two species under a confining potential, created and annihilated pairwise.

    $$ \varepsilon^2 \partial_t f + \varepsilon (v \partial_x - T_1 \phi' \partial_v) f
       = e^{-\phi} \chi_1 - e^{\phi} \rho_g f, \qquad
       \varepsilon^2 \partial_t g + \varepsilon (v \partial_x - T_2 \phi' \partial_v) g
       = e^{-\phi} \chi_2 - e^{\phi} \rho_f g $$

    on the whole line, chi_s Gaussian of variance T_s. Source: the introduction of neumann2016
    conjectures that its results extend to confining potentials. What "the model" then is must be
    decided, and only this choice keeps its structure:

    * Profiles are Gaussian: under a force no other $e^{-\phi} \chi(v)$ is stationary.
    * The force is $-T_s \phi'$, so that both species have the Gibbs density $e^{-\phi} \chi_s$.
      With equal forces and different T the local equilibria of the two would not match.
    * Pairs are created where the potential holds them, $e^{-\phi} \chi_s$; a constant rate on
      the whole line would create infinite mass.
    * The recombination coefficient is $e^{\phi}$. With coefficient one, as in (1), and generation
      $e^{-\phi}$ the equilibrium of reactions, $\rho_f \rho_g = e^{-\phi}$, contradicts that of
      transport, $\rho_f \rho_g = const \cdot e^{-2\phi}$; with coefficient one and generation
      $e^{-2\phi}$ they agree, but the frequency of losses vanishes at infinity and the spectral
      gap closes.

    In the ratios $F = f/(e^{-\phi}\chi_1)$, $G = g/(e^{-\phi}\chi_2)$ it is (1) verbatim,

    $$ \varepsilon^2 \partial_t F + \varepsilon \sqrt{T_1} \mathcal T F = 1 - \langle G\rangle F,
       \qquad
       \varepsilon^2 \partial_t G + \varepsilon \sqrt{T_2} \mathcal T G = 1 - \langle F\rangle G $$

    with the measure $e^{-\phi} dx$ instead of dx and Hamiltonian instead of free transport
    (`ConfinedGrid`). So the equilibrium is F = r, G = 1/r with $(r - 1/r) Z$ the mass difference,
    and the box of Theorem 1.1, the entropy (5) and its production (6) hold for F and G.

    **Fields** are the physical densities f, g per dx dxi with $\xi = v/\sqrt{T_s}$ the velocity
    in thermal units of each species, shape `grid.shape`; `ratios` gives F and G. `rho_f` and
    `rho_g` in this module's formulas are the relative densities <F>, <G>: the physical ones are
    $e^{-\phi}$ times these.

    Args:
        T1: Variance of the Gaussian chi_1, > 0.
        T2: Variance of the Gaussian chi_2, > 0.
        epsilon: Mean free path over length, > 0; `diffusion_limit()` is the limit.
        potential: phi: a `Confinement`, a name or a callable (see `confinement`).

    Raises:
        InputError: Numbers that are not positive; an unknown potential.
    """

    T1: float = eqx.field(static=True)
    T2: float = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)
    potential: Confinement

    def __init__(
        self,
        T1: Real = 1.0,
        T2: Real = 1.0,
        epsilon: Real = 1.0,
        potential: Confining = "harmonic",
    ):
        self.T1, self.T2 = positive("T1", T1), positive("T2", T2)
        self.epsilon = positive("epsilon", epsilon)
        self.potential = confinement(potential)

    def rhs(self, f: Any, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """Time derivatives of f and g; keeps the mass difference to rounding."""
        F, G = self.ratios(f, grid)
        rho_f, rho_g = grid.mean(F), grid.mean(G)
        eps = self.epsilon
        s1, s2 = self.speeds()
        return self.state(
            (1.0 - rho_g * F - s1 * grid.carry(F)) / eps**2,
            (1.0 - rho_f * G - s2 * grid.carry(G)) / eps**2,
            grid,
        )

    def at_density(self, rho: jax.Array, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """F = rho, G = 1/rho."""
        return self.local_equilibrium(rho, grid)

    def admit(self, f: Any, grid: ConfinedGrid) -> tuple[jax.Array, jax.Array]:
        """Check initial data as on the torus and return their box."""
        self.require_grid(grid)
        return super().admit(f, grid)

    def linearized(self, rho_inf: Real = 1.0) -> LinearizedConfined:
        """The equations (7) for small perturbations of the equilibrium with ratio rho_inf."""
        return LinearizedConfined(self.T1, self.T2, self.epsilon, self.potential, rho_inf)

    def diffusion_limit(self, grid: Any = None) -> ConfinedLimit:
        r"""The equation for m = <F> - <G> as epsilon -> 0.

        Args:
            grid: A `ConfinedGrid` (or its velocity): then the diffusivities are those of its
                nodes, $T_s \sum_j w_j u_j^2$, which differ from T_s by 1e-9.
        """
        if grid is None:
            return ConfinedLimit(self.T1, self.T2, self.potential)
        nodes = getattr(grid, "velocity", grid)
        spread = float(jnp.sum(nodes.masses * nodes.drift**2))
        return ConfinedLimit(self.T1 * spread, self.T2 * spread, self.potential)


@storable("equation")
class LinearizedConfined(_Confined, Perturbation):
    r"""Small perturbations of the equilibrium F = r, G = 1/r of `ConfinedReaction`.

    $$ \varepsilon^2 \partial_t F + \varepsilon \sqrt{T_1} \mathcal T F
       = -r \langle G\rangle - F/r, \qquad
       \varepsilon^2 \partial_t G + \varepsilon \sqrt{T_2} \mathcal T G
       = -\langle F\rangle/r - r G $$

    Source: neumann2016 (7) in the ratios. The fields are perturbations of f and g.
    """

    T1: float = eqx.field(static=True)
    T2: float = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)
    potential: Confinement
    rho_inf: float = eqx.field(static=True)

    def __init__(
        self,
        T1: Real = 1.0,
        T2: Real = 1.0,
        epsilon: Real = 1.0,
        potential: Confining = "harmonic",
        rho_inf: Real = 1.0,
    ):
        self.T1, self.T2 = positive("T1", T1), positive("T2", T2)
        self.epsilon = positive("epsilon", epsilon)
        self.potential = confinement(potential)
        self.rho_inf = positive("rho_inf", rho_inf)

    def at_density(self, rho: jax.Array, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """The local equilibrium to first order: u (r^2, -1), u (r^2 + 1) = rho - mean."""
        r, mean = self.rho_inf, grid.line.integrate(rho) / grid.line.volume
        u = jnp.broadcast_to((rho - mean) / (r**2 + 1), (grid.velocity.size, grid.line.n))
        return self.state(u * r**2, -u, grid)

    def rhs(self, f: Any, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """Time derivatives of the perturbations."""
        F, G = self.ratios(f, grid)
        rho_f, rho_g = grid.mean(F), grid.mean(G)
        eps, r = self.epsilon, self.rho_inf
        s1, s2 = self.speeds()
        return self.state(
            -(r * rho_g + F / r + s1 * grid.carry(F)) / eps**2,
            -(rho_f / r + r * G + s2 * grid.carry(G)) / eps**2,
            grid,
        )
