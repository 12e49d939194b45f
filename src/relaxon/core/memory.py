"""Memory that an object would need, compared with what there is before any array is made."""

from __future__ import annotations

import math
import os
import pathlib
import sys

from relaxon.core.errors import InputError

BYTES = 8
"""Of a number."""

ARRAYS = 20
"""Arrays of the size of a distribution that every run holds at once: the datum, the stages of a
step, what is recorded. Measured: 40 and more; methods that need matrices say so themselves."""

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")

CGROUP = pathlib.Path("/sys/fs/cgroup/memory.max")


def there_is() -> float:
    """Bytes that this process may hold: those of the machine, or fewer where a limit is set."""
    found = [math.inf]
    if sys.platform != "win32":
        import resource

        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        found.append(math.inf if soft == resource.RLIM_INFINITY else soft)
    if CGROUP.is_file():
        text = CGROUP.read_text().strip()
        found.append(int(text) if text.isdigit() else math.inf)
    return min(found)


def require_memory(what: str, numbers: float, cure: str) -> None:
    """Raise an `InputError` if so many numbers do not fit into memory.

    Args:
        what: What needs them: the subject of the sentence.
        numbers: How many; an estimate from below, of any size.
        cure: What to do instead.
    """
    limit = there_is()
    if BYTES * numbers > limit:
        raise InputError(
            f"{what} needs about {shown_bytes(BYTES * numbers)}, more than the "
            f"{shown_bytes(limit)} of this machine; {cure}."
        )


def shown_bytes(count: float) -> str:
    """A number of bytes in three digits and a unit."""
    if count >= 1000 ** len(UNITS):
        return f"1000 {UNITS[-1]}"
    power = max((len(str(int(count))) - 1) // 3, 0)
    return f"{count / 1000**power:.3g} {UNITS[power]}"
