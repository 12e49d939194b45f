"""Spectral elements in the radius: continuous, piecewise polynomial functions on [0, r_max]."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from relaxon.numerics.legendre import legendre_values


@dataclass(frozen=True)
class RadialElements:
    """Lagrange elements of one degree on Gauss-Lobatto points.

    Attributes:
        edges: Ends of the elements, ascending from 0.
        degree: Polynomial degree on an element.
    """

    edges: np.ndarray
    degree: int

    @classmethod
    def dividing(cls, coarse: np.ndarray, r_max: float, parts: int, degree: int) -> RadialElements:
        """Each coarse interval below 8 in `parts`, the others whole, up to the first >= r_max."""
        last = min(int(np.searchsorted(coarse, r_max)), len(coarse) - 1)
        pieces = [
            np.linspace(a, b, (parts if a < 8 else 1) + 1)[:-1]
            for a, b in itertools.pairwise(coarse[: last + 1])
        ]
        return cls(np.append(np.concatenate(pieces), coarse[last]), degree)

    @property
    def size(self) -> int:
        """Number of nodes, the point 0 and r_max included."""
        return (len(self.edges) - 1) * self.degree + 1

    @property
    def nodes(self) -> np.ndarray:
        """All nodes, ascending."""
        half = np.diff(self.edges)[:, None] / 2
        inner = self.edges[:-1, None] + half * (1 + self._lobatto[:-1])
        return np.append(inner.ravel(), self.edges[-1])

    @property
    def _lobatto(self) -> np.ndarray:
        inner = np.polynomial.Legendre.basis(self.degree).deriv().roots()
        return np.concatenate([[-1.0], inner, [1.0]])

    def matrices(self, r: np.ndarray) -> tuple[csr_array, csr_array]:
        """Values and derivatives at the points r (zero beyond r_max), shape (len(r), size)."""
        element = np.clip(np.searchsorted(self.edges, r, side="right") - 1, 0, len(self.edges) - 2)
        left, width = self.edges[element], np.diff(self.edges)[element]
        x = np.clip(2 * (r - left) / width - 1, -1, 1)
        # Lagrange functions by their Legendre coefficients: the columns of `to_modes`.
        to_modes = np.linalg.inv(legendre_values(self._lobatto, self.degree + 1))
        slope = np.polynomial.legendre.legder(np.eye(self.degree + 1))
        inside = (r <= self.edges[-1])[:, None]
        value = legendre_values(x, self.degree + 1) @ to_modes * inside
        change = legendre_values(x, self.degree) @ slope @ to_modes
        change = change * (2 / width)[:, None] * inside
        columns = element[:, None] * self.degree + np.arange(self.degree + 1)
        rows = np.arange(0, value.size + 1, self.degree + 1)
        shape = (len(r), self.size)
        return tuple(
            csr_array((data.ravel(), columns.ravel(), rows), shape=shape)
            for data in (value, change)
        )
