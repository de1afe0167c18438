"""Calibration: a known line is found again, what cannot be told does not count."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.errors import InputError
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.networks.targets import PresenceCalibration
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator
from medprompt_cli.synthesis.lesion_model import LesionRange
from medprompt_cli.training.calibrate import (
    TARGETS,
    Examples,
    Reliability,
    calibrate,
    collect,
    fit,
    reliability,
)
from medprompt_cli.training.export import export
from medprompt_cli.training.loop import Run, train
from medprompt_cli.weights.store import load_weights

ALL = TARGETS + len(LESIONS)


@pytest.fixture
def known_line():
    """Answers drawn with log-odds that are known: slopes by sort, an offset of each lesion."""
    draw = torch.Generator().manual_seed(2)
    evidence = 3 * torch.randn(3000, ALL, 2, generator=draw)
    scale = torch.tensor([[0.8, 0.1]] * TARGETS + [[0.3, 0.5]] * len(LESIONS))
    offset = torch.cat([torch.full((TARGETS,), 1.5), torch.linspace(-1, 1, len(LESIONS))])
    chance = ((evidence * scale).sum(dim=-1) + offset).sigmoid()
    there = (torch.rand(chance.shape, generator=draw) < chance).float()
    return Examples(evidence, there, torch.ones_like(there)), scale, offset


def test_a_line_is_found_again(known_line):
    examples, scale, offset = known_line

    found_scale, found_offset = fit(examples)

    torch.testing.assert_close(found_scale, scale, atol=0.03, rtol=0)
    torch.testing.assert_close(found_offset[:TARGETS], offset[:TARGETS], atol=0.05, rtol=0)
    apart = found_offset[TARGETS:] - offset[TARGETS:]
    assert float(apart.abs().max()) < 0.4  # drawn towards lesions in general
    assert found_offset[TARGETS:].diff().gt(0).float().mean() > 0.8
    assert reliability((found_scale, found_offset), examples).error < 0.02


def test_what_cannot_be_told_does_not_count(known_line):
    examples, _, _ = known_line
    known = examples.known.clone()
    known[::3, TARGETS:] = 0
    lies = torch.where(known > 0, examples.there, 1 - examples.there)

    one = fit(Examples(examples.evidence, examples.there, known))
    other = fit(Examples(examples.evidence, lies, known))

    torch.testing.assert_close(one, other)
    judged = [
        reliability(one, Examples(examples.evidence, there, known))
        for there in (examples.there, lies)
    ]
    assert judged[0] == judged[1]


def test_reliability_is_that_of_the_formula():
    """Four answers on one lesion, of .8, .8, .8 and .3: two of the first are right."""
    chances, answers = torch.tensor([0.8, 0.8, 0.8, 0.3]), torch.tensor([1.0, 1.0, 0.0, 0.0])
    evidence, there, known = torch.zeros(4, ALL, 2), torch.zeros(4, ALL), torch.zeros(4, ALL)
    evidence[:, TARGETS + 5, 0] = torch.logit(chances)
    there[:, TARGETS + 5] = answers
    known[:, TARGETS + 5] = 1
    known[:, :TARGETS] = 1  # structures are not judged
    line = PresenceCalibration()

    found = reliability((line.scale, line.offset), Examples(evidence, there, known))

    assert found == Reliability(4, found.error, absent_right=0.5, present_right=1.0)
    assert found.error == pytest.approx((3 * 0.8 - 2) / 4 + 0.3 / 4, rel=1e-5)


@torch.inference_mode()
def test_examples_hold_what_was_drawn(recipe, head, tiny):
    """Nothing deformed: every structure of the map is there, no other, and no lesion."""
    network = VoxelNetwork(tiny).eval()
    healthy = replace(recipe.generator, lesion=LesionRange(share=0), streams=(1, 2))
    ill = replace(recipe.generator, lesion=LesionRange(share=1))

    one = collect(network, Generator([head], healthy, Draw(1)), 3)
    other = collect(network, Generator([head], ill, Draw(1)), 3)

    assert one.evidence.shape == (3, ALL, 2)
    assert one.evidence.isfinite().all()
    assert one.there.sum(dim=1).tolist() == [9, 9, 9]  # four of each side, and the fluid
    assert one.known.all()
    assert other.there[:, TARGETS + LESIONS.index("lesion")].all()


@pytest.fixture
def exported(recipe, head, tmp_path):
    """Weights of a network that was trained for two steps, and the recipe they are of."""
    train(replace(recipe, steps=2), (head,), Run(tmp_path / "run"))
    export(tmp_path / "run", tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors", replace(recipe, held_out=(head.name,))


def test_only_presence_is_changed_in_the_file(exported, head, tmp_path):
    weights, recipe = exported
    out = tmp_path / "calibrated.safetensors"

    judged = calibrate(weights, [head], recipe, 8, out)

    before, after = load_weights(weights), load_weights(out)
    changed = {n for n, t in before.tensors.items() if not torch.equal(t, after.tensors[n])}
    assert changed == {"calibration.scale", "calibration.offset"}
    assert before.tensors.keys() == after.tensors.keys()
    assert (after.network, after.finest_level) == (before.network, before.finest_level)
    assert all(after.tensors[name].isfinite().all() for name in changed)
    assert judged.images == 4
    assert 0 <= judged.error <= 1
    assert list(tmp_path.glob("*.partial")) == []
    assert calibrate(weights, [head], recipe, 8, tmp_path / "again.safetensors") == judged


def test_maps_that_were_trained_on_are_refused(exported, head, tmp_path):
    weights, recipe = exported
    recipe = replace(recipe, held_out=("seg_05.nii.gz", "seg_20.nii.gz"))

    with pytest.raises(InputError, match="is held out") as caught:
        calibrate(weights, [head], recipe, 4, tmp_path / "out.safetensors")

    assert str(caught.value) == (
        "None of 1 label maps is held out: seg_05.nii.gz, seg_20.nii.gz."
    )
    assert caught.value.remedy == (
        "Give the bank and the recipe that the weights were trained with."
    )
    assert caught.value.code == "no-images"
    assert not (tmp_path / "out.safetensors").exists()
