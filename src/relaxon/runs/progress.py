"""The progress line of a run."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from relaxon.core.invariants import INVARIANTS, scale_of


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def update(self, state: Any, index: int, records: list) -> None:
        """Ignore the news."""


class Progress(Quiet):
    """One line: time, step size, drift of the invariants, seconds left."""

    def __init__(self, times: np.ndarray):
        self.times = times

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("t = {task.fields[t]:.3e}"),
            BarColumn(bar_width=24),
            TextColumn("dt {task.fields[dt]:.1e}  steps {task.fields[steps]}"),
            TextColumn("drift {task.fields[drift]:.1e}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
        )
        fields: dict[str, Any] = {"t": 0.0, "dt": 0.0, "steps": 0, "drift": 0.0}
        self.task = self.bar.add_task("run", total=len(self.times), **fields)
        self.bar.start()
        self.began = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def update(self, state: Any, index: int, records: list) -> None:
        """Move the bar to `index` complete records plus the fraction of the current segment."""
        self.bar.update(
            self.task,
            completed=index + self._inside(float(state.t), index),
            t=float(state.t),
            dt=float(state.dt),
            steps=int(state.steps),
            drift=drift(records),
        )

    def _inside(self, t: float, index: int) -> float:
        if index == 0 or index >= len(self.times):
            return 0.0
        low, high = self.times[index - 1], self.times[index]
        return float(np.clip((t - low) / (high - low), 0.0, 1.0))


def drift(records: list) -> float:
    """Largest relative change of an invariant between the first and the last record."""
    worst = 0.0
    if records:
        for name in INVARIANTS:
            key = f"scalar/{name}"
            if key in records[0]:
                first, last = float(records[0][key]), float(records[-1][key])
                worst = max(worst, abs(last - first) / scale_of(name, first))
    return worst
