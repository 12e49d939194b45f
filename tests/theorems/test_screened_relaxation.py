"""The Sobolev norms of duerinckx2023, Theorems 1 and 3, against Fourier space."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

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


def test_where_the_slowest_tail_meets_the_maxwellian():
    """The eikonal equation of `screened-entropy-decay`, from sigma = 1/x far out to x^2/2."""

    def slope(x, sigma):
        root = np.sqrt(x**2 / 9 - 4 * x**-3 * (2 * sigma / 3 - 1 / x))
        return (x / 3 - root) * x**3 / 2

    def border(x, sigma):
        return sigma[0] - x**2 / 2

    border.terminal = True
    found = solve_ivp(slope, (40.0, 0.3), [1 / 40], events=border, rtol=1e-9, atol=1e-12)
    assert found.t[-1] ** 2 == pytest.approx(1.5248, rel=1e-4)
