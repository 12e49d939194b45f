"""Runs under a confining potential: command line, storage, resumption, bad input."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.cases.catalogue import from_file
from relaxon.cli import run_tokens
from relaxon.runs import directory as storage

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


@pytest.mark.parametrize("kinetic", [True, False], ids=["kinetic", "limit"])
def test_an_interrupted_run_goes_on_bit_for_bit(kinetic, tmp_path, monkeypatch):
    if kinetic:
        problem = rx.case("reaction-confined", n=12, nodes=8).problem
    else:
        (tmp_path / "limit.toml").write_text(LIMIT)
        problem = from_file(tmp_path / "limit.toml").problem
    record = rx.Record(n=6)
    whole = rx.solve(problem, 0.5, record, 1e-3, out=tmp_path / "whole")
    write, count = storage.write_checkpoint, []

    def stop(*arguments):
        write(*arguments)
        count.append(0)
        if len(count) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(storage, "write_checkpoint", stop)
    assert not rx.solve(problem, 0.5, record, 1e-3, out=tmp_path / "part").ok
    monkeypatch.undo()
    rest = rx.resume(tmp_path / "part")
    assert whole.ok and rest.ok
    assert rest.drift("mass_difference") < 1e-13
    stored = rx.open(tmp_path / "whole")
    for name, values in whole.fields.items():
        np.testing.assert_array_equal(rest.fields[name], values, err_msg=name)
        np.testing.assert_array_equal(stored.fields[name], values, err_msg=name)
    for name, values in whole.diagnostics.items():
        np.testing.assert_array_equal(rest.diagnostics[name], values, err_msg=name)


def test_run_show_plot_and_report(tmp_path, capsys):
    out = tmp_path / "run"
    run = ["run", "reaction-confined", *words("t_end=1.0", "potential=quartic", *TINY)]
    assert run_tokens([*run, "--out", str(out), "--quiet", "--no-error"]) == 0
    capsys.readouterr()
    assert run_tokens(["show", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    settings = found["provenance"]["grid"]["settings"]["line"]["settings"]
    assert settings["potential"]["settings"]["name"] == "quartic"
    assert found["invariants"]["mass_difference"]["drift"] < 1e-13
    assert found["headlines"]["entropy_growth"]["value"] == 0
    assert "decay_rate" in found["headlines"]
    assert (out / "report.html").stat().st_size > 10_000
    for what in ("densities", "phase"):
        picture = tmp_path / f"{what}.png"
        assert run_tokens(["plot", str(out), "--what", what, "-o", str(picture)]) == 0
        assert picture.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("potential=harmonc", "Did you mean 'harmonic'?"),
        ("potential=3", "potential must be text, but is 3"),
        ("potential={stiffness=2.0}", "A potential needs a name"),
        ('potential={name="harmonic",stiffness=-1.0}', "stiffness must be positive"),
        ("grid.potential=quartic", "Unknown key in [grid] 'potential'"),
        ("epsilon=0", "epsilon must be positive"),
        ("T2=-1", "T2 must be positive"),
        ("depth=3", "depth must lie between 8 and 60"),
        ("nodes=7", "n must be an even integer"),
        ("amplitude=1.5", "must be positive"),
    ],
)
def test_bad_settings_are_one_sentence(tmp_path, capsys, setting, sentence):
    run = ["run", "reaction-confined", *words(*TINY, setting), "--out", str(tmp_path / "bad")]
    refused(run, sentence, tmp_path, capsys)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"ConfinedLine"', '"ConfinedGrid"', "The confined limit lives on a ConfinedLine"),
        ('"ConfinedLimit"', '"ConfinedReaction"', "lives on a ConfinedGrid, not on a"),
        ('"ConfinedLine"', '"TorusGrid"', "The confined limit lives on a ConfinedLine"),
        ("[run]", '[potential]\ntype = "gaussian"\n[run]', "is a key of [equation]"),
        (
            '"ConfinedLimit"\npotential = { name = "double-well", barrier = 1.0 }',
            '"DiffusionLimit"',
            "takes it from [equation]",
        ),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, capsys, old, new, sentence):
    path = tmp_path / "bad.toml"
    assert old in LIMIT
    path.write_text(LIMIT.replace(old, new))
    refused(["run", str(path), "--out", str(tmp_path / "bad")], sentence, tmp_path, capsys)


def refused(tokens, sentence, tmp_path, capsys):
    assert run_tokens(tokens) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
    assert not (tmp_path / "bad").exists()


def test_a_callable_potential_solves_but_is_not_stored(tmp_path):
    def tilted(x):
        return 0.5 * x**2 + 0.3 * np.sin(x)

    grid = rx.ConfinedGrid(rx.ConfinedLine(tilted, 12), rx.ThermalNodes(8))
    model = rx.ConfinedReaction(potential=tilted)
    data = model.local_equilibrium(1 + 0.5 * jnp.tanh(grid.line.nodes), grid)
    problem = rx.Problem(model, grid, data)
    assert rx.solve(problem, 0.1, rx.Record(n=3), 1e-3).ok
    with pytest.raises(rx.InputError, match="'tilted' was made from a callable"):
        rx.solve(problem, 0.1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(rx.InputError, match="has the potential 'quartic', but the grid"):
        rx.Problem(rx.ConfinedReaction(potential="quartic"), grid, data)
