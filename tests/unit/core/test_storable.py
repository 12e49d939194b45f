"""Every storable class: an example of it is written, read, and is the same again."""

import json

import jax
import numpy as np
import pytest

import relaxon as rx
from relaxon.collisions.fokker_planck import FokkerPlanck
from relaxon.collisions.two_scale.norms import BlowdownNorms
from relaxon.core.registry import classes, from_spec, settings, to_spec
from relaxon.grids.confinement import confinement
from relaxon.reaction.equations.confined import LinearizedConfined
from relaxon.reaction.equations.confined_limit import ConfinedLimit
from relaxon.reaction.equations.kinetic import LinearizedReaction
from relaxon.reaction.equations.limit import DiffusionLimit
from relaxon.reaction.theory.modified_entropy_record import ModifiedEntropy

LINE = rx.ConfinedLine("quartic", 12, 20.0)
NODES = rx.UniformNodes(1, 8, 5.0)

EXAMPLES = [
    BlowdownNorms(1e-2, 0.3),
    rx.ConfinedGrid(LINE, rx.ThermalNodes(8, 6.0)),
    ConfinedLimit(1.0, 0.5, "harmonic"),
    LINE,
    rx.ConfinedReaction(1.0, 0.5, 0.1, "double-well"),
    confinement("double-well", barrier=1.5),
    rx.potentials.Coulomb(3, 10.0, 0.5, 0.1),
    FokkerPlanck(0.5, 2.0),
    DiffusionLimit(1.0, np.diag([0.5, 0.2])),
    rx.potentials.Gaussian(2, 0.5, 2.0),
    rx.KineticReaction("gaussian", rx.distributions.profile("algebraic", k=3), 0.1),
    rx.Landau(-2.0, 0.5),
    rx.LenardBalescu(rx.potentials.Yukawa(2, 1.0, 2.0)),
    LinearizedConfined(1.0, 0.5, 0.1, "harmonic", 2.0),
    LinearizedReaction("gaussian", "two-bump", 0.5, 2.0),
    rx.MappedNodes(2, 8, 1.5),
    ModifiedEntropy(rx.KineticReaction(), 0.5),
    rx.PhaseGrid(rx.TorusGrid(1, 8, 2.0), NODES),
    rx.distributions.profile("anisotropic", covariance=[1.0, 2.0]),
    rx.RadialGrid(2, 20, 11.0, 0.5),
    rx.ThermalNodes(8, 6.0),
    rx.TorusGrid(2, 8),
    rx.TwoScale(1e-2, 0.3),
    NODES,
    rx.VelocityGrid(2, 16, 5.0),
    rx.WalledGrid(1, 8, NODES),
    rx.potentials.Yukawa(3, 1.0, 2.0, 20.0, 0.1),
]


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)
def test_what_is_written_and_read_is_the_same(value):
    spec = to_spec(value)
    again = from_spec(json.loads(json.dumps(spec)))
    assert type(again) is type(value)
    assert to_spec(again) == spec
    first, second = jax.tree.leaves(value), jax.tree.leaves(again)
    assert len(first) == len(second)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)


def test_every_storable_class_of_the_package_has_an_example():
    ours = {name for name, cls in classes().items() if cls.__module__.startswith("relaxon.")}
    assert ours == {type(value).__name__ for value in EXAMPLES} | {"Custom"}
    with pytest.raises(rx.InputError, match="cannot be stored in a run directory"):
        to_spec(rx.potentials.Custom(3, lambda k: jax.numpy.exp(-(k**2))))


def test_settings_are_plain_values():
    assert settings(rx.potentials.Yukawa(2, 1, 2)) == {
        "d": 2,
        "amplitude": 1.0,
        "screening_length": 2.0,
        "k_min": 0.0,
    }
    tensors = settings(DiffusionLimit(np.float64(2.0)))
    assert tensors["D1"] == [[2.0, 0, 0], [0, 2.0, 0], [0, 0, 2.0]]
