"""The steppers of the reaction model as the driver wants them, with what the theory watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.core.methods import Posed, solves
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.walls import WalledGrid
from relaxon.reaction.equations.confined import ConfinedReaction
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import DiffusionLimit, density_from_difference
from relaxon.reaction.equations.two_species import norm_of, production_of, weighted_squares
from relaxon.reaction.scheme.asymptotic import Asymptotic
from relaxon.reaction.scheme.limit import Diffusive
from relaxon.reaction.scheme.recurrence import Recurrence, recurrence
from relaxon.reaction.scheme.split import Split
from relaxon.reaction.scheme.walls import Specular
from relaxon.stepping.stepper import Stepper
from relaxon.stepping.tableaux import RODAS3

STEP = 20.0
"""Steps of the reaction model at tolerance rtol: STEP sqrt(rtol) times the time in which diffusion
damps the longest wave by a factor e. At rtol = 1e-6 problem P1 then has errors below 2e-4."""


class Reacting(Stepper):
    r"""`Asymptotic` or `Specular` with diagnostics at every record.

    - `mass_difference`, conserved; `entropy` (5) relative to equilibrium; `entropy_production`
      (6), per unit of the scaled time;
    - `distance`, the norm (10) of the difference to equilibrium; `distance_local`, that to the
      local equilibrium $(\rho_f \chi_1, \rho_g \chi_2)$;
    - `box_clearance`, the relative distance of f and g to the box of Theorem 1.1, negative if the
      box has been left; `reaction_imbalance`, the largest $|\rho_f \rho_g - 1|$;
    - `amp1`, the amplitude $2 |\hat m_1|$ of the longest wave along the first axis;
    - `boxed`, `damped`: steps in which the box or the entropy had to be enforced.
    """

    inner: Asymptotic | Specular
    recurrence: Recurrence | None = None

    @property
    def reference(self) -> str:
        """The paper of the limiter that keeps f and g in their box."""
        return (
            "X. Zhang, C.-W. Shu, On maximum-principle-satisfying high order schemes for scalar "
            "conservation laws, J. Comput. Phys. 229 (2010) 3091-3120"
        )

    def start(self, f0: Any) -> Any:
        """The state at t = 0."""
        return self.inner.start(f0)

    def step(self, state: Any, t_stop: Array) -> Any:
        """One step."""
        return self.inner.step(state, t_stop)

    def fields(self, state: Any) -> dict[str, Array]:
        """f, g, rho_f, rho_g and m."""
        return self.inner.fields(state.y)

    def diagnostics(self, state: Any) -> dict[str, Array]:
        """The scalars listed above."""
        found = self.inner.diagnostics(state.y)
        core, share = self.inner.core, self.inner.share
        found["box_clearance"] = -found.pop("box_violation")
        distance, local = distances(state.y, core)
        return {
            **found,
            "entropy_production": share * production(state.y, core),
            "distance": jnp.sqrt(share) * distance,
            "distance_local": jnp.sqrt(share) * local,
            "amp1": core.grid.positions.amplitude(state.y.rho_f - state.y.rho_g),
            "boxed": state.boxed,
            "damped": state.damped,
        }

    def complaints(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """That the velocity nodes are too few."""
        return [] if self.recurrence is None else self.recurrence.complaints(float(t[-1]))


class Limiting(Stepper):
    """`Diffusive` with the diagnostics of the limit equation; `distance` is that of (10)."""

    inner: Diffusive

    @property
    def reference(self) -> str:
        """The paper of the coefficients of RODAS3."""
        return RODAS3.reference

    def start(self, f0: Any) -> Any:
        """The state at t = 0."""
        return self.inner.start(f0)

    def step(self, state: Any, t_stop: Array) -> Any:
        """One attempted step."""
        return self.inner.step(state, t_stop)

    def fields(self, state: Any) -> dict[str, Array]:
        """m, rho_f and rho_g."""
        return self.inner.fields(state.y)

    def diagnostics(self, state: Any) -> dict[str, Array]:
        """Mass difference, entropy, distance to equilibrium, longest wave, extremes of m."""
        grid, m = self.inner.grid, state.y
        rho = density_from_difference(m)
        r = density_from_difference(grid.integrate(m) / grid.volume)
        square = weighted_squares((rho - r) ** 2, (1 / rho - 1 / r) ** 2, r)
        return {
            **self.inner.diagnostics(m),
            "distance": jnp.sqrt(grid.integrate(square)),
            "amp1": grid.amplitude(m),
            "boxed": state.boxed,
        }


def distances(y: Split, core: Asymptotic) -> tuple[Array, Array]:
    """Distances (10) to the equilibrium and to the local equilibrium."""
    eps, measured = core.epsilon, (y.rho_inf, core.masses, core.grid)
    whole = y.rho_f - y.rho_inf + eps * y.p, y.rho_g - 1.0 / y.rho_inf + eps * y.q
    return norm_of(*whole, *measured), norm_of(eps * y.p, eps * y.q, *measured)


def production(y: Split, core: Asymptotic) -> Array:
    """Entropy production (6) per unit of the scaled time; at epsilon = 0 its limit is not ours."""
    scale = jnp.where(core.epsilon > 0, core.epsilon, 1.0) ** 2
    F, G = y.rho_f + core.epsilon * y.p, y.rho_g + core.epsilon * y.q
    return production_of(F, G, core.masses, core.grid) / scale


def reaction_step(model: KineticReaction, grid: PhaseGrid, rtol: float, m: float) -> float:
    r"""Step of the second-order scheme, the same for every epsilon.

    $$ h = 20 \sqrt{rtol} \, \frac{L^2}{4 \pi^2 D}, \qquad
       D = \max(|D_1|, |D_2|, |D(m_\infty)|) $$

    Args:
        model: The equation.
        grid: Torus and velocities.
        rtol: Tolerance.
        m: The mean of rho_f - rho_g; far from 0 the limit equation is much faster than D_1, D_2.
    """
    masses, drift = model.masses(grid), grid.drift
    tensors = [np.einsum("j,ja,jb->ab", w, drift, drift) for w in (masses.chi1, masses.chi2)]
    limit = DiffusionLimit(*tensors).diffusivity(jnp.asarray(m), grid.torus.d)
    largest = max(float(np.linalg.eigvalsh(tensor)[-1]) for tensor in (*tensors, limit))
    wave = 2.0 * np.pi / grid.torus.length
    return STEP * float(np.sqrt(rtol)) / (wave**2 * largest)


def recurring(model: KineticReaction, grid: PhaseGrid, f0: Any) -> Recurrence:
    """What the velocity nodes of a grid do to a run from f0; the losses are those of the data."""
    rho_f, rho_g = (np.asarray(grid.density(f0[name])) for name in ("f", "g"))
    profiles, densities = (model.chi1, model.chi2), (rho_f, rho_g)
    return recurrence(profiles, grid, model.epsilon, densities, (rho_g, rho_f))


@solves(KineticReaction, PhaseGrid)
def reaction_method(problem: Posed, rtol: float) -> Stepper:
    """Steps of one size, the same for every epsilon."""
    model, grid, f0 = problem.equation, problem.grid, problem.f0
    m = float(model.invariants(f0, grid)["mass_difference"]) / grid.torus.volume
    inner = Asymptotic(model, grid, reaction_step(model, grid, rtol, m))
    return Reacting(inner, recurring(model, grid, f0))


@solves(KineticReaction, WalledGrid)
def walled_method(problem: Posed, rtol: float) -> Stepper:
    """The same on the doubled torus."""
    model, grid, whole = problem.equation, problem.grid, problem.grid.doubled
    f0 = {key: grid.extend(value) for key, value in problem.f0.items()}
    m = float(model.invariants(f0, whole)["mass_difference"]) / whole.torus.volume
    inner = Specular(model, grid, reaction_step(model, whole, rtol, m))
    return Reacting(inner, recurring(model, whole, f0))


@solves(ConfinedReaction, ConfinedGrid)
def confined_method(problem: Posed, rtol: float) -> Stepper:
    """Steps of one size, by the gap of the overdamped dynamics."""
    model, grid = problem.equation, problem.grid
    step = STEP * float(np.sqrt(rtol)) / (grid.line.poincare() * max(model.T1, model.T2))
    return Reacting(Asymptotic(model, grid, step))


@solves(DiffusionLimit, TorusGrid)
@solves(ConfinedLimit, ConfinedLine)
def limit_method(problem: Posed, rtol: float) -> Stepper:
    """Adaptive implicit steps for m."""
    return Limiting(Diffusive(problem.equation, problem.grid, rtol))
