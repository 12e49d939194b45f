"""What to keep of a run, and when."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.core.memory import require_memory
from relaxon.core.numbers import integer, reals, scalar, shown
from relaxon.runs.functionals import checked
from relaxon.runs.problem import SHORTEST

LEAST = 100
"""Numbers that would fill the memory that a recorded time takes, whatever is recorded."""


@dataclasses.dataclass(frozen=True)
class Record:
    """What to keep of a run, and when.

    Attributes:
        times: Times to keep (0 and the end are added). None: `n` times, spaced by logarithm from
            `first` to the end.
        n: How many times to keep if `times` is None, at least 2.
        first: The first positive time; None is 1e-4 of the end.
        functionals: Further quantities by name, each a function (t, f, grid) -> number or array
            that jax can trace; one with a true attribute `of_fields` gets all fields by name
            instead of f. Names that the run records itself, such as "mass", are refused. A run with
            `out` takes instances of classes with the decorator `relaxon.storable`. Values that are
            not finite do not end a run: see `Solution.warnings`; names in an attribute
            `partly_defined` are excused.
        fields: Names of the fields to keep; None keeps all. Distributions over phase space are
            large: ("rho_f", "rho_g", "m") keeps the densities of a reaction. A run on disk can be
            resumed all the same.
        notes: Anything to keep with the run, as JSON holds it; a case keeps its settings here.
        warnings: Sentences to have among the warnings of the solution.

    Raises:
        InputError: Negative or non-finite times, n < 2, no field, notes that JSON cannot hold.
    """

    times: Any = None
    n: int = 41
    first: float | None = None
    functionals: Mapping[str, Callable[[Any, Any, Any], Any]] = dataclasses.field(
        default_factory=dict
    )
    fields: tuple[str, ...] | None = None
    notes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.fields is not None:
            require(
                _words(self.fields) and len(self.fields) > 0,
                f"fields must be a list of names, but is {self.fields!r}.",
            )
            object.__setattr__(self, "fields", tuple(self.fields))
        n = integer(self.n) or 0
        require(n >= 2, f"A record needs n >= 2 times, but n is {shown(self.n)}.")
        require_memory(f"A record of {n} times", LEAST * n, "take a smaller n")
        object.__setattr__(self, "n", n)
        object.__setattr__(self, "functionals", checked(self.functionals))
        if self.first is not None:
            first = scalar(self.first)
            require(
                0 < first < math.inf,
                f"The first recorded time must be positive and finite, but is {shown(self.first)}.",
            )
            object.__setattr__(self, "first", first)
        _require_json(self.notes)
        require(
            _words(self.warnings),
            f"warnings must be a list of sentences, but is {self.warnings!r}.",
        )
        object.__setattr__(self, "warnings", tuple(self.warnings))
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

    def count(self) -> int:
        """How many times are recorded, at most."""
        return self.n if self.times is None else len(self.times) + 2

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


def _words(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)


def _require_json(notes: Any) -> None:
    require(
        isinstance(notes, Mapping), f"notes must be a mapping, but are a {type(notes).__name__}."
    )
    try:
        json.dumps(dict(notes))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"notes must be what JSON can hold, but {error}.") from None
