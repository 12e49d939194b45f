"""Every check of the catalogue comes out as expected, and every one of its spoiled twins fails."""

import pytest

from relaxon.theorems import checks

CATALOGUE = checks()

SLOW = {}
TWINS = [(name, k) for name, found in CATALOGUE.items() for k in range(len(found.twins))]


def marked(name, *values):
    return pytest.param(name, *values, marks=pytest.mark.slow if name in SLOW else ())


@pytest.mark.parametrize("name", [marked(name) for name in CATALOGUE])
def test_the_verdict_is_the_expected_one(name):
    found = CATALOGUE[name]
    verdict = found.run(quick=True)
    assert verdict.verdict == found.expected, str(verdict)


@pytest.mark.parametrize(("name", "k"), [marked(*twin) for twin in TWINS])
def test_the_spoiled_twin_fails(name, k):
    found = CATALOGUE[name]
    verdict = found.altered(**found.twins[k]).run(quick=True)
    assert verdict.verdict == "fails", str(verdict)


def test_the_table_of_slow_checks_names_checks():
    assert set(SLOW) <= set(CATALOGUE)


def test_the_catalogue_goes_by_papers_and_holds_the_refuted_statements():
    papers = [found.measure.__module__.split(".")[2] for found in CATALOGUE.values()]
    assert papers == sorted(papers)
    refuted = {name for name, found in CATALOGUE.items() if found.expected == "fails"}
    assert refuted == {"near-field-source", "bootstrap-near"}
