"""Velocities over blocks and devices: the same numbers, one exchange a step."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.numerics.devices import Velocities, velocities

SPLIT_RUN = """
import re

from relaxon.numerics.devices import use_cores

use_cores(4)
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import relaxon
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.scheme.asymptotic import Asymptotic

assert len(jax.devices()) == 4
use_cores(2)  # too late: changes nothing
grid = PhaseGrid(TorusGrid(1, 32), UniformNodes(1, 32, 6.0))
model = KineticReaction(epsilon=0.3)
rho = jnp.exp(2.0 * jnp.where(grid.x[:, 0] > 0.4, 1.0, -1.0))
f0 = model.local_equilibrium(rho, grid)
ends = []
for devices in (1, 4):
    stepper = Asymptotic(model, grid, 5e-3, devices=devices)
    run = eqx.filter_jit(
        lambda stepper, state: jax.lax.fori_loop(
            0, 12, lambda _, s: stepper.step(s, jnp.asarray(1.0)), state
        )
    )
    start = stepper.start(f0)
    ends.append(run(stepper, start))
    if devices == 4:
        step = jax.jit(lambda s: stepper.step(s, jnp.asarray(1.0)))
        text = step.lower(start).compile().as_text()
        print("reductions", len(re.findall(r" all-reduce(?:-start)?\\(", text)))
        print("other", len(re.findall(r" (?:all-gather|all-to-all|collective-permute)", text)))
one, four = ends
assert len(four.y.p.sharding.device_set) == 4
assert int(one.boxed) == int(four.boxed) > 0
for name in ("rho_f", "rho_g", "p", "q"):
    a, b = (np.asarray(getattr(end.y, name)) for end in (one, four))
    print(name, np.max(np.abs(a - b)) / np.max(np.abs(a)))
"""


def sums(fields, shared):
    (a,) = fields
    return shared * a, jnp.sum(a, axis=0), jnp.max(a, axis=0)


def test_blocks_change_nothing_but_the_order_of_sums():
    a = jnp.asarray(np.random.default_rng(0).normal(size=(12, 3)))
    whole = Velocities(None, 12).sweep(sums, (a,), jnp.asarray(2.0))
    for block in (1, 4, 6):
        parts = Velocities(None, block).sweep(sums, (a,), jnp.asarray(2.0))
        np.testing.assert_array_equal(whole[0], parts[0])
        np.testing.assert_allclose(whole[1], parts[1], rtol=1e-14)
        np.testing.assert_array_equal(whole[2], parts[2])


def test_large_problems_are_cut_into_blocks_that_divide_the_velocities():
    assert velocities(24, 32).block == 24
    large = velocities(32**2, 128**2)
    assert large.block * 128**2 <= 2**17
    assert 32**2 % large.block == 0


def test_impossible_splits_are_refused():
    with pytest.raises(InputError, match="devices must divide the 24 velocities"):
        velocities(24, 32, devices=99)
    with pytest.raises(InputError, match="devices must divide"):
        velocities(24, 32, devices=0)


def test_four_devices_give_the_result_of_one():
    """In a process of its own, because devices are fixed by the first computation."""
    done = subprocess.run(
        [sys.executable, "-c", SPLIT_RUN], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = dict(line.split() for line in done.stdout.splitlines())
    for name in ("rho_f", "rho_g", "p", "q"):
        assert float(found[name]) < 1e-13, found
    assert int(found["other"]) == 0, found
    # A sum and a maximum for f and g together, the entropy, and two more in the rare branch that
    # holds the entropy down.
    assert int(found["reductions"]) <= 5, found
