"""What the campaigns that try things at random have in common.

A campaign is a function `attempt(number, rng)` that returns a `Try`. It runs in processes of its
own, a batch of tries in each, so that a crash or a hang is a failure like any other. Every try
follows from the seed and its number alone.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable

BATCH = 200
"""Tries in a process; compiled programs pile up in it."""

PATIENCE = 900
"""Seconds that a batch may take."""


@dataclasses.dataclass(frozen=True)
class Try:
    """One try.

    Attributes:
        what: What was tried, in words.
        outcome: How it ended: "refused", "done", ...
        wrong: What is wrong with that; empty if nothing is.
    """

    what: str
    outcome: str
    wrong: str = ""


Attempt = Callable[[int, random.Random], Try]


def generator(seed: int, number: int) -> random.Random:
    """The random numbers of a try."""
    return random.Random(seed * 1_000_003 + number)


def main(name: str, attempt: Attempt, tries: int) -> None:
    """The command line of a campaign; ends with 1 if anything is wrong."""
    ask = argparse.ArgumentParser(prog=name)
    ask.add_argument("tries", nargs="?", type=int, default=tries)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--from", dest="first", type=int, help=argparse.SUPPRESS)
    given = ask.parse_args()
    if given.first is not None:
        batch(attempt, given.seed, given.first, given.tries)
        return
    found: list[Try] = []
    while len(found) < given.tries:
        found += in_process(given.seed, len(found), min(given.tries, len(found) + BATCH))
        wrong = sum(bool(t.wrong) for t in found)
        print(f"{len(found)} tries, {wrong} failures", file=sys.stderr, flush=True)
    print(report(name, found))
    sys.exit(any(t.wrong for t in found))


def batch(attempt: Attempt, seed: int, first: int, last: int) -> None:
    """Print the tries from `first` to before `last`, a JSON line each."""
    for number in range(first, last):
        tried = attempt(number, generator(seed, number))
        print(json.dumps(dataclasses.asdict(tried)), flush=True)


def in_process(seed: int, first: int, last: int) -> list[Try]:
    """The same from another process, up to its end: a crash or a hang is the last of them."""
    words = [sys.argv[0], str(last), "--seed", str(seed), "--from", str(first)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            whole = [sys.executable, *words]
            code = subprocess.call(whole, stdout=out, stderr=err, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            code = None
        out.seek(0)
        lines = [line for line in out.read().splitlines() if line.endswith("}")]
        found = [Try(**json.loads(line)) for line in lines]
        if len(found) < last - first:
            err.seek(0)
            why = "a hang" if code is None else f"exit code {code}: {err.read()[-300:]}"
            what = f"try {first + len(found)} of seed {seed}"
            found.append(Try(what, "crash", " ".join(why.split())))
    return found


def report(name: str, found: list[Try]) -> str:
    """The failures by kind, then one line that sums up."""
    kinds: dict[str, list[Try]] = {}
    for tried in found:
        if tried.wrong:
            kinds.setdefault(kind_of(tried.wrong), []).append(tried)
    lines = []
    for members in sorted(kinds.values(), key=len, reverse=True):
        first = members[0]
        lines += [f"{len(members):4} {first.wrong[:200]}", f"     e.g. {first.what[:400]}"]
    outcomes = ", ".join(
        f"{n} {k}" for k, n in sorted(collections.Counter(t.outcome for t in found).items())
    )
    failures = sum(map(len, kinds.values()))
    lines.append(
        f"{name}: {len(found)} tries ({outcomes}), {failures} failures of {len(kinds)} kinds"
    )
    return "\n".join(lines)


def kind_of(wrong: str) -> str:
    """The failure without its numbers and quoted words."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|[-+]?\d[\d.e+-]*", "#", wrong)[:100]


def where(error: BaseException) -> str:
    """Name, message and innermost place in the package of an exception."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "relaxon" in frame.filename]
    place = f"{inside[-1].filename.rsplit('/', 1)[-1]}:{inside[-1].lineno}" if inside else "?"
    return f"{type(error).__name__} at {place}: {str(error)[:150]}"
