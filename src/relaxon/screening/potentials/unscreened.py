r"""Landau as the limit of the screened operator: the weight K without the dispersion function."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from relaxon.core.types import Real
from relaxon.numerics.split_complex import Split
from relaxon.screening.potentials import Potential


class Unscreened(Potential):
    r"""The limit Vhat -> 0 with $ \int k^d \hat V^2 dk = K_0 $ held: K(z) = K_0 for every z.

    $$ G(z) = -K_0 z, \qquad B_L = \frac{L}{|w|} \Pi(w), \qquad
       K_0 = 2 \pi L \ (d = 2), \quad 8 \pi L \ (d = 3) $$

    Source: duerinckx2023 (1.6), (1.7) and Theorem 4. With it the line geometry of the screened
    operator gives the Landau operator with gamma = -3.

    Args:
        d: Dimension.
        weight: K_0.
    """

    d: int = eqx.field(static=True)
    weight: jax.Array
    v_min: jax.Array
    v_max: jax.Array

    def __init__(self, d: int, weight: jax.Array | float):
        self.d, self.weight = d, jnp.asarray(weight, float)
        self.v_min = self.v_max = jnp.asarray(0.0)

    def vhat(self, k: jax.Array) -> jax.Array:
        """Zero."""
        return jnp.zeros_like(jnp.asarray(k, float))

    def k0(self) -> jax.Array:
        """The weight."""
        return self.weight

    def resolvent(self, z: Split) -> Split:
        """-K_0 z."""
        return z * (-self.weight)

    def rescaled(self, delta: Real, a: Real) -> Unscreened:
        """The same: in the time that the rescaling takes with it, K_0 does not change."""
        return self

    def wavenumber(self, value: jax.Array) -> jax.Array:
        """No wavenumber is singled out."""
        return jnp.zeros_like(value)
