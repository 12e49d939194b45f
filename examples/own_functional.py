"""Your own quantity along a run: any function of (t, f, grid) that jax can trace."""

import jax.numpy as jnp

import relaxon as rx


def fourth_moment(t, f, grid):
    """int |v|^4 f over 15 times that of the Maxwellian with the same mass and temperature."""
    mass, energy = grid.integrate(f), grid.integrate(grid.r**2 * f)
    return grid.integrate(grid.r**4 * f) * mass / (5 / 3 * energy**2)


def main(n=200, t_end=100.0):
    grid = rx.RadialGrid(d=3, n=n, r_max=12.0, r_min=0.3)
    f0 = rx.distributions.gaussian_mixture(grid, [0.7, 0.3], jnp.zeros((2, 3)), [0.3, 1.5])
    record = rx.Record(times=[1.0, 10.0], functionals={"fourth": fourth_moment})
    solution = rx.solve(rx.Problem(rx.Landau(), grid, f0), t_end, record)
    for t, value in zip(solution.t, solution.diagnostics["fourth"]):
        print(f"t = {t:<5g} fourth moment over that of the Maxwellian {value:.6f}")


if __name__ == "__main__":
    main()
