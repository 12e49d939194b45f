"""A plasma physicist: is this code right? The exact solution for Maxwell molecules, d = 2."""

import numpy as np

import relaxon as rx


def main(sizes=(32, 40, 48), t_end=1.0, rtol=1e-8):
    strength = 1 / 16
    for n in sizes:
        grid = rx.VelocityGrid(2, n, 6.0)
        f0 = rx.distributions.bkw(grid, 0.0, strength)
        problem = rx.Problem(rx.Landau(gamma=0.0, strength=strength), grid, f0)
        solution = rx.solve(problem, t_end, rx.Record(n=2), rtol)
        exact = np.asarray(rx.distributions.bkw(grid, t_end, strength))
        error = np.linalg.norm(solution.f[-1] - exact) / np.linalg.norm(exact)
        print(f"{n:>3}^2 points: relative error {error:.1e}")


if __name__ == "__main__":
    main()
