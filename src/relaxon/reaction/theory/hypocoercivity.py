r"""Explicit hypocoercivity rates of the linearised reaction model beside the true one.

neumann2016 proves decay by two methods and "did not attempt a comparison". Here every rate is a
rate of the **norm**, |F(t)| <= C e^{-rate t}:

* `dms`: Theorem 2.1 with its constants lambda_m, lambda_M, C_M computed and the weight optimised;
* `functional`: the best rate that the functional H^0 itself can prove, from its exact forms;
* `h1`: the functional of section 2.2 with explicit constants in (22)-(28), weights optimised
  (`relaxon.reaction.theory.h1_method`);
* `true`: the spectral gap.

A profile is given as in `spectrum`: the variance of a Gaussian, an even marginal density along the
wave vector, a `Marginal`, or a `Profile` (its marginal on the line; `profile.marginal(direction)`
elsewhere). The two methods ask for different things. Those of H^0 need **moments** of the marginals
up to order 4, because A T applies v twice to a local equilibrium, and no derivative. That of H^1
needs the **Fisher information** of the profiles, grad_v sqrt(chi) in (27), and no moment.
So algebraic tails $|v|^{-5}$ or heavier have only an H^1 rate, and profiles with jumps only H^0
rates.
"""

from __future__ import annotations

import equinox as eqx
import numpy as np

from relaxon.core.errors import require
from relaxon.core.numbers import positive, reals, whole
from relaxon.distributions.profiles import as_marginal
from relaxon.numerics.fits import golden_section
from relaxon.numerics.pencils import best_pencil, matrix_witness
from relaxon.reaction.theory.h1_method import h1_rate
from relaxon.reaction.theory.mode_matrices import h0_forms, transport_matrix
from relaxon.reaction.theory.spectrum import spectral_gap
from relaxon.reaction.theory.torus_gap import torus_gap

_LONGEST = 2 * np.pi


class DmsConstants(eqx.Module):
    """The constants of Theorem 2.1.

    Attributes:
        microscopic: lambda_m of (16), min(rho, 1/rho).
        macroscopic: lambda_M of (17), k^2 D_0.
        bound_collision: Norm of A L on the odd part.
        bound_transport: Norm of A T (1 - Pi) on the even part.
        bound: C_M of (19); the two parts are orthogonal, so it is the root of the sum of squares.
    """

    microscopic: float
    macroscopic: float
    bound_collision: float
    bound_transport: float
    bound: float


class ProvenRate(eqx.Module):
    """A rate that a Lyapunov functional proves.

    Attributes:
        rate: Decay rate of the norm.
        weight: eta in H^0 = |F|^2/2 + eta <AF, F>.
        prefactor: C in |F(t)| <= C e^{-rate t} |F(0)|.
        gap: No other weight proves more than rate + gap.
    """

    rate: float
    weight: float
    prefactor: float
    gap: float


class HypocoerciveRates(eqx.Module):
    """Norm rates of the methods beside the true one.

    Attributes:
        dms: Best explicit rate of Theorem 2.1.
        h1: Best explicit rate of the H^1 method of section 2.2.
        true: The spectral gap.
        functional: Best rate of the functional H^0 itself.
        dms_weight: The weight eta of `dms`.
        functional_weight: The weight eta of `functional`.
        constants: lambda_m, lambda_M and C_M behind `dms`.
        k: Wave number of the mode, or None for all modes of the unit torus together.
    """

    dms: float
    h1: float
    true: float
    functional: float
    dms_weight: float
    functional_weight: float
    constants: DmsConstants
    k: float | None


def hypocoercive_rates(rho_inf, T1, T2, k=None) -> HypocoerciveRates:
    """All explicit rates and the true one.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or its even marginal density.
        T2: The same for chi_2.
        k: Wave number of one mode. Default: the unit torus, one functional for all modes 2 pi n
            (of dimension one; `h1_rate` and `torus_gap` know about others).

    Returns:
        `HypocoerciveRates`; dms <= functional <= true and h1 <= true.

    Raises:
        InputError: Arguments that are not positive numbers, a marginal whose moment of order 4
            or whose Fisher information is infinite, or whose third moment does not vanish.

    Accuracy: 1e-12; Gaussians given as densities agree with the closed forms to that. Measured on
    the unit torus with T1 = T2 = 1: rho_inf = 1: dms 0.18197, h1 0.03083, functional 0.32845,
    true 1; rho_inf = 2: 0.09618, 0.00350, 0.18598, 0.5. Cost: 30 ms, densities 90 ms.
    """
    r, T1, T2 = positive("rho_inf", rho_inf), as_marginal("T1", T1), as_marginal("T2", T2)
    dms, functional = dms_rate(r, T1, T2, k), functional_rate(r, T1, T2, k)
    gap = torus_gap(r, T1, T2) if k is None else spectral_gap(r, T1, T2, k)
    return HypocoerciveRates(
        dms=dms.rate,
        h1=h1_rate(r, T1, T2, k).rate,
        true=gap.rate,
        functional=functional.rate,
        dms_weight=dms.weight,
        functional_weight=functional.weight,
        constants=dms_constants(r, T1, T2, k),
        k=None if k is None else positive("k", k),
    )


def dms_constants(rho_inf, T1, T2, k=None) -> DmsConstants:
    r"""lambda_m, lambda_M and C_M of Theorem 2.1.

    $$ \lambda_m = \min(\rho, 1/\rho), \quad \lambda_M = k^2 D_0, \quad
       |A L| = k \sqrt{D_0'} / (1 + k^2 D_0), \quad
       |A T (1 - \Pi)| = k^2 \sqrt{E} / (1 + k^2 D_0) $$

    with $D_0 = (\rho^2 D_1 + D_2)/(\rho^2+1)$, $D_0' = (D_1 + \rho^2 D_2)/(\rho^2+1)$ and
    $E = (\rho^2 m_1 + m_2)/(\rho^2+1) - D_0^2$, m_j the fourth moments. The images lie in the odd
    and in the even part, so $C_M^2$ is the sum of squares.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or its even marginal density.
        T2: The same for chi_2.
        k: Wave number of one mode. Default: all modes 2 pi n together, lambda_M from the
            longest wave and the largest C_M (which may be its limit k = infinity).
    """
    r = positive("rho_inf", rho_inf)
    first, second = as_marginal("T1", T1), as_marginal("T2", T2)
    share = r * r / (1 + r * r)
    # The second moment is b_1^2, the fourth b_1^2 (b_1^2 + b_2^2).
    (a1, a2), (b1, b2) = first.recurrence(3, "T1") ** 2, second.recurrence(3, "T2") ** 2
    d0 = share * a1 + (1 - share) * b1
    d0_swapped = (1 - share) * a1 + share * b1
    spread = share * a1 * (a1 + a2) + (1 - share) * b1 * (b1 + b2) - d0**2
    low = _LONGEST if k is None else positive("k", k)

    def bounds(wave):
        return (
            wave * np.sqrt(d0_swapped) / (1 + wave**2 * d0),
            wave**2 * np.sqrt(spread) / (1 + wave**2 * d0),
        )

    candidates = [bounds(low)]
    if k is None:
        # The limit of short waves, k = infinity.
        candidates.append((0.0, np.sqrt(spread) / d0))
        # C_M^2 has a maximum over k at k^2 = D_0'/(D_0 D_0' - 2 E) if that is positive; otherwise
        # it is largest at an end.
        excess = d0 * d0_swapped - 2 * spread
        if excess > 0:
            turn = np.sqrt(d0_swapped / excess) / _LONGEST
            candidates += [bounds(_LONGEST * max(1.0, n(turn))) for n in (np.floor, np.ceil)]
    collision, transport = max(candidates, key=lambda pair: np.hypot(*pair))
    return DmsConstants(
        min(r, 1 / r),
        float(low**2 * d0),
        float(collision),
        float(transport),
        float(np.hypot(collision, transport)),
    )


def dms_rate(rho_inf, T1, T2, k=None) -> ProvenRate:
    r"""Best explicit rate of Theorem 2.1 with the constants of `dms_constants`.

    With X = |(1 - Pi) F|, Y = |Pi F| and x = lambda_M/(1 + lambda_M),

    $$ D[F] \ge (\lambda_m - \eta) X^2 + \eta x Y^2 - \eta C_M X Y, \quad
       H^0[F] \le (X^2 + Y^2 + \eta X Y)/2 ; $$

    the rate is half the smallest eigenvalue of the first form relative to the second, at the best
    eta.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or its even marginal density.
        T2: The same for chi_2.
        k: Wave number of one mode; None for the unit torus.

    Accuracy: 1e-12 relatively, also where the rate is tiny (long waves, uneven temperatures):
    measured against 60 digits down to 4e-13.
    """
    return rate_of_constants(dms_constants(rho_inf, T1, T2, k))


def rate_of_constants(c: DmsConstants) -> ProvenRate:
    """`dms_rate` from its constants, on the torus or under a confining potential."""
    loss, x, bound = c.microscopic, c.macroscopic / (1 + c.macroscopic), c.bound
    # Beyond this weight the first form is not positive; there it is not differenced either.
    most = min(2.0, loss * x / (x + bound**2 / 4))

    def rate(share):
        eta = most * share
        # Both eigenvalues solve a l^2 - b l + c = 0; this is the smaller, not as a difference.
        a = (1 - eta**2 / 4) / 4
        b = (loss - eta + eta * x + eta**2 * bound / 2) / 2
        c = eta * (loss * x - eta * (x + bound**2 / 4))
        return c / (b + np.sqrt(max(b * b - 4 * a * c, 0.0)))

    # The proven rate is quasi-concave in the weight.
    share = golden_section(lambda share: -rate(share), 0.0, 1.0)
    eta = float(most * share)
    prefactor = float(np.sqrt((2 + eta) / (2 - eta)))
    found = float(rate(share))
    return ProvenRate(found, eta, prefactor, 1e-12 * found)


def functional_rate(rho_inf, T1, T2, k=None, modes: int = 3) -> ProvenRate:
    """Best rate of the functional H^0 itself, from its exact quadratic forms.

    H^0 and its dissipation couple the orthogonal polynomials n <= 2 only; beyond, the dissipation
    over the functional is at least 2 min(rho, 1/rho). Three modes therefore give the exact rate,
    and more change it by rounding.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or its even marginal density.
        T2: The same for chi_2.
        k: Wave number of one mode. Default: one weight for all modes 2 pi n.
        modes: Number of polynomials, at least 3; the moments up to 2 (modes - 1) must exist.

    Raises:
        InputError: A moment that is infinite (which one, and the tail that makes it so), or a
            third moment that does not vanish.

    Accuracy: 1e-10 against pencils of 60 velocity nodes for Gaussian, two-bump and algebraic
    profiles with k = 4, 6 (tests/unit/reaction/test_reaction_general_rates.py).
    """
    r, first, second = positive("rho_inf", rho_inf), as_marginal("T1", T1), as_marginal("T2", T2)
    modes = whole("modes", modes, 3)
    spreads = [m.moment(2, name) for name, m in (("T1", first), ("T2", second))]
    waves = torus_waves(min(spreads)) if k is None else [positive("k", k)]
    transport = transport_matrix(first, second, 1.0, modes)
    dissipation, functional = map(np.array, zip(*(h0_forms(r, k * transport) for k in waves)))
    proven = proven_rate(dissipation, functional)
    cap = min(r, 1 / r)
    return proven if proven.rate < cap else eqx.tree_at(lambda p: p.rate, proven, cap)


def torus_waves(least: float) -> np.ndarray:
    """Wave numbers 2 pi n that stand for all of them: every n up to 6, then 12 a decade.

    The forms are smooth in log k and constant beyond k sqrt(T) of order 1e4.
    """
    top = max(1e4 / np.sqrt(least), 100 * _LONGEST) / _LONGEST
    numbers = np.unique(np.round(np.geomspace(6, top, int(12 * np.log10(top / 6)) + 2)))
    return _LONGEST * np.concatenate([np.arange(1.0, 6.0), numbers])


def rate_map(rho_inf, k, T1, T2, methods=("true", "dms")) -> dict[str, np.ndarray]:
    """Norm rates over a grid of rho_inf and wave number.

    Args:
        rho_inf: Values, shape (m,).
        k: Wave numbers, shape (n,).
        T1: Variance of chi_1 along the wave vector, or its even marginal density.
        T2: The same for chi_2.
        methods: Which of "true", "density" (decay of the densities, Landau poles;
            NaN where a density that is not Gaussian has no eigenvalue), "dms",
            "functional", "h1" to compute.

    Returns:
        One array of shape (m, n) for each method, and "eigenvalue" (its real part; NaN where
        there is none) and "edge" with "true". Cost a point for Gaussians: true 1 ms,
        dms 0.2 ms, functional 2 ms, h1 9 ms.
    """
    known = ("true", "density", "dms", "functional", "h1")
    for name in methods:
        require(name in known, f"rate_map knows the methods {', '.join(known)}, but not {name!r}.")
    r, waves = np.atleast_1d(reals("rho_inf", rho_inf)), np.atleast_1d(reals("k", k))
    T1, T2 = as_marginal("T1", T1), as_marginal("T2", T2)
    result = {name: np.empty((r.size, waves.size)) for name in methods}
    if "true" in methods:
        result |= {name: np.empty((r.size, waves.size)) for name in ("eigenvalue", "edge")}
    for i, j in np.ndindex(r.size, waves.size):
        arguments = (r[i], T1, T2, waves[j])
        if "true" in methods or "density" in methods:
            gap = spectral_gap(*arguments)
        if "true" in methods:
            result["true"][i, j], result["edge"][i, j] = gap.rate, gap.edge
            result["eigenvalue"][i, j] = np.nan if gap.eigenvalue is None else -gap.rate
        if "density" in methods:
            found = gap.density_rate
            result["density"][i, j] = np.nan if found is None else found
        for name, method in (("dms", dms_rate), ("functional", functional_rate), ("h1", h1_rate)):
            if name in methods:
                result[name][i, j] = method(*arguments).rate
    return result


def proven_rate(dissipation, functional) -> ProvenRate:
    """The optimum over eta in (0, 2), where H^0 is positive because |A| <= 1/2.

    Args:
        dissipation: Forms affine in eta, shape (blocks, 2, m, m).
        functional: The same for H^0.
    """
    best = best_pencil(matrix_witness(dissipation, functional), [1.0], [1.0], relative=True)
    eta = float(best.weights[0])
    return ProvenRate(best.rate / 2, eta, float(np.sqrt((2 + eta) / (2 - eta))), best.gap / 2)
