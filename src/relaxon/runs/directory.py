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

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from relaxon.runs.files import damaged, read_arrays, read_settings, upgraded, write_arrays
from relaxon.runs.solution import Solution, from_dataset
from relaxon.stepping.status import Status


class StorageError(OSError):
    """A run could not be written any further; what was computed is in `solution`."""

    def __init__(self, sentence: str, solution: Solution | None = None):
        super().__init__(sentence)
        self.solution = solution


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
    with damaged(path):
        values = [arrays[f"leaf{k}"] for k in range(len(leaves))]
        for value, leaf in zip(values, leaves):
            if value.shape != leaf.shape or value.dtype != leaf.dtype:
                raise ValueError("the checkpoint does not fit the problem")
        state = jax.tree.unflatten(structure, [jax.numpy.asarray(v) for v in values])
        return state, int(arrays["index"]), float(arrays["wall_time"])


def read_records(
    path: pathlib.Path, count: int, settings: Mapping[str, Any]
) -> list[dict[str, np.ndarray]]:
    """The first `count` records of the run with these settings."""
    files = [path / "records" / f"{index:06d}.npz" for index in range(count)]
    return [upgraded(read_arrays(file), settings) for file in files]


def open_run(path: str | pathlib.Path) -> Solution:
    """Read a run directory: a finished run, or what an unfinished one has recorded so far.

    Raises:
        InputError: No such directory, or a damaged one.
    """
    path = pathlib.Path(path)
    settings = read_settings(path)
    if (path / "solution.zarr").is_dir():
        with damaged(path):
            import xarray

            with xarray.open_zarr(path / "solution.zarr", consolidated=False) as dataset:
                found = from_dataset(dataset.load())
        return dataclasses.replace(found, diagnostics=upgraded(dict(found.diagnostics), settings))
    return from_records(path, settings, Status.INTERRUPTED)


def from_records(path: pathlib.Path, settings: Mapping[str, Any], status: Status) -> Solution:
    """Assemble the solution of a run from its records."""
    with damaged(path):
        count = len(list((path / "records").glob("*.npz")))
        if not count:
            raise ValueError("no time has been recorded")
    records = read_records(path, count, settings)
    with damaged(path):
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
