"""The key promise of tiling: a tile with its halo gives what the whole image would give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.domain.volume import Volume
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.grid import network_grid, pad_to_cells
from medprompt_cli.segmentation.predict import Predictor
from medprompt_cli.segmentation.tiling import Box

CPU = torch.device("cpu")
ROOM = 2**40
GRIDS = [
    ((1.0, 1.0, 1.0), (52, 12, 12)),
    ((1.0, 1.0, 1.0), (8, 52, 12)),
    ((1.0, 1.0, 2.0), (12, 16, 28)),
    ((1.0, 1.0, 3.0), (16, 12, 22)),
    ((5.0, 1.0, 1.0), (12, 56, 8)),
    ((0.5, 0.5, 3.0), (16, 112, 10)),
    ((2.0, 2.0, 2.0), (28, 6, 8)),
    ((2.0, 4.0, 2.0), (8, 22, 6)),
    ((3.9, 3.9, 3.9), (5, 6, 21)),
]
"""Spacing, and a shape that is cut along at least one axis."""


def scan(spacing, shape, seed=0):
    noise = np.random.default_rng(seed).random(shape, np.float32)
    return network_grid(Volume(noise, Geometry(shape, np.diag([*spacing, 1.0]))))


def embeddings(network, grids, tile_bytes=ROOM, finest_level=0):
    """Embeddings of every native voxel, NaN where none was given, and the tiles' boxes."""
    predictor = Predictor(
        network, CPU, torch.float32, finest_level=finest_level, tile_bytes=tile_bytes
    )
    core = predictor.core(grids)
    width = network.config.embedding + network.config.lesion_embedding
    found = torch.full((*grids[0].image.shape, width), torch.nan)
    boxes = []

    def consume(box, voxels):
        assert tuple(voxels.shape) == (*box.shape, width)
        assert found[box.slices()].isnan().all()
        found[box.slices()] = voxels
        boxes.append(box)

    predictor.refine(grids, core, consume, lambda embedding: embedding)
    return found, boxes


def revive(network):
    """Weights of ordinary size everywhere, for a network that was just made."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in network.parameters():
            reach = max(1, parameter[0].numel()) if parameter.ndim > 1 else 4
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(noise * reach**-0.5)
        network.targets.bias[0] = -100.0  # brain everywhere
    return network.eval()


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize(("spacing", "shape"), GRIDS, ids=str)
def test_many_tiles_give_what_one_gives(tiny, spacing, shape, blocks):
    network = revive(VoxelNetwork(replace(tiny, fine_blocks=blocks)))
    grids = [scan(spacing, shape)]

    whole, one = embeddings(network, grids)
    tiled, many = embeddings(network, grids, tile_bytes=1)

    assert len(one) == 1
    assert len(many) > 1
    torch.testing.assert_close(tiled, whole, rtol=1e-4, atol=1e-4, equal_nan=True)
    labels = [(network.logits(e.movedim(3, 0)[None])[0]).argmax(0) for e in (tiled, whole)]
    assert (labels[0] == labels[1]).float().mean() > 0.9999


def test_corners_of_tiles_give_what_one_tile_gives(tiny):
    network = revive(VoxelNetwork(tiny))
    grids = [scan((1.0, 1.0, 1.0), (36, 36, 36))]

    whole, _ = embeddings(network, grids)
    tiled, many = embeddings(network, grids, tile_bytes=1)

    assert len(many) == 8
    torch.testing.assert_close(tiled, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("finest_level", [0, 1, 2])
def test_levels_that_were_not_trained_are_left_out(tiny, finest_level):
    network = revive(VoxelNetwork(tiny))
    grids = [scan((1.0, 1.0, 1.0), (16, 12, 20))]
    whole, _ = embeddings(network, grids, finest_level=finest_level)
    with torch.no_grad():
        for level in network.fine[:finest_level]:
            for parameter in level.parameters():
                parameter.fill_(torch.nan)

    again, _ = embeddings(network, grids, finest_level=finest_level)

    assert not whole.isnan().all()
    torch.testing.assert_close(again, whole, equal_nan=True)


def test_several_streams_are_tiled_as_one_is(tiny):
    network = revive(VoxelNetwork(tiny))
    grids = [scan((1.0, 1.0, 3.0), (12, 8, 22), seed) for seed in range(3)]

    whole, _ = embeddings(network, grids)
    tiled, many = embeddings(network, grids, tile_bytes=1)
    turned, _ = embeddings(network, grids[::-1])

    assert len(many) > 1
    torch.testing.assert_close(tiled, whole, rtol=1e-4, atol=1e-4, equal_nan=True)
    torch.testing.assert_close(turned, whole, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_tiles_are_as_large_as_the_memory_allows(tiny):
    network = revive(VoxelNetwork(tiny))
    grids = [scan((1.0, 1.0, 1.0), (36, 12, 12))]

    counts = [
        len(embeddings(network, grids, megabytes * 2**20)[1]) for megabytes in (0, 36, 37)
    ]

    assert counts == [2, 2, 1]  # 15 * 9 * 9 core voxels with halo, of 31 kB: 36.2 MiB


def test_projecting_before_the_interpolation_gives_the_same_as_after(tiny):
    network = revive(VoxelNetwork(tiny))
    grids = [scan((1.0, 1.0, 2.0), (12, 16, 28))]
    predictor = Predictor(network, CPU, torch.float32, finest_level=1, tile_bytes=1)
    weight = torch.randn(5, tiny.embedding + tiny.lesion_embedding)
    before, after = {}, {}

    def project(embedding):
        return torch.einsum("ndijk,cd->ncijk", embedding, weight)

    core = predictor.core(grids)
    predictor.refine(grids, core, lambda b, v: before.update({b.start: v}), project)
    predictor.refine(grids, core, lambda b, v: after.update({b.start: v}), lambda e: e)

    assert len(before) > 1
    for start, voxels in before.items():
        torch.testing.assert_close(voxels, after[start] @ weight.T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("spacing", "shape"),
    [
        ((1.0, 1.0, 1.0), (20, 12, 28)),
        ((1.0, 1.0, 5.0), (36, 44, 5)),
        ((4.0, 4.0, 4.0), (5, 8, 3)),
    ],
    ids=str,
)
@torch.inference_mode()
def test_parcels_are_those_of_the_padded_image(tiny, spacing, shape):
    """Features are cut to the head and padded again for the parcels: nothing is lost."""
    network = revive(VoxelNetwork(tiny))
    grids = [scan(spacing, shape, seed) for seed in range(2)]
    predictor = Predictor(network, CPU, torch.float32)

    found = predictor.parcels(grids, predictor.core(grids))

    levels = grids[0].core
    i, j, k = (n // f for n, f in zip(grids[0].image.shape, levels[0].factors, strict=True))
    whole = Box((0, 0, 0), (i, j, k))
    coarse = torch.cat([grid.image_at(levels[0], whole, CPU) for grid in grids])
    context, second = network.core(pad_to_cells(coarse, levels), levels, 2)
    expected = network.parcel_logits(context, second, levels[1].pool, 2)[0]
    assert found.shape == (len(PARCELS), i, j, k)
    torch.testing.assert_close(found, expected[(slice(None), *whole.slices())])


def test_a_whole_image_goes_the_way_of_the_network(tiny):
    """Where nothing is cropped or padded, tiles add up to `VoxelNetwork.forward`."""
    network = revive(VoxelNetwork(tiny))
    grid = scan((1.0, 1.0, 1.0), (32, 32, 32))

    found, _ = embeddings(network, [grid], tile_bytes=1)

    with torch.inference_mode():
        logits, presence = network(grid.image[None, None], grid.levels)
        again = network.logits(found.movedim(3, 0)[None])
        core = Predictor(network, CPU, torch.float32).core([grid])
    torch.testing.assert_close(again, logits, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(core.presence, presence[0].sigmoid(), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_presence_is_calibrated_evidence(tiny):
    network = revive(VoxelNetwork(tiny))
    generator = torch.Generator().manual_seed(3)
    network.calibration.scale.copy_(torch.randn(46, 2, generator=generator))
    network.calibration.offset.copy_(torch.randn(46, generator=generator))
    grids = [scan((4.0, 4.0, 4.0), (8, 8, 8), seed) for seed in range(2)]

    found = Predictor(network, CPU, torch.float32).core(grids).presence

    image = torch.stack([grid.image[None] for grid in grids])
    context, second = network.core(image, grids[0].core, 2)
    evidence = network.evidence(context.embedding, second, 2)
    torch.testing.assert_close(found, network.calibration(evidence)[0].sigmoid())
    assert found.shape == (len(BASE_STRUCTURES) + len(LESIONS),)


def test_nothing_is_refined_where_there_is_no_brain(tiny, threshold):
    found, boxes = embeddings(threshold(seen=False), [scan((1.0, 1.0, 1.0), (32, 32, 32))])

    assert boxes == []
    assert found.isnan().all()
