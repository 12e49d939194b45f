"""Checksums of the files of a run: every file says whose it is, and that nothing in it has changed.

A sealed file holds 64 hexadecimal digits: the SHA-256 of the name of the run, of the name of the
file, and of the file itself with zeros in the place of the digits. So a changed, cut or lengthened
file is found, and also a whole one of another run or of another recorded time. The digits are the
comment of a zip archive (npz), or the last value named `checksum` of a JSON file; both stay files
that other programs read. A digest finds damage; it does not keep out who wants to deceive.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

DIGITS = 64
BLANK = b"0" * DIGITS
KEY = b'"checksum": "'
BLOCK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Seal:
    """What the checksums of a run's files are made with.

    Attributes:
        run: The name of the run, random digits in run.json; empty for run.json itself.
        required: Whether a file without a checksum is a damaged one. Runs of formats 1 and 2 have
            no checksums.
    """

    run: str = ""
    required: bool = True


def seal_archive(stream: BinaryIO, seal: Seal, name: str) -> None:
    """Put the checksum of an npz file, open for reading and writing, into its comment."""
    with zipfile.ZipFile(stream, "a") as archive:
        archive.comment = BLANK
    end = stream.seek(0, os.SEEK_END)
    digits = _digest(stream, end - DIGITS, seal, name)
    stream.seek(end - DIGITS)
    stream.write(digits)


def check_archive(stream: BinaryIO, seal: Seal, name: str) -> bool:
    """Compare the checksum of an npz file; False if it has none and needs none.

    Raises:
        ValueError: Another checksum, or none though there must be one.
    """
    with zipfile.ZipFile(stream) as archive:
        comment = archive.comment
    if not comment and not seal.required:
        return False
    end = stream.seek(0, os.SEEK_END)
    stream.seek(end - DIGITS)
    found = stream.read(DIGITS)
    if comment != found or _digest(stream, end - DIGITS, seal, name) != found:
        raise ValueError("its checksum is wrong")
    return True


def sealed_json(value: Mapping[str, Any], seal: Seal, name: str) -> bytes:
    """A JSON object whose last value is the blank of a checksum, as text with its checksum."""
    raw = json.dumps(value, indent=1).encode()
    place = raw.rindex(KEY) + len(KEY)
    return raw[:place] + _digits(raw, place, seal, name) + raw[place + DIGITS :]


def check_json(raw: bytes, seal: Seal, name: str) -> bool:
    """Compare the checksum of a JSON file; False if it has none and needs none.

    Raises:
        ValueError: Another checksum, or none though there must be one.
    """
    place = raw.rfind(KEY) + len(KEY)
    if place < len(KEY) and not seal.required:
        return False
    if place < len(KEY) or raw[place : place + DIGITS] != _digits(raw, place, seal, name):
        raise ValueError("its checksum is wrong")
    return True


def file_digest(stream: BinaryIO) -> str:
    """SHA-256 of an open file."""
    found = hashlib.sha256()
    while block := stream.read(BLOCK):
        found.update(block)
    return found.hexdigest()


def _digits(raw: bytes, place: int, seal: Seal, name: str) -> bytes:
    found = _begun(seal, name)
    found.update(raw[:place] + BLANK + raw[place + DIGITS :])
    return found.hexdigest().encode()


def _digest(stream: BinaryIO, place: int, seal: Seal, name: str) -> bytes:
    """The same for a file of any size whose checksum ends it."""
    found = _begun(seal, name)
    stream.seek(0)
    while place > 0:
        block = stream.read(min(BLOCK, place))
        if not block:
            raise ValueError("it ends too early")
        found.update(block)
        place -= len(block)
    found.update(BLANK)
    return found.hexdigest().encode()


def _begun(seal: Seal, name: str) -> Any:
    return hashlib.sha256(f"{seal.run}\n{name}\n".encode())
