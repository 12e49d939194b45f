import numpy as np
import pytest

import relaxon as rx
from relaxon.core.errors import InputError
from relaxon.distributions.functionals import weighted_norm
from relaxon.theorems.gualdani2025.sweep import sweep


def test_a_batch_agrees_with_single_runs_in_the_order_of_the_input():
    deltas, alphas = np.array([1e-4, 1e-2, 1e-3]), np.array([0.3, 0.35, 0.1])
    found = sweep(deltas, alphas, n=120, chunk=2)
    assert np.all(found["status"] == 0)
    for k, (delta, alpha) in enumerate(zip(deltas, alphas)):
        grid = rx.RadialGrid(3, 120, 12.0, float(np.sqrt(delta) / 2))
        f0 = rx.distributions.blowdown(grid, float(delta), float(alpha))
        run = rx.solve(rx.Problem(rx.Landau(), grid, f0), 0.5, rx.Record(n=2))
        away = run.f[-1] - rx.distributions.maxwellian(grid)
        assert found["distance_m"][k] == pytest.approx(float(weighted_norm(away, grid)), rel=1e-9)
        assert found["central_value"][k] == pytest.approx(
            run.diagnostics["central_value"][-1], rel=1e-9
        )
        assert found["steps"][k] == run.provenance["steps"]


def test_the_reference_values():
    found = sweep([1e-2, 1e-3], [0.35, 0.35], n=200, rtol=1e-7)
    assert np.allclose(found["distance_m"], [1.703941, 0.975727], rtol=1e-5)
    assert np.allclose(found["central_value"], [2.527054, 1.884236], rtol=1e-5)
    assert np.allclose(found["remainder"], [0.03703, 0.02072], rtol=3e-4)


def test_bad_pairs_are_refused():
    with pytest.raises(InputError, match="equal length"):
        sweep([1e-2, 1e-3], [0.3])
    with pytest.raises(InputError, match="delta must lie"):
        sweep([1.5], [0.3])
    with pytest.raises(InputError, match="too coarse"):
        sweep([1e-12], [0.3], n=16)
