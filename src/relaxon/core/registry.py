"""Objects that can be written as settings and built again: equations, grids, functionals.

    @storable                             a class whose instances can be stored in a run directory
    @storable("grid")                     the same, and a `type` of the table [grid] of a case
    @storable("potential", "gaussian")    the same under another name

The settings follow from the typed constructor: for every parameter the attribute of its name. What
a file may name is kept in `relaxon.core.entries`.
"""

from __future__ import annotations

import abc
import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from relaxon.core.catalogue import import_all
from relaxon.core.entries import Entry, enter
from relaxon.core.errors import InputError, unknown
from relaxon.core.numbers import plain

_CLASSES: dict[str, type] = {}
T = TypeVar("T", bound=type)

STORED = ("collisions", "distributions", "grids", "reaction", "screening")
"""Packages whose objects can be stored, and named in files."""


class Described(abc.ABC):
    """A storable object that does not follow from the arguments of its constructor."""

    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """What `from_settings` builds the object from, or an `InputError` if nothing does."""

    @classmethod
    def from_settings(cls, *_: Any, **settings: Any) -> Any:
        """The object that `settings` describes."""
        return cls(**settings)


@overload
def storable(table: T) -> T: ...
@overload
def storable(
    table: str, name: str = "", build: str = "", replaces: Mapping[str, str] | None = None
) -> Callable[[T], T]: ...
def storable(
    table: Any, name: str = "", build: str = "", replaces: Mapping[str, str] | None = None
) -> Any:
    """Class decorator: instances can be stored, and built from a table of a file.

    A stored run knows a class by its name alone, so that it outlives a move; hence names are
    unique.

    Args:
        table: The table of a file whose `type` may be this class; left out, no file names it.
        name: The type; the name of the class if left out.
        build: The classmethod that builds an instance from the keys of the table, where that is
            not the constructor. Its signature is the table: see `relaxon.core.entries`.
        replaces: Keys that, set from outside, stand in for another one of the file.
    """
    if isinstance(table, type):
        return _known(table)

    def decorate(cls: T) -> T:
        builder = getattr(cls, build) if build else cls
        enter(table, name or cls.__name__, Entry(builder, replaces or {}))
        return _known(cls)

    return decorate


def _known(cls: T) -> T:
    known = _CLASSES.setdefault(cls.__name__, cls)
    assert (known.__qualname__, known.__module__) == (cls.__qualname__, cls.__module__), (
        f"{cls} and {known} have one name."
    )
    _CLASSES[cls.__name__] = cls
    return cls


def classes() -> dict[str, type]:
    """All storable classes by name."""
    discover()
    return dict(sorted(_CLASSES.items()))


def settings(value: Any) -> dict[str, Any]:
    """The arguments that build a storable object again.

    Arrays are lists and scalars Python numbers; None and infinite values that are the default
    are left out; storable objects stay what they are.
    """
    if isinstance(value, Described):
        return value.settings()
    found = {}
    for name, parameter in inspect.signature(type(value)).parameters.items():
        item = plain(getattr(value, name))
        absent = item is None or (isinstance(item, float) and math.isinf(item))
        if not (absent and item == parameter.default):
            found[name] = item
    return found


def to_spec(value: Any) -> Any:
    """A JSON value that `from_spec` builds `value` from.

    Raises:
        InputError: An object of a class that is not storable (a lambda, say).
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [to_spec(item) for item in value]
    name = type(value).__name__
    if _CLASSES.get(name) is not type(value):
        raise InputError(
            f"{value!r} cannot be stored in a run directory; allowed: numbers, text, lists, and "
            f"objects of registered classes ({', '.join(sorted(_CLASSES))})."
        )
    return {"class": name, "settings": {k: to_spec(x) for k, x in settings(value).items()}}


def from_spec(spec: Any) -> Any:
    """Build what `to_spec` described."""
    if isinstance(spec, list):
        return [from_spec(item) for item in spec]
    if not isinstance(spec, dict):
        return spec
    name = str(spec.get("class"))
    if name not in _CLASSES:
        discover()  # a run is resumed in a process that may not have used the class yet
    if name not in _CLASSES:
        raise unknown("class", name, _CLASSES)
    found: Any = _CLASSES[name]
    build = found.from_settings if issubclass(found, Described) else found
    return build(**{key: from_spec(item) for key, item in spec["settings"].items()})


@functools.cache
def discover() -> None:
    """Import every module that may hold something storable, in the order of their names."""
    for package in STORED:
        import_all(f"relaxon.{package}")
