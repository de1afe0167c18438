"""Closing bridges what is narrower than the ball, and nothing wider."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.segmentation.closing import closed

SPACING = (1.0, 2.0, 0.5)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("gap_mm", "bridged"), [(6, True), (14, False)])
def test_a_gap_is_bridged_if_the_ball_does_not_fit(axis, gap_mm, bridged):
    shape = [40, 24, 72]
    plates = np.zeros(shape, bool)
    middle, half = shape[axis] // 2, round(gap_mm / 2 / SPACING[axis])
    below, above, gap = ([slice(None)] * 3 for _ in range(3))
    below[axis] = slice(2, middle - half)
    above[axis], gap[axis] = (
        slice(middle + half, shape[axis] - 2),
        slice(*(middle - half, middle + half)),
    )
    plates[tuple(below)] = plates[tuple(above)] = True

    found = closed(plates, SPACING, 5.0)

    assert found[tuple(gap)].all() == bridged
    assert found[tuple(gap)].any() == bridged
    assert (found | plates == found).all()


def test_a_ball_stays_as_it_is():
    at = np.indices((30, 30, 30)) - 14.5
    ball = (at**2).sum(axis=0) <= 100

    assert np.array_equal(closed(ball, (1.0, 1.0, 1.0), 5.0), ball)


def test_a_hole_wider_than_the_ball_is_filled():
    at = np.indices((80, 80, 80)) - 39.5
    from_middle = np.sqrt((at**2).sum(axis=0))
    shell = (from_middle > 15) & (from_middle < 25)

    found = closed(shell, (1.0, 1.0, 1.0), 5.0)

    assert found[from_middle < 25].all()
    assert not found[from_middle > 26].any()


def test_the_border_of_the_image_cuts_nothing_off():
    half = np.zeros((20, 20, 20), bool)
    half[:10] = True

    assert np.array_equal(closed(half, (1.0, 1.0, 1.0), 5.0), half)


def test_nothing_and_everything_stay():
    for value in (False, True):
        mask = np.full((6, 7, 8), value)
        assert np.array_equal(closed(mask, SPACING, 5.0), mask)
