"""Runs under a confining potential: command line, storage, resumption, bad input."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.case import case_files
from relaxon.cli import run_tokens

TINY = ["n=12", "nodes=8", "times=5", "rtol=1e-3"]
LIMIT = """
[equation]
type = "ConfinedLimit"
potential = { name = "double-well", barrier = 1.0 }

[grid]
type = "ConfinedLine"
n = 16

[initial]
type = "tilt"

[run]
t_end = 0.5
rtol = 1e-4

[record]
times = 9
first = 1e-3
"""


def words(*settings):
    return [word for one in settings for word in ("--set", one)]


def cut_short(path, records):
    """The directory of a run as it is when killed after so many records."""
    kept = sorted((path / "records").glob("*.npz"))
    assert len(kept) > records


@pytest.mark.parametrize("kinetic", [True, False], ids=["kinetic", "limit"])
def test_a_continued_run_is_the_uninterrupted_one(kinetic, tmp_path):
    """A run stopped at one of its records and resumed ends bit for bit like one that was not."""
    if kinetic:
        problem = rx.case("reaction-confined", n=12, nodes=8).problem
    else:
        (tmp_path / "limit.toml").write_text(LIMIT)
        problem = rx.case(str(tmp_path / "limit.toml")).problem
    times = np.linspace(0.1, 1.0, 10)
    whole = rx.solve(problem, 1.0, rx.Record(times=times), rtol=1e-3, out=tmp_path / "whole")
    part = rx.solve(problem, 0.5, rx.Record(times=times[:5]), rtol=1e-3, out=tmp_path / "part")
    assert whole.ok and part.ok
    longer = rx.resume(tmp_path / "part", 1.0)
    assert longer.t[-1] == whole.t[-1]
    for name, values in whole.fields.items():
        np.testing.assert_array_equal(longer.fields[name][-1], values[-1], err_msg=name)
        np.testing.assert_array_equal(rx.open(tmp_path / "whole").fields[name], values)
    assert longer.drift("mass_difference") < 1e-13
