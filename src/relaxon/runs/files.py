"""Files of a run: whole or not at all, and read with one sentence where they are damaged."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pathlib
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from relaxon.core.errors import InputError, require

FORMAT = 2
"""Format 1 had the module of a class in its spec, which is ignored, and half the energy on velocity
grids; see `upgraded`."""

READABLE = (1, 2)


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


def read_settings(path: pathlib.Path) -> dict[str, Any]:
    """The settings in run.json."""
    require(path.is_dir(), f"{path} is not a run directory: there is no such directory.")
    require((path / "run.json").is_file(), f"{path} is not a run directory: run.json is missing.")
    with damaged(path):
        settings = json.loads((path / "run.json").read_text())
        if settings["format"] not in READABLE:
            readable = " and ".join(map(str, READABLE))
            raise ValueError(f"format {settings['format']}, this version reads {readable}")
        return settings


def write_arrays(path: pathlib.Path, arrays: Mapping[str, Any]) -> None:
    """Write an npz file whole or not at all."""
    with whole_file(path, "wb") as stream:
        plain: dict[str, Any] = {key: np.asarray(value) for key, value in arrays.items()}
        np.savez(stream, **plain)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    with whole_file(path, "w") as stream:
        json.dump(value, stream, indent=1)


def upgraded(diagnostics: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Diagnostics of a run directory in the meaning of this version.

    Format 1 recorded int |v|^2 f/2 as energy on velocity grids, and int |v|^2 f on radial ones.
    """
    if settings["format"] == 1 and settings.get("grid", {}).get("class") == "VelocityGrid":
        return {k: 2.0 * x if k.endswith("energy") else x for k, x in diagnostics.items()}
    return diagnostics


def read_arrays(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Read an npz file; a damaged one is an `InputError`."""
    # Opened here: numpy leaves the file open when it is not a whole zip archive.
    with damaged(path), open(path, "rb") as stream:
        with np.load(stream, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}


@contextlib.contextmanager
def whole_file(path: pathlib.Path, mode: str) -> Iterator[Any]:
    """A file that appears whole or not at all: written under another name, flushed, renamed."""
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
def damaged(path: pathlib.Path) -> Iterator[None]:
    """One sentence for whatever reading a damaged file at `path` raises."""
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
