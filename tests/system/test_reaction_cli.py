"""The reaction model from the command line, on a grid of a few points."""

import json

import pytest

from relaxon.cli import run_tokens

TINY = ["n=8", "nodes=10", "v_max=4.5", "times=5", "rtol=1e-4"]


def words(*settings):
    return [word for one in settings for word in ("--set", one)]


def test_run_show_plot_resume(tmp_path, capsys):
    out = tmp_path / "p1"
    run = [
        "run",
        "reaction-p1",
        *words("epsilon=0.01", *TINY),
        "--out",
        str(out),
        "--quiet",
        "--no-error",
    ]
    assert run_tokens(run) == 0
    assert (out / "report.html").stat().st_size > 10_000
    capsys.readouterr()

    assert run_tokens(["show", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "DONE" in shown and "mass_difference" in shown and "clearance of the box" in shown

    assert run_tokens(["show", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["provenance"]["equation"]["settings"]["epsilon"] == 0.01
    assert found["invariants"]["mass_difference"]["drift"] < 1e-13
    assert abs(found["headlines"]["amp1"]["value"] / 0.48839430 - 1) < 5e-2
    assert found["headlines"]["entropy_growth"]["value"] == 0

    picture = tmp_path / "d.png"
    assert run_tokens(["plot", str(out), "--what", "densities", "-o", str(picture)]) == 0
    assert picture.stat().st_size > 5_000
    assert run_tokens(["plot", str(out), "--what", "density"]) == 2
    assert "no data for the figure" in capsys.readouterr().err

    assert run_tokens(["resume", str(out), "--t-end", "0.03", "--quiet", "--no-error"]) == 0
    capsys.readouterr()
    assert run_tokens(["show", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["t_end"] == 0.03


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("epsilon=0", "epsilon must be positive"),
        ("epsilon=fast", "epsilon must be a number"),
        ("chi1=gaus", "'gaussian'"),
        ("amplitude=2", "must be positive"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, setting, sentence):
    out = tmp_path / "bad"
    assert run_tokens(["run", "reaction-p1", *words(*TINY, setting), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
    assert not out.exists()


def test_cases_are_listed(capsys):
    assert run_tokens(["cases"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("reaction-") for line in lines) == 9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "settings"),
    [
        ("reaction-decay", ["n=16", "nodes=32", "t_end=1.0", "rtol=1e-3"]),
        ("reaction-linear", ["n=8", "nodes=48", "t_end=2.0"]),
        ("reaction-rates", []),
        ("reaction-2d", ["n=8", "nodes=12", "t_end=0.02", "rtol=1e-4"]),
        ("reaction-limit", ["n=16"]),
        ("reaction-fast", ["n=16"]),
        ("reaction-walls", ["n=8", "nodes=16", "t_end=0.2", "rtol=1e-4"]),
    ],
)
def test_every_case_runs_and_reports(tmp_path, case, settings):
    out = tmp_path / case
    assert (
        run_tokens(["run", case, *words(*settings), "--out", str(out), "--quiet", "--no-error"])
        == 0
    )
    assert (out / "report.html").is_file()
