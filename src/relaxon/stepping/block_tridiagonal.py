"""Block tridiagonal systems: factor once, solve often, in O(number of blocks)."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


class BlockFactor(eqx.Module):
    """Block LU factors: forward y_k = inverse_k b_k - lower_k y_(k-1), backward x = y - upper x_+1.

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

        def forward(y, row):
            b, lower = row
            y = b - lower @ y
            return y, y

        def backward(x, row):
            y, upper = row
            x = y - upper @ x
            return x, x

        b = jnp.einsum("kij,kj->ki", self.inverse, rhs)
        zero = jnp.zeros_like(b[0])
        _, y = jax.lax.scan(forward, zero, (b, self.lower))
        _, x = jax.lax.scan(backward, zero, (y, self.upper), reverse=True)
        return x


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


def factor(
    lower: Array, diagonal: Array, upper: Array, solve: Callable = jnp.linalg.solve
) -> BlockFactor:
    """Block LU without pivoting between blocks (with pivoting inside each).

    Args:
        lower: Blocks coupling k to k - 1, shape (blocks, b, b); the first is ignored.
        diagonal: Diagonal blocks, same shape.
        upper: Blocks coupling k to k + 1; the last is ignored.
        solve: Solves with a block, (a, b) -> x; `gauss_jordan` for blocks larger than about ten.
    """
    size = diagonal.shape[-1]
    identity = jnp.eye(size)

    def eliminate(previous, row):
        low, mid, up = row
        pivot = mid - low @ previous
        right = solve(pivot, jnp.concatenate([identity, low, up], axis=1))
        inverse, low, up = right[:, :size], right[:, size : 2 * size], right[:, 2 * size :]
        return up, (inverse, low, up)

    start = jnp.zeros((size, size))
    rows = (lower.at[0].set(0.0), diagonal, upper.at[-1].set(0.0))
    _, parts = jax.lax.scan(eliminate, start, rows)
    return BlockFactor(*parts)


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
