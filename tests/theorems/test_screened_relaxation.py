"""Theorems 1 to 4 of duerinckx2023 and (2.65): each holds, and its spoiled twin fails."""

import numpy as np
import pytest

from relaxon.distributions.gaussians import maxwellian
from relaxon.grids.radial import RadialGrid
from relaxon.theorems.duerinckx2023 import relaxation as theorems

TWINS = [
    (theorems.coercivity, {"claimed": 0.2}),
    (theorems.decay_polynomial, {"claimed": 1.25}),
    (theorems.decay_stretched, {"claimed": 2 / 3}),
    (theorems.decay_gaussian, {"claimed": 0.5}),
    (theorems.landau_limit, {"claimed": 1.5}),
    (theorems.landau_limit, {"time_power": 1.0}),
]
SLOW_TWINS = [
    (theorems.stability, {"claimed": 0.9}),
    (theorems.entropy_decay, {"claimed": 1.2}),
    (theorems.local_solution, {"claimed": 0.5}),
]


@pytest.mark.parametrize(("check", "spoiled"), TWINS, ids=lambda x: getattr(x, "name", ""))
def test_the_spoiled_twin_fails(check, spoiled):
    verdict = check.altered(**spoiled).run(quick=True)
    assert verdict.verdict == "fails", str(verdict)


@pytest.mark.slow
@pytest.mark.parametrize(("check", "spoiled"), SLOW_TWINS, ids=lambda x: getattr(x, "name", ""))
def test_the_spoiled_twin_of_a_run_fails(check, spoiled):
    verdict = check.altered(**spoiled).run(quick=True)
    assert verdict.verdict == "fails", str(verdict)


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
