"""Killed runs, continued runs, damaged directories."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import relaxon as rx
from relaxon.cli import run_tokens

RECORDS = 150
SETTINGS = ("delta=1e-2", "n=60", f"times={RECORDS}", "first=1e-6")
CHANGES = [x for s in SETTINGS for x in ("--set", s)]


def test_a_killed_run_resumes_bit_for_bit(tmp_path):
    out = tmp_path / "killed"
    command = "import sys; from relaxon.cli import main; main(sys.argv[1:])"
    tokens = ["run", "blowdown", *CHANGES, "--out", str(out), "--quiet", "--no-error"]
    source = str(pathlib.Path(rx.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", command, *tokens], env={**os.environ, "PYTHONPATH": source}
    )
    try:
        moment = random.Random().randrange(1, RECORDS // 2)
        deadline = time.monotonic() + 120
        while _recorded(out) < moment and time.monotonic() < deadline:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.0005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = _recorded(out)
    assert moment <= kept < RECORDS, f"killed at record {moment}, {kept} were kept"
    assert not (out / "solution.zarr").exists()
    interrupted = rx.open(out)
    assert interrupted.status is rx.Status.INTERRUPTED
    assert run_tokens(["show", str(out)]) == 0

    assert run_tokens(["resume", str(out), "--quiet", "--no-error"]) == 0
    whole = tmp_path / "whole"
    assert (
        run_tokens(["run", "blowdown", *CHANGES, "--out", str(whole), "--quiet", "--no-error"]) == 0
    )
    resumed, straight = rx.open(out), rx.open(whole)
    assert resumed.ok
    np.testing.assert_array_equal(resumed.t, straight.t)
    np.testing.assert_array_equal(resumed.f, straight.f)
    for name, values in straight.diagnostics.items():
        np.testing.assert_array_equal(resumed.diagnostics[name], values, err_msg=name)


def test_resume_of_a_finished_run_changes_nothing(finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "copy")
    assert run_tokens(["resume", str(copy), "--quiet", "--no-error"]) == 0
    np.testing.assert_array_equal(rx.open(copy).f, rx.open(finished).f)


def test_resume_to_a_later_time(finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "copy")
    assert run_tokens(["resume", str(copy), "--t-end", "2", "--quiet", "--no-error"]) == 0
    longer, before = rx.open(copy), rx.open(finished)
    assert longer.t[-1] == 2.0
    assert longer.drift("energy") < 1e-12
    count = len(before.t)
    np.testing.assert_array_equal(longer.f[:count], before.f)
    assert longer.provenance["notes"] == before.provenance["notes"]
    assert (copy / "report.html").read_text() != (finished / "report.html").read_text()


@pytest.mark.parametrize("name", ["run.json", "checkpoint.npz", "initial.npz"])
def test_a_damaged_file_is_named(name, finished, tmp_path, capsys):
    copy = shutil.copytree(finished, tmp_path / "copy")
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: len(content) // 2])
    assert run_tokens(["resume", str(copy), "--t-end", "1", "--quiet", "--no-error"]) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert "damaged" in error


@pytest.mark.parametrize("name", ["zarr.json", "time", "cut", "gone"])
def test_a_damaged_store_is_refused(name, finished, tmp_path, capsys):
    copy = shutil.copytree(finished, tmp_path / "copy")
    store = copy / "solution.zarr"
    if name == "zarr.json":
        (store / "zarr.json").write_text("{")
    elif name == "time":
        shutil.rmtree(store / "time")
    else:
        chunk = next(path for path in (store / "f" / "c").rglob("*") if path.is_file())
        chunk.write_bytes(chunk.read_bytes()[:20]) if name == "cut" else chunk.unlink()
    assert run_tokens(["show", str(copy)]) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1, error
    assert "damaged" in error


def test_a_damaged_record_is_named(finished, tmp_path, capsys):
    copy = shutil.copytree(finished, tmp_path / "copy")
    shutil.rmtree(copy / "solution.zarr")
    record = sorted((copy / "records").glob("*.npz"))[3]
    record.write_bytes(b"")
    assert run_tokens(["show", str(copy)]) == 2
    assert "damaged" in capsys.readouterr().err


def _recorded(path: pathlib.Path) -> int:
    return len(list((path / "records").glob("*.npz")))
