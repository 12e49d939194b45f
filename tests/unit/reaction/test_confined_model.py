"""The confined reaction model: equilibrium, entropy, conservation, linearisation, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.core.registry import from_spec, settings, to_spec
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.confinement import confinement
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import ThermalNodes
from relaxon.reaction.equations.confined import ConfinedReaction, LinearizedConfined
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.runs.problem import Problem

POTENTIAL = confinement("quartic", strength=0.7)
GRID = ConfinedGrid(ConfinedLine(POTENTIAL, 20), ThermalNodes(14))
MODEL = ConfinedReaction(1.3, 0.6, epsilon=0.5, potential=POTENTIAL)


def smooth_state(wobble=0.2):
    x, xi = GRID.line.nodes, GRID.velocity.nodes[:, None]
    F = 1.5 + 0.4 * jnp.tanh(x) + wobble * jnp.sin(xi) * jnp.cos(x) / 2
    G = 0.8 + 0.3 * jnp.sin(x) + wobble * jnp.cos(xi + x) / 2
    return MODEL.state(F, G, GRID)


def rough_state(seed=0):
    rng = np.random.default_rng(seed)
    shape = (GRID.velocity.n, GRID.line.n)
    F, G = jnp.asarray(rng.uniform(0.5, 2.0, shape)), jnp.asarray(rng.uniform(0.4, 3.0, shape))
    return MODEL.state(F, G, GRID)


def weighted(change):
    """The norm of a pair of densities in the weights."""
    F, G = MODEL.ratios(change, GRID)
    return float(jnp.sqrt(GRID.line.integrate(GRID.mean(F**2) + GRID.mean(G**2))))


def test_ratios_and_state_are_inverse_and_physical():
    state = rough_state()
    F, G = MODEL.ratios(state, GRID)
    again = MODEL.state(F, G, GRID)
    for name in ("f", "g"):
        np.testing.assert_allclose(again[name], state[name], rtol=1e-14)
        assert state[name].shape == GRID.shape
    x, xi = np.asarray(GRID.line.nodes), np.asarray(GRID.velocity.nodes)
    gibbs = np.exp(-0.25 * 0.7 * x[:, None] ** 4 - 0.5 * xi**2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(state["f"], np.asarray(F).T * gibbs, rtol=1e-12)
    # integrals over phase space: physical densities against the ratios with weights
    np.testing.assert_allclose(
        GRID.integrate(state["f"]), GRID.line.integrate(GRID.mean(F)), rtol=1e-13
    )


def test_equilibrium_is_stationary_and_matches_the_mass_difference():
    state = rough_state()
    steady = MODEL.equilibrium(state, GRID)
    assert weighted(MODEL.rhs(steady, GRID)) < 1e-12
    before, after = (MODEL.invariants(u, GRID)["mass_difference"] for u in (state, steady))
    np.testing.assert_allclose(after, before, rtol=1e-13)
    r = MODEL.rho_infinity(state, GRID)
    np.testing.assert_allclose((r - 1 / r) * GRID.line.volume, before, rtol=1e-13)
    assert float(MODEL.entropy(steady, GRID)) < 1e-28


@pytest.mark.parametrize("state", [smooth_state(), rough_state(1)])
def test_rhs_keeps_the_mass_difference(state):
    change = MODEL.rhs(state, GRID)
    lost = MODEL.invariants(change, GRID)["mass_difference"]
    assert abs(float(lost)) < 1e-14 * max(1.0, weighted(change))


def slope(state, change):
    """Derivative of the entropy along a change of the state."""

    def along(s):
        return MODEL.entropy({n: state[n] + s * change[n] for n in state}, GRID)

    return float(jax.grad(along)(0.0))


def reaction_part(state):
    F, G = MODEL.ratios(state, GRID)
    rho_f, rho_g = GRID.mean(F), GRID.mean(G)
    return MODEL.state((1 - rho_g * F) / 0.25, (1 - rho_f * G) / 0.25, GRID)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reactions_produce_entropy_at_the_rate_of_6_to_rounding(seed):
    state = rough_state(seed)
    production = float(MODEL.entropy_production(state, GRID))
    assert production > 0
    np.testing.assert_allclose(-slope(state, reaction_part(state)), production, rtol=1e-11)


def test_entropy_production_of_the_whole_equation_for_smooth_data():
    state = smooth_state()
    production = float(MODEL.entropy_production(state, GRID))
    found = -slope(state, MODEL.rhs(state, GRID))
    # Transport keeps quadratic functionals exactly, the entropy to truncation.
    np.testing.assert_allclose(found, production, rtol=2e-5)
    local = MODEL.local_equilibrium(1.5 + 0.4 * jnp.tanh(GRID.line.nodes), GRID)
    assert abs(float(MODEL.entropy_production(local, GRID))) < 1e-13


def test_entropy_production_against_the_double_integral():
    state = rough_state(3)
    F, G = (np.asarray(u) for u in MODEL.ratios(state, GRID))
    w, W = np.asarray(GRID.velocity.masses), np.asarray(GRID.line.weights)
    product = F[:, None, :] * G[None, :, :]
    brute = np.einsum("j,k,jkx,x->", w, w, (product - 1) * np.log(product), W) / 0.25
    np.testing.assert_allclose(MODEL.entropy_production(state, GRID), brute, rtol=1e-12)


def test_box_of_theorem_1_1():
    rho = jnp.linspace(0.4, 3.0, GRID.line.n)
    low, high = MODEL.box(MODEL.local_equilibrium(rho, GRID), GRID)
    np.testing.assert_allclose([low, high], [0.4, 3.0], rtol=1e-12)


def test_linearisation_is_the_derivative_of_the_equation():
    r = 1.7
    linear = MODEL.linearized(r)
    assert isinstance(linear, LinearizedConfined) and linear.rho_inf == r
    rng = np.random.default_rng(4)
    part = MODEL.state(*jnp.asarray(rng.standard_normal((2, 14, 20))), GRID)
    steady = MODEL.local_equilibrium(r, GRID)
    _, derivative = jax.jvp(lambda u: MODEL.rhs(u, GRID), (steady,), (part,))
    found = linear.rhs(part, GRID)
    difference = {name: found[name] - derivative[name] for name in found}
    assert weighted(difference) < 1e-12 * weighted(found)


def test_linearised_norm_does_not_grow_and_kernel_is_known():
    linear = MODEL.linearized(1.7)
    part = MODEL.state(*jnp.asarray(np.random.default_rng(5).standard_normal((2, 14, 20))), GRID)
    change = linear.rhs(part, GRID)
    derivative = jax.grad(
        lambda s: linear.norm({n: part[n] + s * change[n] for n in part}, GRID) ** 2
    )(0.0)
    assert float(derivative) < 0
    rest = linear.equilibrium(part, GRID)
    assert weighted(linear.rhs(rest, GRID)) < 1e-12
    kept = [float(linear.invariants(u, GRID)["mass_difference"]) for u in (part, rest)]
    np.testing.assert_allclose(*kept, rtol=1e-12)
    balanced = {n: part[n] - rest[n] for n in part}
    assert set(linear.checked_data(balanced, GRID)) == {"f", "g"}
    with pytest.raises(InputError, match="mass difference zero"):
        linear.checked_data(part, GRID)


def test_equations_are_stored_and_problems_made():
    problem = Problem(MODEL, GRID, smooth_state())
    assert set(problem.f0) == {"f", "g"}
    for equation in (MODEL, MODEL.linearized(2.0), MODEL.diffusion_limit()):
        again = from_spec(to_spec(equation))
        assert settings(again) == settings(equation)
    with pytest.raises(InputError, match="cannot be stored"):
        to_spec(ConfinedReaction(potential=lambda x: x**2))


def test_bad_input_is_refused():
    for name in ("T1", "T2", "epsilon"):
        with pytest.raises(InputError, match=f"{name} must be positive, but is 0"):
            ConfinedReaction(**{name: 0})
    with pytest.raises(InputError, match="epsilon must be positive, but is 'x'"):
        ConfinedReaction(epsilon="x")
    state = smooth_state()
    with pytest.raises(InputError, match="must not be negative"):
        MODEL.checked_data({"f": -state["f"], "g": state["g"]}, GRID)
    with pytest.raises(InputError, match=r"No box of Theorem 1\.1"):
        MODEL.checked_data({"f": 0 * state["f"], "g": state["g"]}, GRID)
    with pytest.raises(InputError, match="must have the grid's shape"):
        MODEL.checked_data({"f": state["f"].T, "g": state["g"]}, GRID)
    with pytest.raises(InputError, match="lacks g"):
        MODEL.checked_data({"f": state["f"]}, GRID)
    with pytest.raises(InputError, match="ConfinedGrid, not on a TorusGrid"):
        MODEL.require_grid(TorusGrid(1, 8))
    other = ConfinedReaction(potential="quartic")
    with pytest.raises(InputError, match="build both from one potential"):
        Problem(other, GRID, state)
    with pytest.raises(InputError, match="build both from one potential"):
        other.diffusion_limit().require_grid(GRID.line)


def test_limit_equation_is_the_second_order_of_the_expansion():
    """d_t m from the moment equations with the first-order fluxes of neumann2016, section 1.3."""
    line = GRID.line
    limit = MODEL.diffusion_limit(GRID)
    rho = 1.2 + 0.5 * jnp.tanh(line.nodes)
    m = rho - 1 / rho
    # p = -xi sqrt(T1) rho_x / rho_g, q = -xi sqrt(T2) rho_g,x / rho_f
    flux_f = -limit.D1 * line.gradient(rho)[0] * rho
    flux_g = -limit.D2 * line.gradient(1 / rho)[0] / rho
    expected = -line.divergence((flux_f - flux_g)[None])
    # rho rho_x and (rho^2)_x / 2 agree to truncation: weakly, against smooth functions.
    for test in (line.nodes, jnp.cos(line.nodes)):
        np.testing.assert_allclose(
            line.integrate(test * limit.rhs(m, line)),
            line.integrate(test * expected),
            rtol=3e-5,
        )
    assert abs(float(line.integrate(limit.rhs(m, line)))) < 1e-12
    np.testing.assert_allclose(limit.D1, 1.3, rtol=1e-8)
    slope_of = jax.vmap(jax.grad(limit.potential_flux))(m)
    np.testing.assert_allclose(slope_of, limit.diffusivity(m), rtol=1e-12)
    assert float(limit.entropy(m, line)) > 0
    steady = limit.equilibrium(m, line)
    assert float(limit.entropy(steady, line)) < 1e-28
    np.testing.assert_allclose(line.integrate(steady), line.integrate(m), rtol=1e-13)
    with pytest.raises(InputError, match="grid's shape"):
        limit.checked_data(m[:-1], line)
    with pytest.raises(InputError, match="D1 must be positive"):
        ConfinedLimit(D1=-1.0)
