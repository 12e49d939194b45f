"""Runs on disk: records and checkpoints while a run goes on, Zarr when it is done.

A run directory holds

    run.json             what is solved: settings of every object, recorded times, versions
    initial.npz          the initial distribution
    records/000012.npz   fields and diagnostics at one recorded time
    checkpoint.npz       the stepper's state after the last complete record or chunk of steps
    solution.zarr        the finished run as an xarray dataset
    error.npz            what `Solution.error` is made from, once it was asked for
    lock                 empty; held by the process that writes

Every file appears whole or not at all: it is written under another name, flushed to the disk and
renamed. A killed run therefore leaves a directory from which `resume` goes on bit for bit. Every
file has a checksum (`relaxon.runs.seals`), which is compared whenever the file is read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.runs.files import (
    Damaged,
    damaged,
    read_arrays,
    read_settings,
    run_path,
    seal_of,
    upgraded,
    write_arrays,
    write_settings,
)
from relaxon.runs.seals import Seal
from relaxon.runs.solution import Solution, from_dataset
from relaxon.runs.store import STORE, drop_store, has_store, read_dataset
from relaxon.stepping.status import Status


class StorageError(OSError):
    """A run could not be written any further; what was computed is in `solution`."""

    def __init__(self, sentence: str, solution: Solution | None = None):
        super().__init__(sentence)
        self.solution = solution


def record_name(index: int) -> str:
    """The file of the record at recorded time number `index`."""
    return f"records/{index:06d}.npz"


def write_record(path: pathlib.Path, index: int, arrays: Mapping[str, Any], seal: Seal) -> None:
    """Write the record at recorded time number `index`."""
    write_arrays(path / record_name(index), arrays, seal, record_name(index))


def write_checkpoint(
    path: pathlib.Path, state: Any, index: int, wall_time: float, seal: Seal
) -> None:
    """Write the stepper's state; `index` recorded times are complete."""
    leaves = {f"leaf{k}": np.asarray(x) for k, x in enumerate(jax.tree.leaves(state))}
    extra = {"index": np.asarray(index), "wall_time": np.asarray(wall_time)}
    write_arrays(path / "checkpoint.npz", {**leaves, **extra}, seal, "checkpoint.npz")


def read_checkpoint(path: pathlib.Path, template: Any, seal: Seal) -> tuple[Any, int, float] | None:
    """The state (in the structure of `template`), complete records, seconds spent so far.

    None if the state of an earlier version had other parts: such a run is computed anew.
    """
    file = path / "checkpoint.npz"
    arrays, _ = read_arrays(file, seal, file.name)
    leaves, structure = jax.tree.flatten(template)
    with damaged(file):
        if sum(name.startswith("leaf") for name in arrays) != len(leaves):
            return None
        values = [arrays[f"leaf{k}"] for k in range(len(leaves))]
        for value, leaf in zip(values, leaves):
            if value.shape != leaf.shape or value.dtype != leaf.dtype:
                raise ValueError("the checkpoint does not fit the problem")
        state = jax.tree.unflatten(structure, [jax.numpy.asarray(v) for v in values])
        return state, int(arrays["index"]), float(arrays["wall_time"])


def complete_records(path: pathlib.Path, seal: Seal) -> int:
    """How many records the checkpoint of a run says are complete; 0 without a checkpoint."""
    file = path / "checkpoint.npz"
    if not os.path.lexists(file):
        return 0
    arrays, _ = read_arrays(file, seal, file.name)
    with damaged(file):
        return int(arrays["index"])


def record_count(path: pathlib.Path, complete: int) -> int:
    """How many records there must be: those complete, and what was written after them."""
    with damaged(path / "records"):
        names = [name for name in os.listdir(path / "records") if re.fullmatch(r"\d{6}\.npz", name)]
        return max([complete, *(int(name[:6]) + 1 for name in names)])


def read_record(
    path: pathlib.Path, index: int, settings: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """One record of the run with these settings."""
    name = record_name(index)
    arrays, sealed = read_arrays(path / name, seal_of(settings), name, path)
    return arrays if sealed else upgraded(arrays, settings)


def read_records(
    path: pathlib.Path, count: int, settings: Mapping[str, Any]
) -> list[dict[str, np.ndarray]]:
    """The first `count` records of the run with these settings."""
    return [read_record(path, index, settings) for index in range(count)]


def last_record(
    path: pathlib.Path, index: int, state: Any, settings: Mapping[str, Any]
) -> list[dict[str, np.ndarray]]:
    """The record of the state in which a run failed, if there is one."""
    if not (path / record_name(index)).exists():
        return []
    found = read_record(path, index, settings)
    return [found] if float(found["t"]) == float(state.t) else []


def open_run(path: str | pathlib.Path) -> Solution:
    """Read a run directory: a finished run, or what an unfinished one has recorded so far.

    The checksum of every file that is read is compared.

    Raises:
        InputError: No such directory, or a damaged one; the sentence names the file and says what
            is left.
    """
    path = run_path(path)
    settings = settings_of(path)
    with what_is_left(path, settings):
        if not has_store(path):
            return from_records(path, settings, Status.INTERRUPTED)
        found = read_store(path, seal_of(settings))
        return dataclasses.replace(found, diagnostics=upgraded(dict(found.diagnostics), settings))


def read_store(path: pathlib.Path, seal: Seal) -> Solution:
    """The solution in the store of a finished run."""
    with damaged(path / STORE):
        return from_dataset(read_dataset(path, seal))


def from_records(path: pathlib.Path, settings: Mapping[str, Any], status: Status) -> Solution:
    """Assemble the solution of a run from its records."""
    count = record_count(path, complete_records(path, seal_of(settings)))
    require(bool(count), f"In {path} no time has been recorded yet; resume it.")
    records = read_records(path, count, settings)
    with damaged(path):
        return stack(records, status, settings["coordinates"], settings["provenance"])


def settings_of(path: pathlib.Path) -> dict[str, Any]:
    """The settings in run.json; the sentence on a damaged one says what is left."""
    try:
        return read_settings(path)
    except Damaged as error:
        rest = "; the arrays in records can still be read by numpy.load"
        raise Damaged(error.path, error.reason, rest) from None


@contextlib.contextmanager
def written(path: pathlib.Path) -> Iterator[None]:
    """One sentence where a run directory cannot be written."""
    try:
        yield
    except OSError as error:
        raise unwritten(path, error) from None


def unwritten(
    path: pathlib.Path, error: OSError, solution: Solution | None = None, rest: str = ""
) -> StorageError:
    """The error for a write that the system refused."""
    if isinstance(error, StorageError):
        return error
    cause = error.strerror or error
    if not path.is_dir():
        cause, rest = "the directory has vanished", "; what was recorded is with it"
    return StorageError(f"Cannot write to {path}: {cause}{rest}.", solution)


@contextlib.contextmanager
def what_is_left(path: pathlib.Path, settings: Mapping[str, Any]) -> Iterator[None]:
    """Let the sentence on a damaged file say what of the run can be saved."""
    try:
        yield
    except Damaged as error:
        rest = remedy(path, error.path, settings)
        raise Damaged(error.path, error.reason, rest) from None


def remedy(path: pathlib.Path, file: pathlib.Path, settings: Mapping[str, Any]) -> str:
    """What can be saved where `file` is damaged, as the end of a sentence."""
    if settings.get("saved"):
        return "; nothing of it is kept elsewhere"
    intact = intact_records(path, settings)
    kept = intact_until(intact)
    if file.is_relative_to(path / STORE):
        if intact and intact[-1] == float(settings["times"][-1]):
            return f"; {kept}: remove {STORE}, and resume writes it again"
        return f"; {kept}"
    if file == path / "initial.npz":
        return f"; {kept}, but the run cannot go on"
    if file == path / "checkpoint.npz" or file.parent == path / "records":
        return f"; {kept}, and without checkpoint.npz resume computes the run anew"
    return f"; {kept}"


def intact_records(path: pathlib.Path, settings: Mapping[str, Any]) -> list[float]:
    """The times of the records before the first damaged one."""
    found: list[float] = []
    with contextlib.suppress(InputError, KeyError, TypeError, ValueError):
        for index in range(record_count(path, 0)):
            found.append(float(read_record(path, index, settings)["t"]))
    return found


def intact_until(times: list[float]) -> str:
    """How far records are intact, in words."""
    return f"records up to t = {times[-1]:.6g} are intact" if times else "no record is intact"


def renew(path: pathlib.Path, settings: Mapping[str, Any], seal: Seal) -> None:
    """Give every file of a run of an earlier format its checksum, run.json at last.

    Killed on the way, it leaves files with and without checksums, which are read alike.
    """
    for index in range(record_count(path, 0)):
        write_record(path, index, read_record(path, index, settings), seal)
    for file in (path / "checkpoint.npz", path / "initial.npz"):
        if file.exists():
            arrays, _ = read_arrays(file, seal_of(settings), file.name)
            write_arrays(file, arrays, seal, file.name)
    write_settings(path, settings, seal)


def tidy(path: pathlib.Path) -> None:
    """Remove what a killed process left half-written."""
    for folder in (path, path / "records", path / "figures"):
        if folder.is_dir() and not folder.is_symlink():
            for file in folder.glob("*.partial"):
                if not file.is_dir() or file.is_symlink():
                    file.unlink(missing_ok=True)
    old = path / "solution.old"
    if old.is_dir() and not old.is_symlink():  # left by an earlier version
        shutil.rmtree(old)
    if not has_store(path):
        drop_store(path)


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
