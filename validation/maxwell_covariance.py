"""The covariance of any solution for gamma = 0: S(t) = S_inf + (S_0 - S_inf) exp(-4 d C t)."""

import math

import numpy as np
from table import report

import relaxon as rx


def covariance(f, grid):
    """Second moments about the mean, by quadrature."""
    v, mass = np.asarray(grid.v), float(grid.integrate(f))
    mean = np.array([float(grid.integrate(f * v[..., i])) for i in range(grid.d)]) / mass
    shifted = v - mean
    entries = [
        [float(grid.integrate(f * shifted[..., i] * shifted[..., j])) for j in range(grid.d)]
        for i in range(grid.d)
    ]
    return np.array(entries) / mass


def main():
    rows = []
    for d, n, v_max, strength, t in ((2, 48, 6.5, 0.1, 1.0), (3, 32, 6.0, 0.1, 0.5)):
        grid = rx.VelocityGrid(d, n, v_max)
        shift = np.array([1.0, 0.6, -0.4])[:d]
        f0 = rx.distributions.gaussian_mixture(
            grid, [0.4, 0.6], [1.2 * shift, -0.8 * shift], [0.5, 0.7]
        )
        problem = rx.Problem(rx.Landau(gamma=0.0, strength=strength), grid, f0)
        found = covariance(rx.solve(problem, t, rx.Record(n=2), 1e-8).f[-1], grid)
        start = covariance(f0, grid)
        rest = np.trace(start) / d * np.eye(d)
        exact = rest + (start - rest) * math.exp(-4 * d * strength * t)
        for i, j in ((0, 0), (0, 1)):
            label = f"S_{i + 1}{j + 1}, d = {d}, {n}^{d} points, C = {strength:g}, t = {t:g}"
            rows.append((label, exact[i, j], found[i, j], 2e-6))
    report("maxwell_covariance", rows)


if __name__ == "__main__":
    main()
