"""The front door: public names, and the stub that tells editors about them."""

import importlib.util
import pathlib

import relaxon as rx

ROOT = pathlib.Path(__file__).parents[2]


def test_the_stub_is_what_the_task_writes():
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "tasks.py")
    tasks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tasks)
    assert tasks.STUB.read_text() == tasks.stub_text(), "run: python3 tasks.py stub"


def test_completion_shows_public_names_only():
    assert rx.solve is not None  # loaded submodules do not show either
    assert dir(rx) == sorted(rx.PUBLIC)
    assert rx.__all__ == list(rx.PUBLIC) == sorted(rx.PUBLIC)
