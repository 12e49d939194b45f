"""kill -9 at random instants: the killed run, resumed, is the uninterrupted one bit for bit.

    python campaigns/kill9.py [KILLS=100] [--seed 1] [--cases NAME,...]

A run is killed at a random moment: between records, while a file is half-written, while its store
or its report is written. What is left must open as the beginning of the uninterrupted run; then
`relaxon resume`, which is killed again every other time, must end with the same arrays, the same
number of steps, a report, and nothing half-written. Half of the runs write a checkpoint after
every three steps.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

import relaxon as rx

CASES = {
    "blowdown": ["blowdown", "delta=1e-2", "n=60", "times=60", "first=1e-6"],
    "blowup": ["blowup", "n=60", "times=40"],
    "reaction-p1": ["reaction-p1", "n=16", "nodes=16", "times=60"],
    "two-scale": ["two-scale", "delta=1e-2", "n=80", "times=40"],
    "screened": ["screened-mixture", "n=40", "times=40", "t_end=20"],
    "landau-2d": ["bi-maxwellian", "n=24", "times=20", "t_end=5"],
    "walls": ["reaction-walls", "n=12", "nodes=12", "times=40"],
    "confined": ["reaction-confined", "n=24", "nodes=12", "times=40", "t_end=1"],
    "fields": ["reaction-p1", "n=16", "nodes=16", "times=60", "fields=['rho_f','m']"],
}
CHILD = """
import sys, importlib
solve = importlib.import_module("relaxon.runs.solve")
solve.CHUNK, solve.CHECKPOINT_SECONDS = int(sys.argv[1]), float(sys.argv[2])
from relaxon.cli import main
main(sys.argv[3:])
"""
MOMENTS = ("record", "partial", "store", "report")
PATIENCE = 600.0


def start(tokens: list[str], often: bool) -> subprocess.Popen[bytes]:
    """`relaxon` with these words, in a process of its own."""
    source = str(pathlib.Path(rx.__file__).parents[1])
    chunk = ["3", "0"] if often else ["256", "10"]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *chunk, *tokens, "--quiet", "--no-error"],
        env={**os.environ, "PYTHONPATH": source},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run_tokens(name: str, out: pathlib.Path) -> list[str]:
    """The command line that runs a case."""
    case, *settings = CASES[name]
    return ["run", case, *[x for s in settings for x in ("--set", s)], "--out", str(out)]


def records(out: pathlib.Path) -> int:
    """How many records there are so far."""
    return len(list((out / "records").glob("*.npz"))) if out.exists() else 0


def half_written(out: pathlib.Path) -> bool:
    """Whether a file is being written."""
    return any(out.glob("*.partial")) or any((out / "records").glob("*.partial"))


def kill(
    process: subprocess.Popen[bytes], out: pathlib.Path, moment: str, rng: random.Random
) -> bool:
    """Kill a run at such a moment; whether it was still alive."""
    until, first = time.monotonic() + PATIENCE, records(out)
    reached = {
        "record": lambda: records(out) > first,
        "partial": lambda: half_written(out),
        "store": lambda: (out / "solution.partial").exists(),
        "report": lambda: (out / "solution.zarr").exists(),
    }[moment]
    while process.poll() is None and not reached() and time.monotonic() < until:
        time.sleep(0.001)
    wait = {"record": 1.0, "partial": 0.0, "store": 0.1, "report": 1.0}[moment] * rng.random()
    if wait:
        time.sleep(wait)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


def difference(got: rx.Solution, wanted: rx.Solution, begins: bool = False) -> str:
    """What a solution differs in from the uninterrupted one, or from its beginning."""
    n = len(got.t)
    if n > len(wanted.t) or (not begins and n < len(wanted.t)):
        return f"{n} times, not {len(wanted.t)}"
    if not begins and got.status is not wanted.status:
        return f"{got.status.name}, not {wanted.status.name}"
    pairs = [("t", got.t, wanted.t)]
    for kind in ("fields", "diagnostics"):
        a, b = dict(getattr(got, kind)), dict(getattr(wanted, kind))
        if set(a) != set(b):
            return f"other {kind}"
        pairs += [(name, a[name], b[name]) for name in a]
    for name, p, q in pairs:
        if np.asarray(p).tobytes() != np.asarray(q)[:n].tobytes():
            return f"other values of {name}"
    if not begins and any(got.provenance[k] != wanted.provenance[k] for k in ("steps", "rejected")):
        return "another number of steps"
    return ""


def left_over(out: pathlib.Path, wanted: rx.Solution) -> str:
    """What is wrong with a directory after a kill."""
    try:
        return difference(rx.open(out), wanted, begins=True)
    except rx.InputError as error:
        return "" if "no time has been recorded" in str(error) else str(error)


def trial(
    name: str, out: pathlib.Path, wanted: rx.Solution, rng: random.Random, moments: list[str]
) -> tuple[int, str]:
    """One run, killed at these moments in turn and resumed to its end: kills, what is wrong."""
    often, kills = rng.random() < 0.5, 0
    for moment in moments:
        begun = out.exists()
        process = start(["resume", str(out)] if begun else run_tokens(name, out), often)
        kills += kill(process, out, moment, rng)
        if out.exists() and (bad := left_over(out, wanted)):
            return kills, f"after a kill ({moment}): {bad}"
    if not out.exists():  # killed before its directory was there
        return kills, ""
    process = start(["resume", str(out)], often)
    _, error = process.communicate()
    if process.returncode != (0 if wanted.ok else 1):
        return kills, f"resume ended with {process.returncode}: {error.decode()[-200:]}"
    bad = difference(rx.open(out), wanted)
    rest = [p.name for p in out.rglob("*.partial")] + [p.name for p in out.glob("*.old")]
    if not bad and (rest or not (out / "report.html").exists() or not rx.verify(out).ok):
        bad = f"not tidy: {rest}, {rx.verify(out).lines()}"
    return kills, bad


def campaign(
    kills: int, seed: int, names: list[str], base: pathlib.Path
) -> tuple[int, int, list[str]]:
    """Kill until `kills` processes died; how many did, in how many runs, and the failures."""
    rng = random.Random(seed)
    whole: dict[str, rx.Solution] = {}
    failures: list[str] = []
    done = trials = 0
    while done < kills:
        name = names[trials % len(names)]
        trials += 1
        if name not in whole:
            process = start(run_tokens(name, base / f"whole-{name}"), often=False)
            _, error = process.communicate()
            assert process.returncode in (0, 1), error.decode()
            whole[name] = rx.open(base / f"whole-{name}")
        moments = [rng.choice(MOMENTS) for _ in range(rng.choice([1, 2]))]
        if name == "blowup":
            moments[-1] = "report"
        died, bad = trial(name, base / f"{trials}-{name}", whole[name], rng, moments)
        done += died
        if bad:
            failures.append(f"{name}, {' then '.join(moments)}: {bad}")
        sys.stderr.write(f"{name}, {' then '.join(moments)}: {done} kills, {bad or 'the same'}\n")
    return done, trials, failures


def main(tokens: list[str] | None = None) -> int:
    """Run the campaign; 1 if anything failed."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("kills", nargs="?", type=int, default=100)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--cases", default=",".join(CASES))
    given = ask.parse_args(tokens)
    with tempfile.TemporaryDirectory() as base:
        found = campaign(given.kills, given.seed, given.cases.split(","), pathlib.Path(base))
    done, trials, failures = found
    for line in failures:
        print(line)
    print(f"kill9: {done} kills in {trials} runs, {len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
