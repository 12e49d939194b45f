"""Fuzzed configurations: python3 campaigns/fuzz_configurations.py [TRIES] [--seed S].

Each try changes a ready-made case (values, types, keys, tables, raw bytes) or its --set words and
gives it to the entry of the command line. Most tries stop where the run would begin; one in forty
really runs, at most 100 steps.

Allowed: the run may begin; or it ends with a named status; or exit code 2 with one line of at most
1300 characters on stderr, nothing on stdout, nothing left in the directory, and at most 1 GB more
memory than before. Not allowed: a traceback, a warning, a hang, a crash.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import pathlib
import random
import re
import sys
import tempfile

from _tries import Try, main, where

LINE = re.compile(r"^([A-Za-z_0-9]+) = (.*)$")
NUMBERS = """0 -1 1 2 3 5 8 16 40 100 0.0 -0.0 0.5 1.5 1e-3 1e-6 1e308 -1e308 nan -nan
inf -inf 1e-320
5e-324 1e-300 1e300 1e400 1000000000 1000000 1000000000000000000 9223372036854775808 0x10 1_000
"""
OTHERS = """true false "x" "" [] [[]] [1] [1.0] [-1.0] [nan] [inf] [1e308,1e308] [0.0,0.0]
[[1,2],[3]]
[[1.0,0.0],[0.0,1.0]] {} {a=1} 1979-05-27 07:32:00 [true] ['a'] {name='gaussian'} {name='cauchy'}
{name=[1]} {name={}} {name='gaussian',variance='x'} {name='gaussian',variance=nan} "harmonic"
{name='harmonic',stiffness=-1.0} "gaussian" "quartic" 'rho_f' ['f'] ['f','f'] ['nothing'] [1,'a']
"""
LONG = [
    '"<b>&</b>"', '"../../x"', '"\\u0000"', "'\u00fc\u2202\U0001f600 \u202e'", '"\\u001b[31mred"',
    '"' + "a" * 100_000 + '"', "1" + "0" * 400, "1" + "0" * 6000, "[" * 3000 + "]" * 3000,
    '"""a\nb"""', "[" + ",".join(["1.0"] * 3000) + "]", "{name='gaussian', " + "x" * 3000 + "=1}",
]  # fmt: skip
VALUES = NUMBERS.split() + OTHERS.split() + LONG
TABLES = ["equation", "potential", "grid", "initial", "run", "record"]
HEADS = [*TABLES, "x", "grid.x", "equation.chi1", "[grid]", "", "\u00fc"]
FILES = ["case.toml"] * 9 + ["a b.toml", "<b>$x$.toml", "\u00fc.toml", "..toml", "a\nb.toml"]
NAMES = ["", ".", "/", "x", "x" * 5000, "a\nb", "\u00fc", ".toml", "none.toml"]
PAIRS = ["", "=", "=1", "n", "n==3", " n = 40 ", "\n=1", "\u00fc=1", "x" * 20_000 + "=1"]
OUTS = ["out"] * 9 + ["", ".", "..", "/", "a/b", "/proc/x", "x" * 300, "nul\0", "\u00fc", "a\nb"]
RAW = [
    b"", b"\0", b"\xff" * 99, b"a." * 20_000 + b"b = 1", b"[" * 5000, b"# " + b"x" * 3_000_000,
    b"x = " + b"{a=" * 2000 + b"1" + b"}" * 2000,
]  # fmt: skip

MOST_STEPS = 100
LONGEST = 1300
LARGEST = 1e9


@functools.cache
def cases() -> dict[str, str]:
    """The text of the ready-made cases."""
    from relaxon.cases.catalogue import case_files

    return {name: path.read_text() for name, path in case_files().items()}


@functools.cache
def words_of_cases() -> tuple[list[str], list[str]]:
    """All keys and all types that the ready-made cases hold."""
    pairs = [LINE.match(line) for text in cases().values() for line in text.split("\n")]
    keys = {m[1] for m in pairs if m} - {"type", "description", "source"}
    types = {m[2] for m in pairs if m and m[1] == "type"}
    return [*sorted(keys), "unknown", "__class__"], sorted(types)


def mutated(rng: random.Random) -> bytes:
    """The text of a configuration file."""
    keys, types = words_of_cases()
    lines = cases()[rng.choice(sorted(cases()))].split("\n")
    if rng.random() < 0.2:
        lines = spliced(rng, lines, cases()[rng.choice(sorted(cases()))].split("\n"))
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = [i for i, line in enumerate(lines) if LINE.match(line)]
        heads = [i for i, line in enumerate(lines) if line.startswith("[")]
        if not at:
            break
        i, how = rng.choice(at), rng.random()
        if how < 0.6:
            lines[i] = f"{lines[i].split(' = ')[0]} = {rng.choice(VALUES)}"
        elif how < 0.7:
            lines.insert(i, f"{rng.choice(keys)} = {rng.choice(VALUES)}")
        elif how < 0.76:
            del lines[i]
        elif how < 0.88:
            kinds = [j for j in at if lines[j].startswith("type")]
            if kinds:
                lines[rng.choice(kinds)] = f"type = {rng.choice([*types, *types, *VALUES])}"
        elif how < 0.94 or not heads:
            lines.insert(i, f"[{rng.choice(HEADS)}]")
        else:
            del lines[rng.choice(heads)]
    data = bytearray("\n".join(lines).encode())
    if rng.random() < 0.06:
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    return rng.choice(RAW) if rng.random() < 0.02 else bytes(data)


def spliced(rng: random.Random, a: list[str], b: list[str]) -> list[str]:
    """The lines of a with one table as in b."""

    def tables(lines: list[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"": []}
        name = ""
        for line in lines:
            name = line if line.startswith("[") else name
            found.setdefault(name, []).append(line)
        return found

    x, y = tables(a), tables(b)
    name = rng.choice(sorted({*x, *y}))
    x[name] = y.get(name, [])
    return [line for part in x.values() for line in part]


def command(rng: random.Random, folder: pathlib.Path) -> list[str]:
    """The words of a command line; a file that they name lies in the folder."""
    keys, _ = words_of_cases()
    if rng.random() < 0.5:
        name = rng.choice(FILES)
        (folder / name).write_bytes(mutated(rng))
        found, changes = [name], rng.choice([0, 0, 0, 1])
    else:
        found = [rng.choice(sorted(cases())) if rng.random() < 0.97 else rng.choice(NAMES)]
        changes = rng.choice([1, 1, 1, 2, 3])
    for _ in range(changes):
        own = [m[1] for m in map(LINE.match, cases().get(found[0], "n = 1").split("\n")) if m]
        key = rng.choice(keys if rng.random() < 0.4 else own)
        if rng.random() < 0.15:
            key = f"{rng.choice([*TABLES, 'x', ''])}.{key}"
        pair = f"{key}={rng.choice(VALUES)}" if rng.random() < 0.96 else rng.choice(PAIRS)
        found += ["--set", pair]
    return ["run", *found, f"--out={rng.choice(OUTS)}", "--quiet", "--no-error"]


class Begun(BaseException):
    """The run would begin now."""


def begin(*_: object, **__: object) -> None:
    """In place of a run."""
    raise Begun


def attempt(number: int, rng: random.Random) -> Try:
    """One try in a folder of its own."""
    from relaxon.cases.catalogue import Case

    back = pathlib.Path.cwd()
    with tempfile.TemporaryDirectory() as base:
        folder = pathlib.Path(base) / "in" / "side"
        folder.mkdir(parents=True)
        words = command(rng, folder)
        before = {p.name for p in folder.iterdir()}
        solve = Case.solve
        if rng.random() < 0.975:
            Case.solve = begin  # type: ignore[method-assign,assignment]
        try:
            os.chdir(folder)
            outcome, wrong = tried(words)
        finally:
            os.chdir(back)
            Case.solve = solve  # type: ignore[method-assign]
        left = sorted({p.name for p in folder.iterdir()} - before)
        if outcome == "refused" and left and not wrong:
            wrong = f"left {left}"
        file = folder / words[1] if words[1] in FILES else None
        text = file.read_text(errors="replace")[:800] if file else ""
    shown = [word if len(word) < 120 else f"{word[:60]}...({len(word)})" for word in words]
    return Try(f"{json.dumps(shown)} {text!r}", outcome, wrong)


def tried(words: list[str]) -> tuple[str, str]:
    """How a command line ended, and what is wrong with it."""
    from relaxon import cli

    out, err = io.StringIO(), io.StringIO()
    held = peak()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run_tokens(words)
    except Begun:
        return "begun", err.getvalue()[:300]
    except Exception as error:
        return "traceback", where(error)
    text = err.getvalue()
    if code == 2:
        return "refused", wrong_refusal(text, out.getvalue(), peak() - held)
    if code == 1:
        named = re.match(r"relaxon: ([A-Z_]+: |Cannot write|\[Errno)", text)
        return "ended", "" if named else f"code 1: {text[:300]}"
    return "done", text[:300]


def wrong_refusal(err: str, out: str, grown: float) -> str:
    """What is wrong with exit code 2."""
    lines = err.strip().splitlines()
    if len(lines) != 1 or not re.match(r"relaxon: .*[a-zA-Z]{3}", err):
        return f"{len(lines)} lines on stderr: {lines[:3]}"
    if len(err) > LONGEST:
        return f"a sentence of {len(err)} characters"
    return f"stdout: {out[:100]}" if out else memory_used(grown)


def memory_used(grown: float) -> str:
    """What is wrong with so many more bytes."""
    return f"{grown / 1e6:.0f} MB before the refusal" if grown > LARGEST else ""


def peak() -> float:
    """The most bytes that this process has held so far."""
    import resource

    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def shortened() -> None:
    """Let runs end after few steps."""
    import relaxon.runs.solve  # noqa: F401

    module = sys.modules["relaxon.runs.solve"]
    module.MAX_STEPS, module.CHUNK = MOST_STEPS, MOST_STEPS  # type: ignore[attr-defined]


if __name__ == "__main__":
    shortened()
    main("fuzz_configurations", attempt, 10_000)
