"""The stabilised methods of order four: conditions, stability, estimate."""

import numpy as np
import pytest

from relaxon.stepping.chebyshev import (
    ESTIMATE,
    GOAL,
    POLYNOMIALS,
    methods,
    order_weights,
    polynomial_defects,
    recurrence,
)


@pytest.fixture(scope="module")
def family():
    return methods(216)


def linear(family, i, z):
    """The last five points and the error estimate of a step of y' = z y."""
    before, now = np.zeros_like(z), np.ones_like(z)
    for a, b in zip(family.rate[i], family.value[i][: family.stages[i] - 4]):
        before, now = now, (a * z + b) * now + (1 - b) * before
    points = [now]
    for row in family.finish[i][1:]:
        points.append(now + z * sum(a * y for a, y in zip(row, points)))
    return points, z * sum(e * y for e, y in zip(family.estimate[i], points))


@pytest.mark.parametrize("row", POLYNOMIALS, ids=lambda row: f"s{row[0]}")
def test_the_numbers_solve_their_equations(row):
    assert np.abs(polynomial_defects(row[0], np.array(row[1:]))).max() < 2e-12  # 13 digits


def test_stable_to_the_reach_and_damped(family):
    assert np.all(np.diff(family.reach) > 0)
    share = family.reach / family.stages**2
    assert share[0] > 0.239 and np.all(np.diff(share) > 0) and share[-1] > 0.348
    for i in range(len(family.stages)):
        z = -np.linspace(0.0, family.reach[i], 40 * family.stages[i])
        points, _ = linear(family, i, z)
        assert np.abs(points[4]).max() <= 1 + 1e-12
        assert np.abs(points[4][z < -0.6]).max() < 0.9565
        assert np.abs(np.stack(points)).max() < 4  # the points inside a step


def test_order_four_for_nonlinear_equations(family):
    """y' = y^2 and a coupled pair with every elementary differential: errors like h^5."""

    def rate(y):
        return np.array([y[1] * y[0] + 1.0, np.cos(y[0]) * y[1] ** 2 - y[0]])

    def step(i, y, h):
        before, now = y, y
        for j in range(family.stages[i] - 4):
            a, b = family.rate[i][j], family.value[i][j]
            before, now = now, a * h * rate(now) + b * now + (1 - b) * before
        points = [now]
        for row in family.finish[i][1:]:
            points.append(now + h * sum(a * rate(y) for a, y in zip(row, points)))
        return points[4], h * sum(e * rate(y) for e, y in zip(family.estimate[i], points))

    def exact(y, h):
        for _ in range(64):
            y, _ = step(0, y, h / 64)
        return y

    start = np.array([0.3, 0.7])
    for i in (0, 4, 12, 30):
        found = [step(i, start, h) for h in (0.2, 0.1)]
        wrong = [np.linalg.norm(y - exact(start, h)) for (y, _), h in zip(found, (0.2, 0.1))]
        told = [np.linalg.norm(e) for _, e in found]
        assert 4.5 < np.log2(wrong[0] / wrong[1]) < 5.6
        assert 3.5 < np.log2(told[0] / told[1]) < 4.5
        assert told[1] > wrong[1]


def test_the_recurrence_is_consistent_and_the_estimate_scaled(family):
    for i in (0, 10, 25):
        rate, value, _ = recurrence(POLYNOMIALS[i][0], np.array(POLYNOMIALS[i][1:]))
        assert 0 < order_weights(rate, value)[0] < 0.35  # where P ends within the step
        _, told = linear(family, i, np.array([1e-2]))
        assert told[0] == pytest.approx(ESTIMATE * 1e-8, rel=0.05)
    assert len(GOAL) == 8
