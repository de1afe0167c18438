"""What lesions look like in the image."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.synthesis.classes import CONTRASTS, PAINT_CLASSES
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_paint import BRIGHTEST, STEP, VISIBLE, paint_lesions
from medprompt_cli.synthesis.lesion_parts import PART_INDEX, PARTS

SIZE = 8
WHITE = [paint.index for paint in PAINT_CLASSES].index(2)


def known_means(contrast, lift=0.0):
    return torch.tensor([CONTRASTS[contrast][p.tissue] + lift for p in PAINT_CLASSES])


@pytest.fixture
def parts():
    """Every part once, as a cube with white matter round it, along the first axis."""
    volume = torch.zeros(len(PARTS) * 2 * SIZE, 2 * SIZE, 2 * SIZE, dtype=torch.uint8)
    for n in range(len(PARTS)):
        start = 2 * SIZE * n + SIZE // 2
        volume[start : start + SIZE, 4 : 4 + SIZE, 4 : 4 + SIZE] = n
    return volume


def paint(parts, contrast, means, seed=0):
    labels = torch.full_like(parts, WHITE)
    image = means[labels.long()]
    return paint_lesions(image, labels, parts, contrast, means, Draw(seed)), image


def mean_of(image, parts, name):
    """Mean of a part, its border left out."""
    start = 2 * SIZE * PART_INDEX[name] + SIZE // 2
    return float(image[start + 1 : start + SIZE - 1, 5 : 3 + SIZE, 5 : 3 + SIZE].mean())


def test_without_lesions_the_image_is_returned_as_it_is(parts):
    image = torch.rand(parts.shape)

    found = paint_lesions(
        image, parts, torch.zeros_like(parts), "t1", known_means("t1"), Draw(1)
    )

    assert found is image


@pytest.mark.parametrize("contrast", [*CONTRASTS, None])
def test_only_lesions_and_their_soft_borders_change(contrast, parts):
    means = known_means(contrast or "t2")

    found, image = paint(parts, contrast, means)

    changed = found != image
    near = torch.nn.functional.max_pool3d((parts > 0)[None, None].float(), 3, 1, 1)[0, 0] > 0
    assert not changed[~near].any()
    assert changed[parts > 0].float().mean() > 0.99
    assert found.isfinite().all()
    assert 0 <= float(found.min()) < float(found.max()) <= BRIGHTEST
    assert torch.equal(image, means[torch.full_like(parts, WHITE).long()])


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_parts_have_the_look_of_the_contrast(contrast, parts):
    for seed in range(4):
        found, _ = paint(parts, contrast, known_means(contrast), seed)
        for part in PARTS[1:]:
            low, high = part.look[contrast]
            assert low - 0.16 < mean_of(found, parts, part.name) < high + 0.16


def test_parts_move_with_white_matter(parts):
    plain, _ = paint(parts, "t1", known_means("t1"), 3)
    lifted, _ = paint(parts, "t1", known_means("t1", 0.1), 3)

    for name in ("ms", "glioma-core", "tumor-edema"):
        assert mean_of(lifted, parts, name) - mean_of(plain, parts, name) == pytest.approx(
            0.1, abs=0.01
        )


@pytest.mark.parametrize("contrast", ["t1", "t2", "flair", "ct", "dwi"])
@pytest.mark.parametrize(
    "pair", [("wmh", "ms"), ("glioma-core", "glioma-enhancing"), ("cyst", "cavity")]
)
def test_parts_of_one_look_cannot_be_told_apart(contrast, pair, parts):
    difference = [
        mean_of(found, parts, pair[0]) - mean_of(found, parts, pair[1])
        for found, _ in (paint(parts, contrast, known_means(contrast), s) for s in range(6))
    ]

    assert abs(sum(difference) / 6) < 0.06


def test_a_rim_lights_up_after_the_contrast_agent(parts):
    for seed in range(4):
        found, _ = paint(parts, "t1c", known_means("t1c"), seed)
        rim = mean_of(found, parts, "glioma-enhancing")
        assert rim > mean_of(found, parts, "glioma-core") + 0.15


def test_most_parts_of_an_unknown_contrast_stand_out(parts):
    generator = torch.Generator().manual_seed(8)
    steps = []
    for seed in range(30):
        means = torch.rand(len(PAINT_CLASSES), generator=generator)
        found, _ = paint(parts, None, means, seed)
        steps += [mean_of(found, parts, part.name) - float(means[WHITE]) for part in PARTS[1:]]

    sizes = torch.tensor(steps).abs()
    # mottling moves the mean of a small cube by a few hundredths
    assert float((sizes > STEP[0] - 0.05).float().mean()) >= 0.85
    assert float((sizes < STEP[0]).float().mean()) > 0.3 * (1 - VISIBLE)
    assert 0.3 < float((torch.tensor(steps) > 0).float().mean()) < 0.7
    assert float(sizes.max()) < STEP[1] + 0.2


def test_soft_borders_lie_between_lesion_and_tissue(parts):
    found, _ = paint(parts, "t2", known_means("t2"))
    soft, hard = (
        2 * SIZE * PART_INDEX[name] + SIZE // 2 for name in ("tumor-edema", "meningioma")
    )

    def face(start, offset):
        return float(found[start + offset, 5 : 3 + SIZE, 5 : 3 + SIZE].mean())

    tissue, inside = CONTRASTS["t2"]["white"], mean_of(found, parts, "tumor-edema")
    assert tissue + 0.02 < face(soft, -1) < face(soft, 0) < inside
    assert face(hard, -1) == pytest.approx(tissue)


def test_lesions_are_mottled_and_fluid_is_even(parts):
    ratios = []
    for seed in range(6):
        found, _ = paint(parts, "t2", known_means("t2"), seed)
        spread = {
            name: float(found[parts == PART_INDEX[name]].std()) for name in ("cyst", "ms")
        }
        ratios.append(spread["cyst"] / spread["ms"])
        assert spread["ms"] > 0.01

    assert sum(ratios) / 6 < 0.6


def test_the_same_seed_paints_the_same(parts):
    one, again, other = (paint(parts, None, known_means("pd"), seed)[0] for seed in (3, 3, 4))

    assert torch.equal(one, again)
    assert not torch.equal(one, other)
