"""The densities of the reaction model: its moment equations, implicit, in position space."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from relaxon.grids.base import Positions
from relaxon.numerics.linear_solver import linear_solver

Pair = tuple[jax.Array, jax.Array]


class Box(eqx.Module):
    """The box of Theorem 1.1: low <= f/chi_1 <= high, 1/high <= g/chi_2 <= 1/low."""

    low: jax.Array
    high: jax.Array

    def clip(self, rho_f: jax.Array, rho_g: jax.Array) -> Pair:
        """Both densities clipped; for coefficients, not for the solution."""
        return (
            jnp.clip(rho_f, self.low, self.high),
            jnp.clip(rho_g, 1.0 / self.high, 1.0 / self.low),
        )


class Densities(eqx.Module):
    r"""Implicit equations for the densities with given deviations.

    $$ m - \tilde m + \tau \nabla \cdot (j_f - j_g) = 0, \quad
       \alpha (\rho_f - \tilde\rho_f) + \varepsilon^2 \nabla \cdot j_f = 1 - \rho_f \rho_g $$
    $$ (\alpha + \rho_g) j_f = \alpha \tilde j_f - D_1 \nabla \rho_f - \nabla \cdot K_f, \quad
       (\alpha + \rho_f) j_g = \alpha \tilde j_g - D_2 \nabla \rho_g - \nabla \cdot K_g $$

    The integral of m is that of its history to rounding.

    Args:
        positions: A torus, or a confined line (whose gradient, divergence and integral are meant).
        D1: Second moment of chi_1, shape (d, d).
        D2: The same of chi_2.
        epsilon: Scale of (9), or 0.
    """

    positions: Positions
    D1: Any
    D2: Any
    epsilon: jax.Array

    def newton(
        self, guess: Pair, history: Pair, push: Pair, alpha: Any, tau: Any, box: Box
    ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        """One Newton step.

        Args:
            guess: rho_f, rho_g in the box.
            history: Their histories (with a tilde above).
            push: alpha j~ - div K of both species, shape (d, *positions.shape).
            alpha: c epsilon^2/h.
            tau: h/c.
            box: Where the densities belong.

        Returns:
            rho_f, rho_g and the fluxes j_f, j_g.
        """
        positions, eps2 = self.positions, self.epsilon**2
        rho_f, rho_g = guess
        # Coefficients in the box keep the linear problem elliptic whatever the guess.
        rate_f, rate_g = alpha + rho_g, alpha + rho_f
        j_f = (push[0] - jnp.tensordot(self.D1, positions.gradient(rho_f), 1)) / rate_f
        j_g = (push[1] - jnp.tensordot(self.D2, positions.gradient(rho_g), 1)) / rate_g
        # Residuals of the two equations of the class, for m and for rho_f.
        past_m = history[0] - history[1]
        sawtooth = self._sawtooth(rate_f, rate_g)
        r_m = rho_f - rho_g - past_m
        r_m = r_m + tau * (positions.divergence(j_f - j_g) + sawtooth(rho_f, rho_g))
        r_f = alpha * (rho_f - history[0]) + eps2 * positions.divergence(j_f) + rho_f * rho_g - 1.0

        slope_f = self._tamed(j_f, self.D1, rate_f, tau)
        slope_g = self._tamed(j_g, self.D2, rate_g, tau)

        # Unknowns: changes of m and of rho_f. The change of a rate acts on the flux that is there.
        def operator(u):
            m, w_f = u[0], u[1]
            w_g = w_f - m
            d_f = -(jnp.tensordot(self.D1, positions.gradient(w_f), 1) + slope_f * w_g) / rate_f
            d_g = -(jnp.tensordot(self.D2, positions.gradient(w_g), 1) + slope_g * w_f) / rate_g
            first = m + tau * (positions.divergence(d_f - d_g) + sawtooth(w_f, w_g))
            second = alpha * w_f + eps2 * positions.divergence(d_f) + rho_g * w_f + rho_f * w_g
            return jnp.stack([first, second])

        precondition = self._preconditioner(rho_f, rho_g, rate_f, rate_g, alpha, tau)
        right = -jnp.stack([r_m, r_f])
        # The guess is second order already, and the next round corrects: 1e-7 of it will do.
        change = linear_solver(operator, right.shape, precondition, rtol=1e-7)(right)
        new_f = rho_f + change[1]
        new_m = rho_f - rho_g + change[0]
        # The integral of m is known exactly: put right what the linear solver left.
        new_m = new_m + positions.integrate(past_m - new_m) / positions.volume
        new_g = new_f - new_m
        safe_f, safe_g = box.clip(new_f, new_g)
        j_f = (push[0] - jnp.tensordot(self.D1, positions.gradient(new_f), 1)) / (alpha + safe_g)
        j_g = (push[1] - jnp.tensordot(self.D2, positions.gradient(new_g), 1)) / (alpha + safe_f)
        return new_f, new_g, j_f, j_g

    def _tamed(self, flux: jax.Array, D: Any, rate: jax.Array, tau: Any) -> jax.Array:
        r"""A flux as a coefficient of the linear system, at light ends cut to $\sqrt{D rate/\tau}$.

        That much diffusion outweighs. In the tails of a confined line nodal fluxes are rough and
        large, and Newton's system with them can be nearly singular; where a step resolves the
        solution they are smaller.
        """
        if not self.positions.light_ends:
            return flux
        most = jnp.sqrt(D[0, 0] * rate / tau)
        return jnp.clip(flux, -most, most)

    def _sawtooth(self, rate_f, rate_g):
        """Diffusion of the highest frequency, whose first derivatives the grid cannot see.

        Without it a sawtooth of m would never decay on a grid with even n.
        """
        torus = self.positions.fourier
        if torus is None or torus.n % 2:
            return lambda u_f, u_g: 0.0
        missed = torus.full_wavenumbers**2 - torus.wavenumbers**2
        s1 = jnp.tensordot(jnp.diag(jnp.asarray(self.D1)), missed, 1) * jnp.mean(1.0 / rate_f)
        s2 = jnp.tensordot(jnp.diag(jnp.asarray(self.D2)), missed, 1) * jnp.mean(1.0 / rate_g)
        return lambda u_f, u_g: torus.inverse(s1 * torus.transform(u_f) - s2 * torus.transform(u_g))

    def _preconditioner(self, rho_f, rho_g, rate_f, rate_g, alpha, tau):
        """Inverse of the equations with constant coefficients; none without Fourier modes."""
        torus = self.positions.fourier
        if torus is None:
            return None
        k = torus.full_wavenumbers
        k1 = jnp.einsum("a...,b...,ab->...", k, k, self.D1) * jnp.mean(1.0 / rate_f)
        k2 = jnp.einsum("a...,b...,ab->...", k, k, self.D2) * jnp.mean(1.0 / rate_g)
        mean_f, mean_g = jnp.mean(rho_f), jnp.mean(rho_g)
        # Unknowns (m, w_f), w_g = w_f - m.
        a11, a12 = 1.0 + tau * k2, tau * (k1 - k2)
        a21, a22 = -mean_f, alpha + self.epsilon**2 * k1 + mean_f + mean_g
        determinant = a11 * a22 - a12 * a21

        def inverse(u):
            first, second = torus.transform(u[0]), torus.transform(u[1])
            return jnp.stack(
                [
                    torus.inverse((a22 * first - a12 * second) / determinant),
                    torus.inverse((a11 * second - a21 * first) / determinant),
                ]
            )

        return inverse
