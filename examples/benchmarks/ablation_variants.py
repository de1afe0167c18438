"""Networks to compare ours with, and what each of them minimises and predicts.

Letters as in networks/pyramid.py: S streams, T base targets, D embedding, (I, J, K) voxels;
R targets asked for in a step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.networks.blocks import upsample
from medprompt_cli.networks.config import NetworkConfig
from medprompt_cli.networks.levels import Level
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.networks.targets import RARE
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.training.loss import LEAST_SIZE, SMOOTH, segmentation_loss

TARGETS = len(BASE_STRUCTURES)

ASKED = 4
"""Random targets of a step, where the generator runs once for each."""

EVEN_ODDS = 0.0
"""Log-odds above which a voxel belongs to a target."""


@dataclass(frozen=True, eq=False)
class Head:
    """Images of one head at 4 mm and their truth.

    Attributes:
        images: (S, 1, I, J, K), in the network's number format.
        levels: Of the core, finest first.
        rows: (I, J, K, P) uint8 target rows of every part of a voxel.
    """

    images: torch.Tensor
    levels: tuple[Level, ...]
    rows: torch.Tensor


class Compared(VoxelNetwork, ABC):
    """A network that says itself what a step minimises and what it predicts."""

    @abstractmethod
    def cost(self, head: Head, draw: Draw) -> torch.Tensor:
        """What a step on `head` minimises."""
        ...

    @abstractmethod
    def masks(self, head: Head) -> torch.Tensor:
        """(T, I, J, K) bool of every base structure."""
        ...

    def head_logits(self, head: Head) -> torch.Tensor:
        """Logits of the background and all targets, (T + 1, I, J, K), phi at the head."""
        streams = len(head.images)
        context, _ = self.core(head.images, head.levels, streams)
        return self.logits(context.embedding, streams)[0]


class Competing(Compared):
    """Ours: phi at the head, all targets at once, in one softmax."""

    def cost(self, head: Head, draw: Draw) -> torch.Tensor:  # noqa: ARG002 - others draw
        """Of all targets and the background."""
        return segmentation_loss(self.head_logits(head), head.rows).total

    def masks(self, head: Head) -> torch.Tensor:
        """Where a target is likeliest of all."""
        found = self.head_logits(head).argmax(dim=0)
        return torch.stack([found == row for row in range(1, TARGETS + 1)])


class Separate(Compared):
    """phi at the head, all targets at once, with a sigmoid each."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        nn.init.constant_(self.targets.bias, RARE)

    def cost(self, head: Head, draw: Draw) -> torch.Tensor:  # noqa: ARG002 - others draw
        """Of all targets."""
        asked = torch.arange(1, TARGETS + 1, device=head.rows.device)
        return separate_loss(self.head_logits(head)[1:], head.rows, asked)

    def masks(self, head: Head) -> torch.Tensor:
        """Where a target is likelier than not."""
        return self.head_logits(head)[1:] > EVEN_ODDS


class SteeredDecoder(Compared):
    """phi at every level: added to the decoder, which runs for each target.

    A sigmoid for each target.

    The encoder, the decoder and phi are those of the network it inherits from.
    Source: the generator of VoxelPrompt, arXiv:2410.08397.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        nn.init.constant_(self.targets.bias, RARE)
        widths = config.core_channels
        self.steer = nn.ModuleList(nn.Linear(config.embedding, c) for c in widths)
        self.to_logit = nn.Conv3d(widths[0], 1, 1)

    def cost(self, head: Head, draw: Draw) -> torch.Tensor:
        """Of `ASKED` random targets."""
        order = torch.randperm(TARGETS, generator=draw.scalars)[:ASKED]
        asked = (1 + order).to(head.rows.device)
        skips = self.encode(head.images, head.levels)
        return separate_loss(self.decode(skips, head.levels, asked), head.rows, asked)

    def masks(self, head: Head) -> torch.Tensor:
        """Where a target is likelier than not: one run of the decoder for each."""
        skips = self.encode(head.images, head.levels)
        rows = torch.arange(1, TARGETS + 1, device=head.rows.device)
        found = [self.decode(skips, head.levels, row[None])[0] for row in rows]
        return torch.stack(found) > EVEN_ODDS

    def encode(self, images: torch.Tensor, levels: Sequence[Level]) -> list[torch.Tensor]:
        """Features of (1, 1, I, J, K) at every level, finest first."""
        core, skips = self.core, []
        features = core.stem(images, levels[0].extent)
        for n, level in enumerate(levels):
            if n:
                features = core.down[n - 1](features, level.pool)
            features = core.encode[n](features, level.extent)
            skips.append(features)
        return skips

    def decode(
        self, skips: Sequence[torch.Tensor], levels: Sequence[Level], asked: torch.Tensor
    ) -> torch.Tensor:
        """Log-odds, (R, I, J, K), of the R targets whose rows are asked for."""
        phi, bias = self.targets()
        phi = phi[asked]  # (R, D)
        features = skips[-1] + self._steering(len(skips) - 1, phi)
        for n in reversed(range(len(levels) - 1)):
            features = skips[n] + upsample(self.core.up[n](features), levels[n + 1].pool)
            features = features + self._steering(n, phi)
            features = self.core.decode[n](features, levels[n].extent)
        return self.to_logit(features)[:, 0] + bias[asked][:, None, None, None]

    def _steering(self, n: int, phi: torch.Tensor) -> torch.Tensor:
        return self.steer[n](phi)[:, :, None, None, None]  # (R, C, 1, 1, 1)


class PooledStreams(nn.Module):
    """The largest or the mean of the streams in place of attention; else as ours.

    Letters: B cases, C channels, b width.
    """

    def __init__(self, channels: int, width: int, how: Literal["max", "mean"]) -> None:
        super().__init__()
        self.how = how
        self.to_value = nn.Linear(channels, width)
        self.to_update = nn.Linear(width, channels, bias=False)
        nn.init.zeros_(self.to_update.weight)

    def forward(self, features: torch.Tensor, streams: int) -> torch.Tensor:
        """Return `features`, (B * S, C, I, J, K), each stream informed by the others."""
        if streams == 1:
            return features
        cases = features.unflatten(0, (-1, streams))  # (B, S, C, I, J, K)
        value = self.to_value(cases.movedim(2, -1))  # (B, S, I, J, K, b)
        pool = torch.mean if self.how == "mean" else torch.amax
        pooled = pool(value, dim=1, keepdim=True)
        update = self.to_update(pooled - value).movedim(-1, 2)
        return features + update.flatten(0, 1)


class Pooled(Competing):
    """Ours, with the streams mixed by `PooledStreams`."""

    def __init__(self, config: NetworkConfig, how: Literal["max", "mean"]) -> None:
        super().__init__(config)
        self.core.mix = nn.ModuleList(
            PooledStreams(channels, config.attention, how) for channels in config.core_channels
        )


def separate_loss(
    log_odds: torch.Tensor, rows: torch.Tensor, asked: torch.Tensor
) -> torch.Tensor:
    """Soft Dice plus cross-entropy of targets that do not compete.

    The mean over the targets asked for stands for the sum over all, so that what a few
    random ones give is, on average, what all would give.

    Args:
        log_odds: (R, I, J, K).
        rows: (I, J, K, P) uint8 target rows.
        asked: (R,) rows of the targets.
    """
    x = log_odds.flatten(1).float()  # (R, V)
    parts = rows.flatten(0, 2)  # (V, P)
    share = torch.stack([(parts == int(row)).float().mean(dim=1) for row in asked])
    entropy = F.binary_cross_entropy_with_logits(x, share, reduction="none").mean(dim=1)
    p, size = x.sigmoid(), share.sum(dim=1)
    dice = (2 * (p * share).sum(dim=1) + SMOOTH) / (p.sum(dim=1) + size + SMOOTH)
    there = size > LEAST_SIZE
    lost = (1 - dice)[there].mean() if bool(there.any()) else x.sum() * 0
    return lost + TARGETS * entropy.mean()
