r"""The H^1 method of neumann2016, section 2.2, with explicit constants.

For the rescaled unknowns (21) the functional

$$ H^1[F] = A |F|^2 + \alpha |\nabla_x F|^2 + \beta |\nabla_v F|^2
   + 2 \gamma (\nabla_x F, \nabla_v F) $$

needs all four weights: the paper prints A = alpha = beta = 1, and then no gamma makes the
functional decrease if rho_inf >= 2 or <= 1/2 (`h1_functional_rate` with `weights`), because for
short waves transport feeds |grad_v F|^2 as fast as the loss damps it.
"""

from __future__ import annotations

import equinox as eqx
import numpy as np

from relaxon.errors import require
from relaxon.reaction.marginals import positive
from relaxon.reaction.pencils import best_pencil, pencil_rate

_LONGEST = 2 * np.pi


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
    |L| = rho + 1/rho and $\kappa = \sqrt{d / (4 \min(T_1, T_2))}$ from (27),

    $$ D \ge 2 \lambda (A + \alpha k^2) X^2 + 2 \gamma k^2 (X^2 + Y^2) + 2 \lambda \beta W^2
       - 2 \beta (k + \kappa)(X + Y) W - 4 \gamma |L| k X W, $$
    $$ H^1 \le (A + \alpha k^2)(X^2 + Y^2) + \beta W^2 + 2 \gamma k (X + Y) W , $$

    and the rate is half the smallest eigenvalue of the first form relative to the second, at the
    best weights.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of the Gaussian chi_1.
        T2: Variance of the Gaussian chi_2.
        k: Wave number of one mode. Default: one set of weights for all modes 2 pi n (measured:
            the same rate as for k = 2 pi alone).
        dimension: Dimension d of the velocity space.

    Returns:
        `SobolevRate`, the optimum over all weights with a proven gap.
    """
    r, T1, T2 = positive("rho_inf", rho_inf), positive("T1", T1), positive("T2", T2)
    loss, size = min(r, 1 / r), r + 1 / r
    gain = np.sqrt(dimension / (4 * min(T1, T2)))

    def forms(wave):
        unit = np.diag([1.0, 1.0, 0.0])
        first = np.diag([2 * loss, 0.0, 0.0])
        third = np.diag([0.0, 0.0, 2 * loss]) - _cross(wave + gain, wave + gain)
        fourth = 2 * wave**2 * unit - _cross(2 * size * wave, 0.0)
        dissipation = np.array([first, wave**2 * first, third, fourth])
        last = np.diag([0.0, 0.0, 1.0])
        functional = np.array([unit, wave**2 * unit, last, _cross(wave, wave)])
        scale = np.diag([1 / np.hypot(1, wave), 1 / np.hypot(1, wave), 1.0])
        return scale @ dissipation @ scale, scale @ functional @ scale

    waves = _waves(k)
    return _optimum([forms(wave) for wave in waves])


def h1_functional_rate(
    rho_inf, T1, T2, k=None, weights=None, reach: float = 5.8, step: float = 0.35
) -> SobolevRate:
    r"""Best rate of the H^1 functional itself, from its exact forms.

    In the Fourier variable p of v the forms are multiplications by
    $h = A + \alpha k^2 + \beta p^2 + 2 \gamma k p$ and by $2 \Lambda h + k h'$, plus the gain term
    of rank two with the Gaussians $(2 T/\pi)^{1/4} e^{-T p^2}$. The multiplications give the
    essential part exactly, as a 2 x 2 form in (1, p); the rest is discretised by the trapezoidal
    rule in p, which converges exponentially.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of the Gaussian chi_1 along the wave vector.
        T2: Variance of the Gaussian chi_2.
        k: Wave number of one mode. Default: one set of weights for the unit torus.
        weights: A, alpha, beta, gamma to be judged as they are. Default: the best ones.
        reach: Largest p, in units of 1/sqrt(min T).
        step: Step in p, in units of 1/sqrt(max T).

    Returns:
        `SobolevRate`; with `weights`, the rate that these prove (negative: none) and gap 0.
    """
    r, T1, T2 = positive("rho_inf", rho_inf), positive("T1", T1), positive("T2", T2)
    top, width = reach / np.sqrt(min(T1, T2)), step / np.sqrt(max(T1, T2))
    p = np.arange(-np.ceil(top / width), np.ceil(top / width) + 1) * width
    require(p.size <= 400, "The two variances differ too much for the trapezoidal rule in p.")
    gaussians = [np.sqrt(width) * (2 * T / np.pi) ** 0.25 * np.exp(-T * p * p) for T in (T1, T2)]
    losses = np.repeat([1 / r, r], p.size)

    def forms(wave):
        ones = np.ones_like(p)
        symbols = np.array([ones, wave**2 * ones, p**2, 2 * wave * p])
        slopes = np.array([0 * p, 0 * p, 2 * p, 2 * wave * ones]) * wave
        scale = 1 / np.sqrt(1 + wave**2 + p * p)
        dissipation, functional = [], []
        for h, slope in zip(symbols, slopes):
            both = np.tile(h, 2)
            gain = np.outer(h * gaussians[0], gaussians[1])
            gain += np.outer(gaussians[0], h * gaussians[1])
            form = np.diag(2 * losses * both + np.tile(slope, 2))
            form[: p.size, p.size :] = gain
            form[p.size :, : p.size] = gain.T
            dissipation.append(form * np.outer(np.tile(scale, 2), np.tile(scale, 2)))
            functional.append(np.diag(both * np.tile(scale, 2) ** 2))
        return np.array(dissipation), np.array(functional)

    def essential(wave):
        functional = np.array(
            [
                [[1, 0], [0, 0]],
                [[wave**2, 0], [0, 0]],
                [[0, 0], [0, 1]],
                [[0, wave], [wave, 0]],
            ],
            dtype=float,
        )
        feed = np.zeros_like(functional)
        feed[2] = [[0, wave], [wave, 0]]
        feed[3] = [[2 * wave**2, 0], [0, 0]]
        scale = np.diag([1 / np.hypot(1, wave), 1.0])
        dissipation = 2 * min(r, 1 / r) * functional + feed
        return scale @ dissipation @ scale, scale @ functional @ scale

    waves = _waves(k, quick=True)
    if weights is None:
        blocks = [forms(wave) for wave in waves]
        size = blocks[0][0].shape[-1]
        blocks += [tuple(_padded(x, size) for x in essential(wave)) for wave in waves]
        return _optimum(blocks, tolerance=1e-9)
    rates = [
        pencil_rate(
            np.tensordot(weights, d, 1)[None, None], np.tensordot(weights, h, 1)[None, None], []
        )
        for wave in waves
        for d, h in (forms(wave), essential(wave))
    ]
    return SobolevRate(min(rates) / 2, tuple(float(w) for w in weights), 0.0)


def _cross(first: float, second: float) -> np.ndarray:
    """The form 2 (first X + second Y) W in (X, Y, W)."""
    return np.array([[0, 0, first], [0, 0, second], [first, second, 0]], dtype=float)


def _waves(k, quick: bool = False) -> np.ndarray:
    if k is not None:
        return np.array([positive("k", k)])
    numbers = [1, 2, 4, 1e4] if quick else [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 25, 40, 100, 1e3, 1e5]
    return _LONGEST * np.array(numbers, dtype=float)


def _padded(forms: np.ndarray, size: int) -> np.ndarray:
    """Forms on more variables: the first variable repeated, each with a fraction of its form."""
    full = np.zeros((forms.shape[0], size, size))
    small = forms.shape[-1]
    full[:, :small, :small] = forms
    index = np.arange(small, size)
    full[:, index, index] = forms[:, :1, 0]
    return full


def _optimum(blocks, tolerance: float = 1e-13) -> SobolevRate:
    """The optimum over A = 1 - b - c, alpha = b/(2 pi)^2, beta = c, gamma = g/(2 pi)."""

    def affine(forms):
        a, alpha, beta, gamma = np.moveaxis(forms, -3, 0)
        return np.array([a, alpha / _LONGEST**2 - a, beta - a, gamma / _LONGEST])

    dissipation = np.array([affine(d) for d, _ in blocks])
    functional = np.array([affine(h) for _, h in blocks])
    # A >= 0, written as one more block that asks for A > 0 and never limits the rate.
    size = dissipation.shape[-1]
    guard = np.einsum("n,ij->nij", [1.0, -1.0, -1.0, 0.0], np.eye(size))
    dissipation = np.concatenate([dissipation, 1e3 * guard[None]])
    functional = np.concatenate([functional, guard[None]])
    best = best_pencil(
        dissipation, functional, [0.5, 0.5, 0.25], [0.9, 0.9, 0.5], tolerance=tolerance
    )
    b, c, g = best.weights
    weights = (float(1 - b - c), float(b / _LONGEST**2), float(c), float(g / _LONGEST))
    return SobolevRate(best.rate / 2, weights, best.gap / 2)
