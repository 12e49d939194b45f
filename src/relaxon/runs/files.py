"""Files of a run: whole or not at all, and read with one sentence where they are damaged.

What is read may be damaged, or made by somebody hostile: only plain files of the directory are
opened, no link is followed, and nothing is allocated that the file does not hold.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import pathlib
import secrets
import shutil
import signal
import stat
import threading
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.runs.seals import BLANK, Seal, check_archive, check_json, seal_archive, sealed_json

FORMAT = 3
"""Format 1 had the module of a class in its spec, which is ignored, and half the energy on velocity
grids, see `upgraded`; format 2 had no checksums."""

READABLE = (1, 2, 3)
LARGEST_JSON = 1 << 28
UNSEALED = Seal("", required=False)


class Damaged(InputError):
    """A file of a run that cannot be used.

    Attributes:
        path: The file.
        reason: What is wrong with it.
    """

    def __init__(self, path: pathlib.Path, reason: str, rest: str = ""):
        super().__init__(f"The run directory is damaged at {path}: {reason}{rest}.")
        self.path, self.reason = path, reason


def run_path(path: Any) -> pathlib.Path:
    """The path of a run directory, or an `InputError`."""
    if not isinstance(path, str | pathlib.Path) or not str(path):
        raise InputError(f"A run directory must be a path, but is {path!r}.")
    return pathlib.Path(path)


def require_new(path: pathlib.Path) -> None:
    """Refuse a path where there is something already."""
    require(not os.path.lexists(path), _exists(path))


def create(path: pathlib.Path, settings: Mapping[str, Any], initial: Mapping[str, Any]) -> Seal:
    """Make a new run directory, and the seal of its files.

    Raises:
        InputError: The path exists, or cannot be written.
    """
    path = pathlib.Path(os.path.abspath(path))
    require_new(path)
    # A name that nobody else has, so that nobody's files are in the way.
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    seal, made = Seal(secrets.token_hex(16)), _missing(path.parent)
    try:
        (partial / "records").mkdir(parents=True)
        write_arrays(partial / "initial.npz", initial, seal, "initial.npz")
        write_settings(partial, settings, seal)
        os.rename(partial, path)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        require(not path.is_dir(), _exists(path))
        raise InputError(f"Cannot write to {path}: {error.strerror or error}.") from None
    return seal


def _exists(path: pathlib.Path) -> str:
    return f"{path} exists already; choose another directory or remove it."


def _missing(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folders on a path that do not exist, the deepest first."""
    return [p for p in (folder, *folder.parents) if not os.path.lexists(p)]


def write_settings(path: pathlib.Path, settings: Mapping[str, Any], seal: Seal) -> None:
    """Write run.json, with the name of the run and a checksum."""
    rest = {k: v for k, v in settings.items() if k not in ("format", "run", "checksum")}
    value = {"format": FORMAT, "run": seal.run, **rest, "checksum": BLANK.decode()}
    with whole_file(path / "run.json") as stream:
        stream.write(sealed_json(value, Seal(), "run.json"))


def read_settings(path: pathlib.Path) -> dict[str, Any]:
    """The settings in run.json."""
    require(path.is_dir(), f"{path} is not a run directory: there is no such directory.")
    file = path / "run.json"
    require(
        os.path.lexists(file) or (path / "records").is_dir() or (path / "solution.zarr").is_dir(),
        f"{path} is not a run directory: run.json is missing.",
    )
    with damaged(file), open_plain(file, path) as stream:
        if os.fstat(stream.fileno()).st_size > LARGEST_JSON:
            raise ValueError("it is too large")
        raw = stream.read()
        settings = json.loads(raw)
        if not isinstance(settings, dict):
            raise ValueError("it holds no settings")
        found = settings["format"]
        known = isinstance(found, int) and not isinstance(found, bool)
        require(
            not known or found <= FORMAT,
            f"{path} has format {found:.4g}, which a later version of relaxon wrote; this version "
            f"reads formats {READABLE[0]} to {FORMAT}.",
        )
        if not known or found not in READABLE:
            raise ValueError(f"it has a format that is none of {READABLE}")
        sealed = check_json(raw, Seal(required=found >= 3), "run.json")
        if sealed and found < 3:
            raise ValueError(f"format {found} has no checksums")
        if not isinstance(settings.get("provenance", {}), dict):
            raise ValueError("its provenance is no table")
        return settings


def seal_of(settings: Mapping[str, Any]) -> Seal:
    """The seal of the files of a run; a run without one has that which it gets on resumption."""
    if settings["format"] < 3:
        return Seal(hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:32], required=False)
    return Seal(str(settings["run"]))


def write_arrays(
    path: pathlib.Path, arrays: Mapping[str, Any], seal: Seal = UNSEALED, name: str = ""
) -> None:
    """Write an npz file whole or not at all; `name` is its path in the run directory."""
    with whole_file(path) as stream:
        plain: dict[str, Any] = {key: np.asarray(value) for key, value in arrays.items()}
        np.savez(stream, **plain)
        seal_archive(stream, seal, name)


def read_arrays(
    path: pathlib.Path, seal: Seal = UNSEALED, name: str = "", root: pathlib.Path | None = None
) -> tuple[dict[str, np.ndarray], bool]:
    """The arrays of an npz file, and whether it has a checksum.

    Args:
        path: The file.
        seal: That of its run.
        name: Its path in the run directory.
        root: The run directory; nothing between it and the file may be a link.

    Raises:
        Damaged: Whatever is wrong with it.
    """
    with damaged(path), open_plain(path, root or path.parent) as stream:
        sealed = check_archive(stream, seal, name)
        with zipfile.ZipFile(stream) as archive:
            _require_honest(archive, os.fstat(stream.fileno()).st_size)
            return {
                info.filename.removesuffix(".npy"): _array(archive, info)
                for info in archive.infolist()
            }, sealed


def _require_honest(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse archives that hold more than their size, or one name twice."""
    members = archive.infolist()
    if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
        raise ValueError("its arrays are compressed, which no run's are")
    if sum(max(m.file_size, m.compress_size) for m in members) > size:
        raise ValueError("it claims more than it holds")
    if len({m.filename.removesuffix(".npy") for m in members}) < len(members):
        raise ValueError("it has two arrays of one name")


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array, of the size that the archive has for it."""
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = header(stream)
        if dtype.kind not in "biufc":
            raise ValueError(f"{info.filename} holds {dtype}, not numbers")
        if stream.tell() + math.prod(shape) * dtype.itemsize != info.file_size:
            raise ValueError(f"{info.filename} claims more than it holds")
    with archive.open(info) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def upgraded(diagnostics: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Diagnostics of a file without checksum in the meaning of this version.

    Format 1 recorded int |v|^2 f/2 as energy on velocity grids, and int |v|^2 f on radial ones.
    """
    if settings["format"] == 1 and settings.get("grid", {}).get("class") == "VelocityGrid":
        return {k: 2.0 * x if k.endswith("energy") else x for k, x in diagnostics.items()}
    return diagnostics


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block is done: a library in mid-write cannot be left."""
    waiting: list[int] = []
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    if threading.current_thread() is not threading.main_thread() or None in handlers.values():
        yield
        return
    try:
        for number in handlers:
            signal.signal(number, lambda number, _: waiting.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in waiting[:1]:
            signal.raise_signal(late)


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> Iterator[Any]:
    """A file that appears whole or not at all: written under another name, flushed, renamed."""
    with uninterrupted():
        yield from _whole_file(path)


def _whole_file(path: pathlib.Path) -> Iterator[Any]:
    partial = path.with_name(path.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        with open(partial, "x+b") as stream:  # a new file: what was there may be a link
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def require_plain(path: pathlib.Path, root: pathlib.Path) -> None:
    """Refuse all but a plain file in plain folders below `root`, by ValueError."""
    for place in (*reversed(path.relative_to(root).parents[:-1]), path.relative_to(root)):
        mode = os.lstat(root / place).st_mode
        if stat.S_ISLNK(mode):
            raise ValueError(f"{place} is a link, and no link is followed")
        if not (stat.S_ISREG(mode) if root / place == path else stat.S_ISDIR(mode)):
            raise ValueError(f"{place} is no plain file or folder")


@contextlib.contextmanager
def open_plain(path: pathlib.Path, root: pathlib.Path) -> Iterator[BinaryIO]:
    """A plain file in plain folders below `root`, open for reading."""
    require_plain(path, root)
    with open(path, "rb") as stream:
        yield stream


@contextlib.contextmanager
def damaged(path: pathlib.Path) -> Iterator[None]:
    """One sentence for whatever reading a damaged file at `path` raises."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise Damaged(path, "it is missing") from None
    except RecursionError:
        raise Damaged(path, "it is nested too deeply") from None
    except MemoryError:
        raise Damaged(path, "it needs more memory than there is") from None
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:
        found = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = found.splitlines()[0][:200] if found else type(error).__name__
        raise Damaged(path, reason.rstrip(".")) from None


def clean_json(value: Any) -> Any:
    """Numbers that JSON can hold: NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {key: clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
