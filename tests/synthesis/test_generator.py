"""Whole samples: their truth, their sides, their sizes, their seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.networks.intensity import CEILING
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.synthesis.appearance import AppearanceRange
from medprompt_cli.synthesis.bank import PackedLabels, to_positions
from medprompt_cli.synthesis.deform import Draw, ShapeRange
from medprompt_cli.synthesis.generator import (
    Generator,
    GeneratorConfig,
    lose_resolution,
    split_blocks,
)
from medprompt_cli.training.recipe import read_recipe

ROW = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}
HALVES = {"left": slice(0, 8), "right": slice(8, 16)}
STILL = ShapeRange(0, 0, 0, 0, 0)
PLAIN = GeneratorConfig(
    boxes=((2, 2, 2),),
    oversample=1,
    thick=0,
    coarse=0,
    shape=STILL,
    appearance=AppearanceRange(stripped=0),
)


def pack(ids):
    return PackedLabels("head", to_positions(ids, "head"), (1.0, 1.0, 1.0))


@pytest.fixture(scope="session")
def head():
    """A symmetric head: each half is the mirror image of the other, left at low I."""
    ids = np.zeros((64, 64, 64), np.int16)
    ids[4:60, 4:60, 4:60] = 515
    ids[8:56, 8:56, 8:56] = 24
    ids[10:32, 10:54, 10:54] = 2
    ids[32:54, 10:54, 10:54] = 41
    ids[20:28, 20:30, 20:40] = 17
    ids[36:44, 20:30, 20:40] = 53
    ids[16:20, 40:44, 20:40] = 136
    ids[44:48, 40:44, 20:40] = 163
    return pack(ids)


def same(one, other):
    return torch.equal(one.image, other.image) and torch.equal(one.labels, other.labels)


def test_samples_are_those_of_the_seed(head):
    config = replace(PLAIN, shape=ShapeRange(), oversample=2, thick=0.5, coarse=0.5)

    def draw(seed):
        generator = Generator([head, head], config, Draw(seed))
        return [generator.sample() for _ in range(2)]

    one, again, other = draw(5), draw(5), draw(6)

    assert all(same(a, b) for a, b in zip(one, again, strict=True))
    assert not same(one[0], one[1])
    assert not same(one[0], other[0])


def test_truth_is_the_map_where_nothing_is_deformed(head):
    sample = Generator([head], replace(PLAIN, spacing_mm=1.0), Draw(1)).sample()

    rows = sample.labels[..., 0]
    assert sample.spacing == (1, 1, 1)
    assert rows.shape == sample.image.shape == (64, 64, 64)
    assert (rows[20:28, 20:30, 20:40] == ROW["left-hippocampus"]).all()
    assert (rows[16:20, 40:44, 20:40] == ROW["left-lateral-ventricle"]).all()
    assert (rows[8, 8:56, 8:56] == ROW["csf"]).all()
    assert not rows[:8].any()


@given(seed=st.integers(0, 500))
def test_left_stays_left_whether_the_head_was_mirrored_or_not(head, seed):
    sample = Generator([head], PLAIN, Draw(seed)).sample()

    rows = sample.labels[..., 0]
    sides = ["", *(s.side for s in BASE_STRUCTURES)]
    seen = {half: set(rows[at].unique().tolist()) for half, at in HALVES.items()}
    assert {sides[row] for row in seen["left"]} <= {"", "left", "midline"}
    assert {sides[row] for row in seen["right"]} <= {"", "right", "midline"}
    assert ROW["left-hippocampus"] in seen["left"]
    assert ROW["right-lateral-ventricle"] in seen["right"]


def test_half_of_the_heads_are_mirrored(head):
    """A map with one hippocampus shows it on either side, under the name of that side."""
    ids = np.zeros((64, 64, 64), np.int16)
    ids[16:28, 16:40, 16:40] = 17
    ids[30:34, 30:34, 30:34] = 16
    seen = [
        set(Generator([pack(ids)], PLAIN, Draw(seed)).sample().labels.unique().tolist())
        for seed in range(60)
    ]

    left = sum(ROW["left-hippocampus"] in rows for rows in seen)
    right = sum(ROW["right-hippocampus"] in rows for rows in seen)
    assert left + right == 60
    assert 15 < left < 45


@pytest.mark.parametrize("seed", range(6))
def test_images_are_normalised_and_have_a_truth_for_every_part(head, seed):
    config = replace(PLAIN, oversample=2, thick=0.5, coarse=0.5, shape=ShapeRange())

    sample = Generator([head], config, Draw(seed)).sample()

    assert sample.image.dtype == torch.float32
    assert sample.image.isfinite().all()
    assert 0 <= float(sample.image.min()) < float(sample.image.max()) <= CEILING
    assert float(sample.image.max()) > 0.5
    assert sample.labels.dtype == torch.uint8
    assert sample.labels.shape == (*sample.image.shape, 8)
    assert int(sample.labels.max()) <= len(BASE_STRUCTURES)


def test_stripping_takes_the_truth_away_with_the_image(head):
    look = AppearanceRange(stripped=1.0, noise=0.0, blur=0.0)
    config = replace(PLAIN, spacing_mm=2.0, appearance=look)

    for seed in range(6):
        sample = Generator([head], config, Draw(seed)).sample()
        brain = (sample.labels[..., 0] > 0).float()[None, None]
        near = F.max_pool3d(brain, 5, 1, 2)[0, 0] > 0  # a tool may keep a rim of two voxels
        assert 0 < near.float().mean() < 0.8
        assert not sample.image[~near].any()


def recipes(repository):
    return sorted((repository / "examples" / "training").glob("*.toml"))


def test_sizes_divide_by_all_pooling_in_every_example(repository, head):
    for path in recipes(repository):
        config = replace(read_recipe(path).generator, thick=0.8)
        generator = Generator([head], config, Draw(2))
        for _ in range(200):
            for box in config.boxes:
                spacing, painted, shape = generator._grid(box)
                sizes = [n // config.oversample for n in shape]
                levels = plan_levels(spacing)
                assert levels[0].factors == (1, 1, 1)
                for size, factor in zip(sizes, levels[-1].factors, strict=True):
                    assert size > 0
                    assert size % factor == 0
                assert painted == tuple(s / config.oversample for s in spacing)


def test_no_example_meets_the_sizes_whose_gradient_is_computed_slowly(repository, head):
    for path in recipes(repository):
        config = replace(read_recipe(path).generator, thick=0.8)
        generator = Generator([head], config, Draw(2))
        for box in config.boxes * 20:
            spacing, _, shape = generator._grid(box)
            coarsest = plan_levels(spacing)[-1].factors[0] * config.oversample
            assert shape[0] // coarsest > 2


@given(step=st.sampled_from([1, 2, 3]), shape=st.tuples(*[st.integers(1, 4)] * 3))
def test_blocks_hold_their_own_voxels(step, shape):
    numbers = torch.arange(np.prod(shape)).reshape(shape)
    fine = numbers
    for axis in range(3):
        fine = fine.repeat_interleave(step, axis)

    blocks = split_blocks(fine, step)

    assert blocks.shape == (*shape, step**3)
    assert (blocks == numbers[..., None]).all()


def test_every_voxel_of_a_block_is_kept():
    rows = torch.arange(4 * 6 * 2).reshape(4, 6, 2)

    assert split_blocks(rows, 2)[1, 2, 0].tolist() == [32, 33, 34, 35, 44, 45, 46, 47]


def test_lost_resolution_keeps_the_size_and_a_constant():
    image = torch.full((9, 12, 10), 0.7)

    for seed in range(12):
        torch.testing.assert_close(lose_resolution(image, Draw(seed)), image)


def test_lost_resolution_is_lost_along_one_axis():
    image = torch.rand(12, 12, 12, generator=torch.Generator().manual_seed(1))
    before = [float(image.diff(dim=axis).square().mean()) for axis in range(3)]

    for seed in range(6):
        found = lose_resolution(image, Draw(seed))
        after = [float(found.diff(dim=axis).square().mean()) for axis in range(3)]
        kept = sorted(a / b for a, b in zip(after, before, strict=True))
        assert kept[0] < 0.25
        assert kept[0] < 0.5 * kept[1]
