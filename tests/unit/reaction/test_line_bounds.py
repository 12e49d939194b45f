"""Limiters for unequal weights: box and integral, and that they leave alone what is inside."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.exchange import line_limited
from relaxon.reaction.scheme.bounds import clip_and_share

WEIGHTS = np.asarray(ConfinedLine("harmonic", 24).weights)
LOW, HIGH = 0.5, 2.0


def fields(seed, excess):
    rng = np.random.default_rng(seed)
    old = rng.uniform(LOW, HIGH, WEIGHTS.size)
    new = rng.uniform(LOW - excess, HIGH + excess, WEIGHTS.size)
    # the same integral, by a constant; both means lie well inside the box
    return old, new + WEIGHTS @ (old - new) / WEIGHTS.sum()


def check(found, old):
    slack = 1e-13 * HIGH
    assert float(found.min()) >= LOW - slack and float(found.max()) <= HIGH + slack
    np.testing.assert_allclose(WEIGHTS @ found, WEIGHTS @ old, rtol=1e-14)


@given(seed=st.integers(0, 10_000), excess=st.floats(0.01, 10.0))
def test_exchange_between_neighbours(seed, excess):
    old, new = fields(seed, excess)
    check(np.asarray(line_limited(old, new, LOW, HIGH, WEIGHTS)), old)


@given(seed=st.integers(0, 10_000), excess=st.floats(0.01, 10.0))
def test_clip_and_share(seed, excess):
    old, new = fields(seed, excess)
    check(np.asarray(clip_and_share(new, LOW, HIGH, WEIGHTS)), old)


@pytest.mark.parametrize("limiter", ["exchange", "share"])
def test_a_light_cell_outside_moves_the_others_by_its_weight_only(limiter):
    x = np.linspace(-1, 1, WEIGHTS.size)
    old = 1.2 + 0.3 * x
    new = 1.2 + 0.3 * np.sin(2 * x)
    new[0] = 7.0
    new[9] += WEIGHTS @ (old - new) / WEIGHTS[9]
    if limiter == "exchange":
        found = np.asarray(line_limited(old, new, LOW, HIGH, WEIGHTS))
    else:
        found = np.asarray(clip_and_share(new, LOW, HIGH, WEIGHTS))
    check(found, old)
    assert found[0] > 1.9
    assert np.abs(found[5:] - new[5:]).max() < 1e-6


def test_what_is_inside_is_kept():
    old, _ = fields(1, 0.1)
    new = old + 0.01 * np.sin(np.arange(WEIGHTS.size))
    new += WEIGHTS @ (old - new) / WEIGHTS.sum()
    inside = 0.1, 3.0
    np.testing.assert_allclose(line_limited(old, new, *inside, WEIGHTS), new, rtol=1e-10)
    np.testing.assert_array_equal(clip_and_share(new, *inside, WEIGHTS), new)


def test_sharing_along_another_axis_keeps_each_mean():
    rng = np.random.default_rng(2)
    F = jnp.asarray(1.2 + 0.5 * rng.standard_normal((WEIGHTS.size, 7)))
    found = clip_and_share(F, LOW, HIGH, WEIGHTS, axis=0)
    np.testing.assert_allclose(WEIGHTS @ found, WEIGHTS @ F, rtol=1e-13)
    assert float(found.min()) >= LOW and float(found.max()) <= HIGH * (1 + 1e-14)


def test_bounds_may_depend_on_the_other_axis_and_touch():
    values = jnp.ones((WEIGHTS.size, 2))
    found = clip_and_share(values, jnp.array([1.0, 0.5]), jnp.array([1.0, 1.5]), WEIGHTS, axis=0)
    np.testing.assert_array_equal(found, values)
