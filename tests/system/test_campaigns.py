"""Short versions of the campaigns, always the same tries; and the campaigns' own judgement."""

import importlib
import os
import pathlib
import subprocess
import sys

import _tries
import fuzz_calls
import fuzz_configurations
import pytest

CAMPAIGNS = pathlib.Path(__file__).parents[2] / "campaigns"


def failures(attempt, seed, tries):
    found = [attempt(number, _tries.generator(seed, number)) for number in range(tries)]
    return [(t.what, t.wrong) for t in found if t.wrong]


def test_configurations():
    assert not failures(fuzz_configurations.attempt, 20, 120)


def test_calls(monkeypatch):
    solve = importlib.import_module("relaxon.runs.solve")
    monkeypatch.setattr(solve, "MAX_STEPS", 20)
    assert not failures(lambda number, rng: fuzz_calls.call(rng), 21, 100)


def test_the_judgement_of_a_refusal():
    wrong = fuzz_configurations.wrong_refusal
    assert wrong("relaxon: n must be positive.\n", "", 0.0) == ""
    assert "2 lines" in wrong("relaxon: n must be\npositive.\n", "", 0.0)
    assert "characters" in wrong("relaxon: " + "x" * 5000, "", 0.0)
    assert "stdout" in wrong("relaxon: n must be positive.\n", "text", 0.0)
    assert "MB" in wrong("relaxon: n must be positive.\n", "", 2e9)
    assert "0 lines" in wrong("", "", 0.0)


def test_the_judgement_of_a_command(monkeypatch):
    def broken(words):
        raise KeyError("x")

    monkeypatch.setattr("relaxon.cli.run_tokens", broken)
    assert fuzz_configurations.tried([])[0] == "traceback"
    monkeypatch.setattr("relaxon.cli.run_tokens", lambda words: 1)
    assert fuzz_configurations.tried([]) == ("ended", "code 1: ")


@pytest.mark.multiprocess
@pytest.mark.parametrize("ending", ["import os; os._exit(3)", "raise KeyError(number)"])
def test_a_crash_is_a_failure(tmp_path, ending):
    script = tmp_path / "crash.py"
    text = "import _tries\ndef attempt(number, rng):\n"
    text += f"    if number == 2:\n        {ending}\n    return _tries.Try('a', 'done')\n"
    script.write_text(f"{text}_tries.main('crash', attempt, 5)\n")
    environment = {**os.environ, "PYTHONPATH": str(CAMPAIGNS)}
    found = subprocess.run(
        [sys.executable, script], capture_output=True, env=environment, timeout=60
    )
    last = found.stdout.decode().splitlines()[-1]
    assert found.returncode == 1
    assert last == "crash: 5 tries (1 crash, 4 done), 1 failures of 1 kinds"
