"""The linearised reaction model under a confining potential, in the modes of its transport."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from relaxon.core.methods import Posed, solves
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.reaction.equations.confined import GibbsMasses, LinearizedConfined
from relaxon.reaction.equations.two_species import pair, weighted_squares
from relaxon.reaction.scheme.linear_modes import LARGEST_PHASE
from relaxon.stepping.exponential import Exponential, LinearState, partial_fractions
from relaxon.stepping.stepper import Stepper

Modes = tuple[Array, Array]


class ConfinedModes(Exponential):
    r"""`LinearModes` with a force: order 11 in time, L-stable, exact conservation.

    In the singular bases of `ConfinedGrid` transport turns pairs of modes, reactions damp them, and
    only the densities couple them:

    $$ \dot F = -\frac{F}{r \varepsilon^2} - \frac{\sqrt{T_1}}{\varepsilon} \mathcal T F
       - \frac{r}{\varepsilon^2} \langle G \rangle, \qquad
       \dot G = -\frac{r G}{\varepsilon^2} - \frac{\sqrt{T_2}}{\varepsilon} \mathcal T G
       - \frac{1}{r \varepsilon^2} \langle F \rangle . $$

    Each term of the rational approximation of $e^{hA}$ costs one linear system for the densities.

    Args:
        equation: `LinearizedConfined`.
        grid: Phase space.
    """

    grid: ConfinedGrid
    masses: GibbsMasses
    epsilon: Array
    rho_inf: Array
    speeds: tuple[Array, Array]
    mean: Array
    largest: Array
    poles: np.ndarray
    residues: np.ndarray

    def __init__(self, equation: LinearizedConfined, grid: ConfinedGrid):
        equation.require_grid(grid)
        self.grid, self.masses = grid, equation.masses(grid)
        self.epsilon, self.rho_inf = jnp.asarray(equation.epsilon), jnp.asarray(equation.rho_inf)
        first, second = (speed / equation.epsilon**2 for speed in equation.speeds())
        self.speeds = jnp.asarray(first), jnp.asarray(second)
        self.mean = grid.density_of_even
        fastest = float(jnp.max(grid.frequencies)) * max(first, second)
        self.largest = jnp.asarray(LARGEST_PHASE / fastest)
        poles, residues = partial_fractions()
        upper = poles.imag > 0  # data are real: the other half is conjugate
        self.poles, self.residues = poles[upper], 2 * residues[upper]

    def start(self, f0: Any) -> LinearState:
        """The state at t = 0."""
        ratios = self.masses.density_ratio(*pair(f0, self.grid), self.grid)
        return self.begun(tuple(self.grid.to_modes(ratio) for ratio in ratios))

    def advanced(self, y: tuple[Modes, Modes], h: Array) -> tuple[Modes, Modes]:
        """F and G a time h later."""
        r, eps, mean = self.rho_inf, self.epsilon, self.mean
        turn_f, turn_g = (h * speed * self.grid.frequencies for speed in self.speeds)
        gain_f, gain_g = h * r / eps**2, h / (r * eps**2)
        poles, residues = jnp.asarray(self.poles), jnp.asarray(self.residues)
        one = jnp.eye(self.grid.line.n)

        # (c + turn J)^-1 on a pair of even and odd modes, J the rotation of transport.
        def solved(c, turn, even, odd):
            scale = 1.0 / (c * c + turn * turn)
            return scale * (c * even + turn * odd), scale * (c * odd - turn * even)

        def term(i, total):
            z, weight = poles[i], residues[i]
            c_f, c_g = z + h / (r * eps**2), z + h * r / eps**2
            # (n_x,): densities of the resolvent without coupling; A and B are (n_x, n_x).
            S_f, S_g = mean @ solved(c_f, turn_f, *y[0])[0], mean @ solved(c_g, turn_g, *y[1])[0]
            A, B = (
                gain * (mean * (c / (c * c + turn * turn))) @ mean.T
                for gain, c, turn in ((gain_f, c_f, turn_f), (gain_g, c_g, turn_g))
            )
            # Densities of the resolvent: R_f = S_f - A R_g, R_g = S_g - B R_f.
            R_f = jnp.linalg.solve(one - A @ B, S_f - A @ S_g)
            R_g = S_g - B @ R_f
            found = (
                *solved(c_f, turn_f, y[0][0] - gain_f * (mean.T @ R_g), y[0][1]),
                *solved(c_g, turn_g, y[1][0] - gain_g * (mean.T @ R_f), y[1][1]),
            )
            return tuple(old + jnp.real(weight * new) for old, new in zip(total, found))

        none = tuple(jnp.zeros_like(part) for species in y for part in species)
        even_f, odd_f, even_g, odd_g = lax.fori_loop(0, len(self.poles), term, none)
        flat = mean.T @ jnp.sqrt(self.grid.line.weights)  # the constant one
        # The Pade approximation keeps the mass difference to its own error; the rest goes back
        # along the local equilibria (r^2, -1).
        lost = flat @ (y[0][0] - y[1][0]) - flat @ (even_f - even_g)
        share = lost / (r**2 + 1) / self.grid.line.volume
        return (even_f + share * r**2 * flat, odd_f), (even_g - share * flat, odd_g)

    def fields(self, state: LinearState) -> dict[str, Array]:
        """The perturbations f, g, their relative densities and m."""
        F, G = (self.grid.from_modes(*species) for species in state.y)
        f, g = self.masses.distributions(F, G, self.grid)
        rho_f, rho_g = self.grid.mean(F), self.grid.mean(G)
        return {"f": f, "g": g, "rho_f": rho_f, "rho_g": rho_g, "m": rho_f - rho_g}

    def diagnostics(self, state: LinearState) -> dict[str, Array]:
        r"""The norm (10), that of Pi F, mass difference, longest wave."""
        r, line = self.rho_inf, self.grid.line
        first, second = (sum(jnp.sum(part**2) for part in species) for species in state.y)
        m = (self.mean @ (state.y[0][0] - state.y[1][0])) / jnp.sqrt(line.weights)
        return {
            "mass_difference": line.integrate(m),
            "distance": jnp.sqrt(weighted_squares(first, second, r)),
            "macroscopic": jnp.sqrt(line.integrate(m**2) * r / (r**2 + 1)),
            "amp1": line.amplitude(m),
        }


@solves(LinearizedConfined, ConfinedGrid)
def method(problem: Posed, rtol: float) -> Stepper:
    """The exponential; its error is below every tolerance."""
    return ConfinedModes(problem.equation, problem.grid)
