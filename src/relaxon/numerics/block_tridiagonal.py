"""Block tridiagonal systems: factor once, solve often, in O(number of blocks)."""

from __future__ import annotations

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

LARGE = 12
"""Blocks above this size are not given to LAPACK; see `gauss_jordan`."""


class BlockFactor(eqx.Module):
    """Block LU factors: forward y_k = inverse_k b_k - lower_k y_(k-1), backward x = y - upper x_+1.

    Under `jax.vmap` the arrays are opaque: their memory holds the batch as the fastest axis, and
    only `solve` under the same map reads them.

    Attributes:
        inverse: Inverses of the pivot blocks, shape (blocks, b, b).
        lower: Pivot inverse times the lower block, shape (blocks, b, b).
        upper: Pivot inverse times the upper block, shape (blocks, b, b).
    """

    inverse: Array
    lower: Array
    upper: Array

    def solve(self, rhs: Array) -> Array:
        """Solve for one right-hand side of shape (blocks, b)."""
        return _solve(self.inverse, self.lower, self.upper, rhs)


def gauss_jordan(a: Array, b: Array) -> Array:
    """Solve a x = b with partial pivoting, without LAPACK.

    LAPACK's threads, started once per block, cost far more than the work on a loaded machine.
    """
    size = a.shape[-1]
    index = jnp.arange(size)

    def eliminate(k, m):
        column = jax.lax.dynamic_index_in_dim(m, k, axis=1, keepdims=False)
        best = jnp.argmax(jnp.where(index >= k, jnp.abs(column), -1.0))
        row = m[best] / column[best]
        # Row k moves to where the pivot was; row k itself becomes the pivot row.
        column = jnp.where(index == best, column[k], column).at[k].set(0.0)
        m = jnp.where((index == best)[:, None], m[k], m)
        return jnp.where((index == k)[:, None], row, m - column[:, None] * row)

    return jax.lax.fori_loop(0, size, eliminate, jnp.concatenate([a, b], axis=1))[:, size:]


def factor(lower: Array, diagonal: Array, upper: Array) -> BlockFactor:
    """Block LU without pivoting between blocks (with pivoting inside each).

    Under `jax.vmap` the blocks are eliminated without pivoting at all, with the batch as the
    fastest axis: small dense blocks one at a time are twice as slow.

    Args:
        lower: Blocks coupling k to k - 1, shape (blocks, b, b); the first is ignored.
        diagonal: Diagonal blocks, same shape.
        upper: Blocks coupling k to k + 1; the last is ignored.
    """
    return BlockFactor(*_factor(lower.at[0].set(0.0), diagonal, upper.at[-1].set(0.0)))


@jax.custom_batching.custom_vmap
def _factor(lower: Array, diagonal: Array, upper: Array) -> tuple[Array, Array, Array]:
    size = diagonal.shape[-1]
    identity = jnp.eye(size)
    solve = gauss_jordan if size > LARGE else jnp.linalg.solve

    def eliminate(previous, row):
        low, mid, up = row
        # With U' the eliminated upper block: pivot_k = D_k - L_k U'_(k-1).
        pivot = mid - low @ previous
        right = solve(pivot, jnp.concatenate([identity, low, up], axis=1))
        inverse, low, up = right[:, :size], right[:, size : 2 * size], right[:, 2 * size :]
        return up, (inverse, low, up)

    start = jnp.zeros((size, size))
    _, parts = jax.lax.scan(eliminate, start, (lower, diagonal, upper))
    return parts


@jax.custom_batching.custom_vmap
def _solve(inverse: Array, lower: Array, upper: Array, rhs: Array) -> Array:
    def forward(y, row):
        b, lower = row
        y = b - lower @ y
        return y, y

    def backward(x, row):
        y, upper = row
        x = y - upper @ x
        return x, x

    b = jnp.einsum("kij,kj->ki", inverse, rhs)
    zero = jnp.zeros_like(b[0])
    _, y = jax.lax.scan(forward, zero, (b, lower))
    _, x = jax.lax.scan(backward, zero, (y, upper), reverse=True)
    return x


@_factor.def_vmap
def _factor_batch(size: int, batched: list[bool], *blocks: Array) -> tuple:
    lower, diagonal, upper = _batch_last(size, batched, blocks)
    width = diagonal.shape[1]
    identity = jnp.broadcast_to(jnp.eye(width)[:, :, None], (width, width, size))

    def sweep(k, right):  # row k becomes row k / pivot, the others lose their multiple of it
        lead = right[k] / right[k, k]
        multiple = right[:, k] - (jnp.arange(width) == k)[:, None]
        return right - multiple[:, None] * lead

    def eliminate(previous, row):
        low, mid, up = row
        right = jnp.concatenate([mid - _product(low, previous), identity, up], axis=1)
        right = jax.lax.fori_loop(0, width, sweep, right)
        inverse, up = right[:, width : 2 * width], right[:, 2 * width :]
        return up, (inverse, _product(inverse, low), up)

    start = jnp.zeros((width, width, size))
    _, parts = jax.lax.scan(eliminate, start, (lower, diagonal, upper))
    # Reinterpreted, not transposed: eight solves would pay for it each time.
    return tuple(part.reshape(size, *part.shape[:-1]) for part in parts), (True, True, True)


@_solve.def_vmap
def _solve_batch(size: int, batched: list[bool], *parts: Array) -> tuple:
    if not all(batched[:3]):  # one factorisation for many right-hand sides: as it came
        return jax.vmap(_solve.fun, [0 if b else None for b in batched])(*parts), True
    inverse, lower, upper = (part.reshape(*part.shape[1:], size) for part in parts[:3])
    (rhs,) = _batch_last(size, batched[3:], parts[3:])

    def forward(y, row):
        b, inverse, lower = row
        y = jnp.sum(inverse * b, axis=1) - jnp.sum(lower * y, axis=1)
        return y, y

    def backward(x, row):
        y, upper = row
        x = y - jnp.sum(upper * x, axis=1)
        return x, x

    zero = jnp.zeros_like(rhs[0])
    _, y = jax.lax.scan(forward, zero, (rhs, inverse, lower))
    _, x = jax.lax.scan(backward, zero, (y, upper), reverse=True)
    return jnp.moveaxis(x, -1, 0), True


def _batch_last(size: int, batched: list[bool], arrays: tuple) -> list[Array]:
    """The batch axis moved to the end, so that it is the one that runs through memory."""
    return [
        jnp.moveaxis(x, 0, -1) if b else jnp.broadcast_to(x[..., None], (*x.shape, size))
        for x, b in zip(arrays, batched)
    ]


def _product(x: Array, y: Array) -> Array:
    """Matrix product of (b, b, batch) arrays, as a sum of outer products."""
    terms = (x[:, k, None] * y[k] for k in range(x.shape[1]))
    return functools.reduce(jnp.add, terms)


def blocks_from_bands(bands: list[list[Array]], width: int) -> tuple[Array, Array, Array]:
    """Gather scalar bands of several coupled fields into block tridiagonal form.

    Args:
        bands: `bands[a][b]`, shape (n, 2 width + 1): row i of field a, columns i - width ..
            i + width of field b. Columns outside 0 .. n - 1 are ignored.
        width: Half bandwidth; also the number of grid points in a block.

    Returns:
        (lower, diagonal, upper), each (ceil(n / width), fields * width, fields * width). The
        points are padded to a multiple of `width` with rows of the identity.
    """
    n = bands[0][0].shape[0]
    count = -(-n // width)
    row, column = np.meshgrid(np.arange(width), np.arange(width), indexing="ij")
    parts = []
    for block in (-1, 0, 1):
        # (width, width): the band in which entry (row, column) of this block lies.
        offset = width * block + column - row
        inside = np.abs(offset) <= width
        index = np.clip(offset + width, 0, 2 * width)
        rows = []
        for a, fields in enumerate(bands):
            pieces = []
            for b, band in enumerate(fields):
                padding = np.zeros((count * width - n, 2 * width + 1))
                padding[:, width] = float(a == b)
                full = jnp.concatenate([band, jnp.asarray(padding)]).reshape(count, width, -1)
                pieces.append(jnp.where(inside, full[:, row, index], 0.0))
            rows.append(jnp.concatenate(pieces, axis=2))
        parts.append(jnp.concatenate(rows, axis=1))
    return parts[0], parts[1], parts[2]
