"""Write confined_reaction.json: moments of nonlinear solutions under a harmonic potential.

Run: PYTHONPATH=src:tests/physics python tests/reference/make_confined_reaction.py
"""

import json
from pathlib import Path

import numpy as np
from confined_cases import kinetic, limit, observed, problem, wavy

TIMES = (0.5, 1.0)


def solution(epsilon, T1, T2, n, depth, xi_max):
    grid, model, _ = problem(epsilon, n, T1, T2, depth=depth, xi_max=xi_max)
    rho = wavy(np.asarray(grid.line.nodes))
    found = kinetic(grid, model, rho, TIMES)
    return [observed(grid, F, G) for F, G in found]


def fluid(T1, T2, n, depth):
    grid, model, _ = problem(1.0, (n, 4), T1, T2, depth=depth)
    rho = wavy(np.asarray(grid.line.nodes))
    found = limit(grid.line, model.diffusion_limit(), rho - 1 / rho, TIMES)
    W, x = np.asarray(grid.line.weights), np.asarray(grid.line.nodes)
    return [
        {
            "mass_difference": float(W @ m),
            "dipole": float(W @ (x * m)),
            "cubic": float(W @ (x**3 * m)),
        }
        for m in found
    ]


def main():
    result = {"times": TIMES, "kinetic": [], "limit": []}
    for T1, T2 in ((1.0, 1.0), (1.0, 0.25)):
        for epsilon in (1.0, 0.1):
            fine = solution(epsilon, T1, T2, (56, 32), 28.0, 7.5)
            coarse = solution(epsilon, T1, T2, (44, 28), 24.0, 7.0)
            change = max(abs(a[k] - b[k]) for a, b in zip(fine, coarse) for k in a)
            print(T1, T2, epsilon, fine, "change", change, flush=True)
            result["kinetic"].append(
                {"epsilon": epsilon, "T1": T1, "T2": T2, "values": fine, "change": change}
            )
        fine, coarse = fluid(T1, T2, 64, 30.0), fluid(T1, T2, 40, 24.0)
        change = max(abs(a[k] - b[k]) for a, b in zip(fine, coarse) for k in a)
        print(T1, T2, "limit", fine, "change", change, flush=True)
        result["limit"].append({"T1": T1, "T2": T2, "values": fine, "change": change})
    path = Path(__file__).with_name("confined_reaction.json")
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
