"""Functionals that a user gives: what may be recorded, under which names, compiled how often."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.core.registry import to_spec
from relaxon.runs.solution import Solution
from relaxon.stepping.stepper import Stepper

Functional = Callable[[Any, Any, Any], Any]

TRACED = (
    jax.errors.TracerArrayConversionError,
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)
"""What jax raises for code that wants the numbers behind an array."""


@dataclasses.dataclass(frozen=True, eq=False)
class Lowered:
    """A function together with what it compiles to.

    jax knows a function by identity, so that each new lambda with the same text compiles a whole
    record again. This one is equal to all that compile to the same code.

    Attributes:
        function: The function.
        code: Fingerprint of its code, with all constants that it holds.
        of_fields: Whether it takes all fields by name instead of f.
    """

    function: Functional
    code: str
    of_fields: bool

    def __call__(self, t: Any, f: Any, grid: Any) -> Any:
        """What the function gives."""
        return self.function(t, f, grid)

    def __hash__(self) -> int:
        return hash(self.code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lowered) and other.code == self.code


def checked(functionals: Any) -> Mapping[str, Functional]:
    """Functionals by name, or an `InputError`."""
    require(
        isinstance(functionals, Mapping),
        "functionals must be a mapping from names to functions (t, f, grid), "
        f"but is a {type(functionals).__name__}.",
    )
    for name, functional in functionals.items():
        require(
            isinstance(name, str) and name.isidentifier(),
            f"The name of a functional must be text such as 'tail_mass', but is {name!r}.",
        )
        require(
            callable(functional) and not isinstance(functional, type),
            f"Functional {name!r} must be a function (t, f, grid), but is {functional!r}.",
        )
    return functionals


def prepared(
    functionals: Mapping[str, Functional],
    stepper: Stepper,
    grid: Any,
    state: Any,
    resumed: bool = False,
) -> dict[str, Functional]:
    """Functionals as a run records them.

    A run on disk may be of a version that recorded less by itself: a functional of it keeps the
    name of a diagnostic, and is recorded in its place, as it was before.

    Raises:
        InputError: One cannot be traced, gives no real numbers, or takes the name of something
            that is recorded already.
    """
    if not functionals:
        return {}
    fields = eqx.filter_eval_shape(stepper.fields, state)
    own = set() if resumed else set(eqx.filter_eval_shape(stepper.diagnostics, state))
    taken = {"time", "t", *fields, *grid.coordinates()}
    found = {}
    for name, functional in functionals.items():
        results = _shapes(name, functional, state.t, fields, grid)
        for key, value in results.items():
            require(
                key not in own | taken,
                f"A functional is called {key!r}, a name that is taken; "
                f"choose another one than {', '.join(sorted(own | taken))}.",
            )
            require(
                value.dtype.kind in "biuf",
                f"Functional {key!r} must give real numbers, but gives {value.dtype}.",
            )
        own |= set(results)
        found[name] = _lowered(functional, state.t, fields, grid)
    return found


def able(
    functionals: Mapping[str, Functional], stepper: Stepper, grid: Any, state: Any
) -> dict[str, Functional]:
    """Those functionals that can be recorded of a run on this grid."""
    found = {}
    for name, functional in functionals.items():
        with contextlib.suppress(InputError):
            prepared({name: functional}, stepper, grid, state, resumed=True)
            found[name] = functional
    return found


def values(
    name: str, functional: Functional, t: Any, fields: Mapping[str, Any], grid: Any
) -> Mapping[str, Any]:
    """The values of a functional by name: several if it gives a dictionary."""
    several = getattr(functional, "of_fields", False)
    value = functional(t, fields if several else fields["f"], grid)
    return value if isinstance(value, dict) else {name: value}


def specs(functionals: Mapping[str, Functional]) -> dict[str, Any]:
    """What a run directory keeps of functionals, to build them again.

    Raises:
        InputError: One is no instance of a storable class.
    """
    found = {}
    for name, functional in functionals.items():
        try:
            found[name] = to_spec(functional)
        except InputError:
            raise InputError(
                f"Functional {name!r} cannot be written to a run directory, because it is a "
                f"{type(functional).__name__}: make it an instance of a class with the decorator "
                "@rx.storable, or leave `out` away and save the solution at the end."
            ) from None
    return found


def partly(functionals: Mapping[str, Functional]) -> set[str]:
    """Names of quantities of which a functional says that they are not defined at all times."""
    return {key for f in functionals.values() for key in getattr(f, "partly_defined", ())}


def complaints(solution: Solution, excused: set[str]) -> list[str]:
    """A sentence for each recorded quantity that is not finite throughout."""
    found = []
    count = len(solution.t)
    for name, recorded in solution.diagnostics.items():
        bad = ~np.all(np.isfinite(np.reshape(recorded, (count, -1))), axis=1)
        if np.any(bad) and name not in excused:
            found.append(
                f"{name} is NaN or infinite at {np.sum(bad)} of {count} recorded times, first at "
                f"t = {solution.t[np.argmax(bad)]:.6g}."
            )
    return found


def _shapes(
    name: str, functional: Functional, t: Any, fields: Mapping[str, Any], grid: Any
) -> Mapping[str, Any]:
    """Shapes and types of what a functional gives, by name."""
    require(
        "f" in fields or getattr(functional, "of_fields", False),
        f"Functional {name!r} takes f, but this run has {', '.join(fields)}; give it the attribute "
        "of_fields = True, and it takes all fields by name.",
    )

    def arrays(*given: Any) -> Mapping[str, Any]:
        return {key: jnp.asarray(x) for key, x in values(name, functional, *given).items()}

    try:
        return eqx.filter_eval_shape(arrays, t, fields, grid)
    except TRACED as error:
        raise InputError(
            f"Functional {name!r} needs the numbers of an array while jax traces it; write it "
            "with jax.numpy instead of numpy, and jnp.where instead of if."
        ) from error
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"Functional {name!r} fails: {type(error).__name__}: {reason}.") from error


def _lowered(functional: Functional, t: Any, fields: Mapping[str, Any], grid: Any) -> Functional:
    """The functional, known by its code where it has no value of its own."""
    if isinstance(functional, eqx.Module):
        return functional
    shaped, rest = eqx.partition((t, fields, grid), _is_array)

    def called(arrays: Any) -> Mapping[str, Any]:
        return values("value", functional, *eqx.combine(arrays, rest))

    text = jax.jit(called).lower(shaped).as_text()
    several = bool(getattr(functional, "of_fields", False))
    return Lowered(functional, hashlib.sha256(text.encode()).hexdigest(), several)


def _is_array(x: Any) -> bool:
    return eqx.is_array(x) or isinstance(x, jax.ShapeDtypeStruct)
