"""Cost of a smaller spot: delta from 1e-3 to 1e-12, at equal cells per decade and at equal cells.

python benchmarks/bench_delta.py
"""

import math
import time

import relaxon as rx


def cost(delta, n=None):
    r_min = math.sqrt(delta) / 3
    n = n or round(26 * (math.asinh(12.0 / r_min) + 4))
    grid = rx.RadialGrid(3, n, 12.0, r_min)
    problem = rx.Problem(rx.Landau(), grid, rx.distributions.blowdown(grid, delta, 0.3))
    record = rx.Record(n=2)
    rx.solve(problem, 0.5, record)  # compile
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        solution = rx.solve(problem, 0.5, record)
        seconds.append(time.perf_counter() - began)
    assert solution.ok
    return n, solution.provenance["steps"], min(seconds)


def main():
    found = {}
    for delta in (1e-3, 1e-6, 1e-9, 1e-12):
        n, steps, found[delta] = cost(delta)
        print(f"delta {delta:.0e}  {n} cells  {steps} steps  {found[delta]:.3f} s", flush=True)
    ratio = found[1e-12] / found[1e-6]
    print(f"delta 1e-12 costs {ratio:.2f} times what delta 1e-6 costs at equal cells per decade")
    small, large = (cost(delta, 400) for delta in (1e-12, 1e-6))
    print(f"and {small[2] / large[2]:.2f} times at 400 cells ({small[1]} and {large[1]} steps)")


if __name__ == "__main__":
    main()
