"""The gap over all modes of the torus."""

from __future__ import annotations

from itertools import product

import numpy as np

from relaxon.core.errors import require
from relaxon.core.numbers import dimension as checked_dimension
from relaxon.core.numbers import positive, reals
from relaxon.distributions.marginals import GaussianMarginal, Marginal
from relaxon.distributions.profiles import Profile, as_marginal
from relaxon.reaction.theory.spectrum import SpectralGap, spectral_gap


def torus_gap(rho_inf, T1, T2, dimension: int = 1) -> SpectralGap:
    r"""The slowest mode over all wave vectors xi = 2 pi n, n != 0, of the torus of volume one.

    A finite set of wave vectors holds the slowest mode:

    * Even marginals that do not increase with |v| (Gaussians, algebraic tails) have no eigenvalue
      right of the edge but one real one (see the module). At real lambda
      $A = \int s/(s^2 + (\xi \cdot v)^2) \chi_1 dv$, s = lambda + 1/rho_inf > 0, and B likewise.
      *Isotropic*: both decrease with |xi|, so A B - 1, which decreases in lambda too, has its zero
      furthest to the right for the longest wave, n = (1, 0, ...).
      *Gaussians with covariances S_1, S_2*: A depends on xi.S_1.xi only and decreases with it, B
      likewise with xi.S_2.xi. A vector n that another one undercuts in both is never the slowest;
      the others satisfy n.S_j.n <= e.S_j.e for j = 1 or 2, with e a unit vector of the lattice, and
      are finitely many.
    * Other marginals, the same in every direction: |C(s; k)| <= M/k on Re s >= 0, M the supremum
      for k = 1 on the imaginary axis (maximum principle), so there is no eigenvalue beyond
      k^2 = M_1 M_2. All lengths |n| up to there are tried (M from 1201 points, one per cent to
      spare); an eigenvalue may be complex.

    Args:
        rho_inf: Equilibrium density of the first species, > 0.
        T1: Variance of chi_1 (isotropic Gaussian), its covariance matrix, the marginal density of
            an isotropic profile (in dimension one of any profile), or a velocity `Profile`.
        T2: The same for chi_2.
        dimension: Dimension of the torus, 1 to 3; a covariance matrix sets it by its size.

    Returns:
        The `SpectralGap` of the slowest mode; `.k` says which. If no mode has an eigenvalue, the
        rate is the edge and the mode that with the slowest density.

    Raises:
        InputError: Covariances of different size, a marginal density together with an anisotropic
            covariance, a profile that is neither Gaussian nor isotropic in more dimensions.

    Accuracy: as `spectral_gap`. Cost: 1 ms for Gaussians (a few ms if very anisotropic), 5 to 20 ms
    for algebraic profiles in any dimension, once their panels are made (5 ms).
    """
    r = positive("rho_inf", rho_inf)
    dimension = checked_dimension(dimension, name="dimension")
    size = max([dimension, *(np.shape(T)[0] for T in (T1, T2) if np.ndim(T) == 2)])
    first, second = _species("T1", T1, size), _species("T2", T2, size)
    if isinstance(first, Marginal) or isinstance(second, Marginal):
        return _isotropic_gap(r, _same_everywhere(first), _same_everywhere(second), size)
    require(
        first.shape == second.shape,
        f"The covariances must have one shape, but are {first.shape} and {second.shape}.",
    )
    gaps = [
        spectral_gap(r, n @ first @ n / (n @ n), n @ second @ n / (n @ n), _wavenumber(n))
        for n in _undominated(first, second)
    ]
    return max(gaps, key=lambda gap: (-gap.rate, -(gap.density_rate or np.inf), -gap.k))


def _species(name: str, value, dimension: int):
    """A profile for `torus_gap`: a covariance matrix, or the marginal in all directions."""
    if not isinstance(value, Profile):
        if isinstance(value, GaussianMarginal):
            return _covariance(name, value.variance, dimension)
        if callable(value) or isinstance(value, Marginal):
            return as_marginal(name, value)
        return _covariance(name, value, dimension)
    if value.kind == "gaussian" and value.spread is not None:
        return value.spread(dimension)
    require(
        value.kind == "isotropic" or dimension == 1,
        f"In dimension {dimension} torus_gap needs Gaussian or isotropic profiles, but {name} is "
        f"{value.name!r}.",
    )
    return value.marginal(np.eye(dimension)[0])


def _same_everywhere(species) -> Marginal:
    """The marginal of an isotropic species."""
    if isinstance(species, Marginal):
        return species
    variance = species[0, 0]
    require(
        bool(np.allclose(species, variance * np.eye(species.shape[0]), rtol=1e-14, atol=0)),
        "A marginal density stands for an isotropic profile and needs an isotropic partner: give "
        "spectral_gap the two marginals of each wave vector.",
    )
    return GaussianMarginal(variance)


def _covariance(name: str, value, dimension: int) -> np.ndarray:
    matrix = reals(name, value)
    if matrix.ndim == 0:
        return positive(name, value) * np.eye(dimension)
    require(
        matrix.ndim == 2
        and matrix.shape[0] == matrix.shape[1]
        and np.allclose(matrix, matrix.T)
        and bool(np.all(np.linalg.eigvalsh(matrix) > 0)),
        f"{name} must be a variance or a symmetric positive definite matrix, "
        f"but is {matrix.tolist()}.",
    )
    return matrix


def _wavenumber(n) -> float:
    return float(2 * np.pi * np.sqrt(n @ n))


def _undominated(first, second) -> list[np.ndarray]:
    """Lattice vectors n whose two variances n.D n are not both undercut by another vector."""
    size = first.shape[0]
    # A lattice vector can only compete if n.S n <= e.S e for one S, so |n|^2 <= e.S e/min
    # eigenvalue.
    axis = np.eye(size)[np.argmin(np.diag(first) / np.trace(first))]
    reach = np.sqrt(
        max(
            axis @ first @ axis / np.linalg.eigvalsh(first)[0],
            axis @ second @ axis / np.linalg.eigvalsh(second)[0],
        )
    )
    most = int(np.floor(reach * (1 + 1e-12)))
    require(
        (2 * most + 1) ** size < 2_000_000,
        "The covariances are too anisotropic to search the wave vectors one by one.",
    )
    vectors = np.array(list(product(range(-most, most + 1), repeat=size)), dtype=float)
    vectors = vectors[np.any(vectors != 0, axis=1)]
    one = np.einsum("ni,ij,nj->n", vectors, first, vectors)
    two = np.einsum("ni,ij,nj->n", vectors, second, vectors)
    # Ascending in the first variance: a vector stays if its second is smaller than all before.
    chosen, best = [], np.inf
    for i in np.lexsort((two, one)):
        if two[i] < best * (1 - 1e-14):
            chosen.append(vectors[i])
            best = two[i]
    return chosen


def _isotropic_gap(r, first: Marginal, second: Marginal, dimension: int) -> SpectralGap:
    """The slowest mode of isotropic profiles, see `torus_gap`."""
    if first.unimodal and second.unimodal:
        return spectral_gap(r, first, second, 2 * np.pi)
    axis = np.geomspace(1e-6, 1e6, 601)
    imaginary = 1j * np.concatenate([-axis, [0.0], axis])
    bound = np.prod([np.abs(m.cauchy(imaginary, 1.0)).max() for m in (first, second)])
    most = max(1, int(np.floor(1.01 * np.sqrt(bound) / (2 * np.pi))))
    require(most <= 2000, f"The marginals may have eigenvalues at {most} wave numbers, too many.")
    squares = np.arange(most + 1) ** 2
    lengths = squares
    for _ in range(dimension - 1):
        lengths = np.unique(np.add.outer(lengths, squares))
    lengths = lengths[(lengths > 0) & (lengths <= most**2)]
    gaps = [spectral_gap(r, first, second, 2 * np.pi * np.sqrt(n)) for n in lengths]
    return min(gaps, key=lambda gap: gap.rate)
