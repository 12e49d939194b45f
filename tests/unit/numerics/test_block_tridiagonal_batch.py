"""Under vmap the elimination is another algorithm; it must agree with that for one system."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.numerics.block_tridiagonal import factor


@pytest.fixture
def system():
    rng = np.random.default_rng(3)
    blocks = 0.3 * rng.standard_normal((3, 5, 7, 6, 6))
    blocks[1] += 3 * np.eye(6)
    return [jnp.asarray(b) for b in blocks], jnp.asarray(rng.standard_normal((5, 7, 6)))


def solve(lower, diagonal, upper, rhs):
    return factor(lower, diagonal, upper).solve(rhs)


def test_a_batch_agrees_with_its_members(system):
    blocks, rhs = system
    together = jax.jit(jax.vmap(solve))(*blocks, rhs)
    alone = jnp.stack([solve(*(b[i] for b in blocks), rhs[i]) for i in range(5)])
    assert np.allclose(together, alone, rtol=0, atol=1e-14)


def test_one_matrix_serves_many_right_hand_sides(system):
    blocks, rhs = system
    one = [b[0] for b in blocks]
    together = jax.vmap(lambda r: solve(*one, r))(rhs)
    alone = jnp.stack([solve(*one, r) for r in rhs])
    assert np.allclose(together, alone, rtol=0, atol=1e-14)


def test_blocks_that_are_partly_shared(system):
    (lower, diagonal, upper), rhs = system
    together = jax.vmap(solve, (0, 0, None, None))(lower, diagonal, upper[0], rhs[0])
    alone = jnp.stack([solve(lower[i], diagonal[i], upper[0], rhs[0]) for i in range(5)])
    assert np.allclose(together, alone, rtol=0, atol=1e-14)


def test_a_batch_of_batches(system):
    blocks, rhs = system
    pairs = [jnp.stack([b, 2 * b]) for b in blocks]
    together = jax.vmap(jax.vmap(solve))(*pairs, jnp.stack([rhs, rhs]))
    alone = jax.vmap(solve)(*blocks, rhs)
    assert np.allclose(together, jnp.stack([alone, alone / 2]), rtol=0, atol=1e-14)
