r"""Matrices of one mode of the linearised reaction model in orthogonal polynomials of v.

In the weighted space neumann2016 (10) the functions $\sqrt{\rho_\infty} \chi_1 P_n(v)$ for f and
$\chi_2 Q_n(v) / \sqrt{\rho_\infty}$ for g are orthonormal, P_n and Q_n the polynomials that are
orthonormal for the marginals of chi_1 and chi_2 along the wave vector (Hermite polynomials for
Gaussians). They exist up to the order that the moments allow, P_n needs the moment 2 n. For even
marginals $v P_n = b_{n+1} P_{n+1} + b_n P_{n-1}$, and with the n-th coefficient multiplied by i^n
all matrices below are real. Coefficients are ordered f_0 ... f_n, g_0 ... g_n.

**These matrices are for quadratic forms, not for spectra.** Their eigenvalues right of the
essential edge are artefacts unless the dispersion relation confirms them.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import block_diag

from relaxon.distributions.profiles import as_marginal


def collision_matrix(rho_inf: float, modes: int) -> np.ndarray:
    """L of neumann2016 (11): -1/rho and -rho on the diagonal, -1 between f_0 and g_0."""
    matrix = -np.diag(np.repeat([1 / rho_inf, rho_inf], modes))
    matrix[0, modes] = matrix[modes, 0] = -1.0
    return matrix


def transport_matrix(T1, T2, k: float, modes: int) -> np.ndarray:
    """T = i k v of neumann2016 (15): real and antisymmetric in this basis."""
    ladders = []
    for name, value in (("T1", T1), ("T2", T2)):
        b = as_marginal(name, value).recurrence(modes, name)
        ladders.append(np.diag(b, -1) - np.diag(b, 1))
    return k * block_diag(*ladders)


def macroscopic_vector(rho_inf: float, modes: int) -> np.ndarray:
    """The unit vector that Pi of neumann2016 (12) projects on: (rho, -1)/sqrt(1 + rho^2)."""
    vector = np.zeros(2 * modes)
    vector[0], vector[modes] = rho_inf, -1.0
    return vector / np.sqrt(1 + rho_inf**2)


def auxiliary_matrix(rho_inf: float, T1, T2, k: float, modes: int) -> np.ndarray:
    """A = (1 + (T Pi)* T Pi)^{-1} (T Pi)* of Theorem 2.1; of rank one."""
    return _auxiliary(rho_inf, transport_matrix(T1, T2, k, modes))


def _auxiliary(rho_inf: float, transport: np.ndarray) -> np.ndarray:
    q = macroscopic_vector(rho_inf, transport.shape[0] // 2)
    # |Tq|^2 = k^2 D_0, so that (17) holds with lambda_M = k^2 D_0.
    tq = transport @ q
    return np.outer(q, tq) / (1 + tq @ tq)


def h0_forms(rho_inf, transport: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Dissipation and functional $H^0 = |F|^2/2 + \eta <AF, F>$ as forms affine in eta.

    With q spanning the range of Pi, A is of rank one with the vectors q and Tq, so the forms are
    made of q, Tq, L Tq and T^2 q, of the polynomials n <= 2, and of L, which couples only n = 0.
    On the orthogonal complement the functional is |F|^2/2 and the dissipation that of the loss
    term, whatever the complement is (polynomials need not be dense, higher moments need not
    exist). Three modes, the moments up to 4, are therefore exact once the rate is capped at that
    of the complement, 2 min(rho, 1/rho).

    Args:
        rho_inf: Equilibrium density of the first species.
        transport: `transport_matrix` of at least three modes.

    Returns:
        (D, H), each of the shape (2, *transport.shape): the part without eta and that with it.
    """
    generator = collision_matrix(rho_inf, transport.shape[0] // 2) - transport
    auxiliary = _auxiliary(rho_inf, transport)
    functional = np.array([np.eye(transport.shape[0]) / 2, (auxiliary + auxiliary.T) / 2])
    # The generator is applied to q and Tq only, which the truncation at n = 2 leaves exact.
    dissipation = np.array([-(generator.T @ h + h @ generator) for h in functional])
    return dissipation, functional
