r"""Hypocoercive rates under a confining potential beside the true one.

The method of Theorem 2.1 of neumann2016 (Dolbeault, Mouhot and Schmeiser) needs of the positions
only the operator $L = -D^t D = \partial_{xx} - \phi' \partial_x$ and its gap, the Poincare constant
of $e^{-\phi}$. With the projection Pi on the local equilibria
$(r, -1) m(x) / \sqrt{1 + r^2}$, m of mean zero,

$$ (\mathcal T \Pi)^* \mathcal T \Pi = -D_0 L, \quad D_0 = (r^2 T_1 + T_2)/(r^2 + 1), \qquad
   \lambda_m = \min(r, 1/r), \quad \lambda_M = D_0 P, $$

and for g = (1 - D_0 L)^{-1} m the adjoints of A L and A T (1 - Pi) have the squared norms
$D_0' |\partial_x g|^2$ and
$E (2 |\partial_{xx} g|^2 + |L g|^2) - D_0^2 |L g|^2$ with $D_0' = (T_1 + r^2 T_2)/(r^2+1)$,
$E = (r^2 T_1^2 + T_2^2)/(r^2+1)$. On the torus all of this is diagonal in Fourier space and gives
the constants of `relaxon.reaction.theory.hypocoercivity`.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np
from scipy.linalg import block_diag, eigh

from relaxon.core.numbers import positive, whole
from relaxon.grids.confined_line import ConfinedLine
from relaxon.reaction.theory.confined_spectrum import DEPTH, confined_gap
from relaxon.reaction.theory.hypocoercivity import (
    DmsConstants,
    ProvenRate,
    proven_rate,
    rate_of_constants,
)
from relaxon.reaction.theory.mode_matrices import h0_forms, transport_matrix


class ConfinedRates(eqx.Module):
    """Norm rates of the method and of the equation.

    Attributes:
        dms: Best explicit rate of Theorem 2.1.
        functional: Best rate that the functional H^0 itself proves.
        true: Decay rate of the norm (10).
        eigenvalue: The eigenvalue behind `true`.
        error: Its change from a coarser grid.
        edge: Edge of the essential spectrum.
        poincare: Poincare constant of the potential.
        dms_weight: The weight eta of `dms`.
        functional_weight: The weight eta of `functional`.
        constants: lambda_m, lambda_M and C_M behind `dms`.
    """

    dms: float
    functional: float
    true: float
    eigenvalue: float | complex
    error: float
    edge: float
    poincare: float
    dms_weight: float
    functional_weight: float
    constants: DmsConstants


def poincare_constant(potential: Any = "harmonic", n: int = 64) -> float:
    r"""Smallest positive eigenvalue of $-L = D^t D$, the gap of the overdamped dynamics.

    $$ \int u'^2 e^{-\phi} \ge P \int (u - \bar u)^2 e^{-\phi} $$

    Args:
        potential: phi: a `Confinement`, a name or a callable.
        n: Number of nodes.

    Returns:
        P. Harmonic potential of stiffness kappa: kappa.

    Accuracy: harmonic 1e-14; quartic (1.368592521) and double well (0.454546602) to the 1e-8 of
    an independent solution in sine functions (tests/unit/reaction/test_confined_rates.py).
    """
    return ConfinedLine(potential, n, DEPTH).poincare()


def confined_dms_constants(
    rho_inf: float, T1: float, T2: float, potential: Any = "harmonic", n: int = 64
) -> DmsConstants:
    """lambda_m, lambda_M and C_M of Theorem 2.1 for the confined model.

    C_M^2 is the largest value of the sum of both forms over m; the supremum is taken over the
    lower half of the eigenfunctions of L on the line and over its limit for short waves,
    (3 E - D_0^2)/D_0^2, which the upper half approximates badly.

    Args:
        rho_inf: Equilibrium ratio of the first species, > 0.
        T1: Variance of the Gaussian chi_1.
        T2: Variance of the Gaussian chi_2.
        potential: phi: a `Confinement`, a name or a callable.
        n: Number of nodes.
    """
    r, T1, T2 = positive("rho_inf", rho_inf), positive("T1", T1), positive("T2", T2)
    n = whole("n", n, 4)
    # r^2/(r^2 + 1) weighs f: D_0, D_0' and E of the module's docstring.
    share = r * r / (1 + r * r)
    d0, swapped = share * T1 + (1 - share) * T2, (1 - share) * T1 + share * T2
    spread = share * T1**2 + (1 - share) * T2**2
    slope = ConfinedLine(potential, n, DEPTH).orthonormal_slope()
    _, values, vectors = np.linalg.svd(slope)
    # Singular values fall: the last is that of constants, the ones before are the longest waves.
    keep = slice(-1 - n // 2, -1)
    gaps = values[keep] ** 2
    # With singular vectors m of the gradient: |d_x g|^2 and |L g|^2 are diagonal, d_xx g is not.
    damped = vectors[keep].T / (1 + d0 * gaps)  # columns: g for each orthonormal m
    curved = slope @ (slope @ damped)
    bent = np.diag((gaps / (1 + d0 * gaps)) ** 2)
    collision = swapped * np.diag(gaps / (1 + d0 * gaps) ** 2)
    transport = spread * (2 * curved.T @ curved + bent) - d0**2 * bent
    levels, directions = eigh(collision + transport)
    worst = directions[:, -1]
    parts = [float(worst @ form @ worst) for form in (collision, transport)]
    limit = (3 * spread - d0**2) / d0**2
    if limit > levels[-1]:
        parts = [0.0, limit]
    poincare = float(gaps[-1])
    return DmsConstants(
        min(r, 1 / r),
        d0 * poincare,
        float(np.sqrt(max(parts[0], 0.0))),
        float(np.sqrt(max(parts[1], 0.0))),
        float(np.sqrt(sum(parts))),
    )


def confined_rates(
    rho_inf: float, T1: float, T2: float, potential: Any = "harmonic", n: tuple = (48, 32)
) -> ConfinedRates:
    """The explicit rates of Theorem 2.1 and the true one, for epsilon = 1.

    Args:
        rho_inf: Equilibrium ratio of the first species, > 0.
        T1: Variance of the Gaussian chi_1.
        T2: Variance of the Gaussian chi_2.
        potential: phi: a `Confinement`, a name or a callable (see `confinement`).
        n: Numbers of positions and (even) of velocities behind the true rate.

    Returns:
        `ConfinedRates`; dms <= functional <= true < -edge.

    Raises:
        InputError: Arguments that are not positive; a potential that does not confine.
    """
    gap = confined_gap(rho_inf, T1, T2, potential, n)
    constants = confined_dms_constants(rho_inf, T1, T2, potential)
    proven = rate_of_constants(constants)
    functional = confined_functional_rate(rho_inf, T1, T2, potential)
    return ConfinedRates(
        dms=proven.rate,
        functional=functional.rate,
        true=gap.rate,
        eigenvalue=gap.eigenvalue,
        error=gap.error,
        edge=gap.edge,
        poincare=poincare_constant(potential),
        dms_weight=proven.weight,
        functional_weight=functional.weight,
        constants=constants,
    )


def confined_functional_rate(
    rho_inf: float, T1: float, T2: float, potential: Any = "harmonic", n: int = 48
) -> ProvenRate:
    r"""Best rate that the functional $H^0 = |F|^2/2 + \eta \langle AF, F \rangle$ itself proves.

    The quadratic forms of H^0 and of its dissipation are exact in the velocity, as they couple
    Hermite modes up to the second only. In x they are taken on the lower half of the
    eigenfunctions of L and, as a second block for the same weight, in their limit for short
    waves, where the potential does not matter.

    Args:
        rho_inf: Equilibrium ratio of the first species, > 0.
        T1: Variance of the Gaussian chi_1.
        T2: Variance of the Gaussian chi_2.
        potential: phi: a `Confinement`, a name or a callable.
        n: Number of nodes.

    Accuracy: n = 32, 48 and 64 agree to 1e-7, and 48 and 64 to 1e-12. Measured with
    T1 = T2 = rho_inf = 1: harmonic 0.326583, quartic 0.306448, double well 0.036477.
    Cost: 0.1 s.
    """
    r, T1, T2 = positive("rho_inf", rho_inf), positive("T1", T1), positive("T2", T2)
    n = whole("n", n, 4)
    line = ConfinedLine(potential, n, DEPTH)
    derivative = line.orthonormal_slope()
    _, _, vectors = np.linalg.svd(derivative)
    waves = vectors[::-1].T  # eigenfunctions of L, constants first
    slope = waves.T @ derivative @ waves
    levels, one = 4, np.eye(n)
    raising = np.diag(np.sqrt(np.arange(1.0, levels)), -1)
    # Unknowns: species, Hermite mode, polynomial; the norm (10) is the plain one.
    transport = np.kron(raising, slope) - np.kron(raising.T, slope.T)
    first, full = np.zeros((levels, levels)), np.eye(levels * n)
    first[0, 0] = 1.0
    mean = np.kron(first, one)
    collision = -np.block([[full / r, mean], [mean, r * full]])
    motion = block_diag(np.sqrt(T1) * transport, np.sqrt(T2) * transport)
    start = np.kron(np.eye(levels)[:, :1], one)
    macroscopic = np.vstack([r * start, -start]) / np.sqrt(1 + r * r)
    moved = motion @ macroscopic
    auxiliary = macroscopic @ np.linalg.solve(one + moved.T @ moved, moved.T)
    generator = collision - motion
    functional = np.array([np.eye(2 * levels * n) / 2, (auxiliary + auxiliary.T) / 2])
    dissipation = np.array([-(generator.T @ h + h @ generator) for h in functional])
    kept = min(n // 2, 24)  # shorter waves feel the cut of the line rather than the potential
    low = kept * (levels - 1)
    order = np.arange(2 * levels * n).reshape(2, levels, n)[:, : levels - 1, :kept].ravel()
    # Without the equilibrium, the constant of the macroscopic part.
    still = macroscopic[order, 0]
    basis = np.linalg.svd(still[None])[2][1:].T
    forms = [
        [basis.T @ form[np.ix_(order, order)] @ basis for form in pair]
        for pair in (dissipation, functional)
    ]
    short = h0_forms(r, transport_matrix(T1, T2, 1e4 / np.sqrt(min(T1, T2)), 3))
    cap = min(r, 1 / r)
    # The modes beyond decay with the cap; they fill the block of the short waves up.
    rest = np.eye(2 * low - 1 - short[0].shape[-1])
    filled = [
        [block_diag(pair[0], first * rest), block_diag(pair[1], 0 * rest)]
        for pair, first in zip(short, (cap, 0.5))
    ]
    return proven_rate(np.array([forms[0], filled[0]]), np.array([forms[1], filled[1]]))
