"""theta of neumann2016 (3), measured on the density itself."""

import numpy as np
import pytest

from relaxon.distributions.concentration import concentration_on_line
from relaxon.distributions.profiles import concentration, profile
from relaxon.grids.velocity_nodes import UniformNodes


def cusp(theta, place):
    def density(v):
        r = np.abs(v - place)
        return np.where(r < 1, theta / 2 * np.maximum(r, 1e-300) ** (theta - 1), 0.0)

    return density


def gaussian(v):
    return np.exp(-v * v / 2) / np.sqrt(2 * np.pi)


@pytest.mark.parametrize("theta", [0.75, 0.5, 0.25])
@pytest.mark.parametrize("place", [0.0, 0.3337])
def test_integrable_singularities(theta, place):
    found = concentration_on_line(cusp(theta, place), (-6.0, 6.0), 0.25)
    assert abs(found.theta - theta) <= found.error
    assert found.error < 0.03
    assert found.place[0] == pytest.approx(place, abs=1e-6)
    assert found.mass == pytest.approx(1.0, abs=1e-3)
    if place == 0:
        assert abs(found.theta - theta) < 1e-4


def test_bounded_densities_have_exponent_one():
    for density in (
        gaussian,
        lambda v: np.where(np.abs(v) < 0.5, 1.0, 0.0),
        lambda v: 0.5 * gaussian(v) + 0.5e3 * gaussian(1e3 * (v - 0.77)),
    ):
        found = concentration_on_line(density, (-6.0, 6.0), 0.25)
        assert abs(found.theta - 1) <= found.error + 1e-7
        assert found.error < 1e-4


def test_a_weak_singularity_under_a_wide_bump_is_found():
    def density(v):
        return 0.99 * gaussian(v) + 0.01 * cusp(0.5, 2.3337)(v)

    found = concentration_on_line(density, (-6.0, 6.0), 0.25)
    assert found.place[0] == pytest.approx(2.3337, abs=1e-6)
    assert found.theta == pytest.approx(0.5, abs=0.01)
    assert abs(found.theta - 0.5) <= found.error


def test_no_exponent_at_all():
    """1/(|v| log^2 |v|): the slope falls like 1/log(1/delta), the error reaches down to 0."""

    def density(v):
        r = np.maximum(np.abs(v), 1e-300)
        return np.where(r < 0.5, 0.5 * np.log(2) / (r * np.log(np.minimum(r, 0.5)) ** 2), 0.0)

    found = concentration_on_line(density, (-6.0, 6.0), 0.25)
    assert found.theta < 0.1
    assert found.theta - found.error < 0.02


def test_more_dimensions_get_a_lower_bound():
    def smooth(v):
        return np.exp(-0.5 * np.sum(v**2, -1)) / (2 * np.pi)

    def ridge(v):
        # |v_1 cos a + v_2 sin a|^(-1/2), times Gaussians: theta = 1/2 across the ridge.
        across, along = 0.6 * v[..., 0] + 0.8 * v[..., 1], 0.8 * v[..., 0] - 0.6 * v[..., 1]
        weight = np.exp(-0.5 * (across**2 + along**2)) / np.sqrt(2 * np.pi)
        return weight * np.maximum(np.abs(across), 1e-300) ** -0.5 / 2.155800454

    nodes = UniformNodes(2, 24, 5.0)
    assert concentration(profile(smooth), nodes).theta == 1.0
    found = concentration(profile(ridge), nodes)
    assert found.theta == pytest.approx(0.5, abs=0.03)
