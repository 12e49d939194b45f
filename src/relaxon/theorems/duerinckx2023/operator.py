"""Checks of duerinckx2023, sections 1 and 2.1: the screened collision operator itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.integrate import quad

from relaxon.collisions.landau import Landau
from relaxon.collisions.lenard_balescu import LenardBalescu
from relaxon.collisions.linear.linearized import linearized
from relaxon.collisions.radial.screening import radial_screening
from relaxon.core.registry import settings
from relaxon.distributions.gaussians import gaussian_mixture, maxwellian
from relaxon.grids.radial import RadialGrid
from relaxon.numerics.fits import power_law
from relaxon.screening.dispersion import z_maxwellian
from relaxon.screening.penrose import least_epsilon
from relaxon.screening.potentials import Coulomb, Gaussian, Potential, Yukawa
from relaxon.theorems.check import Measurement, claim
from relaxon.theorems.spoiled import two_temperatures, wrong_rate

MIXTURES = {
    "hot and cold": ([0.7, 0.3], [0.3, 1.5]),
    "halo": ([0.9, 0.1], [0.4, 2.0]),
}
"""Radial distributions of the checks: weights and temperatures of centred Gaussians."""

Builder = Callable[[Potential], Any]


def mixture(d: int, n: int, name: str = "hot and cold") -> tuple[RadialGrid, Any]:
    """A grid and one of `MIXTURES` on it."""
    grid = RadialGrid(d, n, 14.0, 0.5)
    weights, temperatures = MIXTURES[name]
    return grid, gaussian_mixture(grid, weights, [[0.0] * d] * len(weights), temperatures)


def _sizes(quick: bool) -> tuple[int, ...]:
    return (60, 90, 135) if quick else (100, 200, 400)


def _family(quick: bool) -> list[tuple[Potential, str]]:
    potentials: list[Potential] = [Gaussian(3), Gaussian(2, 0.5)]
    if not quick:
        potentials += [Gaussian(3, 2.0, 0.7), Yukawa(2, 0.3, 1.0)]
    return [(potential, name) for potential in potentials for name in MIXTURES]


@claim(
    "screening-conservation",
    source="duerinckx2023, (1.4)",
    statement="d/dt int (1, |v|^2) F dv = 0 along the Lenard-Balescu equation.",
    family="radial mixtures in d = 2 and 3, Gaussian and Yukawa potentials",
    measured="the largest |int psi Q(F) dv| / int |psi Q(F)| dv over psi = 1, |v|^2",
    rule="zero within 1e-12",
    twin={"equation": wrong_rate(lambda q, f, grid: q * (1 + 1e-6 * grid.r))},
)
def conservation(quick: bool, *, equation: Builder = LenardBalescu) -> Measurement:
    """The moments of the rate; radial data have no momentum."""
    found = {}
    for potential, name in _family(quick):
        grid, f = mixture(potential.d, 100, name)
        rate = equation(potential).rhs(f, grid)
        for power in (0, 2):
            change = rate * grid.r**power
            size = float(grid.integrate(jnp.abs(change)))
            label = f"{_label(potential)}, {name}, |v|^{power}"
            found[label] = abs(float(grid.integrate(change))) / size
    worst = max(found, key=lambda key: found[key])
    detail = f"The largest belongs to {worst}."
    return Measurement(found[worst], 1e-14, 1e-12 - found[worst], detail, data=found)


@claim(
    "screening-entropy",
    source="duerinckx2023, (1.5)",
    statement="d/dt int F log F dv <= 0.",
    family="radial mixtures in d = 2 and 3, Gaussian and Yukawa potentials, two grids",
    measured="the least entropy production over that of Landau with the screened operator's L",
    rule="above zero by more than its change under refinement",
    twin={"equation": wrong_rate(lambda q, f, grid: -q)},
)
def entropy_production(quick: bool, *, equation: Builder = LenardBalescu) -> Measurement:
    """Production relative to Landau's: how much screening slows relaxation, always positive."""
    sizes, rows = (60, 120) if quick else (100, 200), []
    for potential, name in _family(quick):
        pair = []
        for n in sizes:
            grid, f = mixture(potential.d, n, name)
            bare = Landau(strength=float(potential.landau_prefactor()))
            pair.append(
                _production(equation(potential).rhs(f, grid), f, grid)
                / _production(bare.rhs(f, grid), f, grid)
            )
        rows.append((pair[-1], abs(pair[-1] - pair[0]), f"{_label(potential)}, {name}"))
    value, error, where = min(rows)
    detail = "Screened over bare production: " + "; ".join(f"{w}: {v:.4g}" for v, _, w in rows)
    return Measurement(value, error, value, detail + f". The least belongs to {where}.")


def _production(rate: Any, f: Any, grid: RadialGrid) -> float:
    return -float(grid.integrate(rate * jnp.log(f)))


@claim(
    "screening-equilibrium",
    source="duerinckx2023, (1.5)",
    statement="Maxwellians are stationary.",
    family="Maxwellians of temperatures 0.3, 0.5, 2 in d = 2 and 3",
    measured="the largest |Q(F)|/F over the rate at which a mixture of that energy relaxes",
    rule="zero within 1e-11",
    twin={"profile": two_temperatures},
)
def equilibrium(
    quick: bool, *, equation: Builder = LenardBalescu, profile: Callable = maxwellian
) -> Measurement:
    """`profile` (grid, mass, temperature) is the claimed equilibrium."""
    found = []
    for potential in (Gaussian(3), Gaussian(2, 0.5)):
        for temperature in (0.5,) if quick else (0.3, 0.5, 2.0):
            scale = math.sqrt(temperature)
            grid = RadialGrid(potential.d, 100, 17.0 * scale, 0.7 * scale)
            operator = equation(potential)
            rest = profile(grid, 1.0, temperature)
            centres = [[0.0] * potential.d] * 2
            other = gaussian_mixture(
                grid, [0.7, 0.3], centres, [0.6 * temperature, 1.9333 * temperature]
            )
            # Farther out F is so small that its rounding would be measured.
            inside = np.asarray(grid.r) < 6 * scale
            still, moving = (
                np.max(np.abs(np.asarray(operator.rhs(f, grid) / f))[inside]) for f in (rest, other)
            )
            found.append(float(still / moving))
    value = max(found)
    detail = "Relative rates " + ", ".join(f"{x:.1e}" for x in found) + "."
    return Measurement(value, 1e-14, 1e-11 - value, detail)


@claim(
    "screening-landau-prefactor",
    source="duerinckx2023, (1.6), (1.7), (2.12)",
    statement="int (k x k) pi Vhat^2 delta(k.v) dk = (L/|v|) P with the L of (1.7), k-integrals "
    "carrying (2 pi)^-d; the operator of a weak potential is Landau's with this L.",
    family="Gaussian, Yukawa and cut-off Coulomb potentials in d = 2 and 3",
    measured="the largest relative deviation of L from quadrature, and of the operator's fourth "
    "moment from Landau's, extrapolated to zero amplitude",
    rule="zero within 1e-5",
    twin={"factor": 2.0},
)
def landau_prefactor(
    quick: bool, *, factor: float = 1.0, equation: Builder = LenardBalescu
) -> Measurement:
    """`factor` multiplies the claimed L."""
    potentials: list[Potential] = [
        Gaussian(2, 0.7, 1.3),
        Gaussian(3, 0.7, 1.3),
        Yukawa(2, 0.4, 1.5, k_max=50.0),
        Coulomb(3, 10.0, k_min=0.5),
    ]
    formula = max(
        abs(_prefactor(p) / (factor * float(p.landau_prefactor())) - 1) for p in potentials
    )
    found, errors = [], []
    for d in (2, 3):
        grid, f = mixture(d, 80)
        ratios = []
        for amplitude in (4e-4, 2e-4, 1e-4):
            weak = Gaussian(d, amplitude)
            bare = Landau(strength=factor * float(weak.landau_prefactor()))
            fourth = [grid.integrate(e.rhs(f, grid) * grid.r**4) for e in (equation(weak), bare)]
            ratios.append(float(fourth[0] / fourth[1]))
        # The operator tends to Landau's like a power series in the amplitude: two steps of
        # Richardson.
        once = [2 * b - a for a, b in pairwise(ratios)]
        twice = (4 * once[1] - once[0]) / 3
        found.append(abs(twice - 1))
        errors.append(abs(twice - once[1]))
    value, error = max(formula, *found), max(*errors, 1e-12)
    detail = (
        f"L against quadrature: {formula:.1e}; the operator as the potential vanishes: "
        f"{found[0]:.1e} (d = 2), {found[1]:.1e} (d = 3)."
    )
    return Measurement(value, error, 1e-5 - value, detail)


def _prefactor(potential: Potential) -> float:
    """L from its definition: the trace of (2.12) at |v| = 1, over d - 1, by quadrature."""
    d = potential.d
    low = float(getattr(potential, "k_min", 0.0))
    high = float(getattr(potential, "k_max", 40.0))

    def density(s: float) -> float:
        # dk = k ds.
        k = math.exp(s)
        return k ** (d + 1) * math.pi * float(potential.vhat(jnp.asarray(k))) ** 2

    ends = math.log(max(low, 1e-9) * (1 + 1e-15)), math.log(high * (1 - 1e-15))
    integral = quad(density, *ends, epsabs=0, epsrel=1e-11, limit=400)[0]
    sphere = 2.0 if d == 2 else 2 * math.pi
    return sphere / (d - 1) * (2 * math.pi) ** -d * integral


@claim(
    "screening-sum-rules",
    source="duerinckx2023, (1.3) with (2.12); Kramers-Kronig",
    statement="int u F1' K du = -K_0 and int F1' K/u du = Re[G(z(0)) - G(0)] for stable F.",
    family="radial mixtures in d = 2 and 3, three grids, the solver's own strips",
    measured="the largest relative defect of the two rules",
    rule="zero within 1e-5 (quick: 1e-3), the discretisation error included",
    twin={"factor": 1.01},
)
def sum_rules(quick: bool, *, factor: float = 1.0) -> Measurement:
    """`factor` multiplies the claimed right-hand sides."""
    sizes, worst = _sizes(quick), []
    for n in sizes:
        defects: list[float] = []
        for potential in (Gaussian(2, 0.5), Gaussian(3)):
            grid, f = mixture(potential.d, n)
            defects += sum_rule_defects(potential, f, grid, factor)
        worst.append(max(defects))
    value, error = worst[-1], max(abs(worst[-1] - worst[-2]) / 8, 1e-12)
    detail = ", ".join(f"{n} cells: {x:.1e}" for n, x in zip(sizes, worst)) + "."
    return Measurement(value, error, (1e-3 if quick else 1e-5) - value, detail)


def sum_rule_defects(
    potential: Potential, f: Any, grid: RadialGrid, factor: float = 1.0
) -> tuple[float, float]:
    """Relative defects of the two sum rules of a radial distribution, on the solver's strips."""
    model, log_f = radial_screening(potential, grid), jnp.log(f)
    u, weight = model.strips.radius, model.strips.weight
    product = potential.screening_product(model.dispersion(log_f))
    # The factor 2 is the half line u < 0.
    first, second = (float(2 * jnp.sum(weight * product * u**power)) for power in (1, -1))
    start = np.asarray(model.dispersion(log_f).real)[0]
    square = np.asarray(u[0]) ** 2
    # z is even in u: a polynomial in u^2 through the Gauss points of the first cell, at u = 0.
    at_zero = np.polynomial.Polynomial.fit(square, start, len(square) - 1)(0.0)
    exact = (potential.G(jnp.asarray(at_zero + 0j)) - potential.G(jnp.asarray(0j))).real
    return (
        abs(first / (-factor * float(potential.k0())) - 1),
        abs(second / (factor * float(exact)) - 1),
    )


@claim(
    "screening-dispersion-bound",
    source="duerinckx2023, Lemma 2.1 (i)",
    statement="|eps(k, k.v; grad mu)| is bounded and bounded away from 0 for integrable V.",
    family="Gaussian and Yukawa potentials in d = 2 and 3 at mu, phase velocities to 10 and 20",
    measured="the least of inf_{|u| < 20} |eps| over inf_{|u| < 10} |eps|: one if the infimum "
    "is attained, zero if it goes on falling",
    rule="above one half by more than its change under refinement",
    twin={"potentials": [Coulomb(3, 10.0)]},
)
def dispersion_bound(quick: bool, *, potentials: Sequence[Potential] | None = None) -> Measurement:
    """The infimum is that over all k, in closed form, and over a line of u that is refined."""
    if potentials is None:
        potentials = [Gaussian(2), Gaussian(3), Gaussian(3, 0.2), Yukawa(2, 0.3, 1.0)]
    ratios, rows = [], []
    for potential in potentials:
        pair = []
        for points in (2048, 4096):
            near, far = (_least_epsilon(potential, reach, points) for reach in (10.0, 20.0))
            pair.append(far / near)
        largest = 1 + float(potential.v_max) * float(np.max(np.abs(z_maxwellian(_LINE))))
        rows.append(f"{_label(potential)}: [{far:.6g}, {largest:.4g}]")
        ratios.append((pair[-1], abs(pair[-1] - pair[0])))
    value, change = min(ratios)
    detail = "|eps| lies in " + ", ".join(rows) + "."
    return Measurement(value, max(change, 1e-9), value - 0.5, detail)


_LINE = jnp.linspace(0.0, 10.0, 2001)


def _least_epsilon(potential: Potential, reach: float, points: int) -> float:
    """min |eps(k, u)| over k and |u| < reach at mu, from z in closed form."""
    u = jnp.linspace(0.0, reach, points + 1)
    values = least_epsilon(z_maxwellian(u), potential.v_min, potential.v_max)[0]
    # Once more between the neighbours of the least value.
    at = int(jnp.argmin(values))
    step = reach / points
    fine = jnp.linspace(max(float(u[at]) - step, 0.0), min(float(u[at]) + step, reach), points + 1)
    values = least_epsilon(z_maxwellian(fine), potential.v_min, potential.v_max)[0]
    return max(float(jnp.min(values)), 1e-300)


@claim(
    "screening-coulomb-contrast",
    source="duerinckx2023, section 1 and its reference [21], Theorem 6",
    statement="For Coulomb interactions eps(.; grad mu) is not bounded away from 0 and the "
    "collision kernel grows exponentially in velocity, K(u) ~ exp(beta u^2).",
    family="Vhat = 1/k^2 with k <= 10 in d = 3, at mu, 8 <= u <= 24",
    measured="d log K / d(u^2) over the outer half of the window",
    rule="within 0.05 of one, the drift over the window included",
    twin={"potential": Gaussian(3)},
)
def coulomb_contrast(quick: bool, *, potential: Potential | None = None) -> Measurement:
    """The exponential rate of K; for a smooth potential it is zero far out."""
    chosen = Coulomb(3, 10.0) if potential is None else potential
    u = np.linspace(8.0, 24.0, 9 if quick else 33)
    log_k = np.log(np.asarray(chosen.screening(z_maxwellian(jnp.asarray(u)))))
    slope = np.gradient(log_k, u**2)
    value = float((log_k[-1] - log_k[len(u) // 2]) / (u[-1] ** 2 - u[len(u) // 2] ** 2))
    error = float(abs(slope[-1] - slope[len(u) // 2]))
    least = _least_epsilon(chosen, 24.0, 4096)
    detail = (
        f"K(8) = {math.exp(log_k[0]):.3g}, K(24) = {math.exp(log_k[-1]):.3g}; "
        f"inf |eps| over |u| < 24 is {least:.1e}."
    )
    return Measurement(value, error, 0.05 - abs(value - 1), detail, data={"u": u, "log_k": log_k})


@claim(
    "screening-eigenvalue-powers",
    source="duerinckx2023, Lemma 2.2 (i)",
    statement="A(v) = lam1 P + lam2 (1 - P) with lam1 ~ <v>^-3 and lam2 ~ <v>^-1, both positive.",
    family="Gaussian potentials in d = 2 and 3 at mu, |v| up to 200",
    measured="the powers fitted over 20 <= |v| <= 200, and the ranges of <v>^3 lam1, <v> lam2",
    rule="each power within 0.02 of the claim, and both ranges away from zero",
    twin={"claimed": (-2.0, -1.0)},
)
def eigenvalue_powers(
    quick: bool, *, claimed: tuple[float, float] = (-3.0, -1.0), equation: Builder = LenardBalescu
) -> Measurement:
    """The asymptotic powers, and the constants of the two-sided bound over all v."""
    fits, rows, lowest = [], [], math.inf
    tail, line = np.geomspace(20.0, 200.0, 9), np.geomspace(1e-3, 200.0, 40 if quick else 400)
    for d in (2, 3):
        operator = linearized(equation(Gaussian(d)), 0.5)
        bracket = np.sqrt(1 + line**2)
        for power, far, near in zip(
            claimed, operator.eigenvalues(tail), operator.eigenvalues(line), strict=True
        ):
            fits.append((power_law(tail, far), power))
            scaled = near * bracket**-power
            lowest = min(lowest, float(scaled.min() / scaled.max()))
            rows.append(f"d = {d}: [{scaled.min():.4g}, {scaled.max():.4g}] <v>^{power:g}")
    fit, power = max(fits, key=lambda pair: abs(pair[0].value - pair[1]) + pair[0].error)
    margin = 0.02 - abs(fit.value - power) if lowest > 0 else -math.inf
    detail = "lam1 and lam2 lie in " + "; ".join(rows) + "."
    return Measurement(fit.value, fit.error, margin, detail, fit)


def _label(potential: Potential) -> str:
    """Name and settings of a potential in a line."""
    values = ", ".join(f"{k} = {v:g}" for k, v in settings(potential).items())
    return f"{type(potential).__name__}({values})"
