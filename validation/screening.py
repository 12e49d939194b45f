"""Lenard-Balescu: the screened kernel, diffusion at the Maxwellian, margins, anisotropic rates.

Published: quadrature with 50 digits, unit Gaussian potential, at mu (beta = 1, variance 1/2).
"""

import math

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from table import report, save

import relaxon as rx

KERNEL = {
    0.0: 2.04167061383,
    0.5: 2.70129240716,
    1.0: 6.28480628052,
    2.0: 182.428383442,
    3.0: 26730.3327298,
    4.0: 5171445.58943,
    5.0: 299.667274962,
}
SPEEDS = (0.0, 1.0, 6.0)
DIFFUSION = {
    ("Lenard-Balescu", 2): (
        [0.087526362104, 0.098027955863, 0.0069462238474],
        [0.087526362104, 0.090874742736, 0.07069071145],
    ),
    ("Lenard-Balescu", 3): (
        [0.061109624977, 0.065814801001, 0.022846306482],
        [0.061109624977, 0.062627901573, 0.067937677185],
    ),
    ("Landau", 3): (
        [3.7122186646, 2.1100883357, 0.022846306484],
        [3.7122186646, 3.1035175596, 0.81104388018],
    ),
}


def operator(name, d):
    """The linearised operator at mu."""
    potential = rx.potentials.Gaussian(d)
    bare = rx.Landau(strength=float(potential.landau_prefactor()))
    return rx.linearized(bare if name == "Landau" else rx.LenardBalescu(potential), 0.5)


def rates(equation, n, v_max):
    """d/dt of int v_1^2 F and int v_2^2 F for the Gaussian diag(0.8, 0.3, 0.3)."""
    grid = rx.VelocityGrid(3, n, v_max)
    f = rx.distributions.gaussian_mixture(grid, [1.0], [[0.0] * 3], [np.diag([0.8, 0.3, 0.3])])
    rate = equation.rhs(f, grid)
    return [float(grid.integrate(rate * grid.v[..., i] ** 2)) for i in (0, 1)]


def main():
    rows = []
    potential = rx.potentials.Gaussian(3)
    for u, value in KERNEL.items():
        found = float(potential.screening(rx.dispersion.z_maxwellian(jnp.asarray(u))))
        rows.append((f"K({u:g}), unit Gaussian, d = 3", value, found, 1e-11 * value))
    for u, value in ((0.5, 1.6557438722265), (1.5, 3.6102488123649)):
        found = rx.potentials.Coulomb(3, 10.0).screening(rx.dispersion.z_maxwellian(jnp.asarray(u)))
        rows.append((f"K({u:g}), Coulomb, k_max = 10", value, float(found), 1e-12))
    for d, value in ((2, math.pi**1.5 / 2), (3, math.pi**2 / 2)):
        found = float(rx.potentials.Gaussian(d).landau_prefactor())
        rows.append((f"L, unit Gaussian, d = {d}", value, found, 1e-13))
    for (name, d), tables in DIFFUSION.items():
        found = operator(name, d).eigenvalues(np.array(SPEEDS))
        for which, (published, ours) in enumerate(zip(tables, found), 1):
            for v, value, mine in zip(SPEEDS, published, np.asarray(ours)):
                label = f"lambda_{which}({v:g}), {name}, d = {d}"
                rows.append((label, value, float(mine), 2e-9 * max(value, 0.1)))
    for name, value in (("Lenard-Balescu", 1.7835205694), ("Landau", 31.4992198914)):
        found = operator(name, 3).dirichlet(lambda r: r**4)
        rows.append((f"Dirichlet form of v^4, {name}", value, found, 1e-10 * value))
    strength = float(potential.landau_prefactor())
    for equation, size, published, allowed in (
        (rx.Landau(strength=strength), (64, 6.5), (-2.22439904, 1.11219952), 2e-8),
        (rx.LenardBalescu(potential), (44, 5.0), (-0.052008, 0.026004), 1e-5),
    ):
        for i, (value, found) in enumerate(zip(published, rates(equation, *size)), 1):
            label = f"d/dt int v_{i}^2 F, {type(equation).__name__}, {size[0]}^3 points"
            rows.append((label, value, found, allowed))
    report("screening", rows)
    draw(potential)


def draw(potential):
    """K over u, with the published values."""
    u = np.linspace(0, 6.5, 1301)
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    axes.semilogy(
        u, potential.screening(rx.dispersion.z_maxwellian(jnp.asarray(u))), label="relaxon"
    )
    axes.semilogy(list(KERNEL), list(KERNEL.values()), "o", label="quadrature, 50 digits")
    axes.set_xlabel("u")
    axes.set_ylabel("K(u), unit Gaussian potential, d = 3")
    axes.legend(frameon=False)
    save(figure, "screening")


if __name__ == "__main__":
    main()
