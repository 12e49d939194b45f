"""Linear systems on the torus, too small for libraries and too large to invert: one solver."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.scipy.linalg
from jax import lax

# Up to this many unknowns a factorisation is faster than an iteration.
DENSE = 160


def linear_solver(
    operator: Callable[[jax.Array], jax.Array],
    shape: tuple[int, ...],
    precondition: Callable[[jax.Array], jax.Array] | None = None,
    rtol: float = 1e-11,
    maximum: int = 60,
) -> Callable[[jax.Array], jax.Array]:
    """A function that solves `operator(u) = right`, possibly many times.

    Up to `DENSE` unknowns the operator is factorised once, above it each solution is a
    preconditioned BiCGStab.

    Args:
        operator: Linear map of arrays of shape `shape`.
        shape: Shape of the unknown.
        precondition: Approximate inverse of `operator` (not used for dense systems). Without it
            a system of any size is dense.
        rtol: Reduction of the preconditioned residual, for the iteration.
        maximum: Largest number of iterations (two operators each).

    Returns:
        The solver; if its iteration stagnates it gives the best approximation it had.
    """
    size = math.prod(shape)
    if precondition is None or size <= DENSE:
        basis = jnp.eye(size).reshape((size, *shape))
        # Column j is the operator on the unit vector j.
        matrix = jax.vmap(operator)(basis).reshape(size, size).T
        factors = jax.scipy.linalg.lu_factor(matrix)
        return lambda right: jax.scipy.linalg.lu_solve(factors, right.reshape(-1)).reshape(shape)
    return lambda right: _bicgstab(operator, right, precondition, rtol, maximum)


def _bicgstab(operator, right, precondition, rtol, maximum):
    """Left-preconditioned BiCGStab (van der Vorst 1992) that keeps its best iterate."""
    start = jnp.zeros_like(right)
    # Preconditioned from the left: residuals and goal are those of the preconditioned system.
    residual = precondition(right)
    # The last term ends the iteration at once for a right-hand side of zero.
    goal = rtol * jnp.sqrt(jnp.vdot(residual, residual)) + 1e-300

    def go_on(carry):
        step, best = carry[0], carry[-1]
        return (step < maximum) & (best > goal) & carry[-2]

    def iterate(carry):
        step, u, r, shadow, p, rho, kept, _, best = carry
        direction = precondition(operator(p))
        pivot = jnp.vdot(shadow, direction)
        alpha = rho / jnp.where(pivot == 0, 1.0, pivot)
        s = r - alpha * direction
        t = precondition(operator(s))
        tt = jnp.vdot(t, t)
        omega = jnp.vdot(t, s) / jnp.where(tt == 0, 1.0, tt)
        u = u + alpha * p + omega * s
        r = s - omega * t
        rho_new = jnp.vdot(shadow, r)
        beta = rho_new / jnp.where(rho == 0, 1.0, rho) * alpha / jnp.where(omega == 0, 1.0, omega)
        p = r + beta * (p - omega * direction)
        size = jnp.sqrt(jnp.vdot(r, r))
        # A pivot, rho or omega that vanishes ends the recursion; the best iterate stands.
        healthy = (pivot != 0) & (rho_new != 0) & (omega != 0) & jnp.isfinite(size)
        better = size < best
        kept = jnp.where(better, u, kept)
        best = jnp.where(better, size, best)
        return step + 1, u, r, shadow, p, rho_new, kept, healthy, best

    rho = jnp.vdot(residual, residual)
    carry = (
        jnp.int32(0),
        start,
        residual,
        residual,
        residual,
        rho,
        start,
        rho > 0,
        jnp.sqrt(rho),
    )
    return lax.while_loop(go_on, iterate, carry)[6]
