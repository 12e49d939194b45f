"""User-defined potentials: the closed forms again, several maxima, bad input."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from relaxon.core.errors import InputError
from relaxon.screening.potentials import Gaussian, Yukawa
from relaxon.screening.potentials.custom import Custom


def sweep(edge):
    points = [m * np.exp(1j * t) for m in 10.0 ** np.arange(-12, 7, 2) for t in (0, 0.7, 2.0, 3.0)]
    for f in (0.5, 0.99, 1.001, 1.3, 7.1, 300.0, 1e5):
        points += [complex(edge * f, y) for y in (1e-1, 1e-4, -1e-9, 1e-16, 1e-100, 1e-300)]
    return jnp.asarray(points)


@pytest.mark.parametrize(
    "known",
    [
        Gaussian(2, 0.3, 2.5),
        pytest.param(Gaussian(3), marks=pytest.mark.slow),
        pytest.param(Yukawa(2, 0.8, 1.7), marks=pytest.mark.slow),
    ],
)
def test_reproduces_closed_forms(known):
    custom = Custom(known.d, lambda k: known.vhat(k))
    z = sweep(-1 / float(known.v_max))
    ours, theirs = np.asarray(custom.screening(z)), np.asarray(known.screening(z))
    finite = np.isfinite(theirs)
    assert np.max(np.abs(ours[finite] / theirs[finite] - 1)) < 1e-10
    z = z[np.asarray(z.imag) != 0]
    product = np.asarray(custom.screening_product(z)) / np.asarray(known.screening_product(z))
    assert np.max(np.abs(product - 1)) < 1e-10
    assert abs(float(custom.landau_prefactor() / known.landau_prefactor()) - 1) < 1e-13
    assert abs(float(custom.v_max / known.v_max) - 1) < 1e-14


def test_several_maxima():
    # two interior extrema beside k = 0; the oracle is adaptive quadrature of the Lorentzian
    def vhat(k, exp=jnp.exp):
        return exp(-(k**2) / 2) + 2 * exp(-2 * (k - 3) ** 2) + 2 * exp(-2 * (k + 3) ** 2)

    custom = Custom(3, vhat)
    assert len(custom.segments) == 3
    for z in (-1.2 + 0.05j, -0.7 + 0.1j, -40 + 2j, 0.3 + 0.2j):

        def integrand(k, z=z):
            v = vhat(k, np.exp)
            return k**3 * v**2 / abs(1 + v * z) ** 2

        cuts = np.linspace(0, 9, 91)
        exact = sum(quad(integrand, a, b, epsabs=0, epsrel=1e-12)[0] for a, b in pairwise(cuts))
        assert abs(float(custom.screening(jnp.asarray(z))) / exact - 1) < 1e-10


def test_gradient_and_rescaling():
    custom, known = Custom(2, lambda k: 3 * jnp.exp(-(k**2) / 2)), Gaussian(2, 3 / (2 * np.pi))

    def k(potential, x):
        return potential.screening(jax.lax.complex(x, 1e-3))

    slope = jax.jit(jax.grad(k, 1))
    for x in (-1.5, 0.4):
        ours, theirs = slope(custom, x), slope(known, x)
        assert abs(float(ours / theirs) - 1) < 1e-9
    scaled = custom.rescaled(0.5, 0.8)
    z = jnp.asarray(-0.8 + 0.01j)
    assert abs(float(scaled.screening(z) / known.rescaled(0.5, 0.8).screening(z)) - 1) < 1e-10
    assert abs(float(custom.wavenumber(1.0)) - np.sqrt(2 * np.log(3.0))) < 1e-9
    twice, value = scaled.rescaled(0.5, 0.8), jnp.asarray(0.7)
    anew = Custom(2, lambda k: 0.25**1.2 * 3 * jnp.exp(-((0.25 * k) ** 2) / 2))
    for ours, theirs in (
        (twice.screening(z), anew.screening(z)),
        (twice.k0(), anew.k0()),
        (twice.v_max, anew.v_max),
        (twice.vhat(value), anew.vhat(value)),
        (twice.vhat(twice.wavenumber(0.3)), 0.3),
    ):
        assert abs(float(ours / theirs) - 1) < 1e-9


@pytest.mark.parametrize(
    ("vhat", "words"),
    [
        (jnp.cos, "not positive definite"),
        (lambda k: 0 * k, "vanish everywhere"),
        (lambda k: 1 / (1 + k**2), "int k^3 Vhat^2 dk does not converge at large k"),
        (lambda k: jnp.nan * k, "finite for k > 0"),
        (3.0, "must be a function"),
    ],
)
def test_bad_input(vhat, words):
    with pytest.raises(InputError) as caught:
        Custom(3, vhat)
    assert words in str(caught.value)
