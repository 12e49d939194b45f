"""Damaged run directories: each damage is refused in one sentence, or the right numbers come.

    python campaigns/damaged.py [TRIES=2000] [--seed 1]

A finished and an interrupted run are copied, one file is damaged (bits, bytes, blocks of zeros,
cuts, garbage, appended or deleted, the same file of another run, another record of the same run),
then the copy is opened, resumed and verified. Allowed are `InputError` with one line, or exactly
the solution of the undamaged run; other numbers are a silent failure. `verify` must find every
damage.
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

import relaxon as rx
from relaxon.runs import directory

CASE = dict(n=40, times=12, first=1e-4)
STOPPED_AFTER = 6
UNKNOWN = ("date", "wall_time", "steps", "rejected", "warnings")
"""What a run that did not end, or ended anew, does not have in common with the first one."""


@contextlib.contextmanager
def stopped(after: int) -> Iterator[None]:
    """Interrupt runs before they write the record of that number."""
    write = directory.write_record

    def stop(path: pathlib.Path, index: int, *rest: object) -> None:
        if index == after:
            raise KeyboardInterrupt
        write(path, index, *rest)

    directory.write_record = stop
    try:
        yield
    finally:
        directory.write_record = write


def difference(got: rx.Solution, wanted: rx.Solution) -> str:
    """What two solutions differ in; empty if they are bitwise the same."""
    if got.status is not wanted.status or len(got.t) != len(wanted.t):
        return f"{got.status.name} with {len(got.t)} times"
    for kind in ("fields", "diagnostics", "coordinates"):
        a, b = dict(getattr(got, kind)), dict(getattr(wanted, kind))
        if set(a) != set(b):
            return f"other {kind}"
        for name in a:
            p, q = np.asarray(a[name]), np.asarray(b[name])
            if (p.shape, p.dtype, p.tobytes()) != (q.shape, q.dtype, q.tobytes()):
                return f"other values of {name}"
    known = set(got.provenance) | set(wanted.provenance)
    for key in known.difference(UNKNOWN):
        if got.provenance.get(key) != wanted.provenance.get(key):
            return f"other provenance: {key}"
    return ""


def attempt(action: Callable[[], rx.Solution], wanted: rx.Solution) -> str:
    """What is wrong with the outcome; empty for the right numbers and for one clear sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = difference(action(), wanted)
        return f"SILENT: {found}" if found else ""
    except rx.InputError as error:
        return "many lines" if len(str(error).splitlines()) != 1 else ""
    except Exception as error:
        return f"raised {type(error).__name__}: {str(error)[:100]}"


def damage(rng: random.Random, path: pathlib.Path, peer: pathlib.Path) -> str:
    """Change a file; the kind of damage, empty if nothing changed."""
    before = path.read_bytes()
    data, size = bytearray(before), len(before)
    kinds = ("bit", "byte", "bits", "zeros", "cut", "empty", "garbage", "longer", "peer", "digit")
    kind = rng.choice([*kinds, "delete"])
    if kind == "delete" or not size:
        path.unlink()
        return "delete"
    place = rng.randrange(size)
    if kind == "bit":
        data[place] ^= 1 << rng.randrange(8)
    elif kind == "byte":
        data[place] = rng.randrange(256)
    elif kind == "bits":
        for _ in range(rng.randrange(2, 20)):
            data[rng.randrange(size)] ^= 1 << rng.randrange(8)
    elif kind == "zeros":
        data[place : place + 512] = bytes(len(data[place : place + 512]))
    elif kind == "cut":
        del data[place:]
    elif kind == "empty":
        data.clear()
    elif kind == "garbage":
        data = bytearray(rng.randbytes(size))
    elif kind == "longer":
        data += rng.randbytes(rng.randrange(1, 2000))
    elif kind == "peer" and peer.exists():
        data = bytearray(peer.read_bytes())
    elif kind == "digit":
        digits = [k for k, c in enumerate(data) if 48 <= c < 58]
        if digits:
            place = rng.choice(digits)
            data[place] = 48 + (data[place] - 48 + rng.randrange(1, 10)) % 10
    path.write_bytes(data)
    return kind if data != before else ""


def chosen(rng: random.Random, path: pathlib.Path) -> pathlib.Path:
    """A file of a run: each kind of file is as likely as the others."""
    files = [p for p in sorted(path.rglob("*")) if p.is_file() and p.name != "lock"]
    kinds: dict[str, list[pathlib.Path]] = {}
    for file in files:
        kinds.setdefault(file.relative_to(path).parts[0], []).append(file)
    return rng.choice(kinds[rng.choice(sorted(kinds))])


def campaign(tries: int, seed: int, base: pathlib.Path) -> tuple[Counter[str], list[str]]:
    """Damage `tries` copies; counts by kind of damage, and the failures."""
    rng = random.Random(seed)
    case, other = (rx.case("blowdown", delta=delta, **CASE) for delta in (1e-2, 2e-2))
    finished, peers, part = base / "finished", base / "peers", base / "part"
    whole = case.solve(out=finished)
    other.solve(out=peers)
    with stopped(STOPPED_AFTER):
        begun = case.solve(out=part)
    assert begun.status is rx.Status.INTERRUPTED and len(begun.t) == STOPPED_AFTER
    longer = shutil.copytree(finished, base / "longer")
    later = rx.resume(longer, t_end=1.0)
    counts: Counter[str] = Counter()
    failures: list[str] = []
    copy = base / "copy"
    while sum(counts.values()) < tries:
        shutil.rmtree(copy, ignore_errors=True)
        source = rng.choice([finished, part])
        shutil.copytree(source, copy)
        file = chosen(rng, copy)
        name = str(file.relative_to(copy))
        peer = peers / name
        if file.parent.name == "records" and rng.random() < 0.5:
            peer = rng.choice(sorted((source / "records").iterdir()))
        kind = damage(rng, file, peer)
        if not kind:
            continue
        counts[kind] += 1
        found = {"verify": "" if not rx.verify(copy).ok else "SILENT: nothing found"}
        if source is finished:
            found["open"] = attempt(lambda: rx.open(copy), whole)
            found["resume"] = attempt(lambda: rx.resume(copy, t_end=1.0), later)
        else:
            found["open"] = attempt(lambda: rx.open(copy), begun)
            found["resume"] = attempt(lambda: rx.resume(copy), whole)
        failures += [f"{name} {kind} {what}: {bad}" for what, bad in found.items() if bad]
    return counts, failures


def main(tokens: list[str] | None = None) -> int:
    """Run the campaign; 1 if anything failed."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("tries", nargs="?", type=int, default=2000)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args(tokens)
    with tempfile.TemporaryDirectory() as base:
        counts, failures = campaign(given.tries, given.seed, pathlib.Path(base))
    for line in failures:
        print(line)
    kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items()))
    silent = sum("SILENT" in line for line in failures)
    print(f"damaged: {given.tries} damages ({kinds}), {len(failures)} failures, {silent} silent")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
