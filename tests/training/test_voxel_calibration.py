"""The threshold of a lesion's voxels: the Dice it is chosen by, and what it is on one head."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator
from medprompt_cli.synthesis.lesion_model import LesionRange
from medprompt_cli.training.voxel_calibration import (
    THRESHOLDS,
    dice_by_threshold,
    find_threshold,
)


def test_dice_at_every_threshold_is_what_counting_gives():
    draw = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(500, generator=draw) - 2
    inside = torch.rand(500, generator=draw) < (logits + 2).sigmoid()

    found = dice_by_threshold(logits, inside)

    for threshold, dice in zip(THRESHOLDS, found, strict=True):
        called = logits >= threshold
        expected = 2 * (called & inside).sum() / (called.sum() + inside.sum())
        assert dice == pytest.approx(float(expected))


def test_the_best_threshold_of_logits_that_are_too_low_is_as_much_too_low():
    inside = torch.tensor([False] * 90 + [True] * 10)
    logits = torch.where(inside, -2.9, -4.1)

    found = dice_by_threshold(logits, inside)

    assert THRESHOLDS[found == 1].tolist() == [-4.0, -3.75, -3.5, -3.25, -3.0]


@pytest.fixture
def lesioned(recipe, head):
    drawn = replace(recipe.generator, lesion=LesionRange(share=1.0))
    return lambda: Generator([head], drawn, Draw(5))


def test_a_network_that_says_too_little_gets_a_threshold_that_asks_for_less(tiny, lesioned):
    torch.manual_seed(0)
    network = VoxelNetwork(tiny).eval()

    with torch.no_grad():
        before = find_threshold(network, lesioned(), 6)
        network.lesions.bias.sub_(2.0)
        lower = find_threshold(network, lesioned(), 6)

    assert before.dice >= before.dice_at_zero
    assert lower.logit == before.logit - 2.0
    assert lower.dice == pytest.approx(before.dice)


def test_without_a_lesion_there_is_nothing_to_choose(tiny, recipe, head):
    healthy = replace(recipe.generator, lesion=LesionRange(share=0.0))

    found = find_threshold(VoxelNetwork(tiny).eval(), Generator([head], healthy, Draw(5)), 2)

    assert (found.dice, found.dice_at_zero) == (0, 0)
