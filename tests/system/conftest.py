import pathlib

import pytest

from relaxon.cli import run_tokens

SMALL = ("--set", "delta=1e-2", "--set", "n=60", "--set", "times=12", "--set", "first=1e-4")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> pathlib.Path:
    """A finished run of a small case; not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "small"
    assert run_tokens(["run", "blowdown", *SMALL, "--out", str(path), "--quiet", "--no-error"]) == 0
    return path
