"""Block tridiagonal solves against dense linear algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaxon.numerics.block_tridiagonal import blocks_from_bands, factor


def dense(lower, diagonal, upper):
    count, b = diagonal.shape[:2]
    matrix = np.zeros((count * b, count * b))
    for k in range(count):
        rows = slice(k * b, (k + 1) * b)
        matrix[rows, rows] = diagonal[k]
        if k:
            matrix[rows, (k - 1) * b : k * b] = lower[k]
        if k + 1 < count:
            matrix[rows, (k + 1) * b : (k + 2) * b] = upper[k]
    return matrix


@jax.jit
def solve(lower, diagonal, upper, rhs):
    return factor(lower, diagonal, upper).solve(rhs)


@given(seed=st.integers(0, 2**32 - 1))
def test_solves_what_a_dense_solver_solves(seed):
    random = np.random.default_rng(seed)
    lower, diagonal, upper = random.normal(size=(3, 7, 3, 3))
    diagonal = diagonal + 8 * np.eye(3)
    rhs = random.normal(size=(7, 3))
    found = solve(lower, diagonal, upper, rhs)
    exact = np.linalg.solve(dense(lower, diagonal, upper), rhs.ravel())
    np.testing.assert_allclose(np.asarray(found).ravel(), exact, rtol=1e-11, atol=1e-13)


def test_ignores_the_blocks_outside_the_matrix():
    ones = jnp.ones((3, 2, 2))
    base = factor(ones.at[0].set(0.0), ones + 5 * jnp.eye(2), ones.at[-1].set(0.0))
    other = factor(ones.at[0].set(9.0), ones + 5 * jnp.eye(2), ones.at[-1].set(7.0))
    rhs = jnp.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(base.solve(rhs), other.solve(rhs))


@pytest.mark.parametrize("n", [9, 10, 11])
def test_bands_become_blocks(n):
    width, fields = 3, 2
    random = np.random.default_rng(n)
    bands = random.normal(size=(fields, fields, n, 2 * width + 1))
    full = np.zeros((fields, n, fields, n))
    for i in range(n):
        for k in range(-width, width + 1):
            if 0 <= i + k < n:
                full[:, i, :, i + k] = bands[:, :, i, k + width]
    lists = [[jnp.asarray(bands[a, b]) for b in range(fields)] for a in range(fields)]
    blocks = [np.asarray(x) for x in blocks_from_bands(lists, width)]
    # Point i of field a is unknown (i // width) * fields * width + a * width + i % width.
    points = np.arange(n)
    place = np.stack(
        [(points // width) * fields * width + a * width + points % width for a in range(fields)]
    )
    matrix = dense(*blocks)
    np.testing.assert_array_equal(
        matrix[np.ix_(place.ravel(), place.ravel())], full.reshape(fields * n, fields * n)
    )
    padding = np.setdiff1d(np.arange(matrix.shape[0]), place.ravel())
    np.testing.assert_array_equal(matrix[np.ix_(padding, padding)], np.eye(len(padding)))
