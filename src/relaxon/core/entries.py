"""What the tables of a file may name: for each `type` a function whose signature is the table.

A parameter is a key of the table where a file can hold a value of its type: numbers, text, true
and false, lists, tables. All others are given by the rest of the file, by name:

    [equation]     potential, the interaction of the table [potential], or None without one
    [potential]    d, the dimension of the grid
    [grid]         equation; width, the smallest velocity scale of the datum
    [initial]      grid, equation
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def no_width() -> float:
    """The width of data that have no scale of velocity of their own."""
    return 1.0


@dataclasses.dataclass(frozen=True)
class Entry:
    """What a `type` in a table of a file stands for.

    Attributes:
        build: Builds the object; its parameters are the keys and what the file's rest gives.
        replaces: Keys that, set from outside, stand in for another one of the file.
        width: Of data: the smallest velocity scale, a function of (some of) the keys.
    """

    build: Callable[..., Any]
    replaces: Mapping[str, str] = dataclasses.field(default_factory=dict)
    width: Callable[..., float] = no_width


_TABLES: dict[str, dict[str, Entry]] = {
    "equation": {},
    "potential": {},
    "grid": {},
    "initial": {},
}
_RECORDS: dict[Callable[..., Any], list[Callable[..., dict[str, Any]]]] = {}


def enter(table: str, name: str, entry: Entry) -> None:
    """Let files name `entry` as the type `name` of a table."""
    known = _TABLES[table].setdefault(name, entry)
    same = (known.build.__module__, known.build.__qualname__) == (
        entry.build.__module__,
        entry.build.__qualname__,
    )
    assert same, f"{known.build} and {entry.build} are one type of [{table}]: {name}."
    _TABLES[table][name] = entry


def entries(table: str) -> dict[str, Entry]:
    """What the types of a table stand for, among the modules that are imported so far."""
    return dict(sorted(_TABLES[table].items()))


def datum(name: str, width: Callable[..., float] = no_width) -> Callable[[F], F]:
    """Decorator of a function that makes initial data on a grid: the type `name` of [initial].

    Args:
        name: The type.
        width: The smallest velocity scale of the datum, a function of (some of) its keys.
    """

    def decorate(function: F) -> F:
        enter("initial", name, Entry(function, width=width))
        return function

    return decorate


def records(of: Callable[..., Any]) -> Callable[[F], F]:
    """Decorator of a function that names functionals to record of runs of `of`.

    The function returns them by name. Its parameters are given by name: `equation`, `grid`, and the
    keys of the datum.

    Args:
        of: The class of an equation, or the function of a datum.
    """

    def decorate(function: F) -> F:
        _RECORDS.setdefault(of, []).append(function)
        return function

    return decorate


def recorded(of: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The functionals to record of runs of `of`."""
    found: dict[str, Any] = {}
    for function in _RECORDS.get(of, []):
        found.update(supplied(function, given))
    return found


def supplied(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Call a function with those of the given values that it has parameters for."""
    parameters = inspect.signature(function).parameters
    return function(**{name: given[name] for name in parameters if name in given})
