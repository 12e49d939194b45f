"""Polylogarithms and arctangents in split arithmetic against mpmath."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from relaxon.numerics.polylogarithm import arctan_deficit, arctan_ratio, polylog_ratio
from relaxon.numerics.split_complex import variable


def both(split):
    return np.asarray(split.re), np.asarray(split.imaginary)


@pytest.mark.parametrize("order", [1.5, 2])
def test_polylog(order):
    w = np.array(
        [
            m * np.exp(1j * t)
            for m in (1e-9, 0.1, 0.59, 0.61, 0.9, 1.1, 5, 8, 1e4)
            for t in (0.01, 1.5, 3.1)
        ]
        + [complex(m, y) for m in (-3.0, 0.3, 1.001, 1.3, 40.0) for y in (1e-3, 1e-14)]
    )
    re, im = both(jax.jit(lambda s: polylog_ratio(order, s, 1.0 - s))(variable(jnp.asarray(w))))
    with mp.workdps(50):
        for i, value in enumerate(w):
            point = mp.mpc(value.real, value.imag)
            if abs(point) < 1e-6:
                exact = sum(point**n / mp.mpf(n + 1) ** order for n in range(9))
            else:
                exact = mp.polylog(order, point) / point
            assert abs(float(re[i]) - exact.real) < 1e-12 * abs(exact)
            assert abs(float(im[i]) - exact.imag) < 2e-12 * abs(exact.imag)


def test_arctangents():
    tau = np.array(
        [m * np.exp(1j * t) for m in (1e-6, 0.15, 0.5, 0.99) for t in (0.1, 1.6, 3.0, 3.14159)]
    )
    s = variable(jnp.asarray(tau))
    ratio, deficit = both(arctan_ratio(s, s + 1.0)), both(arctan_deficit(s, s + 1.0))
    with mp.workdps(40):
        for i, value in enumerate(tau):
            root = mp.sqrt(mp.mpc(value.real, value.imag))
            exact = mp.atan(root) / root
            rest = (1 - exact) / root**2
            for (re, im), wanted in ((ratio, exact), (deficit, rest)):
                assert abs(float(re[i]) - wanted.real) < 2e-14 * abs(wanted)
                assert abs(float(im[i]) - wanted.imag) < 2e-13 * abs(wanted.imag)
