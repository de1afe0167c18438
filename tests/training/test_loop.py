"""Training: learns, resumes with the same curve, and stays honest on what it did not see."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.errors import DeviceError, InputError, WeightsError
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.networks.pyramid import (
    CORE_LEVEL,
    Context,
    VoxelNetwork,
    pooled_images,
)
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator
from medprompt_cli.training import loop
from medprompt_cli.training.export import export
from medprompt_cli.training.loop import (
    Run,
    train,
    validate,
)
from medprompt_cli.training.loss import segmentation_loss
from medprompt_cli.training.objective import (
    PARCEL_WEIGHT,
    PRESENCE_WEIGHT,
    Scan,
    coarse_rows,
    crop_loss,
    random_box,
    sample_cost,
)
from medprompt_cli.training.recipe import Recipe
from medprompt_cli.training.start import starting_weights
from medprompt_cli.training.state import new_state
from medprompt_cli.weights.store import load_weights

CPU = torch.device("cpu")
ISOTROPIC = plan_levels((1.0, 1.0, 1.0))


@pytest.fixture
def every_step(monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    monkeypatch.setattr(loop, "VALIDATION_IMAGES", 1)


def renamed(head, name):
    return PackedLabels(name, head.voxels, head.spacing)


def logged(folder):
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    timed = {"seconds", "drawing"}
    return [{k: v for k, v in row.items() if k not in timed} for row in rows]


def enliven(network):
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in network.parameters():
            reach = max(1, parameter[0].numel()) if parameter.ndim > 1 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * reach**-0.5)
    return network


def test_a_few_steps_reduce_the_loss(recipe, head, tmp_path, every_step):
    train(recipe, (head,), Run(tmp_path))

    losses = [row["loss"] for row in logged(tmp_path)]
    assert len(losses) == 50
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


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
    assert not [n for n in moved if n.startswith("core.") and "presence" not in n]
    assert any(name.startswith("fine.1.") for name in moved)
    assert not any(name.startswith("fine.0.") for name in moved)


def test_a_crop_of_everything_costs_what_the_network_costs(tiny):
    network = enliven(VoxelNetwork(tiny)).double()
    generator = torch.Generator().manual_seed(5)
    image = torch.rand(1, 1, 32, 32, 32, generator=generator)
    rows = torch.randint(33, (32, 32, 32, 1), generator=generator, dtype=torch.uint8)
    images = pooled_images(image, ISOTROPIC, torch.float64)
    core = tuple(level for level in ISOTROPIC if level.index >= CORE_LEVEL)
    context, _ = network.core(images[CORE_LEVEL], core)

    scan = Scan(images, ISOTROPIC, rows, torch.zeros_like(rows))
    cropped, _, _ = crop_loss(network, scan, context, (slice(0, 8),) * 3)

    whole = segmentation_loss(network(image, ISOTROPIC)[0][0], rows)
    torch.testing.assert_close(cropped.total, whole.total)
    torch.testing.assert_close(cropped.dice, whole.dice)


def test_a_crop_is_compared_with_the_truth_at_its_place(tiny):
    network = enliven(VoxelNetwork(tiny)).double()
    levels = plan_levels((2.0, 2.0, 2.0))
    image = torch.rand(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(6))
    images = pooled_images(image, levels, torch.float64)
    context, _ = network.core(images[CORE_LEVEL], levels[1:])
    rows = torch.zeros(16, 16, 16, 1, dtype=torch.uint8)
    rows[4:12, 2:8, 6:16] = 7
    box = (slice(2, 6), slice(1, 4), slice(3, 8))

    nothing = torch.zeros_like(rows)
    found, _, _ = crop_loss(network, Scan(images, levels, rows, nothing), context, box)

    inside = torch.full((8, 6, 10, 1), 7, dtype=torch.uint8)
    same = Scan(images, levels, torch.full_like(rows, 7), nothing)
    again, _, _ = crop_loss(network, same, context, box)
    assert inside.shape == rows[4:12, 2:8, 6:16].shape
    torch.testing.assert_close(found.total, again.total)
    assert (~found.dice.isnan()).nonzero().tolist() == [[6]]


def test_a_box_of_everything_is_drawn_when_the_crop_is_as_large(recipe):
    levels = plan_levels((2.0, 2.0, 2.0))
    context = Context(*(torch.zeros(1, 8, 8, 9, 7) for _ in range(3)))
    rows = torch.ones(8, 9, 7, 1, dtype=torch.uint8)

    box = random_box(
        context, levels[1], replace(recipe, crop_mm=512.0), Draw(1), (rows, rows * 0)
    )

    assert box == (slice(0, 8), slice(0, 9), slice(0, 7))


@given(
    seed=st.integers(0, 1000),
    voxel=st.tuples(st.integers(0, 9), st.integers(0, 11), st.integers(0, 7)),
    crop_mm=st.floats(4.0, 60.0),
)
def test_a_box_holds_the_voxel_it_was_drawn_around(seed, voxel, crop_mm):
    core = plan_levels((1.0, 1.0, 5.0))[2]
    context = Context(*(torch.zeros(1, 8, 10, 12, 8) for _ in range(3)))
    rows = torch.zeros(10, 12, 8, 1, dtype=torch.uint8)
    rows[voxel] = 3

    box = random_box(context, core, Recipe("a", crop_mm=crop_mm), Draw(seed), (rows, rows * 0))

    for part, at, size, step in zip(box, voxel, (10, 12, 8), core.spacing, strict=True):
        assert 0 <= part.start <= at < part.stop <= size
        assert part.stop - part.start == min(size, max(2, round(crop_mm / step)))


@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 2, 2), (1, 1, 3), (2, 2, 5), (1, 1, 2)])
def test_coarse_truth_is_taken_from_inside_each_coarse_voxel(spacing):
    core = next(level for level in plan_levels(spacing) if level.index == CORE_LEVEL)
    blocks = torch.arange(2 * 3 * 4, dtype=torch.uint8).reshape(2, 3, 4)
    rows = blocks
    for axis, factor in enumerate(core.factors):
        rows = rows.repeat_interleave(factor, axis)

    coarse = coarse_rows(rows[..., None], core)

    assert coarse.shape[:3] == (2, 3, 4)
    assert coarse.shape[3] == 8
    assert (coarse == blocks[..., None]).all()


def test_coarse_truth_at_the_level_of_the_core_is_the_truth():
    core = plan_levels((4.0, 4.0, 4.0))[0]
    rows = torch.randint(9, (3, 4, 5, 8), dtype=torch.uint8)

    assert coarse_rows(rows, core) is rows


def test_sides_of_a_plane_split_the_coarse_voxel_in_half():
    core = ISOTROPIC[2]
    rows = torch.zeros(8, 8, 8, 1, dtype=torch.uint8)
    rows[:6] = 1

    coarse = coarse_rows(rows, core)

    assert coarse[0].float().mean() == 1
    assert coarse[1].float().mean() == 0.5


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


def test_loss_of_a_sample_is_the_core_the_crops_and_presence(fine_recipe, head):
    state = new_state(enliven(VoxelNetwork(loop.CONFIGS["tiny"])), fine_recipe, CPU)
    sample = Generator([head], fine_recipe.generator, Draw(4)).sample()

    def cost(**changes):
        recipe = replace(fine_recipe, crop_mm=512.0, **changes)
        return float(sample_cost(state.network, recipe, sample, Draw(1)).total.detach())

    core_only = cost(level=2)
    both, fine_only = cost(core_weight=1.0), cost(core_weight=0.0)
    cost_ = sample_cost(state.network, fine_recipe, sample, Draw(1))
    shared = PRESENCE_WEIGHT * float(cost_.presence) + PARCEL_WEIGHT * float(cost_.parcel)
    assert both == pytest.approx(core_only + fine_only - shared, rel=1e-3)
    assert cost(crops=3, core_weight=0.0) == pytest.approx(fine_only, rel=1e-3)


def test_exported_weights_are_the_average_in_bfloat16(recipe, head, tmp_path):
    run, out = tmp_path / "run", tmp_path / "tiny.safetensors"
    state = train(replace(recipe, steps=3), (head,), Run(run))

    about = export(run, out)

    loaded = load_weights(out)
    assert set(loaded.tensors) == set(VoxelNetwork(loop.CONFIGS["tiny"]).state_dict())
    for name, tensor in loaded.tensors.items():
        assert tensor.dtype == torch.bfloat16
        assert torch.equal(tensor, state.average[name].to(torch.bfloat16))
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

    assert set(from_run) == set(from_file) == set(average)
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


def test_a_start_of_another_network_is_refused(recipe, head, tmp_path):
    start = VoxelNetwork(loop.CONFIGS["tiny"]).state_dict()
    del start["targets.side"]

    with pytest.raises(WeightsError, match="do not fit network tiny") as caught:
        train(recipe, (head,), Run(tmp_path, start=start))

    assert caught.value.remedy == "Start from weights of the network that the recipe names."
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
