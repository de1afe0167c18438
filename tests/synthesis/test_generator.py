"""Whole samples: their truth, their sides, their sizes, their seeds, their streams."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.parcels import PARCEL_NAMES, PARCELS
from medprompt_cli.networks.intensity import CEILING
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.synthesis.appearance import AppearanceRange
from medprompt_cli.synthesis.bank import PackedLabels, to_positions
from medprompt_cli.synthesis.deform import Draw, ShapeRange
from medprompt_cli.synthesis.generator import (
    Generator,
    GeneratorConfig,
    split_blocks,
)
from medprompt_cli.synthesis.lesion_model import LesionRange
from medprompt_cli.training.recipe import read_recipe

ROW = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}
PARCEL_ROW = {name: n for n, name in enumerate(PARCEL_NAMES, start=1)}
HALVES = {"left": slice(0, 8), "right": slice(8, 16)}
STILL = ShapeRange(0, 0, 0, 0, 0)
PLAIN = GeneratorConfig(
    boxes=((2, 2, 2),),
    oversample=1,
    thick=0,
    coarse=0,
    ghosts=0,
    ringing=0,
    shape=STILL,
    appearance=AppearanceRange(stripped=0),
    lesion=LesionRange(share=0),
)
FLAT = AppearanceRange(
    stripped=0, spread=0.0, bias=0.0, noise=0.0, gamma=0.0, blur=0.0, dark_air=0.0
)
"""Every label one grey, and nothing spoilt."""


def pack(ids, *layers):
    return PackedLabels("head", to_positions(ids, "head"), (1.0, 1.0, 1.0), layers)


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


@pytest.fixture(scope="session")
def parcelled(head):
    """The same head; its white matter is a left and a right insula, its middle vermis."""
    rows = np.zeros((64, 64, 64), np.uint8)
    rows[10:32, 10:54, 10:54] = PARCEL_ROW["left-insula"]
    rows[32:54, 10:54, 10:54] = PARCEL_ROW["right-insula"]
    rows[30:34, 30:34, 30:34] = MIDLINE_PARCEL
    return replace(head, layers=(rows,))


MIDLINE_PARCEL = 1 + next(n for n, parcel in enumerate(PARCELS) if parcel.side == "midline")


def same_truth(one, other):
    names = ("labels", "lesions", "parcels")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


def same(one, other):
    return torch.equal(one.images, other.images) and same_truth(one, other)


def draws(maps, config, seeds):
    """A sample of every seed, from one generator: places for lesions are found only once."""
    generator = Generator(maps, config, Draw(0))
    for seed in seeds:
        generator.draw = Draw(seed)
        yield generator.sample()


def test_samples_are_those_of_the_seed(head):
    config = GeneratorConfig(
        boxes=((2, 2, 2),), thick=0.5, coarse=0.5, streams=(2,), lesion=LesionRange(share=1.0)
    )

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
    assert rows.shape == sample.images.shape[1:] == (64, 64, 64)
    assert (rows[20:28, 20:30, 20:40] == ROW["left-hippocampus"]).all()
    assert (rows[16:20, 40:44, 20:40] == ROW["left-lateral-ventricle"]).all()
    assert (rows[8, 8:56, 8:56] == ROW["csf"]).all()
    assert not rows[:8].any()


def test_left_stays_left_whether_the_head_was_mirrored_or_not(head):
    sides = ["", *(s.side for s in BASE_STRUCTURES)]
    for sample in draws([head], PLAIN, range(50)):
        rows = sample.labels[..., 0]
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
    samples = draws([pack(ids)], PLAIN, range(60))
    seen = [set(sample.labels.unique().tolist()) for sample in samples]

    left = sum(ROW["left-hippocampus"] in rows for rows in seen)
    right = sum(ROW["right-hippocampus"] in rows for rows in seen)
    assert left + right == 60
    assert 15 < left < 45


@pytest.mark.parametrize("seed", range(6))
def test_images_are_normalised_and_have_a_truth_for_every_part(head, seed):
    config = replace(PLAIN, oversample=2, thick=0.5, coarse=0.5, shape=ShapeRange())

    sample = Generator([head], config, Draw(seed)).sample()

    assert sample.images.dtype == torch.float32
    assert sample.images.isfinite().all()
    assert 0 <= float(sample.images.min()) < float(sample.images.max()) <= CEILING
    assert float(sample.images.max()) > 0.5
    assert sample.labels.dtype == torch.uint8
    assert sample.labels.shape[:3] == sample.images.shape[1:]
    assert int(sample.labels.max()) <= len(BASE_STRUCTURES)


def test_stripping_takes_the_truth_away_with_the_image(head):
    look = AppearanceRange(stripped=1.0, noise=0.0, blur=0.0)
    config = replace(PLAIN, spacing_mm=2.0, appearance=look)

    for sample in draws([head], config, range(6)):
        brain = (sample.labels[..., 0] > 0).float()[None, None]
        near = F.max_pool3d(brain, 5, 1, 2)[0, 0] > 0  # a tool may keep a rim of two voxels
        assert 0 < near.float().mean() < 0.8
        assert not sample.images[0][~near].any()


def test_streams_share_one_truth_and_differ_in_looks(head):
    """Each image of a head gives one grey to a structure; four of five bring their own."""
    config = replace(PLAIN, streams=(3,), appearance=FLAT)
    repeats = 0

    for sample in draws([head], config, range(40)):
        assert sample.images.shape == (3, 16, 16, 16)
        assert sample.labels.shape == (16, 16, 16, 1)
        for name in ("left-hippocampus", "right-cerebral-white-matter"):
            greys = sample.images[:, sample.labels[..., 0] == ROW[name]]
            torch.testing.assert_close(greys, greys[:, :1].expand_as(greys))
        one, two, three = sample.images
        repeats += torch.equal(one, two) + torch.equal(two, three)

    assert 6 < repeats < 28  # of 80, 16 on average


def test_numbers_of_streams_are_drawn_as_listed(head):
    config = replace(PLAIN, streams=(1, 1, 1, 4))

    counts = [len(sample.images) for sample in draws([head], config, range(60))]

    assert set(counts) == {1, 4}
    assert 5 < counts.count(4) < 28


def test_parcels_are_those_of_the_map_where_nothing_is_deformed(parcelled):
    config = replace(PLAIN, spacing_mm=1.0)

    sample = Generator([parcelled], config, Draw(1)).sample()

    assert sample.parcels.dtype == torch.uint8
    assert np.array_equal(sample.parcels.numpy(), parcelled.layers[0])


def test_parcels_are_mirrored_with_the_head():
    """A map with one insula shows it where its white matter is, under the name of that side."""
    left = np.zeros((64, 64, 64), np.int16)
    left[10:32, 10:54, 10:54] = 2
    rows = np.where(left == 2, PARCEL_ROW["left-insula"], 0).astype(np.uint8)
    rows[30:34, 30:34, 30:34] = MIDLINE_PARCEL
    sides = []

    for sample in draws([pack(left, rows)], replace(PLAIN, spacing_mm=2.0), range(30)):
        labels, parcels = sample.labels[..., 0], sample.parcels
        side = "left" if (parcels == PARCEL_ROW["left-insula"]).any() else "right"
        white, insula = ROW[f"{side}-cerebral-white-matter"], PARCEL_ROW[f"{side}-insula"]
        assert set(labels.unique().tolist()) == {0, white}
        assert set(parcels.unique().tolist()) == {0, insula, MIDLINE_PARCEL}
        assert torch.equal(parcels == insula, (labels == white) & (parcels != MIDLINE_PARCEL))
        sides.append(side)

    assert 5 < sides.count("left") < 25


def test_parcels_lie_in_their_structure_however_the_head_is_deformed(parcelled):
    config = replace(PLAIN, shape=ShapeRange(), oversample=2, thick=0.5, streams=(1, 2))

    for sample in draws([parcelled], config, range(12)):
        assert sample.parcels.shape == sample.images.shape[1:]
        insula = sample.parcels == PARCEL_ROW["left-insula"]
        inside = {"left-cerebral-white-matter", "left-hippocampus", "left-lateral-ventricle"}
        rows = torch.tensor([ROW[name] for name in inside])
        assert insula.any()
        assert torch.isin(sample.labels[insula], rows).any(dim=-1).all()


def test_without_a_layer_there_are_no_parcels(head, parcelled):
    mixed = [bool(s.parcels.any()) for s in draws([head, parcelled], PLAIN, range(30))]

    assert not any(sample.parcels.any() for sample in draws([head], PLAIN, range(3)))
    assert 5 < sum(mixed) < 25


@pytest.mark.parametrize(
    ("factor", "oversample", "parts"),
    [(1.25, 2, 8), (1.5, 2, 16), (2.0, 2, 16), (3.0, 1, 3), (5.0, 1, 5)],
)
def test_thick_slices_are_painted_with_more_parts(head, factor, oversample, parts):
    config = replace(PLAIN, thick=1.0, thick_factors=(factor,), oversample=oversample)

    for sample in draws([head], config, range(3)):
        assert sorted(sample.spacing) == [4.0, 4.0, 4.0 * factor]
        assert sample.labels.shape[-1] == sample.lesions.shape[-1] == parts
        assert sample.labels.shape[:3] == sample.parcels.shape == sample.images.shape[1:]


def test_a_thick_slice_is_the_mean_of_what_it_holds(head):
    """Two greys and nothing else: a voxel's grey tells the share of each of its parts."""
    ids = np.zeros((64, 64, 64), np.int16)
    ids[9:50, 13:57, 6:59] = 16
    config = replace(PLAIN, thick=1.0, thick_factors=(2.0,), oversample=2, appearance=FLAT)

    for sample in draws([pack(ids)], config, range(6)):
        share = (sample.labels == ROW["brainstem"]).float().mean(dim=-1)
        greys = sample.images[0]
        dark, bright = greys[share == 0][0], greys[share == 1][0]
        assert 0 < float(share[share > 0].min()) < 1
        torch.testing.assert_close(greys, dark + share * (bright - dark), atol=1e-4, rtol=0)


def test_unmarked_changes_of_white_matter_are_painted_as_white_matter(head):
    ids = np.zeros((64, 64, 64), np.int16)
    ids[8:56, 8:56, 8:56] = 24
    ids[10:32, 10:54, 10:54] = 2
    ids[32:54, 10:54, 10:54] = 41
    changed = ids.copy()
    changed[20:28, 20:30, 20:40] = 25
    changed[36:44, 20:30, 20:40] = 57
    config = replace(PLAIN, streams=(2,))

    plain, marked = (draws([pack(i)], config, range(4)) for i in (ids, changed))

    assert all(map(same, plain, marked))


@pytest.mark.parametrize("spoilt", ["coarse", "ghosts", "ringing"])
def test_what_the_scanner_does_spoils_the_image_and_not_the_truth(parcelled, spoilt):
    always = replace(PLAIN, **{spoilt: 1.0})

    good, bad = (draws([parcelled], config, range(4)) for config in (PLAIN, always))

    for one, other in zip(good, bad, strict=True):
        assert same_truth(one, other)
        assert not torch.allclose(one.images, other.images, atol=0.02)


def recipes(repository):
    return sorted((repository / "examples" / "training").glob("small-*.toml"))


def test_sizes_divide_by_all_pooling_in_every_example(repository, head):
    for path in recipes(repository):
        config = replace(read_recipe(path).generator, thick=0.8)
        generator = Generator([head], config, Draw(2))
        for _ in range(200):
            for box in config.boxes:
                grid = generator._grid(box)
                sizes = [n // step for n, step in zip(grid.shape, grid.steps, strict=True)]
                levels = plan_levels(grid.image_spacing)
                assert levels[0].factors == (1, 1, 1)
                for size, factor in zip(sizes, levels[-1].factors, strict=True):
                    assert size > 0
                    assert size % factor == 0


def test_no_example_meets_the_sizes_whose_gradient_is_computed_slowly(repository, head):
    for path in recipes(repository):
        config = replace(read_recipe(path).generator, thick=0.8)
        generator = Generator([head], config, Draw(2))
        for box in config.boxes * 20:
            grid = generator._grid(box)
            coarsest = plan_levels(grid.image_spacing)[-1].factors[0] * grid.steps[0]
            assert grid.shape[0] // coarsest > 2


@given(
    steps=st.tuples(*[st.sampled_from([1, 2, 3])] * 3),
    shape=st.tuples(*[st.integers(1, 4)] * 3),
)
def test_blocks_hold_their_own_voxels(steps, shape):
    numbers = torch.arange(np.prod(shape)).reshape(shape)
    fine = numbers
    for axis in range(3):
        fine = fine.repeat_interleave(steps[axis], axis)

    blocks = split_blocks(fine, steps)

    assert blocks.shape == (*shape, np.prod(steps))
    assert (blocks == numbers[..., None]).all()


def test_every_voxel_of_a_block_is_kept():
    blocks = split_blocks(torch.arange(4 * 6 * 2).reshape(4, 6, 2), (2, 2, 2))

    assert blocks[1, 2, 0].tolist() == [32, 33, 34, 35, 44, 45, 46, 47]
