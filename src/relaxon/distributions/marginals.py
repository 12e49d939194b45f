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
from functools import lru_cache

import equinox as eqx
import numpy as np
from scipy.special import erfcx, log_ndtr, wofz

from relaxon.core.errors import require
from relaxon.core.numbers import positive
from relaxon.numerics.panels import DEGREE, PanelSeries


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
    def moment(self, order: int, name: str = "The velocity profile") -> float:
        """Moment int v^order p dv; an `InputError` that begins with `name` if it is infinite."""

    @abstractmethod
    def recurrence(self, count: int, name: str = "The velocity profile") -> np.ndarray:
        r"""Coefficients $b_1 ... b_{count-1}$ of the polynomials orthonormal for an even density.

        $$ v P_n = b_{n+1} P_{n+1} + b_n P_{n-1} . $$

        They need the moments up to 2 (count - 1) and that the odd ones vanish.
        """

    @abstractmethod
    def information(self, name: str = "The velocity profile") -> float:
        r"""Fisher information $\int p'^2/p = 4 |\partial_v \sqrt p|^2$, refused if infinite."""

    @abstractmethod
    def amplitude(self, p):
        r"""Unitary Fourier transform of $\sqrt p$ at real p, real for an even density."""

    @property
    @abstractmethod
    def unimodal(self) -> bool:
        """Whether the density is even and does not increase with |v|."""


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
        # erfcx(z) = e^{z^2} erfc(z) with erfc(z) = 2 Phi(-sqrt(2) z): no overflow for z < 0.
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
        # 1/(2 z^2) - 3/(4 z^4) + ..., asymptotic; from z = 10 on it reaches rounding first.
        total, term, n = 0.0, -1.0, 0
        while abs(term) > 1e-18 * abs(total) and n < 60:
            n += 1
            term *= -(2 * n - 1) / (2 * z * z)
            total += term
        return float(total)

    def characteristic(self, w):
        """exp(-T w^2 / 2)."""
        return np.exp(-self.variance * np.square(w) / 2)

    def moment(self, order: int, name: str = "") -> float:
        """T^(n/2) (n - 1)!! for even n, 0 for odd n."""
        even = self.variance ** (order / 2) * float(np.prod(np.arange(1.0, order, 2)))
        return 0.0 if order % 2 else even

    def recurrence(self, count: int, name: str = "") -> np.ndarray:
        """sqrt(n T): Hermite polynomials."""
        return np.sqrt(self.variance * np.arange(1, count))

    def information(self, name: str = "") -> float:
        """1/T."""
        return 1 / self.variance

    def amplitude(self, p):
        """(2 T/pi)^(1/4) exp(-T p^2)."""
        return (2 * self.variance / np.pi) ** 0.25 * np.exp(-self.variance * np.square(p))

    @property
    def unimodal(self) -> bool:
        """True."""
        return True


class DensityMarginal(Marginal):
    r"""A marginal given as a callable density, transformed exactly panel by panel.

    See `relaxon.numerics.panels`. Nothing becomes singular as the pole $v = i s / k$ comes down to
    the real axis, where Q_n has its limit from above. Panels far from the pole use Gauss-Legendre
    nodes.

    Attributes:
        function: Vectorised density on real arrays; also on complex ones where `continued` is used.
        series: The density on its panels.
        masses: Density times weight at the nodes of the panels.

    Raises:
        InputError: Mass other than 1, mean other than 0, or a density that 2000 panels of degree 23
            do not resolve.

    Accuracy: absolute 1e-14 of the largest value for smooth densities, up to and on Re s = 0.
    """

    function: Callable
    series: PanelSeries
    masses: np.ndarray

    def __init__(self, function: Callable):
        self.function = function
        self.series = PanelSeries(function)
        self.masses = self.series.values * self.series.weights
        mass, mean = float(np.sum(self.masses)), float(np.sum(self.masses * self.series.nodes))
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
        # s + i k v = i k (v - pole).
        pole = 1j * np.ravel(s) / k
        pieces = [self._along(part) for part in np.array_split(pole, 1 + pole.size // 256)]
        return (1j / k * np.concatenate(pieces)).reshape(s.shape)

    def _along(self, pole):
        """The integral of p/(pole - v) for poles on or above the real axis."""
        z = (pole[:, None] - self.series.middles) / self.series.halves
        # The Bernstein ellipse of parameter 2.2: beyond it 24 Gauss points err by 2.2^-48.
        near = np.abs(z - 1) + np.abs(z + 1) < 2.65
        far = np.where(near[:, :, None], 0, self.masses) / np.where(
            near[:, :, None], 1, pole[:, None, None] - self.series.nodes
        )
        value = far.sum(axis=(1, 2))
        row, panel = np.nonzero(near)
        np.add.at(value, row, _legendre_cauchy(self.series.coefficients[panel], z[row, panel]))
        return value

    def continued(self, s, k):
        """C(s; k) everywhere; for Re s < 0 the density must accept complex velocities."""
        s = np.asarray(s, dtype=complex)
        left = s.real < 0
        # p is real: left of the axis the integral is -conj C(-conj s), and the residue continues
        # it.
        value = self.cauchy(np.where(left, -np.conj(s), s), k)
        if not np.any(left):
            return value
        residue = 2 * np.pi / k * self.function(1j * np.where(left, s, 0) / k)
        return np.where(left, residue - np.conj(value), value)

    def characteristic(self, w):
        """Fourier transform, exact for the piecewise polynomial at any w."""
        return self.series.transform(w)

    def moment(self, order: int, name: str = "The velocity profile") -> float:
        """Moment from the panels and, beyond them, from the power of the tail."""
        value = self.series.moment(order)
        require(
            bool(np.isfinite(value)),
            f"{name} needs a finite moment of order {order}, a density that falls off faster than "
            f"|v|^-{order + 1}, but its tail |v|^-{min(self.series.tails):.4g} makes it infinite.",
        )
        return value

    def recurrence(self, count: int, name: str = "The velocity profile") -> np.ndarray:
        """From the moments 2 and 4 for count <= 3, beyond by Lanczos on the nodes of the panels."""
        highest = 2 * (count - 1)
        second = self.moment(2, name)
        moments = {order: self.moment(order, name) for order in range(highest, 1, -1)}
        for order in range(3, highest, 2):
            size = np.sqrt(moments[order - 1] * moments[order + 1])
            require(
                abs(moments[order]) < 1e-8 * size,
                f"{name} must have a vanishing moment of order {order}, as even densities do, but "
                f"it is {moments[order]:.3g}.",
            )
        if count <= 3:
            spread = moments.get(4, np.inf) - second**2
            return np.sqrt([second, spread / second])[: count - 1]
        # Lanczos on the nodes of the panels, orthogonalised twice.
        v, mass = self.series.nodes.ravel(), np.maximum(self.masses.ravel(), 0.0)
        basis, b = [np.sqrt(mass)], []
        for _ in range(1, count):
            new = v * basis[-1]
            for _ in range(2):
                for old in basis:
                    new = new - (new @ old) * old
            b.append(float(np.linalg.norm(new)))
            basis.append(new / b[-1])
        return np.array(b)

    def information(self, name: str = "The velocity profile") -> float:
        """From the panels of the square root of the density."""
        value = 4 * _root_series(self.function).slope_square()
        require(
            bool(np.isfinite(value)),
            f"{name} needs a finite Fisher information, the square root of the density having a "
            "square integrable derivative in v, but it has none.",
        )
        return value

    def amplitude(self, p):
        """From the panels of the square root of the density."""
        root = _root_series(self.function)
        value = root.transform(p) / np.sqrt(2 * np.pi)
        require(
            bool(np.max(np.abs(value.imag)) < 1e-10 * np.sum(root.weights * root.values)),
            "The exact forms of H^1 need even densities.",
        )
        return value.real

    @property
    def unimodal(self) -> bool:
        """Decided on the nodes of the panels, which resolve the density to rounding."""
        v, values = self.series.nodes, self.series.values
        rounding = 1e-13 * np.max(values)
        even = np.all(np.abs(values - self.function(-v)) <= rounding)
        right = values[v > 0][np.argsort(v[v > 0])]
        return bool(even and np.all(np.diff(right) <= rounding))


@lru_cache(maxsize=16)
def _root_series(function: Callable) -> PanelSeries:
    """The square root of a density on its panels."""
    return PanelSeries(lambda v: np.sqrt(np.maximum(function(v), 0.0)))


def _legendre_cauchy(coefficients, z):
    """Sum of 2 c_n Q_n(z) for z near the cut, from above it; rows of coefficients match z."""
    for end in (-1.0, 1.0):
        z = np.where(np.abs(z - end) < 1e-14, end + 1e-14j, z)
    z = z.real + 1j * np.maximum(z.imag, 0.0)
    before, here = np.zeros_like(z), (np.log(z + 1) - np.log(z - 1)) / 2
    total = coefficients[:, 0] * here
    for n in range(DEGREE - 1):
        # (n + 1) Q_{n+1} = (2 n + 1) z Q_n - n Q_{n-1}, and Q_1 = z Q_0 - 1
        after = ((2 * n + 1) * z * here - n * before) / (n + 1) - (1.0 if n == 0 else 0.0)
        before, here = here, after
        total = total + coefficients[:, n + 1] * here
    return 2 * total
