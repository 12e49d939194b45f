"""The error for bad input and its sentences."""

import pytest

from relaxon.core.errors import InputError, require, unknown


def test_require_raises_the_sentence_only_if_the_condition_fails():
    require(True, "never seen")
    with pytest.raises(InputError, match=r"^delta must lie in \(0, 1\), but is 2\.$"):
        require(False, "delta must lie in (0, 1), but is 2.")


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


def test_unknown_names_the_nearest_and_lists_all():
    error = unknown("setting", "detla", ["delta", "alpha"])
    assert str(error) == "Unknown setting 'detla'. Did you mean 'delta'? Allowed: alpha, delta."


def test_unknown_without_a_near_name_lists_all():
    assert str(unknown("case", "zzz", ["blowdown"])) == "Unknown case 'zzz'. Allowed: blowdown."
