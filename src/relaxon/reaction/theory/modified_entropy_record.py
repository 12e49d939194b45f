"""The modified entropy of the reaction model along a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.core.entries import records
from relaxon.core.errors import require
from relaxon.core.registry import storable
from relaxon.grids.phase import PhaseGrid
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import density_from_difference
from relaxon.reaction.theory import modified_entropy as lyapunov


@storable
class ModifiedEntropy(eqx.Module):
    r"""$\mathsf H^0 = \|F\|_w^2/2 + \eta \langle \mathsf A F, F \rangle$ along a nonlinear run.

    Recorded as `h0`, its dissipation $-d\mathsf H^0/dt$ along the nonlinear equations as
    `h0_dissipation`, and half their quotient, a rate of the norm, as `h0_rate`.
    Source: neumann2016, Remark 1 and the proof of Theorem 2.3. For epsilon = 1 on the torus of
    volume one with velocities of the same dimension.

    Args:
        equation: The equation of the run.
        eta: Weight of the auxiliary term, in (0, 2).
    """

    equation: KineticReaction
    eta: float = eqx.field(static=True)
    of_fields: bool = eqx.field(static=True, init=False, default=True)

    def __init__(self, equation: KineticReaction, eta: float = 0.25):
        require(0 < eta < 2, f"eta must lie in (0, 2), but is {eta!r}.")
        require(
            equation.epsilon == 1.0,
            f"The modified entropy is that of epsilon = 1, but epsilon is {equation.epsilon}.",
        )
        self.equation, self.eta = equation, float(eta)

    def __call__(self, t: Array, f: Mapping[str, Array], grid: PhaseGrid) -> dict[str, Array]:
        """The functional, its dissipation and the rate at time t."""
        torus, nodes = grid.torus, grid.velocity
        chi1, chi2 = self.equation.profiles(grid)
        r = density_from_difference(torus.integrate(f["m"]) / torus.volume)
        space = lyapunov.ReactionSpace(r, nodes.v, nodes.weights, chi1, chi2)
        F = (f["f"] - r * chi1, f["g"] - chi2 / r)
        flow = lyapunov.nonlinear_flow(space, F)
        value = lyapunov.h0_functional(space, F, self.eta)
        lost = lyapunov.h0_dissipation(space, F, flow, self.eta)
        rate = jnp.where(value > 0, lost / jnp.where(value > 0, value, 1.0), jnp.nan) / 2
        return {"h0": value, "h0_dissipation": lost, "h0_rate": rate}


@records(KineticReaction)
def modified_entropy(equation: KineticReaction, grid: Any) -> dict[str, Any]:
    """The modified entropy of Theorem 2.3 where it is defined: epsilon = 1, unit torus."""
    fits = (
        equation.epsilon == 1.0
        and isinstance(grid, PhaseGrid)
        and grid.torus.length == 1.0
        and grid.torus.d == grid.velocity.d
    )
    return {"h0": ModifiedEntropy(equation)} if fits else {}
