import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import dawsn

from relaxon.collisions.cartesian.radon import RadonTransform, sphere_rule
from relaxon.core.errors import InputError
from relaxon.grids.cartesian import VelocityGrid


@pytest.mark.parametrize("d", [2, 3])
def test_sphere_rule_integrates_polynomials(d):
    normals, weights = sphere_rule(d, 6)
    area = {2: 2 * np.pi, 3: 4 * np.pi}[d]
    assert weights.sum() == pytest.approx(area)
    second = np.einsum("ki,kj,k->ij", normals, normals, weights)
    assert second == pytest.approx(np.eye(d) * area / d)
    fourth = np.sum(weights * normals[:, 0] ** 2 * normals[:, 1] ** 2)
    assert fourth == pytest.approx(area / (d * (d + 2)))


@pytest.mark.parametrize("d", [2, 3])
def test_lines_of_a_shifted_gaussian(d):
    grid = VelocityGrid(d, 40, 7.0)
    variance = np.array([0.8, 0.6, 0.7])[:d]
    mean = np.array([0.4, -0.3, 0.2])[:d]
    f = jnp.exp(-0.5 * jnp.sum((grid.v - mean) ** 2 / variance, -1))
    f = f / np.sqrt((2 * np.pi) ** d * variance.prod())
    radon = RadonTransform(grid, directions=6)
    lines = radon.lines(radon.spectrum(f))
    u = np.asarray(radon.u)
    s2 = (np.asarray(radon.normals) ** 2 @ variance)[:, None]
    shift = u - (np.asarray(radon.normals) @ mean)[:, None]
    value = np.exp(-(shift**2) / (2 * s2)) / np.sqrt(2 * np.pi * s2)
    x = shift / np.sqrt(2 * s2)
    assert np.abs(lines.value - value).max() < 1e-9
    assert np.abs(lines.slope + shift / s2 * value).max() < 1e-8
    # The tail decays like -1/u^2: a periodic Hilbert transform would miss it by percents.
    assert np.abs(lines.hilbert - (1 - 2 * x * dawsn(x)) / s2).max() < 1e-7


def test_backprojection_is_the_adjoint_of_the_lines():
    grid = VelocityGrid(2, 24, 5.0)
    radon = RadonTransform(grid, directions=10, refine=2)
    f = jnp.exp(-jnp.sum((grid.v - 0.3) ** 2, -1))
    g = jnp.exp(-((radon.u[None] - 0.5 * radon.normals[:, :1]) ** 2) / 1.3)
    back = radon.backproject(radon.line_transform(g)[None])[0]
    lines = radon.lines(radon.spectrum(f)).value
    inside = radon.fine_spacing * jnp.sum(lines * g * radon.weights[:, None])
    assert float(grid.integrate(back * f)) == pytest.approx(float(inside), rel=1e-9)


def test_bad_settings_are_refused():
    grid = VelocityGrid(2, 16, 5.0)
    with pytest.raises(InputError, match="directions"):
        RadonTransform(grid, directions=2)
    with pytest.raises(InputError, match="refine"):
        RadonTransform(grid, refine=0)
