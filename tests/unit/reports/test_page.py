"""What a page says beside its figures: settings as TOML, and what to cite."""

import dataclasses
import math
import pathlib
import tomllib

import numpy as np
import pytest
from report_runs import linearised, made_up, nonlinear, solved, stored

from relaxon.reports import citations
from relaxon.reports.page import run_page, to_toml

ROOT = pathlib.Path(__file__).parents[3]
SMALL = {
    "blowdown": {"name": "blowdown", "delta": 0.1, "n": 40, "t_end": 1e-3, "times": 3},
    "bi-maxwellian": {"name": "bi-maxwellian", "n": 16, "t_end": 0.01, "rtol": 1e-2},
    "reaction-limit": {"name": "reaction-limit", "n": 8, "t_end": 1e-3},
}
METHODS = ("Steinebach", "Abdulle", "Sandu", "Zhang")


def cited_methods(solution):
    return [name for name in METHODS if any(name in text for text in citations.of_run(solution))]


def test_settings_are_toml():
    settings = {
        "case": "left out",
        "description": 'a "quoted" one',
        "grid": {"type": "radial", "n": np.int64(3), "r_max": math.inf, "r_min": None},
        "equation": {"type": "reaction", "chi1": {"name": "algebraic", "k": 3.0, "theta": None}},
        "record": {"times": [0.1, 1e-7], "towards_end": False},
        "nothing": None,
    }
    assert tomllib.loads(to_toml(settings)) == {
        "description": 'a "quoted" one',
        "grid": {"type": "radial", "n": 3, "r_max": math.inf},
        "equation": {"type": "reaction", "chi1": {"name": "algebraic", "k": 3.0}},
        "record": {"times": [0.1, 1e-7], "towards_end": False},
    }


@pytest.mark.parametrize(
    ("run", "settings", "paper", "method"),
    [
        (solved, SMALL["blowdown"], "Gualdani", "Steinebach"),
        (solved, SMALL["bi-maxwellian"], "Duerinckx", "Abdulle"),
        (nonlinear, {}, "Neumann", "Zhang"),
        (solved, SMALL["reaction-limit"], "Neumann", "Sandu"),
        (linearised, {}, "Neumann", None),
    ],
)
def test_a_run_cites_what_ran(run, settings, paper, method):
    """The radial equation its Rosenbrock method, the Cartesian one a stabilised one."""
    solution = run(**settings)
    found = citations.of_run(solution)
    assert any(paper in text for text in found)
    assert cited_methods(solution) == ([] if method is None else [method])
    assert found[-1] == citations.program()
    page = run_page(solution, {})
    assert ("Steinebach" in page) == (method == "Steinebach")


def test_a_run_of_an_earlier_version_cites_the_paper_of_its_equation_and_no_method():
    found = citations.of_run(stored("radial"))
    assert ["Gualdani" in text for text in found] == [True, False]
    assert not cited_methods(stored("radial"))


def test_a_run_of_an_unknown_equation_cites_the_program():
    strange = {**made_up().provenance, "equation": {"class": "Strange", "settings": {}}}
    solution = dataclasses.replace(made_up(), provenance={**strange, "notes": {}})
    assert citations.of_run(solution) == [citations.program()]


def test_the_program_is_cited_as_the_citation_file_says():
    facts = (ROOT / "CITATION.cff").read_text()
    for words in ("The relaxon developers", "relaxon: relaxation to equilibrium in kinetic theory"):
        assert words in facts and words in citations.program()
    version = next(x.split()[1] for x in facts.splitlines() if x.startswith("version"))
    assert f"version {version}," in citations.program()
