"""Torus and phase grids: exactness of integrals and derivatives, refusals."""

import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import MappedNodes, UniformNodes


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("n", [8, 9])
def test_derivatives_of_modes_are_exact(d, n):
    grid = TorusGrid(d, n, length=2.0)
    x = grid.x
    k = np.pi * np.arange(1, d + 1)
    phase = jnp.tensordot(x, k, 1) + 0.3
    gradient = grid.gradient(jnp.sin(phase))
    expected = jnp.stack([k[i] * jnp.cos(phase) for i in range(d)])
    np.testing.assert_allclose(gradient, expected, atol=1e-12)
    np.testing.assert_allclose(
        grid.divergence(gradient), -np.sum(k**2) * jnp.sin(phase), atol=1e-10
    )


def test_integral_and_volume():
    grid = TorusGrid(2, 16)
    assert grid.volume == 1.0
    u = 2.0 + jnp.cos(2 * jnp.pi * grid.x[..., 0]) ** 2
    np.testing.assert_allclose(grid.integrate(u), 2.5, rtol=1e-15)


def test_divergence_has_no_mean():
    grid = TorusGrid(2, 12)
    flux = jnp.asarray(np.random.default_rng(0).normal(size=(2, 12, 12)))
    assert abs(float(jnp.mean(grid.divergence(flux)))) < 1e-14


@pytest.mark.parametrize("settings", [(0, 8), (4, 8), (2, 1), (1, 8, -1.0), (1, 2.5)])
def test_torus_refuses(settings):
    with pytest.raises(InputError):
        TorusGrid(*settings)


@pytest.mark.parametrize("nodes", [UniformNodes(1, 24, 6.0), UniformNodes(1, 25, 6.0)])
def test_uniform_nodes_are_symmetric_and_spectral(nodes):
    v, w = nodes.line()
    assert v.shape == w.shape == (nodes.n,)
    np.testing.assert_array_equal(v, -v[::-1])
    gaussian = np.exp(-(v**2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(np.sum(w * gaussian), 1.0, atol=3e-9)  # the tail beyond 6 sigma


def test_mapped_nodes_integrate_algebraic_tails_exactly():
    nodes = MappedNodes(1, 12, scale=1.5)
    v, w = nodes.line()
    for k, exact in ((1, np.pi), (2, np.pi / 2), (3, 3 * np.pi / 8)):
        np.testing.assert_allclose(np.sum(w * (1 + (v / 1.5) ** 2) ** -k), 1.5 * exact, rtol=1e-13)


def test_phase_grid_layout():
    grid = PhaseGrid(TorusGrid(2, 6), UniformNodes(1, 8, 4.0))
    assert grid.shape == (6, 6, 8)
    f = jnp.asarray(np.random.default_rng(1).normal(size=grid.shape))
    first = grid.velocity_first(f)
    assert first.shape == (8, 6, 6)
    np.testing.assert_array_equal(grid.position_first(first), f)
    assert grid.drift.shape == (8, 2)
    assert not grid.drift[:, 1].any()  # one velocity component moves one coordinate


def test_transport_of_a_mode():
    grid = PhaseGrid(TorusGrid(2, 8), UniformNodes(3, 4, 2.0))
    x, v = grid.x, grid.v
    phase = 2 * jnp.pi * (x[..., 0] - 2 * x[..., 1])
    wide = (...,) + (None,) * 3
    f = jnp.sin(phase)[wide] * (1 + v[..., 2])
    slope = 2 * jnp.pi * (v[..., 0] - 2 * v[..., 1])
    np.testing.assert_allclose(
        grid.transport(f), jnp.cos(phase)[wide] * slope * (1 + v[..., 2]), atol=1e-11
    )


def test_phase_grid_refuses_strangers():
    with pytest.raises(InputError, match="torus must be a TorusGrid"):
        PhaseGrid(3, UniformNodes(1, 8, 4.0))
    with pytest.raises(InputError, match="velocity nodes"):
        PhaseGrid(TorusGrid(1, 8), np.zeros(4))
