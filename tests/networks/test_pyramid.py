"""The whole network: streams, heads, levels born silent, tiles, and a saved reference."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.networks.blocks import upsample
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.networks.pyramid import (
    CLEAREST,
    CORE_LEVEL,
    Context,
    Refinement,
    VoxelNetwork,
    pooled_images,
)

TARGETS = len(BASE_STRUCTURES)
SEEN = TARGETS + len(LESIONS)
ISOTROPIC = (1.0, 1.0, 1.0)
TWO_MM = (2.0, 2.0, 2.0)


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-7)


def waves(*shape):
    """An image known by a formula."""
    count = torch.arange(int(torch.tensor(shape).prod()), dtype=torch.float64)
    return (0.5 + 0.5 * torch.cos(0.37 * count + 1e-4 * count**2)).reshape(shape)


def answers(network, image, levels, streams=1):
    """Everything the network says of a case: logits by head, presence and its evidence."""
    images = pooled_images(image.float(), levels, torch.float64)
    core = tuple(level for level in levels if level.index >= CORE_LEVEL)
    context, second = network.core(images[CORE_LEVEL], core, streams)
    fine = context
    for n in reversed(range(len(levels) - len(core))):
        index, step = levels[n].index, (levels[n + 1].pool, levels[n].extent)
        fine = network.fine[index](images[index], fine, step, streams)
    return {
        "structures": network.logits(fine.embedding, streams),
        "lesions": network.lesion_logits(fine.embedding, streams),
        "parcels": network.parcel_logits(context, second, core[1].pool, streams),
        "presence": network.presence(second, streams),
        "evidence": network.evidence(context.embedding, second, streams),
    }


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
    assert presence.shape == (2, SEEN)
    assert logits.isfinite().all()


@torch.inference_mode()
def test_a_case_gets_the_same_alone_and_in_a_batch(network):
    image, levels = waves(2, 1, 32, 32, 32), plan_levels(ISOTROPIC)

    together = network(image, levels)
    alone = [network(one[None], levels) for one in image]

    for n in range(2):
        close(together[n], torch.cat([case[n] for case in alone]))


@pytest.mark.parametrize(
    ("spacing", "shape", "coarse"),
    [(TWO_MM, (16, 16, 32), (8, 8, 16)), ((1.0, 1.0, 5.0), (32, 64, 8), (8, 16, 8))],
    ids=str,
)
@torch.inference_mode()
def test_lesions_lie_on_the_grid_of_the_image_and_parcels_on_the_core(
    network, spacing, shape, coarse
):
    image, levels = waves(2, 1, *shape), plan_levels(spacing)

    found = answers(network, image, levels)

    assert found["lesions"].shape == (2, len(LESIONS), *shape)
    assert found["parcels"].shape == (2, len(PARCELS), *coarse)
    assert found["evidence"].shape == (2, SEEN, 2)
    close(found["structures"], network(image, levels)[0])
    close(found["presence"], network(image, levels)[1])


@torch.inference_mode()
def test_order_of_streams_does_not_matter(network):
    image, levels = waves(3, 1, 16, 16, 16), plan_levels(TWO_MM)
    straight = answers(network, image, levels, 3)

    for order in permutations(range(3)):
        other = answers(network, image[list(order)], levels, 3)
        for name, answer in straight.items():
            torch.testing.assert_close(other[name], answer, rtol=1e-5, atol=1e-5)
    repeated = answers(network, image[[0, 0, 1]], levels, 3)
    for name, answer in straight.items():
        assert len(answer) == 1
        assert not torch.allclose(repeated[name], answer, atol=1e-3), name


@torch.inference_mode()
def test_the_same_image_twice_says_what_it_says_once(network):
    image, levels = waves(1, 1, 16, 16, 16), plan_levels(TWO_MM)

    once = answers(network, image, levels)
    twice = answers(network, image.repeat(2, 1, 1, 1, 1), levels, 2)

    for name, answer in once.items():
        torch.testing.assert_close(twice[name], answer, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_structures_and_lesions_read_channels_of_their_own(network, tiny):
    embedding = waves(1, 12, 2, 3, 4)
    lesions, structures = embedding.clone(), embedding.clone()
    structures[:, : tiny.embedding] += 1
    lesions[:, tiny.embedding :] += 1

    close(network.logits(lesions), network.logits(embedding))
    close(network.lesion_logits(structures), network.lesion_logits(embedding))
    assert not torch.allclose(network.logits(structures), network.logits(embedding))
    assert not torch.allclose(network.lesion_logits(lesions), network.lesion_logits(embedding))


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 3, 1)], ids=str)
@torch.inference_mode()
def test_evidence_is_the_mean_of_the_clearest_voxels(network, shape):
    """Log-odds of a structure against all others, of a lesion against its absence."""
    embedding, second = waves(1, 12, *shape), waves(1, 8, 2, 2, 2)

    found = network.evidence(embedding, second)

    most = min(CLEAREST, shape[0] * shape[1] * shape[2])
    logits = network.logits(embedding)[0].flatten(1)
    others = [torch.cat([logits[:row], logits[row + 1 :]]) for row in range(1, TARGETS + 1)]
    odds = [logits[row] - rest.logsumexp(0) for row, rest in enumerate(others, start=1)]
    odds += list(network.lesion_logits(embedding)[0].flatten(1))
    for n, line in enumerate(odds):
        clearest = sorted(line.tolist())[-most:]
        assert float(found[0, n, 1]) == pytest.approx(sum(clearest) / most, rel=1e-4, abs=1e-4)
    torch.testing.assert_close(found[..., 0], network.presence(second).float())


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
    coarse = Context(waves(1, 8, 12, 12, 12), waves(1, 12, 12, 12, 12), waves(1, 8))
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


@torch.inference_mode()
def test_lesions_are_moved_by_their_threshold(network):
    embedding = waves(1, 2, 3, 4, 24).permute(0, 4, 1, 2, 3)
    network.calibration.voxel.copy_(torch.arange(14.0))

    weight, bias = network.lesion_mask_embeddings()

    assert torch.equal(bias, network.lesions.bias + torch.arange(14.0))
    assert weight.shape == (14, network.config.lesion_embedding)
    network.calibration.voxel.zero_()
    weight, bias = network.lesion_mask_embeddings()
    lesions = embedding[:, : network.config.lesion_embedding]
    logits = torch.einsum("ndijk,ld->nlijk", lesions, weight) + bias[:, None, None, None]
    close(logits, network.lesions(lesions))


def test_gradients_reach_every_weight(network):
    image, levels = waves(2, 1, 32, 32, 32), plan_levels(ISOTROPIC)
    found = answers(network, image, levels, 2)
    del found["evidence"]

    torch.stack([answer.square().mean() for answer in found.values()]).sum().backward()

    silent = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert silent == []


@torch.inference_mode()
def test_outputs_match_the_saved_reference(network):
    """Any change of the architecture shows here: trained weights would mean something else."""
    found = answers(network, waves(2, 1, 32, 32, 16), plan_levels((1.0, 1.0, 2.0)), 2)

    logits, lesions, parcels = (found[name] for name in ("structures", "lesions", "parcels"))
    numbers = [
        *logits[0, [0, 1, 17, 32], [0, 9, 16, 31], [31, 4, 16, 0], [0, 7, 8, 15]].tolist(),
        float(logits.mean()),
        float(logits.std()),
        *found["presence"][0, [0, 31, 32, 45]].tolist(),
        *lesions[0, [0, 6, 13], [0, 9, 31], [31, 4, 0], [0, 7, 15]].tolist(),
        float(lesions.std()),
        *parcels[0, [0, 40, 66], [0, 3, 7], [7, 4, 0], [0, 5, 2]].tolist(),
        float(parcels.std()),
    ]
    saved = [2.6480483, 3.2895793, 4.6345735, -4.373874, -0.0137265, 5.1332164]
    saved += [-0.0167955, -0.0664318, -0.0386531, -0.0276003]
    saved += [-0.5492953, -1.9864539, -0.124005, 3.8980739]
    saved += [6.3435333, 7.7443909, 0.9987785, 4.6729256]
    assert numbers == pytest.approx(saved, rel=1e-5, abs=1e-6)
