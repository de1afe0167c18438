"""The profile of a training step counts what can be counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from medprompt_cli.networks.blocks import NativeConv
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.synthesis.bank import write_bank
from medprompt_cli.synthesis.generator import Generator
from medprompt_cli.training.state import new_state

CPU = torch.device("cpu")


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("step")


@pytest.fixture
def known(tiny, monkeypatch):
    monkeypatch.setitem(CONFIGS, "tiny", tiny)


def test_the_floor_is_the_larger_of_two_times(script):
    machine = script.Machine(operations_per_s=1e11, bytes_per_s=1e10)

    computing = script.Work(operations=4 * 10**10, optimiser=10**10, activations=0, moved=10**9)
    moving = replace(computing, moved=2 * 10**10)

    assert computing.floor(machine) == pytest.approx(0.5)
    assert moving.floor(machine) == pytest.approx(2.0)


def test_what_is_kept_is_counted_once_and_weights_are_not(script):
    conv = NativeConv(4, 6)
    image = torch.rand(1, 4, 8, 8, 8)
    kept = script.Kept(conv)

    with kept.watching():
        features = conv(image, (True, True, True))
        again = features * features  # keeps the same memory twice
        again.sum().backward()

    assert kept.total == 4 * (4 * 8**3 + 6 * 8**3)


def test_operations_of_a_step_are_those_of_its_convolutions(script, known, tiny, head, recipe):
    state = new_state(VoxelNetwork(tiny), recipe, CPU)
    sample = Generator([head], recipe.generator, state.draw).sample()
    before = {name: weight.clone() for name, weight in state.master.items()}

    work = script.count_work(state, recipe, sample)
    again = script.count_work(state, recipe, sample)

    fine = 16**3
    convs = 4 * 2 * 27 * 8 * 8 * (fine + fine // 8 + fine // 64)  # 2 a block, down and up
    convs += 2 * 2 * 27 * 8 * 8 * fine // 512
    assert 3 * convs < work.operations < 1.6 * 3 * convs  # the rest: heads, pooling, stem
    assert again.operations == work.operations
    assert work.moved > 2 * work.activations > 0
    assert any(not torch.equal(state.master[name], weight) for name, weight in before.items())


def test_every_byte_of_the_optimiser_is_counted(script, known, tiny, head, recipe):
    state = new_state(VoxelNetwork(tiny), recipe, CPU)
    sample = Generator([head], recipe.generator, state.draw).sample()
    script.count_work(state, recipe, sample)
    for weight in state.network.parameters():
        weight.grad = torch.zeros_like(weight)

    found = script.bytes_of_weights(state)

    count = sum(weight.numel() for weight in state.network.parameters())
    moments = sum(tensor.nbytes for tensor in state.optimiser.tensors().values())
    assert found == count * (2 * 2 + 2 * 2 + 2 + 2 * 4 + 2 * 4) + 2 * moments


@pytest.mark.parametrize("level", [2, 1], ids=["4 mm", "2 mm"])
def test_a_profile_holds_every_step(script, known, head, recipe, level):
    generator = replace(recipe.generator, spacing_mm=2.0**level)
    recipe = replace(recipe, level=level, crop_mm=32.0, generator=generator)

    found = script.profile(recipe, [head], 2, CPU)

    assert len(found.work) == len(found.stages) == 2
    for stages, work in zip(found.stages, found.work, strict=True):
        parts = (stages.drawing, stages.forward, stages.backward, stages.optimiser)
        assert all(seconds > 0 for seconds in parts)
        assert stages.total == pytest.approx(sum(parts))
        assert stages.learning == pytest.approx(sum(parts[1:]))
        assert work.operations > 0


def test_the_table_shows_medians_and_what_they_mean(script, recipe):
    machine = script.Machine(operations_per_s=1e11, bytes_per_s=1e10)
    work = script.Work(operations=9 * 10**9, optimiser=10**9, activations=10**8, moved=10**8)
    stages = [script.Stages(s, 0.1, 0.2, 0.1) for s in (0.05, 0.1, 0.9)]

    shown = script.table([script.Profile(recipe, [work] * 3, stages)], machine)

    assert shown.splitlines() == [
        "| Median of a training step | test, 4 mm |",
        "| --- | --: |",
        "| Operations, forward and backward, 10⁹ | 9.0 |",
        "| Operations, optimiser, 10⁹ | 1.0 |",
        "| Kept activations, MB | 100 |",
        "| Bytes moved at least, MB | 100 |",
        "| Floor, s | 0.100 |",
        "| Drawing, s | 0.100 |",
        "| Forward, s | 0.100 |",
        "| Backward, s | 0.200 |",
        "| Optimiser, s | 0.100 |",
        "| Step, s | 0.500 |",
        "| Step over floor | 5.0 |",
        "| Step without drawing over floor | 4.0 |",
        "| Share of the step spent waiting for the drawing, % | 20 |",
    ]


@pytest.fixture
def small_machine(script, monkeypatch):
    monkeypatch.setattr(script, "WIDTHS", (8,))
    monkeypatch.setitem(script.EDGE, "cpu", 8)
    monkeypatch.setattr(script, "COPIED_BYTES", 2**20)


def test_the_machine_is_measured(script, small_machine):
    machine = script.measure_machine(CPU)

    assert machine.operations_per_s > 1e6
    assert machine.bytes_per_s > 1e6


def test_a_run_writes_what_it_prints(script, known, small_machine, head, tmp_path, capsys):
    write_bank(tmp_path / "a.labels.xz", [head])
    recipe = tmp_path / "a.toml"
    recipe.write_text(
        'name = "a"\nnetwork = "tiny"\n[generator]\nboxes = [[2, 2, 2]]\noversample = 1\n'
    )
    page = tmp_path / "README.md"
    start, end = "<!-- cost-step:start -->", "<!-- cost-step:end -->"
    page.write_text(f"{start}\n{end}\n")

    threads = torch.get_num_threads()
    script.main(tmp_path / "a.labels.xz", [recipe], 1, threads, "cpu", page)

    printed = capsys.readouterr().out.strip()
    assert page.read_text() == f"{start}\n{printed}\n{end}\n"
    assert f"--threads {threads} --device cpu --recipe {recipe.as_posix()}`:" in printed
    assert "| Median of a training step | a, 4 mm |" in printed


def test_the_readme_has_a_place_for_it(repository):
    page = (repository / "README.md").read_text(encoding="utf-8")

    assert page.count("<!-- cost-step:start -->") == page.count("<!-- cost-step:end -->") == 1
