"""A plasma physicist: how much does screening slow down the relaxation of two temperatures?"""

import numpy as np

import relaxon as rx


def main(n=64, v_max=6.0, variances=(0.8, 0.3)):
    grid, potential = rx.VelocityGrid(2, n, v_max), rx.potentials.Gaussian(2)
    f = rx.distributions.gaussian_mixture(grid, [1.0], [[0.0, 0.0]], [np.diag(variances)])
    rates = {}
    for name, equation in (
        ("Landau, not screened", rx.Landau(strength=float(potential.landau_prefactor()))),
        ("Lenard-Balescu", rx.LenardBalescu(potential)),
    ):
        change = equation.rhs(f, grid)
        rates[name] = float(grid.integrate(change * (grid.v[..., 0] ** 2 - grid.v[..., 1] ** 2)))
        print(f"{name:<22} d/dt (T1 - T2) = {rates[name]:.5f}")
    print(
        f"screening slows it down by {rates['Landau, not screened'] / rates['Lenard-Balescu']:.1f}"
    )


if __name__ == "__main__":
    main()
