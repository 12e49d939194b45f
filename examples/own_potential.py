"""Your own potential, from its Fourier transform, and your own profile, from a function."""

import math

import jax.numpy as jnp

import relaxon as rx


def main(n=120):
    potential = rx.potentials.Custom(3, lambda k: 4.0 / (1 + k**2) ** 2)
    grid = rx.RadialGrid(d=3, n=n, r_max=8.0, r_min=0.5)
    f = rx.distributions.maxwellian(grid, temperature=0.5)
    print(f"Landau prefactor L = {float(potential.landau_prefactor()):.6f}")
    print(f"smallest |eps|     = {rx.dispersion.penrose(potential, f, grid).margin:.3e}")

    mass = math.gamma(0.25) / 2
    chi = rx.distributions.profile(lambda v: jnp.exp(-(v[..., 0] ** 4)) / mass)
    gaussian = rx.distributions.profile("gaussian", variance=1.0)
    gap = rx.reaction.torus_gap(1.0, chi, gaussian)
    print(f"decay rate of the reaction model with it: {gap.rate:.5f}")


if __name__ == "__main__":
    main()
