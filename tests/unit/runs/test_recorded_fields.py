"""A record may keep some fields only; the run does not change and can be resumed."""

import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.core.errors import InputError


def problem():
    grid = rx.PhaseGrid(rx.TorusGrid(1, 12), rx.UniformNodes(1, 10, 4.5))
    model = rx.KineticReaction(epsilon=0.3)
    rho = 1 + 0.3 * jnp.cos(2 * jnp.pi * grid.x[..., 0])
    return rx.Problem(model, grid, model.local_equilibrium(rho, grid))


def test_densities_alone_are_kept_and_the_run_goes_on(tmp_path):
    path = tmp_path / "run"
    some = rx.Record(times=[0.1, 0.2], fields=("m", "rho_f"))
    first = rx.solve(problem(), 0.2, some, out=path)
    assert set(first.fields) == {"m", "rho_f"}
    later = rx.resume(path, t_end=0.3)
    assert set(later.fields) == {"m", "rho_f"}
    whole = rx.solve(problem(), 0.3, rx.Record(times=later.t))
    assert set(whole.fields) == {"f", "g", "m", "rho_f", "rho_g"}
    np.testing.assert_array_equal(later.fields["m"], whole.fields["m"])
    assert set(rx.open(path).fields) == {"m", "rho_f"}
    with pytest.raises(InputError, match="f was not recorded, only m, rho_f"):
        _ = later.f


def test_unknown_fields_are_refused_before_anything_is_written(tmp_path):
    path = tmp_path / "run"
    with pytest.raises(InputError, match="Unknown field 'rho'"):
        rx.solve(problem(), 0.1, rx.Record(fields=["rho"]), out=path)
    assert not path.exists()
    for bad in ("m", [], [3]):
        with pytest.raises(InputError, match="fields must be a list of names"):
            rx.Record(fields=bad)
