"""Objects that can be written as settings and built again: equations, grids, functionals."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, TypeVar

from relaxon.core.errors import InputError, unknown

_CLASSES: dict[str, type] = {}
T = TypeVar("T", bound=type)

STORED = ("grids", "screening", "distributions", "collisions", "reaction")
"""Packages whose objects can be stored."""


def register(cls: T) -> T:
    """Class decorator: instances can be stored; the class needs a method `settings()`.

    `from_spec` calls the class with these settings, or its `from_settings` if it has one. A stored
    run knows a class by its name alone, so that it outlives a move; hence names are unique.
    """
    known = _CLASSES.setdefault(cls.__name__, cls)
    assert known.__qualname__ == cls.__qualname__ and known.__module__ == cls.__module__, (
        f"{cls} and {known} have one name."
    )
    _CLASSES[cls.__name__] = cls
    return cls


def discover(package: str) -> None:
    """Import every module of a package, in the order of their names, so that all are entered."""
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        importlib.import_module(module.name)


def to_spec(value: Any) -> Any:
    """A JSON value that `from_spec` builds `value` from.

    Raises:
        InputError: An object of a class that is not registered (a lambda, say).
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [to_spec(item) for item in value]
    name = type(value).__name__
    known = _CLASSES.get(name) is type(value)
    if not known:
        raise InputError(
            f"{value!r} cannot be stored in a run directory; allowed: numbers, text, lists, and "
            f"objects of registered classes ({', '.join(sorted(_CLASSES))})."
        )
    settings = {key: to_spec(item) for key, item in value.settings().items()}
    return {"class": name, "settings": settings}


def from_spec(spec: Any) -> Any:
    """Build what `to_spec` described."""
    if isinstance(spec, list):
        return [from_spec(item) for item in spec]
    if not isinstance(spec, dict):
        return spec
    if spec.get("class") not in _CLASSES:
        # A run is resumed in a process that may not have used the class yet.
        for package in STORED:
            discover(f"relaxon.{package}")
    if spec.get("class") not in _CLASSES:
        raise unknown("class", str(spec.get("class")), _CLASSES)
    settings = {key: from_spec(item) for key, item in spec["settings"].items()}
    found = _CLASSES[spec["class"]]
    return getattr(found, "from_settings", found)(**settings)
