"""What is asked for, as vectors: phi, mask embeddings, presence."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, KINDS, LESIONS
from medprompt_cli.domain.parcels import FAMILIES, PARCEL_KINDS, PARCELS
from medprompt_cli.networks.blocks import upsample

SIDES = ("left", "right")

RARE = -4.0
"""Log-odds a lesion starts from: most voxels hold none."""


class TargetEmbedding(nn.Module):
    """phi of every base structure: what it is plus which side it is on.

    Both sides of a structure share what was learnt about it. Row 0 is the
    background, the remaining rows are `BASE_STRUCTURES`.
    """

    kind_of: torch.Tensor
    side_of: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        kinds = ("background", *KINDS)
        self.kind = nn.Parameter(torch.randn(len(kinds), width) * 0.5)
        self.side = nn.Parameter(torch.randn(len(SIDES), width) * 0.5)
        self.bias = nn.Parameter(torch.zeros(len(kinds)))
        kind_of = [0, *(kinds.index(s.kind) for s in BASE_STRUCTURES)]
        sided = [_one_hot(s.side) for s in BASE_STRUCTURES]
        self.register_buffer("kind_of", torch.tensor(kind_of), persistent=False)
        self.register_buffer("side_of", torch.tensor([[0.0, 0.0], *sided]), persistent=False)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return phi, (T + 1, width), and the prior log-odds, (T + 1,)."""
        sides = self.side_of.to(self.side.dtype) @ self.side
        return self.kind[self.kind_of] + sides, self.bias[self.kind_of]


def _one_hot(side: str) -> list[float]:
    return [float(side == known) for known in SIDES]


class LesionHead(nn.Module):
    """phi of every lesion class, and what turns it into a mask embedding.

    Lesions overlap structures and each other: each has a logit of its own.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.phi = nn.Parameter(torch.randn(len(LESIONS), width) * 0.5)
        self.to_mask = nn.Linear(width, channels, bias=False)
        self.bias = nn.Parameter(torch.full((len(LESIONS),), RARE))

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """(N, channels, I, J, K) to logits (N, L, I, J, K)."""
        weight = self.to_mask(self.phi)
        return F.conv3d(embedding, weight[:, :, None, None, None], self.bias)


class ParcelHead(nn.Module):
    """Divides structures into parcels, at 4 mm, from what the core knows of the layout.

    Parcels of one family compete with each other only: what is asked is which part of the
    cortex a voxel of cortex belongs to.
    """

    kind_of: torch.Tensor
    side_of: torch.Tensor

    def __init__(self, channels: tuple[int, int], hidden: int, width: int) -> None:
        super().__init__()
        self.near = nn.Conv3d(channels[0], hidden, 1)
        self.far = nn.Conv3d(channels[1], hidden, 1)
        self.embed = nn.Conv3d(hidden, width, 1)
        self.kind = nn.Parameter(torch.randn(len(PARCEL_KINDS), width) * 0.5)
        self.side = nn.Parameter(torch.randn(len(SIDES), width) * 0.5)
        self.to_mask = nn.Linear(width, width, bias=False)
        kind_of = [PARCEL_KINDS.index(parcel.kind) for parcel in PARCELS]
        sided = [_one_hot(parcel.side) for parcel in PARCELS]
        self.register_buffer("kind_of", torch.tensor(kind_of), persistent=False)
        self.register_buffer("side_of", torch.tensor(sided), persistent=False)

    def forward(
        self, features: torch.Tensor, second: torch.Tensor, pool: tuple[int, int, int]
    ) -> torch.Tensor:
        """Logits (N, P, I, J, K) from core features at 4 mm and at 8 mm."""
        hidden = F.silu(self.near(features) + upsample(self.far(second), pool))
        phi = self.kind[self.kind_of] + self.side_of.to(self.side.dtype) @ self.side
        return F.conv3d(self.embed(hidden), self.to_mask(phi)[:, :, None, None, None])


def family_rows() -> dict[str, tuple[int, ...]]:
    """Rows of `PARCELS` that each family holds."""
    return {
        family: tuple(n for n, parcel in enumerate(PARCELS) if parcel.family == family)
        for family in FAMILIES
    }


class PresenceHead(nn.Module):
    """Probability that a target is in the image at all.

    Each target looks, through attention, at the part of the core features it
    recognises.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.to_query = nn.Linear(width, width)
        self.to_key = nn.Conv3d(channels, width, 1)
        self.to_value = nn.Conv3d(channels, width, 1)
        self.score = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.SiLU(), nn.Linear(2 * width, 1)
        )

    def forward(self, features: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
        """Logits, (N, T), for core features (N, C, I, J, K) and phi (T, width)."""
        key = self.to_key(features).flatten(2).transpose(1, 2)  # (N, V, width)
        value = self.to_value(features).flatten(2).transpose(1, 2)
        query = self.to_query(phi).expand(len(features), -1, -1)  # (N, T, width)
        seen = F.scaled_dot_product_attention(query, key, value)
        asked = phi.expand(len(features), -1, -1)
        return self.score(torch.cat([seen, asked], dim=-1))[..., 0]


class PresenceCalibration(nn.Module):
    """Turns evidence into a probability that means what it says.

    A logistic regression per target, fitted on synthetic images of held-out heads
    by `training.calibrate`; until then what the presence head says is taken as it is.
    So is `voxel`, (L,), which is added to a lesion's logits where there is that lesion: in
    training most images had none. `limit_ml`, (L,), is the volume from which on lesions are
    found, infinite until then.

    Source: Platt scaling, Platt 1999.
    """

    scale: torch.Tensor
    offset: torch.Tensor
    voxel: torch.Tensor
    limit_ml: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        count = len(BASE_STRUCTURES) + len(LESIONS)
        self.register_buffer("scale", torch.tensor([1.0, 0.0]).repeat(count, 1))
        self.register_buffer("offset", torch.zeros(count))
        self.register_buffer("voxel", torch.zeros(len(LESIONS)))
        self.register_buffer("limit_ml", torch.full((len(LESIONS),), torch.inf))

    def forward(self, evidence: torch.Tensor) -> torch.Tensor:
        """(N, T + L, 2) evidence to (N, T + L) log-odds."""
        return (evidence.float() * self.scale.float()).sum(dim=-1) + self.offset.float()
