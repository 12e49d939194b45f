"""What rtol promises: the error in time of data that nobody tuned, in units of rtol.

`validation/tolerances.py` has the battery, 65 data, and its table.
"""

import importlib.util
import itertools
import pathlib

import numpy as np
import pytest

VALIDATION = pathlib.Path(__file__).parents[2] / "validation"


@pytest.fixture(scope="module")
def tolerances():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(VALIDATION)
        spec = importlib.util.spec_from_file_location("tolerances", VALIDATION / "tolerances.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def shares(tolerances, entries):
    """Error/rtol, shape (entries, tolerances)."""
    return np.array([found for _, _, found in tolerances.measured(entries)])


def test_tails_and_shells_on_a_hundred_cells(tolerances):
    """Tails hotter than the equilibrium, which rtol was blind to: at most .002 of it here."""
    wanted = ("T = 1, 30, rare", "shell and hot tail", "kappa = 4")
    entries = [x for x in itertools.islice(tolerances.battery(1 / 3), 28) if x[1] in wanted]
    assert len(entries) == len(wanted)
    assert np.all(shares(tolerances, entries) < 0.02)


@pytest.mark.slow
def test_the_whole_battery(tolerances):
    """Measured: medians .001 and .02, 95th percentiles 1.4 and 25, the latter from the stencils."""
    found = shares(tolerances, tolerances.battery())
    assert len(found) == 65
    assert np.all(np.median(found, axis=0) < [0.01, 0.1])
    assert np.all(np.quantile(found, 0.95, axis=0) < [2, 30])
