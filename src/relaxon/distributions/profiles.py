"""Velocity profiles chi of the reaction model, and the conditions (3) that they must meet."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import equinox as eqx
import numpy as np
from scipy.special import gammaln

from relaxon.core.errors import InputError, require, unknown
from relaxon.core.numbers import positive, reals
from relaxon.core.registry import Described, storable
from relaxon.distributions.concentration import (
    Concentration,
    concentration_in_space,
    concentration_on_line,
)
from relaxon.distributions.marginals import DensityMarginal, GaussianMarginal, Marginal
from relaxon.grids.velocity_nodes import MappedNodes, VelocityNodes

# Quadrature may miss this much of the normalisation before we blame profile or nodes.
_TOLERANCE = 1e-4
# A profile whose mass on the nodes is this far from its own mass is not seen by the nodes.
_UNSEEN = 1e-2


@storable
class Profile(eqx.Module, Described):
    """A velocity profile: a density on R^d of mass one and mean zero.

    Attributes:
        name: What it is called.
        formula: The density, takes v of shape `(..., d)`.
        spread: The covariance for a given d, as a `(d, d)` array; None if only known by
            quadrature.
        theta: Exponent of (3), None if it must be measured.
        along: The marginal along a unit vector of shape (d,): a variance or a density on the line;
            None for a callable.
        fisher: The Fisher information in dimension d; None for a callable.
        kind: "gaussian", "isotropic" or "other".
        parameters: The settings that `profile` made it from, as (key, value) pairs; None for a
            callable, which cannot be stored.
    """

    name: str = eqx.field(static=True)
    formula: Callable[[np.ndarray], np.ndarray] = eqx.field(static=True)
    spread: Callable[[int], np.ndarray] | None = eqx.field(static=True, default=None)
    theta: float | None = eqx.field(static=True, default=None)
    along: Callable[[np.ndarray], Any] | None = eqx.field(static=True, default=None)
    fisher: Callable[[int], float] | None = eqx.field(static=True, default=None)
    kind: str = eqx.field(static=True, default="other")
    parameters: tuple[tuple[str, Any], ...] | None = eqx.field(static=True, default=None)

    def settings(self) -> dict[str, Any]:
        """What `from_settings` builds this profile from.

        Raises:
            InputError: A profile made from a callable.
        """
        if self.parameters is None:
            raise InputError(
                f"The profile {self.name!r} was made from a callable and cannot be stored in a run "
                f"directory; allowed: {', '.join(sorted(_NAMED))}."
            )
        return {"name": self.name, **dict(self.parameters)}

    @classmethod
    def from_settings(cls, name: str, **settings: Any) -> Profile:
        """The profile that `settings` describes."""
        return profile(name, **settings)

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """The density at v, shape `v.shape[:-1]`."""
        return self.formula(np.asarray(v, dtype=float))

    def covariance(self, velocity: VelocityNodes) -> np.ndarray:
        r"""$D = \int v \otimes v \chi \, dv$, exact where known, else by quadrature."""
        if self.spread is not None:
            return self.spread(velocity.d)
        weights = sample(self, velocity)
        v = velocity.v.reshape(-1, velocity.d)
        return np.einsum("j,ja,jb->ab", weights, v, v)

    def closed_covariance(self) -> np.ndarray:
        """The covariance in closed form, in the largest dimension up to 3 that has one."""
        require(
            self.spread is not None,
            f"The covariance of profile {self.name!r} is not known in closed form: "
            "give diffusion_limit the velocity nodes.",
        )
        assert self.spread is not None
        for d in (3, 2, 1):
            try:
                return self.spread(d)
            except InputError:
                continue
        raise InputError(f"Profile {self.name!r} has no finite covariance.")

    def marginal(self, direction: Any = (1.0,)) -> Marginal:
        r"""The density of $v \cdot e$, what a mode of wave vector along e knows of the profile.

        Args:
            direction: Direction of the wave vector, any length > 0, shape (d,); its size is the
                dimension of the profile.

        Raises:
            InputError: A callable in more than one dimension: give the linear theory its marginal
                density instead.
        """
        e = np.asarray(direction, dtype=float)
        require(
            e.ndim == 1 and e.size in (1, 2, 3) and bool(np.linalg.norm(e) > 0),
            f"direction must be a vector of one to three components, not 0, but is {direction!r}.",
        )
        if self.along is not None:
            found = self.along(e / np.linalg.norm(e))
            return DensityMarginal(found) if callable(found) else GaussianMarginal(found)
        require(
            e.size == 1,
            f"The marginal of the callable profile {self.name!r} in dimension {e.size} is not "
            "known: give the linear theory its density along the wave vector.",
        )
        return DensityMarginal(lambda v: self.formula(np.asarray(v)[..., None]))

    def information(self, d: int = 1) -> float:
        r"""Fisher information $\int |\nabla \chi|^2/\chi \, dv$ in dimension d."""
        if self.fisher is not None:
            return self.fisher(d)
        require(
            d == 1,
            f"The Fisher information of the callable profile {self.name!r} in dimension {d} is not "
            "known.",
        )
        return self.marginal().information(f"profile {self.name!r}")


def _gaussian(variance: float = 1.0) -> Profile:
    r"""$(2 \pi T)^{-d/2} e^{-|v|^2/2T}$."""
    temperature = positive("variance", variance)

    def formula(v):
        d = v.shape[-1]
        return np.exp(-0.5 * np.sum(v**2, axis=-1) / temperature) * (2 * np.pi * temperature) ** (
            -d / 2
        )

    return Profile(
        "gaussian",
        formula,
        lambda d: temperature * np.eye(d),
        1.0,
        along=lambda e: temperature,
        fisher=lambda d: d / temperature,
        kind="gaussian",
    )


def _anisotropic(covariance: Any) -> Profile:
    r"""$\prod_i (2 \pi T_i)^{-1/2} e^{-v_i^2/2T_i}$ with the variances T_i on the diagonal."""
    given = reals("covariance", covariance)
    if given.ndim == 2:
        require(
            given.shape[0] == given.shape[1] and np.allclose(given, np.diag(np.diag(given))),
            "covariance must be a list of variances or a diagonal matrix.",
        )
        given = np.diag(given)
    require(
        given.ndim == 1
        and given.size in (1, 2, 3)
        and bool(np.all((given > 0) & np.isfinite(given))),
        f"covariance must hold one to three positive variances, but is {covariance!r}.",
    )

    def matched(d: int) -> None:
        require(
            d == given.size,
            f"covariance holds {given.size} variances, but the velocity has dimension {d}.",
        )

    def formula(v):
        matched(v.shape[-1])
        return np.exp(-0.5 * np.sum(v**2 / given, axis=-1)) / np.sqrt(np.prod(2 * np.pi * given))

    def spread(d):
        matched(d)
        return np.diag(given)

    def along(e):
        matched(e.size)
        return float(e**2 @ given)

    def fisher(d):
        matched(d)
        return float(np.sum(1 / given))

    return Profile("anisotropic", formula, spread, 1.0, along=along, fisher=fisher, kind="gaussian")


def _algebraic(k: float = 3.0) -> Profile:
    r"""$c (1 + |v|^2)^{-k}$, $c = \Gamma(k) / (\pi^{d/2} \Gamma(k - d/2))$, variance 1/(2k-d-2)."""
    power = positive("k", k)

    def admissible(d: int) -> None:
        require(
            power > 1 + d / 2,
            "condition (3), (1+|v|^2) chi integrable, "
            f"needs k > {1 + d / 2:g} in dimension {d}, but k is {power:g}.",
        )

    def formula(v):
        d = v.shape[-1]
        admissible(d)
        log_c = gammaln(power) - gammaln(power - d / 2) - 0.5 * d * np.log(np.pi)
        return np.exp(log_c - power * np.log1p(np.sum(v**2, axis=-1)))

    def spread(d):
        admissible(d)
        return np.eye(d) / (2 * power - d - 2)

    def along(e):
        # Integrating out an axis takes 1/2 off the power.
        admissible(e.size)
        power_1 = power - (e.size - 1) / 2
        c = np.exp(gammaln(power_1) - gammaln(power_1 - 0.5)) / np.sqrt(np.pi)
        return lambda v: c * (1 + np.square(v)) ** -power_1

    def fisher(d):
        admissible(d)
        return d * power * (2 * power - d) / (power + 1)

    return Profile("algebraic", formula, spread, 1.0, along=along, fisher=fisher, kind="isotropic")


def _two_bump(separation: float = 2.0, variance: float = 0.25) -> Profile:
    r"""Half a Gaussian of variance T about each of $\pm a e_1$; a = separation / 2."""
    distance, temperature = positive("separation", separation), positive("variance", variance)
    a = distance / 2

    def formula(v):
        d = v.shape[-1]
        rest = np.sum(v[..., 1:] ** 2, axis=-1)
        near = np.exp(-0.5 * ((v[..., 0] - a) ** 2 + rest) / temperature)
        far = np.exp(-0.5 * ((v[..., 0] + a) ** 2 + rest) / temperature)
        return 0.5 * (near + far) * (2 * np.pi * temperature) ** (-d / 2)

    def spread(d):
        matrix = temperature * np.eye(d)
        matrix[0, 0] += a * a
        return matrix

    def along(e):
        def density(v):
            near = np.exp(-0.5 * np.square(v - a * e[0]) / temperature)
            far = np.exp(-0.5 * np.square(v + a * e[0]) / temperature)
            return 0.5 * (near + far) / np.sqrt(2 * np.pi * temperature)

        return density

    def fisher(d):
        line = DensityMarginal(along(np.ones(1))).information("profile 'two-bump'")
        return line + (d - 1) / temperature

    return Profile("two-bump", formula, spread, 1.0, along=along, fisher=fisher)


def _frozen(value: Any) -> Any:
    """Numbers and nested lists as plain Python values that can be hashed."""
    array = np.asarray(value, dtype=float)
    return float(array) if array.ndim == 0 else tuple(_frozen(item) for item in array)


_NAMED: dict[str, Callable[..., Profile]] = {
    "gaussian": _gaussian,
    "anisotropic": _anisotropic,
    "algebraic": _algebraic,
    "two-bump": _two_bump,
}


def profile(name: Any, **settings: Any) -> Profile:
    r"""A velocity profile by name, or from a callable.

    - `"gaussian"` (variance=1): $(2 \pi T)^{-d/2} e^{-|v|^2/2T}$
    - `"anisotropic"` (covariance=[T1, ...]): a Gaussian with diagonal covariance
    - `"algebraic"` (k=3): $c (1+|v|^2)^{-k}$
    - `"two-bump"` (separation=2, variance=0.25): two Gaussians at $\pm$ separation/2 along v_1
    - any callable that maps v of shape `(..., d)` to values of shape `(...)`

    Source: neumann2016 (3) and the remark after it.

    Args:
        name: One of the names above, a callable, or a Profile (returned as it is).
        **settings: The numbers named above.

    Returns:
        A Profile.

    Raises:
        InputError: Unknown name or setting, or a number out of range.
    """
    if isinstance(name, Profile):
        return name
    if callable(name):
        require(not settings, f"A callable profile takes no settings, got {sorted(settings)}.")
        return Profile(getattr(name, "__name__", "custom"), name)
    if not isinstance(name, str) or name not in _NAMED:
        raise unknown("profile", str(name), _NAMED)
    known = inspect.signature(_NAMED[name]).parameters
    for setting in settings:
        if setting not in known:
            raise unknown(f"{name} setting", setting, known)
    needed = {key for key, given in known.items() if given.default is given.empty}
    missing = sorted(needed - set(settings))
    require(not missing, f"Profile {name!r} needs {', '.join(missing)}.")
    found = _NAMED[name](**settings)
    fixed = tuple(sorted((key, _frozen(value)) for key, value in settings.items()))
    return dataclasses.replace(found, parameters=fixed)


Profiled = str | Mapping[str, Any]
"""A profile as files have it: a name, or a table with `name` and its numbers."""


def profile_of(given: Profiled, variance: float | None = None) -> Profile:
    """A profile from its name and variance, or from a table with `name` and its numbers.

    Raises:
        InputError: As `profile`; a table without a name, or with a variance beside it.
    """
    if not isinstance(given, Mapping):
        return profile(given, **({} if variance is None else {"variance": variance}))
    require("name" in given, f"A profile needs a name, but got {given!r}.")
    require(variance is None, "A profile given as a table holds its own numbers; leave T1, T2 out.")
    return profile(given["name"], **{k: x for k, x in given.items() if k != "name"})


def concentration(chi: Profile, velocity: VelocityNodes) -> Concentration:
    r"""The exponent theta of (3), from the profile itself and not from its values on the nodes.

    $$ Q(\delta) = \sup_{a, \omega} \int_{|a + v \cdot \omega| < \delta} \chi \, dv
       \le C \delta^\theta $$

    In dimension 1 by adaptive quadrature and a search over a, down to windows of 1e-7 node
    spacings; in more dimensions a lower bound from the strongest local growth of chi. The nodes
    give the range and the first scale only. See `relaxon.distributions.concentration`.
    """
    if chi.theta is not None:
        return Concentration(chi.theta, 0.0, (0.0,) * velocity.d, (0.0, np.inf), None)
    nodes, weights = velocity.line()
    spacing = float(np.diff(nodes).min())
    if velocity.d == 1:
        # The outermost node of a mapped rule stands for the whole tail, which holds no plane.
        outer = spacing / 2 if not isinstance(velocity, MappedNodes) else 3 * float(weights[-1])
        reach = float(nodes[-1]) + outer
        return concentration_on_line(_on_line(chi.formula), (-reach, reach), spacing)
    v = velocity.v.reshape(-1, velocity.d)
    heaviest = np.argsort(np.asarray(chi(v)))[-24:]
    starts = (*(tuple(map(float, v[j])) for j in heaviest), spacing)
    return concentration_in_space(chi.formula, velocity.d, starts)


@lru_cache(maxsize=32)
def _on_line(formula: Callable) -> Callable:
    """A profile of dimension 1 as a function of the number v; cached to be the same each time."""
    return lambda v: formula(np.asarray(v)[..., None])


def concentration_exponent(chi: Profile, velocity: VelocityNodes) -> float:
    """theta of `concentration`."""
    return concentration(chi, velocity).theta


def verify(chi: Profile, velocity: VelocityNodes) -> None:
    r"""Check the conditions (3) of neumann2016 on the nodes; refuse with one sentence.

    Positivity, finite values, $\int \chi = 1$ and $\int v \chi = 0$ on the nodes; of a callable
    itself, that its tail leaves $\int |v|^2 \chi$ finite, that the nodes see its mass (dimension 1)
    and that theta > 0, no concentration on planes. An integrable singularity, which makes theta
    smaller than 1, violates the first line of (3) in the letter; it is accepted, because the
    averaging lemma admits it.

    Raises:
        InputError: Names the violated condition and by how much.
    """
    values = _values(chi, velocity.v)
    label = f"profile {chi.name!r} violates condition (3)"
    require(
        values.shape == velocity.shape,
        f"profile {chi.name!r} must return shape {velocity.shape}, but returns {values.shape}.",
    )
    require(bool(np.all(np.isfinite(values))), f"{label}, chi bounded: it has non-finite values.")
    require(
        values.min() >= 0,
        f"{label}, chi > 0: its smallest value on the nodes is {values.min():.3g}.",
    )
    mass = float(np.sum(values * velocity.weights))
    require(
        abs(mass - 1) <= _TOLERANCE,
        f"{label}, integral of chi = 1: the nodes give {mass:.6g}, off by {mass - 1:.3g} "
        "(a finer or wider velocity rule helps if the profile itself is normalised).",
    )
    masses, v = (values * velocity.weights).reshape(-1), velocity.v.reshape(-1, velocity.d)
    mean, width = masses @ v, np.sqrt(np.sum(masses @ v**2))
    worst = float(np.max(np.abs(mean)))
    require(
        worst <= _TOLERANCE * width,
        f"{label}, integral of v chi = 0: the mean is off by {worst:.3g}.",
    )
    _verify_tail(chi, velocity, label)
    found = concentration(chi, velocity)
    require(
        found.theta > 0.15 or found.theta - found.error > 0.05,
        f"{label}, no concentration on planes: theta is {found.theta:.2g} with an error of "
        f"{found.error:.2g} near v = {', '.join(f'{x:.3g}' for x in found.place)}, but must be "
        "positive.",
    )
    require(
        found.mass is None or abs(found.mass - mass) <= _UNSEEN,
        f"{label}, integral of chi = 1: it is {found.mass or 0:.6g} by adaptive quadrature, though "
        f"the nodes give {mass:.6g}, which do not resolve the profile.",
    )


def _values(chi: Profile, v: np.ndarray) -> np.ndarray:
    """chi(v), where a user's callable may do anything."""
    try:
        found = chi(v)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"profile {chi.name!r} must map velocities of shape {v.shape} to their densities, but "
            f"raises {type(error).__name__}: {' '.join(str(error).split())}."
        ) from None
    return reals(f"what profile {chi.name!r} returns", found)


def _verify_tail(chi: Profile, velocity: VelocityNodes, label: str) -> None:
    """Refuse a callable whose second moment is infinite, where the nodes reach its tail."""
    if chi.spread is not None:
        return
    nodes, _ = velocity.line()
    d, reach = velocity.d, float(nodes[-1])
    rays = np.concatenate([np.eye(d), -np.eye(d), np.ones((1, d)) / np.sqrt(d)])
    with np.errstate(all="ignore"):
        near, far = (np.asarray(chi(s * reach * rays), dtype=float) for s in (1.0, 2.0))
        furthest = np.asarray(chi(2.0**20 * reach * rays), dtype=float)
        # The local power over one octave, and over the 19 octaves beyond it: the tail may still
        # steepen.
        power = np.log2(np.where(far > 0, near / far, np.inf))
        last = np.log2(np.where(furthest > 0, far / furthest, np.inf)) / 19
    matters = (near * reach ** (d + 2) > 1e-4) & (furthest > 0)
    slowest = np.min(np.where(matters, np.maximum(power, last), np.inf))
    require(
        bool(slowest > d + 2),
        f"{label}, (1+|v|^2) chi integrable: it falls off like |v|^-{slowest:.3g}, but must fall "
        f"off faster than |v|^-{d + 2}.",
    )


def sample(chi: Profile, velocity: VelocityNodes) -> np.ndarray:
    r"""Node masses $W_j = w_j \chi(v_j)$ with $\sum W_j = 1$ and $\sum W_j v_j = 0$ to rounding.

    What the quadrature misses (at most 1e-4, see `verify`) is put right by the factor
    $c (1 + b \cdot v)$ with the smallest such correction.

    Returns:
        Masses, shape `(velocity.size,)`.

    Raises:
        InputError: The profile violates (3), see `verify`.
    """
    verify(chi, velocity)
    v = velocity.v.reshape(velocity.size, -1)
    mass = np.asarray(chi(velocity.v), dtype=float).reshape(-1) * velocity.weights.reshape(-1)
    mass = mass / mass.sum()
    mean = mass @ v
    if np.max(np.abs(mean)) > 1e-15:
        # Bounded, so that the correction stays small in heavy tails too.
        bounded = v / (1 + np.abs(v))
        gram = np.einsum("j,ja,jb->ab", mass, v, bounded - mass @ bounded)
        mass = mass * (1 - (bounded - mass @ bounded) @ np.linalg.solve(gram, mean))
    return mass


def as_marginal(name: str, profile: Any) -> Marginal:
    """A `Marginal` from what the linear theory accepts for a profile.

    Args:
        name: What to call it in errors.
        profile: A variance (Gaussian), a vectorised density on the line, a `Marginal`, or a
            velocity profile of the model (`profile`), which stands for its
            marginal on the line. In more dimensions the marginal depends on the direction of the
            wave vector: give `profile.marginal(direction)`.
    """
    if isinstance(profile, Marginal):
        return profile
    if isinstance(profile, Profile):
        return profile.marginal((1.0,))
    if callable(profile):
        return DensityMarginal(profile)
    return GaussianMarginal(positive(name, profile))
