"""One writer at a time in a run directory."""

from __future__ import annotations

import contextlib
import os
import pathlib
import time
from collections.abc import Iterator

from relaxon.core.errors import InputError

try:
    import fcntl
except ImportError:  # no POSIX system: two writers are not told apart there
    fcntl = None  # type: ignore[assignment]

NAME = "lock"


@contextlib.contextmanager
def locked(path: pathlib.Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock of a run directory.

    It is a lock of the operating system (flock) on the file `lock`, which stays: the lock of a
    process that was killed is gone with it. Where a file system has no locks, or the directory
    cannot be written, there is none.

    Args:
        path: The run directory.
        patience: Seconds to wait for another process.

    Raises:
        InputError: Another process holds it.
    """
    try:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path / NAME, flags, 0o666)
    except OSError:
        yield  # nothing else can be written there, either; the first attempt says so
        return
    try:
        _take(handle, path, time.monotonic() + patience)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: pathlib.Path, until: float) -> None:
    while fcntl is not None:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise InputError(
                    f"Another process is writing to {path}; wait for its end, or choose another "
                    "directory."
                ) from None
            time.sleep(0.05)
        except OSError:  # a file system without locks
            return
