"""Small runs that between them show every figure and every group of headlines.

Most were recorded by an earlier version (`tests/data/format-1`); the others are made up, or solved
here in a second.
"""

import functools
import pathlib

import numpy as np

import relaxon as rx
from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status

STORED = pathlib.Path(__file__).parent / "data" / "format-1"
R = np.linspace(0.05, 8, 60)


def made_up(status=Status.DONE, reaction=0.0, t_end=1e5, n=120, **diagnostics):
    """A relaxation with known content, as a run of a script would hold it."""
    t = np.concatenate([[0.0], np.geomspace(1e-3, t_end, n - 1)])
    spread = 1 / (1 + t[:, None])
    f = np.exp(-(R**2) / 2) * (1 + 10 * spread * np.exp(-(R**2)))
    ones = np.ones_like(t)
    scalars = {
        "mass": ones,
        "energy": 3 * (1 + 1e-15 * np.sin(np.arange(n))),
        "temperature": ones,
        "central_value": f[:, 0],
        "relative_entropy": spread[:, 0],
        "relative_fisher": spread[:, 0] ** 2,
        "relative_entropy_growth": 0 * t,
        "relative_fisher_growth": 0 * t,
        "distance_l2": np.exp(-0.1 * t ** (2 / 3)),
        "distance_m": 1 / (0.01 + t),
        "remainder": np.where(t <= 1, 0.01 * t, np.nan),
        **diagnostics,
    }
    provenance = {
        "steps": 10,
        "rejected": 0,
        "wall_time": 1.0,
        "equation": {"class": "Landau", "settings": {"reaction": reaction}},
        "grid": {"class": "RadialGrid", "settings": {"d": 3}},
        "notes": {
            "case": "made up",
            "source": "gualdani2025",
            "initial": {"type": "blowdown", "delta": 1e-2, "alpha": 0.3},
        },
    }
    return Solution(t, {"f": f}, scalars, status, {"r": R}, provenance)


def blowing_up(end=1.5):
    """A made-up run that grows like 1/(end - t)."""
    times = end * (1 - np.geomspace(1, 1e-6, 60))
    found = made_up(Status.BLOWUP, 0.5, n=60, central_value=1 / (end - times))
    return Solution(
        times, found.fields, found.diagnostics, found.status, found.coordinates, found.provenance
    )


@functools.cache
def stored(name):
    """What a run of an earlier version had recorded."""
    return rx.open(STORED / name)


@functools.cache
def solved(name, **settings):
    """A case, solved once for all tests."""
    return rx.case(name, **settings).solve()


def in_two_dimensions():
    """The reaction model in a box with walls, d = 2."""
    small = {"d": 2, "n": 6, "nodes": 10, "v_max": 5.0, "t_end": 0.002, "times": 3}
    return solved("reaction-walls", **small)


def nonlinear():
    """The reaction model on the torus."""
    return solved("reaction-p1", n=8, nodes=10, v_max=4.5, rtol=1e-3, times=5)


def linearised():
    """The linearised reaction model on the torus."""
    return solved("reaction-linear", n=4, nodes=24, t_end=3.0)


def every_kind():
    """One run of each kind, by name."""
    names = sorted(path.name for path in STORED.iterdir() if path.is_dir())
    return {
        **{name: stored(name) for name in names},
        "made up": made_up(),
        "blow-up": blowing_up(),
        "box": in_two_dimensions(),
        "torus": nonlinear(),
        "linear": linearised(),
    }
