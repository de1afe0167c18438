"""Training: learns, resumes with the same curve, and stays honest on what it did not see."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from medprompt_cli.errors import DeviceError, InputError, WeightsError
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.networks.targets import PresenceCalibration
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.lesion_model import LesionRange
from medprompt_cli.training import loop
from medprompt_cli.training.export import export
from medprompt_cli.training.loop import (
    Run,
    train,
    validate,
)
from medprompt_cli.training.start import starting_weights
from medprompt_cli.training.state import new_state
from medprompt_cli.weights.store import load_weights

CPU = torch.device("cpu")
CALIBRATION = {f"calibration.{name}" for name in ("scale", "offset", "voxel", "limit_ml")}


@pytest.fixture
def every_step(monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    monkeypatch.setattr(loop, "VALIDATION_IMAGES", 1)


def renamed(head, name):
    return PackedLabels(name, head.voxels, head.spacing, head.layers)


def logged(folder):
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    timed = {"seconds", "drawing"}
    return [{k: v for k, v in row.items() if k not in timed} for row in rows]


def test_a_few_steps_reduce_the_loss(recipe, head, tmp_path, every_step):
    healthy = replace(recipe.generator, lesion=LesionRange(share=0))

    train(replace(recipe, generator=healthy), (head,), Run(tmp_path))

    rows = logged(tmp_path)
    assert len(rows) == 50
    for part, share in {"loss": 0.6, "parcel": 0.8, "presence": 0.8}.items():
        early, late = (np.mean([row[part] for row in some]) for some in (rows[:5], rows[-5:]))
        assert late < share * early, part
    assert all(row["lesion_dice"] is None for row in rows)


def test_a_resumed_run_has_the_curve_of_an_uninterrupted_one(
    recipe, head, tmp_path, every_step
):
    recipe = replace(recipe, steps=6, held_out=("other",), validate_every=2)
    maps = (head, renamed(head, "other"))

    whole = train(recipe, maps, Run(tmp_path / "whole"))
    for _ in range(5):  # no time: each run stops after one step
        train(recipe, maps, Run(tmp_path / "parts", minutes=0.0))
    parts = train(recipe, maps, Run(tmp_path / "parts", minutes=0.0))

    assert logged(tmp_path / "parts") == logged(tmp_path / "whole")
    assert whole.step == parts.step == 6
    for name, master in whole.master.items():
        assert torch.equal(parts.master[name], master)
        assert torch.equal(parts.average[name], whole.average[name])
    steps = [row["step"] for row in logged(tmp_path / "whole") if "held_out_dice" in row]
    assert steps == [2, 4, 6]


def test_finer_levels_resume_too(fine_recipe, head, tmp_path, every_step):
    recipe = replace(fine_recipe, steps=4, crops=2, core_weight=0.0)

    train(recipe, (head,), Run(tmp_path / "whole"))
    for _ in range(2):
        train(recipe, (head,), Run(tmp_path / "parts", minutes=0.0))
    train(recipe, (head,), Run(tmp_path / "parts"))

    assert logged(tmp_path / "parts") == logged(tmp_path / "whole")


def test_a_finished_run_stays_as_it_is(recipe, head, tmp_path):
    recipe = replace(recipe, steps=2)
    first = train(recipe, (head,), Run(tmp_path))
    again = train(recipe, (head,), Run(tmp_path))

    assert again.step == 2
    assert all(torch.equal(again.master[n], t) for n, t in first.master.items())


def test_a_frozen_core_keeps_its_weights(fine_recipe, head, tmp_path):
    recipe = replace(fine_recipe, steps=2, core_weight=0.0)
    torch.manual_seed(recipe.seed)
    before = new_state(VoxelNetwork(loop.CONFIGS["tiny"]), recipe, CPU).master

    after = train(recipe, (head,), Run(tmp_path)).master

    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    still = ("core.", "targets.", "to_mask.", "fine.0.")
    assert not [name for name in moved if name.startswith(still)]
    assert {name.partition(".")[0] for name in moved} == {"fine", "lesions", "parcels"}


def test_validation_looks_at_the_average_and_puts_the_weights_back(recipe, head):
    torch.manual_seed(0)
    state = new_state(VoxelNetwork(loop.CONFIGS["tiny"]), recipe, CPU)
    drawn = state.draw.scalars.get_state()
    first = validate(state, recipe, [head])
    before = {n: p.clone() for n, p in state.network.named_parameters()}

    for average in state.average.values():
        average.zero_()
    blank = validate(state, recipe, [head])

    assert first == validate_again(state, recipe, head)
    assert blank["held_out_dice"] != first["held_out_dice"]
    assert torch.equal(state.draw.scalars.get_state(), drawn)
    for name, parameter in state.network.named_parameters():
        assert torch.equal(parameter, before[name])


def validate_again(state, recipe, head):
    for name, average in state.average.items():
        average.copy_(state.master[name])
    return validate(state, recipe, [head])


def test_exported_weights_are_the_average_in_bfloat16(recipe, head, tmp_path):
    run, out = tmp_path / "run", tmp_path / "tiny.safetensors"
    state = train(replace(recipe, steps=3), (head,), Run(run))

    about = export(run, out)

    loaded = load_weights(out)
    assert set(loaded.tensors) == set(VoxelNetwork(loop.CONFIGS["tiny"]).state_dict())
    for name, tensor in loaded.tensors.items():
        if name not in CALIBRATION:
            assert tensor.dtype == torch.bfloat16
            assert torch.equal(tensor, state.average[name].to(torch.bfloat16))
    calibration = PresenceCalibration()
    calibration.load_state_dict({n.partition(".")[2]: loaded.tensors[n] for n in CALIBRATION})
    evidence = torch.arange(92.0).reshape(1, 46, 2)
    assert torch.equal(calibration(evidence), evidence[..., 0])  # none yet
    first = out.read_bytes()
    assert export(run, out) == about
    assert out.read_bytes() == first
    assert loaded.network["name"] == "tiny"
    assert loaded.finest_level == 2
    assert about == {
        "network": "tiny",
        "file": "tiny.safetensors",
        "sha256": loaded.sha256,
        "bytes": out.stat().st_size,
        "recipe": "test",
        "steps": 3,
        "finest_mm": 4,
    }
    assert out.stat().st_mode & 0o044 == 0o044
    assert list(tmp_path.glob("*.partial")) == []


def test_nothing_can_be_exported_before_training(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint") as caught:
        export(tmp_path, tmp_path / "a.safetensors")

    assert str(caught.value) == f"{tmp_path} holds no checkpoint."
    assert caught.value.remedy == "Give the folder that `medprompt train run` wrote to."
    assert caught.value.code == "no-checkpoint"


def test_training_starts_from_a_run_or_from_a_file(recipe, head, tmp_path):
    run, out = tmp_path / "run", tmp_path / "tiny.safetensors"
    average = train(replace(recipe, steps=2), (head,), Run(run)).average
    export(run, out)

    from_run, from_file = starting_weights(str(run)), starting_weights(str(out))

    assert set(from_run) == set(average) == set(from_file) - CALIBRATION
    for name, tensor in average.items():
        assert torch.equal(from_run[name], tensor)
        assert from_file[name].dtype == torch.float32
        assert torch.equal(from_file[name], tensor.to(torch.bfloat16).float())
    still = replace(recipe, steps=0)
    begun = train(still, (head,), Run(tmp_path / "next", start=from_run))
    assert all(torch.equal(begun.master[name], tensor) for name, tensor in average.items())


def test_a_start_that_is_nothing_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="no weights called"):
        starting_weights(str(tmp_path))


@pytest.fixture
def smaller(tiny):
    """Weights from before there were lesions and parcels: fewer names, shorter embeddings."""
    torch.manual_seed(99)
    new = ("lesions.", "parcels.", "calibration.")
    return {
        name: tensor[: tiny.embedding] if ".embed." in name else tensor
        for name, tensor in VoxelNetwork(tiny).state_dict().items()
        if not name.startswith(new)
    }


def test_training_grows_from_smaller_weights(recipe, head, tmp_path, tiny, smaller):
    """What is known is kept; what is new begins as in a network made from scratch."""
    torch.manual_seed(recipe.seed)
    fresh = new_state(VoxelNetwork(tiny), recipe, CPU).master

    begun = train(replace(recipe, steps=0), (head,), Run(tmp_path, start=smaller)).master

    assert begun["core.embed.weight"].shape[0] == tiny.embedding + tiny.lesion_embedding
    for name, tensor in begun.items():
        known = smaller.get(name, tensor[:0])
        assert torch.equal(tensor[: len(known)], known)
        assert torch.equal(tensor[len(known) :], fresh[name][len(known) :])
    assert begun.keys() - smaller.keys() > {"lesions.phi", "parcels.kind"}


def test_a_start_that_does_not_fit_is_refused(recipe, head, tmp_path, tiny):
    larger = VoxelNetwork(replace(tiny, fine_channels=(4, 16))).state_dict()
    other = VoxelNetwork(tiny).state_dict() | {"agent.0.weight": torch.zeros(2, 2)}
    flatter = VoxelNetwork(tiny).state_dict() | {"targets.side": torch.zeros(2)}

    found = []
    for start in (larger, other, flatter):
        with pytest.raises(WeightsError, match="do not fit network tiny") as caught:
            train(recipe, (head,), Run(tmp_path, start=start))
        found.append(str(caught.value))
        assert caught.value.remedy == "Start from weights of the network that the recipe names."

    said = "The weights to start from do not fit network tiny:"
    assert found == [
        f"{said} fine.0.up.weight and 13 more are unknown or too large.",
        f"{said} agent.0.weight and 0 more are unknown or too large.",
        f"{said} targets.side and 0 more are unknown or too large.",
    ]
    assert not (tmp_path / "log.jsonl").exists()


def test_a_device_that_is_not_there_is_refused(recipe, head, tmp_path):
    with pytest.raises(DeviceError, match="no device called 'tpu'"):
        train(recipe, (head,), Run(tmp_path, device="tpu"))


def test_holding_out_every_map_is_refused(recipe, head, tmp_path):
    recipe = replace(recipe, held_out=(head.name,))

    with pytest.raises(InputError, match="is left to train on") as caught:
        train(recipe, (head,), Run(tmp_path))

    assert str(caught.value) == "No label map is left to train on: 1 of 1 are held out."
    assert caught.value.remedy == "Pack more label maps, or hold out fewer in the recipe."
