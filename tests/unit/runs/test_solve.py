"""The driver: arguments, schedules, statuses, records, resumption."""

import importlib
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.core.registry import storable
from relaxon.runs import directory as storage

SOLVE = importlib.import_module("relaxon.runs.solve")


@storable
class Half:
    """A functional that can be stored."""

    def __call__(self, t, f, grid):
        return {"half_mass": grid.integrate(f) / 2, "time_twice": 2 * t}


def same(a, b):
    np.testing.assert_array_equal(a.t, b.t)
    assert set(a.diagnostics) == set(b.diagnostics) and set(a.fields) == set(b.fields)
    for name in a.fields:
        np.testing.assert_array_equal(a.fields[name], b.fields[name])
    for name in a.diagnostics:
        np.testing.assert_array_equal(a.diagnostics[name], b.diagnostics[name])


def test_records_are_kept_at_exactly_the_times_asked_for(problem):
    solution = rx.solve(problem, 1.0, rx.Record(times=[0.3, 0.1, 0.3, 7.0]))
    np.testing.assert_array_equal(solution.t, [0.0, 0.1, 0.3, 1.0])
    assert solution.ok and solution.f.shape == (4, 100)
    np.testing.assert_allclose(solution.f[0], problem.f0, rtol=1e-12)


def test_a_run_of_no_time_returns_the_datum(problem):
    solution = rx.solve(problem, 0)
    np.testing.assert_array_equal(solution.t, [0.0])
    np.testing.assert_allclose(solution.f[0], problem.f0, rtol=1e-12)
    assert solution.ok


def test_the_shortest_run(problem):
    solution = rx.solve(problem, 1e-290, rx.Record(n=3))
    assert solution.ok and solution.t[-1] == 1e-290


def test_functionals_are_recorded_under_their_names(problem):
    functionals = {
        "half": Half(),
        "central_log": lambda t, f, grid: jnp.log(grid.at_origin(f)),
    }
    solution = rx.solve(problem, 1.0, rx.Record(n=3, functionals=functionals))
    mass = solution.diagnostics["mass"]
    np.testing.assert_allclose(solution.diagnostics["half_mass"], mass / 2, rtol=1e-15)
    np.testing.assert_array_equal(solution.diagnostics["time_twice"], 2 * solution.t)
    central = solution.diagnostics["central_value"]
    np.testing.assert_allclose(solution.diagnostics["central_log"], np.log(central), rtol=1e-14)


def test_a_second_run_compiles_nothing(problem, grid):
    rx.solve(problem, 1.0, rx.Record(n=3))
    other = rx.Problem(rx.Landau(), grid, rx.distributions.maxwellian(grid, 2.0, 0.5))
    compiled = []

    def note(event, *_, **__):
        compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        rx.solve(other, 3.0, rx.Record(n=4), rtol=1e-5)
    finally:
        jax.monitoring.clear_event_listeners()
    assert not [event for event in compiled if "backend_compile" in event]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"t_end": -1}, "t_end must be finite and >= 0, but is -1."),
        ({"t_end": float("inf")}, "t_end must be finite and >= 0, but is inf."),
        ({"t_end": "1"}, "t_end must be finite and >= 0, but is '1'."),
        ({"t_end": True}, "t_end must be finite and >= 0, but is True."),
        ({"t_end": 5e-324}, "t_end must be 0 or at least 1e-290, but is 5e-324."),
        ({"t_end": 1.0, "rtol": 0}, "rtol must lie in (0, 0.1], but is 0."),
        ({"t_end": 1.0, "rtol": 0.2}, "rtol must lie in (0, 0.1], but is 0.2."),
        ({"t_end": 1.0, "out": ""}, "A run directory must be a path, but is ''."),
    ],
)
def test_bad_arguments(problem, arguments, sentence):
    with pytest.raises(rx.InputError) as error:
        rx.solve(problem, **arguments)
    assert str(error.value) == sentence


def test_an_equation_without_a_method_is_refused(grid, mixture):
    class Other(rx.Landau):
        pass

    with pytest.raises(
        rx.InputError, match=r"no method for Other on RadialGrid; allowed: .*Landau on RadialGrid"
    ):
        rx.solve(rx.Problem(Other(), grid, mixture), 1.0)
    with pytest.raises(
        rx.InputError, match=r"equation must be one such as Landau\(\), but is of type int"
    ):
        rx.Problem(3, grid, mixture)


def test_the_step_limit_is_a_status_and_the_run_can_go_on(problem, tmp_path, monkeypatch):
    whole = rx.solve(problem, 10.0, rx.Record(n=5))
    monkeypatch.setattr(SOLVE, "MAX_STEPS", 7)
    monkeypatch.setattr(SOLVE, "CHUNK", 3)
    short = rx.solve(problem, 10.0, rx.Record(n=5), out=tmp_path / "run")
    assert short.status is rx.Status.STEP_LIMIT and not short.ok
    assert 0 < short.t[-1] < 10
    monkeypatch.undo()
    same(rx.resume(tmp_path / "run"), whole)


def test_an_interrupt_keeps_what_was_recorded(problem, tmp_path, monkeypatch):
    whole = rx.solve(problem, 10.0, rx.Record(n=5))
    real, calls = SOLVE.advance, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(SOLVE, "advance", interrupted)
    partial = rx.solve(problem, 10.0, rx.Record(n=5), out=tmp_path / "run")
    assert partial.status is rx.Status.INTERRUPTED and len(partial.t) == 3
    monkeypatch.undo()
    assert rx.open(tmp_path / "run").status is rx.Status.INTERRUPTED
    same(rx.resume(tmp_path / "run"), whole)


def test_resume_is_bit_identical_from_every_checkpoint(problem, tmp_path, monkeypatch):
    """Stop after every write of a checkpoint in turn, with checkpoints between records too."""
    monkeypatch.setattr(SOLVE, "CHUNK", 2)
    monkeypatch.setattr(SOLVE, "CHECKPOINT_SECONDS", 0.0)
    record = rx.Record(n=6, first=1e-2, functionals={"half": Half()})
    whole = rx.solve(problem, 30.0, record)
    real, count = storage.write_checkpoint, []

    class Stop(Exception):
        pass

    def counting(*arguments):
        real(*arguments)
        count.append(1)
        if len(count) == stop:
            raise Stop

    monkeypatch.setattr(storage, "write_checkpoint", counting)
    stop = 0
    rx.solve(problem, 30.0, record, out=tmp_path / "all")
    total = len(count)
    assert total > 10
    for stop in range(1, total, 2):
        count.clear()
        path = tmp_path / f"stop{stop}"
        with pytest.raises(Stop):
            rx.solve(problem, 30.0, record, out=path)
        count.clear()
        count.extend([0] * (total + 1))
        same(rx.resume(path), whole)
        same(rx.open(path), whole)


def test_resume_before_the_first_checkpoint_and_of_a_finished_run(problem, tmp_path):
    whole = rx.solve(problem, 1.0, rx.Record(n=3), out=tmp_path / "run")
    same(rx.resume(tmp_path / "run"), whole)
    (tmp_path / "run" / "checkpoint.npz").unlink()
    same(rx.resume(tmp_path / "run"), whole)


def test_a_finished_run_is_continued(problem, tmp_path):
    rx.solve(problem, 1.0, rx.Record(n=5), out=tmp_path / "run")
    longer = rx.resume(tmp_path / "run", t_end=100.0)
    direct = rx.solve(problem, 100.0, rx.Record(times=longer.t))
    assert longer.ok and longer.t[-1] == 100.0
    same(longer, direct)
    with pytest.raises(rx.InputError, match="t_end must be at least 100, where the run stands"):
        rx.resume(tmp_path / "run", t_end=50.0)


def test_resume_refuses_what_is_not_a_run(problem, tmp_path):
    with pytest.raises(rx.InputError, match="there is no such directory"):
        rx.resume(tmp_path / "none")
    rx.solve(problem, 1.0, rx.Record(n=2)).save(tmp_path / "saved")
    with pytest.raises(rx.InputError, match="holds a saved solution without a checkpoint"):
        rx.resume(tmp_path / "saved")


def test_a_full_disk_loses_nothing(problem, tmp_path, monkeypatch):
    whole = rx.solve(problem, 10.0, rx.Record(n=5))
    real, calls = storage.write_record, []

    def full(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        real(*arguments)

    monkeypatch.setattr(storage, "write_record", full)
    with pytest.raises(
        rx.StorageError, match="No space left on device; what was recorded"
    ) as error:
        rx.solve(problem, 10.0, rx.Record(n=5), out=tmp_path / "run")
    assert len(error.value.solution.t) == 3
    monkeypatch.undo()
    same(rx.resume(tmp_path / "run"), whole)


def test_an_existing_directory_is_refused_and_left_alone(problem, tmp_path):
    pathlib.Path(tmp_path / "run").mkdir()
    with pytest.raises(rx.InputError, match="exists already; choose another directory"):
        rx.solve(problem, 1.0, out=tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []


def test_an_unwritable_path_is_refused(problem, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(rx.InputError, match=r"Cannot write to .*file/run: "):
        rx.solve(problem, 1.0, out=tmp_path / "file" / "run")


def test_progress_shows_a_line(problem, capsys):
    solution = rx.solve(problem, 1.0, rx.Record(n=3), progress=True)
    assert solution.ok
    assert "drift" in capsys.readouterr().err
