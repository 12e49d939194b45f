r"""Spectrum of the linearised reaction model under a confining potential.

With $a = F/\sqrt r$, $b = \sqrt r G$ the norm (10) is the plain norm and (7) reads
$\partial_t a + \sqrt{T_1} \mathcal T a = -a/r - \langle b \rangle$,
$\partial_t b + \sqrt{T_2} \mathcal T b = -r b - \langle a \rangle$. An eigenvalue lambda right
of $e = -\min(r, 1/r)$ therefore solves a problem for densities only,

$$ 1 \in \sigma\big(R_1(\lambda + 1/r) R_2(\lambda + r)\big), \qquad
   R_j(s) = \big\langle (s + \sqrt{T_j} \mathcal T)^{-1} \big\rangle
          = \int \frac{s}{s^2 + T_j \sigma^2} \, dE(\sigma) , $$

where the average over velocities on either side makes R_j(s) compact, and for real s > 0
self-adjoint and positive.

**The essential spectrum** lies on the lines Re = -1/r and Re = -r: the kernel of $\mathcal T$ holds
every function of the energy, so already transport with losses has eigenvalues of infinite
multiplicity there (harmonic potential: $-1/r + i n \sqrt{\kappa T_1}$, all n). Its edge is e, as on
the torus.

**Unlike the torus there is always a discrete eigenvalue** between e and 0. By the
formula $R_1(s) \ge K/s$ with K the density of the average over orbits, which is positive,
compact, of infinite rank. As $\lambda \to e$ the largest eigenvalue of R_1 R_2 grows without
bound (for r < 1 the same with R_2), and at $\lambda = 0$ it is below 1 on the complement of
constants; between them it is 1. So the rate is always smaller than min(r, 1/r), however strong
the confinement: functions of the energy are not mixed by transport. Infinitely many
eigenvalues accumulate at e.

On a grid the whole matrix has eigenvalues right of e that are artefacts; R_j(s) on a grid
converges spectrally for Re s > 0, so only zeros of det(1 - R_1 R_2) are reported.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import numpy as np
from scipy.optimize import brentq

from relaxon.core.errors import require
from relaxon.core.numbers import positive, shown, whole
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid
from relaxon.grids.velocity_nodes import ThermalNodes
from relaxon.numerics.roots import turning, zeros_in_box

DEPTH, XI_MAX = 36.0, 8.5
"""Where phase space is cut for linear theory: nodal values do not matter, so further out than for
solutions; the cut then costs less than 1e-13 of an eigenvalue (1e-9 with depth 24)."""


class ConfinedGap(eqx.Module):
    """Spectral picture of the linearised model.

    Attributes:
        eigenvalue: Rightmost discrete eigenvalue, real or (one of a pair) complex.
        edge: Essential spectral bound, -min(rho_inf, 1/rho_inf).
        rate: Decay rate of the norm (10), minus the real part of `eigenvalue`.
        error: Change of `eigenvalue` from a grid of half the nodes each way.
        real: Rightmost real eigenvalue.
    """

    eigenvalue: float | complex
    edge: float
    rate: float
    error: float
    real: float


class DensityResolvents(eqx.Module):
    r"""$R(s) = \langle (s + \sqrt T \mathcal T)^{-1} \rangle$ on densities without constant part.

    The basis are the orthonormal polynomials of degree 1 ... n - 1 of the weight $e^{-\phi}$
    (Hermite polynomials for a harmonic potential, for which R is diagonal).

    Attributes:
        coupling: Densities of the even singular functions of transport, `(n_x - 1, N)`.
        frequencies: Their singular values, `(N,)`.
    """

    coupling: np.ndarray
    frequencies: np.ndarray

    def __init__(self, grid: ConfinedGrid):
        coupling = grid.line.rule().modes[1:] @ np.asarray(grid.density_of_even)
        # Modes without density (odd under x -> -x against even ones, say) take no part.
        seen = np.sum(coupling**2, axis=0) > 1e-30
        self.coupling = coupling[:, seen]
        self.frequencies = np.asarray(grid.frequencies)[seen]

    def __call__(self, s: Any, temperature: float) -> np.ndarray:
        """R(s), shape `s.shape + (n_x - 1, n_x - 1)`, Re s > 0."""
        s = np.asarray(s)[..., None]
        factor = s / (s * s + temperature * self.frequencies**2)
        return (self.coupling * factor[..., None, :]) @ self.coupling.T

    def mixed(self, s: Any, temperature: float) -> np.ndarray:
        """Q(s) = 1 - s R(s), what transport takes from the densities, without cancellation."""
        s = np.asarray(s)[..., None]
        turned = temperature * self.frequencies**2
        # 1 - s^2/(s^2 + T sigma^2) without the difference.
        factor = turned / (s * s + turned)
        return (self.coupling * factor[..., None, :]) @ self.coupling.T


def confined_gap(
    rho_inf: float, T1: float, T2: float, potential: Any = "harmonic", n: tuple = (48, 32)
) -> ConfinedGap:
    """Rightmost eigenvalue, essential edge and true decay rate under a confining potential.

    Args:
        rho_inf: Equilibrium ratio of the first species, > 0.
        T1: Variance of the Gaussian chi_1.
        T2: Variance of the Gaussian chi_2.
        potential: phi: a `Confinement`, a name or a callable (see `confinement`).
        n: Numbers of positions and (even) of velocities.

    Returns:
        `ConfinedGap`. The scaled equation with epsilon has these for T epsilon^2, over
        epsilon^2.

    Raises:
        InputError: Arguments that are not positive; a potential that does not confine.

    Accuracy: spectral where the orbits change smoothly with the energy. Harmonic potential against
    exact matrices: 1e-14 relatively with 28 x 20 nodes for eigenvalues of order one, 1e-11 for
    one of 1e-4. Quartic potential, rho_inf = T1 = T2 = 1: -0.657847, 3e-7 with 48 x 32 nodes. A
    potential with a saddle converges algebraically, because the solution is only Hoelder
    continuous at the separatrix: double well of barrier 2, rho_inf = T1 = T2 = 1: -0.0795 with
    48 x 32, where a matrix continued fraction with up to 512 Hermite modes settles at -0.0725(5).
    `error` is about the true error there (0.006), and far above it for smooth problems.
    Cost: 0.6 s.
    """
    r, T1, T2 = positive("rho_inf", rho_inf), positive("T1", T1), positive("T2", T2)
    require(
        isinstance(n, tuple | list) and len(n) == 2,
        f"n must hold the numbers of positions and velocities, but is {shown(n)}.",
    )
    n = whole("n[0]", n[0], 4), whole("n[1]", n[1], 4)
    coarse = (max(8, n[0] // 2), max(6, 2 * (n[1] // 4)))
    fine, rough = (_rightmost(r, T1, T2, _resolvents(potential, size)) for size in (n, coarse))
    eigenvalue, real = fine
    return ConfinedGap(
        eigenvalue,
        -min(r, 1 / r),
        -float(np.real(eigenvalue)),
        float(abs(eigenvalue - rough[0])),
        real,
    )


def _resolvents(potential: Any, size) -> DensityResolvents:
    line = ConfinedLine(potential, size[0], DEPTH)
    return DensityResolvents(ConfinedGrid(line, ThermalNodes(size[1], XI_MAX)))


@dataclasses.dataclass(frozen=True)
class _Relation:
    """s_1 s_2 (1 - R_1 R_2) with s_1 = lambda + 1/r and s_2 = lambda + r: singular at eigenvalues.

    With Q = 1 - s R it is lambda (r + 1/r + lambda) + Q_1 + Q_2 - Q_1 Q_2, since s_1 s_2 = 1 +
    lambda (r + 1/r + lambda): accurate where eigenvalues are tiny.
    """

    r: float
    T1: float
    T2: float
    density: DensityResolvents

    @property
    def scale(self) -> float:
        """r + 1/r."""
        return self.r + 1 / self.r

    def __call__(self, lam: Any) -> np.ndarray:
        """The matrices at lambda, shape `lam.shape + (n_x - 1, n_x - 1)`."""
        first = self.density.mixed(lam + 1 / self.r, self.T1)
        second = self.density.mixed(lam + self.r, self.T2)
        moved = np.asarray(lam * (self.scale + lam))[..., None, None]
        return moved * np.eye(first.shape[-1]) + first + second - first @ second

    def smallest(self, lam: float) -> float:
        """Smallest eigenvalue at real lambda; they are real and increase."""
        return float(np.linalg.eigvals(self(lam)).real.min())

    def determinant(self, lam: Any, pole: float) -> np.ndarray:
        """det(s_1 s_2 (1 - R_1 R_2)/((lambda + pole)(lambda + r + 1/r))), poles on the left.

        With a pole of the size of a tiny eigenvalue it does not underflow near it.
        """
        lam = np.asarray(lam, dtype=complex)
        flat = lam.ravel()
        found = np.empty(flat.size, dtype=complex)
        for start in range(0, flat.size, 64):  # a batch that stays in the cache
            part = flat[start : start + 64]
            size = ((part + pole) * (part + self.scale))[:, None, None]
            found[start : start + 64] = np.linalg.det(self(part) / size)
        return found.reshape(lam.shape)


def _rightmost(r, T1, T2, density: DensityResolvents) -> tuple[float | complex, float]:
    """The rightmost eigenvalue of all, and of the real ones."""
    relation = _Relation(r, T1, T2, density)
    # At the edge the smallest eigenvalue of the relation is negative, at 0 it is positive.
    low = -min(r, 1 / r) * (1 - 1e-6)
    real = brentq(relation.smallest, low, 0.0, xtol=1e-300, rtol=1e-14)
    right = real + 1e-6 * abs(real)
    if _count_beyond(relation, real, right) <= 0:
        return real, real
    zeros = _zeros_beyond(relation, right)
    leading = complex(zeros[np.argmax(zeros.real)])
    straight = zeros.real[np.abs(zeros.imag) < 1e-12 * np.abs(zeros)]
    real = max([real, *straight.tolist()])
    if abs(leading.imag) < 1e-12 * abs(leading):
        return real, real
    return complex(leading.real, abs(leading.imag)), real


def _count_beyond(relation: _Relation, real: float, right: float) -> int:
    """Number of eigenvalues right of the line Re lambda = right, by the argument principle.

    The determinant tends to 1 at both ends of the line, which the half plane lies to the right of;
    at 0 it does not vanish, as constants are left out.
    """
    # From the size of the eigenvalue, which may be tiny, to where the determinant is 1.
    reach = np.arcsinh(3e5 * relation.scale / abs(right))

    def line(t):
        return right + 1j * abs(right) * np.sinh(reach * (2 * t - 1))

    return -round(turning(lambda z: relation.determinant(z, -2 * real), line, 0.0, 1.0, 129))


def _zeros_beyond(relation: _Relation, right: float) -> np.ndarray:
    """The eigenvalues right of that line, in a box so high that the determinant is 1 above it."""

    def determinant(lam):
        return relation.determinant(lam, relation.scale)

    height = relation.scale
    probe = np.geomspace(1, 1e2, 60)
    while np.any(np.abs(1 - determinant(right + 1j * height * probe)) > 0.5):
        height *= 1.4
    corner = complex(1e-3 * relation.scale, height)
    return zeros_in_box(determinant, complex(right, -height * 1.013), corner)
