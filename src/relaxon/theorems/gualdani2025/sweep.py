"""Many blow-down runs at once: a batch of (delta, alpha) pairs mapped over one device."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.collisions.landau import Landau
from relaxon.collisions.radial.relaxation import RelativeSystem
from relaxon.core.errors import require
from relaxon.distributions.functionals import weighted_norm
from relaxon.distributions.gaussians import maxwellian
from relaxon.distributions.hot_spot import blowdown, spot_at
from relaxon.grids.radial import RadialGrid
from relaxon.numerics.devices import cores
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.status import Status

NO_REACTION: Any = np.zeros(())  # a concrete number: whether there is one is decided when traced

CHUNK = 32
"""Pairs that are mapped together; lanes of a chunk step until the last of them is done."""


def sweep(
    deltas: Any,
    alphas: Any,
    n: int = 200,
    t_end: float = 0.5,
    rtol: float = 1e-6,
    r_max: float = 12.0,
    chunk: int = CHUNK,
    workers: int | None = None,
) -> dict[str, np.ndarray]:
    r"""Solve the Landau-Coulomb equation from $ M + \delta^\alpha M_\delta $ for many pairs.

    Each pair gets its own grid (r_min = sqrt(delta)/2, equal n); the runs are independent, with
    their own step sizes, and agree with `solve` to 1e-9 (tests/unit/theorems/test_sweep.py).
    Pairs are sorted by delta, so that those of a chunk take about as many steps.

    Args:
        deltas: Squared widths in (0, 1), shape (m,).
        alphas: Exponents of the mass, shape (m,).
        n: Cells of each grid.
        t_end: End time.
        rtol: Relative tolerance of a step.
        r_max: Outer end of every grid.
        chunk: Pairs mapped together.
        workers: Threads that each run a chunk at a time; None is one per core.

    Returns:
        Arrays of shape (m,) in the order of the input: "delta", "alpha", "central_value"
        F(0, t), "distance_m" |F - M|_M (gualdani2025, Theorem 1.1), "remainder" |F - M - E|_M,
        "distance_l2" |F - M_eq|_{L^2}, "steps", "rejected", "status" (a `Status` value).

    Raises:
        InputError: Shapes that differ, a pair out of range, or a grid too coarse for delta.
    """
    deltas, alphas = np.atleast_1d(np.asarray(deltas, float)), np.atleast_1d(alphas).astype(float)
    require(
        deltas.ndim == 1 and deltas.shape == alphas.shape and len(deltas) > 0,
        f"deltas and alphas must be of equal length >= 1, but have shapes {deltas.shape} and "
        f"{alphas.shape}.",
    )
    order = np.lexsort((alphas, deltas))
    chunk = min(chunk, len(order))
    end, tolerance = jnp.asarray(float(t_end)), jnp.asarray(float(rtol))
    grids = [grid_for(float(d), float(a), n, r_max) for d, a in zip(deltas, alphas)]

    def part(start: int) -> dict[str, np.ndarray]:
        index = order[start : start + chunk]
        # A short last chunk repeats its last pair: one shape, one compilation.
        padded = np.concatenate([index, np.repeat(index[-1:], chunk - len(index))])
        pairs = jnp.asarray(deltas[padded]), jnp.asarray(alphas[padded])
        found = _batch(stacked([grids[i] for i in padded]), *pairs, end, tolerance)
        return {name: np.asarray(x)[: len(index)] for name, x in found.items()}

    starts = range(0, len(order), chunk)
    parts = [part(starts[0])]  # compiles
    with ThreadPoolExecutor(workers or cores()) as pool:
        parts.extend(pool.map(part, starts[1:]))
    back = np.argsort(order)
    results = {name: np.concatenate([p[name] for p in parts])[back] for name in parts[0]}
    return {"delta": deltas, "alpha": alphas, **results}


def grid_for(delta: float, alpha: float, n: int, r_max: float) -> RadialGrid:
    """The grid of one pair; raises `InputError` if it is too coarse."""
    require(0 < delta < 1, f"delta must lie in (0, 1), but is {delta!r}.")
    grid = RadialGrid(3, n, r_max, np.sqrt(delta) / 2)
    blowdown(grid, delta, alpha)
    return grid


def stacked(grids: Sequence[RadialGrid]) -> RadialGrid:
    """Grids of equal n as one grid whose arrays have a leading axis."""
    return jax.tree.map(lambda *x: jnp.asarray(np.stack([np.asarray(i) for i in x])), *grids)


@eqx.filter_jit
def _batch(grids: RadialGrid, deltas: Array, alphas: Array, t_end: Array, rtol: Array) -> dict:
    return jax.vmap(_case, in_axes=(0, 0, 0, None, None))(grids, deltas, alphas, t_end, rtol)


def _case(grid: RadialGrid, delta: Any, alpha: Any, t_end: Array, rtol: Array) -> dict:
    """One run; every argument may be traced."""
    m = maxwellian(grid)
    f0 = m + spot_at(grid.r, 0.0, delta, alpha, grid.d)
    system = RelativeSystem(f0, grid, Landau().kernel_model(grid), NO_REACTION)
    stepper = Rosenbrock(system, rtol)

    def go_on(s: Any) -> Array:
        return (s.t < t_end) & (s.code == Status.FINE)

    state = jax.lax.while_loop(go_on, lambda s: stepper.step(s, t_end), stepper.start(f0))
    f = stepper.fields(state)["f"]
    found = stepper.diagnostics(state)
    remainder = f - m - spot_at(grid.r, state.t, delta, alpha, grid.d)
    return {
        "central_value": found["central_value"],
        "distance_m": weighted_norm(f - m, grid),
        "remainder": weighted_norm(remainder, grid),
        "distance_l2": found["distance_l2"],
        "steps": state.steps,
        "rejected": state.rejected,
        "status": state.code,
    }
