"""Runs on disk: whole files, damaged ones, round trips."""

import json
import shutil

import numpy as np
import pytest

import relaxon as rx
from relaxon.runs import files
from relaxon.runs.files import clean_json


@pytest.fixture
def run(problem, tmp_path):
    path = tmp_path / "run"
    solution = rx.solve(problem, 1.0, rx.Record(n=3), out=path)
    return path, solution


def test_a_run_directory_reads_back(run):
    path, solution = run
    again = rx.open(path)
    np.testing.assert_array_equal(again.t, solution.t)
    np.testing.assert_array_equal(again.f, solution.f)
    np.testing.assert_array_equal(again.coordinates["r"], solution.coordinates["r"])
    assert again.status is solution.status
    assert again.provenance == solution.provenance


def test_an_unfinished_run_reads_back_as_interrupted(run):
    path, solution = run
    shutil.rmtree(path / "solution.zarr")
    (path / "records" / "000002.npz").unlink()
    (path / "checkpoint.npz").unlink()  # it says that three records are complete
    again = rx.open(path)
    assert again.status is rx.Status.INTERRUPTED and not again.ok
    np.testing.assert_array_equal(again.t, solution.t[:2])


def test_a_saved_solution_reads_back_and_is_never_overwritten(run, tmp_path):
    _, solution = run
    solution.save(tmp_path / "copy")
    np.testing.assert_array_equal(rx.open(tmp_path / "copy").f, solution.f)
    with pytest.raises(rx.InputError, match="exists already"):
        solution.save(tmp_path / "copy")


@pytest.mark.parametrize(
    "name", ["run.json", "checkpoint.npz", "initial.npz", "records/000001.npz"]
)
@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_damage_is_one_sentence(run, name, damage):
    path, _ = run
    shutil.rmtree(path / "solution.zarr")
    whole = (path / name).read_bytes()
    (path / name).write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with pytest.raises(rx.InputError, match=r"damaged|not a run directory"):
        rx.resume(path)


def test_a_damaged_store_is_one_sentence(run):
    path, _ = run
    (path / "solution.zarr" / "zarr.json").write_text("{")
    with pytest.raises(rx.InputError, match="The run directory is damaged"):
        rx.open(path)


def test_other_formats_and_other_checkpoints_are_refused(run):
    path, _ = run
    settings = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**settings, "format": 99}))
    with pytest.raises(
        rx.InputError, match="format 99, which a later version of relaxon wrote; this"
    ):
        rx.open(path)
    grid = {**settings["grid"], "settings": {**settings["grid"]["settings"], "n": 90}}
    (path / "run.json").write_text(json.dumps({**settings, "grid": grid}))
    with pytest.raises(rx.InputError):
        rx.resume(path)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.npz"
    files.write_arrays(path, {"a": np.arange(3)})
    with pytest.raises(OSError), files.whole_file(path) as stream:
        stream.write(b"half")
        raise OSError(28, "No space left on device")
    np.testing.assert_array_equal(files.read_arrays(path)[0]["a"], np.arange(3))
    assert [p.name for p in tmp_path.iterdir()] == ["x.npz"]


def test_json_holds_no_nan():
    value = {"a": np.float64(np.nan), "b": [1.0, float("inf")], "c": np.int64(2)}
    assert clean_json(value) == {"a": None, "b": [1.0, None], "c": 2}
