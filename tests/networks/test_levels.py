"""Which axes are pooled and convolved, for every spacing a scanner gives."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.networks.levels import LEVELS, THICK_SLICES, plan_levels

SLACK = 1.002
"""The rules allow a thousandth, for spacings that a header holds in float32."""

spacings = st.tuples(*[st.floats(0.2, 12.0)] * 3)


def plan(spacing):
    levels = plan_levels(spacing)
    return [level.factors for level in levels], [level.extent for level in levels]


@pytest.mark.parametrize(
    ("spacing", "factors"),
    [
        ((1, 1, 1), [(1, 1, 1), (2, 2, 2), (4, 4, 4), (8, 8, 8), (16, 16, 16), (32, 32, 32)]),
        (
            (0.5, 0.5, 5),
            [(2, 2, 1), (4, 4, 1), (8, 8, 1), (16, 16, 2), (32, 32, 4), (64, 64, 8)],
        ),
        ((1, 1, 3), [(1, 1, 1), (2, 2, 1), (4, 4, 1), (8, 8, 2), (16, 16, 4), (32, 32, 8)]),
        ((0.9, 0.9, 4), [(1, 1, 1), (2, 2, 1), (4, 4, 1), (8, 8, 2), (16, 16, 4), (32, 32, 8)]),
        ((2, 2, 2), [(1, 1, 1), (2, 2, 2), (4, 4, 4), (8, 8, 8), (16, 16, 16)]),
        ((4, 4, 8), [(1, 1, 1), (2, 2, 1), (4, 4, 2), (8, 8, 4)]),
        ((1, 1, 40), [(1, 1, 1), (2, 2, 1), (4, 4, 1), (8, 8, 1), (16, 16, 1), (32, 32, 1)]),
    ],
    ids=str,
)
def test_native_voxels_in_a_voxel_of_each_level(spacing, factors):
    assert plan(spacing)[0] == factors


@pytest.mark.parametrize(
    ("spacing", "across_slices"),
    [
        ((1, 1, 1), [True] * 6),
        ((0.5, 0.5, 5), [False, False, True, True, True, True]),
        ((1, 1, 2), [True] * 6),
        ((1, 1, 3), [False, True, True, True, True, True]),
        ((0.9, 0.9, 4), [False, False, True, True, True, True]),
        ((4, 4, 8), [True] * 4),
        ((1, 1, 40), [False, False, False, False, False, True]),
    ],
    ids=str,
)
def test_kernels_reach_across_slices_once_these_are_near_enough(spacing, across_slices):
    extents = plan(spacing)[1]

    assert [extent[2] for extent in extents] == across_slices
    assert all(extent[:2] == (True, True) for extent in extents)


def test_levels_end_at_32_mm_and_begin_where_the_image_does():
    first = {step: plan_levels((step, step, step))[0].index for step in (0.3, 1, 2, 4, 9)}

    assert first == {0.3: 0, 1: 0, 2: 1, 4: 2, 9: 2}
    assert plan_levels((0.3, 0.3, 0.3))[0].factors == (4, 4, 4)
    assert all(plan_levels((s, s, s))[-1].index == LEVELS - 1 for s in first)


@given(spacings)
def test_turning_the_image_turns_the_plan(spacing):
    straight = plan_levels(spacing)
    for order in permutations(range(3)):
        turned = plan_levels(tuple(spacing[axis] for axis in order))
        for one, other in zip(straight, turned, strict=True):
            assert one.index == other.index
            for field in ("spacing", "factors", "pool", "extent"):
                values = getattr(one, field)
                assert getattr(other, field) == tuple(values[axis] for axis in order)


@given(spacings)
def test_factors_are_powers_of_two_that_pooling_multiplies(spacing):
    levels = plan_levels(spacing)
    before = levels[0].factors
    for level in levels:
        assert all(pool in {1, 2} for pool in level.pool)
        assert level.factors == tuple(f * p for f, p in zip(before, level.pool, strict=True))
        assert all(f.bit_count() == 1 for f in level.factors)
        assert level.spacing == tuple(
            s * f for s, f in zip(spacing, level.factors, strict=True)
        )
        before = level.factors


@given(spacings)
def test_kernels_stay_in_plane_exactly_where_slices_are_thick(spacing):
    for level in plan_levels(spacing):
        ratios = [step / min(level.spacing) for step in level.spacing]
        for ratio, reaches in zip(ratios, level.extent, strict=True):
            if abs(ratio / THICK_SLICES - 1) > SLACK - 1:
                assert reaches == (ratio < THICK_SLICES)


@given(spacings)
def test_an_axis_is_pooled_only_as_far_as_the_scale_of_the_level(spacing):
    for level in plan_levels(spacing):
        scale = 2.0**level.index
        for step, factor in zip(level.spacing, level.factors, strict=True):
            assert step > scale / math.sqrt(2) / SLACK
            assert factor == 1 or step < scale * math.sqrt(2) * SLACK
