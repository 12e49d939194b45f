"""The spectral reference and the walls."""

import jax.numpy as jnp
import numpy as np
import pytest
from reaction_cases import P1, amplitude, distance, p1, run

from relaxon.core.errors import InputError
from relaxon.distributions.profiles import profile, sample
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import MappedNodes, UniformNodes
from relaxon.grids.walls import WalledGrid
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.scheme.asymptotic import Asymptotic
from relaxon.reaction.scheme.spectral import Spectral, orthonormal
from relaxon.reaction.scheme.walls import Specular

END = jnp.asarray(0.02)


def test_hermite_polynomials_of_a_gaussian():
    nodes = UniformNodes(1, 60, 9.0)
    mass = sample(profile("gaussian", variance=0.5), nodes)
    a, b, values = orthonormal(nodes.v[:, 0], mass, 12)
    np.testing.assert_allclose(b, np.sqrt(0.5 * np.arange(1, 12)), rtol=1e-9)
    np.testing.assert_allclose(a, 0, atol=1e-12)
    np.testing.assert_allclose((values * mass) @ values.T, np.eye(12), atol=1e-12)


@pytest.mark.parametrize("epsilon", [1.0, 0.1, 0.01])
def test_p1_values_to_the_digits_given(epsilon):
    grid, model, f0 = p1(epsilon, nodes=48, v_max=8.0)
    stepper = Spectral(model, grid, modes=24, rtol=1e-8)
    state = run(stepper, stepper.start(f0), END)
    assert abs(amplitude(stepper.fields(state.y)["m"]) - P1[epsilon]) < 1.5e-8
    drift = stepper.diagnostics(state.y)["mass_difference"]
    start = stepper.diagnostics(stepper.start(f0).y)["mass_difference"]
    assert abs(float(drift - start)) < 1e-13


def test_other_profiles_agree_between_the_two_steppers():
    grid = PhaseGrid(TorusGrid(1, 16), MappedNodes(1, 32))
    model = KineticReaction(profile("algebraic", k=3.0), profile("algebraic", k=4.0), 0.5)
    f0 = model.local_equilibrium(1 + 0.3 * jnp.sin(2 * jnp.pi * grid.x[..., 0]), grid)
    reference = Spectral(model, grid, modes=32, rtol=1e-8)
    exact = reference.fields(run(reference, reference.start(f0), END).y)
    stepper = Asymptotic(model, grid, 2.5e-4)
    fields = stepper.fields(run(stepper, stepper.start(f0), END).y)
    for name in ("m", "f", "g"):
        assert distance(fields[name], exact[name]) < 3e-5, name


def test_spectral_refuses_more_modes_than_nodes_with_mass():
    nodes = MappedNodes(1, 32)
    with pytest.raises(InputError, match="no more nodes carry mass"):
        orthonormal(nodes.v[:, 0], sample(profile("two-bump"), nodes), 32)


def test_spectral_refuses_other_dimensions():
    grid = PhaseGrid(TorusGrid(2, 8), UniformNodes(1, 12, 5.0))
    with pytest.raises(InputError, match="of the same dimension"):
        Spectral(KineticReaction(), grid)


def test_extension_and_restriction():
    grid = WalledGrid(2, 4, UniformNodes(2, 6, 3.0))
    f = jnp.asarray(np.random.default_rng(0).normal(size=grid.shape))
    full = grid.extend(f)
    assert full.shape == grid.doubled.shape
    # Mirror image: f(-x_a, -v_a) = f(x_a, v_a).
    np.testing.assert_array_equal(full[5, 1], jnp.flip(full[3, 1], 0))
    inside = grid.restrict(full)
    np.testing.assert_array_equal(inside[1:4, 1:4], f[1:4, 1:4])
    # At a wall the reflected velocity carries the same value.
    np.testing.assert_allclose(inside[0], jnp.flip(inside[0], 1), atol=1e-15)


def test_walls_reflect_and_conserve():
    grid = WalledGrid(1, 16, UniformNodes(1, 20, 6.0))
    model = KineticReaction("gaussian", profile("gaussian", variance=0.9), 0.2)
    chi1, chi2 = model.profiles(grid.doubled)
    rho = (1 + 0.5 * jnp.cos(jnp.pi * grid.x[..., 0]))[:, None]
    stepper = Specular(model, grid, 2e-3)
    start = stepper.start((rho * chi1, chi2 / rho))
    state = run(stepper, start, jnp.asarray(0.2))
    first, last = stepper.diagnostics(start.y), stepper.diagnostics(state.y)
    assert abs(float(last["mass_difference"] - first["mass_difference"])) < 1e-14
    assert float(last["entropy"]) < 0.5 * float(first["entropy"])
    assert float(last["asymmetry"]) < 1e-14
    assert float(last["box_violation"]) < 1e-14
    fields = stepper.fields(state.y)
    assert fields["f"].shape == grid.shape
    for wall in (0, -1):  # no flux, no energy flux: even in v
        np.testing.assert_allclose(fields["f"][wall], fields["f"][wall][::-1], atol=1e-15)
    np.testing.assert_allclose(
        grid.integrate_position(fields["m"]), last["mass_difference"], atol=1e-14
    )


def test_walls_refuse_lopsided_profiles():
    def lopsided(v):
        bump = lambda a: np.exp(-((v[..., 0] - a) ** 2) / 0.4) / np.sqrt(0.4 * np.pi)  # noqa: E731
        return 0.3 * bump(1.4) + 0.7 * bump(-0.6)

    grid = WalledGrid(1, 8, UniformNodes(1, 41, 4.5))
    with pytest.raises(InputError, match="must be even in velocity component 1"):
        Specular(KineticReaction(lopsided), grid, 1e-3)
