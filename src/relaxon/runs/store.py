"""The Zarr store of a finished run: written with checksums, inspected before Zarr reads it.

The attribute `checksums` of the store names every file with its SHA-256, and `checksum` seals the
file that holds these attributes, zarr.json. A store may come from anywhere, so only plain files
are read, of plain numbers, packed as this package packs them, and no more than fits.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

from relaxon.runs.files import Damaged, damaged, open_plain, require_plain, whole_file
from relaxon.runs.seals import BLANK, Seal, check_json, file_digest, sealed_json

STORE = "solution.zarr"
PARTIAL = "solution.partial"
ROOT = "zarr.json"
NUMBERS = {"bool": 1, "int8": 1, "float64": 8, "int64": 8, "float32": 4, "int32": 4}
CODECS = ({"bytes"}, {"bytes", "zstd"})
LARGEST_JSON = 1 << 28

LEAST, PACKED = 1 << 30, 1000
"""Arrays of a store may hold so many bytes, and so many times what its files hold."""


def has_store(path: pathlib.Path) -> bool:
    """Whether a run directory has a store (or something in its place)."""
    return os.path.lexists(path / STORE)


def write_dataset(path: pathlib.Path, dataset: Any, seal: Seal) -> None:
    """Write the store of a run that has ended; there is none yet."""
    partial = path / PARTIAL
    _remove(partial)
    dataset.to_zarr(partial, mode="w", consolidated=False)
    root = json.loads((partial / ROOT).read_bytes())
    sums = {}
    for name in sorted(_files(partial)):
        if name != ROOT:
            with open(partial / name, "rb") as stream:
                sums[name] = file_digest(stream)
    found = root.pop("attributes")
    found |= {"checksums": json.dumps(sums), "checksum": BLANK.decode()}
    with whole_file(partial / ROOT) as stream:
        stream.write(sealed_json({**root, "attributes": found}, seal, f"{STORE}/{ROOT}"))
    os.rename(partial, path / STORE)


def drop_store(path: pathlib.Path) -> None:
    """Take the store away, whole or not at all: the run goes on, and its records say it all."""
    if has_store(path):
        _remove(path / PARTIAL)
        os.rename(path / STORE, path / PARTIAL)
    _remove(path / PARTIAL)


def read_dataset(path: pathlib.Path, seal: Seal) -> Any:
    """The dataset that `write_dataset` wrote.

    Raises:
        Damaged: A file of the store is not what was written, or nothing that a store holds.
    """
    check_store(path, seal)
    with damaged(path / STORE):
        import xarray

        with xarray.open_zarr(path / STORE, consolidated=False, decode_times=False) as dataset:
            return dataset.load()


def check_store(path: pathlib.Path, seal: Seal) -> None:
    """Inspect a store without reading an array.

    Raises:
        Damaged: The first file with something wrong.
    """
    store = path / STORE
    with damaged(store):
        if not store.is_dir() or store.is_symlink():
            raise ValueError("it is no plain folder, and no link is followed")
        sizes = _files(store)
    raw = _text(store / ROOT, store)
    with damaged(store / ROOT):
        root = json.loads(raw)
        sealed = check_json(raw, seal, f"{STORE}/{ROOT}")
        sums = json.loads(root["attributes"]["checksums"]) if sealed else None
        if root["zarr_format"] != 3 or root["node_type"] != "group":
            raise ValueError("it is no group of Zarr format 3")
        if root.get("consolidated_metadata"):
            raise ValueError("it describes other files")
    if sums is not None:
        _compare(store, sizes, sums)
    _inspect(store, sizes)


def _compare(store: pathlib.Path, sizes: dict[str, int], sums: dict[str, str]) -> None:
    """Every file with its checksum, and no other file."""
    for name, wanted in sums.items():
        if name not in sizes:
            raise Damaged(store / name, "it is missing")
        with damaged(store / name), open_plain(store / name, store) as stream:
            if file_digest(stream) != wanted:
                raise ValueError("its checksum is wrong")
    for name in sizes:
        if name != ROOT and name not in sums:
            raise Damaged(store / name, "nothing was written there")


def _inspect(store: pathlib.Path, sizes: dict[str, int]) -> None:
    """Refuse arrays that are not plain numbers, packed as a run packs them."""
    total, chunks = 0, {}
    for name in sizes:
        folder, _, rest = name.partition("/")
        if rest == ROOT:
            raw = _text(store / name, store)
            with damaged(store / name):
                held, chunk, packed = _described(json.loads(raw))
            total += held
            chunks[folder] = (chunk, packed)
        elif name != ROOT and not rest.startswith("c/") and rest != "c":
            raise Damaged(store / name, "a store has no such file")
    if total > LEAST + PACKED * sum(sizes.values()):
        raise Damaged(store, f"it claims {total:.1e} bytes, more than its files can hold")
    for name, size in sizes.items():
        folder, _, rest = name.partition("/")
        if rest.startswith("c"):
            with damaged(store / name), open_plain(store / name, store) as stream:
                chunk, packed = chunks[folder]
                if (_unpacked(stream.read(18)) if packed else size) != chunk:
                    raise ValueError("it is not as large as its array says")


def _described(found: Any) -> tuple[int, int, bool]:
    """Bytes of an array and of a chunk of it, and whether it is packed, from its zarr.json."""
    if found["zarr_format"] != 3 or found["node_type"] != "array":
        raise ValueError("it is no array of Zarr format 3")
    if found["data_type"] not in NUMBERS:
        raise ValueError(f"it holds {str(found['data_type'])[:40]}, not numbers")
    codecs = [codec["name"] for codec in found["codecs"]]
    if set(codecs) not in CODECS or len(set(codecs)) < len(codecs) or codecs[0] != "bytes":
        raise ValueError("it is packed in a way that no run is")
    if found.get("storage_transformers"):
        raise ValueError("it is stored in a way that no run is")
    grid = found["chunk_grid"]
    shape, chunk = found["shape"], grid["configuration"]["chunk_shape"]
    whole = all(isinstance(n, int) and n >= 0 for n in shape)
    if grid["name"] != "regular" or len(chunk) != len(shape) or not whole:
        raise ValueError("it has no shape")
    if not all(isinstance(n, int) and 0 < n <= max(m, 1) for n, m in zip(chunk, shape)):
        raise ValueError("its chunks do not fit its shape")
    size = NUMBERS[found["data_type"]]
    return math.prod(shape) * size, math.prod(chunk) * size, "zstd" in codecs


def _unpacked(head: bytes) -> int:
    """The size that a zstd frame says it unpacks to (RFC 8878, 3.1.1.1).

    Raises:
        ValueError: No frame that says so.
    """
    if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
        raise ValueError("it is not packed by zstd")
    single, flag = head[4] >> 5 & 1, head[4] >> 6
    begin = 5 + (0 if single else 1) + (0, 1, 2, 4)[head[4] & 3]
    length = (1 if single else 0, 2, 4, 8)[flag]
    if not length or len(head) < begin + length:
        raise ValueError("it does not say how large it is")
    size = int.from_bytes(head[begin : begin + length], "little")
    return size + 256 if length == 2 else size


def _files(store: pathlib.Path) -> dict[str, int]:
    """Sizes of all files of a store, by their paths in it; links and devices are refused."""
    return dict(_walk(store, ""))


def _walk(store: pathlib.Path, folder: str) -> Iterator[tuple[str, int]]:
    with os.scandir(store / folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            name = f"{folder}/{entry.name}".lstrip("/")
            if entry.is_dir(follow_symlinks=False):
                if name.count("/") > 8:
                    raise ValueError("its folders are nested too deeply")
                yield from _walk(store, name)
            else:
                require_plain(store / name, store)
                yield name, entry.stat(follow_symlinks=False).st_size


def _text(file: pathlib.Path, store: pathlib.Path) -> bytes:
    with damaged(file), open_plain(file, store) as stream:
        if os.fstat(stream.fileno()).st_size > LARGEST_JSON:
            raise ValueError("it is too large")
        return stream.read()


def _remove(folder: pathlib.Path) -> None:
    """Remove a folder and what is in it; of a link the link alone."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
