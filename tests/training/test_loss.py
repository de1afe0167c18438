"""Gathered losses against the one-hot formulas they stand for."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from medprompt_cli.training.loss import (
    HEAVIEST,
    LEAST_SIZE,
    SMOOTH,
    LesionTruth,
    lesion_loss,
    parcel_loss,
    presence_loss,
    rarity,
    segmentation_loss,
)

TARGETS = 5
CPU = torch.device("cpu")


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(1)
    return 2 * torch.randn(TARGETS + 1, 4, 5, 6, generator=generator)


def draw_rows(parts, below=TARGETS):
    generator = torch.Generator().manual_seed(2)
    return torch.randint(below, (4, 5, 6, parts), generator=generator, dtype=torch.uint8)


def naive(logits, rows):
    """Soft Dice of each target and cross-entropy, with a one-hot truth in float64."""
    truth = F.one_hot(rows.long(), TARGETS + 1).double().mean(dim=3).permute(3, 0, 1, 2)
    posterior = logits.double().softmax(dim=0)
    cross_entropy = -(truth * posterior.log()).sum(dim=0).mean()
    spaces = (1, 2, 3)
    overlap, sizes = (posterior * truth).sum(spaces), truth.sum(spaces)
    dice = (2 * overlap + SMOOTH) / (posterior.sum(spaces) + sizes + SMOOTH)
    return dice[1:].where(sizes[1:] > LEAST_SIZE, torch.nan), cross_entropy


@pytest.mark.parametrize("parts", [1, 8])
def test_loss_is_that_of_a_one_hot_truth(logits, parts):
    rows = draw_rows(parts)

    found = segmentation_loss(logits, rows)

    dice, cross_entropy = naive(logits, rows)
    assert found.dice.isnan().tolist() == [False] * (TARGETS - 1) + [True]
    torch.testing.assert_close(found.dice.double(), dice, equal_nan=True, rtol=1e-5, atol=1e-6)
    assert float(found.cross_entropy) == pytest.approx(float(cross_entropy), rel=1e-5)
    expected = float(1 - dice.nanmean() + cross_entropy)
    assert float(found.total) == pytest.approx(expected, rel=1e-5)


def test_gradient_is_that_of_a_one_hot_truth(logits):
    rows = draw_rows(8)
    one, other = (logits.clone().requires_grad_() for _ in range(2))

    segmentation_loss(one, rows).total.backward()
    dice, cross_entropy = naive(other, rows)
    (1 - dice.nanmean() + cross_entropy).backward()

    torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-7)


def test_a_perfect_answer_costs_nothing():
    rows = draw_rows(1, below=TARGETS + 1)
    logits = 50 * F.one_hot(rows[..., 0].long(), TARGETS + 1).permute(3, 0, 1, 2).float()

    found = segmentation_loss(logits, rows)

    assert float(found.total) == pytest.approx(0, abs=1e-5)
    assert found.dice.tolist() == pytest.approx([1] * TARGETS, abs=1e-5)


def test_a_crop_of_background_alone_still_has_a_gradient(logits):
    logits.requires_grad_()

    found = segmentation_loss(logits, torch.zeros(4, 5, 6, 1, dtype=torch.uint8))
    found.total.backward()

    assert found.dice.isnan().all()
    assert float(found.total.detach()) == pytest.approx(float(found.cross_entropy))
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.fixture
def truth():
    """Three classes; part 1 is of the first, part 2 of the second, perhaps of the third."""
    return LesionTruth.from_table(torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, -1]]), CPU)


def test_presence_loss_asks_for_one_voxel_of_each_target(truth):
    rows = torch.zeros(2, 2, 2, 8, dtype=torch.uint8)
    rows[0, 0, 0] = 1
    rows[1, 1, 1, :7] = 2  # seven eighths of a voxel
    parts = torch.zeros_like(rows)
    parts[0, 1, 0] = 2
    logits = torch.tensor([[3.0, -1.0, 0.0, -2.0, 2.0, 9.0]])

    found = presence_loss(logits, rows, parts, truth)

    there = math.log1p(math.exp(-3)) + math.log1p(math.exp(-2))
    not_there = math.log1p(math.exp(-1)) + math.log(2) + math.log1p(math.exp(-2))
    assert float(found) == pytest.approx((there + not_there) / 6, rel=1e-6)


def test_lesion_loss_is_that_of_the_formula(truth):
    """Class 2 is not asked about where part 2 is; part 1 fills half of one voxel."""
    parts = torch.tensor([[1, 0], [2, 2], [0, 0]], dtype=torch.uint8).reshape(3, 1, 1, 2)
    logits = torch.tensor([[0.5, -1.0, 2.0], [1.0, 3.0, -2.0], [0.0, 4.0, -1.0]])

    found, dice = lesion_loss(logits.reshape(3, 3, 1, 1), parts, truth)

    share = torch.tensor([[0.5, 0, 0], [0, 1, 0], [0, 0, 0]])
    each = F.binary_cross_entropy_with_logits(logits, share, reduction="none")
    half = 1 + 0.5 * (math.sqrt(3 / 0.5) - 1)  # what a voxel weighs that is half of class 0
    first = (half * each[0, 0] + each[0, 1] + each[0, 2]) / (half + 2)
    second = (each[1, 0] + math.sqrt(3) * each[1, 1] + each[1, 2]) / (2 + math.sqrt(3))
    p = logits.sigmoid()
    overlap = [p[0, 0] + SMOOTH, 2 * p[1, 1] + SMOOTH]
    total = [p[0].sum() + 0.5 + SMOOTH, p[1].sum() + 1 + SMOOTH]
    lost = [1 - float(a / b) for a, b in zip(overlap, total, strict=True)]
    assert dice[1] == pytest.approx(1 - lost[1], rel=1e-6)
    assert dice.isnan().tolist() == [True, False, True]  # half a voxel does not count
    expected = float(first + second + each[2][[0, 2]].mean()) + lost[1] + lost[0]
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_a_voxel_weighs_more_the_rarer_its_class_is():
    size, voxels = torch.tensor([0.0, 1.0, 25.0, 100.0]), torch.tensor(100.0).expand(4)

    assert rarity(size, voxels).tolist() == [HEAVIEST, 10.0, 2.0, 1.0]
    assert HEAVIEST == 10


def test_a_head_without_lesions_has_a_lesion_loss_with_a_gradient(truth):
    logits = torch.zeros(3, 2, 2, 2, requires_grad=True)

    found, dice = lesion_loss(logits, torch.zeros(2, 2, 2, 1, dtype=torch.uint8), truth)
    found.backward()

    assert float(found.detach()) == pytest.approx(3 * math.log(2), rel=1e-6)
    assert dice.isnan().all()
    assert logits.grad is not None
    assert (logits.grad > 0).all()


def test_parcels_compete_within_their_family_only():
    families = {"a": (0, 1), "b": (2, 3, 4)}
    logits = torch.tensor([[1.0, 7.0], [3.0, 7.0], [9.0, 0.0], [9.0, 1.0], [9.0, 2.0]])
    parcels = torch.tensor([2, 3], dtype=torch.uint8)

    found = parcel_loss(logits.reshape(5, 2, 1, 1), parcels.reshape(2, 1, 1), families)

    first = math.log1p(math.exp(-2.0))
    second = math.log(1 + math.e + math.e**2)
    assert float(found) == pytest.approx((first + second) / 2, rel=1e-6)


def test_without_parcels_nothing_is_lost():
    logits = torch.ones(5, 2, 2, 2, requires_grad=True)

    found = parcel_loss(logits, torch.zeros(2, 2, 2, dtype=torch.uint8), {"a": (0, 4)})

    assert float(found.detach()) == 0
