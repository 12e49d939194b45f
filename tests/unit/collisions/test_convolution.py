import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from relaxon.collisions.cartesian.convolution import (
    LandauConvolution,
    _radial_transforms,
    landau_operator,
)
from relaxon.collisions.cartesian.equilibrium import moments
from relaxon.core.errors import InputError
from relaxon.grids.cartesian import VelocityGrid


@pytest.mark.parametrize(("d", "gamma"), [(2, -3.0), (2, 0.5), (3, -3.0), (3, -1.3), (3, 1.0)])
def test_transforms_of_the_cut_kernel(d, gamma):
    x = np.array([0.0, 0.7, 13.0, 160.0])
    a, b = _radial_transforms(d, gamma, x)
    cuts = [0, 0.01, 0.1, *np.linspace(0.2, 1, 40)]
    for k, xk in enumerate(x[:3]):
        if d == 2:
            iso = mpmath.quad(lambda t, xk=xk: t ** (gamma + 3) * mpmath.besselj(0, xk * t), cuts)
            dev = mpmath.quad(lambda t, xk=xk: t ** (gamma + 3) * mpmath.besselj(2, xk * t), cuts)
            assert a[k] == pytest.approx(float(mpmath.pi * iso), abs=1e-10)
            assert b[k] == pytest.approx(float(2 * mpmath.pi * dev), abs=1e-10)
        else:
            iso = mpmath.quad(lambda t, xk=xk: t ** (gamma + 4) * mpmath.sinc(xk * t), cuts)
            assert a[k] == pytest.approx(float(8 * mpmath.pi / 3 * iso), abs=1e-10)
    # More nodes than x.max() asks for must not change the result.
    again = _radial_transforms(d, gamma, np.append(x, 400.0))
    assert np.abs(again[0][:4] - a).max() < 1e-13
    assert np.abs(again[1][:4] - b).max() < 1e-13


def test_coulomb_diffusion_tensor_at_a_maxwellian():
    # Landau d = 3, kernel pi^2 / 2 |w|^-1 Pi, mu with beta = 1: eigenvalues in closed form.
    grid = VelocityGrid(3, 48, 6.0)
    f = jnp.exp(-jnp.sum(grid.v**2, -1)) / np.pi**1.5
    tensor, friction = landau_operator(grid, -3.0, np.pi**2 / 2).coefficients(f)
    c, one = 24, 24 + 4
    assert float(grid.v[one, c, c, 0]) == 1.0
    assert float(tensor[c, c, c, 0, 0]) == pytest.approx(3.7122186646, rel=1e-8)
    assert float(tensor[one, c, c, 0, 0]) == pytest.approx(2.1100883357, rel=1e-8)
    assert float(tensor[one, c, c, 1, 1]) == pytest.approx(3.1035175596, rel=1e-8)
    far = c + 22  # the radial eigenvalue decays like L / v^3, up to T = 1/2
    assert float(tensor[far, c, c, 0, 0]) == pytest.approx(np.pi**2 / 2 / 5.5**3, rel=1e-7)
    # At a Maxwellian the flux vanishes: P = -2 D v.
    expected = -2 * jnp.einsum("...ij,...j", tensor, grid.v)
    assert float(jnp.abs(friction - expected).max()) < 1e-8


@pytest.mark.parametrize("gamma", [-3.0, -1.0, 0.0, 1.0])
def test_invariants_and_stationarity(gamma):
    grid = VelocityGrid(2, 32, 6.0)
    operator = landau_operator(grid, gamma, 0.3)
    v = grid.v
    bump = jnp.exp(-jnp.sum((v - jnp.array([0.8, -0.3])) ** 2, -1) / 0.9)
    f = 0.4 * bump + 0.2 * jnp.exp(-jnp.sum((v + 0.5) ** 2, -1) / 1.2)
    rate = operator(f)
    assert np.abs(moments(rate, grid)).max() < 1e-15 * float(jnp.abs(rate).max()) * 100
    maxwellian = 0.7 * jnp.exp(-jnp.sum((v - 0.2) ** 2, -1) / 1.7)
    # Rounding of f times the operator's norm (the spectral radius is up to 300 here).
    assert float(jnp.abs(operator(maxwellian)).max()) < 1e-13


def test_bad_gamma_is_refused():
    with pytest.raises(InputError, match="gamma"):
        LandauConvolution(VelocityGrid(2, 16, 5.0), gamma=-3.5)
