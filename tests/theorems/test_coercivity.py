import numpy as np
import pytest

from relaxon.collisions.landau import Landau
from relaxon.distributions.gaussians import maxwellian
from relaxon.grids.radial import RadialGrid
from relaxon.theorems.gualdani2025.coercivity import FAR, forms


@pytest.mark.parametrize("degree", [0, 1])
def test_the_kernel_of_the_operator_is_annihilated(degree):
    assert forms(degree, 20.0, 20, 8).kernel_defect() < 1e-13


def test_without_its_non_local_part_the_operator_has_another_kernel():
    assert forms(0, 20.0, 20, 8, exchange=0.0).kernel_defect() > 1e-2


def test_the_lowest_eigenvalue_converges_and_lies_below_the_packets():
    values = [
        forms(0, r, p, o).smallest()[0] for r, p, o in ((12, 12, 6), (20, 20, 8), (40, 32, 8))
    ]
    assert abs(values[2] - values[1]) < 1e-12
    assert abs(values[1] - 0.0106653488) < 1e-9
    assert values[2] < 0.7 * FAR


def test_packets_far_out_reach_their_limit_from_above():
    found = [forms(2, r, 40, 8).smallest()[0] for r in (20.0, 60.0, 180.0)]
    assert found[0] > found[1] > found[2] > FAR
    assert found[2] / FAR - 1 < 1e-3


def test_the_form_is_the_entropy_production_of_the_solver_near_equilibrium():
    # For F = M (1 + s phi) the production is s^2 <-L_M g, g>_M with g = M phi, up to s^3.
    grid = RadialGrid(3, 400, 14.0, 0.5)
    m = np.asarray(maxwellian(grid))
    r = np.asarray(grid.r)
    phi, s = np.exp(-(r**2) / 3) * r**2, 1e-4
    productions = []
    for sign in (1, -1):
        f = m * (1 + sign * s * phi)
        rate = np.asarray(Landau().rhs(f, grid))
        productions.append(-float(grid.integrate(rate * np.log1p(sign * s * phi))) / s**2)
    found = forms(0, 14.0, 24, 8)
    w = np.sqrt(4 * np.pi) * found.nodes**2 * np.exp(-(found.nodes**2) / 3)
    w = w * (2 * np.pi) ** -0.75 * np.exp(-(found.nodes**2) / 4)
    assert np.mean(productions) == pytest.approx(w @ found.operator @ w, rel=1e-5)
