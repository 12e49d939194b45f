import math

import pytest

from relaxon.errors import InputError
from relaxon.theorems.check import Check, Measurement, Unmeasured, check, checks, claim, judge


def made(measure):
    return Check("probe", "nowhere", "x > 0", "one", "x", "margin", measure)


def test_the_rule_of_the_verdict():
    assert judge(2.0, 1.0) == "holds"
    assert judge(-2.0, 1.0) == "fails"
    assert judge(0.5, 1.0) == judge(-0.5, 1.0) == judge(1.0, 1.0) == "undecided"
    assert judge(math.nan, 1.0) == judge(1.0, math.nan) == "undecided"


def test_settings_alter_a_check_without_touching_the_original():
    probe = made(lambda quick, x=1.0: Measurement(x, 0.1, x, "as told"))
    assert probe.run().verdict == "holds"
    assert probe.altered(x=-1.0).run().verdict == "fails"
    assert probe.run().verdict == "holds"


def test_a_run_that_ends_badly_is_undecided_and_says_why():
    def measure(quick):
        raise Unmeasured("The run ended with NON_FINITE.")

    verdict = made(measure).run()
    assert verdict.verdict == "undecided"
    assert "NON_FINITE" in verdict.detail
    assert verdict.to_dict()["value"] is None


def test_every_check_of_the_catalogue_is_fully_described():
    catalogue = checks()
    assert len(catalogue) >= 14
    for name, found in catalogue.items():
        assert found.name == name
        for text in (found.source, found.statement, found.family, found.measured, found.rule):
            assert len(text) > 3


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(InputError, match="'landau-c0'"):
        check("landau-c1")


def test_a_name_can_be_taken_once():
    checks()
    with pytest.raises(InputError, match="two checks"):
        claim("landau-c0", source="", statement="", family="", measured="", rule="")(lambda q: None)
