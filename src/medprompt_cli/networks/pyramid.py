"""The segmentation network: a coarse U-Net that knows where it is, refined finer and finer.

The core U-Net sees the whole image averaged to about 4 mm and gives every voxel an
embedding. Refinement levels at 2 and 1 mm look at the image at their own scale and
at what the level below said, and correct the embedding. A target's logit is the
product of its mask embedding with the voxel's: T targets share all other work.

Letters: N cases x streams, S streams, C channels, D embedding, T base targets, L lesion
classes, P parcels, (I, J, K) voxels.
Source: after VoxelPrompt, arXiv:2410.08397.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from medprompt_cli.networks.blocks import (
    Down,
    NativeConv,
    NormalisedBlock,
    PlainBlock,
    StreamAttention,
    upsample,
)
from medprompt_cli.networks.config import NetworkConfig
from medprompt_cli.networks.levels import Axes, Factors, Level
from medprompt_cli.networks.targets import (
    LesionHead,
    ParcelHead,
    PresenceCalibration,
    PresenceHead,
    TargetEmbedding,
)

CORE_LEVEL = 2
"""Index of the core's finest level: 4 mm."""

CLEAREST = 4
"""Voxels of 4 mm that have to speak for a target together: about 0.25 mL."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a level hands to the next finer one.

    Attributes:
        features: (N, C, I, J, K), the level's decoded features.
        embedding: (N, D + D', I, J, K), voxel embeddings so far: D channels that structures
            read, D' that lesions read.
        summary: (N, C'), the whole image in one vector.
    """

    features: torch.Tensor
    embedding: torch.Tensor
    summary: torch.Tensor


class _Blocks(nn.ModuleList):
    """The residual blocks of one core level and direction."""

    def __init__(self, config: NetworkConfig, channels: int) -> None:
        blocks = (NormalisedBlock(channels, config.groups) for _ in range(config.core_blocks))
        super().__init__(blocks)

    def forward(self, features: torch.Tensor, extent: Axes) -> torch.Tensor:
        """Refine (N, C, I, J, K)."""
        for block in self:
            features = block(features, extent)
        return features


class Core(nn.Module):
    """U-Net over the levels at 4, 8, 16 and 32 mm, always on the whole image."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths = config.core_channels
        self.stem = NativeConv(1, widths[0])
        self.encode = nn.ModuleList(_Blocks(config, c) for c in widths)
        self.decode = nn.ModuleList(_Blocks(config, c) for c in widths[:-1])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(Down(fine, coarse) for fine, coarse in pairs)
        self.up = nn.ModuleList(nn.Conv3d(coarse, fine, 1) for fine, coarse in pairs)
        self.mix = nn.ModuleList(StreamAttention(c, config.attention) for c in widths)
        self.embed = nn.Conv3d(widths[0], config.embedding + config.lesion_embedding, 1)
        self.presence = PresenceHead(widths[1], config.embedding)

    def forward(
        self, image: torch.Tensor, levels: tuple[Level, ...], streams: int = 1
    ) -> tuple[Context, torch.Tensor]:
        """Read (N, 1, I, J, K) at about 4 mm; sizes divide by the levels' pooling.

        Returns the finest context and the 8 mm features, for presence.
        """
        features, skips = self.stem(image, levels[0].extent), []
        for n, level in enumerate(levels):
            if n:
                features = self.down[n - 1](features, level.pool)
            features = self.encode[n](features, level.extent)
            features = self.mix[n](features, streams)
            skips.append(features)
        summary = features.mean(dim=(2, 3, 4))
        second = features
        for n in reversed(range(len(levels) - 1)):
            features = skips[n] + upsample(self.up[n](features), levels[n + 1].pool)
            features = self.decode[n](features, levels[n].extent)
            second = features if n == 1 else second
        return Context(features, self.embed(features), summary), second


class Refinement(nn.Module):
    """One finer level: looks at the image again and corrects the embedding.

    The correction is born zero, so a level can be added to a trained network.
    """

    def __init__(self, config: NetworkConfig, channels: int, coarser: int) -> None:
        super().__init__()
        self.stem = NativeConv(1, channels)
        self.up = nn.Conv3d(coarser, channels, 1)
        context = config.core_channels[-1]
        self.blocks = nn.ModuleList(
            PlainBlock(channels, context) for _ in range(config.fine_blocks)
        )
        self.mix = StreamAttention(channels, config.attention)
        self.embed = nn.Conv3d(channels, config.embedding + config.lesion_embedding, 1)
        nn.init.zeros_(self.embed.weight)
        if self.embed.bias is not None:
            nn.init.zeros_(self.embed.bias)

    def forward(
        self,
        image: torch.Tensor,
        coarser: Context,
        step: tuple[Factors, Axes],
        streams: int = 1,
    ) -> Context:
        """Refine a coarser context with (N, 1, I, J, K) at this level's scale.

        Args:
            image: Covers the same box as `coarser`.
            coarser: The context of the level below, on a grid `pool` times coarser.
            step: The pooling to the coarser level and the kernel extent here.
            streams: Images of one case among the N.
        """
        pool, extent = step
        features = self.stem(image, extent)
        features = features + upsample(self.up(coarser.features), pool)
        for block in self.blocks:
            features = block(features, coarser.summary, extent)
        features = self.mix(features, streams)
        correction = self.embed(F.silu(features))
        embedding = upsample(coarser.embedding, pool) + correction
        return Context(features, embedding, coarser.summary)


class VoxelNetwork(nn.Module):
    """Images of one case in, one logit per target and voxel out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.core = Core(config)
        widths = (*config.fine_channels, config.core_channels[0])
        pairs = list(pairwise(widths))
        self.fine = nn.ModuleList(Refinement(config, a, b) for a, b in pairs)
        self.targets = TargetEmbedding(config.embedding)
        self.to_mask = nn.Linear(config.embedding, config.embedding, bias=False)
        self.lesions = LesionHead(config.embedding, config.lesion_embedding)
        near, far = config.core_channels[:2]
        self.parcels = ParcelHead((near, far), config.parcel_channels, config.embedding)
        self.calibration = PresenceCalibration()

    def mask_embeddings(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights, (T + 1, D), and bias, (T + 1,), that turn embeddings into logits."""
        phi, bias = self.targets()
        return self.to_mask(phi), bias

    def logits(self, embedding: torch.Tensor, streams: int = 1) -> torch.Tensor:
        """(N, D + D', I, J, K) to (N / S, T + 1, I, J, K); streams are averaged."""
        weight, bias = self.mask_embeddings()
        embedding = mean_of_streams(embedding[:, : self.config.embedding], streams)
        return F.conv3d(embedding, weight[:, :, None, None, None], bias)

    def lesion_logits(self, embedding: torch.Tensor, streams: int = 1) -> torch.Tensor:
        """(N, D + D', I, J, K) to (N / S, L, I, J, K); streams are averaged."""
        return self.lesions(mean_of_streams(embedding[:, self.config.embedding :], streams))

    def lesion_mask_embeddings(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights, (L, D'), and bias, (L,), that turn embeddings into lesion logits.

        Calibrated: 0 is where a voxel of an image that holds the lesion belongs to it.
        """
        head = self.lesions
        return head.to_mask(head.phi), head.bias + self.calibration.voxel.to(head.bias)

    def parcel_logits(
        self, context: Context, second: torch.Tensor, pool: Factors, streams: int = 1
    ) -> torch.Tensor:
        """(N / S, P, I, J, K) from the core's context and 8 mm features."""
        near = mean_of_streams(context.features, streams)
        return self.parcels(near, mean_of_streams(second, streams), pool)

    def presence(self, second: torch.Tensor, streams: int = 1) -> torch.Tensor:
        """Logits, (N / S, T + L), that each base structure and lesion is in the image."""
        phi, _ = self.targets()
        logits = self.core.presence(second, torch.cat([phi[1:], self.lesions.phi]))
        return logits.unflatten(0, (-1, streams)).mean(dim=1)

    def evidence(
        self, embedding: torch.Tensor, second: torch.Tensor, streams: int = 1
    ) -> torch.Tensor:
        """What speaks for each target being in the image, (N / S, T + L, 2).

        The presence head's logit, and the mean log-odds of the `CLEAREST` clearest voxels.
        """
        anatomy = self.logits(embedding, streams).flatten(2).float()
        odds = torch.logit(anatomy.softmax(dim=1), eps=1e-6)[:, 1:]
        lesions = self.lesion_logits(embedding, streams).flatten(2).float()
        most = min(CLEAREST, odds.shape[2])
        clearest = torch.cat([odds, lesions], dim=1).topk(most, dim=2).values.mean(dim=2)
        return torch.stack([self.presence(second, streams).float(), clearest], dim=-1)

    def forward(
        self, image: torch.Tensor, levels: tuple[Level, ...], streams: int = 1
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of a whole image (N, 1, I, J, K) at its entry level, and presence.

        `levels` come from `plan_levels` for the image's spacing. Sizes must divide by all
        pooling.
        """
        context, second = self.read(image, levels, streams)
        return self.logits(context.embedding, streams), self.presence(second, streams)

    def read(
        self, image: torch.Tensor, levels: tuple[Level, ...], streams: int = 1
    ) -> tuple[Context, torch.Tensor]:
        """Context of a whole image at its entry level, and the features at 8 mm."""
        images = pooled_images(image.float(), levels, self.to_mask.weight.dtype)
        core = tuple(level for level in levels if level.index >= CORE_LEVEL)
        context, second = self.core(images[CORE_LEVEL], core, streams)
        for n in reversed(range(len(levels) - len(core))):
            step = (levels[n + 1].pool, levels[n].extent)
            context = self.fine[levels[n].index](
                images[levels[n].index], context, step, streams
            )
        return context, second


def mean_of_streams(features: torch.Tensor, streams: int) -> torch.Tensor:
    """(N, ...) to (N / S, ...)."""
    return features if streams == 1 else features.unflatten(0, (-1, streams)).mean(dim=1)


def pooled_images(
    image: torch.Tensor, levels: tuple[Level, ...], dtype: torch.dtype
) -> dict[int, torch.Tensor]:
    """The float32 image averaged to each level down to the core's, by level index."""
    found = {levels[0].index: image.to(dtype)}
    for level in levels[1:]:
        if level.index > CORE_LEVEL:
            break
        image = F.avg_pool3d(image, level.pool)
        found[level.index] = image.to(dtype)
    return found
