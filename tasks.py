#!/usr/bin/env python3
"""The one task list, for people and for CI: python3 tasks.py [TASK...].

Needs nothing but Python >= 3.11 and git: the first task makes a virtual environment in .venv and
installs the package with its tools into it, once, and again when pyproject.toml has changed.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / ("python.exe" if os.name == "nt" else "python"))


def setup() -> None:
    """Make .venv and install the package in it, editable, with its tools (once)."""
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit(f"relaxon needs Python >= 3.11, but this is {sys.version.split()[0]}.")
    stamp = VENV / "installed"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print("Installing relaxon and its tools into .venv ...", flush=True)
    run(sys.executable, "-m", "venv", str(VENV))
    run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *EDITABLE)
    stamp.write_text(wanted)


EDITABLE = ["--editable", ".[dev,docs]"]


def fix() -> None:
    """Format the code and repair what the linter can repair."""
    run(PYTHON, "-m", "ruff", "format", ".")
    run(PYTHON, "-m", "ruff", "check", "--fix", ".")


def lint() -> None:
    """Lint, and check the format."""
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "ruff", "format", "--check", ".")


def types() -> None:
    """Check the types of src."""
    run(PYTHON, "-m", "mypy")


STUB = ROOT / "src" / "relaxon" / "__init__.pyi"


def stub_text() -> str:
    """What `__init__.pyi` must say, from the table of public names."""
    sys.path.insert(0, str(ROOT / "src"))
    from relaxon import PUBLIC

    lines = set()
    for name, place in PUBLIC.items():
        where, colon, inner = place.partition(":")
        if colon and not inner:  # the module itself
            where, _, inner = f"relaxon.{where}".rpartition(".")
        else:
            where, inner = f"relaxon.{where}", inner or name
        lines.add(f"from {where} import {inner} as {name}")
    head = '"""Public names; `python3 tasks.py stub` writes this file from `PUBLIC`."""'
    names = [f'    "{name}",' for name in PUBLIC]
    return "\n".join([head, "", *sorted(lines), "", "__all__ = [", *names, "]", ""])


def stub() -> None:
    """Write the public names for editors and type checkers, src/relaxon/__init__.pyi."""
    run(PYTHON, "-c", "import tasks; tasks.STUB.write_text(tasks.stub_text())")


def docs() -> None:
    """Build the documentation, warnings being errors."""
    if (ROOT / "docs" / "conf.py").is_file():
        html = str(ROOT / "docs" / "_build" / "html")
        run(PYTHON, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", html)
    else:
        print("There is no documentation to build yet.", flush=True)


DURATIONS = ["--durations=15", "--durations-min=1"]


def test() -> None:
    """Run the default tests, in two processes."""
    # A file stays in one process, which compiles for all of it; small files come last.
    files = ["--dist", "loadfile", "--no-loadscope-reorder"]
    run(PYTHON, "-m", "pytest", "-n", "2", *files, *DURATIONS)


def slow() -> None:
    """Run the tests that the default run leaves out, with code that is optimised as for users."""
    os.environ.setdefault("XLA_FLAGS", "")
    run(PYTHON, "-m", "pytest", "-n", "2", "-m", "slow", *DURATIONS)


def bench() -> None:
    """Run the benchmarks."""
    for script in sorted((ROOT / "benchmarks").glob("bench_*.py")):
        run(PYTHON, str(script))


def campaigns() -> None:
    """Run the campaigns: long attacks with configurations, calls, kills and damage (hours)."""
    for script in sorted((ROOT / "campaigns").glob("[!_]*.py")):
        run(PYTHON, str(script))


def all_() -> None:
    """Run everything that must pass before a change lands: lint, types, docs, test."""
    for task in (lint, types, docs, test):
        task()


TASKS = {
    "setup": setup,
    "fix": fix,
    "lint": lint,
    "types": types,
    "stub": stub,
    "docs": docs,
    "test": test,
    "slow": slow,
    "bench": bench,
    "campaigns": campaigns,
    "all": all_,
}


def run(*command: str) -> None:
    """Run one command in the checkout; a failure ends the task list with its exit code."""
    started = time.perf_counter()
    code = subprocess.call(command, cwd=ROOT)
    if code:
        shown = " ".join(command[1:])
        print(f"failed after {time.perf_counter() - started:.0f} s: {shown}", file=sys.stderr)
        sys.exit(code)


def main(names: list[str]) -> None:
    """Run the named tasks in order."""
    wrong = [name for name in names if name not in TASKS]
    if wrong or not names:
        for name in wrong:
            print(f"Unknown task {name!r}.", file=sys.stderr)
        for name, task in TASKS.items():
            print(f"{name:9} {task.__doc__}", file=sys.stderr if wrong else sys.stdout)
        sys.exit(2 if wrong else 0)
    setup()
    for name in names:
        TASKS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
