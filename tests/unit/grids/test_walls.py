"""The box with walls: fields with leading axes, integrals, extension and restriction."""

import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx


@pytest.fixture(scope="module")
def box():
    return rx.WalledGrid(1, 8, rx.UniformNodes(2, 8, 6.0))


def fields(shape, count=2):
    return np.random.default_rng(1).random((count, *shape))


def test_integrals_keep_leading_axes(box):
    """As those of all grids do; the trapezoidal rule over the box."""
    f = fields(box.shape)
    inner = 0.5 * (f[:, 1:] + f[:, :-1]).mean(axis=1)
    wanted = np.asarray(box.velocity.integrate(jnp.asarray(inner)))
    np.testing.assert_allclose(box.integrate(jnp.asarray(f)), wanted, rtol=1e-14)
    rho = np.asarray(box.velocity.integrate(jnp.asarray(f)))
    np.testing.assert_allclose(box.integrate_position(jnp.asarray(rho)), wanted, rtol=1e-14)


@pytest.mark.parametrize("with_velocity", [True, False])
def test_extension_and_restriction_keep_leading_axes(box, with_velocity):
    shape = box.shape if with_velocity else box.shape[:1]
    doubled = box.doubled.shape if with_velocity else box.doubled.torus.shape
    f = jnp.asarray(fields(shape, 3))
    whole = box.extend(f)
    assert whole.shape == (3, *doubled)
    back = box.restrict(whole)
    np.testing.assert_array_equal(whole, [box.extend(one) for one in f])
    np.testing.assert_array_equal(back, [box.restrict(one) for one in whole])
    inside = (slice(None), slice(1, -1))
    np.testing.assert_allclose(back[inside], f[inside], rtol=1e-15)
