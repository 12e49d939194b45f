"""Configuration files: TOML in, checked tables out.

A file has the tables [equation], [grid] and [initial], each with a `type`, [run] and [record], and
[potential], with a `type`, where the equation is that of an interaction. What a type stands for is
entered where it is defined (`relaxon.core.entries`), and its table is the signature of what builds
it: names, types and defaults are written once. Numerics never sees any of this.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import pathlib
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from relaxon.core.entries import Entry, entries, supplied
from relaxon.core.errors import InputError, require, unknown
from relaxon.core.numbers import plain
from relaxon.core.registry import discover

STRICT = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)
"""Numbers must be numbers, unknown keys are refused."""

AUTO = "auto"
AUTOMATIC = ("n", "nodes", "v_max")
"""Keys of [grid] that may be "auto"."""

ACCURACY = 1e-3
"""The accuracy of automatic settings, if a file has none."""

GIVEN = {"potential": ("d",), "grid": ("width",)}
"""Parameters that the rest of the file gives, though a file could hold them."""


class RunSection(pydantic.BaseModel):
    """How far and how accurately to run.

    `accuracy` is the relative error that automatic settings of the grid are chosen for.
    """

    model_config = STRICT

    t_end: float
    rtol: float = 1e-6
    accuracy: float | None = None


class RecordSection(pydantic.BaseModel):
    """What to keep: so many times spaced by logarithm from `first`, or a list of times.

    With `towards_end` the times crowd towards the end of the run, which a first run finds: for
    solutions that blow up before t_end. Both go with a number of times; a list stands as it is.
    `fields` names the fields to keep, all if left out.
    """

    model_config = STRICT

    times: int | list[float] = 41
    first: float | None = None
    towards_end: bool = False
    fields: list[str] | None = None


class Rescaling(pydantic.BaseModel):
    """What every table [potential] may hold: V(x) becomes delta^-exponent V(x/delta).

    Source: duerinckx2023 (1.12); the default delta = 1 leaves the potential as it is.
    """

    model_config = STRICT

    delta: float = 1.0
    exponent: float = 0.0


LARGEST = 10**7
"""Bytes of a configuration file; a device such as /dev/zero has no end."""

DEEP = re.compile(rb"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){100}")
"""A dotted key of so many parts takes the square of their number in memory."""

BASES: dict[str, type[pydantic.BaseModel]] = {"potential": Rescaling}
TYPED = ("equation", "potential", "grid", "initial")
PLAIN: dict[str, type[pydantic.BaseModel]] = {"run": RunSection, "record": RecordSection}
TEXT = ("description", "source")


@dataclasses.dataclass(frozen=True)
class Table:
    """A checked table of a file that has a type.

    Attributes:
        type: Its type.
        entry: What the type stands for.
        values: Its keys, defaults included.
    """

    type: str
    entry: Entry
    values: Mapping[str, Any]

    def build(self, **given: Any) -> Any:
        """The object, from the keys and from what the rest of the file gives."""
        return supplied(self.entry.build, {**given, **self.values})

    @property
    def given(self) -> dict[str, inspect.Parameter]:
        """The parameters of what builds it that are no keys, by name."""
        parameters = inspect.signature(self.entry.build).parameters
        return {name: x for name, x in parameters.items() if name not in self.values}

    def width(self) -> float:
        """The smallest velocity scale of a datum.

        Raises:
            InputError: The keys describe no datum.
        """
        return supplied(self.entry.width, self.values)


@dataclasses.dataclass(frozen=True)
class Config:
    """A checked configuration.

    Attributes:
        description: One line.
        source: Key of the paper that the case belongs to, such as "gualdani2025".
        equation: What is solved.
        potential: The interaction; None in a file without the table.
        grid: On what.
        initial: From what.
        run: How far, how accurately.
        record: What is kept.
        automatic: Keys of [grid] that are "auto"; the values of the table are their defaults.
    """

    description: str
    source: str
    equation: Table
    potential: Table | None
    grid: Table
    initial: Table
    run: RunSection
    record: RecordSection
    automatic: tuple[str, ...]

    def settings(self) -> dict[str, Any]:
        """All settings as they would stand in a file, defaults included."""
        found: dict[str, Any] = {"description": self.description, "source": self.source}
        for name in TYPED:
            table = getattr(self, name)
            if table is not None:
                held = {key: value for key, value in table.values.items() if value is not None}
                found[name] = {"type": table.type, **held}
        for name in PLAIN:
            found[name] = getattr(self, name).model_dump(exclude_none=True)
        found["grid"] |= dict.fromkeys(self.automatic, AUTO)
        return found


def held(hint: Any) -> Any:
    """The part of a type that a file can hold, None if there is none."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in (bool, int, float, str):
        return hint
    if origin is typing.Annotated:
        return held(hint.__metadata__[0])
    if origin is list:
        return None if held(arguments[0]) is None else hint
    if origin in (dict, Mapping):
        return dict[str, Any]
    if origin in (typing.Union, types.UnionType):
        parts = [part for part in map(held, arguments) if part is not None]
        optional = [None] if type(None) in arguments else []
        return typing.Union[tuple(parts + optional)] if parts else None  # noqa: UP007
    return None


@functools.cache
def section(table: str, kind: str) -> type[pydantic.BaseModel]:
    """The model of a table of a type, from the signature of what builds it."""
    build: Any = entries(table)[kind].build
    hints = typing.get_type_hints(build, include_extras=True)
    if inspect.isclass(build):
        # The fields of a class, and what its constructor says more precisely than Any.
        inside = typing.get_type_hints(vars(build)["__init__"], include_extras=True)
        hints |= {name: hint for name, hint in inside.items() if hint is not Any}
    keys: dict[str, Any] = {}
    for name, parameter in inspect.signature(build).parameters.items():
        kept = None if name in GIVEN.get(table, ()) else held(hints.get(name))
        if kept is not None:
            required = parameter.default is parameter.empty
            keys[name] = (kept, ... if required else parameter.default)
    base = BASES.get(table)
    if base is None:
        return pydantic.create_model(kind, __config__=STRICT, **keys)
    return pydantic.create_model(kind, __base__=base, **keys)


def read(path: pathlib.Path) -> dict[str, Any]:
    """The tables of a TOML file, not checked yet.

    Raises:
        InputError: No such file, or not TOML.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = error.strerror if isinstance(error, OSError) else None
        raise InputError(f"Cannot read {path}: {reason or error}.") from None
    require(
        len(data) <= LARGEST,
        f"{path} is longer than a configuration, which has at most {LARGEST // 10**6} MB.",
    )
    deep = f"{path} is nested too deeply for a configuration."
    require(not DEEP.search(data), deep)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError:
        raise InputError(deep) from None
    except ValueError as error:  # bad TOML, bad UTF-8, an integer of thousands of digits
        raise InputError(f"{path} is not valid TOML: {error}.") from None


def parse(tables: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> Config:
    """Check the tables of a configuration.

    Args:
        tables: As read from TOML.
        settings: Changes by key: `delta`, or `initial.delta` with its table. A plain key changes
            every table that has it.

    Returns:
        The configuration.

    Raises:
        InputError: An unknown table, type or key (the nearest right one is named), a missing or a
            non-numeric value.
    """
    discover()
    names = [*TYPED, *PLAIN, *TEXT]
    for name in tables:
        if name not in names:
            raise unknown("table", name, names)
    sections = {name: _section(tables, name) for name in (*TYPED, *PLAIN)}
    kinds = {name: _kind(name, sections[name]) for name in TYPED}
    typed = {name: kind for name, kind in kinds.items() if kind is not None}
    models = {name: section(name, kind) for name, kind in typed.items()} | PLAIN
    changes = [
        (place, plain(value))
        for key, value in (settings or {}).items()
        for place in _places(key, models)
    ]
    for (name, inner), _ in changes:
        replaced = entries(name)[typed[name]].replaces.get(inner) if name in typed else None
        sections[name] = {k: v for k, v in sections[name].items() if k != replaced}
    for (name, inner), value in changes:
        sections[name] = {**sections[name], inner: value}
    automatic = tuple(
        key
        for key in AUTOMATIC
        if key in models["grid"].model_fields and sections["grid"].get(key) == AUTO
    )
    sections["grid"] = {k: v for k, v in sections["grid"].items() if k not in automatic}
    checked = {name: _checked(name, model, sections[name]) for name, model in models.items()}
    found: dict[str, Any] = {name: checked[name] for name in PLAIN} | {"potential": None}
    found |= {"run": _accurate(checked["run"], automatic), "automatic": automatic}
    for name, kind in typed.items():
        found[name] = Table(kind, entries(name)[kind], dict(checked[name]))
    found |= {key: str(tables.get(key, "")) for key in TEXT}
    return Config(**found)


def parse_value(text: str) -> Any:
    """The value of `--set key=text`: a number, true or false, a list, or else the text itself."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """The settings of `--set key=value ...`.

    Raises:
        InputError: A pair without `=`.
    """
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        require(bool(equals and key), f"--set needs key=value, but got {pair!r}.")
        found[key.strip()] = parse_value(value.strip())
    return found


def _section(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = tables.get(name, {})
    require(isinstance(found, Mapping), f"[{name}] must be a table, but is {found!r}.")
    return dict(found)


def _kind(name: str, found: dict[str, Any]) -> str | None:
    """The type of a table, which is taken out; None for no interaction."""
    allowed = entries(name)
    if name == "potential" and found in ({}, {"type": "none"}):
        found.clear()
        return None
    kind = found.pop("type", None)
    require(kind is not None, f"[{name}] needs a type; allowed: {', '.join(allowed)}.")
    if not isinstance(kind, str) or kind not in allowed:
        raise unknown(f"{name} type", str(kind), allowed)
    return kind


def _places(key: str, models: Mapping[str, type[pydantic.BaseModel]]) -> Iterator[tuple[str, str]]:
    table, dot, inner = key.rpartition(".")
    if dot:
        if table not in models:
            raise unknown("table", table, models)
        if inner not in models[table].model_fields:
            raise unknown(f"key in [{table}]", inner, models[table].model_fields)
        yield table, inner
        return
    found = [name for name, model in models.items() if key in model.model_fields]
    if not found:
        raise unknown("setting", key, {k for model in models.values() for k in model.model_fields})
    yield from ((name, key) for name in found)


def _accurate(run: RunSection, automatic: tuple[str, ...]) -> RunSection:
    """The table [run] with an accuracy if there are automatic settings, and without one if not."""
    if not automatic:
        names = f"{', '.join(AUTOMATIC[:-1])} or {AUTOMATIC[-1]}"
        require(
            run.accuracy is None,
            f'accuracy is for automatic settings: it needs {names} = "{AUTO}" in [grid].',
        )
        return run
    wanted = ACCURACY if run.accuracy is None else run.accuracy
    require(1e-10 < wanted <= 0.1, f"accuracy must lie in (1e-10, 0.1], but is {wanted!r}.")
    return run.model_copy(update={"accuracy": wanted})


def _checked(name: str, model: type[pydantic.BaseModel], values: dict[str, Any]) -> Any:
    try:
        return model(**values)
    except pydantic.ValidationError as error:
        raise _sentence(name, model, error.errors()[0]) from None


_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
}


def _sentence(name: str, model: type[pydantic.BaseModel], error: Any) -> InputError:
    """One sentence for what pydantic found."""
    key = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return unknown(f"key in [{name}]", key, model.model_fields)
    if error["type"] == "missing":
        return InputError(f"[{name}] needs a value for {key}.")
    wanted = _KINDS.get(error["type"], "")
    if key == "times":
        wanted = "a whole number or a list of numbers"
    if wanted:
        inside = len(error["loc"]) > 1 and isinstance(error["loc"][1], int)
        where = "Every entry of " if inside and key != "times" else ""
        allowed = f"; {AUTO!r} may be {', '.join(AUTOMATIC)} of [grid]"
        hint = allowed if error["input"] == AUTO else ""
        return InputError(f"{where}{key} must be {wanted}, but is {error['input']!r}{hint}.")
    return InputError(f"{key}: {error['msg']}; got {error['input']!r}.")
