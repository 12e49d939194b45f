"""Shared data; importing relaxon switches jax to float64."""

import json
import os
import pathlib
import platform

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads slow small dense problems down
# Compiled code is shared by the processes of a test run, and kept for the next one.
os.environ.setdefault("RELAXON_CACHE", str(pathlib.Path(__file__).parents[1] / ".jax_cache"))

# The default tests wait for the compiler more than for its code, so it optimises little: half of
# their time. The slow tests run what users run (`tasks.py`), and so do the stored runs.
QUICK = ["backend_optimization_level=0", "llvm_disable_expensive_passes=true"]
QUICK += ["cpu_use_fusion_emitters=false"]
if platform.machine() == "x86_64":
    # With AVX2 jaxlib 0.10 at this level, and at no other, gets derivatives in loops wrong.
    QUICK += ["cpu_max_isa=AVX"]
os.environ.setdefault("XLA_FLAGS", " ".join(f"--xla_{flag}" for flag in QUICK))

import jax
import numpy as np
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Types and shapes are checked at every call of these modules (`relaxon.core.types`).
CHECKED = ["collisions.landau", "collisions.lenard_balescu", "collisions.fokker_planck"]
CHECKED += ["distributions.functionals", "distributions.hot_spot", "distributions.gaussians"]
CHECKED += ["grids.radial", "grids.cartesian"]
install_import_hook([f"relaxon.{name}" for name in CHECKED], "beartype.beartype")

import relaxon as rx

HERE = pathlib.Path(__file__).parent
SLOW = json.loads((HERE / "slow.json").read_text())
"""Tests of the slow suite that share a function with default ones, with the seconds they took."""

settings.register_profile("relaxon", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("relaxon")


MANY = 1000
"""Compiled programs at which a process forgets them. Each maps some 20 pieces of memory, of which
Linux allows 65 530: one process for a whole test run would come near, and end in an abort."""
COMPILED = [0]


def counted(event, seconds, **_):
    COMPILED[0] += event.endswith("backend_compile_duration")


jax.monitoring.register_event_duration_secs_listener(counted)


@pytest.fixture(autouse=True)
def few_programs():
    """Keep the number of compiled programs of a process below what the system bears."""
    yield
    if COMPILED[0] > MANY:
        COMPILED[0] = 0
        jax.clear_caches()


@pytest.fixture(scope="session")
def grid():
    """A hundred cells: the one size that most tests share, so that it is compiled once."""
    return rx.RadialGrid(d=3, n=100, r_max=12.0, r_min=0.05)


@pytest.fixture(scope="session")
def mixture(grid):
    """Two temperatures: smooth and far from equilibrium."""
    return rx.distributions.gaussian_mixture(grid, [0.5, 0.5], np.zeros((2, 3)), [0.2, 1.5])


@pytest.fixture(scope="session")
def problem(grid, mixture):
    return rx.Problem(rx.Landau(), grid, mixture)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What `slow.json` names belongs to the slow suite."""
    for item in items:
        if item.nodeid in SLOW:
            item.add_marker(pytest.mark.slow)
