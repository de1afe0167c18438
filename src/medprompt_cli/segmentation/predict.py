"""Run the network over one image: everywhere coarsely, in the brain finely.

The core sees the whole head at about 4 mm. Only where it finds brain are the finer levels run,
tile by tile; they hold no statistics over space, so a tile with its halo gives what
the whole image would give.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from medprompt_cli.networks.blocks import upsample
from medprompt_cli.networks.config import NetworkConfig
from medprompt_cli.networks.levels import Factors, Level
from medprompt_cli.networks.pyramid import (
    CORE_LEVEL,
    Context,
    VoxelNetwork,
    mean_of_streams,
)
from medprompt_cli.segmentation.grid import (
    NetworkGrid,
    bounding_box,
    head_box,
    pad_to_cells,
)
from medprompt_cli.segmentation.tiling import Box, tiles

BRAIN_MARGIN = 2
"""Core voxels around the brain that the core found."""

Consume = Callable[[Box, torch.Tensor], None]
"""Takes a box of native voxels and what was made of their embeddings, (I, J, K, C)."""

Project = Callable[[torch.Tensor], torch.Tensor]
"""Takes embeddings, (1, D + D', I, J, K), of some level to (1, C, I, J, K), linearly."""


@dataclass(frozen=True, slots=True)
class CorePrediction:
    """What the core made of a head.

    Attributes:
        context: Features and embeddings, N = streams.
        box: Where they lie, in voxels of the core's level of the padded image.
        brain: The part of `box` worth a closer look; None if no brain was found.
        presence: (T + L,) calibrated probability of each base structure and lesion.
        second: Core features at 8 mm, over the same box.
    """

    context: Context
    box: Box
    brain: Box | None
    presence: torch.Tensor
    second: torch.Tensor


def halo(config: NetworkConfig) -> int:
    """Core voxels around a tile, at least as far as the finer levels' kernels reach.

    At worst 2 mm and 4 mm voxels are equally long along an axis, which 1 mm kernels then do
    not cross: one voxel for the stem, and one for each convolution of the blocks.
    """
    return 1 + 2 * config.fine_blocks


class Predictor:
    """A network on a device.

    Args:
        network: Already on `device`, in `dtype`.
        device: Where it is.
        dtype: Its number format.
        finest_level: Finest level whose weights were trained.
        tile_bytes: Memory one tile may take.
    """

    def __init__(
        self,
        network: VoxelNetwork,
        device: torch.device,
        dtype: torch.dtype,
        *,
        finest_level: int = 0,
        tile_bytes: int = 2 * 2**30,
    ) -> None:
        self.network, self.device, self.dtype = network, device, dtype
        self.finest_level, self.tile_bytes = finest_level, tile_bytes
        self.halo = halo(network.config)

    @torch.inference_mode()
    def core(self, grids: list[NetworkGrid]) -> CorePrediction:
        """Read co-registered images on one grid at about 4 mm."""
        levels = grids[0].core
        whole = self._core_box(grids[0])
        coarse = torch.cat([g.image_at(levels[0], whole, self.device) for g in grids])
        box = head_box(coarse.amax(dim=0)[0])
        image = coarse[(slice(None), slice(None), *box.slices())]
        padded = pad_to_cells(image, levels)
        context, second = self.network.core(self._ready(padded), levels, len(grids))
        inside = tuple(slice(0, n) for n in box.shape)
        both = (slice(None), slice(None), *inside)
        context = Context(context.features[both], context.embedding[both], context.summary)
        labels = self.network.logits(context.embedding, len(grids))[0].argmax(dim=0)
        brain = bounding_box(labels > 0, BRAIN_MARGIN)
        evidence = self.network.evidence(context.embedding, second, len(grids))
        presence = self.network.calibration(evidence)[0].sigmoid()
        return CorePrediction(context, box, brain, presence.cpu(), second)

    @torch.inference_mode()
    def parcels(self, grids: list[NetworkGrid], core: CorePrediction) -> torch.Tensor:
        """Parcel logits, (P, I, J, K), over `core.box` at the core's level."""
        pool = grids[0].core[1].pool
        missing = [
            n * p - m
            for n, p, m in zip(core.second.shape[2:], pool, core.box.shape, strict=True)
        ]
        whole = F.pad(core.context.features, (0, missing[2], 0, missing[1], 0, missing[0]))
        padded = Context(whole, core.context.embedding, core.context.summary)
        logits = self.network.parcel_logits(padded, core.second, pool, len(grids))
        i, j, k = core.box.shape
        return logits[0, :, :i, :j, :k].float()

    @torch.inference_mode()
    def refine(
        self,
        grids: list[NetworkGrid],
        core: CorePrediction,
        consume: Consume,
        project: Project,
    ) -> None:
        """Hand `consume` what `project` makes of every native voxel of the brain's box.

        The projection is done before the embeddings are interpolated to native voxels,
        which gives the same as after it and is less work.
        """
        if core.brain is None:
            return
        limit = core.box.shape
        most = max(1, self.tile_bytes // self._bytes_per_core_voxel(grids))
        for tile, haloed in tiles(core.brain, self.halo, limit, most):
            projected = self._tile(grids, core, haloed, project)
            step = self._native_step(grids[0])
            native = tile.scaled(step).within(haloed.scaled(step))
            voxels = projected[(0, slice(None), *native)].permute(1, 2, 3, 0)
            consume(tile.shifted(core.box.start).scaled(step), voxels)

    @torch.inference_mode()
    def sample(
        self, grids: list[NetworkGrid], core: CorePrediction
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits, (V, T + 1), log-odds of any lesion, (V,), and intensities, (S, V).

        Of voxels all over the brain: one native voxel is taken from each voxel of the 2 mm
        level; with `core.brain` None there are none.
        """
        any_lesion, any_bias = (all_[0] for all_ in self.network.lesion_mask_embeddings())
        odds = [torch.zeros(0, device=self.device)]
        weight, bias = self.network.mask_embeddings()
        logits = [torch.zeros(0, len(bias), device=self.device)]
        intensities = [torch.zeros(len(grids), 0, device=self.device)]
        limit, most = core.box.shape, self.tile_bytes // self._bytes_per_core_voxel(grids)
        cuts = tiles(core.brain, self.halo, limit, max(1, most)) if core.brain else ()
        for tile, haloed in cuts:
            context, level = self._descend(grids, core, haloed, max(1, self.finest_level))
            i, j, k = (
                a // b for a, b in zip(grids[0].core[0].factors, level.factors, strict=True)
            )
            kept = tile.scaled((i, j, k)).within(haloed.scaled((i, j, k)))
            voxels = context.embedding[(slice(None), slice(None), *kept)].mean(dim=0)
            voxels = voxels.flatten(1).T
            width = weight.shape[1]
            logits.append(F.linear(voxels[:, :width], weight, bias).float())
            odds.append((voxels[:, width:] @ any_lesion + any_bias).float())
            place = tile.shifted(core.box.start).scaled((i, j, k)).scaled(level.factors)
            middle = tuple(
                slice(s.start + f // 2, s.stop, f)
                for s, f in zip(place.slices(), level.factors, strict=True)
            )
            found = [grid.image[middle].flatten().to(self.device) for grid in grids]
            intensities.append(torch.stack(found))
        return torch.cat(logits), torch.cat(odds), torch.cat(intensities, dim=1)

    def _tile(
        self, grids: list[NetworkGrid], core: CorePrediction, box: Box, project: Project
    ) -> torch.Tensor:
        """Projected embeddings, (1, C, I, J, K), on the native grid inside `box`."""
        context, level = self._descend(grids, core, box, self.finest_level)
        one = project(mean_of_streams(context.embedding, len(grids)))
        return upsample(one, level.factors)

    def _descend(
        self, grids: list[NetworkGrid], core: CorePrediction, box: Box, finest: int
    ) -> tuple[Context, Level]:
        """Refine `box` level by level, down to `finest` or the image's own level."""
        both = (slice(None), slice(None), *box.slices())
        here = Context(
            core.context.features[both], core.context.embedding[both], core.context.summary
        )
        levels = grids[0].levels
        start = next(n for n, level in enumerate(levels) if level.index == CORE_LEVEL)
        placed = box.shifted(core.box.start)
        reached = levels[start]
        for n in reversed(range(start)):
            if levels[n].index < finest:
                break
            reached = levels[n]
            here = self._refine_level(
                grids, here, placed, (reached, levels[n + 1], levels[start])
            )
        return here, reached

    def _refine_level(
        self,
        grids: list[NetworkGrid],
        coarser: Context,
        placed: Box,
        levels: tuple[Level, Level, Level],
    ) -> Context:
        level, below, core = levels
        i, j, k = (a // b for a, b in zip(core.factors, level.factors, strict=True))
        box = placed.scaled((i, j, k))
        images = [g.image_at(level, box, self.device) for g in grids]
        step = (below.pool, level.extent)
        fine = self.network.fine[level.index]
        return fine(self._ready(torch.cat(images)), coarser, step, len(grids))

    def _ready(self, image: torch.Tensor) -> torch.Tensor:
        return image.to(self.dtype).contiguous(memory_format=torch.channels_last_3d)

    @staticmethod
    def _core_box(grid: NetworkGrid) -> Box:
        factors = grid.core[0].factors
        i, j, k = (n // f for n, f in zip(grid.image.shape, factors, strict=True))
        return Box((0, 0, 0), (i, j, k))

    @staticmethod
    def _native_step(grid: NetworkGrid) -> Factors:
        return grid.core[0].factors

    def _bytes_per_core_voxel(self, grids: list[NetworkGrid]) -> int:
        """Memory the finest level needs for the native voxels of one core voxel."""
        config = self.network.config
        native = math.prod(grids[0].core[0].factors)
        width = torch.finfo(self.dtype).bits // 8
        channels = config.embedding + config.lesion_embedding
        features = 5 * config.fine_channels[0] + 3 * channels
        targets = 2 * (len(self.network.targets.kind_of))
        return native * width * (features * len(grids) + targets)
