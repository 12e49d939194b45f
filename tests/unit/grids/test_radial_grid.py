"""The radial grid: its geometry, its quadrature, its stencils."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import relaxon as rx
from relaxon.core.registry import settings

R_MIN = st.floats(1e-8, 12.0)


@given(n=st.integers(16, 300), r_min=R_MIN, d=st.sampled_from([2, 3]))
def test_cells_are_ordered_and_lie_between_their_faces(n, r_min, d):
    grid = rx.RadialGrid(d, n, 12.0, r_min)
    r, faces = np.asarray(grid.r), np.asarray(grid.faces)
    assert grid.shape == r.shape == (n,)
    assert faces[0] == 0 and faces[-1] == 12.0
    assert np.all(faces[:-1] < r) and np.all(r < faces[1:])
    assert np.all(np.asarray(grid.volumes) > 0)


@given(n=st.integers(16, 300), r_min=R_MIN)
def test_centres_solve_the_map_to_rounding(n, r_min):
    grid = rx.RadialGrid(3, n, 12.0, r_min)
    r = np.asarray(grid.r)
    x = np.arcsinh(r / r_min) + 4 * r / 12.0
    np.testing.assert_allclose(x, (np.arange(n) + 0.5) * float(grid.dx), rtol=1e-13)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_integrals_of_a_maxwellian_are_exact(d, temperature):
    grid = rx.RadialGrid(d, 200, 16.0, 0.1)
    f = rx.distributions.maxwellian(grid, 1.0, temperature)
    assert abs(float(grid.integrate(f)) - 1) < 2e-13
    assert abs(float(grid.integrate(f * grid.r**2)) / (d * temperature) - 1) < 2e-13


def test_integrate_works_on_the_last_axis(grid, mixture):
    stacked = grid.integrate(jnp.stack([mixture, 2 * mixture]))
    np.testing.assert_allclose(stacked, [1.0, 2.0], rtol=1e-13)


def test_the_rule_converges_faster_than_any_power():
    def error(n):
        grid = rx.RadialGrid(3, n, 12.0, 0.5)
        return abs(float(grid.integrate(rx.distributions.maxwellian(grid))) - 1)

    assert error(16) < 2e-4
    assert error(32) < 1e-3 * error(16)


def errors(what):
    found = []
    for n in (60, 120, 240):
        grid = rx.RadialGrid(3, n, 12.0, 0.1)
        found.append(what(grid))
    return np.log2(np.array(found[:-1]) / np.array(found[1:]))


def test_gradient_and_faces_have_order_4():
    def gradient(grid):
        f, s = jnp.exp(-(grid.r**2) / 2), grid.faces[1:-1]
        return float(jnp.max(jnp.abs(grid.gradient(f) + s * jnp.exp(-(s**2) / 2))))

    def faces(grid):
        f, s = jnp.exp(-(grid.r**2) / 2), grid.faces[1:-1]
        return float(jnp.max(jnp.abs(grid.to_faces(f) - jnp.exp(-(s**2) / 2))))

    assert np.all(np.abs(errors(gradient) - 4) < 0.35)  # measured 3.94, 3.98
    assert np.all(np.abs(errors(faces) - 4) < 0.35)  # measured 3.89, 3.97


@pytest.mark.parametrize("power", [1, 2, 4])
def test_cumulative_integrals_have_order_6(power):
    from scipy.special import gamma, gammaincc

    def error(grid):
        s = np.asarray(grid.faces)
        half = (power + 1) / 2
        whole = 2 ** (half - 1) * gamma(half)
        exact = whole * gammaincc(half, s**2 / 2)
        inside, outside = grid.cumulative(jnp.exp(-(grid.r**2) / 2), power)
        assert float(jnp.max(jnp.abs(inside + outside - whole))) < 1e-7
        return float(np.max(np.abs(np.asarray(outside) - exact)))

    assert np.all(errors(error) > 5.5)


def test_value_at_the_origin_has_order_8():
    def error(n):
        grid = rx.RadialGrid(3, n, 12.0, 0.5)
        return abs(float(grid.at_origin(jnp.cos(grid.r))) - 1)

    assert error(20) < 1e-4
    assert math.log2(error(20) / error(40)) > 7


def test_dirichlet_of_a_gaussian(grid):
    # int |grad e^{-r^2/2}|^2 = int r^2 e^{-r^2} = (3/2) pi^{3/2}
    value = float(grid.dirichlet(jnp.exp(-(grid.r**2) / 2)))
    assert abs(value / (1.5 * math.pi**1.5) - 1) < 1e-4


def test_settings_build_the_same_grid(grid):
    again = rx.RadialGrid(**settings(grid))
    np.testing.assert_array_equal(again.r, grid.r)
    np.testing.assert_array_equal(again.volumes, grid.volumes)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"d": 4}, "d must be 2 or 3, but is 4."),
        ({"n": 15}, "n must be an integer of at least 16, but is 15."),
        ({"n": 20.5}, "n must be an integer of at least 16, but is 20.5."),
        ({"r_max": math.nan}, "r_max must be positive, but is nan."),
        ({"r_min": 0}, "r_min must be positive, but is 0."),
        ({"r_min": "a"}, "r_min must be positive, but is 'a'."),
        ({"r_min": 13.0}, "r_min must not exceed r_max = 12, but is 13."),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(rx.InputError) as error:
        rx.RadialGrid(**arguments)
    assert str(error.value) == sentence
