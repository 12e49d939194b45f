"""Objects that can be written as settings and built again: equations, grids, functionals."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any, TypeVar

from relaxon.errors import InputError, unknown

_CLASSES: dict[str, type] = {}
T = TypeVar("T", bound=type)


def register(cls: T) -> T:
    """Class decorator: instances can be stored; the class needs a method `settings()`.

    `from_spec` calls the class with these settings, or its `from_settings` if it has one.
    """
    _CLASSES[cls.__name__] = cls
    return cls


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
    return {"class": name, "module": type(value).__module__, "settings": settings}


def from_spec(spec: Any) -> Any:
    """Build what `to_spec` described."""
    if isinstance(spec, list):
        return [from_spec(item) for item in spec]
    if not isinstance(spec, dict):
        return spec
    module = str(spec.get("module", ""))
    if spec.get("class") not in _CLASSES and module.startswith("relaxon."):
        # A run is resumed in a process that may not have used the class yet. Modules outside the
        # package are not imported on the word of a file.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    if spec.get("class") not in _CLASSES:
        raise unknown("class", str(spec.get("class")), _CLASSES)
    settings = {key: from_spec(item) for key, item in spec["settings"].items()}
    found = _CLASSES[spec["class"]]
    return getattr(found, "from_settings", found)(**settings)
