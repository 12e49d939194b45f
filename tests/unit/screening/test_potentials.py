"""Screening in closed form against 50 digits; prefactors, derivatives, bad input."""

import json
import math
from decimal import Decimal
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.screening.potentials import Coulomb, Gaussian, Yukawa

TABLE = json.loads((Path(__file__).parents[2] / "reference" / "screening.json").read_text())


def build(case):
    d, args = case["d"], case["args"]
    if case["kind"] == "Gaussian":
        return Gaussian(d, *args)
    if case["kind"] == "Coulomb":
        return Coulomb(d, args[0], args[1], k_min=args[2])
    return Yukawa(d, args[0], args[1], *args[2:])


@pytest.mark.parametrize("case", TABLE, ids=lambda c: f"{c['kind']}{c['d']}-{c['args']}")
def test_screening_everywhere(case):
    potential = build(case)
    x, y = (np.array([row[i] for row in case["rows"]]) for i in (0, 1))
    z = jnp.asarray(x + 1j * y)
    k = np.asarray(jax.jit(lambda p, z: p.screening(z))(potential, z))
    product = np.asarray(jax.jit(lambda p, z: p.screening_product(z))(potential, z))
    exact = [Decimal(row[2]) for row in case["rows"]]
    pi = Decimal("3.14159265358979323846264338327950288")
    finite = np.array([value < Decimal("1e308") for value in exact])
    error = [abs(Decimal(float(a)) / b - 1) for a, b, ok in zip(k, exact, finite) if ok]
    # rounding of the strength 4 pi A is felt next to the edge of a Yukawa resonance
    bound = 1e-10 if case["kind"] == "Yukawa" else 1e-12
    assert max(error) < bound
    assert np.all(np.isinf(k[~finite]))
    exact_product = [v * Decimal(float(t)) / pi for v, t in zip(exact, y)]
    error = [
        abs(Decimal(float(a)) / b - 1)
        for a, b in zip(product, exact_product)
        if abs(b) > Decimal("1e-300")
    ]
    assert max(error) < bound


def test_verified_values():
    assert math.isclose(Gaussian(2).landau_prefactor(), math.pi**1.5 / 2, rel_tol=1e-14)
    assert math.isclose(Gaussian(3).landau_prefactor(), math.pi**2 / 2, rel_tol=1e-14)
    zero = jnp.asarray(0j)
    for potential in (
        Gaussian(2, 0.4, 1.3),
        Gaussian(3, 2.0, 0.2),
        Coulomb(3, 9.0, 1.1, k_min=0.2),
    ):
        assert math.isclose(potential.screening(zero), potential.k0(), rel_tol=1e-13)


def test_k0_of_yukawa_by_hand():
    # int_0^inf k^2/(k^2+m^2)^2 dk = pi/(4 m)
    potential = Yukawa(2, 0.6, 2.0)
    assert math.isclose(potential.k0(), (2 * math.pi * 0.6) ** 2 * math.pi * 2.0 / 4, rel_tol=1e-13)


def test_on_the_cut_without_imaginary_part():
    z = jnp.asarray([-0.5 + 0j, complex(-0.5, -0.0)])
    potential = Gaussian(3)
    assert np.all(np.isinf(np.asarray(potential.screening(z))))
    above, below = np.asarray(potential.screening_product(z))
    assert above > 0 and math.isclose(above, -below)


@pytest.mark.parametrize(
    "potential",
    [
        Gaussian(3),
        Gaussian(2, 0.5, 1.2),
        Coulomb(3, 10.0),
        pytest.param(Coulomb(2, 10.0, k_min=0.5), marks=pytest.mark.slow),
        pytest.param(Yukawa(2, 1.0, 1.0), marks=pytest.mark.slow),
    ],
    ids=lambda p: f"{type(p).__name__}{p.d}",
)
def test_gradients(potential):
    def k(p, x, y):
        return p.screening(jax.lax.complex(x, y)).sum()

    x, y = jnp.asarray([0.3, 5.0, -0.5, 0.3]), jnp.asarray([0.2, -3.0, 1e-3, 1e-300])
    by_x, by_y = jax.jit(jax.grad(k, (1, 2)))(potential, x, y)
    step_x, step_y = jnp.asarray([3e-5, 5e-4, 1e-6, 3e-5]), 1e-4 * y
    z = jax.lax.complex(x, y)
    right, left = potential.screening(z + step_x), potential.screening(z - step_x)
    assert np.allclose(by_x, (right - left) / (2 * step_x), rtol=3e-7)
    up, down = potential.screening(z + 1j * step_y), potential.screening(z - 1j * step_y)
    assert np.allclose(by_y[:3], ((up - down) / (2 * step_y))[:3], rtol=3e-7)


@pytest.mark.parametrize("mode", [jax.jacfwd, jax.grad])
def test_gradients_do_not_cancel_off_resonance(mode):
    # y K is harmonic, so dK/dy -> -y K_xx/3 as y -> 0: far below rounding of K itself
    for potential in (Gaussian(2), Coulomb(3, 10.0)):

        def k(x, y, potential=potential):
            return potential.screening(jax.lax.complex(x, y))

        slope = jax.jit(mode(k, (0, 1)))
        curvature = (slope(0.3 + 1e-5, 1e-9)[0] - slope(0.3 - 1e-5, 1e-9)[0]) / 2e-5
        assert math.isclose(slope(0.3, 1e-9)[1], -1e-9 * curvature / 3, rel_tol=1e-7)


def test_rescaling():
    for potential in (
        Gaussian(3, 0.7, 1.4),
        Coulomb(2, 8.0, 0.5, k_min=0.2),
        Yukawa(3, 1.0, 2.0, k_max=9.0),
    ):
        delta, a, k = 0.3, 0.8, jnp.linspace(0.9, 3.0, 7)
        scaled = potential.rescaled(delta, a)
        expected = delta ** (potential.d - a) * potential.vhat(delta * k)
        assert np.allclose(scaled.vhat(k), expected, rtol=1e-13)
        assert math.isclose(potential.time_factor(delta, a), delta ** (2 * a + 1 - potential.d))
        # the Landau prefactor of V_delta times the time factor is the one of V
        if float(potential.v_max) < math.inf:
            product = scaled.landau_prefactor() * potential.time_factor(delta, a)
            assert math.isclose(product, potential.landau_prefactor(), rel_tol=1e-12)


def test_wavenumber_inverts_vhat():
    for potential in (Gaussian(2, 0.7, 1.4), Coulomb(3, 8.0, 0.5), Yukawa(2, 1.0, 2.0)):
        k = jnp.asarray([0.3, 1.0, 2.5])
        assert np.allclose(potential.wavenumber(potential.vhat(k)), k, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Gaussian(4), "d must be 2 or 3, but is 4"),
        (lambda: Gaussian(3, -1.0), "not positive definite"),
        (lambda: Gaussian(3, 1.0, math.nan), "length must be positive, but is nan"),
        (lambda: Gaussian(3, "x"), "amplitude"),
        (lambda: Yukawa(3, 1.0, 1.0), "int k^3 Vhat^2 dk"),
        (lambda: Coulomb(3, math.inf), "k_max"),
        (lambda: Coulomb(3, 1.0, k_min=2.0), "k_min must lie in"),
        (lambda: Coulomb(3, 1.0).landau_prefactor(), "int k^3 Vhat^2 dk = int k^-1 dk at k = 0"),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)
