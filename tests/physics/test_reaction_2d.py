"""The spectral reference in two dimensions: the linear theory, and the nonlinear stepper."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reaction_cases import distance, run

from relaxon.core.errors import InputError
from relaxon.distributions.profiles import profile
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import MappedNodes, UniformNodes
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.scheme.asymptotic import Asymptotic
from relaxon.reaction.scheme.spectral import Spectral
from relaxon.reaction.theory.semigroup import linear_decay
from relaxon.reaction.theory.spectrum import spectral_gap

S1, S2 = np.array([0.5, 1.5]), np.array([1.0, 0.6])
PROFILES = profile("anisotropic", covariance=S1), profile("anisotropic", covariance=S2)
LENGTH = 12 * np.pi
WAVES = [(1, 0), (0, 1), (1, 1), (1, -1)]
# Three points have the modes 0, +1, -1 and no Nyquist frequency, which transport would not move.
SMALL = TorusGrid(2, 3, LENGTH)


def mode_matrix(stepper, r, wave):
    """The linearised equations for the coefficients of e^{i xi.x}, from the stepper itself."""
    shape = (2, *stepper.values.shape[-2:-1] * 2)
    rest = jnp.zeros((*shape, 3, 3)).at[0, 0, 0].set(r).at[1, 0, 0].set(1 / r)
    phase = SMALL.x @ jnp.asarray(wave) * 2 * jnp.pi / LENGTH
    size = int(np.prod(shape))

    def column(c):
        pushed = c.reshape(shape)[..., None, None] * jnp.cos(phase)
        flow = jax.jvp(stepper._slope, (rest,), (pushed,))[1]
        return 2 * jnp.mean(flow * jnp.exp(-1j * phase), axis=(-2, -1)).ravel()

    return np.asarray(jax.jit(jax.vmap(column))(jnp.eye(size))).T


def along(wave, variances):
    e = np.array(wave) / np.linalg.norm(wave)
    return float(e**2 @ variances)


@pytest.mark.parametrize("wave", WAVES)
def test_eigenvalues_of_the_linear_theory(wave):
    r, errors = 1.4, []
    k = 2 * np.pi / LENGTH * np.linalg.norm(wave)
    exact = spectral_gap(r, along(wave, S1), along(wave, S2), k).eigenvalue
    for modes in (4, 8, 16):
        grid = PhaseGrid(SMALL, UniformNodes(2, 36, 9.0))
        stepper = Spectral(KineticReaction(*PROFILES), grid, modes=modes)
        found = np.linalg.eigvals(mode_matrix(stepper, r, wave))
        errors.append(abs(found[np.argmax(found.real)] - exact))
    # Measured: 1.3e-4, 4e-7, 2e-11 for (1, 1); 2.2e-4, 1.6e-6, 9e-10 for (0, 1), the slowest.
    assert errors[0] < 3e-4
    assert errors[1] < 1e-2 * errors[0]
    assert errors[2] < 2e-9


def test_small_waves_follow_the_semigroup():
    """An oblique wave of amplitude 1e-4 against the linear theory, which has no velocity grid."""
    r, wave, t = 1.4, (1, -1), 3.0
    grid = PhaseGrid(TorusGrid(2, 5, LENGTH), UniformNodes(2, 36, 9.0))
    model = KineticReaction(*PROFILES)
    k = 2 * np.pi / LENGTH * np.sqrt(2)
    T1, T2 = along(wave, S1), along(wave, S2)

    def gaussian(v, T):
        return np.exp(-v * v / (2 * T)) / np.sqrt(2 * np.pi * T)

    exact = linear_decay(
        r, T1, T2, k, lambda v: r * r * gaussian(v, T1), lambda v: -gaussian(v, T2), [t]
    )
    bump = 1e-4 * jnp.cos(grid.x @ jnp.asarray(wave) * 2 * jnp.pi / LENGTH)
    chi1, chi2 = model.profiles(grid)
    f0 = (
        (r + r * r * bump)[..., None, None] * chi1,
        (1 / r - bump)[..., None, None] * chi2,
    )
    stepper = Spectral(model, grid, modes=12, rtol=1e-12)
    fields = stepper.fields(run(stepper, stepper.start(f0), jnp.asarray(t)).y)
    found = float(jnp.vdot(fields["rho_f"] - r, bump) / jnp.vdot(bump, bump))
    # The nonlinearity enters at the third order of the amplitude.
    assert found == pytest.approx(exact.rho_f[0].real, abs=1e-7)


def test_nonlinear_stepper_in_two_dimensions():
    model = KineticReaction(
        profile("anisotropic", covariance=[0.6, 1.2]), profile("gaussian", variance=0.8), 0.5
    )

    def data(grid):
        x, y = (2 * jnp.pi * grid.x[..., i] for i in (0, 1))
        # Bilinear in the cosines: the extrema, which make the box, are points of the grid.
        rho = 1.1 + 0.3 * jnp.cos(x) + 0.2 * jnp.cos(y) + 0.1 * jnp.cos(x) * jnp.cos(y)
        return model.local_equilibrium(rho, grid)

    t_end = jnp.asarray(0.03)
    grid = PhaseGrid(TorusGrid(2, 12), UniformNodes(2, 20, 6.0))
    reference = Spectral(model, grid, modes=10, rtol=1e-7)
    last = run(reference, reference.start(data(grid)), t_end).y
    exact = reference.fields(last)
    watched = reference.diagnostics(last)
    assert watched["truncation"] < 5e-5
    assert (
        abs(watched["mass_difference"] - grid.integrate(data(grid)["f"] - data(grid)["g"])) < 1e-13
    )
    errors = []
    for dt in (4e-3, 1e-3):
        stepper = Asymptotic(model, grid, dt)
        fields = stepper.fields(run(stepper, stepper.start(data(grid)), t_end).y)
        errors.append([distance(fields[n], exact[n]) for n in ("m", "f", "g")])
    # Measured 2.1e-4, 6.1e-5, 6.6e-5 and 1.7e-5, 4.8e-6, 5.7e-6: twelve times less.
    assert max(errors[0]) < 3e-4
    assert np.all(np.array(errors[1]) < np.array(errors[0]) / 8)
    # Half the points hold the longest waves of m to 5e-5; twice the points gain a factor of 20.
    coarse = PhaseGrid(TorusGrid(2, 6), UniformNodes(2, 16, 6.0))
    stepper = Asymptotic(model, coarse, 1e-3)
    m = stepper.fields(run(stepper, stepper.start(data(coarse)), t_end).y)["m"]
    waves = [np.fft.rfft2(np.asarray(x))[:2, :2] / x.size for x in (m, fields["m"], exact["m"])]
    far, near = (np.max(np.abs(w - waves[2])) for w in waves[:2])
    assert far < 1e-4 and near < far / 8


def test_profiles_that_are_no_products_are_refused():
    grid = PhaseGrid(TorusGrid(2, 4), MappedNodes(2, 24))
    with pytest.raises(InputError, match="products of one density along each axis"):
        Spectral(KineticReaction(profile("algebraic", k=4.0), "gaussian"), grid)


@pytest.mark.slow
def test_three_dimensions_cost_nothing_more():
    """One wave along the third axis is the solution of dimension 1."""
    model, t_end = KineticReaction(epsilon=0.5), jnp.asarray(0.01)
    found = []
    for d in (1, 3):
        grid = PhaseGrid(TorusGrid(d, 4), UniformNodes(d, 12, 5.0))
        rho = 1 + 0.2 * jnp.cos(2 * jnp.pi * grid.x[..., -1])
        stepper = Spectral(model, grid, modes=4, rtol=1e-6)
        last = run(stepper, stepper.start(model.local_equilibrium(rho, grid)), t_end)
        found.append(np.asarray(stepper._densities(last.y)[0]))
    np.testing.assert_allclose(found[1][1, 2], found[0], atol=1e-9)
