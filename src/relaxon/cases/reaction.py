"""Configuration of the reaction model: its tables [equation], [grid] and [initial]."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from relaxon.cases import files as config
from relaxon.core.errors import InputError, require

Profiled = str | dict[str, Any]


def profile_of(name: Profiled, variance: float | None) -> Any:
    """A profile from its name and variance, or from a table with `name` and its numbers."""
    from relaxon.distributions.profiles import profile

    if isinstance(name, str):
        return profile(name, **({} if variance is None else {"variance": variance}))
    require("name" in name, f"A profile needs a name, but got {name!r}.")
    require(variance is None, "A profile given as a table holds its own numbers; leave T1, T2 out.")
    return profile(name["name"], **{k: v for k, v in name.items() if k != "name"})


class ReactionSection(config.EquationSection):
    """The reaction model; see `relaxon.KineticReaction`. T1, T2 are variances of chi1, chi2."""

    replaces: ClassVar = {"chi1": "T1", "chi2": "T2"}

    chi1: Profiled = "gaussian"
    chi2: Profiled = "gaussian"
    T1: float | None = None
    T2: float | None = None
    epsilon: float = 1.0

    def build(self) -> Any:
        """The equation."""
        from relaxon.reaction.equations.kinetic import KineticReaction

        first, second = profile_of(self.chi1, self.T1), profile_of(self.chi2, self.T2)
        return KineticReaction(first, second, self.epsilon)

    def functionals(self, equation: Any, grid: Any) -> dict[str, Any]:
        """The modified entropy of Theorem 2.3 where it is defined: epsilon = 1, unit torus."""
        from relaxon.grids.phase import PhaseGrid
        from relaxon.reaction.theory.modified_entropy_record import ModifiedEntropy

        fits = (
            self.epsilon == 1.0
            and isinstance(grid, PhaseGrid)
            and grid.torus.length == 1.0
            and grid.torus.d == grid.velocity.d
        )
        return {"h0": ModifiedEntropy(equation)} if fits else {}


class LinearReactionSection(ReactionSection):
    """The equations (7) about the equilibrium with density rho_inf."""

    rho_inf: float = 1.0

    def build(self) -> Any:
        """The equation."""
        return super().build().linearized(self.rho_inf)

    def functionals(self, equation: Any, grid: Any) -> dict[str, Any]:
        """None: the modified entropy here is that of the nonlinear equations."""
        return {}


class ReactionLimitSection(config.EquationSection):
    """The limit of fast reactions."""

    replaces: ClassVar = {"chi1": "T1", "chi2": "T2"}

    chi1: Profiled = "gaussian"
    chi2: Profiled = "gaussian"
    T1: float | None = None
    T2: float | None = None

    def build(self) -> Any:
        """The equation."""
        from relaxon.reaction.equations.kinetic import KineticReaction

        first, second = profile_of(self.chi1, self.T1), profile_of(self.chi2, self.T2)
        return KineticReaction(first, second).diffusion_limit()


def potential_of(given: Profiled) -> Any:
    """A confining potential from its name, or from a table with `name` and its numbers."""
    from relaxon.grids.confinement import confinement

    if isinstance(given, str):
        return confinement(given)
    require("name" in given, f"A potential needs a name, but got {given!r}.")
    return confinement(given["name"], **{k: v for k, v in given.items() if k != "name"})


class ConfinedSection(config.EquationSection):
    """What the equations under a confining potential share; the grid is made for its potential."""

    T1: float = 1.0
    T2: float = 1.0
    potential: Profiled = "harmonic"

    def build_with(self, potential: Any) -> Any:
        """Refuses: the tables [potential] are those of interactions.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "A confining potential is a key of [equation], potential = "
            f"{self.potential!r}; leave the table [potential] of interactions out."
        )


class ConfinedReactionSection(ConfinedSection):
    """The reaction model under a confining potential; see `relaxon.ConfinedReaction`."""

    epsilon: float = 1.0

    def build(self) -> Any:
        """The equation."""
        from relaxon.reaction.equations.confined import ConfinedReaction

        return ConfinedReaction(self.T1, self.T2, self.epsilon, potential_of(self.potential))


class ConfinedLimitSection(ConfinedSection):
    """The limit of fast reactions under a confining potential."""

    def build(self) -> Any:
        """The equation."""
        from relaxon.reaction.equations.confined_limit import ConfinedLimit

        return ConfinedLimit(self.T1, self.T2, potential_of(self.potential))


class ConfinedLineSection(config.GridSection):
    """Nodes on the line under the equation's potential; see `relaxon.ConfinedLine`."""

    n: int = 40
    depth: float = 24.0

    def build(self, width: float) -> Any:
        """Refuses: there is no such grid without a potential.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "A grid under a confining potential takes it from [equation], whose type must be "
            "ConfinedReaction or ConfinedLimit."
        )

    def build_for(self, equation: Any, width: float) -> Any:
        """The grid, made for the potential of the equation."""
        from relaxon.grids.confinement import Confinement

        potential = getattr(equation, "potential", None)
        return self.under(potential) if isinstance(potential, Confinement) else self.build(width)

    def under(self, potential: Any) -> Any:
        """The grid of a potential."""
        from relaxon.grids.confined_line import ConfinedLine

        return ConfinedLine(potential, self.n, self.depth)


class ConfinedGridSection(ConfinedLineSection):
    """Such a line times `nodes` velocities in thermal units; see `relaxon.ConfinedGrid`."""

    nodes: int = 24
    xi_max: float = 7.0

    def under(self, potential: Any) -> Any:
        """The grid of a potential."""
        from relaxon.grids.confined_phase import ConfinedGrid
        from relaxon.grids.velocity_nodes import ThermalNodes

        return ConfinedGrid(super().under(potential), ThermalNodes(self.nodes, self.xi_max))


class TorusGridSection(config.GridSection):
    """Equidistant points on the torus; see `relaxon.TorusGrid`."""

    d: int = 1
    n: int = 32
    length: float = 1.0

    def build(self, width: float) -> Any:
        """The grid."""
        from relaxon.grids.torus import TorusGrid

        return TorusGrid(self.d, self.n, self.length)


class PhaseGridSection(TorusGridSection):
    """Torus times velocity nodes, `nodes` along each of `dv` axes.

    With `v_max` the nodes are equidistant, with `scale` they cover the whole line.
    """

    replaces: ClassVar = {"scale": "v_max", "v_max": "scale"}

    dv: int | None = None
    nodes: int = 24
    v_max: float | None = None
    scale: float | None = None

    def velocity(self) -> Any:
        """The velocity nodes."""
        from relaxon.grids.velocity_nodes import MappedNodes, UniformNodes

        dv = self.d if self.dv is None else self.dv
        if self.scale is not None:
            require(self.v_max is None, "A grid has either v_max or scale, not both.")
            return MappedNodes(dv, self.nodes, self.scale)
        return UniformNodes(dv, self.nodes, 6.0 if self.v_max is None else self.v_max)

    def build(self, width: float) -> Any:
        """The grid."""
        from relaxon.grids.phase import PhaseGrid

        return PhaseGrid(super().build(width), self.velocity())


class WalledGridSection(PhaseGridSection):
    """The unit box with reflecting walls, n intervals along each axis."""

    def build(self, width: float) -> Any:
        """The grid."""
        from relaxon.grids.walls import WalledGrid

        require(self.length == 1.0, f"The box has sides of length 1, but length is {self.length}.")
        return WalledGrid(self.d, self.n, self.velocity())


class LocalEquilibriumSection(config.InitialSection):
    """Data at local equilibrium, (rho(x) chi_1, chi_2/rho(x))."""

    def width(self) -> float:
        """No scale of velocity: that of the profiles."""
        return 1.0

    def density(self, angle: Any) -> Any:
        """Rho over x, from angles 2 pi x/L (pi x between walls, x on a line), shape (..., d)."""
        raise NotImplementedError

    def build(self, grid: Any, equation: Any) -> Any:
        """The initial data of the equation: f and g, a perturbation, or m."""
        import jax.numpy as jnp

        from relaxon.grids.confined_line import ConfinedLine
        from relaxon.grids.confined_phase import ConfinedGrid
        from relaxon.grids.torus import TorusGrid
        from relaxon.grids.walls import WalledGrid
        from relaxon.reaction.equations.kinetic import KineticReaction, LinearizedReaction

        equation.require_grid(grid)
        if isinstance(grid, ConfinedLine | ConfinedGrid):
            rho = self._positive(self.density(grid.x))
            if isinstance(grid, ConfinedLine):
                return rho - 1 / rho
            return equation.local_equilibrium(rho, grid)
        walled = isinstance(grid, WalledGrid)
        torus = grid if isinstance(grid, TorusGrid) else None if walled else grid.torus
        period = 2.0 if torus is None else torus.length
        rho = self._positive(self.density(2 * math.pi / period * grid.x))
        if isinstance(grid, TorusGrid):
            return rho - 1 / rho
        rho = rho[(...,) + (None,) * grid.velocity.d]
        model = KineticReaction(equation.chi1, equation.chi2)
        chi1, chi2 = model.profiles(grid.doubled if walled else grid)
        if not isinstance(equation, LinearizedReaction):
            return {"f": rho * chi1, "g": chi2 / rho}
        # The same local equilibrium to first order: u (r^2 chi_1, -chi_2)/(r^2 + 1).
        r = equation.rho_inf
        u = (rho - jnp.mean(rho)) / (r**2 + 1)
        return {"f": u * r**2 * chi1, "g": -u * chi2}

    @staticmethod
    def _positive(rho: Any) -> Any:
        require(
            float(rho.min()) > 0,
            f"The initial density must be positive, but its minimum is {float(rho.min()):.3g}.",
        )
        return rho


class TiltSection(LocalEquilibriumSection):
    """Rho = mean (1 + amplitude tanh(slope x)), relative to exp(-phi), on a confined line."""

    amplitude: float = 0.5
    mean: float = 1.0
    slope: float = 1.0

    def density(self, angle: Any) -> Any:
        """Rho over x."""
        import jax.numpy as jnp

        return self.mean * (1 + self.amplitude * jnp.tanh(self.slope * angle[..., 0]))


class WaveSection(LocalEquilibriumSection):
    """Rho = mean (1 + amplitude prod_i cos(2 pi x_i / L))."""

    amplitude: float = 0.5
    mean: float = 1.0

    def density(self, angle: Any) -> Any:
        """Rho over x."""
        import jax.numpy as jnp

        return self.mean * (1 + self.amplitude * jnp.prod(jnp.cos(angle), axis=-1))


class IslandsSection(LocalEquilibriumSection):
    """Rho = exp(strength (b(x - c) - b(x + c))), b a bump of width `size`; c on a diagonal.

    One species is abundant about c, the other about -c; rho lies between exp(-strength) and
    exp(strength).
    """

    strength: float = 1.5
    size: float = 0.12

    def density(self, angle: Any) -> Any:
        """Rho over x."""
        import jax.numpy as jnp

        require(self.size > 0, f"size must be positive, but is {self.size!r}.")
        centre = 0.5 * math.pi * (1 + 0.3 * jnp.arange(angle.shape[-1]))
        scale = (2 * math.pi * self.size) ** 2

        def bump(shift: Any) -> Any:
            return jnp.exp(-jnp.sum(1 - jnp.cos(angle - shift), axis=-1) / scale)

        return jnp.exp(self.strength * (bump(centre) - bump(-centre)))


config.EQUATIONS.update(
    {
        "KineticReaction": ReactionSection,
        "LinearizedReaction": LinearReactionSection,
        "DiffusionLimit": ReactionLimitSection,
        "ConfinedReaction": ConfinedReactionSection,
        "ConfinedLimit": ConfinedLimitSection,
    }
)
config.GRIDS.update(
    {
        "TorusGrid": TorusGridSection,
        "PhaseGrid": PhaseGridSection,
        "WalledGrid": WalledGridSection,
        "ConfinedLine": ConfinedLineSection,
        "ConfinedGrid": ConfinedGridSection,
    }
)
config.INITIALS["wave"] = WaveSection
config.INITIALS["tilt"] = TiltSection
config.INITIALS["islands"] = IslandsSection
