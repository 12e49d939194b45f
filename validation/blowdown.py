"""Landau-Coulomb from M + delta^alpha M_delta against two kinds of independent codes.

At t = 1/2: finite volumes on two grids with Richardson extrapolation. At t = 0.1 and 1: two further
codes that agree to five digits.
"""

import math

from table import report

import relaxon as rx


def solved(delta, alpha, t_end):
    """F(0), |F - M|_M and |F - M - E|_M at the end."""
    case = rx.case("blowdown", delta=delta, alpha=alpha, n=400, t_end=t_end, rtol=1e-9, times=2)
    found = case.solve().diagnostics
    return [float(found[name][-1]) for name in ("central_value", "distance_m", "remainder")]


def main():
    rows = []
    for delta, values in (
        (1e-2, (2.527054, 1.703941, 0.03703)),
        (1e-3, (1.884236, 0.975727, 0.02072)),
    ):
        labels = ("F(0)", "norm of F - M", "norm of F - M - E")
        for label, value, allowed, found in zip(
            labels, values, (2e-6, 2e-6, 1e-5), solved(delta, 0.35, 0.5)
        ):
            rows.append((f"{label}, delta = {delta:g}, t = 0.5", value, found, allowed))
    for delta, t, value, allowed in (
        (0.1, 0.1, 0.95010, 1e-5),
        (0.1, 1.0, 0.68733, 1e-5),
        (0.01, 0.1, 8.2346, 1e-4),
    ):
        found = solved(delta, 1 / 3, t)[0]
        rows.append((f"F(0), delta = {delta:g}, alpha = 1/3, t = {t:g}", value, found, allowed))
    grid = rx.RadialGrid(d=3, n=200, r_max=12.0, r_min=0.5)
    lam1 = rx.Landau().coefficients(rx.distributions.maxwellian(grid), grid)[0][0]
    rows.append(
        ("lambda_1[M](0) = 1/(3 (2 pi)^1.5)", 1 / (3 * (2 * math.pi) ** 1.5), float(lam1[0]), 1e-12)
    )
    report("blowdown", rows)


if __name__ == "__main__":
    main()
