import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.reaction.theory import mode_matrices as galerkin
from relaxon.reaction.theory.hypocoercivity import functional_rate
from relaxon.reaction.theory.modified_entropy import (
    ReactionSpace,
    auxiliary_product,
    collision,
    density,
    flux,
    h0_dissipation,
    h0_functional,
    h1_dissipation,
    h1_functional,
    inner_product,
    linear_flow,
    macroscopic_part,
    nonlinear_flow,
    transport,
)

WAVE = 2 * np.pi
R, T1, T2 = 1.7, 1.0, 0.5


def gaussian(v, variance):
    return np.exp(-v * v / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def line_space(n=121, reach=9.0):
    v = np.linspace(-reach, reach, n)
    return v, ReactionSpace(
        R, v[:, None], np.full(n, v[1] - v[0]), gaussian(v, T1), gaussian(v, T2)
    )


def hermite(v, variance, modes):
    """Normalised Hermite polynomials, shape (modes, *v.shape)."""
    u, h = v / np.sqrt(variance), [np.ones_like(v), v / np.sqrt(variance)]
    for n in range(1, modes - 1):
        h.append((u * h[n] - np.sqrt(n) * h[n - 1]) / np.sqrt(n + 1))
    return np.array(h[:modes])


def mode_data(v, space, modes, seed, k):
    """A random mode: (f, g) on the grid and its real coefficients in the gauge of `galerkin`."""
    c = np.random.default_rng(seed).normal(size=2 * modes)
    x = np.arange(16) / 16
    wave = np.exp(1j * k * x)[:, None, None]
    turn = 1j ** np.arange(modes)[:, None]
    fields = []
    for half, variance, scale in (
        (c[:modes], T1, np.sqrt(R) * space.chi1),
        (c[modes:], T2, space.chi2 / np.sqrt(R)),
    ):
        fields.append(
            np.sum(wave * (turn * half[:, None] * hermite(v, variance, modes))[None], axis=1).real
            * scale
        )
    return tuple(map(jnp.asarray, fields)), c


def spectral_gradient(v, space):
    """d/dv of h[x, v]: the derivative of decaying functions on the line by FFT."""
    q = 1j * 2 * np.pi * np.fft.fftfreq(v.size, v[1] - v[0])
    return lambda h: jnp.fft.ifft(q * jnp.fft.fft(h, axis=-1), axis=-1).real[..., None]


@pytest.mark.parametrize("number", [1, 3])
def test_forms_agree_with_hermite_matrices(number):
    v, space = line_space()
    k, modes, eta = WAVE * number, 7, 0.3
    F, c = mode_data(v, space, modes - 1, 4, k)
    c = np.insert(np.insert(c, modes - 1, 0.0), 2 * modes - 1, 0.0)
    D, H = galerkin.h0_forms(R, galerkin.transport_matrix(T1, T2, k, modes))
    # The mean of cos^2 over the torus is one half.
    assert inner_product(space, F, F) == pytest.approx(c @ c / 2, rel=1e-12)
    expected = c @ (H[0] + eta * H[1]) @ c / 2
    assert h0_functional(space, F, eta) == pytest.approx(expected, rel=1e-12)
    flow = linear_flow(space, F)
    expected = c @ (D[0] + eta * D[1]) @ c / 2
    assert h0_dissipation(space, F, flow, eta) == pytest.approx(expected, rel=1e-11)


def test_operators_have_the_structure_of_theorem_21():
    v, space = line_space()
    F, _ = mode_data(v, space, 6, 1, WAVE)
    G, _ = mode_data(v, space, 6, 2, WAVE)
    P = macroscopic_part(space, F)
    again = macroscopic_part(space, P)
    assert all(np.allclose(a, b, atol=1e-14) for a, b in zip(P, again))
    assert inner_product(space, P, G) == pytest.approx(
        float(inner_product(space, F, macroscopic_part(space, G))), abs=1e-13
    )
    assert max(np.max(np.abs(h)) for h in collision(space, P)) < 1e-13
    assert inner_product(space, collision(space, F), G) == pytest.approx(
        float(inner_product(space, F, collision(space, G))), rel=1e-12
    )
    assert inner_product(space, transport(space, F), G) == pytest.approx(
        -float(inner_product(space, F, transport(space, G))), rel=1e-11
    )
    ptp = macroscopic_part(space, transport(space, P))
    assert max(np.max(np.abs(h)) for h in ptp) < 1e-13
    # A = Pi A (1 - Pi), and it vanishes on local equilibria.
    assert abs(auxiliary_product(space, P, G)) < 1e-14
    rest = tuple(a - b for a, b in zip(F, P))
    assert auxiliary_product(space, F, G) == pytest.approx(
        float(auxiliary_product(space, rest, macroscopic_part(space, G))), rel=1e-12
    )


def test_microscopic_coercivity():
    v, space = line_space()
    for seed in range(8):
        F, _ = mode_data(v, space, 6, seed, WAVE)
        P = macroscopic_part(space, F)
        rest = tuple(a - b for a, b in zip(F, P))
        loss = -inner_product(space, collision(space, F), F)
        assert loss >= min(R, 1 / R) * inner_product(space, rest, rest) - 1e-13


@pytest.mark.parametrize("flow", [linear_flow, nonlinear_flow])
def test_dissipations_are_derivatives_along_the_flow(flow):
    v, space = line_space()
    F, _ = mode_data(v, space, 6, 3, WAVE)
    F = tuple(0.1 * h for h in F)
    direction = flow(space, F)
    _, slope = jax.jvp(lambda f: h0_functional(space, f, 0.4), (F,), (direction,))
    assert h0_dissipation(space, F, direction, 0.4) == pytest.approx(-float(slope), rel=1e-12)
    weights, gradient = (0.5, 0.013, 0.012, 0.0125), spectral_gradient(v, space)
    _, slope = jax.jvp(lambda f: h1_functional(space, f, weights, gradient), (F,), (direction,))
    assert h1_dissipation(space, F, direction, weights, gradient) == pytest.approx(
        -float(slope), rel=1e-12
    )


def test_nonlinear_flow_is_the_full_system():
    v, space = line_space()
    F, _ = mode_data(v, space, 4, 5, WAVE)
    F = tuple(0.05 * h for h in F)
    f, g = F[0] + R * space.chi1, F[1] + space.chi2 / R
    rho_f, rho_g = density(space, f)[:, None], density(space, g)[:, None]
    streaming = transport(space, (f, g))
    full = (space.chi1 - rho_g * f - streaming[0], space.chi2 - rho_f * g - streaming[1])
    for a, b in zip(full, nonlinear_flow(space, F)):
        assert np.allclose(a, b, atol=1e-13)


def test_h1_functional_of_a_known_field():
    """f = sqrt(r) chi_1 cos(kx): |f|^2 = 1/2, |f_x|^2 = k^2/2, |f_v|^2 = 1/(8 T1), cross term 0."""
    v, space = line_space()
    x = np.arange(16)[:, None] / 16
    F = (jnp.asarray(np.sqrt(R) * np.cos(WAVE * x) * space.chi1), jnp.zeros((16, v.size)))
    gradient = spectral_gradient(v, space)
    for weights, expected in (
        ((1, 0, 0, 0), 0.5),
        ((0, 1, 0, 0), WAVE**2 / 2),
        ((0, 0, 1, 0), 1 / (8 * T1)),
        ((0, 0, 0, 1), 0.0),
    ):
        value = h1_functional(space, F, weights, gradient)
        assert value == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_two_dimensions_with_anisotropic_profiles():
    """A mode along a skew wave vector reduces to one dimension with the variance along it."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(10)
    weights = weights / weights.sum()
    first, second = np.array([1.0, 0.3]), np.array([0.6, 0.6])
    velocity = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1)
    chi = [
        np.prod(np.exp(-(velocity**2) / (2 * s)) / np.sqrt(2 * np.pi * s), axis=-1)
        for s in (first, second)
    ]
    measure = np.outer(weights, weights) / np.prod(
        np.exp(-(velocity**2) / 2) / np.sqrt(2 * np.pi), axis=-1
    )
    space = ReactionSpace(R, velocity, measure, *chi)
    n = np.array([1, 2])
    x = np.stack(np.meshgrid(np.arange(8) / 8, np.arange(8) / 8, indexing="ij"), -1)
    phase = WAVE * x @ n
    along = velocity @ n / np.linalg.norm(n)
    f = R * (np.sin(phase)[..., None, None] * along) * chi[0]
    g = np.cos(phase)[..., None, None] * chi[1]
    F = (jnp.asarray(f), jnp.asarray(g))
    one, two = (float(density(space, along**2 * c)) for c in chi)
    k, d0 = WAVE * np.linalg.norm(n), (R**2 * one + two) / (R**2 + 1)
    # w = -k R one cos/(1 + k^2 D0), u = -mass cos; ten nodes give chi_2 a mass of nearly one.
    mass = float(density(space, chi[1]))
    expected = R / (R**2 + 1) * k * R * one / (1 + k * k * d0) * mass / 2
    assert auxiliary_product(space, F, F) == pytest.approx(expected, rel=1e-12)
    assert flux(space, F[0]).shape == (8, 8, 2)


def test_a_small_nonlinear_solution_loses_h0_at_the_proven_rate():
    v, space = line_space()
    best = functional_rate(R, T1, T2, WAVE)
    for seed in range(5):
        F, _ = mode_data(v, space, 5, seed, WAVE)
        F = tuple(1e-3 * h for h in F)
        loss = h0_dissipation(space, F, nonlinear_flow(space, F), best.weight)
        assert loss >= 1.95 * best.rate * h0_functional(space, F, best.weight)


def test_it_compiles():
    v, space = line_space()
    F, _ = mode_data(v, space, 4, 0, WAVE)
    run = jax.jit(lambda s, f: h0_dissipation(s, f, nonlinear_flow(s, f), 0.3))
    assert run(space, F) == pytest.approx(
        float(h0_dissipation(space, F, nonlinear_flow(space, F), 0.3)), rel=1e-12
    )


def test_bad_shapes():
    v = np.linspace(-1, 1, 5)
    with pytest.raises(InputError, match="velocity"):
        ReactionSpace(1.0, v, np.ones(5), np.ones(5), np.ones(5))
    with pytest.raises(InputError, match="profiles"):
        ReactionSpace(1.0, v[:, None], np.ones(5), np.ones(4), np.ones(5))
