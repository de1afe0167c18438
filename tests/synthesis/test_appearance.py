"""Painting and spoiling: what is random, and what never is."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from medprompt_cli.synthesis.appearance import (
    LEAST_SIGMA,
    AppearanceRange,
    blur,
    draw_look,
    finish,
    paint,
    skull_mask,
    smooth_field,
    spoil,
)
from medprompt_cli.synthesis.classes import CONTRASTS, PAINT_CLASSES
from medprompt_cli.synthesis.deform import Draw

POSITION = {paint.index: n for n, paint in enumerate(PAINT_CLASSES)}
MIRROR = [POSITION[paint.mirror] for paint in PAINT_CLASSES]
PLAIN = AppearanceRange(any_contrast=0, tissue_contrast=0, dark_air=0)
KINDS = {
    "any": replace(PLAIN, any_contrast=1),
    "tissue": replace(PLAIN, tissue_contrast=1),
    "known": PLAIN,
}


@pytest.fixture
def labels():
    """Every class once, as a column of 6 by 6 voxels."""
    column = torch.arange(len(PAINT_CLASSES), dtype=torch.uint8)
    return column[:, None, None].expand(-1, 6, 6).contiguous()


@pytest.mark.parametrize("ranges", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_both_sides_share_a_mean(ranges, seed):
    means = draw_look(Draw(seed), ranges).means

    torch.testing.assert_close(means[MIRROR], means)
    assert 0 <= float(means.min()) < float(means.max()) <= 1.2


def test_known_contrasts_are_recognised():
    tissue = [paint.tissue for paint in PAINT_CLASSES]
    every = replace(PLAIN, contrasts=tuple(CONTRASTS))
    seen = set()
    for seed in range(60):
        look = draw_look(Draw(seed), every)
        far = {
            name: float(
                (look.means[1:] - torch.tensor([known[t] for t in tissue[1:]])).abs().mean()
            )
            for name, known in CONTRASTS.items()
        }
        assert look.contrast is not None
        assert far[look.contrast] < 0.15
        assert far[look.contrast] < sorted(far.values())[1] + 0.05
        seen.add(look.contrast)
    assert seen == set(CONTRASTS)


def test_contrasts_are_drawn_as_often_as_listed():
    ranges = replace(PLAIN, contrasts=("ct", "ct", "ct", "flair"))

    drawn = [draw_look(Draw(seed), ranges).contrast for seed in range(80)]

    assert set(drawn) == {"ct", "flair"}
    assert 45 < drawn.count("ct") < 75


@pytest.mark.parametrize("kind", ["any", "tissue"])
def test_a_look_like_no_contrast_names_none(kind):
    assert {draw_look(Draw(seed), KINDS[kind]).contrast for seed in range(10)} == {None}


def test_classes_of_one_tissue_look_alike_unless_any_contrast_goes():
    white = [n for n, paint in enumerate(PAINT_CLASSES) if paint.tissue == "white"]

    spreads = {
        name: torch.stack(
            [draw_look(Draw(seed), r).means[white].std() for seed in range(20)]
        ).mean()
        for name, r in KINDS.items()
    }

    assert spreads["tissue"] < 0.1
    assert spreads["known"] < 0.1
    assert spreads["any"] > 0.15


def test_voxels_are_drawn_around_the_mean_of_their_label(labels):
    still = replace(PLAIN, spread=0.0)

    look = draw_look(Draw(4), still)

    image = paint(labels, look, Draw(5), still)

    torch.testing.assert_close(image, look.means[:, None, None].expand_as(image))
    noisy = paint(labels, look, Draw(5), PLAIN)
    assert 0 < float((noisy - image).std()) < PLAIN.spread


def test_dark_air_is_exactly_zero(labels):
    look = draw_look(Draw(4), PLAIN)

    image = paint(labels, look, Draw(5), replace(PLAIN, dark_air=1.0))

    assert not image[POSITION[0]].any()
    assert image[POSITION[2]].all()


@pytest.mark.parametrize("seed", range(6))
def test_stripping_keeps_the_brain_and_never_the_skull(labels, seed):
    spaced = labels.repeat_interleave(8, 0)

    keep = skull_mask(spaced, Draw(seed))

    middle = keep[4::8].all(dim=(1, 2))
    for n, paint_class in enumerate(PAINT_CLASSES):
        if paint_class.target not in {0, 24}:
            assert middle[n]
        if paint_class.target == 0 and paint_class.index:
            assert not middle[n]


def test_a_field_is_smooth_and_of_unit_size():
    field = smooth_field(Draw(2), torch.Size((40, 44, 48)), 5)

    assert field.shape == (40, 44, 48)
    assert float(field.diff(dim=0).abs().max()) < 0.25 * float(field.max() - field.min())
    assert 0.1 < float(field.std()) < 2


def test_blur_keeps_the_sum_and_has_its_width():
    image = torch.zeros(21, 21, 21)
    image[10, 10, 10] = 1.0

    found = blur(image, (1.5, 0.0, LEAST_SIGMA / 2))

    line = found[:, 10, 10]
    places = torch.arange(21.0) - 10
    assert float(found.sum()) == pytest.approx(1, abs=1e-5)
    assert float(line.sum()) == pytest.approx(1, abs=1e-5)
    assert math.sqrt(float((line * places**2).sum())) == pytest.approx(1.5, rel=0.1)


def test_nothing_is_spoilt_by_empty_ranges():
    image = torch.rand(6, 7, 8, generator=torch.Generator().manual_seed(1))
    ranges = replace(PLAIN, bias=0.0, noise=0.0, gamma=0.0, blur=0.0)

    torch.testing.assert_close(finish(spoil(image, Draw(3), ranges), Draw(4), ranges), image)


@pytest.mark.parametrize("seed", range(10))
def test_what_comes_out_is_finite_and_never_negative(seed):
    image = torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(seed))

    found = finish(spoil(image, Draw(seed), AppearanceRange()), Draw(seed), AppearanceRange())

    assert found.isfinite().all()
    assert found.min() >= 0


def test_noise_and_gamma_leave_most_dark_air_dark():
    image = torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(1))
    image[:4] = 0

    dark = [not finish(image, Draw(s), AppearanceRange())[:4].any() for s in range(40)]

    assert 20 < sum(dark) < 40
