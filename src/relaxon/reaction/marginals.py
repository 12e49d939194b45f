r"""Velocity profiles seen along a wave vector: one-dimensional densities and their transforms.

For a mode with wave number k the linearised reaction model knows a profile chi only through its
marginal p along the wave vector, and p only through

$$ C(s; k) = \int p(v) / (s + i k v) dv = \int_0^\infty e^{-s t} \hat p(k t) dt . $$

The integral converges for Re s > 0. Its analytic continuation to Re s <= 0 adds the residue
$(2 \pi / k) p(i s / k)$ of the pole that has crossed the real velocities.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
import numpy as np
from scipy.special import erfcx, log_ndtr, spherical_jn, wofz

from relaxon.errors import InputError, require

_DEGREE = 24
_DOUBLINGS = 41
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_DEGREE)
_TO_LEGENDRE = np.linalg.inv(np.polynomial.legendre.legvander(_NODES, _DEGREE - 1))


class Marginal(eqx.Module):
    """A probability density of mean zero on the line, as the linear theory uses it."""

    @abstractmethod
    def density(self, v):
        """p(v) at real or complex v."""

    @abstractmethod
    def cauchy(self, s, k):
        """C(s; k) for Re s >= 0; at Re s = 0 the limit from the right."""

    @abstractmethod
    def continued(self, s, k):
        """Analytic continuation of C(s; k) from Re s > 0 to the whole plane."""

    @abstractmethod
    def characteristic(self, w):
        r"""Fourier transform $\hat p(w) = \int p e^{-i w v} dv$ at real w."""

    @abstractmethod
    def moment(self, order: int) -> float:
        """Moment int v^order p dv for order 2 or 4."""


class GaussianMarginal(Marginal):
    r"""$p(v) = (2 \pi T)^{-1/2} e^{-v^2 / (2 T)}$, with every transform in closed form.

    $$ C(s; k) = \sqrt{\pi/2} / K \, e^{z^2} erfc(z), \quad z = s / (\sqrt 2 K), K = k \sqrt T . $$
    """

    variance: float

    def __init__(self, variance: float):
        self.variance = positive("variance", variance)

    def density(self, v):
        """The Gaussian, entire in v."""
        return np.exp(-np.square(v) / (2 * self.variance)) / np.sqrt(2 * np.pi * self.variance)

    def cauchy(self, s, k):
        """C(s; k); the closed form holds in the whole plane."""
        return self.continued(s, k)

    def continued(self, s, k):
        """C(s; k), entire in s. Overflows to infinity for Re s < -37 k sqrt(T)."""
        width = k * np.sqrt(self.variance)
        z = np.asarray(s) / (np.sqrt(2) * width)
        value = wofz(1j * z) if np.iscomplexobj(z) else erfcx(z)
        return np.sqrt(np.pi / 2) / width * value

    def log_cauchy(self, s, k):
        """Logarithm of C(s; k) at real s of either sign, without overflow."""
        width = k * np.sqrt(self.variance)
        z = np.asarray(s, dtype=float) / (np.sqrt(2) * width)
        with np.errstate(divide="ignore", over="ignore"):
            right = np.log(erfcx(z))
        left = z * z + np.log(2) + log_ndtr(-np.sqrt(2) * np.minimum(z, 0))
        return np.log(np.sqrt(np.pi / 2) / width) + np.where(z < 0, left, right)

    def defect(self, s, k):
        r"""$1 - s C(s; k)$ at real s > 0, to relative rounding also where it is small.

        It is $K^2/s^2 - 3 K^4/s^4 + ...$ for small $K = k \sqrt T$, which the direct difference
        would lose.
        """
        width = k * np.sqrt(self.variance)
        z = s / (np.sqrt(2) * width)
        if z < 10:
            return float(1 - np.sqrt(np.pi) * z * erfcx(z))
        total, term, n = 0.0, -1.0, 0
        while abs(term) > 1e-18 * abs(total) and n < 60:
            n += 1
            term *= -(2 * n - 1) / (2 * z * z)
            total += term
        return float(total)

    def characteristic(self, w):
        """exp(-T w^2 / 2)."""
        return np.exp(-self.variance * np.square(w) / 2)

    def moment(self, order: int) -> float:
        """T and 3 T^2."""
        return {2: self.variance, 4: 3 * self.variance**2}[order]


class DensityMarginal(Marginal):
    r"""A marginal given as a callable density, transformed exactly panel by panel.

    The line is cut into panels on which p is a Legendre series to rounding, graded outwards to
    |v| = 2^40 scales so that algebraic tails are kept. On a panel with midpoint m and half width h

    $$ \int P_n(x) / (z - x) dx = 2 Q_n(z), \quad
       \int P_n(x) e^{-i w x} dx = 2 (-i)^n j_n(w), \quad v = m + h x , $$

    with Legendre functions of the second kind and spherical Bessel functions; nothing becomes
    singular as the pole $v = i s / k$ comes down to the real axis, where Q_n has its limit from
    above. Panels far from the pole use Gauss-Legendre nodes.

    Attributes:
        function: Vectorised density on real arrays; also on complex ones where `continued` is used.

    Raises:
        InputError: Mass other than 1, mean other than 0, or a density that 2000 panels of degree 23
            do not resolve.

    Accuracy: absolute 1e-14 of the largest value for smooth densities, up to and on Re s = 0.
    """

    function: Callable
    middles: np.ndarray
    halves: np.ndarray
    coefficients: np.ndarray
    nodes: np.ndarray
    masses: np.ndarray

    def __init__(self, function: Callable):
        self.function = function
        self.middles, self.halves = _panels(function)
        v = self.middles[:, None] + self.halves[:, None] * _NODES
        values = np.asarray(function(v))
        self.coefficients = values @ _TO_LEGENDRE.T
        self.nodes, self.masses = v, values * self.halves[:, None] * _WEIGHTS
        mass, mean = float(np.sum(self.masses)), float(np.sum(self.masses * v))
        require(
            abs(mass - 1) < 1e-8,
            f"A velocity profile must have mass 1, but its mass is {mass:.9g} (as far as it is "
            "resolved).",
        )
        require(
            abs(mean) < 1e-8, f"A velocity profile must have mean 0, but its mean is {mean:.3g}."
        )

    def density(self, v):
        """The user's function."""
        return self.function(v)

    def cauchy(self, s, k):
        """C(s; k) for Re s >= 0; shape of s."""
        s = np.asarray(s, dtype=complex)
        require(bool(np.all(s.real >= 0)), "cauchy needs Re s >= 0; use continued to the left.")
        pole = 1j * np.ravel(s) / k
        pieces = [self._along(part) for part in np.array_split(pole, 1 + pole.size // 256)]
        return (1j / k * np.concatenate(pieces)).reshape(s.shape)

    def _along(self, pole):
        """The integral of p/(pole - v) for poles on or above the real axis."""
        z = (pole[:, None] - self.middles) / self.halves
        near = np.abs(z - 1) + np.abs(z + 1) < 2.65
        far = np.where(near[:, :, None], 0, self.masses) / np.where(
            near[:, :, None], 1, pole[:, None, None] - self.nodes
        )
        value = far.sum(axis=(1, 2))
        row, panel = np.nonzero(near)
        np.add.at(value, row, _legendre_cauchy(self.coefficients[panel], z[row, panel]))
        return value

    def continued(self, s, k):
        """C(s; k) everywhere; for Re s < 0 the density must accept complex velocities."""
        s = np.asarray(s, dtype=complex)
        left = s.real < 0
        value = self.cauchy(np.where(left, -np.conj(s), s), k)
        if not np.any(left):
            return value
        residue = 2 * np.pi / k * self.function(1j * np.where(left, s, 0) / k)
        return np.where(left, residue - np.conj(value), value)

    def characteristic(self, w):
        """Fourier transform, exact for the piecewise polynomial at any w."""
        w = np.asarray(w, dtype=float)
        argument = np.multiply.outer(w, self.halves)
        order = np.arange(_DEGREE)
        bessel = spherical_jn(order, np.abs(argument)[..., None])
        phases = (-1j) ** order * np.where(argument[..., None] < 0, (-1.0) ** order, 1.0)
        panels = np.sum(2 * phases * bessel * self.coefficients, axis=-1) * self.halves
        return np.sum(panels * np.exp(-1j * np.multiply.outer(w, self.middles)), axis=-1)

    def moment(self, order: int) -> float:
        """Moment by Gauss-Legendre panels; refused if infinite."""
        value = float(np.sum(self.masses * self.nodes**order))
        outside = np.sum(np.abs(self.masses[[0, -1]] * self.nodes[[0, -1]] ** order))
        require(
            bool(outside < 1e-6 * value),
            f"The velocity profile needs a finite moment of order {order}, but its tail makes it "
            "infinite.",
        )
        return value


def _legendre_cauchy(coefficients, z):
    """Sum of 2 c_n Q_n(z) for z near the cut, from above it; rows of coefficients match z."""
    for end in (-1.0, 1.0):
        z = np.where(np.abs(z - end) < 1e-14, end + 1e-14j, z)
    z = z.real + 1j * np.maximum(z.imag, 0.0)
    before, here = np.zeros_like(z), (np.log(z + 1) - np.log(z - 1)) / 2
    total = coefficients[:, 0] * here
    for n in range(_DEGREE - 1):
        # (n + 1) Q_{n+1} = (2 n + 1) z Q_n - n Q_{n-1}, and Q_1 = z Q_0 - 1
        after = ((2 * n + 1) * z * here - n * before) / (n + 1) - (1.0 if n == 0 else 0.0)
        before, here = here, after
        total = total + coefficients[:, n + 1] * here
    return 2 * total


def _panels(function) -> tuple[np.ndarray, np.ndarray]:
    """Midpoints and half widths of panels on which the density is a Legendre series."""
    speeds = np.geomspace(1e-9, 1e9, 6001)
    spread = speeds * (np.abs(function(speeds)) + np.abs(function(-speeds)))
    require(
        bool(np.all(np.isfinite(spread))) and np.max(spread) > 0,
        "A velocity profile must be finite and somewhere positive.",
    )
    scale = speeds[np.argmax(spread)]
    outer = scale * np.concatenate([[0.0], 2.0 ** np.arange(_DOUBLINGS)])
    # One panel straddles v = 0 and panels are cut in three, so that the pole of a real lambda,
    # which comes down on v = 0, never lands on a joint.
    ends = np.concatenate([-outer[:0:-1], outer[1:]])
    middles, halves = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    done_middles, done_halves = [], []
    largest = np.max(np.abs(function(np.concatenate([-speeds, [0.0], speeds]))))
    while middles.size:
        values = np.asarray(function(middles[:, None] + halves[:, None] * _NODES))
        tail = np.abs(values @ _TO_LEGENDRE[-3:].T).max(axis=1)
        fine = tail < 8e-15 * np.minimum(largest, 1 / halves)
        fine |= halves * np.abs(values).max(axis=1) < 1e-17
        fine |= halves < 1e-12 * scale
        done_middles.append(middles[fine])
        done_halves.append(halves[fine])
        middles, halves = middles[~fine], np.repeat(halves[~fine] / 3, 3)
        middles = np.repeat(middles, 3) + halves * np.tile([-2.0, 0.0, 2.0], middles.size)
        if middles.size > 2000:
            raise InputError(
                "A velocity profile is not resolved by 2000 panels: the density must be smooth."
            )
    order = np.argsort(np.concatenate(done_middles))
    return np.concatenate(done_middles)[order], np.concatenate(done_halves)[order]


def positive(name: str, value) -> float:
    """`value` as a finite float above 0, or an `InputError` that names it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a positive number, but is {value!r}.") from None
    require(
        np.isfinite(number) and number > 0, f"{name} must be positive and finite, but is {number}."
    )
    return number


def as_marginal(name: str, profile) -> Marginal:
    """A `Marginal` from a variance (Gaussian), a density callable, or a `Marginal`."""
    if isinstance(profile, Marginal):
        return profile
    if callable(profile):
        return DensityMarginal(profile)
    return GaussianMarginal(positive(name, profile))
