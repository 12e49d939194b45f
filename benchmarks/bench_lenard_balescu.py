"""The isotropic screened operator against a direct quadrature in k and u of the same operator.

    python benchmarks/bench_lenard_balescu.py [--cells 400]

Both evaluate K(u) = int k^3 Vhat^2/|1 + Vhat z|^2 dk of the unit Gaussian potential in d = 3 for
a mixture of Gaussians, from the same z(u), so that only the treatment of K is compared. The naive
way samples k on a fixed grid at the solver's points u. The error is that of the sum rule
int u F1' K du = -K_0, which both must satisfy.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import relaxon as rx
from relaxon.collisions.radial.form import Frame, log_rate
from relaxon.collisions.radial.screening import radial_screening
from relaxon.distributions.functionals import temperature


def best_of(function, *arguments, repeats: int = 20) -> float:
    """Seconds of the fastest call after the first."""
    jax.block_until_ready(function(*arguments))
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        found.append(time.perf_counter() - began)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=400)
    cells = parser.parse_args().cells
    potential = rx.potentials.Gaussian(3)
    grid = rx.RadialGrid(3, cells, 12.0, 0.7)
    f = rx.distributions.gaussian_mixture(grid, [0.7, 0.3], [[0.0] * 3] * 2, [0.35, 0.85])
    model, log_f = radial_screening(potential, grid), jnp.log(f)
    frame = Frame(grid, grid.integrate(f), temperature(f, grid))
    ell = log_f - frame.log_maxwellian

    def rate(ell: jax.Array) -> jax.Array:
        return log_rate(frame, model.kernel(frame.log_maxwellian + ell), ell)

    began = time.perf_counter()
    evaluate = jax.jit(rate)
    jax.block_until_ready(evaluate(ell))
    compiled = time.perf_counter() - began
    seconds = best_of(evaluate, ell)
    print(f"one evaluation, {cells} cells: {1e3 * seconds:.2f} ms (compiled in {compiled:.1f} s)")

    for label, data in (
        ("mixture", f),
        ("Maxwellian", rx.distributions.maxwellian(grid, 1.0, 0.5)),
    ):
        compare(label, potential, model, jnp.log(data))


def compare(label: str, potential: Any, model: Any, log_f: jax.Array) -> None:
    """Print time and error of K F1' at all points of the solver, closed form and direct."""
    least = float(np.min(model.monitor(log_f)["penrose_margin"]))
    print(f"\n{label}, least |eps| on the solver's points {least:.1e}")
    z = model.dispersion(log_f)
    u, weight = model.strips.radius, model.strips.weight
    exact = -float(potential.k0())

    def defect(product: jax.Array) -> float:
        return abs(float(2 * jnp.sum(weight * u * product)) / exact - 1)

    closed = jax.jit(lambda z: potential.screening_product(z))
    print(f"{'method':<28}{'ms':>10}{'sum rule':>12}")
    print(f"{'closed form':<28}{1e3 * best_of(closed, z):>10.2f}{defect(closed(z)):>12.1e}")
    for points in (200, 2000, 20000):
        k = jnp.linspace(0.0, 8.0, points + 1)[1:]
        vhat, step = potential.vhat(k), 8.0 / points

        @jax.jit
        def naive(z, k=k, vhat=vhat, step=step):
            def row(pole):
                density = k**3 * vhat**2 / jnp.abs(1 + vhat * pole) ** 2
                return step * (jnp.sum(density) - density[-1] / 2)

            return jax.lax.map(row, z.reshape(-1)).reshape(z.shape) * z.imag / jnp.pi

        found = best_of(naive, z, repeats=3)
        print(f"{f'direct, {points} points in k':<28}{1e3 * found:>10.2f}{defect(naive(z)):>12.1e}")


if __name__ == "__main__":
    main()
