"""Sum rules of the screened weight for stable marginals that are no Maxwellians."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from relaxon.screening.dispersion import z_maxwellian
from relaxon.screening.potentials import Coulomb, Gaussian, Yukawa

CASES = [
    (Gaussian(3), ((0.7, 1.0), (0.3, 0.5))),
    (Gaussian(2, 0.4, 1.5), ((0.6, 1.0), (0.4, 3.0))),
    (Coulomb(3, 10.0, k_min=0.3), ((0.6, 1.0), (0.4, 3.0))),
    (Yukawa(2, 0.3, 1.0, k_max=30.0), ((0.6, 1.0), (0.4, 3.0))),
]


@pytest.mark.parametrize(("potential", "mixture"), CASES, ids=lambda p: type(p).__name__)
def test_sum_rules(potential, mixture):
    @jax.jit
    def z_of(u):
        return sum(w * z_maxwellian(u, beta) for w, beta in mixture)

    # int u F1' K du = -K0, int F1' K/u du = Re[G(z(0)) - G(0)]; split where a resonance begins
    grid = np.linspace(0.01, 40, 4001)
    real = np.asarray(z_of(jnp.asarray(grid)).real)
    edges = [0.0, 200.0]
    for v in (float(potential.v_max), float(potential.v_min)):
        if v > 0:
            f = real * v + 1
            for i in np.flatnonzero(np.sign(f[:-1]) != np.sign(f[1:])):
                root = brentq(
                    lambda u, v=v: float(z_of(jnp.asarray(u)).real) * v + 1, *grid[i : i + 2]
                )
                edges.append(root)
    edges.sort()
    t, w = np.polynomial.legendre.leggauss(400)
    t, w = (t + 1) / 2, w / 2
    nodes, weights = [], []
    for a, b in pairwise(edges):
        for end, other in ((a, (a + b) / 2), (b, (a + b) / 2)):
            nodes.append(end + (other - end) * t**6)
            weights.append(w * 6 * t**5 * abs(other - end))
    u, weight = np.concatenate(nodes), np.concatenate(weights)
    product = np.asarray(potential.screening_product(z_of(jnp.asarray(u))))
    first = 2 * np.sum(weight * u * product)
    second = 2 * np.sum(weight * product / u)
    assert abs(first / -float(potential.k0()) - 1) < 1e-11
    start = z_of(jnp.asarray(0.0))
    exact = float((potential.G(start) - potential.G(jnp.asarray(0j))).real)
    assert abs(second / exact - 1) < 1e-11
