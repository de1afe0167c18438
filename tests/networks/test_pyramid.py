"""The whole network: streams, levels born silent, tiles, and a saved reference."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.networks.blocks import upsample
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.networks.pyramid import (
    CORE_LEVEL,
    Context,
    Refinement,
    VoxelNetwork,
    pooled_images,
)

TARGETS = len(BASE_STRUCTURES)
ISOTROPIC = (1.0, 1.0, 1.0)


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-7)


def waves(*shape):
    """An image known by a formula."""
    count = torch.arange(int(torch.tensor(shape).prod()), dtype=torch.float64)
    return (0.5 + 0.5 * torch.cos(0.37 * count + 1e-4 * count**2)).reshape(shape)


@pytest.mark.parametrize(
    ("spacing", "shape"),
    [
        (ISOTROPIC, (32, 32, 64)),
        ((1.0, 1.0, 5.0), (32, 64, 8)),
        ((2.0, 2.0, 2.0), (16, 32, 16)),
        ((4.0, 4.0, 8.0), (8, 16, 8)),
    ],
    ids=str,
)
@torch.inference_mode()
def test_logits_lie_on_the_grid_of_the_image(network, spacing, shape):
    logits, presence = network(waves(2, 1, *shape), plan_levels(spacing))

    assert logits.shape == (2, TARGETS + 1, *shape)
    assert presence.shape == (2, TARGETS)
    assert logits.isfinite().all()


@torch.inference_mode()
def test_a_case_gets_the_same_alone_and_in_a_batch(network):
    image, levels = waves(2, 1, 32, 32, 32), plan_levels(ISOTROPIC)

    together = network(image, levels)
    alone = [network(one[None], levels) for one in image]

    for n in range(2):
        close(together[n], torch.cat([case[n] for case in alone]))


@torch.inference_mode()
def test_order_of_streams_does_not_matter(network):
    image, levels = waves(3, 1, 32, 32, 32), plan_levels(ISOTROPIC)
    logits, presence = network(image, levels, 3)

    for order in permutations(range(3)):
        other, there = network(image[list(order)], levels, 3)
        close(other, logits)
        close(there, presence)
    assert not torch.allclose(network(image[[0, 0, 1]], levels, 3)[0], logits, atol=1e-2)


@torch.inference_mode()
def test_the_same_image_twice_says_what_it_says_once(network):
    image, levels = waves(1, 1, 32, 32, 32), plan_levels(ISOTROPIC)

    once, twice = network(image, levels), network(image.repeat(2, 1, 1, 1, 1), levels, 2)

    close(twice[0], once[0])
    close(twice[1], once[1])


@torch.inference_mode()
def test_a_newborn_level_says_what_the_core_says(tiny, network):
    newborn = VoxelNetwork(tiny).double()
    newborn.core, newborn.targets, newborn.to_mask = (
        network.core,
        network.targets,
        network.to_mask,
    )
    image, levels = waves(1, 1, 32, 32, 32), plan_levels(ISOTROPIC)
    core = [level for level in levels if level.index >= CORE_LEVEL]
    coarse = pooled_images(image.float(), levels, torch.float64)[CORE_LEVEL]
    context, _ = network.core(coarse, tuple(core))

    logits, _ = newborn(image, levels)

    raised = upsample(upsample(context.embedding, (2, 2, 2)), (2, 2, 2))
    close(logits, network.logits(raised))
    assert not torch.allclose(network(image, levels)[0], logits, atol=1e-2)


@pytest.mark.parametrize("extent", [(True, True, True), (True, True, False)], ids=str)
@torch.inference_mode()
def test_refining_a_tile_is_refining_the_image(tiny, enliven, extent):
    refine = enliven(Refinement(tiny, 4, 8)).double()
    pool = (2, 2, 2) if extent[2] else (2, 2, 1)
    coarse = Context(waves(1, 8, 12, 12, 12), waves(1, 8, 12, 12, 12), waves(1, 8))
    image = waves(1, 1, *(12 * p for p in pool))
    box = slice(2, 10)  # of which 3 voxels on each side are the halo
    there = (slice(None), slice(None), *(slice(2 * p, 10 * p) for p in pool))
    part = Context(
        coarse.features[:, :, box, box, box],
        coarse.embedding[:, :, box, box, box],
        coarse.summary,
    )

    whole = refine(image, coarse, (pool, extent))
    tile = refine(image[there], part, (pool, extent))

    inner = (slice(None), slice(None), *(slice(3 * p, 5 * p) for p in pool))
    outer = (slice(None), slice(None), *(slice(5 * p, 7 * p) for p in pool))
    close(tile.features[inner], whole.features[outer])
    close(tile.embedding[inner], whole.embedding[outer])


def test_gradients_reach_every_weight(network):
    image, levels = waves(2, 1, 32, 32, 32), plan_levels(ISOTROPIC)
    logits, presence = network(image, levels, 2)

    (logits.square().mean() + presence.square().mean()).backward()

    silent = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert silent == []


@torch.inference_mode()
def test_outputs_match_the_saved_reference(network):
    """Any change of the architecture shows here: trained weights would mean something else."""
    logits, presence = network(waves(2, 1, 32, 32, 16), plan_levels((1.0, 1.0, 2.0)), 2)

    saved = [2.6480483, 3.2895793, 4.6345735, -4.373874]
    saved += [-0.0137265, 5.1332164, -0.0167955, -0.0664318]
    found = [
        *logits[0, [0, 1, 17, 32], [0, 9, 16, 31], [31, 4, 16, 0], [0, 7, 8, 15]].tolist(),
        float(logits.mean()),
        float(logits.std()),
        *presence[0, [0, 31]].tolist(),
    ]
    assert found == pytest.approx(saved, rel=1e-5)
