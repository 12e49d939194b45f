"""The same numbers in odd surroundings: no home, no terminal, ASCII, float32, -O, -W error."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import relaxon as rx

SOURCE = pathlib.Path(__file__).parents[2] / "src"
SETTINGS = {"delta": 1e-2, "n": 60, "times": 3}
ODD = {
    "LC_ALL": "C",
    "LANG": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
    "COLUMNS": "1",
    "TERM": "dumb",
    "TMPDIR": "/nonexistent",
    "MPLBACKEND": "TkAgg",
    "JAX_ENABLE_X64": "0",
    "XLA_FLAGS": f"--xla_force_host_platform_device_count=2 {os.environ.get('XLA_FLAGS', '')}",
}


@pytest.mark.multiprocess
def test_odd_surroundings(tmp_path):
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "RELAXON_CACHE": "off"}
    words = [word for key, x in SETTINGS.items() for word in ("--set", f"{key}={x}")]
    python = [sys.executable, "-O", "-W", "error", "-m", "relaxon"]
    found = subprocess.run(
        [*python, "run", "blowdown", *words, "--out", "out", "--no-error"],
        cwd=tmp_path,
        env={**kept, **ODD},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    assert b"Traceback" not in found.stderr and b"Warning" not in found.stderr
    assert found.stdout.startswith(b"status     DONE")
    odd, plain = rx.open(tmp_path / "out"), rx.case("blowdown", **SETTINGS).solve()
    np.testing.assert_allclose(odd.f, plain.f, rtol=1e-12)
