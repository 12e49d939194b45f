"""The range of sampled data: exact if smooth, that of the samples at jumps of three points."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.torus import TorusGrid
from relaxon.reaction.scheme.ranges import data_ranges


def found(u, positions):
    return np.asarray(data_ranges((u[None],), positions)[0])


@pytest.mark.parametrize(("d", "n"), [(1, 24), (2, 16), (3, 12)])
@pytest.mark.parametrize("shift", [0.0, 0.31, 0.5])
def test_waves_between_the_points(d, n, shift):
    torus = TorusGrid(d, n, 3.0)
    x = 2 * jnp.pi * (torus.x - shift * torus.spacing) / 3.0
    u = 1 + 0.5 * jnp.prod(jnp.cos(x), axis=-1)
    np.testing.assert_allclose(found(u, torus), [0.5, 1.5], rtol=1e-13)


def test_a_ridge_across_the_grid():
    torus = TorusGrid(2, 24)
    angle = 2 * jnp.pi * (torus.x[..., 0] + torus.x[..., 1] - 0.5 / 24)
    np.testing.assert_allclose(found(jnp.cos(angle), torus), [-1.0, 1.0], rtol=1e-13)


def test_many_fields_and_several_groups():
    torus = TorusGrid(1, 32)
    x = 2 * jnp.pi * (torus.x[:, 0] - 0.3 / 32)
    first = jnp.stack([a * jnp.sin(x) for a in (1.0, 3.0, 2.0)])
    second = jnp.stack([jnp.exp(jnp.cos(x))] * 3)
    np.testing.assert_allclose(
        data_ranges((first, second), torus),
        [[-3.0, 3.0], [np.exp(-1.0), np.exp(1.0)]],
        rtol=1e-12,
    )


@given(seed=st.integers(0, 1000), n=st.sampled_from([7, 16]))
@settings(max_examples=20, deadline=None)
def test_jumps_are_not_overshot(seed, n):
    rng = np.random.default_rng(seed)
    u = jnp.asarray(np.where(np.arange(n) < rng.integers(3, n - 3), 5.0, 1.0))
    np.testing.assert_array_equal(found(jnp.roll(u, rng.integers(n)), TorusGrid(1, n)), [1.0, 5.0])


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_rough_data_lie_in_their_range_and_little_is_added(seed):
    u = jnp.asarray(np.random.default_rng(seed).normal(size=16))
    low, high = found(u, TorusGrid(1, 16))
    bend = np.abs(np.roll(u, 1) - 2 * u + np.roll(u, -1)).max()
    assert u.min() - 0.2 * bend <= low <= u.min()
    assert u.max() <= high <= u.max() + 0.2 * bend


def test_a_confined_line():
    """Local interpolation of degree 9 on 40 nodes; an even rule has no node at 0."""
    line = ConfinedLine("harmonic", 40)
    u = 1 + 0.5 * jnp.exp(-0.5 * line.nodes**2)
    assert abs(float(u.max()) - 1.5) > 5e-3
    np.testing.assert_allclose(found(u, line), [1.0, 1.5], atol=1e-5)
    step = jnp.where(line.nodes > 0.3, 2.0, 1.0)
    np.testing.assert_array_equal(found(step, line), [1.0, 2.0])
