"""An independent solver: finite volumes of order 2 in r, scipy's Radau, a dense Jacobian.

It shares nothing with the package: other unknown (F), other grid, other fluxes, other integrator.
"""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import relaxon as rx


class FiniteVolumes:
    """dF/dt = r^-2 d/dr [r^2 (lam1 F' + m F / r^2)] on cells graded by a sinh."""

    def __init__(self, n, r_max, r_min):
        x = np.linspace(0, 1, n + 1) * math.asinh(r_max / r_min)
        self.faces = r_min * np.sinh(x)
        self.volumes = np.diff(self.faces**3) / 3
        self.r = (np.diff(self.faces**4) / 4) / self.volumes
        self.first, self.fourth = np.diff(self.faces**2) / 2, np.diff(self.faces**5) / 5

    def rate(self, t, f):
        s = self.faces[1:-1]
        mass = np.cumsum(f * self.volumes)[:-1]
        fourth = np.cumsum(f * self.fourth)[:-1]
        outer = np.cumsum((f * self.first)[::-1])[::-1][1:]
        lam1 = (fourth / s**3 + outer) / 3
        slope = np.diff(f) / np.diff(self.r)
        weight = (s - self.r[:-1]) / np.diff(self.r)
        face = f[:-1] + weight * np.diff(f)
        flux = np.concatenate([[0.0], s**2 * (lam1 * slope + mass / s**2 * face), [0.0]])
        return np.diff(flux) / self.volumes

    def solve(self, f0, t_end):
        done = solve_ivp(self.rate, (0, t_end), f0(self.r), method="Radau", rtol=1e-7, atol=1e-12)
        assert done.success
        return done.y[:, -1]

    def norm_from(self, f):
        gauss = (2 * math.pi) ** -1.5 * np.exp(-(self.r**2) / 2)
        return math.sqrt(4 * math.pi * np.sum(self.volumes * (f - gauss) ** 2 / gauss))


def data(r):
    spot = 0.01**0.35 * (2 * math.pi * 0.01) ** -1.5 * np.exp(-(r**2) / 0.02)
    return (2 * math.pi) ** -1.5 * np.exp(-(r**2) / 2) + spot


def ours(t_end):
    grid = rx.RadialGrid(3, 200, 10.0, 0.02)
    problem = rx.Problem(rx.Landau(), grid, rx.distributions.blowdown(grid, 0.01, 0.35))
    f = rx.solve(problem, t_end, rx.Record(n=2), rtol=1e-8).f[-1]
    far = f - np.asarray(rx.distributions.maxwellian(grid))
    return float(rx.functionals.weighted_norm(far, grid))


@pytest.mark.parametrize("t_end", [0.1, 0.5])
def test_we_agree_to_the_error_of_the_oracle(t_end):
    found = []
    for n in (60, 120):
        oracle = FiniteVolumes(n, 8.0, 0.05)
        found.append(oracle.norm_from(oracle.solve(data, t_end)))
    error = abs(found[1] - found[0]) / 3  # of the finer grid, order 2
    limit = found[1] + (found[1] - found[0]) / 3
    assert error < 5e-3 * limit
    assert abs(ours(t_end) - found[1]) < 1.5 * error
    assert abs(ours(t_end) - limit) < 0.3 * error
