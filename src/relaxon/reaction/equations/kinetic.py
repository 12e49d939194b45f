"""The kinetic generation-recombination model of neumann2016."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.numbers import positive, scalar, shown
from relaxon.core.registry import storable
from relaxon.core.types import Real
from relaxon.distributions.profiles import Profile, Profiled, profile, profile_of, sample
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.velocity_nodes import VelocityNodes
from relaxon.grids.walls import WalledGrid
from relaxon.reaction.equations.limit import DiffusionLimit
from relaxon.reaction.equations.two_species import Masses, Pair, Perturbation, Reaction, pair


@storable("equation", build="from_file", replaces={"chi1": "T1", "chi2": "T2"})
class KineticReaction(Reaction):
    r"""Two species, created with profiles chi_1, chi_2, annihilating pairwise.

    $$ \varepsilon^2 \partial_t f + \varepsilon v \cdot \nabla_x f = \chi_1 - \rho_g f, \qquad
       \varepsilon^2 \partial_t g + \varepsilon v \cdot \nabla_x g = \chi_2 - \rho_f g $$

    Source: neumann2016 (1) for epsilon = 1 and (9).

    Args:
        chi1: Profile of f: a `Profile`, a name or a callable (see `profile`).
        chi2: Profile of g.
        epsilon: Mean free path over length, > 0; `diffusion_limit()` is the limit.

    Raises:
        InputError: epsilon <= 0; a profile that violates (3) is refused when it meets a grid.
    """

    chi1: Profile
    chi2: Profile
    epsilon: float = eqx.field(static=True)

    def __init__(self, chi1: Any = "gaussian", chi2: Any = "gaussian", epsilon: Real = 1.0):
        value = scalar(epsilon)
        require(
            0 < value < np.inf,
            f"epsilon must be positive, but is {shown(epsilon)} "
            "(the limit is the equation diffusion_limit()).",
        )
        self.chi1, self.chi2, self.epsilon = profile(chi1), profile(chi2), value

    @classmethod
    def from_file(
        cls,
        chi1: Profiled = "gaussian",
        chi2: Profiled = "gaussian",
        T1: float | None = None,
        T2: float | None = None,
        epsilon: float = 1.0,
    ) -> KineticReaction:
        """The equation with profiles by name, T1 and T2 their variances."""
        return cls(profile_of(chi1, T1), profile_of(chi2, T2), epsilon)

    def require_grid(self, grid: Any) -> None:
        """Refuse a grid that is not a torus or a box with velocities."""
        require(
            isinstance(grid, PhaseGrid | WalledGrid),
            "The reaction model lives on a PhaseGrid or a WalledGrid, "
            f"not on a {type(grid).__name__}.",
        )

    def checked_data(self, f0: Any, grid: Any) -> dict[str, jax.Array]:
        """As `Reaction.checked_data`; between walls the doubled torus is checked."""
        if not isinstance(grid, WalledGrid):
            return super().checked_data(f0, grid)
        f, g = pair(f0, grid)
        super().checked_data((grid.extend(f), grid.extend(g)), grid.doubled)
        return {"f": f, "g": g}

    def masses(self, grid: PhaseGrid) -> Masses:
        """Node masses of the profiles on a grid; refuses profiles that violate (3)."""
        return Masses(
            sample(self.chi1, grid.velocity),
            sample(self.chi2, grid.velocity),
            grid.velocity.weights.reshape(-1),
        )

    def profiles(self, grid: PhaseGrid) -> Pair:
        """chi_1 and chi_2 on the nodes, discrete integral one, shape `velocity.shape`."""
        m = self.masses(grid)
        shape = grid.velocity.shape
        first, second = m.chi1 / m.weights, m.chi2 / m.weights
        return jnp.asarray(first.reshape(shape)), jnp.asarray(second.reshape(shape))

    def rhs(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """Time derivatives of f and g by Fourier differentiation in x."""
        first, second = pair(f, grid)
        rho_f, rho_g = grid.density(first), grid.density(second)
        chi1, chi2 = self.profiles(grid)
        wide = (...,) + (None,) * grid.velocity.d
        eps = self.epsilon
        # (9) divided by epsilon^2.
        return {
            "f": (chi1 - rho_g[wide] * first) / eps**2 - grid.transport(first) / eps,
            "g": (chi2 - rho_f[wide] * second) / eps**2 - grid.transport(second) / eps,
        }

    def at_density(self, rho: jax.Array, grid: Any) -> dict[str, jax.Array]:
        """The local equilibrium (rho chi_1, chi_2/rho)."""
        rho = rho[(...,) + (None,) * grid.velocity.d]
        chi1, chi2 = self.profiles(grid.doubled if isinstance(grid, WalledGrid) else grid)
        return {"f": rho * chi1, "g": chi2 / rho}

    def admit(self, f: Any, grid: PhaseGrid) -> tuple[jax.Array, jax.Array]:
        """Check initial data, see `admit` of two species, and return their box."""
        require(
            isinstance(grid, PhaseGrid),
            f"The reaction model lives on a PhaseGrid, not on a {type(grid).__name__}.",
        )
        return super().admit(f, grid)

    def linearized(self, rho_inf: Real = 1.0) -> LinearizedReaction:
        """The equations (7) for small perturbations of the equilibrium with density rho_inf."""
        return LinearizedReaction(self.chi1, self.chi2, self.epsilon, rho_inf)

    def diffusion_limit(self, velocity: Any = None) -> DiffusionLimit:
        """The equation for m = rho_f - rho_g as epsilon -> 0.

        Args:
            velocity: Velocity nodes (or a grid that has them); then D1 and D2 are the second
                moments on these nodes. Without them the profiles must know their covariance,
                which is taken for dimension 1 to 3, whatever the profile was made for.
        """
        if velocity is not None:
            nodes = getattr(velocity, "velocity", velocity)
            require(
                isinstance(nodes, VelocityNodes),
                "velocity must be velocity nodes or a grid that has them, "
                f"but is a {type(nodes).__name__}.",
            )
            v = nodes.v.reshape(nodes.size, -1)
            moments = [
                np.einsum("j,ja,jb->ab", sample(chi, nodes), v, v) for chi in (self.chi1, self.chi2)
            ]
            return DiffusionLimit(*moments)
        return DiffusionLimit(self.chi1.closed_covariance(), self.chi2.closed_covariance())


@storable("equation", build="from_file", replaces={"chi1": "T1", "chi2": "T2"})
class LinearizedReaction(Perturbation):
    r"""Small perturbations of the equilibrium with density r, scaled as (9).

    $$ \varepsilon^2 \partial_t f + \varepsilon v \cdot \nabla_x f
       = -r \chi_1 \rho_g - f/r, \qquad
       \varepsilon^2 \partial_t g + \varepsilon v \cdot \nabla_x g = -\chi_2 \rho_f/r - r g $$

    Source: neumann2016 (7).
    """

    chi1: Profile
    chi2: Profile
    epsilon: float = eqx.field(static=True)
    rho_inf: float = eqx.field(static=True)

    def __init__(self, chi1: Any, chi2: Any, epsilon: Real = 1.0, rho_inf: Real = 1.0):
        base = KineticReaction(chi1, chi2, epsilon)
        self.chi1, self.chi2, self.epsilon = base.chi1, base.chi2, base.epsilon
        self.rho_inf = positive("rho_inf", rho_inf)

    @classmethod
    def from_file(
        cls,
        chi1: Profiled = "gaussian",
        chi2: Profiled = "gaussian",
        T1: float | None = None,
        T2: float | None = None,
        epsilon: float = 1.0,
        rho_inf: float = 1.0,
    ) -> LinearizedReaction:
        """The equation with profiles by name, T1 and T2 their variances."""
        return cls(profile_of(chi1, T1), profile_of(chi2, T2), epsilon, rho_inf)

    def require_grid(self, grid: Any) -> None:
        """Refuse a grid that is not a torus with velocities."""
        require(
            isinstance(grid, PhaseGrid),
            f"The linearised reaction model lives on a PhaseGrid, not on a {type(grid).__name__}.",
        )

    def at_density(self, rho: jax.Array, grid: PhaseGrid) -> dict[str, jax.Array]:
        """The local equilibrium to first order: u (r^2 chi_1, -chi_2), u (r^2 + 1) = rho - mean."""
        rho, r = rho[(...,) + (None,) * grid.velocity.d], self.rho_inf
        chi1, chi2 = KineticReaction(self.chi1, self.chi2).profiles(grid)
        u = (rho - jnp.mean(rho)) / (r**2 + 1)
        return {"f": u * r**2 * chi1, "g": -u * chi2}

    def masses(self, grid: PhaseGrid) -> Masses:
        """Node masses of the profiles on a grid; refuses profiles that violate (3)."""
        return KineticReaction(self.chi1, self.chi2).masses(grid)

    def rhs(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """Time derivatives of the perturbations by Fourier differentiation in x."""
        first, second = pair(f, grid)
        rho_f, rho_g = grid.density(first), grid.density(second)
        chi1, chi2 = KineticReaction(self.chi1, self.chi2).profiles(grid)
        wide = (...,) + (None,) * grid.velocity.d
        eps, r = self.epsilon, self.rho_inf
        loss_f = r * chi1 * rho_g[wide] + first / r
        loss_g = chi2 * rho_f[wide] / r + r * second
        return {
            "f": -loss_f / eps**2 - grid.transport(first) / eps,
            "g": -loss_g / eps**2 - grid.transport(second) / eps,
        }
