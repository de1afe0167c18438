"""What one head costs: coarse everywhere, fine in crops, against truth at its place."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.networks.pyramid import (
    CORE_LEVEL,
    Context,
    VoxelNetwork,
    pooled_images,
)
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator, Sample
from medprompt_cli.synthesis.lesion_parts import PART_INDEX, truth_table
from medprompt_cli.training.loss import (
    LesionTruth,
    lesion_loss,
    parcel_loss,
    presence_loss,
    segmentation_loss,
)
from medprompt_cli.training.objective import (
    FAMILIES,
    LESION_WEIGHT,
    PARCEL_WEIGHT,
    PRESENCE_WEIGHT,
    Scan,
    coarse_rows,
    crop_loss,
    random_box,
    sample_cost,
)
from medprompt_cli.training.recipe import Recipe
from medprompt_cli.training.state import new_state

CPU = torch.device("cpu")
ISOTROPIC = plan_levels((1.0, 1.0, 1.0))
TRUTH = LesionTruth.from_table(truth_table(), CPU)


def enliven(network):
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in network.parameters():
            reach = max(1, parameter[0].numel()) if parameter.ndim > 1 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * reach**-0.5)
    return network


@pytest.fixture
def network(tiny):
    return enliven(VoxelNetwork(tiny)).double()


def random_sample(spacing, shape, streams=1):
    """Noise everywhere: images, structures, lesions and parcels."""
    generator = torch.Generator().manual_seed(5)

    def noise(below, *size):
        return torch.randint(below, size, generator=generator, dtype=torch.uint8)

    return Sample(
        torch.rand(streams, *shape, generator=generator),
        noise(33, *shape, 1),
        noise(len(PART_INDEX), *shape, 1),
        noise(len(PARCELS) + 1, *shape),
        spacing,
    )


def test_a_crop_of_everything_costs_what_the_network_costs(network):
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


def test_a_crop_is_compared_with_the_truth_at_its_place(network):
    levels = plan_levels((2.0, 2.0, 2.0))
    image = torch.rand(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(6))
    images = pooled_images(image, levels, torch.float64)
    context, _ = network.core(images[CORE_LEVEL], levels[1:])
    rows = torch.zeros(16, 16, 16, 1, dtype=torch.uint8)
    rows[4:12, 2:8, 6:16] = 7
    box = (slice(2, 6), slice(1, 4), slice(3, 8))

    parts = torch.zeros_like(rows)
    parts[4:12, 2:8, 6:16] = PART_INDEX["cyst"]
    scan = Scan(images, levels, rows, parts)
    uniform = Scan(
        images, levels, torch.full_like(rows, 7), torch.full_like(rows, PART_INDEX["cyst"])
    )

    found, lesion, dice = crop_loss(network, scan, context, box)
    again, same_lesion, _ = crop_loss(network, uniform, context, box)

    torch.testing.assert_close(found.total, again.total)
    torch.testing.assert_close(lesion, same_lesion)
    assert (~found.dice.isnan()).nonzero().tolist() == [[6]]
    assert (~dice.isnan()).tolist() == TRUTH.yes[PART_INDEX["cyst"]].tolist()


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


@pytest.mark.parametrize("ill", [True, False])
def test_a_crop_lies_on_a_lesion_in_half_of_the_draws_where_there_is_one(recipe, ill):
    core = plan_levels((2.0, 2.0, 2.0))[1]
    context = Context(*(torch.zeros(1, 8, 16, 16, 16) for _ in range(3)))
    rows, parts = torch.zeros(2, 16, 16, 16, 8, dtype=torch.uint8)
    rows[:12, :12, :12] = 2
    parts[14, 14, 14, :3] = int(ill)  # apart from the rest, so that no crop meets it by chance
    draw, recipe = Draw(4), replace(recipe, crop_mm=8.0)

    boxes = [random_box(context, core, recipe, draw, (rows, parts)) for _ in range(400)]

    on_lesion = sum(all(s.start <= 14 < s.stop for s in box) for box in boxes)
    on_brain = sum(bool(rows[box].any()) for box in boxes)
    assert on_lesion + on_brain == 400
    assert (150 < on_lesion < 250) if ill else on_lesion == 0


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


def test_loss_of_a_sample_is_the_core_the_crops_and_what_they_share(fine_recipe, head, tiny):
    state = new_state(enliven(VoxelNetwork(tiny)), fine_recipe, CPU)
    sample = Generator([head], fine_recipe.generator, Draw(4)).sample()

    def cost(**changes):
        recipe = replace(fine_recipe, crop_mm=512.0, **changes)
        return float(sample_cost(state.network, recipe, sample, Draw(1)).total.detach())

    core_only = cost(level=2)
    both, fine_only = cost(core_weight=1.0), cost(core_weight=0.0)
    one = sample_cost(state.network, fine_recipe, sample, Draw(1))
    shared = PRESENCE_WEIGHT * float(one.presence) + PARCEL_WEIGHT * float(one.parcel)
    assert both == pytest.approx(core_only + fine_only - shared, rel=1e-3)
    assert cost(crops=3, core_weight=0.0) == pytest.approx(fine_only, rel=1e-3)


@pytest.mark.parametrize("spacing", [(4.0, 4.0, 4.0), (4.0, 4.0, 8.0)], ids=str)
def test_cost_at_4_mm_is_the_sum_of_its_parts(network, recipe, spacing):
    sample = random_sample(spacing, (16, 16, 8))
    levels = plan_levels(spacing)
    assert levels[0].factors == (1, 1, 1)
    context, second = network.core(sample.images[:, None].double(), levels)

    cost = sample_cost(network, recipe, sample, Draw(1))

    anatomy = segmentation_loss(network.logits(context.embedding)[0], sample.labels)
    logits = network.lesion_logits(context.embedding)[0]
    lesion, dice = lesion_loss(logits, sample.lesions, TRUTH)
    logits = network.parcel_logits(context, second, levels[1].pool)[0]
    parcel = parcel_loss(logits, sample.parcels, FAMILIES)
    presence = network.presence(second)
    presence = presence_loss(presence, sample.labels, sample.lesions, TRUTH)
    total = anatomy.total + LESION_WEIGHT * lesion
    total = total + PARCEL_WEIGHT * parcel + PRESENCE_WEIGHT * presence
    torch.testing.assert_close(cost.total, total)
    torch.testing.assert_close(cost.lesion, dice)
    torch.testing.assert_close((cost.parcel, cost.presence), (parcel, presence))


def test_parcels_are_compared_at_4_mm(network, recipe):
    """A finer truth in blocks of one parcel costs what the blocks cost."""
    levels = plan_levels((2.0, 2.0, 2.0))
    sample = random_sample((2.0, 2.0, 2.0), (16, 16, 16))
    blocks = random_sample((4.0, 4.0, 4.0), (8, 8, 8)).parcels
    fine = blocks
    for axis in range(3):
        fine = fine.repeat_interleave(2, axis)
    images = pooled_images(sample.images[:, None], levels, torch.float64)
    context, second = network.core(images[CORE_LEVEL], levels[1:])

    cost = sample_cost(network, recipe, replace(sample, parcels=fine), Draw(1))

    logits = network.parcel_logits(context, second, levels[2].pool)[0]
    torch.testing.assert_close(cost.parcel, parcel_loss(logits, blocks, FAMILIES))
    assert float(cost.parcel.detach()) > 0


def test_an_image_twice_costs_what_it_costs_once(network, fine_recipe):
    sample = random_sample((2.0, 2.0, 2.0), (16, 16, 16))
    twice = replace(sample, images=sample.images.repeat(2, 1, 1, 1))

    one, two = (sample_cost(network, fine_recipe, s, Draw(1)) for s in (sample, twice))
    other = sample_cost(
        network, fine_recipe, random_sample(sample.spacing, (16, 16, 16), 2), Draw(1)
    )

    torch.testing.assert_close(one.total, two.total, rtol=1e-5, atol=1e-5)
    assert abs(float((other.total - one.total).detach())) > 1e-3


def test_a_head_without_lesions_or_parcels_costs_nothing_for_their_borders(network, recipe):
    sample = random_sample((4.0, 4.0, 4.0), (8, 8, 8))
    healthy = replace(
        sample,
        lesions=torch.zeros_like(sample.lesions),
        parcels=torch.zeros_like(sample.parcels),
    )

    cost = sample_cost(network, recipe, healthy, Draw(1))
    cost.total.backward()

    assert cost.lesion.isnan().all()
    assert float(cost.parcel) == 0
    gradients = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    assert gradients["lesions.phi"].any()  # it learns that there is none
    assert not gradients["parcels.kind"].any()
