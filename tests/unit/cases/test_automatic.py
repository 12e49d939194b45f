"""Settings of a grid that are "auto"."""

import json
import types

import numpy as np
import pytest

import relaxon as rx
from relaxon.cases import automatic
from relaxon.cli import run_tokens
from relaxon.reports.headlines.catalogue import as_text
from relaxon.runs.record import Record

SMALL = {"n": "auto", "times": 2, "t_end": 0.1}
WORDS = ["fokker-planck", *(f"--set={key}={value}" for key, value in SMALL.items())]


def test_a_case_starts_on_a_coarse_grid():
    case = rx.case("reaction-p1", n="auto", nodes="auto", v_max="auto", accuracy=1e-4)
    assert case.automatic == {"n": 12, "nodes": 8, "v_max": 4.0}
    assert case.problem.grid.shape == (12, 8)
    held = case.settings
    assert held["grid"] | {"n": "auto", "nodes": "auto", "v_max": "auto"} == held["grid"]
    assert held["run"]["accuracy"] == 1e-4
    assert rx.case("reaction-p1", n="auto").settings["run"]["accuracy"] == 1e-3
    assert case.changed({}).automatic == case.automatic


def test_a_start_that_the_datum_does_not_fit_in_grows_at_the_same_cells(monkeypatch):
    monkeypatch.setattr(automatic, "REACH", 4.5)
    first, second, *_ = automatic.starts({"n": 48, "v_max": 6.0}, 0.8)
    assert first == {"n": 16, "v_max": pytest.approx(3.6)}
    assert second == {"n": 20, "v_max": pytest.approx(4.5)}
    case = rx.case("bi-maxwellian", n="auto", v_max="auto")
    assert case.automatic == {"n": 20, "v_max": pytest.approx(1.25 * 4.5 * 0.5**0.5)}


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"n": "auto", "accuracy": 0.2}, r"accuracy must lie in \(1e-10, 0.1\], but is 0.2"),
        ({"n": "auto", "accuracy": 0.0}, r"accuracy must lie in \(1e-10, 0.1\], but is 0.0"),
        ({"n": "auto", "accuracy": "high"}, "accuracy must be a number, but is 'high'"),
        ({"accuracy": 1e-4}, 'it needs n, nodes or v_max = "auto" in'),
        ({"alpha": "auto"}, "but is 'auto'; 'auto' may be n, nodes, v_max of"),
        ({"r_max": "auto"}, "but is 'auto'; 'auto' may be n, nodes, v_max of"),
        ({"rtol": "auto"}, "but is 'auto'; 'auto' may be n, nodes, v_max of"),
        ({"v_max": "auto"}, "Unknown setting 'v_max'"),
        ({"n": "automatic"}, "n must be a whole number, but is 'automatic'."),
        ({"n": "auto", "delta": -1.0}, "delta must"),
    ],
)
def test_bad_uses_are_one_sentence(settings, sentence):
    with pytest.raises(rx.InputError, match=sentence):
        rx.case("blowdown", **settings)


def test_what_needs_numbers_says_so():
    case = rx.case("fokker-planck", n="auto")
    with pytest.raises(rx.InputError, match="convergence needs numbers for n, not 'auto'"):
        rx.convergence(case)
    with pytest.raises(rx.InputError, match="resolved needs numbers for n, not 'auto'"):
        rx.resolved(case)
    with pytest.raises(rx.InputError, match="n must be an integer of at least 16, but is 'auto'"):
        rx.RadialGrid(n="auto")
    with pytest.raises(rx.InputError, match="warnings must be a list of sentences"):
        Record(warnings="one")


def test_an_accuracy_that_is_reached():
    case = rx.case("fokker-planck", accuracy=0.1, **SMALL)
    solution = case.solve()
    n = case.automatic["n"]
    notes = solution.provenance["notes"]
    assert notes["grid"]["n"] == n and "accuracy" not in notes["run"]
    assert notes["chosen"] == f"n = {n} for accuracy 0.1"
    assert solution.warnings == ()
    assert max(np.max(solution.error.of(name)) for name in solution.fields) <= 0.1
    assert f"chosen     n = {n} for accuracy 0.1" in as_text(solution)


def test_a_run_keeps_what_was_chosen(tmp_path, monkeypatch, capsys):
    """The best of the rounds, with a warning; a longer run stays on its grid."""
    monkeypatch.setattr(automatic, "ROUNDS", 1)
    out = tmp_path / "run"
    assert run_tokens(["run", *WORDS, "--set=accuracy=1e-9", f"--out={out}", "--quiet"]) == 0
    stored = rx.open(out)
    settings = stored.provenance["notes"]["grid"]
    assert isinstance(settings["n"], int) and stored.f.shape[-1] == settings["n"]
    (warning,) = stored.warnings
    assert warning.startswith("accuracy = 1e-09 is not reached: the largest error of a field is")
    page = (out / "report.html").read_text()
    assert f"n = {settings['n']} for accuracy 1e-09" in page and "is not reached" in page
    # The estimate of the choice is that of the run, and its settings are a case without a choice.
    monkeypatch.setattr(automatic, "chosen", None)
    assert run_tokens(["show", str(out)]) == 0
    text = capsys.readouterr().out
    assert f"chosen     n = {settings['n']} for accuracy" in text and "   error " in text
    longer = rx.resume(out, t_end=0.2)
    assert longer.t[-1] == 0.2 and longer.warnings == stored.warnings
    assert longer.provenance["notes"] == stored.provenance["notes"]
    assert json.loads((out / "run.json").read_text())["warnings"] == [warning]


def test_a_directory_that_exists_is_refused_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(automatic, "chosen", None)
    with pytest.raises(rx.InputError, match="exists already; choose another directory"):
        rx.case("fokker-planck", **SMALL).solve(out=tmp_path)


def rounds_of(*errors):
    """Rounds with these errors, and then no memory for more."""

    def found(*_):
        yield from (types.SimpleNamespace(error=error) for error in errors)
        raise rx.InputError("no memory")

    return found


def test_the_best_round_counts(monkeypatch):
    for errors, accuracy, wanted in [
        ((0.3, 0.1, 0.2), 1e-3, 0.1),
        ((0.3, 1e-4, 1e-5), 1e-3, 1e-4),
        ((np.inf, np.inf), 1e-3, np.inf),
    ]:
        monkeypatch.setattr(automatic, "rounds", rounds_of(*errors))
        assert automatic.chosen(None, ["n"], accuracy, False).error == wanted
    monkeypatch.setattr(automatic, "rounds", rounds_of())
    with pytest.raises(rx.InputError, match="no memory"):
        automatic.chosen(None, ["n"], 1e-3, False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, settings, reference",
    [
        ("blowdown", {"n": "auto", "delta": 1e-2}, {"n": 400}),
        ("bi-maxwellian", {"n": "auto", "v_max": "auto"}, {"n": 40, "v_max": 7.0}),
        ("reaction-limit", {"n": "auto"}, {"n": 64}),
        ("reaction-p1", {"nodes": "auto", "v_max": "auto"}, {"nodes": 48, "v_max": 8.0}),
    ],
)
def test_the_accuracy_is_that_of_the_solution(name, settings, reference):
    """A norm or the entropy of the chosen run beside one on a finer grid."""
    rest = {"times": 2, "t_end": 0.1}
    solution = rx.case(name, **settings, accuracy=1e-4, **rest).solve()
    exact = rx.case(name, **{**settings, **reference}, **rest, rtol=1e-8).solve()
    assert solution.warnings == ()
    quantity = "distance_l2" if name == "bi-maxwellian" else "entropy"
    found, wanted = (s.diagnostics[quantity][-1] for s in (solution, exact))
    assert found == pytest.approx(wanted, rel=1e-4)
