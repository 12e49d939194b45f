"""What a run returns: fields and diagnostics over time, and why it ended."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.core.invariants import INVARIANTS, scale_of
from relaxon.runs.error import ErrorEstimate
from relaxon.runs.files import create
from relaxon.runs.store import write_dataset
from relaxon.stepping.status import Status


class Source(Protocol):
    """What a solution came from."""

    def error(self, solution: Any) -> ErrorEstimate:
        """The error of the solution."""


@dataclasses.dataclass(frozen=True)
class Solution:
    """A solution over the recorded times.

    Attributes:
        t: Recorded times, shape (m,).
        fields: Distributions by name, each stacked over t: shape (m, *grid.shape); densities,
            such as `rho_f`, have the grid's leading axes only.
        diagnostics: Scalars by name, each of shape (m,); a functional that gives an array of shape
            s is recorded with shape (m, *s).
        status: Why the run ended; `ok` is True for `Status.DONE` only.
        coordinates: The grid's axes by name.
        provenance: Versions, settings, device, wall time.
        origin: What the solution came from, so that `error` can solve it again; None for a saved
            copy.
    """

    t: np.ndarray
    fields: Mapping[str, np.ndarray]
    diagnostics: Mapping[str, np.ndarray]
    status: Status
    coordinates: Mapping[str, np.ndarray]
    provenance: Mapping[str, Any]
    origin: Source | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def f(self) -> np.ndarray:
        """The distribution over time, shape (m, *grid.shape)."""
        require("f" in self.fields, f"f was not recorded, only {', '.join(self.fields)}.")
        return self.fields["f"]

    @property
    def ok(self) -> bool:
        """True if the run reached its end time."""
        return self.status.ok

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know of the numbers, a sentence each.

        Quantities that are NaN; on Cartesian grids a box too narrow for the equilibrium and a rate
        that the grid does not resolve; in the reaction model too few velocity nodes.
        """
        return tuple(self.provenance.get("warnings", ()))

    @functools.cached_property
    def error(self) -> ErrorEstimate:
        """The estimated error of every recorded quantity: `error["f"]`, `print(error)`.

        The first use solves the problem twice more, with smaller steps and on a finer grid;
        a run directory keeps the result. See `relaxon.runs.error` for the formula.

        Raises:
            InputError: The solution is a saved copy, which does not hold its problem.
        """
        if self.origin is None:
            raise InputError(
                "An error needs a solution of `solve` or `resume` or of a run directory, but this "
                "is a saved copy, which does not hold its problem."
            )
        return self.origin.error(self)

    def to_xarray(self) -> Any:
        """The solution as an `xarray.Dataset` with dimension `time`, provenance in its attributes.

        Scalars carry their names; a field whose name is taken by a scalar does not occur. Further
        axes of a functional `g` are its own: `g_0`, `g_1`, ...
        """
        return to_dataset(self)

    def save(self, path: str | pathlib.Path) -> None:
        """Write the solution to a new directory; `relaxon.open` reads it again.

        Raises:
            InputError: The path exists or cannot be written; nothing is left half-written.
        """
        path = pathlib.Path(path)
        seal = create(path, {"saved": True, "provenance": dict(self.provenance)}, {})
        try:
            write_dataset(path, to_dataset(self), seal)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise InputError(f"Cannot write to {path}: {error.strerror or error}.") from None

    def drift(self, name: str) -> float:
        """Largest change of a diagnostic from its first value, relative to its `scale`."""
        values = np.asarray(self.diagnostics[name], float)
        return float(np.max(np.abs(values - values[0])) / self.scale(name))

    def scale(self, name: str) -> float:
        """What changes of a diagnostic are relative to, see `relaxon.core.invariants`."""
        return scale_of(name, float(self.diagnostics[name][0]))

    def __str__(self) -> str:
        megabytes = sum(np.asarray(x).nbytes for x in self.fields.values()) / 1e6
        lines = [
            f"status     {self.status.name}: {self.status.advice}",
            f"time       0 to {self.t[-1]:.6g}, {len(self.t)} recorded, {megabytes:.1f} MB",
        ]
        if "steps" in self.provenance:
            p = self.provenance
            lines.append(
                f"steps      {p['steps']} accepted, {p['rejected']} rejected, "
                f"{p['wall_time']:.2f} s"
            )
        for name in INVARIANTS:
            if name in self.diagnostics:
                lines.append(f"{name:<10} drift {self.drift(name):.1e}")
        lines += [f"warning    {sentence}" for sentence in self.warnings]
        return "\n".join(lines)


def to_dataset(solution: Solution) -> Any:
    """A solution as an xarray dataset."""
    import xarray

    axes = tuple(solution.coordinates)

    def dims(values: np.ndarray) -> tuple[str, ...]:
        # Axes of positions come before those of velocities, so a density has the leading ones.
        return ("time", *axes[: values.ndim - 1])

    def own(name: str, values: np.ndarray) -> tuple[str, ...]:
        return ("time", *(f"{name}_{k}" for k in range(np.ndim(values) - 1)))

    variables: dict[str, Any] = {n: (own(n, x), x) for n, x in solution.diagnostics.items()}
    variables.update({n: (dims(x), x) for n, x in solution.fields.items()})
    attributes = {
        "status": solution.status.name,
        "fields": json.dumps(list(solution.fields)),
        "provenance": json.dumps(dict(solution.provenance)),
        "digest": digest(solution),
    }
    coordinates = {"time": solution.t, **solution.coordinates}
    return xarray.Dataset(variables, coordinates, attributes)


def from_dataset(dataset: Any) -> Solution:
    """The solution that `to_dataset` wrote."""
    names = json.loads(dataset.attrs["fields"])
    fields = {name: dataset[name].values for name in names}
    scalars = {str(n): v.values for n, v in dataset.data_vars.items() if n not in names}
    axes = {str(n): c.values for n, c in dataset.coords.items() if n != "time"}
    solution = Solution(
        dataset.coords["time"].values,
        fields,
        scalars,
        Status[dataset.attrs["status"]],
        axes,
        json.loads(dataset.attrs["provenance"]),
    )
    # Zarr reads a missing chunk as its fill value, without a word.
    if digest(solution) != dataset.attrs["digest"]:
        raise ValueError("its values are not those that were written")
    return solution


def digest(solution: Solution) -> str:
    """A fingerprint of all values of a solution."""
    found = hashlib.sha256()
    arrays = {"t": solution.t, **solution.fields, **solution.diagnostics, **solution.coordinates}
    for name in sorted(arrays):
        values = np.asarray(arrays[name], float)
        values = np.where(np.isnan(values), np.nan, values)  # one NaN of the many
        found.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()
