"""Tables of files follow from the signature of what they build."""

import inspect

import pytest

from relaxon.cases import files as config
from relaxon.core.entries import entries
from relaxon.core.registry import discover

discover()
TYPES = [(table, kind) for table in config.TYPED for kind in entries(table)]
GIVEN = {
    "equation": {"potential"},
    "potential": {"d"},
    "grid": {"width", "equation"},
    "initial": {"grid", "equation"},
}


@pytest.mark.parametrize(("table", "kind"), TYPES)
def test_every_key_has_the_default_of_the_constructor(table, kind):
    fields = config.section(table, kind).model_fields
    signature = inspect.signature(entries(table)[kind].build).parameters
    common = set(config.BASES[table].model_fields) if table in config.BASES else set()
    for name in fields.keys() - common:
        default = signature[name].default
        assert fields[name].is_required() == (default is inspect.Parameter.empty)
        assert fields[name].is_required() or fields[name].default == default
    assert signature.keys() - fields.keys() <= GIVEN[table]


def test_the_keys_of_files_are_those_of_before():
    """A file of a user stays valid."""
    keys = {f"{t}.{k}": sorted(config.section(t, k).model_fields) for t, k in TYPES}
    profiles = ["T1", "T2", "chi1", "chi2"]
    phase = ["d", "dv", "length", "n", "nodes", "scale", "v_max"]
    rescaling = ["delta", "exponent"]
    wanted = {
        "equation.Landau": ["gamma", "reaction", "strength"],
        "equation.LenardBalescu": [],
        "equation.TwoScale": ["alpha", "delta"],
        "equation.KineticReaction": [*profiles, "epsilon"],
        "equation.LinearizedReaction": [*profiles, "epsilon", "rho_inf"],
        "equation.DiffusionLimit": profiles,
        "equation.ConfinedReaction": ["T1", "T2", "epsilon", "potential"],
        "equation.ConfinedLimit": ["T1", "T2", "potential"],
        "potential.gaussian": ["amplitude", *rescaling, "length"],
        "potential.yukawa": ["amplitude", *rescaling, "k_max", "k_min", "screening_length"],
        "potential.coulomb": ["amplitude", *rescaling, "k_max", "k_min"],
        "grid.RadialGrid": ["d", "n", "r_max", "r_min"],
        "grid.VelocityGrid": ["d", "n", "v_max"],
        "grid.TorusGrid": ["d", "length", "n"],
        "grid.PhaseGrid": phase,
        "grid.WalledGrid": phase,
        "grid.ConfinedLine": ["depth", "n"],
        "grid.ConfinedGrid": ["depth", "n", "nodes", "xi_max"],
        "initial.blowdown": ["alpha", "delta"],
        "initial.mixture": ["temperatures", "weights"],
        "initial.gaussians": ["means", "variances", "weights"],
        "initial.beams": ["drift", "temperature"],
        "initial.wave": ["amplitude", "mean"],
        "initial.tilt": ["amplitude", "mean", "slope"],
        "initial.islands": ["size", "strength"],
    }
    assert {name: keys[name] for name in wanted} == {k: sorted(x) for k, x in wanted.items()}
