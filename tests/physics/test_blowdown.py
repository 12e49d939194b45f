"""The blow-down of a hot spot: reference values and the order in space.

Reference: finite volumes on two grids with Richardson extrapolation (six digits of the norm of
F - M, four of the norm of F - M - E), and values on which two further codes agree.
"""

import math

import numpy as np
import pytest

import relaxon as rx
from relaxon.distributions.hot_spot import blowdown_profile


def blow_down(n, delta, alpha, t=0.5, rtol=1e-8, r_min=None):
    """(norm of F - M, F(0, t), norm of F - M - E) in the norm with weight 1/M."""
    grid = rx.RadialGrid(3, n, 12.0, r_min or math.sqrt(delta) / 5)
    f0 = rx.distributions.blowdown(grid, delta, alpha)
    solution = rx.solve(rx.Problem(rx.Landau(), grid, f0), t, rx.Record(n=2), rtol=rtol)
    assert solution.ok
    assert solution.drift("mass") < 1e-13 and solution.drift("energy") < 1e-13
    far = solution.f[-1] - np.asarray(rx.distributions.maxwellian(grid))
    near = far - np.asarray(blowdown_profile(grid, t, delta, alpha))
    norm = rx.functionals.weighted_norm
    return (
        float(norm(far, grid)),
        solution.diagnostics["central_value"][-1],
        float(norm(near, grid)),
    )


@pytest.mark.parametrize(
    "delta, central, far, near",
    [(1e-2, 2.527054, 1.703941, 0.03703), (1e-3, 1.884236, 0.975727, 0.02072)],
)
def test_reference_values_with_400_cells(delta, central, far, near):
    found = blow_down(400, delta, 0.35)
    assert abs(found[0] / far - 1) < 1e-6  # the digits of the reference
    assert abs(found[1] / central - 1) < 2e-6
    assert abs(found[2] / near - 1) < 3e-4


@pytest.mark.parametrize(
    "delta, t, value", [(0.1, 0.1, 0.95010), (0.1, 1.0, 0.68733), (0.01, 0.1, 8.2346)]
)
def test_values_of_two_other_codes(delta, t, value):
    found = blow_down(200, delta, 1 / 3, t)[1]
    assert abs(found - value) < 1e-5 * max(1, value)  # one unit of their last digit


def test_order_4_in_space():
    """Measured, n = 100, 200, 400, delta = 0.01: errors 8.9e-5, 5.6e-6, 3.5e-7; orders 4.0, 4.0."""
    norms = np.array([blow_down(n, 1e-2, 0.35) for n in (100, 200, 400)])[:, :2]
    first, second = norms[0] - norms[1], norms[1] - norms[2]
    order = np.log2(first / second)
    assert np.all(np.abs(order - 4) < 0.2), order
    # Richardson's limit agrees with the reference to all its digits.
    limit = norms[2] - second / 15
    np.testing.assert_allclose(limit, [1.703941, 2.527054], rtol=3.5e-7)


def test_a_tiny_spot_meets_the_bar_with_400_cells():
    """delta = 1e-6: relative 1e-5 in the norm of F - M, also for alpha = 0.1."""
    assert abs(blow_down(400, 1e-6, 0.3, r_min=3e-4)[0] / 0.17923522 - 1) < 3e-6
    coarse, fine = (blow_down(n, 1e-6, 0.1, r_min=3e-4)[0] for n in (200, 400))
    assert abs(coarse / fine - 1) / 15 < 1e-5


def test_a_spot_of_1e_minus_12_is_routine():
    """The width 1e-6 decays over thirteen decades of density; steps grow like log(1/delta)."""
    grid = rx.RadialGrid(3, 400, 12.0, 1e-7)
    f0 = rx.distributions.blowdown(grid, 1e-12, 0.3)
    solution = rx.solve(rx.Problem(rx.Landau(), grid, f0), 0.5, rx.Record(n=2))
    # 713 steps, 327 for delta = 1e-6.
    assert solution.ok and solution.provenance["steps"] < 800
    assert solution.drift("mass") < 1e-13 and solution.drift("energy") < 1e-13
    assert np.all(solution.f > 0)
    # The spot ends as the profile (1.4): m(1/2) M_T on top of M, to the size of the remainder.
    profile = float(blowdown_profile(grid, 0.5, 1e-12, 0.3)[0])
    excess = solution.diagnostics["central_value"][-1] - (2 * math.pi) ** -1.5
    assert abs(excess / profile - 1) < 0.02
