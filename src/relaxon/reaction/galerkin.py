r"""Hermite matrices of one mode of the linearised reaction model with Gaussian profiles.

In the weighted space neumann2016 (10) the functions $\sqrt{\rho_\infty} \chi_1 h_n(v/\sqrt{T_1})$
for f and $\chi_2 h_n(v/\sqrt{T_2}) / \sqrt{\rho_\infty}$ for g are orthonormal (h_n: normalised
Hermite polynomials, v along the wave vector). With the n-th coefficient multiplied by i^n all
matrices below are real. Coefficients are ordered f_0 ... f_n, g_0 ... g_n.

**These matrices are for quadratic forms, not for spectra.** Their eigenvalues right of the
essential edge are artefacts unless the dispersion relation confirms them.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import block_diag


def collision_matrix(rho_inf: float, modes: int) -> np.ndarray:
    """L of neumann2016 (11): -1/rho and -rho on the diagonal, -1 between f_0 and g_0."""
    matrix = -np.diag(np.repeat([1 / rho_inf, rho_inf], modes))
    matrix[0, modes] = matrix[modes, 0] = -1.0
    return matrix


def transport_matrix(T1: float, T2: float, k: float, modes: int) -> np.ndarray:
    """T = i k v of neumann2016 (15): real and antisymmetric in this basis."""
    off = np.sqrt(np.arange(1, modes))
    ladder = np.diag(off, -1) - np.diag(off, 1)
    return k * block_diag(np.sqrt(T1) * ladder, np.sqrt(T2) * ladder)


def macroscopic_vector(rho_inf: float, modes: int) -> np.ndarray:
    """The unit vector that Pi of neumann2016 (12) projects on: (rho, -1)/sqrt(1 + rho^2)."""
    vector = np.zeros(2 * modes)
    vector[0], vector[modes] = rho_inf, -1.0
    return vector / np.sqrt(1 + rho_inf**2)


def auxiliary_matrix(rho_inf: float, T1: float, T2: float, k: float, modes: int) -> np.ndarray:
    """A = (1 + (T Pi)* T Pi)^{-1} (T Pi)* of Theorem 2.1; of rank one."""
    q = macroscopic_vector(rho_inf, modes)
    tq = transport_matrix(T1, T2, k, modes) @ q
    return np.outer(q, tq) / (1 + tq @ tq)


def h0_forms(rho_inf, T1, T2, k, modes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    r"""Dissipation and functional $H^0 = |F|^2/2 + \eta <AF, F>$ as forms affine in eta.

    The forms couple no Hermite mode beyond n = 2: for n >= 3 the functional is |F|^2/2 and the
    dissipation is that of the loss term. Three modes are therefore exact once the rate is capped
    at that of the modes beyond, 2 min(rho, 1/rho).

    Returns:
        (D, H), each of shape (2, 2 modes, 2 modes): the part without eta and the part with it.
    """
    extra = modes + 1
    keep = np.r_[0:modes, extra : extra + modes]
    generator = collision_matrix(rho_inf, extra) - transport_matrix(T1, T2, k, extra)
    auxiliary = auxiliary_matrix(rho_inf, T1, T2, k, extra)
    functional = np.array([np.eye(2 * extra) / 2, (auxiliary + auxiliary.T) / 2])
    dissipation = np.array([-(generator.T @ h + h @ generator) for h in functional])
    return dissipation[:, keep][:, :, keep], functional[:, keep][:, :, keep]
