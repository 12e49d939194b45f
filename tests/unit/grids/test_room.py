import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.distributions.gaussians import gaussian_mixture
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.room import outside, suggested_v_max


@pytest.mark.parametrize("mean", [[0.0, 0.0], [0.7, -0.4]])
def test_the_share_outside_is_that_of_a_sum(mean):
    grid = VelocityGrid(2, 64, 4.5)
    f = gaussian_mixture(grid, [2.0], [mean], [0.81])
    v = np.linspace(-30.0, 30.0, 600001)
    bell = np.exp(-((v[:, None] - mean) ** 2) / 1.62) / np.sqrt(2 * np.pi * 0.81)
    square = (v[:, None] - mean) ** 2 / 0.81 * bell * 1e-4
    expected = np.sum(square[np.abs(v) > 4.5])
    assert float(outside(f, grid)) == pytest.approx(expected, rel=0.02)


def test_a_box_that_cannot_hold_the_equilibrium_is_refused_with_one_that_can():
    def beams(v_max, n):
        grid = VelocityGrid(2, n, v_max)
        return grid, gaussian_mixture(grid, [0.5, 0.5], [[3.0, 0.0], [-3.0, 0.0]], [0.1, 0.1])

    for v_max, share in ((5.0, "2.9e-01"), (6.0, "9.9e-02")):
        grid, f = beams(v_max, 64)
        sentence = f"v_max = {v_max:g} must hold the Maxwellian that f0 .* {share} .* 11 suffices"
        with pytest.raises(InputError, match=sentence):
            grid.check(f, "f0")
    grid, f = beams(11.0, 128)
    assert float(outside(f, grid)) < 1e-4 and suggested_v_max(f, grid) == 11.0
    grid.check(f, "f0")
    cold = VelocityGrid(2, 64, 6.0)
    assert float(outside(jnp.zeros(cold.shape).at[32, 32].set(1.0), cold)) == 0.0
