"""Deviations from local equilibrium: the transport equation of each velocity, and its moments."""

from __future__ import annotations

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from relaxon.grids.torus import TorusGrid
from relaxon.numerics.devices import Velocities


class Extremes(eqx.Module):
    """Largest and smallest value over velocities at each position."""

    top: jax.Array
    bottom: jax.Array


class Deviations(eqx.Module):
    """p of one species in its transport equation, densities given.

    Velocities are the first axis; they meet in the moments and extremes that come out. The moments
    are stacked: the first is the mean of p, what follows is up to the heirs.
    """

    @property
    @abc.abstractmethod
    def diffusion(self) -> Any:
        """Second moment of the profile, (d, d)."""

    @abc.abstractmethod
    def moments(self, p: jax.Array) -> jax.Array:
        """The moments of p that the scheme needs, stacked."""

    @abc.abstractmethod
    def centred(self, moments: jax.Array, shift: jax.Array) -> jax.Array:
        """Moments of p - shift from those of p."""

    @abc.abstractmethod
    def flux(self, moments: jax.Array) -> jax.Array:
        """The integral of v chi p, shape (d, *positions.shape)."""

    @abc.abstractmethod
    def stress(self, moments: jax.Array) -> jax.Array:
        """What transport of p adds to the equation of the flux, of its shape."""

    @abc.abstractmethod
    def relax(
        self,
        p: jax.Array,
        past: tuple[jax.Array, jax.Array, Any, Any],
        shift: jax.Array,
        rho: jax.Array,
        partner: jax.Array,
        flux: jax.Array,
        alpha: Any,
        sweeps: int,
    ) -> tuple[jax.Array, jax.Array, Extremes]:
        """Fixed-point sweeps about a constant rate, each exact in a basis of transport.

        Each reduces the error by (max - min)/(max + min + 2 alpha) of `partner` at least.

        Args:
            p: First guess, plus `shift`, shape (N, *torus.shape).
            past: p at the last two times and the factors that make its history of them.
            shift: What is to be taken from the guess at all velocities.
            rho: Density of the species.
            partner: Density of the other, which is the rate of loss.
            flux: Flux of the species.
            alpha: c epsilon^2/h.
            sweeps: Number of sweeps.

        Returns:
            p up to a function of the position, its moments, its extremes.
        """

    @abc.abstractmethod
    def fitted(
        self,
        p: jax.Array,
        moments: jax.Array,
        extremes: Extremes,
        rho: jax.Array,
        low: jax.Array,
        high: jax.Array,
    ) -> tuple[jax.Array, jax.Array, Extremes, jax.Array]:
        """What `relax` found, made ready for a common factor at each position.

        The last of the results is how much that moved at each position.
        """


class TorusDeviations(Deviations):
    r"""On a torus, where every velocity stands for itself.

    $$ (\alpha + \rho_g + \varepsilon v \cdot \nabla) p = \alpha \tilde p
       - v \cdot \nabla \rho_f + \varepsilon \nabla \cdot j_f $$

    Args:
        torus: Positions.
        drift: Velocities along the torus, shape (N, d).
        weights: Masses of the profile on the nodes, shape (N,).
        epsilon: Scale of (9), or 0.
        velocities: How the velocity axis is worked through.

    Attributes:
        rows: Weights of the moments 1, v_a, v_a v_b (a <= b), shape (N, M).
        second: Second moment of the profile, (d, d).
    """

    torus: TorusGrid
    drift: np.ndarray
    rows: np.ndarray
    second: np.ndarray
    epsilon: jax.Array
    velocities: Velocities

    def __init__(self, torus, drift, weights, epsilon, velocities):
        self.torus, self.drift, self.epsilon, self.velocities = torus, drift, epsilon, velocities
        powers = [
            np.ones(len(drift)),
            *drift.T,
            *(drift[:, a] * drift[:, b] for a, b in self._pairs),
        ]
        self.rows = np.stack([weights * power for power in powers], axis=1)
        self.second = np.einsum("j,ja,jb->ab", weights, drift, drift)

    @property
    def diffusion(self) -> np.ndarray:
        """Second moment of the profile, (d, d)."""
        return self.second

    @property
    def _pairs(self) -> list[tuple[int, int]]:
        d = self.torus.d
        return [(a, b) for a in range(d) for b in range(a, d)]

    def moments(self, p: jax.Array) -> jax.Array:
        """The moments 1, v_a, v_a v_b (a <= b) of p, stacked."""
        return jnp.tensordot(jnp.asarray(self.rows.T), p, 1)

    def centred(self, moments: jax.Array, shift: jax.Array) -> jax.Array:
        """Moments of p - shift from those of p."""
        constant = jnp.asarray(self.rows.sum(axis=0))
        return moments - constant[(slice(None),) + (None,) * self.torus.d] * shift

    def flux(self, moments: jax.Array) -> jax.Array:
        """The integral of v chi p, shape (d, *torus.shape)."""
        return moments[1 : 1 + self.torus.d]

    def stress(self, moments: jax.Array) -> jax.Array:
        """Divergence of K = epsilon int (v x v) chi p dv; D drops out as p has mean zero."""
        torus, k = self.torus, self.torus.wavenumbers
        hats = torus.transform(moments[1 + torus.d :])
        # The divergence of a symmetric tensor: an off-diagonal moment serves two rows.
        rows = [jnp.zeros(hats.shape[1:], hats.dtype) for _ in range(torus.d)]
        for index, (a, b) in enumerate(self._pairs):
            rows[a] = rows[a] + 1j * k[b] * hats[index]
            if a != b:
                rows[b] = rows[b] + 1j * k[a] * hats[index]
        return self.epsilon * torus.inverse(jnp.stack(rows))

    def relax(
        self,
        p: jax.Array,
        past: tuple[jax.Array, jax.Array, Any, Any],
        shift: jax.Array,
        rho: jax.Array,
        partner: jax.Array,
        flux: jax.Array,
        alpha: Any,
        sweeps: int,
    ) -> tuple[jax.Array, jax.Array, Extremes]:
        """As in `Deviations`: every sweep is exact in Fourier space."""
        torus, eps = self.torus, self.epsilon
        now, then, a0, a1 = past
        # The middle of the range: the constant rate with the best contraction.
        rate = 0.5 * (partner.max() + partner.min())
        damping = alpha + rate
        shared = {
            "pull": partner - rate,
            "gradient": torus.gradient(rho),
            "source": eps * torus.divergence(flux),
            "shift": shift,
            "factors": jnp.stack([alpha * a0, alpha * a1, damping, eps]),
        }
        waves = jnp.asarray(torus.wavenumbers)

        def kernel(slices, x):
            p, now, then, drift, rows = slices
            keep, drop, damping, eps = x["factors"]
            known = keep * now - drop * then + x["source"] - jnp.tensordot(drift, x["gradient"], 1)
            turn = eps * jnp.tensordot(drift, waves, 1)
            scale = 1.0 / (damping**2 + turn**2)
            # 1/(damping + i epsilon k.v).
            resolvent = lax.complex(damping * scale, -turn * scale)
            new = p - x["shift"]
            for _ in range(sweeps):
                new = torus.inverse(torus.transform(known - x["pull"] * new) * resolvent)
            moments = jnp.tensordot(rows.T, new, 1)
            # Minus the least value: both extremes are exchanged as maxima.
            return new, moments, (new.max(axis=0), -new.min(axis=0))

        slices = (p, now, then, jnp.asarray(self.drift), jnp.asarray(self.rows))
        new, moments, (top, bottom) = self.velocities.sweep(kernel, slices, shared)
        return new, moments, Extremes(top, -bottom)

    def fitted(
        self,
        p: jax.Array,
        moments: jax.Array,
        extremes: Extremes,
        rho: jax.Array,
        low: jax.Array,
        high: jax.Array,
    ) -> tuple[jax.Array, jax.Array, Extremes, jax.Array]:
        """As it is: a torus has no light ends."""
        return p, moments, extremes, jnp.zeros_like(rho)
