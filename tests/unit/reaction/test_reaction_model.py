"""The reaction model: equilibria, entropy and production, exact homogeneous flow, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from relaxon.core.errors import InputError
from relaxon.distributions.profiles import profile
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import DiffusionLimit, density_from_difference, relative
from relaxon.reaction.equations.two_species import homogeneous_flow

GRID = PhaseGrid(TorusGrid(1, 16), UniformNodes(1, 28, 6.0))
MODEL = KineticReaction("gaussian", profile("gaussian", variance=0.8), epsilon=0.5)


def some_state(seed=0):
    rng = np.random.default_rng(seed)
    chi1, chi2 = MODEL.profiles(GRID)
    F = rng.uniform(0.5, 2.0, GRID.shape)
    G = rng.uniform(0.4, 3.0, GRID.shape)
    return {"f": jnp.asarray(F * chi1), "g": jnp.asarray(G * chi2)}


def test_equilibrium_is_stationary_and_matches_the_mass_difference():
    state = some_state()
    steady = MODEL.equilibrium(state, GRID)
    change = MODEL.rhs(steady, GRID)
    assert max(float(jnp.abs(u).max()) for u in change.values()) < 1e-13
    before, after = (MODEL.invariants(u, GRID)["mass_difference"] for u in (state, steady))
    np.testing.assert_allclose(after, before, rtol=1e-13)
    r = MODEL.rho_infinity(state, GRID)
    np.testing.assert_allclose(r - 1 / r, before, rtol=1e-13)
    assert float(MODEL.entropy(steady, GRID)) < 1e-28


def test_rhs_keeps_the_mass_difference():
    change = MODEL.rhs(some_state(), GRID)
    assert abs(float(GRID.integrate(change["f"] - change["g"]))) < 1e-12


def test_entropy_production_is_the_derivative_of_the_entropy():
    state = some_state()
    change = MODEL.rhs(state, GRID)
    along = lambda s: MODEL.entropy(  # noqa: E731
        {name: state[name] + s * change[name] for name in state}, GRID
    )
    slope = jax.grad(along)(0.0)
    production = MODEL.entropy_production(state, GRID)
    # Transport in Fourier form keeps the entropy of rough data only approximately: compare
    # without it.
    local = KineticReaction(MODEL.chi1, MODEL.chi2, MODEL.epsilon)
    still = {
        "f": (change["f"] + GRID.transport(state["f"]) / local.epsilon),
        "g": (change["g"] + GRID.transport(state["g"]) / local.epsilon),
    }
    slope = jax.grad(lambda s: MODEL.entropy({n: state[n] + s * still[n] for n in state}, GRID))(
        0.0
    )
    np.testing.assert_allclose(-slope, production, rtol=1e-9)
    assert production > 0


def test_entropy_production_against_the_double_integral():
    state = some_state(3)
    m = MODEL.masses(GRID)
    F, G = (np.asarray(u) for u in m.density_ratio(state["f"], state["g"], GRID))
    product = F[:, None, :] * G[None, :, :]
    integrand = (product - 1) * np.log(product)
    brute = np.einsum("j,k,jkx->x", m.chi1, m.chi2, integrand).mean() / MODEL.epsilon**2
    np.testing.assert_allclose(MODEL.entropy_production(state, GRID), brute, rtol=1e-12)


def test_local_equilibria_produce_no_entropy():
    rho = 1 + 0.4 * jnp.sin(2 * jnp.pi * GRID.x[..., 0])
    state = MODEL.local_equilibrium(rho, GRID)
    assert abs(float(MODEL.entropy_production(state, GRID))) < 1e-13
    low, high = MODEL.box(state, GRID)
    np.testing.assert_allclose([low, high], [rho.min(), rho.max()], rtol=1e-13)


@pytest.mark.parametrize("start", [(2.0, 0.1), (0.3, 0.3), (1.0, 1.0), (1e-3, 40.0), (7.0, 5.0)])
def test_homogeneous_flow_is_exact(start):
    t = 0.7
    exact = solve_ivp(
        lambda _, y: [1 - y[0] * y[1], 1 - y[0] * y[1], y[0], y[1]],
        (0, t),
        [*start, 0, 0],
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
    ).y[:, -1]
    rho_f, rho_g, keep_g, keep_f = homogeneous_flow(*map(jnp.asarray, start), jnp.asarray(t))
    np.testing.assert_allclose([rho_f, rho_g], exact[:2], rtol=1e-9)
    np.testing.assert_allclose([keep_g, keep_f], np.exp(-exact[2:]), rtol=1e-9)
    assert abs((rho_f - rho_g) - (start[0] - start[1])) <= 4e-15 * max(start)


def test_diffusion_limit_moments_and_diffusivity():
    limit = KineticReaction("gaussian", profile("gaussian", variance=0.25)).diffusion_limit()
    m = jnp.asarray([-1.0, 0.0, 2.0])
    rho = np.asarray(density_from_difference(m))
    np.testing.assert_allclose(rho - 1 / rho, m, atol=1e-15)
    expected = (rho**2 + 0.25 / rho**2) / np.sqrt(np.asarray(m) ** 2 + 4)
    np.testing.assert_allclose(limit.diffusivity(m, 1)[:, 0, 0], expected, rtol=1e-14)
    # PHYSICS: at m_inf the small-k limit is (r^3 D1 + D2/r)/(r^2+1).
    r = 2.0
    value = DiffusionLimit(1.0, 0.25).diffusivity(jnp.asarray(r - 1 / r), 1)[0, 0]
    np.testing.assert_allclose(value, (r**3 + 0.25 / r) / (r**2 + 1), rtol=1e-14)
    sampled = MODEL.diffusion_limit(GRID)
    np.testing.assert_allclose(sampled.D2[0, 0], 0.8, rtol=1e-6)


def test_difference_to_density_without_cancellation():
    np.testing.assert_allclose(density_from_difference(jnp.asarray(-1e9)), 1e-9, rtol=1e-15)


def test_relative_entropy_density_is_accurate_near_the_reference():
    s = 1e-9
    value = float(relative(jnp.asarray(2.0 * (1 + s)), jnp.asarray(2.0)))
    np.testing.assert_allclose(value, 2.0 * s * s / 2, rtol=1e-6)
    assert float(relative(jnp.asarray(0.0), jnp.asarray(2.0))) == 2.0


def test_linearized_kernel_and_norm():
    linear = MODEL.linearized(1.5)
    chi1, chi2 = MODEL.profiles(GRID)
    r = 1.5
    kernel = {
        "f": jnp.broadcast_to(r**2 * chi1, GRID.shape),
        "g": jnp.broadcast_to(-chi2, GRID.shape),
    }
    assert max(float(jnp.abs(u).max()) for u in linear.rhs(kernel, GRID).values()) < 1e-13
    np.testing.assert_allclose(linear.norm(kernel, GRID) ** 2, r**3 + r, rtol=1e-12)
    rest = linear.equilibrium(kernel, GRID)
    np.testing.assert_allclose(rest["f"], kernel["f"], rtol=1e-12)


def test_linearized_is_the_derivative():
    steady = MODEL.equilibrium(some_state(), GRID)
    r = float(MODEL.rho_infinity(some_state(), GRID))
    direction = some_state(5)
    _, slope = jax.jvp(lambda u: MODEL.rhs(u, GRID), (steady,), (direction,))
    expected = MODEL.linearized(r).rhs(direction, GRID)
    for name in ("f", "g"):
        np.testing.assert_allclose(slope[name], expected[name], atol=1e-11)


@pytest.mark.parametrize("epsilon", [0, -1.0, float("nan"), "small"])
def test_epsilon_is_checked(epsilon):
    with pytest.raises(InputError, match="epsilon must be"):
        KineticReaction(epsilon=epsilon)


def test_bad_data_is_refused():
    good = some_state()
    with pytest.raises(InputError, match="must have the grid's shape"):
        MODEL.admit({"f": good["f"][:3], "g": good["g"]}, GRID)
    with pytest.raises(InputError, match="lacks g"):
        MODEL.admit({"f": good["f"]}, GRID)
    with pytest.raises(InputError, match="must not be negative"):
        MODEL.admit({"f": -good["f"], "g": good["g"]}, GRID)
    with pytest.raises(InputError, match="non-finite"):
        MODEL.admit({"f": good["f"] * jnp.nan, "g": good["g"]}, GRID)
    with pytest.raises(InputError, match="No box of Theorem"):
        MODEL.admit({"f": good["f"].at[0].set(0.0), "g": good["g"]}, GRID)
    with pytest.raises(InputError, match="PhaseGrid"):
        MODEL.admit(good, TorusGrid(1, 16))


@pytest.mark.parametrize("tensor", [-1.0, [[1.0, 2.0], [0.0, 1.0]], [1.0, 2.0], float("inf")])
def test_diffusion_tensors_are_checked(tensor):
    with pytest.raises(InputError):
        DiffusionLimit(tensor, 1.0)
