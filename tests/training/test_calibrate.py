"""Presence: what is fitted, how it is judged, and that the weights carry it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.errors import InputError
from medprompt_cli.training.calibrate import (
    TARGETS,
    Examples,
    calibrate,
    detection_limits,
    fit,
    reliability,
)
from medprompt_cli.training.export import export
from medprompt_cli.training.loop import Run, train
from medprompt_cli.weights.store import load_weights

COUNT = TARGETS + len(LESIONS)


@pytest.fixture
def drawn():
    """Targets that are there by a known logistic law of the evidence."""
    draw = torch.Generator().manual_seed(8)
    evidence = 3 * torch.randn(3000, COUNT, 2, generator=draw)
    logits = 0.8 * evidence[..., 0] + 0.3 * evidence[..., 1] - 1.0
    there = (torch.rand(logits.shape, generator=draw) < logits.sigmoid()).float()
    return Examples(evidence, there, torch.ones_like(there), torch.zeros(3000, len(LESIONS)))


def test_a_known_law_is_found_again(drawn):
    scale, offset = fit(drawn)

    assert scale.shape == (COUNT, 2)
    torch.testing.assert_close(
        scale, torch.tensor([0.8, 0.3]).expand(COUNT, 2), rtol=0, atol=0.05
    )
    torch.testing.assert_close(offset, torch.full((COUNT,), -1.0), rtol=0, atol=0.25)


def test_what_cannot_be_told_has_no_say(drawn):
    known = drawn.known.clone()
    known[1000:] = 0
    wrong = drawn.there.clone()
    wrong[1000:] = 1

    scale, offset = fit(replace(drawn, there=wrong, known=known))
    alone, offset_alone = fit(drawn.part(0, 1000))

    torch.testing.assert_close(scale, alone, rtol=0, atol=0.15)
    torch.testing.assert_close(offset, offset_alone, rtol=0, atol=0.6)


def test_reliability_by_hand():
    """Two classes known in two images: chances .9, .9, .1, .6; there: yes, no, no, no."""
    evidence = torch.zeros(2, COUNT, 2)
    chances = torch.tensor([[0.9, 0.9], [0.1, 0.6]])
    evidence[:, TARGETS : TARGETS + 2, 0] = torch.logit(chances)
    there = torch.zeros(2, COUNT)
    there[0, TARGETS] = 1
    known = torch.zeros(2, COUNT)
    known[:, TARGETS : TARGETS + 2] = 1
    as_it_is = torch.tensor([[1.0, 0.0]]).expand(COUNT, 2), torch.zeros(COUNT)

    found = reliability(
        as_it_is, Examples(evidence, there, known, torch.zeros(2, len(LESIONS)))
    )

    assert found.images == 2
    assert found.error == pytest.approx((abs(0.9 + 0.9 - 1) + 0.1 + 0.6) / 4, abs=1e-4)
    assert found.absent_right == pytest.approx(1 / 3)
    assert found.present_right == 1


def test_a_limit_is_the_volume_from_which_nine_of_ten_are_found():
    volume, there = torch.zeros(40, len(LESIONS)), torch.zeros(40, COUNT)
    volume[:, 0] = volume[:, 1] = torch.arange(40.0)
    there[:, TARGETS : TARGETS + 2] = 1
    there[0, TARGETS] = 0
    chance = torch.full((40, len(LESIONS)), 0.1)
    chance[19:, 0] = 0.8
    chance[33, 0] = 0.2
    chance[35:, 1] = 0.8
    examples = Examples(torch.zeros(40, COUNT, 2), there, torch.ones(40, COUNT), volume)

    limits = detection_limits(chance, examples)

    assert limits[0] == 18  # 20 of 22, the 21 from 19 on but one
    assert limits[1] == torch.inf  # five are too few to tell
    assert limits[2] == torch.inf  # never there


def test_weights_carry_what_was_fitted(recipe, head, tmp_path):
    recipe = replace(recipe, steps=2)
    train(recipe, (head,), Run(tmp_path / "run"))
    plain, fitted = tmp_path / "plain.safetensors", tmp_path / "fitted.safetensors"
    export(tmp_path / "run", plain)

    found = calibrate(plain, (head,), replace(recipe, held_out=(head.name,)), 4, fitted)

    before, after = load_weights(plain), load_weights(fitted)
    assert found.images == 2
    assert 0 <= found.error <= 1
    assert before.tensors["calibration.scale"].tolist() == [[1.0, 0.0]] * COUNT
    assert not torch.equal(
        after.tensors["calibration.scale"], before.tensors["calibration.scale"]
    )
    same = [n for n in before.tensors if not n.startswith("calibration.")]
    assert all(torch.equal(before.tensors[n], after.tensors[n]) for n in same)
    assert after.tensors["calibration.voxel"].unique().tolist() == [-found.voxel_logit]
    assert found.lesion_dice >= found.lesion_dice_at_zero
    assert (after.network, after.finest_level) == (before.network, before.finest_level)


def test_calibration_needs_a_held_out_map(recipe, head, tmp_path):
    with pytest.raises(
        InputError, match=r"^None of 1 label maps is held out: a, b\."
    ) as caught:
        calibrate(tmp_path / "w", (head,), replace(recipe, held_out=("a", "b")), 4, tmp_path)

    assert caught.value.remedy == (
        "Give the bank and the recipe that the weights were trained with."
    )
