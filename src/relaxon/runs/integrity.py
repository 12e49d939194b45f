"""Whether every file of a run is what was written, and what can be saved where one is not."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

from relaxon.core.errors import require
from relaxon.runs import directory as storage
from relaxon.runs.files import Damaged, read_arrays, read_settings, run_path, seal_of
from relaxon.runs.origin import stored
from relaxon.runs.store import STORE, has_store


@dataclasses.dataclass(frozen=True)
class Integrity:
    """What `verify` found.

    Attributes:
        path: The run directory.
        damaged: One sentence for each damaged file.
        left: What can be saved, one line; for a whole run what it holds.
    """

    path: pathlib.Path
    damaged: tuple[str, ...]
    left: str

    @property
    def ok(self) -> bool:
        """True if no file is damaged."""
        return not self.damaged

    def lines(self) -> list[str]:
        """What to print: a line for each damaged file, and what is left."""
        return [*self.damaged, self.left]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def verify(path: str | pathlib.Path) -> Integrity:
    """Read every file of a run and compare its checksum.

    Args:
        path: Directory that `solve(..., out=...)` or `Solution.save` wrote.

    Returns:
        The damaged files and what can be saved. Runs of formats 1 and 2 have no checksums; of them
        it only says whether their files can be read.

    Raises:
        InputError: No run directory, or one that a later version wrote.
    """
    path = run_path(path)
    found: list[str] = []

    def tried(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Damaged as error:
            found.append(f"{error.path.relative_to(path)}: {error.reason}")
            return None

    settings = tried(lambda: read_settings(path))
    if settings is None:
        left = "without run.json the run cannot be opened; numpy.load reads the arrays in records"
        return Integrity(path, tuple(found), left)
    require(isinstance(settings.get("times", []), list), f"The times in {path} are no list.")
    seal = seal_of(settings)
    if has_store(path):
        tried(lambda: storage.read_store(path, seal))
    elif settings.get("saved"):
        found.append(f"{STORE}: it is missing")
    if settings.get("saved"):
        left = "the saved solution is intact" if not found else "nothing of it is kept elsewhere"
        return Integrity(path, tuple(found), left)
    tried(lambda: read_arrays(path / "initial.npz", seal, "initial.npz", path))
    tried(lambda: stored(path, seal))
    complete = tried(lambda: storage.complete_records(path, seal)) or 0
    count = tried(lambda: storage.record_count(path, complete)) or 0
    if not (path / "checkpoint.npz").exists() and count > 1:
        found.append("checkpoint.npz: it is missing")
    for index in range(min(count, len(settings["times"]))):
        tried(functools.partial(storage.read_record, path, index, settings))
    return Integrity(path, tuple(found), _left(path, settings, found))


def _left(path: pathlib.Path, settings: Any, found: list[str]) -> str:
    """What can be saved of a run whose settings are whole."""
    records = storage.intact_until(storage.intact_records(path, settings))
    if not found:
        unsealed = " (no checksums: an earlier format)" if settings["format"] < 3 else ""
        return f"every file is intact{unsealed}; {records}"
    names = [line.partition(":")[0] for line in found]
    store = has_store(path) and not any(name.startswith(STORE) for name in names)
    parts = ["the stored solution is intact"] if store else []
    parts.append(records)
    if "initial.npz" in names:
        parts.append("the run cannot go on without initial.npz")
    elif "checkpoint.npz" in names or any(name.startswith("records/") for name in names):
        parts.append("without checkpoint.npz, `relaxon resume` computes the run anew")
    elif any(name.startswith(STORE) for name in names):
        parts.append(f"without {STORE}, `relaxon resume` writes it again from the records")
    return "; ".join(parts)
