"""Bad input: one sentence on stderr, exit code 2, nothing half-written."""

import os

import pytest

from relaxon.cli import run_tokens

SETTINGS = {
    "delta=2": "delta must lie in (0, 1), but is 2.0",
    "delta=-0.1": "delta must lie in (0, 1)",
    "delta=nan": "delta must lie in (0, 1)",
    "delta=abc": "delta must be a number, but is 'abc'",
    "delta=true": "delta must be a number",
    "delta": "--set needs key=value",
    "dleta=0.1": "Did you mean 'delta'?",
    "type=3": "Unknown setting 'type'",
    "record.tmies=4": "Did you mean 'times'?",
    "grdi.n=40": "Did you mean 'grid'?",
    "alpha=-1": "alpha must be a finite number >= 0",
    "n=8": "n must be an integer of at least 16",
    "n=20": "at least 40 cells are needed",
    "n=40.5": "n must be a whole number, but is 40.5",
    "n=1000000000000000": "needs about 160 PB, more than the ",
    "d=2": "d = 3",
    "r_max=3": "too small for the tail",
    "r_max=inf": "r_max must be positive and finite, but is inf",
    "r_min=0": "r_min must be positive, but is 0",
    "gamma=0": "gamma = -3",
    "strength=0": "strength must be > 0",
    "t_end=-1": "t_end must be finite and >= 0, but is -1",
    "t_end=nan": "t_end must be finite",
    "t_end=soon": "t_end must be a number, but is 'soon'",
    "rtol=0": "rtol must lie in (0, 0.1]",
    "times=1": ">= 2 times",
    "times=x": "times must be a whole number or a list of numbers",
    "times=[1,-2]": "Recorded times must be finite and >= 0",
    "first=-1": "first recorded time must be positive",
}

FILES = {
    "not toml": ("a = = 1", "is not valid TOML"),
    "unknown table": ("[equatoin]\ntype='Landau'", "Did you mean 'equation'?"),
    "no table": ("equation = 3", "[equation] must be a table"),
    "no type": ("[grid]\ntype='RadialGrid'", "[equation] needs a type; allowed: "),
    "unknown type": ("[equation]\ntype='Landua'", "Did you mean 'Landau'?"),
}

WHOLE = """
[equation]
type = "Landau"
[grid]
type = "RadialGrid"
n = 80
[initial]
type = "blowdown"
delta = 1e-2
alpha = 0.3
[run]
t_end = 0.5
"""


def refused(tokens, capsys, *sentences):
    """Run, and check the contract of bad input."""
    before = sorted(os.listdir())
    assert run_tokens(tokens) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1, captured.err
    assert captured.err.startswith("relaxon: ")
    assert any(s in captured.err for s in sentences), captured.err
    assert sorted(os.listdir()) == before


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(setting, capsys):
    sentences = SETTINGS[setting].split("|")
    refused(["run", "blowdown", "--out", "new", "--set", setting], capsys, *sentences)


@pytest.mark.parametrize("what", FILES)
def test_files(what, tmp_path, capsys):
    text, sentence = FILES[what]
    (tmp_path / "case.toml").write_text(text)
    refused(["run", "case.toml"], capsys, sentence)


def test_a_key_that_is_unknown_or_missing_in_a_file(tmp_path, capsys):
    (tmp_path / "case.toml").write_text(WHOLE.replace("n = 80", "nn = 80"))
    refused(["run", "case.toml"], capsys, "Unknown key in [grid] 'nn'. Did you mean 'n'?")
    (tmp_path / "case.toml").write_text(WHOLE.replace("alpha = 0.3", ""))
    refused(["run", "case.toml"], capsys, "[initial] needs a value for alpha")
    (tmp_path / "case.toml").write_text(WHOLE.replace("0.5", '"0.5"'))
    refused(["run", "case.toml"], capsys, "t_end must be a number, but is '0.5'")


def test_mixtures(capsys):
    for setting, sentence in {
        "weights=[1]": "as many temperatures as weights",
        "weights=[1,-1]": "weights of a mixture must be finite and >= 0",
        "temperatures=[1,0]": "must be positive",
        "temperatures=[1,'x']": "Every entry of temperatures must be a number",
    }.items():
        refused(["run", "mixture", "--out", "new", "--set", setting], capsys, sentence)


def test_unknown_case_and_missing_file(capsys):
    refused(["run", "blowdwon"], capsys, "Did you mean 'blowdown'?")
    refused(["run", "none.toml"], capsys, "Cannot read none.toml")


def test_unknown_commands_and_options(capsys):
    refused(["frobnicate"], capsys, "Unknown command")
    refused(["run", "blowdown", "--bogus"], capsys, "Unknown option")
    refused(["run"], capsys, "requires an argument")
    refused(["resume", "x", "--t-end", "soon"], capsys, "unable to convert")


def test_an_existing_output_directory(tmp_path, capsys):
    (tmp_path / "old").mkdir()
    refused(["run", "blowdown", "--out", "old"], capsys, "old exists already")
    assert not list((tmp_path / "old").iterdir())


def test_an_unwritable_path(capsys):
    out = "/proc/relaxon/run"
    refused(["run", "blowdown", "--set", "n=60", "--out", out], capsys, f"Cannot write to {out}")


def test_no_run_directory(tmp_path, capsys):
    for command in ("show", "resume", "plot"):
        refused([command, "nowhere"], capsys, "there is no such directory")
    (tmp_path / "empty").mkdir()
    for command in ("show", "resume", "plot"):
        refused([command, "empty"], capsys, "run.json is missing")


def test_figures(finished, capsys):
    refused(["plot", str(finished), "--what", "densty"], capsys, "Did you mean 'density'?")
    refused(["plot", str(finished), "--what", "decay"], capsys, "no data for the figure 'decay'")
    wrong = ["plot", str(finished), "--what", "norms", "-o"]
    refused([*wrong, "norms.gif"], capsys, "must end in .png, .svg or .pdf")
    refused([*wrong, "/proc/relaxon/norms.png"], capsys, "Cannot write /proc/relaxon/norms.png")


def test_resume_to_an_earlier_time(finished, capsys):
    refused(["resume", str(finished), "--t-end", "0.1"], capsys, "t_end must be at least 0.5")
    refused(["resume", str(finished), "--t-end", "-1"], capsys, "t_end must be finite and >= 0")
