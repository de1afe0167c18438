"""What was not chosen is built as it is said to be, and judged alike."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from medprompt_cli.networks.blocks import StreamAttention
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.training.loss import segmentation_loss

CPU = torch.device("cpu")
LEVELS = plan_levels((4.0, 4.0, 4.0))


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("ablation")


@pytest.fixture
def variants(benchmark_module):
    return benchmark_module("ablation_variants")


@pytest.fixture
def training(benchmark_module):
    return benchmark_module("ablation_training")


@pytest.fixture
def budget(training, recipe, tiny):
    return training.Budget(recipe, tiny, steps=2, heads=2, unseen=2, device=CPU)


@pytest.fixture
def maps(head):
    return (head, PackedLabels("other", head.voxels, head.spacing))


def enliven(network):
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in network.parameters():
            reach = max(1, weight[0].numel()) if weight.ndim > 1 else 4
            weight.copy_(torch.randn(weight.shape, generator=generator) * reach**-0.5)
    return network.double()


def random_head(variants, streams=1, size=8):
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(streams, 1, size, size, size, generator=generator).double()
    shape = (size, size, size, 2)
    rows = torch.randint(33, shape, generator=generator, dtype=torch.uint8)
    return variants.Head(images, LEVELS, rows)


@pytest.mark.parametrize("row", [1, 32])
def test_a_separate_target_competes_with_what_it_is_not(variants, row):
    """Its sigmoid is the softmax of itself and the rest, whose logit is 0."""
    rows = random_head(variants).rows
    log_odds = torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(3))
    two = torch.cat([torch.zeros_like(log_odds), log_odds])

    same = segmentation_loss(two, (rows == row).to(torch.uint8))
    found = variants.separate_loss(log_odds, rows, torch.tensor([row]))

    torch.testing.assert_close(found, (1 - same.dice[0]) + 32 * same.cross_entropy)


def test_a_few_random_targets_cost_on_average_what_all_cost(variants):
    rows = random_head(variants).rows
    log_odds = torch.randn(32, 8, 8, 8, generator=torch.Generator().manual_seed(3))

    whole = variants.separate_loss(log_odds, rows, torch.arange(1, 33))
    parts = [
        variants.separate_loss(log_odds[n : n + 4], rows, torch.arange(n + 1, n + 5))
        for n in range(0, 32, 4)
    ]

    torch.testing.assert_close(torch.stack(parts).mean(), whole)


def test_without_phi_the_steered_decoder_is_the_decoder_of_ours(variants, tiny):
    network = enliven(variants.SteeredDecoder(tiny))
    head = random_head(variants, size=16)
    with torch.no_grad():
        for steer in network.steer:
            steer.weight.zero_()
            steer.bias.zero_()

    skips = network.encode(head.images, head.levels)
    found = network.decode(skips, head.levels, torch.tensor([5]))
    context, _ = network.core(head.images, head.levels)

    logit = network.to_logit(context.features)[:, 0] + network.targets()[1][5]
    torch.testing.assert_close(found, logit)


def test_every_level_is_steered_by_the_target(variants, tiny):
    network = enliven(variants.SteeredDecoder(tiny))
    head = random_head(variants, size=16)
    skips = network.encode(head.images, head.levels)
    asked = torch.tensor([3, 9])
    before = network.decode(skips, head.levels, asked)

    assert not torch.allclose(before[0], before[1])
    for steer in network.steer:
        kept = steer.weight.detach().clone()
        with torch.no_grad():
            steer.weight.zero_()
        assert not torch.allclose(network.decode(skips, head.levels, asked), before)
        with torch.no_grad():
            steer.weight.copy_(kept)
    torch.testing.assert_close(network.decode(skips, head.levels, asked[1:]), before[1:])


@pytest.mark.parametrize("how", ["max", "mean"])
def test_the_order_of_pooled_streams_does_not_matter(variants, how):
    pool = enliven(variants.PooledStreams(6, 4, how))
    features = torch.randn(3, 6, 4, 5, 2, generator=torch.Generator().manual_seed(1)).double()
    order = [2, 0, 1]

    mixed = pool(features, 3)

    torch.testing.assert_close(pool(features[order], 3), mixed[order])
    torch.testing.assert_close(pool(features, 1), features)
    assert not torch.allclose(mixed, features)


def test_pooling_differs_from_attention_in_the_weights_of_streams_only(variants):
    """With equal keys attention is the mean; with one stream repeated, all are the same."""
    attention = enliven(StreamAttention(6, 4))
    mean, largest = (enliven(variants.PooledStreams(6, 4, how)) for how in ("mean", "max"))
    with torch.no_grad():
        attention.to_query_key_value.weight[:8] = 0
        attention.to_query_key_value.bias[:8] = 0
        for pool in (mean, largest):
            pool.to_value.weight.copy_(attention.to_query_key_value.weight[8:])
            pool.to_value.bias.copy_(attention.to_query_key_value.bias[8:])
            pool.to_update.weight.copy_(attention.to_update.weight)
    features = torch.randn(3, 6, 4, 5, 2, generator=torch.Generator().manual_seed(1)).double()
    repeated = features[:1].repeat(3, 1, 1, 1, 1)

    torch.testing.assert_close(mean(features, 3), attention(features, 3))
    assert not torch.allclose(largest(features, 3), attention(features, 3))
    for pool in (attention, mean, largest):
        torch.testing.assert_close(pool(repeated, 3), repeated)


def test_compared_networks_share_their_first_weights(script, training, budget):
    first, *others = [
        training.Trainee(make, budget, 7, 2).state.master
        for make in (*script.PHI.values(), *script.STREAMS.values())
    ]

    for other in others:
        shared = [n for n in first if n in other and ".mix." not in n and n != "targets.bias"]
        assert len(shared) > 60
        assert all(torch.equal(first[name], other[name]) for name in shared)


def test_unseen_heads_are_of_held_out_maps_and_the_same_for_every_seed(training, budget, maps):
    seen, unseen = training.heads_of(maps, budget, 3, seed=1)
    others, again = training.heads_of(maps, budget, 3, seed=2)

    assert [len(part) for part in (seen, unseen)] == [2, 2]
    assert seen[0].images.shape == (3, 1, 16, 16, 16)
    for one, other in zip(unseen, again, strict=True):
        assert torch.equal(one.images, other.images)
    assert not torch.equal(seen[0].images, others[0].images)


def test_a_bank_without_held_out_maps_is_refused(training, budget, maps):
    said = "The recipe test holds out other, of which the bank has none."
    with pytest.raises(SystemExit, match=said):
        training.heads_of(maps[:1], budget, 1, seed=1)


@pytest.mark.parametrize("name", ["at the head, one softmax (ours)", "at every level"])
def test_steps_reduce_what_they_minimise(script, training, budget, maps, name):
    make = next(make for known, make in script.PHI.items() if known.startswith(name))
    [head, _], _ = training.heads_of(maps, budget, 1, seed=1)
    trainee = training.Trainee(make, budget, 1, 12)

    def cost():
        with torch.no_grad():
            return float(trainee.network.cost(head, Draw(5)))

    before = cost()
    for _ in range(12):
        trainee.step(head)

    assert cost() < 0.9 * before
    trainee.averaged()
    weights = dict(trainee.network.named_parameters())
    average = trainee.state.average["targets.kind"]
    assert torch.equal(weights["targets.kind"], average.to(torch.bfloat16))


def test_the_dice_of_a_head_is_that_of_its_commonest_parts(training):
    rows = torch.zeros(4, 4, 4, 3, dtype=torch.uint8)
    rows[:2, ..., :2] = 1
    rows[2:, ..., 0] = 1  # a third of a voxel is not most of it
    rows[3] = 2
    masks = torch.zeros(32, 4, 4, 4, dtype=torch.bool)
    masks[0, :2] = True
    masks[1, 2:] = True
    masks[9] = True  # not in the truth: no score

    assert training.head_dice(masks, rows) == pytest.approx((1 + 2 / 3) / 2)
    with pytest.raises(ValueError, match="without any structure"):
        training.head_dice(masks, rows * 0)


def test_noise_takes_the_place_of_one_stream(variants, training):
    head = random_head(variants, streams=3)

    noisy, fewer = training.with_noise(head), training.without_first(head)

    assert torch.equal(noisy.images[1:], head.images[1:])
    assert not torch.allclose(noisy.images[0], head.images[0])
    assert noisy.images.amin() >= 0
    assert torch.equal(training.with_noise(head).images, noisy.images)
    assert torch.equal(fewer.images, head.images[1:])


def test_a_run_is_shown_by_condition_and_seed(script):
    found = {"Clean": [0.5, 0.7], "One noise": [0.4, 0.6], "One left out": [0.4, 0.4]}
    better = {name: [value + 0.1 for value in values] for name, values in found.items()}
    run = script.Run("max", 3, {1: found, 2: better})

    assert script.streams_table([run]).splitlines()[2] == (
        "| max | 0.650 | 0.550 | 0.450 | -0.100 (-0.100 to -0.100) | 0.600, 0.700 |"
    )
    assert script.phi_table([run]).splitlines()[2] == (
        "| max | 3 | 0.650 (0.550 to 0.750) | 0.600, 0.700 |"
    )


def test_equal_time_means_fewer_steps_of_what_is_slower(script):
    assert script.same_time(300, {script.OURS: 0.2, script.STEERED: 0.5}) == 120
    assert script.same_time(1, {script.OURS: 0.2, script.STEERED: 5.0}) == 1


def test_the_cost_is_compared_with_ours(script):
    steps = {script.OURS: 0.2, "other": 0.5}

    shown = script.cost_table(steps, {script.OURS: 0.04, "other": 0.4})

    assert shown.splitlines()[3] == "| other | 0.500 | 2.5 | 0.400 | 10.0 |"


def test_everything_is_compared_once_for_each_seed(script, training, budget, maps, capsys):
    plan = [(name, make, 1) for name, make in script.STREAMS.items()]

    runs = script.compare(plan, maps, budget, [1, 2], 3)

    assert [run.name for run in runs] == list(script.STREAMS)
    for run in runs:
        assert [list(found) for found in run.dice.values()] == [list(script.CONDITIONS)] * 2
        assert all(0 <= value <= 1 for value in run.heads("One noise"))
    assert len(capsys.readouterr().err.splitlines()) == 6


def test_both_ways_of_phi_are_timed(script, budget, maps):
    steps, predictions = script.time_phi(maps, budget, 1)

    assert list(steps) == list(predictions) == list(script.PHI)
    assert all(seconds > 0 for seconds in (*steps.values(), *predictions.values()))


@pytest.fixture
def small_script(script, training, tiny, recipe, maps, monkeypatch):
    """The script, with a recipe and a bank that take no time."""
    monkeypatch.setitem(training.NETWORKS, "tiny", tiny)
    monkeypatch.setattr(script, "read_recipe", lambda _: recipe)
    monkeypatch.setattr(script, "read_bank", lambda _: maps)
    monkeypatch.setattr(script, "TIMED", 1)
    return script


def test_the_steps_of_phi_are_published(small_script, tmp_path, capsys):
    page = tmp_path / "README.md"
    start, end = "<!-- ablation-phi:start -->", "<!-- ablation-phi:end -->"
    page.write_text(f"{start}\n{end}\n")

    bank = Path("a.labels.xz")
    small_script.compare_phi(bank, 1, 1, 2, [5], "tiny", small_script.RECIPE, "cpu", page)

    printed = capsys.readouterr().out.strip()
    assert page.read_text() == f"{start}\n{printed}\n{end}\n"
    assert "--network tiny --device cpu --seed 5`:" in printed
    assert [line.split("|")[1].strip() for line in printed.splitlines()[4:]] == [
        *small_script.PHI,
        f"{small_script.STEERED}, in the time of ours",
    ]


def test_the_readme_has_a_place_for_every_table(repository):
    page = (repository / "README.md").read_text(encoding="utf-8")

    for name in ("ablation-phi", "ablation-phi-cost", "ablation-streams", "ablation-grid"):
        assert page.count(f"<!-- {name}:start -->") == page.count(f"<!-- {name}:end -->") == 1


def test_the_numbers_of_half_the_width_are_half(training):
    half, small = training.NETWORKS["half"], training.NETWORKS["small"]

    assert [2 * n for n in half.core_channels] == list(small.core_channels)
    assert math.isclose(half.core_channels[0] / half.groups, 2)
    assert replace(half, name="", core_channels=(), groups=1) == replace(
        small, name="", core_channels=(), groups=1
    )
