"""Observed orders of cases; synthetic sequences with known orders."""

import numpy as np
import pytest

import relaxon as rx
from relaxon.cases.catalogue import from_tables
from relaxon.cases.convergence import Convergence, Refinement
from relaxon.cli import run_tokens

SIZES = np.array([50.0, 100.0, 200.0, 400.0])


def table(values, setting="n", sizes=SIZES):
    return Refinement(setting, sizes, {"q": np.asarray(values)})


def test_an_exact_power_is_found_with_its_limit():
    found = table(2 + 3 * SIZES**-4.0)
    np.testing.assert_allclose(found.orders("q")[2:], 4, atol=1e-6)
    assert np.isnan(found.orders("q")[:2]).all()
    np.testing.assert_allclose(found.errors("q"), 3 * SIZES**-4.0, rtol=1e-6)
    assert found.kind("q") == "order 4.0"


def test_kinds():
    assert table(1 + np.exp(-SIZES / 10)).kind("q") == "spectral"
    assert table([1.0, 1.0, 1.0, 1.0 + 1e-15]).kind("q") == "exact"
    assert table([1.0, 1.1, 1.2, 1.35]).kind("q") == "unresolved"
    tolerances = 10.0 ** -np.arange(4, 8)
    steps = table(1 + tolerances**0.8, "rtol", tolerances)
    assert steps.kind("q") == "order 0.8"


def test_text_page_and_dataset():
    values = {"q": 2 + 3 * SIZES**-4.0, "mass": np.ones(4)}
    found = Convergence("name & case", 0.5, (Refinement("n", SIZES, values),))
    assert "order 4.0" in str(found) and "no change with n: mass" in str(found)
    assert "name &amp; case" in found.html() and "<td>400</td>" in found._repr_html_()
    dataset = found.to_xarray()
    assert dataset["order"].sel(setting="n", quantity="q")[-1] == pytest.approx(4)
    assert dataset["size"].sel(setting="n")[-1] == 400
    with pytest.raises(rx.InputError, match="refined setting"):
        found["nodes"]


def test_the_radial_scheme_has_order_four():
    start = rx.case("blowdown", delta=1e-2, alpha=0.35, n=50, t_end=0.1)
    found = rx.convergence(start, "n", quantities=["distance_m", "entropy", "mass"])["n"]
    assert found.orders("distance_m")[-1] == pytest.approx(4, abs=0.3)
    assert found.orders("entropy")[-1] == pytest.approx(4, abs=0.3)
    assert found.errors("distance_m")[-1] < 1e-5
    assert found.kind("mass") != "unresolved"


@pytest.mark.slow
def test_spectral_grids_are_called_so():
    tables = {
        "equation": {"type": "Landau", "gamma": 0.0, "strength": 0.1},
        "grid": {"type": "VelocityGrid", "d": 2, "n": 24, "v_max": 6.0},
        "initial": {
            "type": "gaussians",
            "weights": [1.0],
            "means": [[0.0, 0.0]],
            "variances": [[0.9, 0.5]],
        },
        "run": {"t_end": 0.5, "rtol": 1e-6},
    }
    found = rx.convergence(from_tables("pair", tables, {}), ["n"], factor=1.25)
    assert {found["n"].kind(name) for name in found["n"].values} == {"spectral"}
    start = rx.case("reaction-p1", n=8, nodes=12, epsilon=1.0, rtol=1e-5)
    found = rx.convergence(start, ["n", "rtol"], quantities=["amp1"])
    assert found["n"].kind("amp1") == "spectral"
    # The step goes like rtol^(1/2) and the scheme is of order 2.
    assert found["rtol"].orders("amp1")[-1] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"refine": "m"}, "Unknown setting to refine 'm'"),
        ({"levels": 2}, "levels must be an integer of at least 3, but is 2."),
        ({"factor": 1.0}, "factor must lie in"),
        ({"refine": []}, "refine names nothing; allowed: n, rtol."),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(rx.InputError, match=sentence):
        rx.convergence(rx.case("reaction-limit", n=8, t_end=1e-3), **arguments)


def test_a_quantity_that_is_not_recorded():
    with pytest.raises(rx.InputError, match="Unknown diagnostic 'masss'"):
        rx.convergence(rx.case("reaction-limit", n=8, t_end=1e-3), "n", quantities=["masss"])


def test_a_run_that_does_not_reach_its_end_cannot_be_compared():
    start = rx.case("blowup", n=60, t_end=3.0)
    with pytest.raises(rx.InputError, match="take a smaller t_end"):
        rx.convergence(start, "n")


def test_only_cases_converge():
    with pytest.raises(rx.InputError, match="needs a case, but got a float"):
        rx.convergence(1.0)


def test_the_command_prints_the_table_and_writes_a_page(capsys, tmp_path):
    words = ["convergence", "reaction-limit", "--set", "n=8", "--set", "t_end=1e-3"]
    page = tmp_path / "orders.html"
    chosen = ["--refine", "n", "--quantity", "amp1", "--report", str(page)]
    assert run_tokens([*words, *chosen]) == 0
    printed = capsys.readouterr().out
    assert "reaction-limit at t = 0.001" in printed and "amp1" in printed
    text = page.read_text()
    assert "<h1>Convergence of reaction-limit</h1>" in text and "<td>amp1</td>" in text
    assert run_tokens([*words, "--report", str(tmp_path / "no" / "page.html")]) == 2
    assert "there is no such directory" in capsys.readouterr().err
    assert run_tokens([*words, "--levels", "2"]) == 2
    assert "levels must be" in capsys.readouterr().err
