"""`relaxon check` on verdicts of every kind, whatever the catalogue holds."""

import dataclasses
import json
import sys
import types

import pytest

from relaxon.cli import run_tokens


@dataclasses.dataclass(frozen=True)
class Verdict:
    name: str
    verdict: str
    value: float
    error: float
    margin: float
    source: str = "gualdani2025, Theorem 1.1"
    statement: str = "|F - M|_M <= C delta^(alpha - 1/4)"
    detail: str = "measured over six decades"
    exponent: object = None

    def to_dict(self):
        return dataclasses.asdict(self)


HOLDS = Verdict("bound", "holds", 0.3, 1e-3, 0.25)
FAILS = Verdict("spoiled", "fails", 0.3, 1e-3, -0.25)
OPEN = Verdict("open", "undecided", float("nan"), float("nan"), float("nan"))


@pytest.fixture
def catalogue(monkeypatch):
    found = {v.name: v for v in (HOLDS, FAILS, OPEN)}
    module = types.ModuleType("relaxon.theorems")
    module.checks = lambda: found
    module.check = lambda names, quick=False: [found[n] for n in names]
    monkeypatch.setitem(sys.modules, "relaxon.theorems", module)
    monkeypatch.setattr("relaxon.theorems", module, raising=False)


def test_all_checks_with_a_failing_one(catalogue, capsys, tmp_path):
    page, data = tmp_path / "checks.html", tmp_path / "checks.json"
    assert run_tokens(["check", "--report", str(page), "--json", str(data)]) == 1
    captured = capsys.readouterr()
    assert captured.err == "relaxon: These checks fail: spoiled.\n"
    assert all(v.name in captured.out for v in (HOLDS, FAILS, OPEN))
    rows = json.loads(data.read_text())
    assert [row["verdict"] for row in rows] == ["holds", "fails", "undecided"]
    assert rows[2]["value"] is None
    text = page.read_text()
    assert "holds: 1, fails: 1, undecided: 1" in text
    assert "data:image/svg+xml;base64," in text
    assert "Gualdani" in text


def test_named_checks_that_hold(catalogue, capsys):
    assert run_tokens(["check", "bound", "open", "--quick"]) == 0
    assert "spoiled" not in capsys.readouterr().out


def test_an_unknown_check_is_refused(catalogue, capsys):
    assert run_tokens(["check", "bond"]) == 2
    assert "Did you mean 'bound'?" in capsys.readouterr().err


def test_a_real_check_holds(capsys):
    assert run_tokens(["check", "landau-c0", "--quick"]) == 0
    assert "holds" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_refused_first(catalogue, capsys, tmp_path):
    path = tmp_path / "none" / "checks.html"
    assert run_tokens(["check", "--report", str(path)]) == 2
    captured = capsys.readouterr()
    assert "no such directory" in captured.err
    assert captured.out == ""
