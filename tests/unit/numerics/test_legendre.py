"""The tables of Gauss-Legendre quadrature and Legendre series."""

import numpy as np
import pytest

from relaxon.numerics.legendre import (
    gauss_legendre,
    legendre_values,
    to_legendre,
    unit_gauss_legendre,
)


@pytest.mark.parametrize("n", [1, 4, 20, 64])
def test_rules_are_exact_below_degree_2n(n):
    degree = 2 * n - 1
    x, w = unit_gauss_legendre(n)
    assert w @ x**degree == pytest.approx(1 / (degree + 1), rel=1e-13)
    x, w = gauss_legendre(n)
    assert w @ x ** (degree - 1) == pytest.approx(2 / degree, rel=1e-13)


@pytest.mark.parametrize("n", [4, 12, 24])
def test_a_series_is_recovered_from_its_values(n):
    wanted = np.cos(np.arange(n))
    values = legendre_values(gauss_legendre(n)[0], n) @ wanted
    np.testing.assert_allclose(to_legendre(n) @ values, wanted, atol=1e-13)


def test_shared_tables_cannot_be_written_to():
    for table in (*gauss_legendre(5), *unit_gauss_legendre(5), to_legendre(5)):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0.0
