"""A solution as an xarray dataset and back, with a fingerprint of its values."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status


def to_dataset(solution: Solution) -> Any:
    """A solution as an xarray dataset."""
    import xarray

    axes = tuple(solution.coordinates)

    def dims(values: np.ndarray) -> tuple[str, ...]:
        # Axes of positions come before those of velocities, so a density has the leading ones.
        return ("time", *axes[: values.ndim - 1])

    variables: dict[str, Any] = {n: ("time", x) for n, x in solution.diagnostics.items()}
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
