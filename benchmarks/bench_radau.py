"""Against scipy's Radau on a radial finite-volume grid with a dense Jacobian, at equal error.

The blow-down with delta = 1e-6, alpha = 0.3 to t = 1/2; the error is that of the norm of F - M
with weight 1/M, relative to the converged value 0.17923522. Both run here, one after the other.

    python benchmarks/bench_radau.py [--cells 400 800]
"""

import argparse
import math
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")

import numpy as np
from scipy.integrate import solve_ivp

import relaxon as rx

DELTA, ALPHA, T_END, NORM = 1e-6, 0.3, 0.5, 0.17923522


class FiniteVolumes:
    """What one writes in an afternoon: order 2 in r, sums for the coefficients, exact Jacobian."""

    def __init__(self, n, r_max=10.0, r_min=3e-4):
        x = np.linspace(0, 1, n + 1) * math.asinh(r_max / r_min)
        self.faces = s = r_min * np.sinh(x)
        self.volumes = np.diff(s**3) / 3
        self.r = (np.diff(s**4) / 4) / self.volumes
        self.first, self.fourth = np.diff(s**2) / 2, np.diff(s**5) / 5
        s = s[1:-1]
        lower = np.tril(np.ones((n - 1, n)))
        self.to_mass = lower * self.volumes
        self.to_lam = (lower * self.fourth / s[:, None] ** 3 + (1 - lower) * self.first) / 3
        gap = np.diff(self.r)
        weight = (s - self.r[:-1]) / gap
        rows = np.arange(n - 1)
        self.to_slope, self.to_face = np.zeros((2, n - 1, n))
        self.to_slope[rows, rows], self.to_slope[rows, rows + 1] = -1 / gap, 1 / gap
        self.to_face[rows, rows], self.to_face[rows, rows + 1] = 1 - weight, weight
        self.square = s**2

    def divergence(self, flux):
        pad = np.zeros((1, *flux.shape[1:]))
        volumes = self.volumes.reshape(-1, *[1] * (flux.ndim - 1))
        return np.diff(np.concatenate([pad, flux, pad]), axis=0) / volumes

    def coefficients(self, f):
        mass = np.cumsum(f * self.volumes)[:-1]
        fourth = np.cumsum(f * self.fourth)[:-1]
        outer = np.cumsum((f * self.first)[::-1])[::-1][1:]
        slope = np.diff(f) / np.diff(self.r)
        face = f[:-1] + (self.faces[1:-1] - self.r[:-1]) * slope
        return mass, (fourth / self.faces[1:-1] ** 3 + outer) / 3, slope, face

    def rate(self, t, f):
        mass, lam, slope, face = self.coefficients(f)
        return self.divergence(self.square * lam * slope + mass * face)

    def jacobian(self, t, f):
        mass, lam, slope, face = self.coefficients(f)
        flux = (self.square * slope)[:, None] * self.to_lam
        flux += (self.square * lam)[:, None] * self.to_slope
        flux += mass[:, None] * self.to_face + face[:, None] * self.to_mass
        return self.divergence(flux)

    def gaussian(self, mass, temperature):
        return mass * (2 * math.pi * temperature) ** -1.5 * np.exp(-(self.r**2) / (2 * temperature))

    def solve(self, rtol=1e-6):
        f0 = self.gaussian(1, 1) + self.gaussian(DELTA**ALPHA, DELTA)
        scale = np.maximum(self.gaussian(1, 1), 1e-12)
        done = solve_ivp(
            self.rate,
            (0, T_END),
            f0,
            method="Radau",
            rtol=rtol,
            atol=rtol * scale * 1e-2,
            jac=self.jacobian,
        )
        assert done.success
        m = self.gaussian(1, 1)
        return math.sqrt(4 * math.pi * np.sum(self.volumes * (done.y[:, -1] - m) ** 2 / m))


def ours(n, rtol):
    grid = rx.RadialGrid(3, n, 12.0, 3e-4)
    problem = rx.Problem(rx.Landau(), grid, rx.distributions.blowdown(grid, DELTA, ALPHA))
    record = rx.Record(n=2)
    rx.solve(problem, T_END, record, rtol=rtol)  # compile
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        solution = rx.solve(problem, T_END, record, rtol=rtol)
        seconds.append(time.perf_counter() - began)
    far = solution.f[-1] - np.asarray(rx.distributions.maxwellian(grid))
    return min(seconds), abs(float(rx.functionals.weighted_norm(far, grid)) / NORM - 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, nargs="*", default=[400, 800])
    table = []
    for n in parser.parse_args().cells:
        solver = FiniteVolumes(n)
        began = time.perf_counter()
        norm = solver.solve()
        table.append((n, time.perf_counter() - began, abs(norm / NORM - 1)))
        print(f"Radau   {n:5d} cells  {table[-1][1]:8.3f} s  error {table[-1][2]:.1e}", flush=True)
    for n, rtol in ((100, 1e-4), (140, 1e-4), (200, 1e-5), (400, 1e-6)):
        seconds, error = ours(n, rtol)
        print(f"relaxon {n:5d} cells  {seconds:8.3f} s  error {error:.1e}", flush=True)
        beaten = [row for row in table if row[2] >= error]
        if beaten:
            best = min(beaten, key=lambda row: row[2])
            print(
                f"        {best[1] / seconds:.0f} times faster than Radau with {best[0]} cells, "
                f"whose error is {best[2] / error:.1f} times ours"
            )


if __name__ == "__main__":
    main()
