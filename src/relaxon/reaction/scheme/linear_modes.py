"""The linearised reaction model, mode by mode, by a rational approximation of the exponential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from relaxon.core.methods import Posed, solves
from relaxon.grids.phase import PhaseGrid
from relaxon.reaction.equations.kinetic import KineticReaction, LinearizedReaction
from relaxon.reaction.equations.two_species import Masses, norm_of, pair
from relaxon.reaction.scheme.recurrence import Recurrence, recurrence
from relaxon.stepping.exponential import Exponential, LinearState, partial_fractions
from relaxon.stepping.stepper import Stepper

LARGEST_PHASE = 2.0
"""Largest h |v| k / epsilon in a step."""


class LinearModes(Exponential):
    r"""Order 11 in time, L-stable, exact conservation; spectral in x and v.

    In Fourier space the linearised equations (7) of F = f/chi_1, G = g/chi_2 are

    $$ \dot F_j = -\Big(\frac{1}{r \varepsilon^2} + \frac{i k \cdot v_j}{\varepsilon}\Big) F_j
        - \frac{r}{\varepsilon^2} \rho_g, \qquad
       \dot G_j = -\Big(\frac{r}{\varepsilon^2} + \frac{i k \cdot v_j}{\varepsilon}\Big) G_j
        - \frac{1}{r \varepsilon^2} \rho_f , $$

    a diagonal matrix plus one of rank two. $e^{hA}$ is replaced by `partial_fractions`, each term
    of which costs one 2 x 2 system a mode: the work is linear in the number of unknowns, in any
    dimension. Steps are chosen so that the fastest node turns the shortest wave by at most
    `LARGEST_PHASE`; the error is far below any tolerance that `solve` can be given, so that one is
    not used.

    The nodes are a quadrature: what transport winds up beyond their resolution comes back after
    a time of about 2 pi epsilon / (k spacing), and rates must not be read off beyond it. The
    semigroup without a velocity grid is `relaxon.reaction.linear_decay`.

    Args:
        equation: `LinearizedReaction`.
        grid: Phase space.
        recurrence: When that is, for a run; None says nothing.
    """

    grid: PhaseGrid
    masses: Masses
    drift: np.ndarray
    epsilon: Array
    rho_inf: Array
    largest: Array
    poles: np.ndarray
    residues: np.ndarray
    recurrence: Recurrence | None

    def __init__(
        self, equation: LinearizedReaction, grid: PhaseGrid, recurrence: Recurrence | None = None
    ):
        self.recurrence = recurrence
        model = KineticReaction(equation.chi1, equation.chi2, equation.epsilon)
        self.grid, self.masses, self.drift = grid, model.masses(grid), grid.drift
        self.epsilon, self.rho_inf = jnp.asarray(equation.epsilon), jnp.asarray(equation.rho_inf)
        turn = np.tensordot(grid.drift, grid.torus.wavenumbers, 1)
        fastest = max(float(np.max(np.abs(turn))), 1e-12)
        self.largest = jnp.asarray(LARGEST_PHASE * equation.epsilon / fastest)
        self.poles, self.residues = partial_fractions()

    def start(self, f0: Any) -> LinearState:
        """The state at t = 0."""
        first, second = pair(f0, self.grid)
        return self.begun(self.masses.density_ratio(first, second, self.grid))

    def advanced(self, y: tuple[Array, Array], h: Array) -> tuple[Array, Array]:
        """F and G a time h later."""
        torus, r, eps = self.grid.torus, self.rho_inf, self.epsilon
        w1, w2 = jnp.asarray(self.masses.chi1), jnp.asarray(self.masses.chi2)
        F, G = torus.transform(y[0]), torus.transform(y[1])
        turn = jnp.tensordot(jnp.asarray(self.drift), jnp.asarray(torus.wavenumbers), 1)
        d_f = h * lax.complex(jnp.full_like(turn, 1.0) / (r * eps**2), turn / eps)
        d_g = h * lax.complex(jnp.full_like(turn, 1.0) * r / eps**2, turn / eps)
        gain_f, gain_g = h * r / eps**2, h / (r * eps**2)
        poles, residues = jnp.asarray(self.poles), jnp.asarray(self.residues)

        def term(i, total):
            z, c = poles[i], residues[i]
            one_f, one_g = 1.0 / (z + d_f), 1.0 / (z + d_g)
            # Densities of the resolvent: R_f = S_f - gain_f A R_g, R_g = S_g - gain_g B R_f.
            S_f, S_g = _mean(w1, F * one_f), _mean(w2, G * one_g)
            A, B = gain_f * _mean(w1, one_f), gain_g * _mean(w2, one_g)
            R_f = (S_f - A * S_g) / (1.0 - A * B)
            R_g = S_g - B * R_f
            return (
                total[0] + c * (F - gain_f * R_g) * one_f,
                total[1] + c * (G - gain_g * R_f) * one_g,
            )

        # Poles come in pairs, but modes are complex: all terms are needed.
        new_f, new_g = lax.fori_loop(0, len(self.poles), term, (0 * F, 0 * G))
        new = torus.inverse(new_f), torus.inverse(new_g)
        # The mass difference to rounding: what is lost goes back along the equilibria (r^2, -1).
        lost = self._difference(y) - self._difference(new)
        share = lost / (r**2 + 1) / torus.volume
        return new[0] + share * r**2, new[1] - share

    def _difference(self, y: tuple[Array, Array]) -> Array:
        torus = self.grid.torus
        rho_f, rho_g = _mean(self.masses.chi1, y[0]), _mean(self.masses.chi2, y[1])
        return torus.integrate(rho_f - rho_g)

    def fields(self, state: LinearState) -> dict[str, Array]:
        """The perturbations f, g, their densities and m."""
        F, G = state.y
        f, g = self.masses.distributions(F, G, self.grid)
        rho_f, rho_g = _mean(self.masses.chi1, F), _mean(self.masses.chi2, G)
        return {"f": f, "g": g, "rho_f": rho_f, "rho_g": rho_g, "m": rho_f - rho_g}

    def diagnostics(self, state: LinearState) -> dict[str, Array]:
        r"""The norm (10), those of Pi F and of (1 - Pi) F, mass difference, longest wave."""
        torus, r = self.grid.torus, self.rho_inf
        F, G = state.y
        m = _mean(self.masses.chi1, F) - _mean(self.masses.chi2, G)
        share = m / (r**2 + 1)
        apart = F - share * r**2, G + share  # from local equilibrium
        return {
            "mass_difference": torus.integrate(m),
            "distance": norm_of(F, G, r, self.masses, self.grid),
            "macroscopic": jnp.sqrt(torus.integrate(m**2) * r / (r**2 + 1)),
            "distance_local": norm_of(*apart, r, self.masses, self.grid),
            "amp1": torus.amplitude(m),
        }

    def complaints(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """That the velocity nodes are too few."""
        return [] if self.recurrence is None else self.recurrence.complaints(float(t[-1]))


def _mean(weights: Any, values: Array) -> Array:
    return jnp.tensordot(jnp.asarray(weights), values, 1)


@solves(LinearizedReaction, PhaseGrid)
def method(problem: Posed, rtol: float) -> Stepper:
    """The exponential; its error is below every tolerance."""
    model, grid, r = problem.equation, problem.grid, problem.equation.rho_inf
    f, g = pair(problem.f0, grid)
    profiles, densities = (model.chi1, model.chi2), (grid.density(f), grid.density(g))
    one = np.ones(grid.torus.shape)
    doubt = recurrence(profiles, grid, model.epsilon, densities, (one / r, one * r))
    return LinearModes(model, grid, doubt)
