"""The programs of examples/ run, are short, and print what their page shows."""

import importlib.util
import pathlib
import re

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(FOLDER.glob("*.py"))

# Arguments for which a program shows the same in a second or two.
SMALL = {
    "anisotropy": {"n": 32, "v_max": 5.0},
    "exact_solution": {"sizes": (32,), "t_end": 0.1, "rtol": 1e-5},
    "fast_reactions": {"epsilons": (0.1,), "n": 8, "nodes": 12},
    "own_functional": {"n": 60, "t_end": 1.0},
    "own_potential": {"n": 60},
    "penrose_margin": {"n": 32, "drifts": (0.8,)},
    "resume": {"n": 60, "t_end": 0.01},
    "slope_in_delta": {"deltas": (1e-1, 1e-2), "n": 60},
}
# Long compilations; `own_functional`, `resume` and `slope_in_delta` stand for them by default.
SLOW = ("anisotropy", "exact_solution", "fast_reactions", "own_potential", "penrose_margin")


def main_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def programs(slow=SLOW):
    return [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in slow else [])
        for path in PROGRAMS
    ]


@pytest.mark.parametrize("path", programs())
def test_the_program_runs(path, capsys):
    main_of(path)(**SMALL[path.stem])
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("path", programs(slow=SMALL))
def test_the_page_shows_what_the_program_prints(path, capsys):
    """Line by line; numbers to five digits, the last bits of a run differ between machines."""
    main_of(path)()
    printed = capsys.readouterr().out.strip().splitlines()
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    shown = re.search(rf"^## `{path.stem}.py`.*?^```text\n(.*?)^```", page, re.M | re.S)
    lines = shown[1].strip().splitlines()
    assert len(printed) == len(lines)
    for line, wanted in zip(printed, lines):
        words, wants = line.split(), wanted.split()
        assert len(words) == len(wants), line
        for word, want in zip(words, wants):
            assert word == want or close(word, want), line


def close(word, want):
    """Equal as numbers; those below 1e-9 are rounding."""
    try:
        found, wanted = float(word.strip(",;)(")), float(want.strip(",;)("))
    except ValueError:
        return False
    return found == pytest.approx(wanted, rel=2e-2 if "e-" in want else 2e-4, abs=1e-9)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 25
