r"""Gauss-Legendre quadrature and Legendre series: the one place where their tables are made.

On a panel with midpoint m and half width h a function is known at the nodes m + h x, is integrated
by the weights h w, and is the series $\sum_k c_k P_k(x)$ with c = `to_legendre` times its values.
"""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [-1, 1], exact for polynomials of degree below 2 n; read-only."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return _shared(nodes), _shared(weights)


@cache
def unit_gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [0, 1]; read-only."""
    nodes, weights = gauss_legendre(n)
    return _shared((nodes + 1) / 2), _shared(weights / 2)


def legendre_values(x: np.ndarray, n: int) -> np.ndarray:
    """P_0(x) ... P_{n-1}(x), shape `(*x.shape, n)`."""
    return np.polynomial.legendre.legvander(x, n - 1)


@cache
def to_legendre(n: int) -> np.ndarray:
    """Coefficients of P_0 ... P_{n-1} from values at the n Gauss nodes, shape (n, n); read-only."""
    return _shared(np.linalg.inv(legendre_values(gauss_legendre(n)[0], n)))


def _shared(array: np.ndarray) -> np.ndarray:
    """The array, one for all callers: nobody may write to it."""
    array.setflags(write=False)
    return array
