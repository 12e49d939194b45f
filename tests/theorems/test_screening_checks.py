"""The sum rules of duerinckx2023 on one grid of their check, held to more digits."""

from relaxon.screening.potentials import Gaussian
from relaxon.theorems.duerinckx2023.operator import mixture, sum_rule_defects


def test_the_sum_rules_hold_and_know_a_wrong_side():
    grid, f = mixture(3, 100)
    assert max(sum_rule_defects(Gaussian(3), f, grid)) < 1e-4
    assert min(sum_rule_defects(Gaussian(3), f, grid, factor=1.01)) > 5e-3
