"""The driver: segments between recorded times, checkpoints, guards, progress."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import math
import os
import pathlib
import platform
import time
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError, require, unknown
from relaxon.core.memory import require_memory
from relaxon.core.methods import Posed
from relaxon.core.registry import from_spec, to_spec
from relaxon.core.types import Real
from relaxon.core.version import VERSION
from relaxon.runs import directory as storage
from relaxon.runs import functionals
from relaxon.runs.files import (
    FORMAT,
    create,
    damaged,
    read_arrays,
    run_path,
    seal_of,
    write_settings,
)
from relaxon.runs.lock import locked
from relaxon.runs.methods import stepper_for
from relaxon.runs.origin import FILE as ERROR
from relaxon.runs.origin import Origin
from relaxon.runs.problem import Problem, end_time, tolerance
from relaxon.runs.progress import Progress, Quiet
from relaxon.runs.record import Record
from relaxon.runs.seals import Seal
from relaxon.runs.solution import Solution, to_dataset
from relaxon.runs.store import has_store, write_dataset
from relaxon.stepping.status import Status
from relaxon.stepping.stepper import Stepper

CHUNK = 256
"""Attempted steps between looks at the clock; a chunk's end does not influence the solution."""

CHECKPOINT_SECONDS = 10.0
"""Longest time between checkpoints inside a segment."""

OUT_OF_RANGE = (
    "f0 or its Maxwellian is outside the range of double precision; rescale velocities or mass."
)

MAX_STEPS = 1_000_000

RESUMABLE = "; what was recorded before is intact, so the run can be resumed"

VERSIONS = ("relaxon", "jax", "numpy", "python")
"""What a run may be resumed with in other versions; its provenance then names those that began it
in `begun_with`."""


def solve(
    problem: Problem,
    t_end: Real,
    record: Record | None = None,
    rtol: Real = 1e-6,
    progress: bool = False,
    out: str | pathlib.Path | None = None,
) -> Solution:
    """Solve a problem from t = 0 to t_end.

    Args:
        problem: Equation, grid and initial datum.
        t_end: End time >= 0.
        record: What to keep, and when; None is 41 times spaced by logarithm.
        rtol: Error of a step relative to the distance from equilibrium, in (0, 0.1].
        progress: Show a line with time, step, drift of the invariants and the seconds left.
        out: Directory to write to as the run goes on; must not exist. A killed run can be
            taken up again with `resume`.

    Returns:
        The solution. A run that goes wrong ends early with a named status and keeps what was
        computed; it never raises for numerical reasons.

    Raises:
        InputError: t_end or rtol outside its range, an existing or unwritable `out`, no method.
        StorageError: The disk refused a write in mid-run; its `solution` holds what was computed.
    """
    require(
        isinstance(problem, Problem),
        f"The first argument must be a Problem(equation, grid, f0), but is of type "
        f"{type(problem).__name__}.",
    )
    t_end, rtol = end_time(t_end), tolerance(rtol)
    record = Record() if record is None else record
    require(
        isinstance(record, Record), f"record must be a Record, but is a {type(record).__name__}."
    )
    stepper = stepper_for(problem, rtol)
    start = _start(stepper, problem.f0)
    _require_record(record, stepper, start)
    times = record.schedule(t_end)
    path = None if out is None else run_path(out)
    run = _Run(problem, record, stepper, times, rtol, path, start)
    run.create()
    with contextlib.nullcontext() if run.path is None else locked(run.path):
        return run.go(start, 0, 0.0, progress)


def resume(path: str | pathlib.Path, t_end: Real | None = None, progress: bool = False) -> Solution:
    """Take up a run again from its directory.

    An interrupted run goes on from its last checkpoint and gives, bit for bit, what the
    uninterrupted run would have given. With `t_end` a finished run is continued. A run of an
    earlier version whose method has changed since (on Cartesian grids) is computed anew.

    Args:
        path: Directory that `solve(..., out=...)` wrote.
        t_end: New end time, not before the last recorded one; None keeps the old end.
        progress: As for `solve`.

    Raises:
        InputError: No such run, a damaged one, or t_end before what is already computed.
    """
    path = run_path(path)
    storage.settings_of(path)  # what is no run directory gets no lock
    if t_end is not None:
        t_end = end_time(t_end)
    with locked(path):
        return _resume(path, t_end, progress)


def _resume(path: pathlib.Path, t_end: float | None, progress: bool) -> Solution:
    settings = storage.settings_of(path)
    require(
        not settings.get("saved"),
        f"{path} holds a saved solution without a checkpoint; only a run written with `out` "
        "can be resumed.",
    )
    seal = seal_of(settings)
    with storage.what_is_left(path, settings):
        run, template = _stored(path, settings, seal)
        found = None
        if os.path.lexists(path / "checkpoint.npz"):
            found = storage.read_checkpoint(path, template, seal)
            if found is None and t_end is None and has_store(path):
                return dataclasses.replace(storage.open_run(path), origin=run.origin())
        state, index, spent = found or (template, 0, 0.0)
        with damaged(path / "checkpoint.npz"):
            ended = Status(int(state.code))
            if not 0 <= index <= len(run.times):
                raise ValueError("it has more records than times")
        over = index == len(run.times) or ended is not Status.FINE
        if t_end is None and over and has_store(path):
            return dataclasses.replace(storage.open_run(path), origin=run.origin())
        run.records = storage.read_records(path, index, settings)
        if t_end is None and ended is not Status.FINE:
            run.records += storage.last_record(path, index, state, settings)
    if t_end is not None:
        require(
            t_end >= float(state.t),
            f"t_end must be at least {float(state.t):g}, where the run stands, but is {t_end:g}.",
        )
    with storage.written(path):
        storage.tidy(path)
        storage.drop_store(path)
        (path / ERROR).unlink(missing_ok=True)  # the run goes on, and it is of another end
        if settings["format"] < FORMAT:
            storage.renew(path, settings, seal)
        if t_end is not None:
            run.times = _extended(run.times, index, t_end)
            write_settings(path, {**settings, "times": run.times.tolist()}, seal)
            ended = Status.FINE
    state = eqx.tree_at(lambda s: s.code, state, jnp.full_like(state.code, int(ended)))
    return run.go(state, index, spent, progress)


def origin_of(path: pathlib.Path) -> Origin:
    """What the run in a directory came from."""
    settings = storage.settings_of(path)
    with storage.what_is_left(path, settings):
        return _stored(path, settings, seal_of(settings))[0].origin()


def _stored(path: pathlib.Path, settings: Mapping[str, Any], seal: Seal) -> tuple[_Run, Any]:
    """The run that a directory describes, and the state that it began with."""
    initial, _ = read_arrays(path / "initial.npz", seal, "initial.npz", path)
    with damaged(path / "run.json"):
        f0: Any = initial["f0"] if set(initial) == {"f0"} else dict(initial)
        # Before a grid allocates anything: no side of it is longer than all of its data.
        if _largest(settings["grid"]) > max([1000, *(x.size for x in initial.values())]):
            raise ValueError("its grid is not that of the initial data")
        problem = Problem(from_spec(settings["equation"]), from_spec(settings["grid"]), f0)
        recorded = {k: from_spec(v) for k, v in settings["functionals"].items()}
        times, rtol = np.asarray(settings["times"], float), settings["rtol"]
        if times.ndim != 1 or not len(times) or not np.all(np.isfinite(times)):
            raise ValueError("its times are no list of numbers")
        if times[0] < 0 or not np.all(np.diff(times) > 0):
            raise ValueError("its times do not increase")
        if not isinstance(rtol, float) or not 0 < rtol <= 0.1:
            raise ValueError("its rtol is not in (0, 0.1]")
        stepper = stepper_for(problem, rtol)
        template = _start(stepper, problem.f0)
        notes = settings["provenance"].get("notes", {})
        record = Record(
            functionals=recorded,
            fields=settings.get("fields"),
            notes=notes,
            warnings=settings.get("warnings", ()),
        )
        _require_record(record, stepper, template)
        begun = settings["provenance"]
        run = _Run(problem, record, stepper, times, rtol, path, template, seal, begun)
        return run, template


def _largest(spec: Any) -> int:
    """The largest integer in a spec."""
    if isinstance(spec, Mapping):
        return max(map(_largest, spec.values()), default=0)
    if isinstance(spec, list):
        return max(map(_largest, spec), default=0)
    return spec if isinstance(spec, int) else 0


class _Run:
    """One run in progress: the records so far and where they are written."""

    def __init__(
        self,
        problem: Posed,
        record: Record,
        stepper: Stepper,
        times: np.ndarray,
        rtol: float,
        path: pathlib.Path | None,
        start: Any,
        seal: Seal | None = None,
        begun: Mapping[str, Any] | None = None,
    ):
        self.problem, self.record, self.stepper = problem, record, stepper
        self.times, self.rtol, self.path, self.seal = times, rtol, path, seal
        self.begun = begun or {}
        self.records: list[dict[str, np.ndarray]] = []
        self.state: Any = None
        self.coordinates = {k: np.asarray(v) for k, v in problem.grid.coordinates().items()}
        self.functionals = functionals.prepared(
            record.functionals, stepper, problem.grid, start, resumed=begun is not None
        )

    def create(self) -> None:
        """Write the run directory, if there is to be one."""
        if self.path is None:
            return
        problem = self.problem
        f0 = problem.f0 if isinstance(problem.f0, Mapping) else {"f0": problem.f0}
        settings = {
            "equation": to_spec(problem.equation),
            "grid": to_spec(problem.grid),
            "functionals": functionals.specs(self.record.functionals),
            "fields": self.record.fields and list(self.record.fields),
            "warnings": list(self.record.warnings),
            "times": self.times.tolist(),
            "rtol": self.rtol,
            "coordinates": {k: v.tolist() for k, v in self.coordinates.items()},
            "provenance": _provenance(problem, self.stepper, self.rtol, self.record.notes),
        }
        self.seal = create(self.path, settings, f0)

    def go(self, state: Any, index: int, spent: float, show: bool) -> Solution:
        """Advance through the remaining recorded times; whatever happens, what is done is kept."""
        began = time.perf_counter() - spent
        self.state = state
        status = Status(int(state.code))
        try:
            if status is Status.FINE:
                with Progress(self.times) if show else Quiet() as bar:
                    status = self._advance(index, began, bar)
        except KeyboardInterrupt:
            if not self.records:
                raise
            return self._solution(Status.INTERRUPTED, began)
        except OSError as error:
            found = self._solution(Status.INTERRUPTED, began) if self.records else None
            raise self._unwritten(error, found, RESUMABLE) from None
        solution = self._solution(status, began)
        if self.path and self.seal:
            try:
                write_dataset(self.path, to_dataset(solution), self.seal)
            except KeyboardInterrupt:
                return self._solution(Status.INTERRUPTED, began)
            except OSError as error:
                raise self._unwritten(error, solution, RESUMABLE) from None
        return solution

    def _advance(self, index: int, began: float, bar: Quiet) -> Status:
        """Chunks of steps from record to record, until the last one or a failure."""
        saved = time.perf_counter()
        while index < len(self.times):
            t_stop = jnp.asarray(self.times[index])
            self.state = advance(self.stepper, self.state, t_stop, jnp.asarray(CHUNK))
            code, arrived = Status(int(self.state.code)), float(self.state.t) >= float(t_stop)
            if code is Status.FINE and not arrived and int(self.state.steps) >= MAX_STEPS:
                code = Status.STEP_LIMIT
            # A run that fails between two records keeps its last state under the later one; an
            # unstable one ends with the record before, which is a stable state.
            unstable = code is Status.PENROSE_UNSTABLE and index > 0
            if (code is not Status.FINE or arrived) and not unstable:
                if not self._keep(index):
                    require(index > 0, OUT_OF_RANGE)
                    code = Status.NON_FINITE if code is Status.FINE else code
                elif arrived:
                    index += 1
            now = time.perf_counter()
            due = arrived or code is not Status.FINE or now - saved > CHECKPOINT_SECONDS
            if self.path and self.seal and due:
                storage.write_checkpoint(self.path, self.state, index, now - began, self.seal)
                saved = now
            bar.update(self.state, index, self.records)
            if code is not Status.FINE:
                return code
        return Status.DONE

    def _unwritten(
        self, error: OSError, solution: Solution | None, rest: str
    ) -> storage.StorageError:
        return storage.unwritten(self.path or pathlib.Path(), error, solution, rest)

    def _keep(self, index: int) -> bool:
        """Record the state; False (and nothing kept) if a distribution is not finite."""
        names, state = self.record.fields, self.state
        found = observe(self.stepper, self.functionals, self.problem.grid, names, state)
        fields, scalars = jax.device_get(found)
        if not all(np.all(np.isfinite(x)) for x in fields.values()):
            return False
        arrays = {"t": np.asarray(state.t)}
        arrays.update({f"field/{k}": np.asarray(v) for k, v in fields.items()})
        arrays.update({f"scalar/{k}": np.asarray(v) for k, v in scalars.items()})
        if self.path and self.seal:
            storage.write_record(self.path, index, arrays, self.seal)
        self.records = [*self.records[:index], arrays]
        return True

    def _solution(self, status: Status, began: float) -> Solution:
        made = _provenance(self.problem, self.stepper, self.rtol, self.record.notes)
        others = {k: self.begun[k] for k in VERSIONS if self.begun.get(k, made[k]) != made[k]}
        provenance = {
            **made,
            **({"begun_with": others} if others else {}),
            "wall_time": round(time.perf_counter() - began, 3),
            "steps": int(self.state.steps),
            "rejected": int(self.state.rejected),
        }
        found = storage.stack(self.records, status, self.coordinates, provenance)
        excused = functionals.partly(self.record.functionals)
        warnings = [*functionals.complaints(found, excused), *self.record.warnings]
        warnings += self.stepper.complaints(found.t, found.diagnostics)
        provenance["warnings"] = warnings
        return dataclasses.replace(found, provenance=provenance, origin=self.origin())

    def origin(self) -> Origin:
        """What the solution comes from."""
        again = functools.partial(_again, self.record)
        return Origin(self.problem, self.rtol, again, self.path, self.seal or Seal())


def _again(record: Record, problem: Posed, times: np.ndarray, rtol: float) -> Solution:
    """A companion run, without functionals that only the grid of the run itself can carry."""
    stepper = stepper_for(problem, rtol)
    start = _start(stepper, problem.f0)
    try:
        run = _Run(problem, record, stepper, times, rtol, None, start, begun={})
    except InputError:
        able = functionals.able(record.functionals, stepper, problem.grid, start)
        record = dataclasses.replace(record, functionals=able)
        run = _Run(problem, record, stepper, times, rtol, None, start, begun={})
    found = run.go(start, 0, 0.0, False)
    if found.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return found


@eqx.filter_jit
def advance(stepper: Stepper, state: Any, t_stop: jax.Array, attempts: jax.Array) -> Any:
    """Step until t_stop, a failure, or a number of attempts, whatever comes first."""
    limit = state.steps + state.rejected + attempts

    def go_on(s: Any) -> jax.Array:
        return (s.t < t_stop) & (s.code == Status.FINE) & (s.steps + s.rejected < limit)

    return jax.lax.while_loop(go_on, lambda s: stepper.step(s, t_stop), state)


@eqx.filter_jit
def observe(
    stepper: Stepper,
    measured: Mapping[str, Any],
    grid: Any,
    names: tuple[str, ...] | None,
    state: Any,
) -> tuple[dict, dict]:
    """Fields and scalars to record at a state; compiled once for all runs of one kind."""
    fields = stepper.fields(state)
    scalars = dict(stepper.diagnostics(state))
    for name, functional in measured.items():
        scalars.update(functionals.values(name, functional, state.t, fields, grid))
    return {name: fields[name] for name in names or fields}, scalars


def _require_record(record: Record, stepper: Stepper, state: Any) -> None:
    """Refuse names of fields that the equation does not have, and more than memory can hold."""
    known = eqx.filter_eval_shape(stepper.fields, state)
    for name in record.fields or ():
        if name not in known:
            raise unknown("field", name, known)
    each = sum(known[name].size for name in record.fields or known)
    what = f"A record of {record.count()} times with {each} numbers each"
    require_memory(what, record.count() * each, "record fewer times, or fewer `fields`")


@eqx.filter_jit
def _start(stepper: Stepper, f0: Any) -> Any:
    # Without weak types, so that the first step is compiled for all others, too.
    return jax.tree.map(lambda x: jnp.asarray(x, x.dtype), stepper.start(f0))


def _extended(times: np.ndarray, index: int, t_end: float) -> np.ndarray:
    """The recorded times of a continued run: those done, then as many per decade as before."""
    done = times[:index]
    later = times[index:][times[index:] < t_end]
    last = float(later[-1]) if len(later) else (float(done[-1]) if len(done) else 0.0)
    if t_end <= last:
        return np.concatenate([done, later])
    positive = times[times > 0]
    per_decade = 10.0
    if len(positive) > 1:
        per_decade = (len(positive) - 1) / max(math.log10(positive[-1] / positive[0]), 1e-3)
    if last <= 0 or (last < times[-1] and t_end <= times[-1]):
        extra = np.array([t_end])
    else:
        count = max(1, math.ceil(per_decade * math.log10(t_end / last)))
        extra = np.geomspace(last, t_end, count + 1)[1:]
        extra[-1] = t_end
    return np.concatenate([done, later, extra])


def _provenance(
    problem: Posed, stepper: Stepper, rtol: float, notes: Mapping[str, Any]
) -> dict[str, Any]:
    def described(value: Any) -> Any:
        try:
            return to_spec(value)
        except InputError:
            return repr(value)

    return {
        "relaxon": VERSION,
        "jax": jax.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "device": str(jax.devices()[0].device_kind),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rtol": rtol,
        "notes": dict(notes),
        "equation": described(problem.equation),
        "grid": described(problem.grid),
        "references": {
            "equation": [problem.equation.reference],
            "method": [stepper.reference] if stepper.reference else [],
        },
    }
