"""What to solve, and what to keep of the solution."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError, reals, require
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.radial import RadialGrid

SHORTEST = 1e-290
"""Times below are zero: compiled code flushes the smallest numbers to it."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """An equation, the grid it is solved on, and the initial datum.

    Attributes:
        equation: For instance `relaxon.Landau()`.
        grid: A grid that the equation has an operator on.
        f0: Initial distribution: an array of the grid's shape, finite and >= 0 (for equations of
            several fields a mapping of such arrays, {"f": ..., "g": ...} for a reaction).
            Equations that know more of their data have a method `checked_data(f0, grid)`.

    Raises:
        InputError: Wrong shape, NaN or negative values, an empty distribution, a box that cuts
            the distribution off, or a grid that the equation cannot use.
    """

    equation: Any
    grid: Any
    f0: Any

    def __post_init__(self) -> None:
        if hasattr(self.equation, "require_grid"):
            self.equation.require_grid(self.grid)
        if hasattr(self.equation, "checked_data"):
            object.__setattr__(self, "f0", self.equation.checked_data(self.f0, self.grid))
            return
        fields = self.f0 if isinstance(self.f0, Mapping) else {"f0": self.f0}
        checked = {name: _checked(name, value, self.grid) for name, value in fields.items()}
        object.__setattr__(self, "f0", checked if self.f0 is fields else checked["f0"])
        if isinstance(self.grid, RadialGrid) and not isinstance(self.f0, Mapping):
            _require_tail(self.f0, self.grid)
        if isinstance(self.grid, VelocityGrid):
            self.grid.check(self.f0, "f0")


@dataclasses.dataclass(frozen=True)
class Record:
    """What to keep of a run, and when.

    Attributes:
        times: Times to keep (0 and the end are added). None: `n` times, spaced by logarithm from
            `first` to the end.
        n: How many times to keep if `times` is None, at least 2.
        first: The first positive time; None is 1e-4 of the end.
        functionals: Further scalars by name, each a function (t, f, grid) -> scalar that jax can
            trace; one with a true attribute `of_fields` gets all fields by name instead of f.
        fields: Names of the fields to keep; None keeps all. Distributions over phase space are
            large: ("rho_f", "rho_g", "m") keeps the densities of a reaction. A run on disk can be
            resumed all the same.
        notes: Anything to keep with the run, as JSON holds it; a case keeps its settings here.

    Raises:
        InputError: Negative or non-finite times, n < 2, no field.
    """

    times: Any = None
    n: int = 41
    first: float | None = None
    functionals: Mapping[str, Callable[[Any, Any, Any], Any]] = dataclasses.field(
        default_factory=dict
    )
    fields: tuple[str, ...] | None = None
    notes: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fields is not None:
            named = not isinstance(self.fields, str) and all(
                isinstance(name, str) for name in self.fields
            )
            require(
                named and len(self.fields) > 0,
                f"fields must be a list of names, but is {self.fields!r}.",
            )
            object.__setattr__(self, "fields", tuple(self.fields))
        require(
            isinstance(self.n, int) and self.n >= 2,
            f"A record needs n >= 2 times, but n is {self.n!r}.",
        )
        for name, functional in self.functionals.items():
            require(
                callable(functional),
                f"Functional {name!r} must be a function (t, f, grid), but is {functional!r}.",
            )
        if self.first is not None:
            first = math.nan if isinstance(self.first, str) else float(self.first)
            require(
                math.isfinite(first) and first > 0,
                f"The first recorded time must be positive and finite, but is {self.first!r}.",
            )
        if self.times is not None:
            times = np.atleast_1d(reals("times", self.times))
            require(
                times.ndim == 1, f"Recorded times must be a list, but have shape {times.shape}."
            )
            require(
                bool(np.all(np.isfinite(times)) and np.all(times >= 0)),
                "Recorded times must be finite and >= 0.",
            )
            object.__setattr__(self, "times", np.unique(times))

    def schedule(self, t_end: float) -> np.ndarray:
        """The recorded times of a run to t_end, from 0 to t_end, increasing."""
        if t_end == 0:
            return np.zeros(1)
        if self.times is not None:
            inside = self.times[(self.times >= SHORTEST) & (self.times < t_end)]
            return np.concatenate([[0.0], inside, [t_end]])
        first = min(self.first or 1e-4 * t_end, t_end)
        if self.n == 2 or first == t_end or first < SHORTEST:
            return np.array([0.0, t_end])
        times = np.geomspace(first, t_end, self.n - 1)
        times[-1] = t_end
        return np.concatenate([[0.0], times])


def _checked(name: str, value: Any, grid: Any) -> jax.Array:
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be an array of numbers, but is {value!r}.") from None
    require(
        array.shape == tuple(grid.shape),
        f"{name} must have the grid's shape {tuple(grid.shape)}, but has {array.shape}.",
    )
    bad = int(np.sum(~np.isfinite(array)))
    require(bad == 0, f"{name} must be finite, but has {bad} values that are NaN or infinite.")
    low = float(np.min(array))
    require(low >= 0, f"{name} must be >= 0, but its minimum is {low:.3g}.")
    require(float(np.max(array)) > 0, f"{name} must not vanish everywhere.")
    return jnp.asarray(array)


def _require_tail(f: Any, grid: RadialGrid) -> None:
    """Refuse a box that cuts f off, and one so large that the Maxwellian underflows."""
    f, r, volumes = np.asarray(f), np.asarray(grid.r), np.asarray(grid.volumes)
    shape = f / f.max()  # so that data near the ends of the number range do not over- or underflow
    mass, energy = shape @ volumes, (shape * r**2) @ volumes
    width = math.sqrt(float(energy / (grid.d * mass)))
    r_max = float(grid.faces[-1])
    cut = float(shape[-1] * volumes[-1] / float(grid.dx) * 4 / mass)
    require(
        cut < 1e-10,
        f"r_max = {r_max:.4g} is too small for the tail of f: a fraction {cut:.1e} of the mass "
        f"would be cut off; take r_max >= {max(10 * width, 1.5 * r_max):.3g}.",
    )
    require(
        r_max > 6.5 * width,
        f"r_max = {r_max:.4g} is too small for the Maxwellian that f relaxes to (temperature "
        f"{width**2:.3g}): it must exceed 6.5 thermal widths; take r_max >= {10 * width:.3g}.",
    )
    require(
        r_max < 36 * width,
        f"r_max = {r_max:.4g} is too large: the Maxwellian of f (temperature {width**2:.3g}) "
        f"underflows there; take r_max <= {36 * width:.3g}.",
    )
