"""What is asked for, as vectors: phi, mask embeddings, presence."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, KINDS

SIDES = ("left", "right")


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
        sided = [[float(s.side == side) for side in SIDES] for s in BASE_STRUCTURES]
        self.register_buffer("kind_of", torch.tensor(kind_of), persistent=False)
        self.register_buffer("side_of", torch.tensor([[0.0, 0.0], *sided]), persistent=False)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return phi, (T + 1, width), and the prior log-odds, (T + 1,)."""
        sides = self.side_of.to(self.side.dtype) @ self.side
        return self.kind[self.kind_of] + sides, self.bias[self.kind_of]


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
