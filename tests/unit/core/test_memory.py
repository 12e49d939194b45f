"""Memory is compared with what there is, in one sentence and before anything is allocated."""

import math
import tracemalloc

import pytest

import relaxon as rx
from relaxon.core import memory
from relaxon.core.memory import require_memory, shown_bytes, there_is


def test_bytes_in_words():
    assert shown_bytes(0) == "0 bytes"
    assert shown_bytes(999) == "999 bytes"
    assert shown_bytes(1.2e12) == "1.2 TB"
    assert shown_bytes(24 * 10**9) == "24 GB"
    assert shown_bytes(10**400) == "1000 EB"
    assert shown_bytes(math.inf) == "1000 EB"


def test_the_sentence():
    require_memory("A thing", 10, "take less")
    with pytest.raises(rx.InputError) as error:
        require_memory("A thing", 10**18, "take less")
    there = shown_bytes(there_is())
    assert (
        str(error.value) == f"A thing needs about 8 EB, more than the {there} of this machine; "
        "take less."
    )


def test_limits_of_a_container(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CGROUP", limit)
    limit.write_text("max\n")
    assert there_is() > 1e8
    limit.write_text("1000000\n")
    assert there_is() == 1e6


HUGE = {
    "radial": lambda n: rx.RadialGrid(n=n),
    "velocity": lambda n: rx.VelocityGrid(d=3, n=n),
    "torus": lambda n: rx.TorusGrid(d=2, n=n),
    "nodes": lambda n: rx.UniformNodes(1, n, 6.0),
    "mapped": lambda n: rx.MappedNodes(1, n, 1.0),
    "phase": lambda n: rx.PhaseGrid(rx.TorusGrid(1, 10**5), rx.UniformNodes(1, n // 10**5, 6.0)),
    "walls": lambda n: rx.WalledGrid(2, 10**5, rx.UniformNodes(2, 10**3, 6.0)),
    "record": lambda n: rx.Record(n=n),
}


@pytest.mark.parametrize("size", [10**12, 2**63, 10**30])
@pytest.mark.parametrize("name", HUGE)
def test_grids_and_records_that_no_machine_holds(name, size):
    with pytest.raises(rx.InputError):
        HUGE[name](size)  # imports what it needs
    tracemalloc.start()
    try:
        with pytest.raises(rx.InputError, match=r"more than the .* of this machine; "):
            HUGE[name](size)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_methods_say_what_their_matrices_need(monkeypatch):
    case = rx.case("screened-mixture", n=40)
    monkeypatch.setattr(memory, "there_is", lambda: 1e5)
    with pytest.raises(
        rx.InputError, match=r"^LenardBalescu on this RadialGrid needs about 192 kB"
    ):
        case.solve()


def test_records_count_what_they_keep(monkeypatch):
    case = rx.case("mixture", n=60)
    monkeypatch.setattr(memory, "there_is", lambda: 1e5)
    with pytest.raises(rx.InputError, match=r"A record of 110 times with 120 numbers each needs"):
        rx.solve(case.problem, 1.0, rx.Record(n=110))
