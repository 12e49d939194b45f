"""Order of accuracy in x, v, t and epsilon on problem P1; the docs hold the same table."""

import numpy as np
import pytest
from reaction_orders import (
    EPSILONS,
    SIZES,
    STEPS,
    orders,
    over_epsilon,
    over_positions,
    over_steps,
    over_velocities,
)


# Measured at n = 8, 12, 16, 24:
#   epsilon = 1    1.1e-2  7.9e-4  5.8e-5  3.2e-7
#   epsilon = 0.1  1.5e-2  1.1e-3  4.9e-5  1.3e-7
#   epsilon = 0.01 7.2e-4  1.8e-5  6.3e-7  7.7e-10
@pytest.mark.parametrize(("epsilon", "last"), [(1.0, 6e-7), (0.1, 3e-7), (0.01, 2e-9)])
def test_spectral_in_x(epsilon, last):
    errors = over_positions(epsilon)
    powers = -orders(errors, SIZES)
    assert powers[0] > 6 and np.all(np.diff(powers) > 2), errors  # no power law: ever steeper
    assert errors[-1] < last


# Measured with 8, 12, 16, 24 nodes:
#   epsilon = 1    5.5e-6  2.0e-7  1.1e-8  3.5e-11
#   epsilon = 0.1  4.0e-3  7.4e-4  1.6e-4  1.0e-5   (v t/epsilon mixes: rough in v)
#   epsilon = 0.01 4.2e-4  1.5e-5  7.9e-7  2.6e-9
@pytest.mark.parametrize(("epsilon", "last"), [(1.0, 7e-11), (0.1, 2e-5), (0.01, 5e-9)])
def test_spectral_in_v(epsilon, last):
    errors = over_velocities(epsilon)
    powers = -orders(errors, SIZES)
    assert powers[0] > 4 and np.all(np.diff(powers) > 1), errors
    assert errors[-1] < last


# Measured at dt = 1e-3, 5e-4, 2.5e-4:
#   epsilon = 1     2.2e-6  6.1e-7  1.6e-7   orders 1.85, 1.93
#   epsilon = 0.1   4.9e-4  1.3e-4  3.3e-5          1.95, 1.97
#   epsilon = 0.001 7.1e-4  1.9e-4  4.9e-5          1.91, 1.95
@pytest.mark.parametrize("epsilon", [1.0, 0.1, 1e-3])
def test_second_order_in_t(epsilon):
    errors = over_steps(epsilon)
    powers = orders(errors, STEPS)
    assert np.all(np.abs(powers - 2) < 0.2), errors
    assert abs(powers[-1] - 2) < abs(powers[0] - 2)


# Measured at epsilon = 0.02, 0.01, 0.005, 0.0025:
#   3.8e-2  1.04e-2  2.68e-3  6.8e-4   orders 1.86, 1.95, 1.99
def test_second_order_in_epsilon():
    distances = over_epsilon()
    powers = orders(distances, EPSILONS)
    assert np.all(np.diff(np.abs(powers - 2)) < 0), distances
    assert abs(powers[-1] - 2) < 0.05
