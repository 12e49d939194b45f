r"""The H^1 method of neumann2016, section 2.2, with explicit constants.

For the rescaled unknowns (21) the functional

$$ H^1[F] = A |F|^2 + \alpha |\nabla_x F|^2 + \beta |\nabla_v F|^2
   + 2 \gamma (\nabla_x F, \nabla_v F) $$

needs all four weights: the paper prints A = alpha = beta = 1, and then no gamma makes the
functional decrease if rho_inf >= 2 or <= 1/2 (`h1_functional_rate` with `weights`), because for
short waves transport feeds |grad_v F|^2 as fast as the loss damps it.

**What the profiles must satisfy.** The inequalities use of chi_j only that the gain term gains a
derivative, |grad_v K F| <= kappa |F|. K is of rank two, so the sharp constant is
$\kappa = \max_j |\nabla_v \sqrt{\chi_j}|_{L^2} = \tfrac12 \max_j I_j^{1/2}$ with the Fisher
information $I_j = \int |\nabla \chi_j|^2/\chi_j$. The paper names the L^infinity norm of
grad_v sqrt(chi_j) after (27); the L^2 norm is what its Cauchy-Schwarz needs, and neither bounds
the other. No moment of chi_j is needed: the method carries over to every profile with finite
information, heavy tails included.
"""

from __future__ import annotations

import dataclasses

import equinox as eqx
import numpy as np
from scipy.optimize import brentq

from relaxon.core.errors import require
from relaxon.core.numbers import dimension as checked_dimension
from relaxon.core.numbers import positive, reals
from relaxon.distributions.marginals import Marginal
from relaxon.distributions.profiles import Profile, as_marginal
from relaxon.numerics.legendre import gauss_legendre, legendre_values, to_legendre
from relaxon.numerics.pencils import Witness, best_pencil, matrix_witness

_LONGEST = 2 * np.pi
_NODES, _WEIGHTS = gauss_legendre(12)
_TO_LEGENDRE = to_legendre(12)


class SobolevRate(eqx.Module):
    """A rate that the H^1 functional proves.

    Attributes:
        rate: Decay rate of the H^1 norm of (f/sqrt(chi_1), g/sqrt(chi_2)).
        weights: A, alpha, beta, gamma, with A + (2 pi)^2 alpha + beta = 1.
        gap: No other weights prove more than rate + gap.
    """

    rate: float
    weights: tuple[float, float, float, float]
    gap: float


def h1_rate(rho_inf, T1, T2, k=None, dimension: int = 1) -> SobolevRate:
    r"""Best rate of the H^1 method from the explicit inequalities (22)-(28).

    With X = |(1 - Pi) F|, Y = |Pi F|, W = |grad_v F| of a mode, lambda = min(rho, 1/rho),
    |L| = rho + 1/rho and $\kappa = \tfrac12 \max_j I_j^{1/2}$ from (27), I_j the Fisher information
    of chi_j, d/T for a Gaussian,

    $$ D \ge 2 \lambda (A + \alpha k^2) X^2 + 2 \gamma k^2 (X^2 + Y^2) + 2 \lambda \beta W^2
       - 2 \beta (k + \kappa)(X + Y) W - 4 \gamma |L| k X W, $$
    $$ H^1 \le (A + \alpha k^2)(X^2 + Y^2) + \beta W^2 + 2 \gamma k (X + Y) W , $$

    and the rate is half the smallest eigenvalue of the first form relative to the second, at the
    best weights.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of the isotropic Gaussian chi_1, a `Profile`, or, in dimension 1, a density.
        T2: The same for chi_2.
        k: Wave number of one mode. Default: one set of weights for all modes 2 pi n (measured:
            the same rate as for k = 2 pi alone).
        dimension: Dimension d of the velocity space. The whole gradient in v enters, so in more
            than one dimension a marginal does not say enough.

    Raises:
        InputError: A profile of infinite Fisher information, or a marginal with dimension > 1.

    Returns:
        `SobolevRate`, the optimum over all weights with a proven gap, 1e-13 relatively for long
        waves, too; zero where it is below rounding (rho_inf > 1e3). Measured on the unit torus
        with T1 = T2 = 1, d = 1: 0.03083 for rho_inf = 1, 0.00350 for 2, 2.1e-6 for 10.
    """
    r = positive("rho_inf", rho_inf)
    dimension = checked_dimension(dimension, name="dimension")
    loss, size = min(r, 1 / r), r + 1 / r
    informations = [fisher_information("T1", T1, dimension)]
    informations.append(fisher_information("T2", T2, dimension))
    gain = np.sqrt(max(informations)) / 2

    def forms(wave):
        # The two forms of the docstring in (X, Y, W): one matrix each for A, alpha, beta and gamma.
        unit = np.diag([1.0, 1.0, 0.0])
        first = np.diag([2 * loss, 0.0, 0.0])
        third = np.diag([0.0, 0.0, 2 * loss]) - _cross(wave + gain, wave + gain)
        fourth = 2 * wave**2 * unit - _cross(2 * size * wave, 0.0)
        dissipation = np.array([first, wave**2 * first, third, fourth])
        last = np.diag([0.0, 0.0, 1.0])
        functional = np.array([unit, wave**2 * unit, last, _cross(wave, wave)])
        # Short waves make X and Y large beside W: rescaled, the eigenvalues keep their digits.
        scale = np.diag([1 / np.hypot(1, wave), 1 / np.hypot(1, wave), 1.0])
        return scale @ dissipation @ scale, scale @ functional @ scale

    dissipation, functional = map(np.array, zip(*(forms(wave) for wave in _waves(k))))

    def witness(weights):
        nothing = np.zeros_like(dissipation[:, :1])
        full = matrix_witness(
            np.concatenate([nothing, dissipation], axis=1),
            np.concatenate([nothing, functional], axis=1),
        )(weights)
        return Witness(full.rate, full.dissipation[1:], full.functional[1:])

    # D > 0 for (Y, W) needs beta <= 4 lambda gamma k^2/(k + kappa)^2: small for long waves.
    unit = 1.0 if k is None else float(_waves(k)[0] / (_waves(k)[0] + gain)) ** 2
    return _optimum(witness, relative=True, unit=unit)


def h1_functional_rate(rho_inf, T1, T2, k=None, weights=None, step: float = 0.3) -> SobolevRate:
    r"""Best rate of the H^1 functional itself, from its exact forms.

    In the Fourier variable p of v the forms are multiplications by
    $h = A + \alpha k^2 + \beta p^2 + 2 \gamma k p$ and by $2 \Lambda h + k h'$, plus the gain term
    of rank two with $a_j$, the Fourier transform of $\sqrt{\chi_j}$, for Gaussians
    $(2 T_j/\pi)^{1/4} e^{-T_j p^2}$. The multiplications give
    the essential part, $2 \min(\rho, 1/\rho) - k/c$ with $c^2 = (A + \alpha k^2)/\beta -
    \gamma^2 k^2/\beta^2$, and what lies below it solves a 2 x 2 secular equation. Its
    integrals are done on Gauss-Legendre panels, graded towards p = 0, where heavy tails make a_j
    singular, towards infinity, and towards the minimum of the multiplication, where a pole comes
    down to the real axis as the rate approaches the essential part.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 along the wave vector, or its even marginal density. In more than one
            dimension the forms are those of functions whose gradient in v is along the wave vector.
        T2: The same for chi_2.
        k: Wave number of one mode. Default: one set of weights for the unit torus.
        weights: A, alpha, beta, gamma to be judged as they are. Default: the best ones.
        step: A third of the widest panel in p, in units of the largest |grad_v sqrt(chi_j)| or of
            the inverse velocity scale, whichever is smaller.

    Returns:
        `SobolevRate`; with `weights`, the rate that these prove (negative: none) and gap 0.

    Raises:
        InputError: Weights whose functional is not positive; a profile of infinite Fisher
            information or one that is not even.

    Accuracy: 1e-12 in the rate (steps 0.3 and 0.2 agree to 1e-13 for Gaussian, algebraic and
    two-bump profiles, also where the best rate touches the essential part). Measured on the
    unit torus with T1 = T2 = 1: 0.49841 for rho_inf = 1, 0.24974 for rho_inf = 2, about half the
    true rate and far above what the inequalities of `h1_rate` keep of it.
    Cost: 0.1 s a mode, 0.5 s the torus.
    """
    r, first, second = positive("rho_inf", rho_inf), as_marginal("T1", T1), as_marginal("T2", T2)
    amplitudes = _Amplitudes(first, second, positive("step", step))
    waves = _waves(k, quick=True)
    if weights is None:
        return _optimum(
            lambda w: min(
                (_fourier_witness(r, amplitudes, wave, w) for wave in waves), key=_severity
            )
        )
    weights = reals("weights", weights)
    require(weights.shape == (4,), f"weights must be four numbers, but have shape {weights.shape}.")
    found = [_fourier_witness(r, amplitudes, wave, weights) for wave in waves]
    rates = [w.rate for w in found if w.rate is not None]
    require(
        len(rates) == len(found),
        f"The functional with weights {weights.tolist()} is not positive.",
    )
    a, alpha, beta, gamma = map(float, weights)
    return SobolevRate(min(rates) / 2, (a, alpha, beta, gamma), 0.0)


def _fourier_witness(r, transforms: _Amplitudes, wave, weights) -> Witness:
    """What limits the H^1 functional of one mode, with parts for A, alpha, beta, gamma."""
    a, alpha, beta, gamma = weights
    # h = beta ((p + centre)^2 + square): the functional is positive iff beta and square are.
    if beta <= 0 or a + alpha * wave**2 <= 0:
        sign = np.array([0, 0, 1.0, 0]) if beta <= 0 else np.array([1.0, wave**2, 0, 0])
        return Witness(None, sign, sign)
    centre = gamma * wave / beta
    square = (a + alpha * wave**2) / beta - centre**2
    if square <= 0:
        # h <= 0 at p = -centre: this delta function is what cuts the weights off.
        parts = np.array([1.0, wave**2, centre**2, -2 * wave * centre])
        return Witness(None, parts, parts)
    # 2 Lambda + k h'/h is smallest at this p: the essential part begins there.
    place = -centre - np.sqrt(square)
    ceiling = 2 * min(r, 1 / r) - wave / np.sqrt(square)
    forms = _FourierForms.of(r, *transforms.nodes(place), wave, weights)
    # The secular equation has its pole at the ceiling: stay a rounding below it.
    top = ceiling - 1e-13 * max(1.0, abs(ceiling))
    if forms.excess(top) <= 0:  # the gain term pulls nothing out of the essential part
        functional = _symbols(np.array([place]), wave)[:, 0]
        feed = wave * np.array([0, 0, 2 * place, 2 * wave])
        return Witness(ceiling, 2 * min(r, 1 / r) * functional + feed, functional)
    # Down by doubling steps until the excess is negative, which brackets the rate.
    low, reach = ceiling, 1.0
    while forms.excess(low := low - reach) > 0:
        reach *= 2
    return forms.witness(brentq(forms.excess, low, top, xtol=1e-14, rtol=1e-14))


@dataclasses.dataclass(frozen=True)
class _FourierForms:
    """The forms of `h1_functional_rate` for one mode, on nodes in p.

    Below its essential part the dissipation less level times the functional is a multiplication,
    M_1 = (2/r - level) h + k h' on f and M_2 = (2 r - level) h + k h' on g, plus the gain term of
    rank two: it is singular where the 2 x 2 product of the Gram matrices has the eigenvalue one.

    Attributes:
        r: Equilibrium density.
        p: Nodes, shape (n,).
        amplitudes: a_1 and a_2 with the roots of the weights, shape (2, n).
        wave: k.
        symbols: Multiplications of A, alpha, beta, gamma, shape (4, n).
        h: Their sum with the weights.
        slope: k h'.
    """

    r: float
    p: np.ndarray
    amplitudes: np.ndarray
    wave: float
    symbols: np.ndarray
    h: np.ndarray
    slope: np.ndarray

    @classmethod
    def of(cls, r, p, amplitudes, wave, weights) -> _FourierForms:
        """With the weights A, alpha, beta, gamma."""
        _, _, beta, gamma = weights
        symbols = _symbols(p, wave)
        slope = wave * (2 * beta * p + 2 * gamma * wave)
        return cls(r, p, amplitudes, wave, symbols, weights @ symbols, slope)

    def gram(self, level) -> tuple[np.ndarray, np.ndarray]:
        """The 2 x 2 matrices U.M1^-1 U and V.M2^-1 V of the gain term."""
        h, (a1, a2) = self.h, self.amplitudes
        # U and V span the gain term: h a_1, a_1 for f and a_2, h a_2 for g.
        one = a1 / ((2 * (1 / self.r) - level) * h + self.slope)
        two = a2 / ((2 * self.r - level) * h + self.slope)
        first = [[h * h * a1 @ one, h * a1 @ one], [h * a1 @ one, a1 @ one]]
        second = [[a2 @ two, h * a2 @ two], [h * a2 @ two, h * h * a2 @ two]]
        return np.array(first), np.array(second)

    def excess(self, level) -> float:
        """Largest eigenvalue of the product of the Gram matrices, less one; increases in level."""
        first, second = self.gram(level)
        product = second @ first
        half = np.trace(product) / 2
        return half + np.sqrt(max(half**2 - np.linalg.det(product), 0.0)) - 1

    def witness(self, rate) -> Witness:
        """Both forms of the function (f, g) that attains the rate, part by part."""
        h, r, (a1, a2) = self.h, self.r, self.amplitudes
        first, second = self.gram(rate)
        values, vectors = np.linalg.eig(second @ first)
        c = np.real(vectors[:, np.argmax(np.real(values))])
        d = first @ c
        # M_1 f = -U c and M_2 g = V d, each other's source.
        f = -(h * c[0] + c[1]) * a1 / ((2 / r - rate) * h + self.slope)
        g = (d[0] + h * d[1]) * a2 / ((2 * r - rate) * h + self.slope)
        size = np.sqrt(h @ (f * f + g * g))
        f, g = f / size, g / size
        zero = 0 * self.p
        slopes = self.wave * np.array([zero, zero, 2 * self.p, 2 * self.wave + zero])
        gain = (self.symbols @ (f * a1)) * (a2 @ g) + (self.symbols @ (g * a2)) * (a1 @ f)
        dissipation = 2 * self.symbols @ (f * f / r + g * g * r)
        dissipation = dissipation + slopes @ (f * f + g * g) + 2 * gain
        return Witness(rate, dissipation, self.symbols @ (f * f + g * g))


def fisher_information(name: str, profile, dimension: int = 1) -> float:
    r"""Fisher information of a profile.

    $$ I = \int |\nabla\chi|^2/\chi dv = 4 |\nabla_v \sqrt\chi|_{L^2}^2 $$

    Args:
        name: What to call it in errors.
        profile: A variance (isotropic Gaussian), a `Profile`, or, in dimension 1, a density.
        dimension: Dimension of the velocity space.
    """
    if isinstance(profile, Profile):
        return profile.information(dimension)
    if not callable(profile) and not isinstance(profile, Marginal):
        return dimension / positive(name, profile)
    require(
        dimension == 1,
        f"In dimension {dimension} the H^1 method needs the whole profile, a variance or a "
        f"Profile, but {name} is a marginal density.",
    )
    return as_marginal(name, profile).information(name)


class _Amplitudes(eqx.Module):
    """Fourier transforms of sqrt(chi_j) on panels in p, for integrals with a pole near `place`.

    Panels halve towards p = 0, where heavy tails make them singular, are equal where they live, and
    grow beyond until what |grad_v|^2 would add is below rounding.
    """

    ends: np.ndarray
    series: np.ndarray

    def __init__(self, first: Marginal, second: Marginal, step: float):
        speeds = np.geomspace(1e-9, 1e9, 2001)
        spread = max(speeds[np.argmax(speeds * m.density(speeds))] for m in (first, second))
        largest = np.sqrt(max(first.information("T1"), second.information("T2"))) / 2
        widest = 3.3 * step * min(largest, 1 / spread)
        inner = np.concatenate([[0.0], widest * 0.5 ** np.arange(10.0, 0.0, -1.0)])
        new = np.concatenate([inner, widest * np.arange(1.0, np.ceil(6 * largest / widest) + 1)])
        ends, series = [new[:1]], []
        while True:
            halves = np.diff(new)[:, None] / 2
            p = new[:-1, None] + halves * (1 + _NODES)
            values = np.array([m.amplitude(p) for m in (first, second)])
            ends.append(new[1:])
            series.append(values @ _TO_LEGENDRE.T)
            late = np.sum(halves * _WEIGHTS * (p * values) ** 2, axis=(1, 2))
            if late.max() < 1e-16 * largest**2 or new[-1] > 1e8 * largest:
                break
            # Four more panels, each 1.3 times farther out.
            new = new[-1] * 1.3 ** np.arange(5.0)
        self.ends, self.series = np.concatenate(ends), np.concatenate(series, axis=1)

    def nodes(self, place: float) -> tuple[np.ndarray, np.ndarray]:
        """Nodes p and the amplitudes there times the root of the weights, panels graded to place.

        A pole at the distance delta of `place` is then no nearer to a panel than a fixed share of
        the panel's width, whatever delta is.
        """
        near = place + np.concatenate([[0.0], *(s * 2.0 ** np.arange(-26, 3) for s in (-1, 1))])
        near = near[np.abs(near) < self.ends[-1]]
        ends = np.sort(np.concatenate([-self.ends[:0:-1], self.ends, near]))
        ends = ends[np.concatenate([[True], np.diff(ends) > 0])]
        halves, middles = np.diff(ends)[:, None] / 2, (ends[1:] + ends[:-1])[:, None] / 2
        p = middles + halves * _NODES
        panel = np.searchsorted(self.ends, np.abs(middles[:, 0])) - 1
        low, high = self.ends[panel, None], self.ends[panel + 1, None]
        x = np.clip((2 * np.abs(p) - low - high) / (high - low), -1, 1)
        basis = legendre_values(x, _NODES.size)
        values = np.einsum("pxn,spn->spx", basis, self.series[:, panel])
        return p.ravel(), (values * np.sqrt(halves * _WEIGHTS)).reshape(2, -1)


def _symbols(p, wave) -> np.ndarray:
    """What A, alpha, beta and gamma multiply in h(p)."""
    return np.array([1 + 0 * p, wave**2 + 0 * p, p * p, 2 * wave * p])


def _severity(witness: Witness) -> float:
    return -np.inf if witness.rate is None else witness.rate


def _cross(first: float, second: float) -> np.ndarray:
    """The form 2 (first X + second Y) W in (X, Y, W)."""
    return np.array([[0, 0, first], [0, 0, second], [first, second, 0]], dtype=float)


def _waves(k, quick: bool = False) -> np.ndarray:
    if k is not None:
        return np.array([positive("k", k)])
    numbers = [1, 2, 4, 1e4] if quick else [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 25, 40, 100, 1e3, 1e5]
    return _LONGEST * np.array(numbers, dtype=float)


def _optimum(
    witness, tolerance: float = 1e-13, relative: bool = False, unit: float = 1.0
) -> SobolevRate:
    """The optimum over A = 1 - b - beta, alpha = b/(2 pi)^2, beta = c unit, gamma = g/(2 pi)."""

    def affine(parts):
        a, alpha, beta, gamma = parts
        return np.array([a, alpha / _LONGEST**2 - a, (beta - a) * unit, gamma / _LONGEST])

    def weights_of(free):
        b, c, g = free
        return np.array([1 - b - c * unit, b / _LONGEST**2, c * unit, g / _LONGEST])

    def restricted(free):
        weights = weights_of(free)
        if weights[0] <= 0:
            outside = np.array([1.0, 0, 0, 0])
            return Witness(None, affine(outside), affine(outside))
        found = witness(weights)
        return Witness(found.rate, affine(found.dissipation), affine(found.functional))

    best = best_pencil(
        restricted, [0.5, 0.5, 0.25], [0.9, 0.9, 0.5], tolerance=tolerance, relative=relative
    )
    if best.rate <= 0:  # below rounding; that |F| does not grow is proven without derivatives
        return SobolevRate(0.0, (1.0, 0.0, 0.0, 0.0), tolerance)
    a, alpha, beta, gamma = map(float, weights_of(best.weights))
    return SobolevRate(best.rate / 2, (a, alpha, beta, gamma), best.gap / 2)
