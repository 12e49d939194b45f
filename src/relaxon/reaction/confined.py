"""The kinetic reaction model on the whole line, held together by a confining potential."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.errors import InputError, require
from relaxon.grids.confined import ConfinedGrid
from relaxon.grids.confinement import Confinement, confinement
from relaxon.reaction.confined_limit import ConfinedLimit
from relaxon.reaction.diffusion import density_from_difference
from relaxon.reaction.model import Pair, admit, box_of, entropy_of, pair
from relaxon.registry import register


def positive_number(name: str, value: Any) -> float:
    """A positive finite float, or one sentence."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a positive number, but is {value!r}.") from None
    require(np.isfinite(number) and number > 0, f"{name} must be positive, but is {value!r}.")
    return number


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


class _Confined(eqx.Module):
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

    def ratios(self, f: Any, grid: ConfinedGrid) -> Pair:
        r"""$F = f/(e^{-\phi} \chi)$ and $G = g/(e^{-\phi} \chi)$, velocity first."""
        return self.masses(grid).density_ratio(*pair(f, grid), grid)

    def state(self, F: jax.Array, G: jax.Array, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """The physical densities of ratios given velocity first."""
        f, g = self.masses(grid).distributions(F, G, grid)
        return {"f": f, "g": g}

    def invariants(self, f: Any, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """The mass difference, the only conserved integral."""
        F, G = self.ratios(f, grid)
        return {"mass_difference": grid.line.integrate(grid.mean(F) - grid.mean(G))}


@register
class ConfinedReaction(_Confined):
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
        self, T1: float = 1.0, T2: float = 1.0, epsilon: float = 1.0, potential: Any = "harmonic"
    ):
        self.T1, self.T2 = positive_number("T1", T1), positive_number("T2", T2)
        self.epsilon = positive_number("epsilon", epsilon)
        self.potential = confinement(potential)

    def settings(self) -> dict[str, Any]:
        """The arguments that build this equation again."""
        return {
            "T1": self.T1,
            "T2": self.T2,
            "epsilon": self.epsilon,
            "potential": self.potential,
        }

    def checked_data(self, f0: Any, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """Initial data as a mapping of f and g, checked as on the torus.

        Raises:
            InputError: Wrong shapes, NaN, negative values, data outside every box of Theorem 1.1,
                or a mass difference for which (4) has no root in floating-point numbers.
        """
        f, g = pair(f0, grid)
        self.admit((f, g), grid)
        difference = self.invariants((f, g), grid)["mass_difference"]
        root = density_from_difference(difference / grid.line.volume)
        require(
            bool(jnp.isfinite(root) & (root > 0) & jnp.isfinite(1.0 / root)),
            f"No rho_inf > 0 has rho_inf - 1/rho_inf = {float(difference):.3g}, the mass "
            "difference of f and g, in floating-point numbers.",
        )
        return {"f": f, "g": g}

    def local_equilibrium(self, rho: jax.Array, grid: ConfinedGrid) -> dict[str, jax.Array]:
        r"""$(\rho(x) e^{-\phi} \chi, e^{-\phi} \chi/\rho(x))$, what reactions leave alone."""
        rho = jnp.broadcast_to(jnp.asarray(rho, dtype=float), grid.line.shape)
        flat = jnp.ones((grid.velocity.n, 1))
        return self.state(flat * rho, flat / rho, grid)

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

    def rho_infinity(self, f: Any, grid: ConfinedGrid) -> jax.Array:
        """The ratio F at equilibrium, from the mass difference by (4)."""
        return density_from_difference(
            self.invariants(f, grid)["mass_difference"] / grid.line.volume
        )

    def equilibrium(self, f: Any, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """The steady state of the same mass difference."""
        return self.local_equilibrium(self.rho_infinity(f, grid), grid)

    def entropy(self, f: Any, grid: ConfinedGrid) -> jax.Array:
        r"""Entropy (5) relative to equilibrium, with the weight $e^{-\phi} \chi$.

        $$ \int\!\!\int \Big[ F \ln\frac{F}{r} - F + r + G \ln (r G) - G + \frac1r \Big]
           e^{-\phi} \chi \; d\xi\,dx \ge 0 $$
        """
        masses = self.masses(grid)
        F, G = self.ratios(f, grid)
        return entropy_of(F, G, self.rho_infinity(f, grid), masses, grid)

    def entropy_production(self, f: Any, grid: ConfinedGrid) -> jax.Array:
        r"""What (6) takes from the entropy a unit of time, never negative.

        $$ \varepsilon^{-2} \int e^{-\phi} \int\!\!\int \chi \chi' (F G' - 1) \ln (F G')
           \, d\xi\,d\xi'\,dx $$

        On the grid this is the dissipation by reactions, to rounding. Transport on the grid keeps
        quadratic functionals exactly and the entropy up to the discretisation error of smooth
        data, which is spectrally small (tests/unit/test_confined_model.py).
        """
        F, G = self.ratios(f, grid)
        rho_f, rho_g = grid.mean(F), grid.mean(G)
        # ln F G' = (ln F - l) + (ln G' + l) for any l(x): with l = ln rho_f little is cancelled.
        log_f, log_g = jnp.log1p((F - rho_f) / rho_f), jnp.log(G * rho_f)
        local = (
            rho_g * grid.mean(F * log_f)
            - grid.mean(log_f)
            + rho_f * grid.mean(G * log_g)
            - grid.mean(log_g)
        )
        return grid.line.integrate(local) / self.epsilon**2

    def box(self, f: Any, grid: ConfinedGrid) -> tuple[jax.Array, jax.Array]:
        r"""The smallest box of Theorem 1.1 around F and 1/G: `(low, high)`."""
        return box_of(*self.ratios(f, grid))

    def admit(self, f: Any, grid: ConfinedGrid) -> tuple[jax.Array, jax.Array]:
        """Check initial data as on the torus and return their box."""
        self.require_grid(grid)
        return box_of(*admit(f, grid, self.masses(grid)))

    def linearized(self, rho_inf: float = 1.0) -> LinearizedConfined:
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


@register
class LinearizedConfined(_Confined):
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
        T1: float = 1.0,
        T2: float = 1.0,
        epsilon: float = 1.0,
        potential: Any = "harmonic",
        rho_inf: float = 1.0,
    ):
        self.T1, self.T2 = positive_number("T1", T1), positive_number("T2", T2)
        self.epsilon = positive_number("epsilon", epsilon)
        self.potential = confinement(potential)
        self.rho_inf = positive_number("rho_inf", rho_inf)

    def settings(self) -> dict[str, Any]:
        """The arguments that build this equation again."""
        return {
            "T1": self.T1,
            "T2": self.T2,
            "epsilon": self.epsilon,
            "potential": self.potential,
            "rho_inf": self.rho_inf,
        }

    def checked_data(self, f0: Any, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """Perturbations as a mapping of f and g: finite, of mass difference zero.

        Raises:
            InputError: Wrong shapes, NaN, or a mass difference that violates (8).
        """
        first, second = pair(f0, grid)
        for name, value in (("f", first), ("g", second)):
            require(bool(jnp.all(jnp.isfinite(value))), f"{name} holds non-finite values.")
        lost = float(self.invariants((first, second), grid)["mass_difference"])
        size = float(grid.integrate(jnp.abs(first)) + grid.integrate(jnp.abs(second)))
        require(
            abs(lost) <= 1e-10 * size,
            "A perturbation of the equilibrium has mass difference zero (8), but that of f and g "
            f"is {lost:.3g}: another rho_inf, or f0 less equilibrium(f0, grid), removes it.",
        )
        return {"f": first, "g": second}

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

    def norm(self, f: Any, grid: ConfinedGrid) -> jax.Array:
        r"""The norm (10): $(\int\int (F^2/r + r G^2) e^{-\phi} \chi)^{1/2}$."""
        F, G = self.ratios(f, grid)
        r = self.rho_inf
        return jnp.sqrt(grid.line.integrate(grid.mean(F**2) / r + grid.mean(G**2) * r))

    def equilibrium(self, f: Any, grid: ConfinedGrid) -> dict[str, jax.Array]:
        """What remains: the part of the kernel with the same mass difference."""
        r = self.rho_inf
        share = self.invariants(f, grid)["mass_difference"] / grid.line.volume / (r**2 + 1)
        flat = jnp.ones((grid.velocity.n, grid.line.n))
        return self.state(share * r**2 * flat, -share * flat, grid)
