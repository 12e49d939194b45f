"""Checks of gualdani2025, section 2: the Landau-Coulomb operator itself."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import numpy as np
from scipy.interpolate import make_interp_spline

from relaxon.collisions.landau import Landau
from relaxon.distributions.gaussians import gaussian_mixture, maxwellian
from relaxon.distributions.hot_spot import C0
from relaxon.grids.radial import RadialGrid
from relaxon.numerics.fits import power_law, refined
from relaxon.numerics.legendre import unit_gauss_legendre
from relaxon.theorems.check import Measurement, claim
from relaxon.theorems.gualdani2025 import coercivity
from relaxon.theorems.spoiled import WrongDiffusion

MIXTURES = {
    "unit Maxwellian": ([1.0], [1.0]),
    "hot spot": ([1.0, 0.2], [1.0, 0.01]),
    "two temperatures": ([0.5, 0.5], [0.5, 1.5]),
}
"""Radial distributions of the identities: weights and temperatures of centred Gaussians."""


@eqx.filter_jit
def _coefficients(equation: Any, f: Any, grid: RadialGrid) -> Any:
    return equation.coefficients(f, grid)


@eqx.filter_jit
def _rhs(equation: Any, f: Any, grid: RadialGrid) -> Any:
    return equation.rhs(f, grid)


def _sizes(quick: bool) -> tuple[int, ...]:
    return (60, 90, 135) if quick else (100, 200, 400)


@claim(
    "landau-c0",
    source="gualdani2025, (2.2)",
    statement="c_0 = sup_e <A[M](0) e, e> = 1/(3 (2 pi)^(3/2)).",
    family="the unit Maxwellian on three radial grids",
    measured="the larger eigenvalue of A[M](0) from the solver's coefficients, over the claim",
    rule="equal to one within a relative 1e-9, the discretisation error included",
    twin=[
        {"claimed": 1 / (3 * 2 * math.pi**1.5)},
        {"equation": Landau(strength=1 / (4 * math.pi))},
        {"equation": WrongDiffusion(lambda r: 1.001)},
    ],
)
def c0(quick: bool, *, claimed: float = C0, equation: Any = None) -> Measurement:
    """The diffusion that blows the spot down."""
    equation = equation or Landau()
    sizes, found = _sizes(quick), []
    for n in sizes:
        grid = RadialGrid(3, n, 12.0, 0.5)
        (lam1, lam2), _ = _coefficients(equation, maxwellian(grid), grid)
        found.append(float(max(lam1[0], lam2[0])) / claimed)
    value, error = refined(found, sizes)
    detail = f"c_0 = {value * claimed:.12g}, claimed {claimed:.12g}, {sizes[-1]} cells."
    return Measurement(value, error, 1e-9 - abs(value - 1), detail)


@claim(
    "landau-identities",
    source="gualdani2025, (2.12)-(2.15)",
    statement="div A[F] = grad a[F]; Laplace a[F] = -F; Q(F, F) = A[F] : Hess F + F^2; "
    "a' = -r^-2 int_0^r s^2 F ds <= 0.",
    family="three Gaussian mixtures on three radial grids",
    measured="largest residual of the four identities, relative to the largest term",
    rule="the residual vanishes within 2e-4, the change under refinement included",
    twin=[
        {"square": 2.0},
        {"equation": Landau(strength=1 / (4 * math.pi))},
        {"equation": WrongDiffusion(lambda r: 1.01)},
    ],
)
def identities(quick: bool, *, equation: Any = None, square: float = 1.0) -> Measurement:
    """The identities; `square` is the claimed factor of F^2 in (2.14)."""
    equation = equation or Landau()
    sizes = (200, 300) if quick else (200, 300, 450)
    table = {
        name: [_residuals(equation, mixture, n, square) for n in sizes]
        for name, mixture in MIXTURES.items()
    }
    worst = [max(max(rows[k].values()) for rows in table.values()) for k in range(len(sizes))]
    value, error = refined(worst, sizes)
    last = {key: max(rows[-1][key] for rows in table.values()) for key in table["hot spot"][-1]}
    detail = "Residuals " + ", ".join(f"{key}: {x:.1e}" for key, x in last.items()) + "."
    return Measurement(value, error, 2e-4 - value, detail, data={"sizes": sizes, "table": table})


def _residuals(equation: Any, mixture: tuple, n: int, square: float) -> dict[str, float]:
    """The relative residuals of the four identities on one grid."""
    weights, temperatures = mixture
    grid = RadialGrid(3, n, 14.0, 0.1)
    f = gaussian_mixture(grid, weights, np.zeros((len(weights), 3)), temperatures)
    (lam1, lam2), friction = (_numpy(x) for x in _coefficients(equation, f, grid))
    r, faces = np.asarray(grid.r), np.asarray(grid.faces)
    trace = lam1 + 2 * lam2
    lam1_c, slope1 = _at_centres(grid, lam1)
    lam2_c, _ = _at_centres(grid, lam2)
    _, slope_a = _at_centres(grid, trace)
    # P = a' is odd: differentiate the even function a'/r, whose value at 0 is -F(0)/3.
    over_r = np.append(-_density(weights, temperatures, 0.0)[0] / 3, friction[1:] / faces[1:])
    over_r_c, over_r_slope = _at_centres(grid, over_r)
    f_exact, f_slope, f_curve = _density(weights, temperatures, r)
    # A : Hess F = lam1 F'' + 2 lam2 F'/r for radial F, with F in closed form.
    expanded = lam1_c * f_curve + 2 * lam2_c * f_slope / r + square * f_exact**2
    terms = np.abs(lam1_c * f_curve) + np.abs(2 * lam2_c * f_slope / r) + f_exact**2
    mass = _mass(weights, temperatures, r)
    # (2.12): the divergence of a radial matrix field is lam1' + 2 (lam1 - lam2)/r.
    return {
        "(2.12)": _relative(slope1 + 2 * (lam1_c - lam2_c) / r - slope_a, slope_a),
        "(2.13)": _relative(3 * over_r_c + r * over_r_slope + f_exact, f_exact),
        "(2.14)": _relative(np.asarray(_rhs(equation, f, grid)) - expanded, terms),
        "(2.15)": _relative(slope_a + mass / r**2, slope_a),
    }


@claim(
    "landau-eigenvalues-decrease",
    source="gualdani2025, Lemma 2.3",
    statement="Both eigenvalues of A[M](v) are positive and decrease in |v|.",
    family="the unit Maxwellian on three radial grids, |v| <= 20",
    measured="the largest of (1 + r^2)^(5/2) d lam1/d(r^2) and (1 + r^2)^(3/2) d lam2/d(r^2)",
    rule="below zero by more than its change under refinement, and both eigenvalues positive",
    twin=[
        {"equation": WrongDiffusion(lambda r: 1 + r**2)},
        {"equation": WrongDiffusion(lambda r: -1.0 + 0 * r)},
    ],
)
def eigenvalues_decrease(quick: bool, *, equation: Any = None) -> Measurement:
    """The scaled derivatives stay away from zero at both ends, so the sign is decided."""
    equation = equation or Landau()
    sizes, found, lowest = _sizes(quick), [], math.inf
    for n in sizes:
        grid = RadialGrid(3, n, 20.0, 0.5)
        (lam1, lam2), _ = _coefficients(equation, maxwellian(grid), grid)
        square = np.asarray(grid.faces) ** 2
        # With these powers of 1 + r^2 both derivatives have limits other than zero at either end.
        middle = 1 + (square[1:] + square[:-1]) / 2
        scaled = [
            np.diff(np.asarray(lam)) / np.diff(square) * middle**power
            for lam, power in ((lam1, 2.5), (lam2, 1.5))
        ]
        found.append(float(np.max(scaled)))
        lowest = min(lowest, float(np.min(lam1)), float(np.min(lam2)))
    value, error = refined(found, sizes)
    margin = -value if lowest > 0 else -abs(value)
    detail = f"The smallest eigenvalue on the grid is {lowest:.2e}."
    return Measurement(value, error, margin, detail)


@claim(
    "landau-eigenvalue-powers",
    source="gualdani2025, Lemma 2.3 (2.16)",
    statement="lam1(v) ~ |v|^-3 and lam2(v) ~ |v|^-1 for large |v|.",
    family="the unit Maxwellian, 8 <= |v| <= 32 on two radial grids",
    measured="the powers fitted by weighted least squares in logarithms",
    rule="each within 0.1 of the claim, the fit's error included",
    twin=[
        {"claimed": (-2.0, -1.0)},
        {"claimed": (-3.0, -2.0)},
        {"equation": WrongDiffusion(lambda r: (1 + r**2) ** 0.5)},
    ],
)
def eigenvalue_powers(
    quick: bool, *, equation: Any = None, claimed: tuple[float, float] = (-3.0, -1.0)
) -> Measurement:
    """The powers; that of lam2 drifts like 2/|v|^2, which the error contains."""
    equation = equation or Landau()
    sizes = (60, 120) if quick else (200, 400)
    targets = np.geomspace(8.0, 32.0, 9)
    curves = []
    for n in sizes:
        grid = RadialGrid(3, n, 35.0, 0.5)
        (lam1, lam2), _ = _coefficients(equation, maxwellian(grid), grid)
        faces = np.asarray(grid.faces)[1:]
        # Both grids at the same radii, by a spline in logarithms.
        curves.append(
            [
                np.exp(
                    make_interp_spline(np.log(faces), np.log(np.asarray(x)[1:]), k=3)(
                        np.log(targets)
                    )
                )
                for x in (lam1, lam2)
            ]
        )
    fits = [power_law(targets, fine, np.abs(fine - coarse)) for coarse, fine in zip(*curves)]
    away = [abs(fit.value - power) for fit, power in zip(fits, claimed)]
    worst = int(np.argmax([a + fit.error for a, fit in zip(away, fits)]))
    detail = f"Powers {fits[0]} for lam1 and {fits[1]} for lam2, claimed {claimed}."
    data = {"r": targets, "lam1": curves[-1][0], "lam2": curves[-1][1]}
    fit = fits[worst]
    return Measurement(fit.value, fit.error, 0.1 - away[worst], detail, fit, data)


@claim(
    "landau-coercivity",
    source="gualdani2025, Lemma 2.4 (2.18)",
    statement="-<L_M g, g>_M >= c D_M(P^perp g) with some c > 0.",
    family="spherical harmonics l = 0, 1, 2 (full: to 4); piecewise polynomials to r = 20, 40, 100",
    measured="the infimum of the quotient: lowest eigenvalue, or 1/(20 pi) of packets at infinity",
    rule="above the claim (zero) by more than its change under refinement in order and r_max",
    twin=[{"claimed": 0.012}, {"exchange": 1.5, "project": False}],
)
def coercive(
    quick: bool, *, claimed: float = 0.0, exchange: float = 1.0, project: bool = True
) -> Measurement:
    """The infimum is attained by a radial function; `exchange` scales the non-local part."""
    degrees = range(3 if quick else 5)
    levels = ((20.0, 16, 6), (40.0, 24, 7), (100.0, 32, 8))
    lowest = np.array(
        [
            [
                coercivity.forms(l, r_max, panels, order, exchange).smallest(1, project)[0]
                for r_max, panels, order in levels
            ]
            for l in degrees
        ]
    )
    # An eigenvalue above FAR is not the infimum: wave packets undercut it.
    infimum = np.minimum(lowest, coercivity.FAR).min(axis=0)
    value = float(infimum[-1])
    error = float(max(abs(infimum[-1] - infimum[-2]), 1e-12))
    per_degree = ", ".join(f"l = {l}: {x:.6f}" for l, x in zip(degrees, lowest[:, -1]))
    detail = (
        f"Lowest eigenvalue {per_degree}; packets at infinity reach {coercivity.FAR:.6f} for "
        "every l, so only values below that are attained."
    )
    data = {"degrees": list(degrees), "levels": levels, "lowest": lowest, "far": coercivity.FAR}
    return Measurement(value, error, value - claimed, detail, data=data)


def _at_centres(grid: RadialGrid, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value and r-derivative at the centres of an even function given at all faces."""
    dx, n = float(grid.dx), grid.n
    # Eight mirrored values, so that the spline of degree 7 is even across r = 0.
    x = np.arange(-8, n + 1) * dx
    spline = make_interp_spline(x, np.concatenate([values[8:0:-1], values]), k=7)
    centres = (np.arange(n) + 0.5) * dx
    return spline(centres), spline(centres, 1) / np.asarray(grid.slope)


def _density(weights: Any, temperatures: Any, r: Any) -> tuple[np.ndarray, ...]:
    """F, F' and F'' of a mixture of centred Gaussians."""
    r = np.asarray(r, float)
    total = [np.zeros_like(r) for _ in range(3)]
    for weight, t in zip(weights, temperatures):
        f = weight * (2 * math.pi * t) ** -1.5 * np.exp(-(r**2) / (2 * t))
        for k, factor in enumerate((1.0, -r / t, (r**2 / t - 1) / t)):
            total[k] = total[k] + f * factor
    return total[0], total[1], total[2]


def _mass(weights: Any, temperatures: Any, r: np.ndarray) -> np.ndarray:
    """int_0^r s^2 F ds by Gauss quadrature on each [0, r]."""
    x, w = unit_gauss_legendre(200)
    s = r[:, None] * x
    f, _, _ = _density(weights, temperatures, s)
    return (f * s**2) @ w * r


def _relative(residual: np.ndarray, scale: np.ndarray) -> float:
    return float(np.max(np.abs(residual)) / np.max(np.abs(scale)))


def _numpy(x: Any) -> Any:
    return tuple(np.asarray(i) for i in x) if isinstance(x, tuple) else np.asarray(x)
