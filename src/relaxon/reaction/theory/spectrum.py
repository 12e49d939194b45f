r"""The spectrum of the linearised reaction model, mode by mode.

A mode of wave vector xi, k = |xi|, of the linearised system neumann2016 (7) has the dispersion
relation

$$ 1 = A(\lambda) B(\lambda), \quad
   A = \int \chi_1 / (\lambda + i k v + 1/\rho_\infty) dv, \quad
   B = \int \chi_2 / (\lambda + i k v + \rho_\infty) dv , $$

with v the velocity along xi. The essential spectrum is the pair of lines
Re lambda = -rho_inf, -1/rho_inf; to the right of the edge -min(rho_inf, 1/rho_inf) there are only
the zeros of 1 - A B.

For marginals that are even and unimodal (Gaussians, algebraic tails) these zeros are settled by
two facts. (i) Re A, Re B > 0, and Im A, Im B have the sign opposite to Im lambda (an even unimodal
density is a mixture of uniform ones, for which it can be read off), so the argument of A B lies in
(-pi, 0) or (0, pi) off the real axis: **no complex eigenvalue exists right of the edge**, for any
rho_inf and any two temperatures. (ii) On the real axis A B decreases, so there is
one real eigenvalue if A B > 1 at the edge, and none otherwise. For other marginals the zeros are
counted by the argument principle. No matrix is involved: a velocity grid turns the essential
spectrum into eigenvalues, some of them to the right of the edge.

The density of entire data does not feel the edge: it decays with the rightmost zero of the
analytic continuation of 1 - A B, a Landau pole when that zero lies left of the edge. For Gaussians
this is again the one real zero.
"""

from __future__ import annotations

import equinox as eqx
import numpy as np
from scipy.optimize import brentq

from relaxon.core.errors import require
from relaxon.core.numbers import number, positive
from relaxon.core.shapes import known
from relaxon.distributions.marginals import GaussianMarginal, Marginal
from relaxon.distributions.profiles import as_marginal
from relaxon.numerics.roots import turning, zeros_in_box


class SpectralGap(eqx.Module):
    """What the linear theory says of one mode.

    Attributes:
        eigenvalue: Rightmost discrete eigenvalue right of the edge, a float when it is real;
            None if there is none.
        edge: Right edge of the essential spectrum, -min(rho_inf, 1/rho_inf).
        rate: Decay rate of the weighted norm (10), min(-Re eigenvalue, -edge).
        density_rate: Decay rate of the densities of entire data: minus the real part of the
            rightmost zero of the continued dispersion relation. At least `rate`. None for
            marginals other than Gaussians when no eigenvalue exists.
        eigenvalues: All eigenvalues right of the edge, rightmost first.
        k: Wave number of the mode.
    """

    eigenvalue: float | complex | None
    edge: float
    rate: float
    density_rate: float | None
    eigenvalues: tuple
    k: float


def dispersion(eigenvalue, rho_inf, T1, T2, k, continued: bool = False):
    """1 - A B at given lambda.

    Args:
        eigenvalue: Complex lambda, any shape; right of or on the edge unless `continued`.
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or its marginal density as a callable.
        T2: The same for chi_2.
        k: Wave number, > 0.
        continued: Continue analytically across the essential spectrum from the right (the
            function whose zeros are the Landau poles).

    Returns:
        Complex array of the shape of `eigenvalue`.
    """
    r, k = positive("rho_inf", rho_inf), positive("k", k)
    first, second = as_marginal("T1", T1), as_marginal("T2", T2)
    eigenvalue = np.asarray(known("eigenvalue", eigenvalue, complex_too=True), dtype=complex)
    return _dispersion(eigenvalue, r, first, second, k, continued)


def _dispersion(lam, r, first: Marginal, second: Marginal, k, continued=False):
    if continued:
        return 1 - first.continued(lam + 1 / r, k) * second.continued(lam + r, k)
    return 1 - first.cauchy(lam + 1 / r, k) * second.cauchy(lam + r, k)


def spectral_gap(rho_inf, T1, T2, k) -> SpectralGap:
    """Discrete eigenvalue, essential edge and true decay rate of one mode.

    Source: neumann2016 (7); the eigenvalue solves the dispersion relation of this module.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector (Gaussian), its marginal density along the
            wave vector, a vectorised callable with mass 1 and mean 0, or a `Marginal`, such as
            `profile.marginal(direction)` of a velocity profile.
        T2: The same for chi_2.
        k: Wave number |xi| > 0; 2 pi is the longest wave of the torus of volume one.

    Returns:
        `SpectralGap`. `eigenvalue` is None when 1 - A B has no zero right of the edge, decided
        by the sign of 1 - A B at the edge (Gaussians) or by the argument principle.

    Raises:
        InputError: Arguments that are not positive, a density of wrong mass or mean.

    Accuracy: Gaussians to 3e-14 relatively, also where the eigenvalue tends to 0 like k^2 (120
    random cases over five decades of rho_inf, T and k against 40-digit mpmath); callables to
    1e-12 absolutely. Cost: 1 ms for Gaussians, 5 to 20 ms for even unimodal callables, up to 200 ms
    for others.
    """
    r, k = positive("rho_inf", rho_inf), positive("k", k)
    first, second = as_marginal("T1", T1), as_marginal("T2", T2)
    edge = -min(r, 1 / r)
    if isinstance(first, GaussianMarginal) and isinstance(second, GaussianMarginal):
        root = _real_zero(r, first, second, k)
        # A B decreases on the real axis: the zero lies right of the edge iff A B > 1 there.
        exists = _log_product(edge, r, first, second, k) > 0
        eigenvalues = (root,) if exists else ()
        density_rate: float | None = -root
    else:
        eigenvalues = _counted_zeros(r, first, second, k)
        density_rate = -float(np.real(eigenvalues[0])) if eigenvalues else None
    eigenvalue = eigenvalues[0] if eigenvalues else None
    rate = -float(np.real(eigenvalues[0])) if eigenvalues else -edge
    return SpectralGap(eigenvalue, edge, rate, density_rate, eigenvalues, k)


def critical_wavenumber(rho_inf, T1, T2) -> float:
    r"""Wave number below which a mode has a discrete eigenvalue.

    $$ A(e) B(e) = 1 \text{ at the edge } e = -\min(\rho_\infty, 1/\rho_\infty) . $$

    For rho_inf = 1 it is $\sqrt{\pi/2} (T_1 T_2)^{-1/4}$.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or an even, unimodal marginal density.
        T2: The same for chi_2.

    Returns:
        K_c: an eigenvalue exists if and only if k < K_c.

    Raises:
        InputError: Arguments that are not positive; a marginal whose A B at the edge is not real.

    Accuracy: relative 1e-14 for Gaussians.
    """
    r = positive("rho_inf", rho_inf)
    first, second = as_marginal("T1", T1), as_marginal("T2", T2)
    edge = -min(r, 1 / r)
    if isinstance(first, GaussianMarginal) and isinstance(second, GaussianMarginal):

        def excess(log_k):
            return float(_log_product(edge, r, first, second, np.exp(log_k)))
    else:

        def excess(log_k):
            value = 1 - _dispersion(np.array(edge + 0j), r, first, second, np.exp(log_k))
            require(
                abs(value.imag) < 1e-9 * abs(value),
                "critical_wavenumber needs marginals that are even in the velocity.",
            )
            return float(np.log(value.real))

    # A B at the edge falls with k: one change of sign, bracketed in log k.
    low, high = -1.0, 1.0
    while excess(low) < 0:
        low -= 2
    while excess(high) > 0:
        high += 2
    return float(np.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-15)))


def landau_poles(rho_inf, T1, T2, k, left: float | None = None) -> np.ndarray:
    """Zeros of the continued dispersion relation right of the line Re lambda = left.

    They are the exponents of the densities' late behaviour for entire data (Gaussian times
    polynomial): rho(t) is a sum of e^{lambda t} over them. Those right of the essential edge are
    the eigenvalues; the others are Landau poles.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or a marginal density that is entire and
            accepts complex velocities.
        T2: The same for chi_2.
        k: Wave number, > 0.
        left: Line to the right of which all zeros are wanted. Default: far enough for the real
            zero and about the first two complex pairs of a Gaussian.

    Returns:
        Complex array, rightmost first; complete, because the argument principle counts them.

    Raises:
        InputError: A zero on the search box, or a box so far left that the relation overflows.
    """
    r, k = positive("rho_inf", rho_inf), positive("k", k)
    first, second = as_marginal("T1", T1), as_marginal("T2", T2)
    width = k * np.sqrt(max(first.moment(2), second.moment(2)))
    left = -max(r, 1 / r) - 3.3 * width if left is None else number("left", left)
    require(left < 0, f"left must be negative, but is {left}.")

    def function(lam):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return _dispersion(np.asarray(lam), r, first, second, k, True)

    height = 2 * (abs(left) + width + max(r, 1 / r))
    # Above this height |A B| < 1/2, so that no zero lies beyond the box.
    while np.any(np.abs(1 - function(np.linspace(left, 0.1, 65) + 1j * height)) > 0.5):
        height *= 1.5
    # Not symmetric, so that the first cut of the box misses the zeros on the real axis.
    return _conjugated(zeros_in_box(function, complex(left, -height * 1.01), complex(0.1, height)))


def limit_diffusivity(rho_inf, T1, T2) -> float:
    r"""Diffusivity of the long waves: eigenvalue = -D(m_inf) k^2 + O(k^4).

    $$ D(m_\infty) = (\rho_\infty^3 D_1 + D_2/\rho_\infty) / (\rho_\infty^2 + 1) $$

    Source: neumann2016, section 1.3, D(m) at $m_\infty = \rho_\infty - 1/\rho_\infty$. It is not
    D_0 of the macroscopic coercivity, which is $(\rho_\infty^2 D_1 + D_2)/(\rho_\infty^2 + 1)$.
    """
    r = positive("rho_inf", rho_inf)
    d1, d2 = as_marginal("T1", T1).moment(2), as_marginal("T2", T2).moment(2)
    return (r**3 * d1 + d2 / r) / (r * r + 1)


def _log_product(lam, r, first: GaussianMarginal, second: GaussianMarginal, k):
    """log(A B) at real lambda; decreasing and convex."""
    return first.log_cauchy(lam + 1 / r, k) + second.log_cauchy(lam + r, k)


def _real_zero(r, first: GaussianMarginal, second: GaussianMarginal, k) -> float:
    """The one real zero of the continued relation, between -infinity and 0."""

    def function(lam):
        return float(_log_product(lam, r, first, second, k))

    low = -min(r, 1 / r)
    while function(low) <= 0:
        low *= 2
    root = brentq(function, low, 0.0, xtol=1e-16, rtol=1e-15, maxiter=300)
    if root > -0.1 * min(r, 1 / r):
        root = _small_zero(r, first, second, k, root)
    return root


def _small_zero(r, first, second, k, root: float) -> float:
    """The zero near 0 to relative rounding.

    With a = 1 - s1 A, b = 1 - s2 B, both of order k^2, and s1 s2 = 1 + lambda (r + 1/r) + lambda^2
    the relation becomes lambda (r + 1/r) + lambda^2 + a + b - a b = 0, without cancellation.
    """
    for _ in range(6):
        a, b = first.defect(root + 1 / r, k), second.defect(root + r, k)
        value = root * (r + 1 / r) + root * root + a + b - a * b
        # Newton with the slope to leading order, d(1 - s C)/ds = -2 (1 - s C)/s; the residual is
        # exact.
        slope = r + 1 / r + 2 * root - 2 * a / (root + 1 / r) - 2 * b / (root + r)
        root -= value / slope
    return root


def _counted_zeros(r, first: Marginal, second: Marginal, k) -> tuple:
    """All zeros right of the edge for general marginals, by the argument principle."""
    edge = -min(r, 1 / r)
    if first.unimodal and second.unimodal:
        return _real_eigenvalue(edge, r, first, second, k)

    def function(lam):
        return _dispersion(np.maximum(lam.real, edge) + 1j * lam.imag, r, first, second, k)

    scale = k + r + 1 / r

    def line(t):
        # The whole line Re lambda = edge by the tangent of a bounded parameter.
        return edge + 1j * scale * np.tan(np.pi * (t - 0.5))

    # 1 - A B tends to 1 at both ends of the line, which the half plane lies to the right of.
    number = -round(turning(function, line, 1e-6, 1 - 1e-6, 129))
    if number <= 0:
        return ()
    if number == 1:
        ends = function(np.array([edge + 0j, 0.5 * edge, 0j]))
        if np.all(np.abs(ends.imag) < 1e-13) and ends[0].real < 0:
            real = brentq(
                lambda x: function(np.array(x + 0j)).real, edge, 0.0, xtol=1e-16, rtol=1e-15
            )
            return (real,)
    height = scale
    probe = np.geomspace(1, 1e3, 200)
    while np.any(np.abs(1 - function(edge + 1j * height * np.concatenate([probe, -probe]))) > 0.5):
        height *= 1.3
    top = complex(1e-3 * scale, height)
    zeros = _conjugated(zeros_in_box(function, complex(edge, -height * 1.013), top))
    require(
        zeros.size == number,
        f"The argument principle counts {number} eigenvalues, but {zeros.size} were found.",
    )
    return tuple(float(z.real) if z.imag == 0 else complex(z) for z in zeros)


def _real_eigenvalue(edge, r, first: Marginal, second: Marginal, k) -> tuple:
    """The only eigenvalue of even, unimodal marginals: A B - 1 decreases from the edge to 0."""

    def function(lam):
        return float(_dispersion(np.array(lam + 0j), r, first, second, k).real)

    if function(edge) >= 0:
        return ()
    return (float(brentq(function, edge, 0.0, xtol=1e-16, rtol=1e-15)),)


def _conjugated(zeros: np.ndarray) -> np.ndarray:
    """Zeros whose imaginary part is rounding made real."""
    small = np.abs(zeros.imag) < 1e-12 * np.maximum(1, np.abs(zeros))
    return np.where(small, zeros.real, zeros)
