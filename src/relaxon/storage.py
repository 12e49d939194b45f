"""Runs on disk: records and checkpoints while a run goes on, Zarr when it is done.

A run directory holds

    run.json             what is solved: settings of every object, recorded times, versions
    initial.npz          the initial distribution
    records/000012.npz   fields and diagnostics at one recorded time
    checkpoint.npz       the stepper's state after the last complete record or chunk of steps
    solution.zarr        the finished run as an xarray dataset

Every file appears whole or not at all: it is written under another name, flushed to the disk and
renamed. A killed run therefore leaves a directory from which `resume` goes on bit for bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import pathlib
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.solution import Solution
from relaxon.stepping.status import Status

FORMAT = 2
"""Format 1 had the module of a class in its spec, which is ignored."""

READABLE = (1, 2)


class StorageError(OSError):
    """A run could not be written any further; what was computed is in `solution`."""

    def __init__(self, sentence: str, solution: Solution | None = None):
        super().__init__(sentence)
        self.solution = solution


def create(path: pathlib.Path, settings: Mapping[str, Any], initial: Mapping[str, Any]) -> None:
    """Make a new run directory.

    Raises:
        InputError: The path exists, or cannot be written.
    """
    require(not path.exists(), f"{path} exists already; choose another directory or remove it.")
    partial = path.with_name(path.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "records").mkdir(parents=True)
        write_arrays(partial / "initial.npz", initial)
        write_json(partial / "run.json", {"format": FORMAT, **settings})
        os.rename(partial, path)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InputError(f"Cannot write to {path}: {error.strerror or error}.") from None


def write_record(path: pathlib.Path, index: int, arrays: Mapping[str, Any]) -> None:
    """Write the record at recorded time number `index`."""
    write_arrays(path / "records" / f"{index:06d}.npz", arrays)


def write_checkpoint(path: pathlib.Path, state: Any, index: int, wall_time: float) -> None:
    """Write the stepper's state; `index` recorded times are complete."""
    leaves = {f"leaf{k}": np.asarray(x) for k, x in enumerate(jax.tree.leaves(state))}
    extra = {"index": np.asarray(index), "wall_time": np.asarray(wall_time)}
    write_arrays(path / "checkpoint.npz", {**leaves, **extra})


def read_checkpoint(path: pathlib.Path, template: Any) -> tuple[Any, int, float]:
    """The state (in the structure of `template`), complete records, seconds spent so far."""
    arrays = read_arrays(path / "checkpoint.npz")
    leaves, structure = jax.tree.flatten(template)
    with _damaged(path):
        values = [arrays[f"leaf{k}"] for k in range(len(leaves))]
        for value, leaf in zip(values, leaves):
            if value.shape != leaf.shape or value.dtype != leaf.dtype:
                raise ValueError("the checkpoint does not fit the problem")
        state = jax.tree.unflatten(structure, [jax.numpy.asarray(v) for v in values])
        return state, int(arrays["index"]), float(arrays["wall_time"])


def read_settings(path: pathlib.Path) -> dict[str, Any]:
    """The settings in run.json."""
    require(path.is_dir(), f"{path} is not a run directory: there is no such directory.")
    require((path / "run.json").is_file(), f"{path} is not a run directory: run.json is missing.")
    with _damaged(path):
        settings = json.loads((path / "run.json").read_text())
        if settings["format"] not in READABLE:
            readable = " and ".join(map(str, READABLE))
            raise ValueError(f"format {settings['format']}, this version reads {readable}")
        return settings


def read_records(path: pathlib.Path, count: int) -> list[dict[str, np.ndarray]]:
    """The first `count` records."""
    return [read_arrays(path / "records" / f"{index:06d}.npz") for index in range(count)]


def finish(path: pathlib.Path, solution: Solution) -> None:
    """Write the Zarr store of a run that has ended, replacing an earlier one."""
    final, partial = path / "solution.zarr", path / "solution.partial"
    shutil.rmtree(partial, ignore_errors=True)
    to_dataset(solution).to_zarr(partial, mode="w", consolidated=False)
    old = path / "solution.old"
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        os.rename(final, old)
    os.rename(partial, final)
    shutil.rmtree(old, ignore_errors=True)


def save(solution: Solution, path: pathlib.Path) -> None:
    """Write a solution to a new directory; see `Solution.save`."""
    settings = {"saved": True, "provenance": dict(solution.provenance)}
    create(path, settings, {})
    try:
        finish(path, solution)
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise InputError(f"Cannot write to {path}: {error.strerror or error}.") from None


def open_run(path: str | pathlib.Path) -> Solution:
    """Read a run directory: a finished run, or what an unfinished one has recorded so far.

    Raises:
        InputError: No such directory, or a damaged one.
    """
    path = pathlib.Path(path)
    settings = read_settings(path)
    if (path / "solution.zarr").is_dir():
        with _damaged(path):
            import xarray

            with xarray.open_zarr(path / "solution.zarr", consolidated=False) as dataset:
                return from_dataset(dataset.load())
    return from_records(path, settings, Status.INTERRUPTED)


def from_records(path: pathlib.Path, settings: Mapping[str, Any], status: Status) -> Solution:
    """Assemble the solution of a run from its records."""
    with _damaged(path):
        count = len(list((path / "records").glob("*.npz")))
        if not count:
            raise ValueError("no time has been recorded")
    records = read_records(path, count)
    with _damaged(path):
        return stack(records, status, settings["coordinates"], settings["provenance"])


def stack(
    records: list[dict[str, np.ndarray]],
    status: Status,
    coordinates: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> Solution:
    """Stack records, whose keys are `t`, `field/NAME` and `scalar/NAME`, over time."""

    def gather(kind: str) -> dict[str, np.ndarray]:
        keys = [key for key in records[0] if key.startswith(kind)]
        return {key[len(kind) :]: np.stack([r[key] for r in records]) for key in keys}

    t = np.array([float(r["t"]) for r in records])
    axes = {name: np.asarray(values, float) for name, values in coordinates.items()}
    return Solution(t, gather("field/"), gather("scalar/"), status, axes, dict(provenance))


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


def write_arrays(path: pathlib.Path, arrays: Mapping[str, Any]) -> None:
    """Write an npz file whole or not at all."""
    with _whole(path, "wb") as stream:
        plain: dict[str, Any] = {key: np.asarray(value) for key, value in arrays.items()}
        np.savez(stream, **plain)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    with _whole(path, "w") as stream:
        json.dump(value, stream, indent=1)


def read_arrays(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Read an npz file; a damaged one is an `InputError`."""
    # Opened here: numpy leaves the file open when it is not a whole zip archive.
    with _damaged(path), open(path, "rb") as stream:
        with np.load(stream, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}


@contextlib.contextmanager
def _whole(path: pathlib.Path, mode: str) -> Iterator[Any]:
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, mode) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _damaged(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"The run directory is damaged at {path}: {reason}.") from None


def clean_json(value: Any) -> Any:
    """Numbers that JSON can hold: NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {key: clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
