r"""Checks of gualdani2025, Lemmas 3.2 and 5.1: the far field g and the near field h.

The far-field half of (5.1) is confirmed. The near-field half is not: with the weight of (2.5) the
source of h is of order m T^(-3/2), not m T^(-1/2) as in (3.2), because

$$ S_E = (A[M] - A[M](0)) : \nabla^2 E + 2 (M - M(0)) E $$

carries second derivatives of E, of order E/T. They give back the factor T that |A[M] - A[M](0)|
= O(|v|^2) gains. The proof of (3.2) bounds them by E. Hence max |h| ~ delta^(alpha - 1/2),
attained while T ~ delta. What holds is |h| <= R m T^(-1/2), which is as
good at t = 1/2, where T is of order one.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from relaxon.collisions.radial.gaussian import unit_excess
from relaxon.collisions.two_scale.equation import TwoScale
from relaxon.core.errors import InputError, require
from relaxon.grids.radial import RadialGrid
from relaxon.numerics.fits import Fit, power_law
from relaxon.numerics.legendre import gauss_legendre
from relaxon.runs.problem import Problem
from relaxon.runs.record import Record
from relaxon.runs.solution import Solution
from relaxon.theorems.check import Measurement, claim
from relaxon.theorems.measure import solved

FAMILY = "two-scale runs with delta = 1e-3 .. 1e-7 (full: 1e-2 .. 1e-8), alpha = 0.35 (full: 0.3, "
FAMILY += "0.35, 0.45), to t = 1/2"

BOUNDED = 0.08
"""An exponent of delta above -0.08 counts as bounded: a tenth of a power over six decades is
within what a saturating constant shows; the disagreement at issue is 1/4."""


@claim(
    "bootstrap-far",
    source="gualdani2025, Lemma 5.1 (5.1)",
    statement="|g|_M <= R m T(t) up to t = 1/2 with R independent of delta.",
    family=FAMILY,
    measured="the exponent of delta in max |g|_M / (m T)",
    rule="not below zero by more than 0.08, the fit's error included",
    twin={"extra": 0.25},
)
def far(quick: bool, *, extra: float = 0.0) -> Measurement:
    """The far field; `extra` asks for a smaller bound, by delta^extra."""
    return _bounded(quick, "far", extra)


@claim(
    "bootstrap-near",
    source="gualdani2025, Lemma 5.1 (5.1)",
    statement="|h|_mu <= R delta^(alpha - 1/4) up to t = 1/2 with R independent of delta.",
    family=FAMILY,
    measured="the exponent of delta in max |h|_mu / delta^(alpha - 1/4)",
    rule="not below zero by more than 0.08, the fit's error included",
    twin={"power": -0.35},
    expected="fails",
)
def near(quick: bool, *, power: float = -0.25) -> Measurement:
    """The near field against delta^(alpha + power)."""
    return _bounded(quick, "near", power + 0.25)


@claim(
    "bootstrap-near-scaled",
    source="measured; in place of gualdani2025 (5.1)",
    statement="|h|_mu <= R m T(t)^(-1/2) up to t = 1/2 with R independent of delta.",
    family=FAMILY,
    measured="the exponent of delta in max |h|_mu T^(1/2) / m",
    rule="not below zero by more than 0.08, the fit's error included",
    twin={"extra": 0.25},
)
def near_scaled(quick: bool, *, extra: float = 0.0) -> Measurement:
    """The near field on the scale that its source gives it."""
    return _bounded(quick, "near_scaled", extra)


@claim(
    "near-field-source",
    source="gualdani2025, Lemma 3.2 (3.2)",
    statement="int h S_E / mu_T dv <= C m T^(-1/2) |h|_mu, that is |S_E|_mu <= C m T^(-1/2).",
    family="T from 1e-8 to 1e-3, S_E in closed form, Gauss quadrature with 60 and 120 nodes",
    measured="the exponent of T in |S_E|_mu / m",
    rule="not below the claimed -1/2 by more than 0.01, the fit's error included",
    twin={"claimed": -1.4},
    expected="fails",
)
def source(quick: bool, *, claimed: float = -0.5) -> Measurement:
    """The norm of the source, the supremum over h of the left side over |h|."""
    widths = np.geomspace(1e-8, 1e-3, 11)
    coarse, fine = (np.array([source_norm(t, n) for t in widths]) for n in (60, 120))
    fit = power_law(widths, fine, np.abs(fine - coarse))
    detail = f"|S_E|_mu / m = {fit.prefactor:.4g} T^p with p = {fit}, claimed {claimed:g}."
    data = {"T": widths, "norm": fine}
    return Measurement(fit.value, fit.error, fit.value - claimed + 0.01, detail, fit, data)


def source_norm(width: float, nodes: int = 120) -> float:
    r"""$ |S_E|_{\mu_T} / m $ for the profile E = m M_T of width T < 1e-2 (2.7), (2.10).

    By (2.14), S_E = (lam1 - c0) E'' + 2 (lam2 - c0) E'/r + 2 (M - M(0)) E; the differences are
    free of cancellation.
    """
    x, w = gauss_legendre(nodes)
    r = math.sqrt(width) * 12.0 * (x + 1) / 2
    weight = math.sqrt(width) * 6.0 * w
    excess1, trace, excess = unit_excess(r)
    excess2 = (trace - excess1) / 2  # a = lam1 + 2 lam2
    # E^2 / mu_T, both Gaussians together
    density = (2 * math.pi * width) ** -3 * width**-1.5 * np.exp(-(r**2) / (2 * width))
    # S_E/E, with E'' = (r^2/T - 1) E/T and E'/r = -E/T.
    factor = excess1 * (r**2 / width - 1) / width - 2 * excess2 / width + 2 * excess
    return math.sqrt(float(np.sum(weight * 4 * math.pi * r**2 * factor**2 * density)))


@functools.lru_cache(maxsize=64)
def constants(delta: float, alpha: float, n: int) -> Bootstrap:
    """The bootstrap constants of one two-scale run."""
    grid = RadialGrid(3, n, 12.0, math.sqrt(delta))
    equation = TwoScale(delta, alpha)
    problem = Problem(equation, grid, equation.initial(grid))
    return bootstrap(solved(problem, 0.5, Record(n=61, first=delta)))


def table(quick: bool = False) -> dict[str, Any]:
    """The constants over the family: arrays (alpha, delta) by name, and their relative errors.

    Returns:
        "delta", "alpha", and for "far", "near", "near_scaled" the values under the name and a
        relative error under the name + "_error", from a coarser grid at one delta for each alpha.
    """
    deltas = np.geomspace(1e-3, 1e-7, 3) if quick else np.geomspace(1e-2, 1e-8, 7)
    alphas = (0.35,) if quick else (0.3, 0.35, 0.45)
    found: dict[str, Any] = {"delta": deltas, "alpha": np.array(alphas)}
    middle = float(deltas[len(deltas) // 2])
    runs = [[constants(float(d), a, 200) for d in deltas] for a in alphas]
    rough = [constants(middle, a, 150) for a in alphas]
    for name in ("far", "near", "near_scaled"):
        values = np.array([[getattr(run, name) for run in row] for row in runs])
        coarse = np.array([getattr(run, name) for run in rough])
        found[name] = values
        found[f"{name}_error"] = np.abs(coarse / values[:, len(deltas) // 2] - 1)
    return found


def _bounded(quick: bool, name: str, extra: float) -> Measurement:
    """The exponent of delta in a constant, divided by delta^extra, must not be negative."""
    found = table(quick)
    small = found["delta"] < 2e-3
    fits: list[Fit] = []
    delta = found["delta"][small]
    for k in range(len(found["alpha"])):
        y = found[name][k][small] * delta**-extra
        fits.append(power_law(delta, y, found[f"{name}_error"][k] * y))
    fit = min(fits, key=lambda f: f.value - f.error)
    pieces = (f"{f} (alpha = {a:g})" for a, f in zip(found["alpha"], fits))
    values = ", ".join(f"{x:.3g}" for x in found[name][0])
    detail = (
        f"Exponent {', '.join(pieces)}; the constant at alpha = {found['alpha'][0]:g} is {values} "
        f"for delta = {found['delta'][0]:.0e} .. {found['delta'][-1]:.0e}."
    )
    return Measurement(fit.value, fit.error, fit.value + BOUNDED, detail, fit, found)


BOOTSTRAP_END = 0.5
"""t* of Theorem 1.1, the end of the interval of (5.1)."""


@dataclasses.dataclass(frozen=True)
class Bootstrap:
    r"""The constants of gualdani2025, Lemma 5.1, measured along one run up to t = 1/2.

    Measured for delta from 1e-4 to 1e-12, alpha from 0.1 to 0.45: |g| behaves as (5.1) and (5.2)
    say, with `far` <= 1.9 and `far_rate` -> 1/(4 pi); but `near` grows like delta^(-1/4) for every
    alpha, since max |h| is 0.25 to 0.28 times delta^(alpha - 1/2), attained at t of 32 to 39 delta.
    At t = 1/2, |h| is of order delta^alpha again, well inside (5.1).

    Attributes:
        R: The smallest R with |g| <= R m T and |h| <= R delta^(alpha - 1/4), (5.1).
        far: max |g|/(m T), and `far_time` where it is attained.
        far_time: Time of the maximum.
        near: max |h|/delta^(alpha - 1/4), and `near_time`.
        near_time: Time of the maximum.
        near_scaled: max |h| T^(1/2)/m, the scale that the source S_E gives h: |S_E| is of order
            m T^(-3/2), because the second derivatives of E carry 1/T, so |h| of order m T^(-1/2).
        far_rate: max |g|/(m t), the constant of (5.2) once R m is small against one.
        near_source: max |h|/(m R delta^(alpha - 1/4) + delta^(2 alpha - 1/2)), the C of (5.3).
    """

    R: float
    far: float
    far_time: float
    near: float
    near_time: float
    near_scaled: float
    far_rate: float
    near_source: float


def bootstrap(solution: Solution) -> Bootstrap:
    """Measure Lemma 5.1 on a run of `TwoScale` over its recorded times in [0, 1/2].

    At t = 0 both ratios are 0 (T = delta > 0); |g|/(m t) is taken at t > 0.

    Raises:
        InputError: A solution of another equation, or one that ends before t = 1/2.
    """
    spec = solution.provenance.get("equation")
    if not isinstance(spec, Mapping) or spec.get("class") != "TwoScale":
        raise InputError("The bootstrap constants need a solution of TwoScale.")
    t = np.asarray(solution.t)
    require(
        bool(t[-1] >= BOOTSTRAP_END),
        f"The bootstrap constants need a run to t = {BOOTSTRAP_END}, but it ends at {t[-1]:g}.",
    )
    delta, alpha = (float(spec["settings"][key]) for key in ("delta", "alpha"))
    inside = t <= BOOTSTRAP_END
    t, mass = t[inside], delta**alpha
    found = {key: np.asarray(value)[inside] for key, value in solution.diagnostics.items()}
    far, near = found["far_field_ratio"], found["near_field_ratio"]
    constant = float(max(far.max(), near.max()))
    later = t > 0
    # The right-hand side of (5.3) but for its constant.
    scale = mass * constant * delta ** (alpha - 0.25) + delta ** (2 * alpha - 0.5)
    return Bootstrap(
        R=constant,
        far=float(far.max()),
        far_time=float(t[far.argmax()]),
        near=float(near.max()),
        near_time=float(t[near.argmax()]),
        near_scaled=float(np.max(found["near_field_norm"] * np.sqrt(found["width"])) / mass),
        far_rate=float(np.max(found["far_field_norm"][later] / (mass * t[later]))),
        near_source=float(found["near_field_norm"].max() / scale),
    )


def bootstrap_constant(solution: Solution) -> float:
    """The smallest R of (5.1) along a run; see `bootstrap`."""
    return bootstrap(solution).R
