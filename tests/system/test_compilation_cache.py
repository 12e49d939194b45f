"""Compiled code kept between processes: found again, and without a trace in the results."""

import os
import pathlib
import subprocess
import sys

import pytest

import relaxon as rx
from relaxon.core.compilation import cache_directory

PROGRAM = """
import hashlib, relaxon as rx
solution = rx.case("blowdown", n=40, delta=1e-2, times=3, t_end=0.05).solve()
print(hashlib.sha256(solution.f.tobytes()).hexdigest())
"""


def result(cache):
    source = str(pathlib.Path(rx.__file__).parents[1])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    environment = {**kept, "PYTHONPATH": source, "RELAXON_CACHE": cache}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.slow
def test_results_are_the_same_bit_for_bit_with_and_without_kept_code(tmp_path):
    without = result("off")
    first = result(str(tmp_path))
    kept = list(tmp_path.rglob("*-cache"))
    assert kept, "nothing was kept"
    assert result(str(tmp_path)) == first == without
    assert list(tmp_path.rglob("*-cache")) == kept, "the second process compiled again"
    for entry in kept:  # a process was killed while it wrote
        entry.write_bytes(entry.read_bytes()[:100])
    assert result(str(tmp_path)) == first


def test_where_compiled_code_is_kept(tmp_path):
    assert cache_directory({"RELAXON_CACHE": "off", "HOME": "/home/a"}) is None
    assert cache_directory({}) is None
    assert cache_directory({"HOME": "/home/a"}).parent == pathlib.Path("/home/a/.cache/relaxon")
    assert cache_directory({"XDG_CACHE_HOME": "/c"}).parent == pathlib.Path("/c/relaxon")
    chosen = cache_directory({"RELAXON_CACHE": str(tmp_path), "HOME": "/home/a"})
    assert chosen.parent == tmp_path and "jaxlib-" in chosen.name
