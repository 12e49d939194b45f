"""Configuration files: TOML in, the same objects that a script builds out.

A file has the tables [equation], [grid] and [initial], each with a `type`, [run] and [record], and
[potential], with a `type`, where the equation is that of an interaction.
What a table may hold is a pydantic model; the models of a table are listed by type name in
`EQUATIONS`, `GRIDS` and `INITIALS`, which further equations extend. Settings that are left out
take the default of the object they are for. Numerics never sees any of this.
"""

from __future__ import annotations

import math
import pathlib
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pydantic

from relaxon.core.errors import InputError, require, unknown

CELL = 0.05
"""Width of a cell in the mapped coordinate of a radial grid if `n` is not set; at delta = 1e-6 the
norm of F - M at t = 1/2 then has a relative error of 2e-6."""


class Section(pydantic.BaseModel):
    """One table of a configuration file; numbers must be numbers, unknown keys are refused."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)
    replaces: ClassVar[Mapping[str, str]] = {}
    """Settings that, given from outside, stand in for another one of the file."""


class EquationSection(Section):
    """A table [equation]."""

    def build(self) -> Any:
        """The equation."""
        raise NotImplementedError

    def functionals(self, equation: Any, grid: Any) -> dict[str, Any]:
        """What else to record of a run of the equation on the grid."""
        return {}

    def build_with(self, potential: Any) -> Any:
        """The equation for a potential, where the file has a table [potential].

        Raises:
            InputError: The equation has no potential.
        """
        raise InputError("This equation has no potential; leave the table [potential] out.")


class PotentialSection(Section):
    """What stands for a table [potential] in a file without one."""

    def build(self, d: int) -> Any:
        """The potential in dimension d; None without a table."""
        return None


class InteractionSection(PotentialSection):
    """A table [potential]: a potential of the grid's dimension, rescaled (duerinckx2023 (1.12)).

    V(x) becomes delta^-exponent V(x/delta); the default delta = 1 leaves it as it is.
    """

    delta: float = 1.0
    exponent: float = 0.0

    def build(self, d: int) -> Any:
        """The potential in dimension d."""
        potential = self.unscaled(d)
        return potential if self.delta == 1.0 else potential.rescaled(self.delta, self.exponent)

    def unscaled(self, d: int) -> Any:
        """The potential before it is rescaled."""
        raise NotImplementedError


class InitialSection(Section):
    """A table [initial]."""

    def width(self) -> float:
        """The smallest velocity scale of the datum.

        Raises:
            InputError: The settings describe no datum.
        """
        raise NotImplementedError

    def build(self, grid: Any, equation: Any) -> Any:
        """The initial distribution on the grid."""
        raise NotImplementedError

    def functionals(self) -> dict[str, Any]:
        """What else to record of a run that starts here."""
        return {}


class GridSection(Section):
    """A table [grid]."""

    def build(self, width: float) -> Any:
        """The grid; what is not set follows from the smallest scale of the initial datum."""
        raise NotImplementedError

    def build_for(self, equation: Any, width: float) -> Any:
        """The grid for an equation; most grids know nothing of it."""
        return self.build(width)


class LandauSection(EquationSection):
    """The Landau equation; see `relaxon.Landau`."""

    gamma: float = -3.0
    strength: float | None = None
    reaction: float = 0.0

    def build(self) -> Any:
        """The equation."""
        from relaxon.collisions.landau import STRENGTH, Landau

        strength = STRENGTH if self.strength is None else self.strength
        return Landau(gamma=self.gamma, strength=strength, reaction=self.reaction)

    def build_with(self, potential: Any) -> Any:
        """Landau with the prefactor L of the potential (duerinckx2023 (1.7)), not screened."""
        from relaxon.collisions.landau import Landau

        require(self.strength is None, "Landau takes a strength or a table [potential], not both.")
        strength = float(potential.landau_prefactor())
        return Landau(gamma=self.gamma, strength=strength, reaction=self.reaction)


class LenardBalescuSection(EquationSection):
    """The Lenard-Balescu equation; see `relaxon.LenardBalescu`."""

    def build(self) -> Any:
        """Refuses: there is no equation without a potential."""
        kinds = ", ".join(sorted(set(POTENTIALS) - {"none"}))
        raise InputError(f"LenardBalescu needs a table [potential] with a type; allowed: {kinds}.")

    def build_with(self, potential: Any) -> Any:
        """The equation."""
        from relaxon.collisions.lenard_balescu import LenardBalescu

        return LenardBalescu(potential)


class GaussianSection(InteractionSection):
    """V(x) = amplitude exp(-|x|^2/(2 length^2)); see `relaxon.potentials.Gaussian`."""

    amplitude: float = 1.0
    length: float = 1.0

    def unscaled(self, d: int) -> Any:
        """The potential."""
        from relaxon.screening.potentials import Gaussian

        return Gaussian(d, self.amplitude, self.length)


class YukawaSection(InteractionSection):
    """A screened Coulomb potential; see `relaxon.potentials.Yukawa`."""

    amplitude: float
    screening_length: float
    k_max: float = math.inf
    k_min: float = 0.0

    def unscaled(self, d: int) -> Any:
        """The potential."""
        from relaxon.screening.potentials import Yukawa

        return Yukawa(d, self.amplitude, self.screening_length, self.k_max, self.k_min)


class CoulombSection(InteractionSection):
    """A cut-off Coulomb potential; see `relaxon.potentials.Coulomb`."""

    k_max: float
    amplitude: float = 1.0
    k_min: float = 0.0

    def unscaled(self, d: int) -> Any:
        """The potential."""
        from relaxon.screening.potentials import Coulomb

        return Coulomb(d, self.k_max, self.amplitude, self.k_min)


class TwoScaleSection(EquationSection):
    """The two-scale system; see `relaxon.TwoScale`."""

    delta: float
    alpha: float

    def build(self) -> Any:
        """The equation."""
        from relaxon.collisions.two_scale.equation import TwoScale

        return TwoScale(self.delta, self.alpha)


class RadialGridSection(GridSection):
    """A radial grid; see `relaxon.RadialGrid`."""

    d: int = 3
    n: int | None = None
    r_max: float = 12.0
    r_min: float | None = None

    def build(self, width: float) -> Any:
        """The grid; r_min defaults to `width`, n to cells of width `CELL`."""
        from relaxon.grids.radial import OUTER_STRETCH, RadialGrid

        r_min = width if self.r_min is None else self.r_min
        n = self.n
        if n is None:
            usable = r_min > 0 and self.r_max > 0 and math.isfinite(r_min + self.r_max)
            span = math.asinh(self.r_max / r_min) + OUTER_STRETCH if usable else 1.0
            n = max(16, math.ceil(span / CELL))
        return RadialGrid(d=self.d, n=n, r_max=self.r_max, r_min=r_min)


class BlowdownSection(InitialSection):
    """M + delta^alpha M_delta (gualdani2025 (1.2))."""

    delta: float
    alpha: float

    def width(self) -> float:
        """sqrt(delta)."""
        from relaxon.distributions.hot_spot import check_blowdown

        check_blowdown(self.delta, self.alpha)
        return math.sqrt(self.delta)

    def build(self, grid: Any, equation: Any) -> Any:
        """The initial distribution on the grid."""
        from relaxon.distributions.hot_spot import blowdown

        return blowdown(grid, self.delta, self.alpha)

    def functionals(self) -> dict[str, Any]:
        """The norms of gualdani2025, Theorem 1.1."""
        from relaxon.collisions.two_scale.norms import BlowdownNorms

        return {"blowdown": BlowdownNorms(self.delta, self.alpha)}


class MixtureSection(InitialSection):
    """A sum of centred isotropic Gaussians."""

    weights: list[float]
    temperatures: list[float]

    def width(self) -> float:
        """The square root of the lowest temperature."""
        require(
            len(self.weights) == len(self.temperatures) > 0,
            "A mixture needs as many temperatures as weights, at least one, but got "
            f"{len(self.weights)} weights and {len(self.temperatures)} temperatures.",
        )
        require(
            all(math.isfinite(t) and t > 0 for t in self.temperatures),
            f"The temperatures of a mixture must be positive, but are {self.temperatures}.",
        )
        return math.sqrt(min(self.temperatures))

    def build(self, grid: Any, equation: Any) -> Any:
        """The initial distribution on the grid."""
        from relaxon.distributions.gaussians import gaussian_mixture

        means = [[0.0] * grid.d] * len(self.weights)
        return gaussian_mixture(grid, self.weights, means, self.temperatures)


class RunSection(Section):
    """How far and how accurately to run."""

    t_end: float
    rtol: float = 1e-6


class RecordSection(Section):
    """What to keep: so many times spaced by logarithm from `first`, or a list of times.

    With `towards_end` the times crowd towards the end of the run, which a first run finds: for
    solutions that blow up before t_end. `fields` names the fields to keep, all if left out.
    """

    times: int | list[float] = 41
    first: float | None = None
    towards_end: bool = False
    fields: list[str] | None = None

    def build(self, functionals: Mapping[str, Any], notes: Mapping[str, Any]) -> Any:
        """The record."""
        from relaxon.runs.record import Record

        fields = None if self.fields is None else tuple(self.fields)
        when: dict[str, Any] = {"n": self.times, "first": self.first}
        if isinstance(self.times, list):
            when = {"times": self.times}
        return Record(**when, functionals=functionals, fields=fields, notes=notes)


EQUATIONS: dict[str, type[EquationSection]] = {
    "Landau": LandauSection,
    "TwoScale": TwoScaleSection,
    "LenardBalescu": LenardBalescuSection,
}
POTENTIALS: dict[str, type[PotentialSection]] = {
    "none": PotentialSection,
    "gaussian": GaussianSection,
    "yukawa": YukawaSection,
    "coulomb": CoulombSection,
}
GRIDS: dict[str, type[GridSection]] = {"RadialGrid": RadialGridSection}
INITIALS: dict[str, type[InitialSection]] = {
    "blowdown": BlowdownSection,
    "mixture": MixtureSection,
}

_TYPED: dict[str, Mapping[str, type[Section]]] = {
    "equation": EQUATIONS,
    "potential": POTENTIALS,
    "grid": GRIDS,
    "initial": INITIALS,
}
_PLAIN: dict[str, type[Section]] = {"run": RunSection, "record": RecordSection}
_TEXT = ("description", "source")


class Config(pydantic.BaseModel):
    """A checked configuration.

    Attributes:
        description: One line.
        source: Key of the paper that the case belongs to, such as "gualdani2025".
        equation: What is solved.
        potential: The interaction; of type "none" in a file without the table.
        grid: On what.
        initial: From what.
        run: How far, how accurately.
        record: What is kept.
        types: The `type` of each table that has one.
    """

    model_config = pydantic.ConfigDict(frozen=True)
    tables: ClassVar[tuple[str, ...]] = (*_TYPED, *_PLAIN)

    description: str
    source: str
    equation: pydantic.SerializeAsAny[EquationSection]
    potential: pydantic.SerializeAsAny[PotentialSection]
    grid: pydantic.SerializeAsAny[GridSection]
    initial: pydantic.SerializeAsAny[InitialSection]
    run: RunSection
    record: RecordSection
    types: dict[str, str]

    def settings(self) -> dict[str, Any]:
        """All settings as they would stand in a file, defaults included."""
        found: dict[str, Any] = {"description": self.description, "source": self.source}
        for table in self.tables:
            if self.types.get(table) == "none":
                continue
            values = getattr(self, table).model_dump(exclude_none=True)
            kind = {"type": self.types[table]} if table in self.types else {}
            found[table] = {**kind, **values}
        return found


def read(path: pathlib.Path) -> dict[str, Any]:
    """The tables of a TOML file, not checked yet.

    Raises:
        InputError: No such file, or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
    names = [*Config.tables, *_TEXT]
    for name in tables:
        if name not in names:
            raise unknown("table", name, names)
    sections = {name: _section(tables, name) for name in Config.tables}
    kinds = {name: _kind(name, sections[name]) for name in _TYPED}
    models = {name: _TYPED[name][kind] for name, kind in kinds.items()} | _PLAIN
    changes = [
        (place, value) for key, value in (settings or {}).items() for place in _places(key, models)
    ]
    for (name, inner), _ in changes:
        replaced = models[name].replaces.get(inner)
        sections[name] = {k: v for k, v in sections[name].items() if k != replaced}
    for (name, inner), value in changes:
        sections[name] = {**sections[name], inner: value}
    found = {name: _checked(name, models[name], sections[name]) for name in Config.tables}
    text = {key: str(tables.get(key, "")) for key in _TEXT}
    values: dict[str, Any] = {**text, **found, "types": kinds}
    return Config.model_construct(**values)


def parse_value(text: str) -> Any:
    """The value of `--set key=text`: a number, true or false, a list, or else the text itself."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
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
    section = tables.get(name, {})
    require(isinstance(section, Mapping), f"[{name}] must be a table, but is {section!r}.")
    return dict(section)


def _kind(name: str, section: dict[str, Any]) -> str:
    allowed = _TYPED[name]
    if name == "potential" and not section:
        return "none"
    kind = section.pop("type", None)
    require(kind is not None, f"[{name}] needs a type; allowed: {', '.join(sorted(allowed))}.")
    if kind not in allowed:
        raise unknown(f"{name} type", str(kind), allowed)
    return str(kind)


def _places(key: str, models: Mapping[str, type[Section]]) -> Iterator[tuple[str, str]]:
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


def _checked(name: str, model: type[Section], values: dict[str, Any]) -> Section:
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


def _sentence(name: str, model: type[Section], error: Any) -> InputError:
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
        return InputError(f"{where}{key} must be {wanted}, but is {error['input']!r}.")
    return InputError(f"{key}: {error['msg']}; got {error['input']!r}.")
