"""The linear Fokker-Planck equation: exact solution, conservation, entropy, stationary state."""

import numpy as np
import pytest

import relaxon as rx
from relaxon.collisions.fokker_planck import FokkerPlanck

T_END = 0.5


def relaxed(n, start, bath=1.0, rate=1.0, d=3):
    """A Gaussian of temperature `start` after `T_END`, and the exact one."""
    grid = rx.RadialGrid(d, n, 14.0, 1.0)
    f0 = rx.distributions.maxwellian(grid, 2.0, start)
    problem = rx.Problem(FokkerPlanck(bath, rate), grid, f0)
    solution = rx.solve(problem, T_END, rx.Record(n=5), rtol=1e-8)
    assert solution.ok
    exact = bath + (start - bath) * np.exp(-2 * rate * T_END)
    return grid, solution, rx.distributions.maxwellian(grid, 2.0, float(exact))


@pytest.mark.parametrize(("start", "d"), [(0.5, 3), (1.4, 3), (1.4, 2)])
def test_gaussians_stay_gaussians_with_order_two(start, d):
    """T(t) = T + (T0 - T) exp(-2 nu t)."""
    errors = []
    for n in (40, 80, 160):
        grid, solution, exact = relaxed(n, start, d=d)
        errors.append(float(grid.integrate(abs(solution.f[-1] - exact))))
        assert solution.drift("mass") < 1e-14
        assert np.all(solution.f >= 0)
        assert solution.diagnostics["relative_entropy_growth"][-1] == 0
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 1.9), (errors, orders)
    assert errors[-1] < 5e-4


def test_bath_and_rate_scale_the_time():
    slow, fast = (relaxed(40, 0.5, 1.2, rate)[1] for rate in (1.0, 2.0))
    temperatures = slow.diagnostics["temperature"], fast.diagnostics["temperature"]
    gaps = [1.2 - values[-1] for values in temperatures]
    assert gaps[1] == pytest.approx(gaps[0] * np.exp(-2 * T_END), rel=1e-3)


def test_the_maxwellian_of_the_bath_is_stationary():
    grid = rx.RadialGrid(3, 60, 14.0, 1.0)
    equation = FokkerPlanck(1.3)
    f = rx.distributions.maxwellian(grid, 1.0, 1.3)
    assert float(np.max(np.abs(equation.rhs(f, grid) / f))) < 1e-11
    np.testing.assert_allclose(equation.equilibrium(f, grid), f, rtol=1e-12)


def test_everything_ends_in_the_bath():
    solution = rx.case("fokker-planck", n=60, times=9).solve()
    found = solution.diagnostics
    assert found["temperature"][-1] == pytest.approx(1.0, abs=1e-6)
    assert np.all(np.diff(found["relative_entropy"]) < 0)
    assert found["relative_entropy"][-1] < 1e-15


def test_grids_that_it_cannot_use():
    grid = rx.RadialGrid(3, 40, 12.0, 1.0)
    f0 = rx.distributions.maxwellian(grid)
    with pytest.raises(rx.InputError, match="needs a RadialGrid, but got a VelocityGrid"):
        rx.Problem(FokkerPlanck(), rx.VelocityGrid(2, 16, 5.0), f0)
    with pytest.raises(rx.InputError, match=r"too small for the tail of the bath's Maxwellian"):
        rx.Problem(FokkerPlanck(9.0), grid, f0)
    with pytest.raises(rx.InputError, match="rate must be positive, but is 0"):
        FokkerPlanck(1.0, 0)
