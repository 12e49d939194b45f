"""Every command on real input."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import relaxon as rx
from relaxon.cli import run_tokens


def test_the_entry_point_does_not_import_jax():
    code = (
        "import sys, relaxon, relaxon.cli\n"
        "try: relaxon.cli.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert 'jax' not in sys.modules and 'matplotlib' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in ("cases", "run", "resume", "show", "plot", "check", "doctor"):
        assert re.search(rf"\b{command}\b", done.stdout)


def test_version(capsys):
    assert run_tokens(["--version"]) == 0
    assert rx.__version__ in capsys.readouterr().out


def test_cases_lists_every_case_with_a_line(capsys):
    assert run_tokens(["cases"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"blowdown", "blowdown-late", "blowup", "mixture"} <= {x.split()[0] for x in lines}
    assert all(len(line.split(maxsplit=1)[1]) > 20 for line in lines)


def test_run_writes_results_figures_and_report(finished):
    assert (finished / "solution.zarr").is_dir()
    assert not list(finished.rglob("*.partial"))
    figures = {path.stem for path in (finished / "figures").glob("*.svg")}
    assert figures == {"density", "norms", "invariants", "entropy"}
    solution = rx.open(finished)
    assert solution.ok
    assert solution.t[-1] == 0.5
    # the norm of gualdani2025, Theorem 1.1, recorded by the case, is that of the last field
    grid = rx.RadialGrid(**solution.provenance["grid"]["settings"])
    spot = solution.f[-1] - np.asarray(rx.distributions.maxwellian(grid))
    norm = float(rx.functionals.weighted_norm(spot, grid))
    assert solution.diagnostics["distance_m"][-1] == pytest.approx(norm, rel=1e-12)


def test_the_report_is_complete_in_itself(finished):
    page = (finished / "report.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(addresses) == 4
    assert all(a.startswith("data:image/svg+xml;base64,") for a in addresses)
    assert not re.search(r"@import|<script|<link", page)
    for text in ("Gualdani", "conserved by the equation", "DONE", "delta = 0.01", "|F - M|_M"):
        assert text in page


def test_the_settings_in_the_report_run_the_same_case(finished, tmp_path, capsys):
    import html

    page = (finished / "report.html").read_text()
    text = html.unescape(re.findall(r"<pre>(.*?)</pre>", page, re.S)[-1])
    path = tmp_path / "again.toml"
    path.write_text(text)
    out = tmp_path / "again"
    assert run_tokens(["run", str(path), "--out", str(out), "--quiet", "--no-error"]) == 0
    assert tuple(capsys.readouterr()) == ("", "")  # --quiet
    np.testing.assert_array_equal(rx.open(out).f, rx.open(finished).f)


@pytest.mark.slow
def test_run_prints_the_error_of_each_number(tmp_path, capsys):
    out = tmp_path / "run"
    changes = ["--set", "delta=1e-2", "--set", "n=80", "--set", "times=4"]
    assert run_tokens(["run", "blowdown", *changes, "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (distance,) = [line for line in lines if line.startswith("|F - M|_M")]
    error = rx.open(out).error["distance_m"][-1]
    assert f"error {error:.0e}" in distance
    assert f"error {error:.0e}" in (out / "report.html").read_text()


def test_show_as_text(finished, capsys):
    assert run_tokens(["show", str(finished)]) == 0
    out = capsys.readouterr().out
    assert "DONE" in out
    assert "|F - M|_M at t = 0.5" in out
    assert re.search(r"energy +drift", out)


def test_show_as_json(finished, capsys):
    assert run_tokens(["show", str(finished), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "DONE"
    assert found["invariants"]["energy"]["drift"] < 1e-12
    assert found["headlines"]["relative_entropy_growth"]["value"] <= 0
    assert 0 < found["headlines"]["remainder"]["value"] < 0.1
    assert found["provenance"]["notes"]["initial"] == {
        "type": "blowdown",
        "delta": 0.01,
        "alpha": 0.3,
    }


def test_plot_one_figure_to_a_file(finished, tmp_path):
    path = tmp_path / "norms.png"
    assert run_tokens(["plot", str(finished), "--what", "norms", "-o", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_plot_all_figures_next_to_each_other(finished, tmp_path, capsys):
    assert run_tokens(["plot", str(finished), "-o", str(tmp_path / "all.svg")]) == 0
    names = {path.name for path in tmp_path.glob("*.svg")}
    assert {"all-density.svg", "all-diagnostics.svg"} <= names
    assert len(capsys.readouterr().out.splitlines()) == len(names)


def test_a_run_that_blows_up_ends_with_its_status_and_code_1(tmp_path, capsys):
    out = tmp_path / "blowup"
    settings = ("delta=1e-2", "n=60", "r_min=0.02", "times=24", "reaction=1.0")
    changes = [x for s in settings for x in ("--set", s)]
    assert run_tokens(["run", "blowup", *changes, "--out", str(out), "--no-error"]) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith("relaxon: BLOWUP: ")
    assert "Traceback" not in captured.err
    assert "blow-up time" in captured.out
    solution = rx.open(out)
    assert solution.status is rx.Status.BLOWUP
    assert np.all(np.isfinite(solution.f))
    assert (out / "report.html").is_file()


@pytest.mark.slow
def test_doctor(capsys):
    assert run_tokens(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "float64     yes" in out
    assert "self-test   passed" in out
