"""Integrals over cells of functions that jump and bend."""

import numpy as np
import pytest

from relaxon.numerics.cell_integrals import integrals_in_boxes, integrals_on_line, widened

FACES = np.linspace(0.0, 2.0, 33)


@pytest.mark.parametrize("place", [0.3, 1.0, 1.0 + 1e-15, 1.0 - 1e-9, 1.0 + 1e-4, 1.0003, 1.06])
def test_a_jump_and_a_kink_anywhere(place):
    """1.0 is a face and 1 + 1e-4 lies beyond the last node of its cell: no node sees it."""
    step = integrals_on_line(lambda x: np.where(x < place, np.exp(x), 0.25), FACES)
    assert step.values.sum() == pytest.approx(np.expm1(place) + (2 - place) / 4, abs=1e-14)
    kink = integrals_on_line(lambda x: np.abs(x - place), FACES)
    assert kink.values.sum() == pytest.approx((place**2 + (2 - place) ** 2) / 2, abs=1e-14)
    cell = int(np.argmax(FACES > place)) - 1
    for found in (step, kink):
        assert found.rough[cell] or found.rough[cell - 1]
        assert found.rough.sum() <= 3 and found.error < 1e-12


def test_several_jumps_in_one_cell_and_a_root():
    def stairs(x):
        return np.floor(np.clip(50 * x, 0, 7))

    exact = 7 * 2.0 - sum(k / 50 for k in range(1, 8))
    assert integrals_on_line(stairs, FACES).values.sum() == pytest.approx(exact, abs=1e-14)
    root = integrals_on_line(lambda x: np.sqrt(np.abs(x - 0.77)), FACES)
    assert root.values.sum() == pytest.approx((0.77**1.5 + 1.23**1.5) / 1.5, abs=1e-13)


def test_noise_comes_to_an_end():
    rng = np.random.default_rng(2)
    found = integrals_on_line(lambda x: rng.random(x.shape), np.linspace(0.0, 1.0, 5))
    assert found.rough.all() and 1e-4 < found.error < 1
    assert abs(found.values.sum() - 0.5) < 0.01


def test_smooth_functions_have_no_rough_cell():
    found = integrals_on_line(lambda x: np.exp(-8 * (x - 0.9) ** 2), FACES)
    assert not found.rough.any()
    centres = np.stack(np.meshgrid(*[np.arange(-7.5, 8) / 4] * 2), -1).reshape(-1, 2)
    found = integrals_in_boxes(lambda v: np.exp(-np.sum(v**2, -1)), centres, 0.25)
    assert not found.rough.any() and found.error == 0


def test_a_disc_over_squares():
    centres = np.stack(np.meshgrid(*[np.arange(-7.5, 8) / 4] * 2), -1).reshape(-1, 2)
    found = integrals_in_boxes(lambda v: np.where(np.sum(v**2, -1) < 1.7, 2.0, 0.0), centres, 0.25)
    assert abs(found.values.sum() - 2 * np.pi * 1.7) < min(found.error, 1e-4)
    assert found.values.min() >= 0 and found.values.max() == pytest.approx(0.125)


def test_neighbours_of_marked_cells():
    assert widened(np.array([0, 0, 1, 0, 0], bool)).tolist() == [False, True, True, True, False]
    square = np.zeros((3, 3), bool)
    square[1, 1] = True
    assert widened(square).sum() == 5
