"""The confined line and phase space: what holds to rounding, and the resolvent."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.core.registry import from_spec, to_spec
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.velocity_nodes import ThermalNodes

SIZES = (18, 12)
GRIDS = {
    name: ConfinedGrid(ConfinedLine(name, SIZES[0]), ThermalNodes(SIZES[1]))
    for name in ("harmonic", "quartic", "double-well")
}


@pytest.fixture(params=sorted(GRIDS))
def grid(request):
    return GRIDS[request.param]


def field(grid, seed=0):
    """A function of order one in the weighted norm, velocity first."""
    rng = np.random.default_rng(seed)
    root = np.sqrt(np.outer(grid.velocity.masses, grid.line.weights))
    u = rng.standard_normal(root.shape) / np.sqrt(root.size)
    return jnp.asarray(u / root)


def product(grid, F, G):
    return float(grid.line.integrate(grid.mean(F * G)))


def dense(grid):
    """sqrt(weights) T / sqrt(weights) as a matrix, from Kronecker products."""
    v, line = grid.velocity, grid.line
    A, D, w, W = (np.asarray(a) for a in (v.slope, line.slope, v.masses, line.weights))
    adjoint = lambda M, m: M.T * m / m[:, None]  # noqa: E731
    T = np.kron(adjoint(A, w), D) - np.kron(A, adjoint(D, W))
    root = np.sqrt(np.outer(w, W)).ravel()
    return T * root[:, None] / root


def test_transport_is_skew_and_keeps_constants_and_mass(grid):
    F, G = field(grid, 1), field(grid, 2)
    size = float(np.linalg.norm(dense(grid), 2))
    assert abs(product(grid, F, grid.carry(G)) + product(grid, G, grid.carry(F))) < 1e-15 * size
    assert abs(product(grid, F, grid.carry(F))) < 1e-15 * size
    one = jnp.ones((grid.velocity.n, grid.line.n))
    change = grid.carry(one)
    assert np.sqrt(product(grid, change, change)) < 1e-15 * size
    assert abs(product(grid, one, grid.carry(F))) < 1e-15 * size


def test_transport_is_the_kronecker_product_in_both_layouts(grid):
    F = field(grid, 3)
    root = np.sqrt(np.outer(grid.velocity.masses, grid.line.weights)).ravel()
    expected = (dense(grid) @ (root * np.asarray(F).ravel())).reshape(F.shape)
    found = np.asarray(grid.carry(F)) * root.reshape(F.shape)
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())
    swapped = grid.transport(grid.position_first(F))
    np.testing.assert_allclose(swapped, grid.carry(F).T, rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize("damping, speed", [(1.0, 1.0), (0.1, 3.0), (5.0, 1e-3), (2.0, -0.7)])
def test_resolvent_against_a_dense_solution(grid, damping, speed):
    right = field(grid, 4)
    root = np.sqrt(np.outer(grid.velocity.masses, grid.line.weights))
    matrix = damping * np.eye(root.size) + speed * dense(grid)
    expected = np.linalg.solve(matrix, (root * np.asarray(right)).ravel()).reshape(root.shape)
    found = root * np.asarray(grid.resolvent(right, damping, speed))
    assert np.linalg.norm(found - expected) < 1e-12 * np.linalg.norm(expected)


def test_resolvent_of_two_species_at_once_and_of_constants():
    grid = GRIDS["quartic"]
    both = jnp.stack([field(grid, 5), field(grid, 6)])
    damping, speed = jnp.array([1.0, 0.3]), jnp.array([0.5, 2.0])
    solve = eqx.filter_jit(lambda g, *a: g.resolvent(*a))
    found = solve(grid, both, damping, speed)
    root = np.sqrt(np.outer(grid.velocity.masses, grid.line.weights))
    for i in range(2):
        alone = grid.resolvent(both[i], damping[i], speed[i])
        assert float(np.max(np.abs(root * (found[i] - alone)))) < 1e-14
    flat = solve(grid, jnp.full((grid.velocity.n, grid.line.n), 3.0), 2.0, 1.0)
    np.testing.assert_allclose(flat, 1.5, rtol=1e-14)


def test_moments_of_transport_are_exact_on_the_grid(grid):
    F = field(grid, 7)
    carried = grid.carry(F)
    root = np.sqrt(grid.line.weights)
    flux = grid.moments(F)[1]
    scale = float(np.linalg.norm(dense(grid), 2))
    assert float(np.abs(root * (grid.mean(carried) - grid.line.divergence(flux[None]))).max()) < (
        1e-15 * scale
    )
    stress = grid.stress(grid.moments(F))[0]
    assert float(np.abs(root * (grid.moments(carried)[1] - stress)).max()) < 1e-15 * scale
    rho = field(grid, 8)[0]
    flat = jnp.ones((grid.velocity.n, 1))
    np.testing.assert_allclose(
        root * grid.carry(flat * rho),
        root * (grid.velocity.drift[:, None] * grid.line.gradient(rho)[0]),
        atol=1e-12 * scale * float(jnp.abs(root * rho).max()),
    )


def test_line_operators(grid):
    line = grid.line
    rng = np.random.default_rng(9)
    root = np.sqrt(np.asarray(line.weights))
    u, j = (jnp.asarray(rng.standard_normal(line.n) / root) for _ in range(2))
    np.testing.assert_allclose(
        line.integrate(u * line.divergence(j[None])),
        -line.integrate(line.gradient(u)[0] * j),
        rtol=1e-11,
    )
    size = float(np.abs(np.asarray(line.slope) * root[:, None] / root).max())
    assert abs(float(line.integrate(line.divergence(j[None])))) < 1e-14 * size
    energy = float(line.integrate(u * line.laplacian(u)))
    np.testing.assert_allclose(energy, -line.integrate(line.gradient(u)[0] ** 2), rtol=1e-11)
    batch = jnp.stack([u, j])
    assert line.gradient(batch).shape == (1, 2, line.n)
    np.testing.assert_allclose(line.divergence(line.gradient(batch))[0], line.laplacian(u))


def test_laplacian_of_known_functions():
    line = ConfinedLine(lambda x: 0.25 * x**4 - 0.2 * x, 48)
    x, W = line.nodes, line.weights
    exact = -jnp.sin(x) - (x**3 - 0.2) * jnp.cos(x)
    error = line.laplacian(jnp.sin(x)) - exact
    # The cut acts as a wall: the error sits at the ends, where the mass is 1e-11.
    assert abs(float(jnp.sum(W * error * jnp.exp(-(x**2))))) < 1e-9
    middle = jnp.abs(x) < 1.5
    assert float(jnp.sqrt(jnp.sum(W * middle * error**2))) < 2e-5


@pytest.mark.parametrize(
    "name, volume",
    [("harmonic", np.sqrt(2 * np.pi)), ("quartic", 2.563693352040836)],
)
def test_volume(name, volume):
    # quartic: 2 * 4^(1/4) * Gamma(5/4)
    line = ConfinedLine(name, 32)
    assert abs(float(line.volume) / volume - 1) < 3 * line.missing + 1e-14
    assert line.missing < 1e-10
    assert abs(float(line.volume) / volume - 1 + line.missing) < 1e-13


def test_a_constant_added_to_the_potential_scales_the_measure():
    base = ConfinedLine("quartic", 16)
    shifted = ConfinedLine(lambda x: 0.25 * x**4 + 50.0, 16)
    np.testing.assert_allclose(shifted.weights, base.weights * np.exp(-50.0), rtol=1e-11)
    np.testing.assert_allclose(shifted.gibbs, base.gibbs * np.exp(-50.0), rtol=1e-11)
    with pytest.raises(InputError, match="add a constant to phi"):
        ConfinedLine(lambda x: 0.25 * x**4 + 5000.0, 16)


def test_storage_and_shapes():
    grid = GRIDS["double-well"]
    again = from_spec(to_spec(grid))
    np.testing.assert_array_equal(again.line.nodes, grid.line.nodes)
    np.testing.assert_array_equal(again.frequencies, grid.frequencies)
    assert grid.shape == SIZES and grid.x.shape == (18, 1) and grid.v.shape == (12, 1)
    assert {k: v.shape for k, v in grid.coordinates().items()} == {"x": (18,), "xi": (12,)}
    f = grid.position_first(jnp.ones((12, 18))) * grid.velocity.profile
    np.testing.assert_allclose(grid.density(f), 1.0, rtol=1e-13)
    density = grid.line.gibbs[:, None] * grid.velocity.profile
    np.testing.assert_allclose(grid.integrate(density), grid.line.volume, rtol=1e-13)


def test_refusals():
    line, nodes = GRIDS["harmonic"].line, GRIDS["harmonic"].velocity
    with pytest.raises(InputError, match="line must be a ConfinedLine"):
        ConfinedGrid(nodes, nodes)
    with pytest.raises(InputError, match="velocity must be ThermalNodes"):
        ConfinedGrid(line, line)
    with pytest.raises(InputError, match="even integer"):
        ThermalNodes(7)
    with pytest.raises(InputError, match="xi_max must lie between"):
        ThermalNodes(8, 50.0)
    with pytest.raises(InputError, match="at most 4096 unknowns"):
        ConfinedGrid(ConfinedLine("harmonic", 200), ThermalNodes(100))
