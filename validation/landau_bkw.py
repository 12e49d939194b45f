"""The exact solution of Bobylev, Krook and Wu, at the settings that other codes publish.

Kernel C |w|^2 Pi(w) (gamma = 0). Two dimensions: C = 1/(2 pi), t = 1 (a spectral code with 32 and
48 points) and C = 1/16, t = 5 (a particle code with 40^2 and 60^2 particles); three: C = 1/24 from
t = 5.5. Errors are relative in L2; what is published is an error, and ours must not be larger.
"""

import math

import jax.numpy as jnp
import matplotlib.pyplot as plt
from table import report, save

import relaxon as rx


def error(d, n, v_max, strength, c, start, end, rtol):
    """Relative L2 error at the end, and the drift of the energy."""
    grid = rx.VelocityGrid(d, n, v_max)
    f0 = rx.distributions.bkw(grid, start, strength, c)
    problem = rx.Problem(rx.Landau(gamma=0.0, strength=strength), grid, f0)
    solution = rx.solve(problem, end - start, rx.Record(n=2), rtol)
    exact = rx.distributions.bkw(grid, end, strength, c)
    gap = jnp.linalg.norm(solution.f[-1] - exact) / jnp.linalg.norm(exact)
    return float(gap), solution.drift("energy")


def main():
    rows, two_pi, drifts = [], 1 / (2 * math.pi), []
    ours = {}
    for n, v_max, published in ((32, 5.5, 4.6e-6), (48, 6.5, 4.9e-7)):
        found, drift = error(2, n, v_max, two_pi, 0.5, 0.0, 1.0, 1e-10)
        rows.append((f"error, d = 2, {n}^2 points, C = 1/(2 pi), t = 1", published, found, None))
        drifts.append(drift)
        ours[n] = found
    for n, published in ((40, 1.8e-2), (60, 8.4e-3)):
        found, drift = error(2, n, 6.0, 1 / 16, 0.5, 0.0, 5.0, 1e-9)
        rows.append((f"error, d = 2, {n}^2, C = 1/16, t = 5", published, found, None))
        drifts.append(drift)
        ours[n] = found
    found, drift = error(3, 32, 6.0, 1 / 24, 1.0, 5.5, 6.5, 1e-7)
    rows.append(
        ("error, d = 3, 32^3, C = 1/24, t = 5.5 to 6.5 (the spectral code: NaN)", 0, found, 1e-5)
    )
    drifts.append(drift)
    rows.append(("largest drift of the energy", 0, max(drifts), 1e-12))
    report("landau_bkw", rows)
    draw(ours)


def draw(ours):
    """Errors over points along an axis."""
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    axes.semilogy([20, 40, 60], [7.0e-2, 1.8e-2, 8.4e-3], "s-", label="particles, C = 1/16, t = 5")
    axes.semilogy([32, 48], [4.6e-6, 4.9e-7], "^-", label="spectral, C = 1/(2 pi), t = 1")
    axes.semilogy([32, 48], [ours[32], ours[48]], "o-", label="relaxon, C = 1/(2 pi), t = 1")
    axes.semilogy([40, 60], [ours[40], ours[60]], "o--", label="relaxon, C = 1/16, t = 5")
    axes.set_xlabel("points along an axis")
    axes.set_ylabel("relative L2 error, BKW, d = 2")
    axes.legend(frameon=False, fontsize="small")
    save(figure, "landau-bkw")


if __name__ == "__main__":
    main()
