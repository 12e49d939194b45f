import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relaxon.core.errors import InputError
from relaxon.grids.cartesian import VelocityGrid, cut_fraction


def gaussian(grid, mean, covariance):
    shift = np.asarray(grid.v) - np.asarray(mean)
    inverse = np.linalg.inv(covariance)
    norm = np.sqrt((2 * np.pi) ** grid.d * np.linalg.det(covariance))
    return jnp.asarray(np.exp(-0.5 * np.einsum("...i,ij,...j", shift, inverse, shift)) / norm)


COVARIANCE = {
    2: np.array([[0.9, 0.2], [0.2, 0.6]]),
    3: np.array([[0.9, 0.2, 0.1], [0.2, 0.8, 0.0], [0.1, 0.0, 0.7]]),
}


def test_points_and_integral():
    grid = VelocityGrid(2, 32, 4.0)
    assert grid.v.shape == (32, 32, 2)
    assert float(grid.v.min()) == -4.0
    assert float(grid.v.max()) == 4.0 - grid.spacing
    assert float(grid.integrate(jnp.ones(grid.shape))) == pytest.approx(64.0)


@pytest.mark.parametrize("d", [2, 3])
def test_calculus_is_spectral(d):
    grid = VelocityGrid(d, 46, 8.0)
    mean = np.array([0.3, -0.2, 0.1])[:d]
    f = gaussian(grid, mean, COVARIANCE[d])
    assert float(grid.integrate(f)) == pytest.approx(1.0, abs=1e-12)
    exact = -np.einsum("ij,...j", np.linalg.inv(COVARIANCE[d]), np.asarray(grid.v) - mean)
    exact = exact * np.asarray(f)[..., None]
    assert np.abs(grid.grad(f) - exact).max() < 1e-6
    laplacian = grid.div(grid.grad(f))
    trace = np.trace(np.linalg.inv(COVARIANCE[d]))
    expected = (np.sum((exact / np.asarray(f)[..., None]) ** 2, -1) - trace) * np.asarray(f)
    assert np.abs(laplacian - expected).max() < 1e-5


def test_the_resolvent_inverts_a_diffusion():
    grid = VelocityGrid(2, 32, 6.0)
    f = gaussian(grid, np.zeros(2), np.eye(2))
    g = grid.resolvent(f, 7.0)
    a = 7.0 / (2 * (np.pi / grid.spacing) ** 2)
    assert np.abs(g - a * grid.div(grid.grad(g)) - f).max() < 1e-8
    rough = jnp.where((jnp.arange(32)[:, None] + jnp.arange(32)) % 2 == 0, 1.0, -1.0)
    assert np.allclose(grid.resolvent(rough, 7.0), rough / 8)


def test_damping_keeps_low_moments(d=2):
    grid = VelocityGrid(d, 48, 6.0)
    flux = gaussian(grid, np.zeros(d), 0.5 * np.eye(d))[..., None] * grid.v
    plain, damped = grid.div(flux), grid.div(flux, order=8)
    for degree in (2, 4):
        gap = grid.integrate((plain - damped) * grid.v[..., 0] ** degree)
        assert abs(float(gap)) < 1e-10


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_marginal_of_a_gaussian(direction):
    direction = np.array(direction)
    if np.linalg.norm(direction) < 1e-3:
        direction = np.array([1.0, 1.0, 0.0])
    grid = VelocityGrid(3, 32, 6.5)
    mean = np.array([0.3, -0.2, 0.1])
    u, line, slope = grid.marginal(gaussian(grid, mean, COVARIANCE[3]), direction)
    n = direction / np.linalg.norm(direction)
    variance, centre = n @ COVARIANCE[3] @ n, n @ mean
    exact = np.exp(-((u - centre) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    assert np.abs(line - exact).max() < 1e-6
    assert np.abs(slope + (u - centre) / variance * exact).max() < 1e-5


def test_mass_cut_is_estimated():
    grid = VelocityGrid(2, 32, 3.0)
    f = np.asarray(gaussian(grid, np.zeros(2), np.eye(2)))
    # Two axes, each losing erfc(3 / sqrt 2) = 0.0027.
    assert cut_fraction(grid, f) == pytest.approx(0.0054, rel=0.5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f[:-1], "shape"),
        (lambda f: f.at[3, 3].set(jnp.nan), "1 NaN"),
        (lambda f: f.at[3, 3].set(-0.1), "negative"),
        (lambda f: 0 * f, "mass"),
        (lambda f: f + 1e-3, "cuts off"),
        (lambda f: f.at[16, 16].add(3.0), "too coarse"),
    ],
)
def test_bad_data_is_refused(change, sentence):
    grid = VelocityGrid(2, 32, 6.0)
    f = gaussian(grid, np.zeros(2), np.eye(2))
    grid.check(f)
    with pytest.raises(InputError, match=sentence):
        grid.check(change(f))


@pytest.mark.parametrize(
    ("d", "n", "v_max", "sentence"),
    [(4, 32, 6.0, "d must"), (2, 33, 6.0, "even"), (2, 32, -1.0, "v_max"), (2, "a", 1.0, "n must")],
)
def test_bad_grids_are_refused(d, n, v_max, sentence):
    with pytest.raises(InputError, match=sentence):
        VelocityGrid(d, n, v_max)


def test_bad_direction_is_refused():
    grid = VelocityGrid(2, 16, 6.0)
    with pytest.raises(InputError, match="direction"):
        grid.marginal(jnp.ones(grid.shape), [0.0, 0.0])
