"""The conservative limiter: f >= 0, invariants, distance, entropy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.collisions.cartesian.equilibrium import excess_entropy
from relaxon.collisions.cartesian.limiter import limited, positive
from relaxon.distributions.gaussians import gaussian_mixture
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.matched import moments

GRID = VelocityGrid(2, 32, 5.5)
EXACT = gaussian_mixture(GRID, [0.5, 0.5], [[0.6, 0.2], [-0.6, 0.0]], [0.5, 0.5])


def drift(g, f, grid=GRID):
    return float(jnp.abs(moments(g, grid) - moments(f, grid)).max() / moments(f, grid)[0])


@pytest.mark.parametrize("noise", [1e-8, 1e-4, 1e-2])
def test_noise_becomes_smaller_and_the_invariants_stay(noise):
    f = EXACT + noise * jax.random.normal(jax.random.key(1), GRID.shape)
    g = jax.jit(positive, static_argnums=2)(f, EXACT, GRID)
    assert float(g.min()) >= 0 > float(f.min())
    assert drift(g, EXACT) < 3e-15
    # A projection on a convex set that holds EXACT; most of the box is noise, half of it negative.
    assert float(jnp.linalg.norm(g - EXACT)) < 0.8 * float(jnp.linalg.norm(f - EXACT))


def test_ringing_of_an_edge_is_removed():
    radius = jnp.sqrt(jnp.sum(GRID.v**2, -1))
    waves = jnp.fft.fft2(jnp.where(radius < 2.0, 1.0, 0.0))
    index = jnp.abs(jnp.fft.fftfreq(32)) < 0.3
    f = jnp.fft.ifft2(waves * index[:, None] * index).real
    g = limited(f, jnp.inf, GRID)
    assert float(f.min()) < -0.05 and float(g.min()) >= 0
    assert drift(g, f) < 1e-14
    assert float(jnp.sum(jnp.abs(g - f)) / jnp.sum(f)) < 0.2


def test_what_needs_nothing_stays_bit_for_bit():
    assert np.array_equal(limited(EXACT, excess_entropy(EXACT, GRID), GRID), EXACT)


@pytest.mark.parametrize("share", [0.9, 1e-3, 0.0])
def test_the_entropy_does_not_rise(share):
    bound = share * excess_entropy(EXACT, GRID)
    g = limited(EXACT, bound, GRID)
    assert float(excess_entropy(g, GRID)) <= float(bound) + 1e-30
    assert float(g.min()) >= 0 and drift(g, EXACT) < 1e-14
