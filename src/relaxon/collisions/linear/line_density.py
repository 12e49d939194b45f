r"""The screened line density of a Maxwellian, from which all linearised coefficients are integrals.

$$ k(s) = C\, K(z(s))\, \frac{e^{-s^2}}{\sqrt\pi}, \qquad s = \sqrt\beta\, u, \quad u = n \cdot v,
   \qquad C = \pi (2\pi)^{-d} $$

Source: duerinckx2023 (2.3), (2.12). Where a wave is weakly damped, K changes by orders of magnitude
within a fraction of the thermal speed: it has a near-singularity at every s at which
1 + Vhat(k_c) Re z = 0 for an extremum or a cut-off k_c of Vhat. Panels are graded towards these
speeds by the factor 4 down to 1e-14, so Gauss quadrature and interpolation are good to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

from relaxon.numerics.legendre import gauss_legendre, legendre_values, to_legendre
from relaxon.screening.dispersion import z_maxwellian
from relaxon.screening.plasma_function import dispersion_integral_real
from relaxon.screening.potentials import Potential
from relaxon.screening.potentials.custom import Custom

ORDER = 16
REACH = 1e9
_LEVELS = 23
_NODES, _WEIGHTS = gauss_legendre(ORDER)
_TO_LEGENDRE = to_legendre(ORDER)


@dataclass(frozen=True)
class LineDensity:
    """k(s) for s >= 0 as polynomials on panels, with its integrals.

    Attributes:
        d: Dimension, 2 or 3.
        coarse: Ends of the panels before grading, ascending from 0.
        edges: Ends of the panels, shape (P + 1,).
        coefficients: Legendre coefficients of k on the panels, shape (P, ORDER).
        critical: Speeds with a (nearly) singular point.
    """

    d: int
    coarse: np.ndarray
    edges: np.ndarray
    coefficients: np.ndarray
    critical: np.ndarray

    @classmethod
    def of(cls, d: int, density: Callable, critical: Iterable[float] = ()) -> LineDensity:
        """Sample a density on panels that are graded towards the critical speeds."""
        points = np.array(sorted(critical))
        coarse = _coarse_edges(points)
        edges = _graded(coarse, points)
        half = np.diff(edges) / 2
        s = edges[:-1, None] + half[:, None] * (1 + _NODES)
        return cls(d, coarse, edges, np.asarray(density(s)) @ _TO_LEGENDRE.T, points)

    def __call__(self, s: np.ndarray) -> np.ndarray:
        """k(s), zero beyond the last panel; 1e-12 relative to its maximum nearby."""
        s = np.asarray(s, float)
        panel = np.clip(np.searchsorted(self.edges, s, side="right") - 1, 0, len(self.edges) - 2)
        left, right = self.edges[panel], self.edges[panel + 1]
        x = np.clip((2 * s - left - right) / (right - left), -1, 1)
        basis = legendre_values(x, ORDER)
        value = np.einsum("...n,...n->...", basis, self.coefficients[panel])
        return np.where(s <= self.edges[-1], value, 0.0)

    def quadrature(self, stop: float, rough: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gauss points and weights on (0, stop), split at all panel ends and at `rough`.

        An integrand may be rough at 0, and in d = 2 like a square root to the left of `rough`.
        """
        origin = self.edges[1] * 4.0 ** -np.arange(1, 9)
        ends = np.unique(np.concatenate([self.edges, rough, [stop], origin]))
        ends = ends[ends <= stop]
        if self.d == 3:
            return _gauss(ends)
        # d = 2: s = end - width x^2 takes out a square root at the right end of the panel.
        rooted = np.isin(ends[1:], rough)[:, None]
        x, width = (1 + _NODES) / 2, np.diff(ends)[:, None]
        plain, bent = ends[:-1, None] + width * x, ends[1:, None] - width * x**2
        s = np.where(rooted, bent, plain)
        weight = width * _WEIGHTS / 2 * np.where(rooted, 2 * x, 1.0)
        return s.ravel(), weight.ravel()

    def negligible_beyond(self, threshold: float = 1e-22) -> float:
        """The speed beyond which k is below `threshold` of its maximum."""
        size = np.abs(self.coefficients).max(axis=1)
        last = np.flatnonzero(size > threshold * size.max())[-1]
        return float(self.edges[last + 1])

    def eigenvalues(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""Eigenvalues of A~ = \int_S n (x) n k(|n.s|) dn at |s| = r, along s and across it.

        $$ d = 3:\ \lambda_1 = \frac{4\pi}{r^3} \int_0^r u^2 k\,du, \quad
           \lambda_2 = \frac{2\pi}{r} \int_0^r (1 - u^2/r^2) k\,du $$
        $$ d = 2:\ \lambda_1 = \frac4{r^2} \int_0^r \frac{u^2 k\,du}{\sqrt{r^2-u^2}}, \quad
           \lambda_2 = \frac4{r^2} \int_0^r \sqrt{r^2-u^2}\, k\,du $$

        Source: duerinckx2023, Lemma 2.2. All terms are positive, so there is no cancellation.
        """
        # At r = 0 the eigenvalues are finite; the quotients below are not.
        r = np.maximum(np.asarray(r, float), 1e-12)
        flat = r.ravel()
        pieces = [self._eigenvalues(flat[i : i + 512]) for i in range(0, flat.size, 512)]
        both = np.concatenate(pieces, axis=1)
        return both[0].reshape(r.shape), both[1].reshape(r.shape)

    def _eigenvalues(self, r: np.ndarray) -> np.ndarray:
        panel = np.clip(np.searchsorted(self.edges, r, side="right") - 1, 0, len(self.edges) - 2)
        # r cuts a panel. Panels well inside are summed at their own Gauss points, for all r at
        # once; the last four, where 1/sqrt(r - u) is rough (d = 2), get points of their own for
        # each r.
        first = np.maximum(panel - 3, 0)  # panels close to r and the one that it cuts
        starts = self.edges[np.minimum(first[:, None] + np.arange(4), panel[:, None])]
        ends = np.minimum(
            self.edges[np.minimum(first[:, None] + np.arange(1, 5), panel[:, None] + 1)], r[:, None]
        )
        ends[np.arange(4) > (panel - first)[:, None]] = 0.0
        near = np.arange(4) <= (panel - first)[:, None]
        starts, ends = np.where(near, starts, 0.0), np.where(near, ends, 0.0)
        s, w = _gauss(self.edges)
        k = (self.coefficients @ legendre_values(_NODES, ORDER).T).ravel()
        inside = np.repeat(np.arange(len(self.edges) - 1), ORDER) < first[:, None]
        ratio = np.where(inside, s / r[:, None], 0.0)
        if self.d == 3:
            # (1 - c)(1 + c) for 1 - c^2: no cancellation at u = r.
            along, across = 4 * math.pi * ratio**2, 2 * math.pi * (1 - ratio) * (1 + ratio)
            along, across = along / r[:, None], across / r[:, None]
        else:
            root = np.sqrt((1 - ratio) * (1 + ratio))
            along, across = 4 * ratio**2 / (root * r[:, None]), 4 * root / r[:, None]
        weight = np.where(inside, w * k, 0.0)
        far = np.stack([(weight * along).sum(1), (weight * across).sum(1)])
        return far + self._near(r, starts, ends)

    def _near(self, r: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The panels next to r, with t = sqrt(r - u) as variable in d = 2."""
        wide = r[:, None, None]
        if self.d == 3:
            half = (b - a)[..., None] / 2
            u = a[..., None] + half * (1 + _NODES)
            k = self(u) * half * _WEIGHTS / wide
            ratio = u / wide
            pair = 4 * math.pi * ratio**2 * k, 2 * math.pi * (1 - ratio) * (1 + ratio) * k
        else:
            t0, t1 = np.sqrt(r[:, None] - b)[..., None], np.sqrt(r[:, None] - a)[..., None]
            half = (t1 - t0) / 2
            t = t0 + half * (1 + _NODES)
            u = np.maximum(wide - t**2, 0.0)
            k = self(u) * half * _WEIGHTS / wide**2
            pair = 8 * u**2 / np.sqrt(wide + u) * k, 8 * t**2 * np.sqrt(wide + u) * k
        return np.stack([term.sum(axis=(1, 2)) for term in pair])


def screened(potential: Potential, beta: float) -> LineDensity:
    """The density of the Lenard-Balescu operator at mu_beta."""
    scale = math.pi * (2 * math.pi) ** (-potential.d)
    # K Im z/pi = K (-2 beta s) e^{-s^2}/sqrt(pi), finite at every resonance; the factor divides
    # out.
    product = eqx.filter_jit(lambda s: potential.screening_product(beta * z_maxwellian(s)))

    def density(s: np.ndarray) -> np.ndarray:
        return scale * np.asarray(product(jnp.asarray(s))) / (-2 * beta * s)

    return LineDensity.of(potential.d, density, critical_speeds(potential, beta))


def unscreened(d: int, weight: float) -> LineDensity:
    """The density of the Landau operator; weight = C K_0."""
    return LineDensity.of(d, lambda s: weight * np.exp(-(s**2)) / math.sqrt(math.pi))


def critical_speeds(potential: Potential, beta: float) -> list[float]:
    """All s > 0 with 1 + Vhat(k_c) beta Re z_1(s) = 0 at an end or an extremum k_c of Vhat."""
    values = {float(potential.v_min), float(potential.v_max)}
    if isinstance(potential, Custom):
        for segment in potential.segments:
            ends = segment.centre[0] - segment.half[0], segment.centre[-1] + segment.half[-1]
            size = float(potential.amplitude)
            values |= {size * math.exp(-float(end)) for end in ends if abs(float(end)) < 600}

    def real(s: float) -> float:
        return float(dispersion_integral_real(jnp.asarray(s))[0])

    turning = 1.5019752682  # where Re z_1 is least
    # Re z_1 falls from 2 to its least value, below zero, and then rises to 0: one root on each
    # side.
    found = []
    for value in values:
        level = -1 / (beta * value) if value > 0 else -math.inf
        if real(turning) < level <= 0:
            found.append(brentq(lambda s, y=level: real(s) - y, 0.5, turning, xtol=1e-15))
        if real(turning) < level < 0 and math.sqrt(beta * value) < REACH / 10:
            # Far out Re z_1 is about -1/s^2, so the root lies near sqrt(beta Vhat).
            top = 3 + 2 * math.sqrt(beta * value)
            found.append(brentq(lambda s, y=level: real(s) - y, turning, top, xtol=1e-15))
    found = sorted(found)  # rounding may tell one extremum of Vhat twice
    return [s for i, s in enumerate(found) if i == 0 or s > found[i - 1] * (1 + 1e-9)]


def _coarse_edges(critical: np.ndarray) -> np.ndarray:
    """Panels of width 1/2 up to 12, then in proportion; `critical` replace what is near them."""
    growing = 12.0 * 1.5 ** np.arange(1, math.ceil(math.log(REACH / 12) / math.log(1.5)))
    base = np.concatenate([np.arange(0, 12.25, 0.5), growing])
    for c in critical:
        base = base[np.abs(base - c) > 0.1 * max(1.0, c / 12) * (base > 0)]
    return np.unique(np.concatenate([[0.0], base, critical]))


def _graded(ends: np.ndarray, critical: np.ndarray) -> np.ndarray:
    """Panels split geometrically towards `critical`."""
    parts = [ends]
    for c in critical:
        at = np.searchsorted(ends, c)
        # Two critical speeds that share a panel grade one half each.
        for other in (ends[at - 1], ends[at + 1]):
            shared = np.any(critical == other)
            reach = (other - c) / (2 if shared else 1)
            parts.append(c + reach * 4.0 ** -np.arange(_LEVELS))
    return np.unique(np.concatenate(parts))


def _gauss(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    half = np.diff(ends)[:, None] / 2
    return (ends[:-1, None] + half * (1 + _NODES)).ravel(), (half * _WEIGHTS).ravel()
