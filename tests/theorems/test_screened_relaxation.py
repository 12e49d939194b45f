"""The Sobolev norms of duerinckx2023, Theorems 1 and 3, against Fourier space."""

import numpy as np
import pytest

from relaxon.distributions.gaussians import maxwellian
from relaxon.grids.radial import RadialGrid
from relaxon.theorems.duerinckx2023 import relaxation as theorems


@pytest.mark.parametrize("d", [2, 3])
def test_the_sobolev_norm_of_a_gaussian(d):
    """In Fourier space: |<grad>^2 M|^2 = int (1 + k^2)^2 exp(-T k^2) dk / (2 pi)^d."""
    grid, temperature = RadialGrid(d, 120, 12.0, 0.7), 0.7
    k, weight = np.polynomial.legendre.leggauss(200)
    k, weight = 8 * (k + 1), 8 * weight
    area = 2 * np.pi if d == 2 else 4 * np.pi
    density = area * k ** (d - 1) * np.exp(-temperature * k**2) / (2 * np.pi) ** d
    for order in (0, 1, 2, 3):
        exact = np.sqrt(np.sum(weight * (1 + k**2) ** order * density))
        found = theorems.sobolev(grid, maxwellian(grid, 1.0, temperature), order)
        assert found == pytest.approx(exact, rel=1e-6), order
