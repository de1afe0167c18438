"""Convolutions that know which axes are thick, and attention between streams."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from medprompt_cli.networks.levels import Axes, Factors

MISCOMPUTED = 2
"""Planes along I for which torch 2.13 gets the weight gradient of a 3³ convolution wrong on
a CPU, in bfloat16 and channels-last: it reads memory that was never written."""


class NativeConv(nn.Module):
    """A 3³ convolution that shrinks to in-plane where slices are thick.

    Along an axis without extent the kernel is summed: what a 3D kernel gives on an
    image that is constant through the slice. One set of weights serves all grids.

    Source: after the 2D/3D switch of VoxelPrompt, arXiv:2410.08397.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__()
        kernel = nn.Conv3d(inputs, outputs, kernel_size=3, bias=bias)
        self.weight, self.bias = kernel.weight, kernel.bias

    def forward(self, features: torch.Tensor, extent: Axes) -> torch.Tensor:
        """Convolve (N, C, I, J, K), same size out."""
        weight = self.weight
        for axis, reaches in enumerate(extent):
            if not reaches:
                weight = weight.sum(axis + 2, keepdim=True)
        padding = tuple(int(reaches) for reaches in extent)
        if not _is_miscomputed(features):
            return F.conv3d(features, weight, self.bias, padding=padding)
        bias = None if self.bias is None else self.bias.float()
        exact = F.conv3d(features.float(), weight.float(), bias, padding=padding)
        return exact.to(features.dtype)


def _is_miscomputed(features: torch.Tensor) -> bool:
    return (
        features.shape[2] == MISCOMPUTED
        and features.dtype == torch.bfloat16
        and features.device.type == "cpu"
        and torch.is_grad_enabled()
    )


class Down(nn.Module):
    """A learned pooling by 2 along the axes that are pooled, by 1 along the others."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        kernel = nn.Conv3d(inputs, outputs, kernel_size=2)
        self.weight, self.bias = kernel.weight, kernel.bias

    def forward(self, features: torch.Tensor, pool: Factors) -> torch.Tensor:
        """Pool (N, C, I, J, K); sizes must divide by `pool`."""
        weight = self.weight
        for axis, factor in enumerate(pool):
            if factor == 1:
                weight = weight.sum(axis + 2, keepdim=True)
        return F.conv3d(features, weight, self.bias, stride=pool)


def upsample(features: torch.Tensor, pool: Factors) -> torch.Tensor:
    """Trilinear upsampling of (N, C, I, J, K) by `pool`."""
    if pool == (1, 1, 1):
        return features
    size = [n * p for n, p in zip(features.shape[2:], pool, strict=True)]
    return F.interpolate(features, size=size, mode="trilinear", align_corners=False)


class NormalisedBlock(nn.Module):
    """Two convolutions with group normalisation, added to the input."""

    def __init__(self, channels: int, group: int) -> None:
        super().__init__()
        groups = max(1, channels // group)
        self.norms = nn.ModuleList(nn.GroupNorm(groups, channels) for _ in range(2))
        self.convs = nn.ModuleList(NativeConv(channels, channels) for _ in range(2))

    def forward(self, features: torch.Tensor, extent: Axes) -> torch.Tensor:
        """Refine (N, C, I, J, K)."""
        update = features
        for norm, conv in zip(self.norms, self.convs, strict=True):
            update = conv(F.silu(norm(update)), extent)
        return features + update


class PlainBlock(nn.Module):
    """Two convolutions added to the input, steered by a context vector.

    No statistics over space: a tile gives what the whole image would give. What
    normalisation would adapt to, the scan's contrast, arrives as gain and offset.
    """

    def __init__(self, channels: int, context: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(NativeConv(channels, channels) for _ in range(2))
        self.steer = nn.Linear(context, 2 * channels)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(
        self, features: torch.Tensor, context: torch.Tensor, extent: Axes
    ) -> torch.Tensor:
        """Refine (N, C, I, J, K) given (N, context)."""
        gain, offset = self.steer(context)[:, :, None, None, None].chunk(2, dim=1)
        update = self.convs[0](F.silu(features), extent)
        update = F.silu(torch.addcmul(update + offset, update, gain))
        return features + self.convs[1](update, extent)


class StreamAttention(nn.Module):
    """Mix the streams of a case, voxel by voxel; the order of streams is free.

    A stream takes the difference between what the streams say together and what it
    says itself, so that a single stream passes unchanged and costs nothing.

    Letters: B cases, S streams, C channels, b attention width, N = I * J * K voxels.
    Source: stream interaction of VoxelPrompt, arXiv:2410.08397.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.to_query_key_value = nn.Linear(channels, 3 * width)
        self.to_update = nn.Linear(width, channels, bias=False)
        nn.init.zeros_(self.to_update.weight)

    def forward(self, features: torch.Tensor, streams: int) -> torch.Tensor:
        """Return `features`, (B * S, C, I, J, K), each stream informed by the others."""
        if streams == 1:
            return features
        cases = features.unflatten(0, (-1, streams))  # (B, S, C, I, J, K)
        tokens = cases.flatten(3).permute(0, 3, 1, 2)  # (B, N, S, C)
        query, key, value = self.to_query_key_value(tokens).chunk(3, dim=-1)
        # A case has a few streams and very many voxels: two products beat the fused kernel.
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5  # (B, N, S, S)
        mixed = scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value  # (B, N, S, b)
        update = self.to_update(mixed - value).permute(0, 2, 3, 1)  # (B, S, C, N)
        return features + update.reshape_as(features)
