r"""Linear decay to equilibrium: the semigroup e^{tL} and the rates of duerinckx2023, Theorem 2.

The spectrum of L reaches 0: at large |v| the operator is multiplication by -c/|v| with
c = lim |v|^3 beta^2 lambda_1(v), to leading order. So data of slow decay relax slowly: with
int w |g0|^2 < infinity,

$$ \|g(t)\|^2 \approx \int e^{-2ct/|v|} |g_0|^2 dv \sim t^{-\ell} \ (w = \langle v\rangle^\ell),
   \qquad \log \|g(t)\|^2 \sim -t^{\theta/(\theta+1)} \ (w = e^{K\langle v\rangle^\theta}). $$

Eigenvalues of the matrices near 0 are artefacts of the resolution and mean nothing one by one;
the norm of g(t) converges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from relaxon.collisions.linear.sector import Sector
from relaxon.core.numbers import whole


def polynomial_data(r: np.ndarray, power: float) -> np.ndarray:
    """g0 = (1 + r^2)^(-power/2): int <v>^l |g0|^2 is finite for l < 2 power - d."""
    return (1 + np.asarray(r) ** 2) ** (-power / 2)


def exponential_data(r: np.ndarray, strength: float, theta: float) -> np.ndarray:
    """g0 = exp(-strength <v>^theta/2): int e^{K <v>^theta} |g0|^2 is finite for K < strength."""
    return np.exp(-strength * (1 + np.asarray(r) ** 2) ** (theta / 2) / 2)


@dataclass(frozen=True)
class Semigroup:
    """e^{tL} on a sector, for all times at once.

    Attributes:
        sector: The space.
        rates: Decay rates of the discrete modes, ascending (zero for the invariants; negative for
            a mode that grows, which no true operator has).
        modes: Their nodal values, orthonormal in the mass matrix.
    """

    sector: Sector
    rates: np.ndarray
    modes: np.ndarray

    @classmethod
    def of(cls, sector: Sector) -> Semigroup:
        """By one eigendecomposition, O(n^3)."""
        # Unit diagonals, as in `Sector.coercivity`.
        scale = 1 / np.sqrt(np.diag(sector.mass))
        outer = np.outer(scale, scale)
        rates, modes = eigh(sector.form * outer, sector.mass * outer)
        # A zero has the rounding of the largest; what is farther below zero is no rounding.
        rounding = (rates < 0) & (rates > -1e-9 * rates[-1])
        return cls(sector, np.where(rounding, 0.0, rates), scale[:, None] * modes)

    def at(self, g0: np.ndarray, t: float) -> np.ndarray:
        """g(t) at the nodes."""
        return self.modes @ (np.exp(-self.rates * t) * self._amplitudes(g0))

    def squared_norms(self, g0: np.ndarray, t: np.ndarray) -> np.ndarray:
        """int |g(t)|^2 dv of centred data, for each t.

        Accuracy: amplitudes carry rounding of |g0|, so values below about 1e-26 of the first are
        noise.
        """
        # Centred twice: one round leaves rounding of |g0| in the invariants, which never decays.
        centred = self.sector.centred(self.sector.centred(np.asarray(g0, float)))
        amplitude = self._amplitudes(centred)
        return np.exp(-2 * np.multiply.outer(np.asarray(t, float), self.rates)) @ amplitude**2

    def operator_norms(self, t: np.ndarray, order: int = 2) -> np.ndarray:
        r"""Norm of e^{tL} on the centred functions of the sector, from H^order to itself.

        $$ \sup_g \frac{\| \langle\nabla\rangle^s (1 - \pi_0) e^{tL} g \|}
           {\| \langle\nabla\rangle^s g \|}, \qquad \pi_0 g = 0 $$

        with 1 - Laplace the matrix of its weak form. L is symmetric in L^2 only, so for s > 0 the
        norm may exceed one: the constant of duerinckx2023, Theorem 1, for the linearised equation.

        Args:
            t: Times.
            order: s = 0, 1 or 2 (the elements are continuous, not smooth).
        """
        whole("order", order, 0, 2)
        overlap = self.modes.T @ (self.sector.mass @ self.sector.kernel)
        centred = np.linalg.qr(overlap, mode="complete")[0][:, overlap.shape[1] :]
        squares, basis = eigh(self.modes.T @ (self.sector.mass + self.sector.gradient) @ self.modes)
        root = np.linalg.qr((squares ** (order / 2))[:, None] * (basis.T @ centred), mode="r")
        inverse = np.linalg.inv(root)

        def norm(time: float) -> float:
            flow = centred.T @ (np.exp(-self.rates * time)[:, None] * centred)
            return float(np.linalg.norm(root @ flow @ inverse, 2))

        return np.array([norm(time) for time in np.asarray(t, float)])

    def _amplitudes(self, g0: np.ndarray) -> np.ndarray:
        return self.modes.T @ (self.sector.mass @ g0)
