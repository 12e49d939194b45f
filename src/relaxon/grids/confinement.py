"""Potentials on the line that confine, and the interval where they matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import numpy as np
from scipy.optimize import brentq

from relaxon.core.errors import InputError, require, unknown
from relaxon.core.numbers import positive
from relaxon.core.registry import Described, storable

_WIDEST = 2.0**40
_SAMPLES = 4097


@storable
class Confinement(eqx.Module, Described):
    r"""A dimensionless potential phi on the line with $Z = \int e^{-\phi} dx < \infty$.

    Attributes:
        name: What it is called.
        formula: phi, vectorised; its derivative is never needed. Takes the parameters by name.
        parameters: The settings that `confinement` made it from, as (key, value) pairs; None for
            a callable, which cannot be stored.
    """

    name: str = eqx.field(static=True)
    formula: Callable[..., Any] = eqx.field(static=True)
    parameters: tuple[tuple[str, float], ...] | None = eqx.field(static=True, default=None)

    def settings(self) -> dict[str, Any]:
        """What `from_settings` builds this potential from.

        Raises:
            InputError: A potential made from a callable.
        """
        if self.parameters is None:
            raise InputError(
                f"The potential {self.name!r} was made from a callable and cannot be stored in a "
                f"run directory; allowed: {', '.join(sorted(_NAMED))}."
            )
        return {"name": self.name, **dict(self.parameters)}

    @classmethod
    def from_settings(cls, name: str, **settings: Any) -> Confinement:
        """The potential that `settings` describes."""
        return confinement(name, **settings)

    def __call__(self, x: Any) -> np.ndarray:
        """Phi at x, of the shape of x."""
        x = np.asarray(x, dtype=float)
        with np.errstate(over="ignore"):
            values = np.asarray(self.formula(x, **dict(self.parameters or ())), dtype=float)
        require(
            values.shape == x.shape,
            f"The potential {self.name!r} must return shape {x.shape}, but returns {values.shape}.",
        )
        return values

    def interval(self, depth: float) -> tuple[float, float, float]:
        r"""Where phi rises by at most `depth` above its minimum: (low, high, minimum).

        Raises:
            InputError: phi is not finite, does not rise by `depth` on both sides within
                1e12 units, or has a barrier higher than `depth` between two wells.
        """
        low, high, least = self._bracket(depth)
        for _ in range(60):  # zoom in: a narrow well is a single sample of a wide window
            x = np.linspace(low, high, _SAMPLES)
            rise = self(x)
            least = min(least, float(rise.min()))
            rise = rise - least
            inner = np.flatnonzero(rise <= depth)
            left, right = x[max(inner[0] - 1, 0)], x[min(inner[-1] + 1, _SAMPLES - 1)]
            settled = right - left > 0.5 * (high - low)
            low, high = float(left), float(right)
            if settled:
                break
        require(
            bool(np.all(rise[inner[0] : inner[-1] + 1] <= depth)),
            f"The potential {self.name!r} has a barrier higher than depth = {depth:g} between two "
            "wells: they exchange nothing that the grid could see; take one well or a larger "
            "depth.",
        )
        excess = lambda z: float(self(np.array(z))) - least - depth  # noqa: E731
        ends = (x[inner[0]], x[inner[-1]])
        low = brentq(excess, low, ends[0], xtol=1e-300, rtol=1e-14)
        high = brentq(excess, ends[1], high, xtol=1e-300, rtol=1e-14)
        return low, high, least

    def _bracket(self, depth: float) -> tuple[float, float, float]:
        """A window at whose ends phi has risen by `depth`, and the smallest value in it."""
        reach = 1.0
        while reach <= _WIDEST:
            values = self(np.linspace(-reach, reach, _SAMPLES))
            require(
                not np.any(np.isnan(values)) and not np.any(values == -np.inf),
                f"The potential {self.name!r} is not a finite number everywhere on "
                f"[{-reach:g}, {reach:g}].",
            )
            least = float(values.min())
            # Twice the window must not reveal a deeper well: ends that rise are not enough.
            if min(values[0], values[-1]) - least > depth and (
                float(self(np.linspace(-2 * reach, 2 * reach, _SAMPLES)).min()) >= least - 1e-9
            ):
                return -reach, reach, least
            reach *= 2.0
        raise InputError(
            f"The potential {self.name!r} does not confine: within {_WIDEST:.0e} units it does not "
            f"rise by {depth:g} above its minimum on both sides, as it must for the mass of "
            "exp(-phi) to be finite."
        )


def _harmonic(x, stiffness: float = 1.0):
    return 0.5 * stiffness * x**2


def _quartic(x, strength: float = 1.0):
    return 0.25 * strength * x**4


def _double_well(x, barrier: float = 2.0, distance: float = 1.0):
    return barrier * ((x / distance) ** 2 - 1.0) ** 2


_NAMED: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "harmonic": (_harmonic, ("stiffness",)),
    "quartic": (_quartic, ("strength",)),
    "double-well": (_double_well, ("barrier", "distance")),
}


def confinement(name: Any, **settings: Any) -> Confinement:
    r"""A confining potential by name, or from a callable.

    - `"harmonic"` (stiffness=1): $\kappa x^2 / 2$
    - `"quartic"` (strength=1): $a x^4 / 4$
    - `"double-well"` (barrier=2, distance=1): $b ((x/a)^2 - 1)^2$, minima at $\pm a$
    - any vectorised callable x -> phi(x); its derivative is not needed
    - a table with `name` and the numbers, as a file has it

    Source: the whole-space problem that the introduction of neumann2016 conjectures about.

    Args:
        name: One of the names above, a callable, a table, or a Confinement (returned as it is).
        **settings: The numbers named above.

    Returns:
        A Confinement.

    Raises:
        InputError: Unknown name or setting, or a number that is not positive.
    """
    if isinstance(name, Confinement):
        return name
    if isinstance(name, Mapping):
        require("name" in name, f"A potential needs a name, but got {name!r}.")
        return confinement(name["name"], **{k: x for k, x in name.items() if k != "name"})
    if callable(name):
        require(not settings, f"A callable potential takes no settings, got {sorted(settings)}.")
        return Confinement(getattr(name, "__name__", "custom"), name)
    if not isinstance(name, str) or name not in _NAMED:
        raise unknown("potential", str(name), _NAMED)
    formula, allowed = _NAMED[name]
    for key in settings:
        if key not in allowed:
            raise unknown(f"{name} setting", key, allowed)
    fixed = tuple(sorted((key, positive(key, value)) for key, value in settings.items()))
    return Confinement(name, formula, fixed)


Confining = Confinement | str | Mapping[str, Any] | Callable[[Any], Any]
"""What `confinement` makes a potential of."""


def confinement_of(equation: Any) -> Confinement:
    """The potential of an equation, for a grid that is made for it.

    Raises:
        InputError: The equation has none.
    """
    potential = getattr(equation, "potential", None)
    if not isinstance(potential, Confinement):
        raise InputError(
            "A grid under a confining potential takes it from [equation], whose type must be "
            "ConfinedReaction or ConfinedLimit."
        )
    return potential
