"""Checkpoints: whole or not there, small enough to travel, and nothing forgotten."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

from medprompt_cli.errors import InputError
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.training import state as module
from medprompt_cli.training.state import (
    SHARD_BYTES,
    apply_gradients,
    latest_checkpoint,
    load_checkpoint,
    new_state,
    rate_at,
    read_tensors,
    save_checkpoint,
)

CPU = torch.device("cpu")
MIB = 2**20


@pytest.fixture
def make(tiny, recipe):
    def build(seed=0, **changes):
        torch.manual_seed(seed)
        return new_state(VoxelNetwork(replace(tiny, **changes)), recipe, CPU)

    return build


def move(state, recipe, steps=1):
    """Optimiser steps from gradients that are known."""
    for _ in range(steps):
        for parameter in state.network.parameters():
            parameter.grad = torch.full_like(parameter, 0.01 * (state.step + 1))
        apply_gradients(state, recipe)


def everything(state):
    moments = {n: t.clone() for n, t in state.optimiser.tensors().items()}
    copies = {f"average.{n}": t.clone() for n, t in state.average.items()}
    masters = {f"master.{n}": t.detach().clone() for n, t in state.master.items()}
    network = {f"network.{n}": p.detach().clone() for n, p in state.network.named_parameters()}
    return moments | copies | masters | network


def test_rate_rises_and_falls(recipe):
    recipe = replace(recipe, steps=1000, warmup=100, rate=2e-3, final_rate=0.1)

    assert rate_at(0, recipe) == pytest.approx(2e-5)
    assert rate_at(49, recipe) == pytest.approx(1e-3)
    assert rate_at(99, recipe) == rate_at(100, recipe) == pytest.approx(2e-3)
    assert rate_at(550, recipe) == pytest.approx(2e-3 * 0.55)
    assert rate_at(1000, recipe) == rate_at(5000, recipe) == pytest.approx(2e-4)
    assert rate_at(0, replace(recipe, warmup=0)) == pytest.approx(2e-3)


def test_small_steps_survive_in_the_master(make, recipe):
    """In bfloat16 alone, a step of a thousandth of a weight would be rounded away."""
    recipe = replace(recipe, rate=1e-5, warmup=0, decay=0.0)
    state = make()
    before = everything_master(state)

    move(state, recipe, 3)

    name = "core.encode.0.0.norms.0.weight"
    assert before[name].eq(1).all()
    torch.testing.assert_close(
        state.master[name], torch.full((8,), 1 - 3e-5), rtol=0, atol=1e-6
    )
    assert state.network.core.encode[0][0].norms[0].weight.eq(1).all()


def everything_master(state):
    return {name: tensor.clone() for name, tensor in state.master.items()}


def test_average_follows_the_master(make, recipe):
    recipe = replace(recipe, average=0.5)
    state = make()
    name = "core.stem.bias"
    expected = state.master[name].clone()

    for step in range(12):
        move(state, recipe)
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * state.master[name]

    torch.testing.assert_close(state.average[name], expected)
    assert not torch.equal(state.average[name], state.master[name])


def test_a_step_that_is_not_finite_is_skipped(make, recipe):
    state = make()
    before = everything_master(state)
    for parameter in state.network.parameters():
        parameter.grad = torch.full_like(parameter, torch.inf)

    norm = apply_gradients(state, recipe)

    assert not math.isfinite(norm)
    assert state.step == 1
    assert all(torch.equal(before[n], t) for n, t in state.master.items())
    assert all(p.grad is None for p in state.network.parameters())


def test_a_checkpoint_brings_everything_back(make, recipe, tmp_path):
    state = make()
    move(state, recipe, 3)
    state.draw.uniform(0, 1)
    state.draw.normal(4)
    folder = save_checkpoint(state, tmp_path)
    drawn = state.draw.uniform(0, 1), state.draw.normal(3)

    other = make(seed=1)
    load_checkpoint(other, folder)

    assert other.step == 3
    saved, loaded = everything(state), everything(other)
    assert set(saved) == set(loaded)
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)
    assert other.draw.uniform(0, 1) == drawn[0]
    assert torch.equal(other.draw.normal(3), drawn[1])
    move(state, recipe)
    move(other, recipe)
    assert all(torch.equal(t, other.master[n]) for n, t in state.master.items())


def test_only_the_newest_two_are_kept(make, recipe, tmp_path):
    state = make()
    for _ in range(4):
        move(state, recipe)
        save_checkpoint(state, tmp_path)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-0000003", "step-0000004"]
    assert latest_checkpoint(tmp_path) == tmp_path / "step-0000004"


def test_saving_a_step_again_replaces_it(make, recipe, tmp_path):
    state = make()
    move(state, recipe)
    first, second = save_checkpoint(state, tmp_path), save_checkpoint(state, tmp_path)

    assert first == second == latest_checkpoint(tmp_path)


def test_shards_are_bounded_and_lose_nothing(make, recipe, tmp_path, monkeypatch):
    state = make()
    move(state, recipe)
    whole = read_tensors(save_checkpoint(state, tmp_path / "one"))
    limit = 9000
    monkeypatch.setattr(module, "SHARD_BYTES", limit)

    folder = save_checkpoint(state, tmp_path / "many")

    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) > 10
    assert json.loads((folder / "state.json").read_text())["shards"] == len(shards)
    for shard in shards:
        header = 8 + int.from_bytes(shard.read_bytes()[:8], "little")
        assert shard.stat().st_size - header <= limit
    found = read_tensors(folder)
    assert all(torch.equal(whole[name], found[name]) for name in whole)
    assert SHARD_BYTES < 16 * MIB


def test_a_checkpoint_that_was_cut_short_does_not_count(make, recipe, tmp_path, monkeypatch):
    state = make()
    move(state, recipe)
    good = save_checkpoint(state, tmp_path)
    move(state, recipe)

    def fail(*_, **__):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(module, "save_file", fail)
        with pytest.raises(OSError, match="disk full"):
            save_checkpoint(state, tmp_path)
    (tmp_path / "step-0000009").mkdir()

    assert latest_checkpoint(tmp_path) == good
    assert save_checkpoint(state, tmp_path) == latest_checkpoint(tmp_path)
    assert not list(tmp_path.glob(".*"))


def test_no_checkpoint_is_none(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / "nowhere") is None


def test_checkpoint_of_another_network_is_refused(make, recipe, tmp_path):
    state = make()
    move(state, recipe)
    folder = save_checkpoint(state, tmp_path)

    with pytest.raises(InputError, match="another network") as caught:
        load_checkpoint(make(embedding=16), folder)
    with pytest.raises(InputError, match="another network") as missing:
        load_checkpoint(make(core_blocks=2), folder)

    assert str(caught.value) == (
        f"Checkpoint {folder} is of another network: it holds master.core.embed.bias of (12,),"
        " not of (20,); 25 tensors differ."
    )
    assert str(missing.value) == (
        f"Checkpoint {folder} is of another network: it holds no"
        " master.core.decode.0.1.convs.0.bias, not of (8,); 56 tensors differ."
    )
    assert caught.value.remedy == "Resume with the recipe the checkpoint was made by."
    assert caught.value.code == "wrong-checkpoint"
