"""Initial data of the reaction model that files name: a density, and local equilibrium with it."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import Array

from relaxon.core.entries import datum
from relaxon.core.errors import require
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.walls import WalledGrid
from relaxon.reaction.equations.limit import ReactionEquation


@datum("wave")
def wave(grid: Any, equation: Any, amplitude: float = 0.5, mean: float = 1.0) -> Any:
    """Rho = mean (1 + amplitude prod_i cos(2 pi x_i / L))."""
    angle = angles(grid, equation)
    rho = mean * (1 + amplitude * jnp.prod(jnp.cos(angle), axis=-1))
    return at_local_equilibrium(equation, grid, rho)


@datum("tilt")
def tilt(
    grid: Any, equation: Any, amplitude: float = 0.5, mean: float = 1.0, slope: float = 1.0
) -> Any:
    """Rho = mean (1 + amplitude tanh(slope x)), relative to exp(-phi), on a confined line."""
    angle = angles(grid, equation)
    rho = mean * (1 + amplitude * jnp.tanh(slope * angle[..., 0]))
    return at_local_equilibrium(equation, grid, rho)


@datum("islands")
def islands(grid: Any, equation: Any, strength: float = 1.5, size: float = 0.12) -> Any:
    """Rho = exp(strength (b(x - c) - b(x + c))), b a bump of width `size`; c on a diagonal.

    One species is abundant about c, the other about -c; rho lies between exp(-strength) and
    exp(strength).
    """
    require(size > 0, f"size must be positive, but is {size!r}.")
    angle = angles(grid, equation)
    centre = 0.5 * math.pi * (1 + 0.3 * jnp.arange(angle.shape[-1]))
    scale = (2 * math.pi * size) ** 2

    def bump(shift: Array) -> Array:
        return jnp.exp(-jnp.sum(1 - jnp.cos(angle - shift), axis=-1) / scale)

    rho = jnp.exp(strength * (bump(centre) - bump(-centre)))
    return at_local_equilibrium(equation, grid, rho)


def angles(grid: Any, equation: Any) -> Array:
    """Positions as angles: 2 pi x/L on a torus, pi x between walls, x itself on a line.

    Raises:
        InputError: Not an equation of this family, or a grid that it cannot use.
    """
    require(
        isinstance(equation, ReactionEquation),
        f"These data are those of a reaction model, but the equation is {type(equation).__name__}.",
    )
    equation.require_grid(grid)
    if isinstance(grid, ConfinedLine | ConfinedGrid):
        return grid.x
    if isinstance(grid, WalledGrid):
        return 2 * math.pi / 2.0 * grid.x
    torus = grid if isinstance(grid, TorusGrid) else grid.torus
    return 2 * math.pi / torus.length * grid.x


def at_local_equilibrium(equation: ReactionEquation, grid: Any, rho: Array) -> Any:
    """The data (rho chi_1, chi_2/rho), or what stands for them in the equation."""
    require(
        float(rho.min()) > 0,
        f"The initial density must be positive, but its minimum is {float(rho.min()):.3g}.",
    )
    return equation.at_density(rho, grid)
