"""The network that reads a prompt and writes a program, token by token.

A decoder of LLaMA's blocks. The prompt comes first and is read whole, both ways; the
program follows, each token after those before it. Beside the tokens of the grammar, what
comes next may be a place in the prompt: a region, a number, or the edge of some words.

Letters: B prompts, P prompt tokens, T program tokens, L = P + T, D channels, G symbols.
`planning/decoder.py` does the same sums without torch.
Source: VoxelPrompt, arXiv:2410.08397; blocks of LLaMA, arXiv:2302.13971.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from medprompt_cli.networks.prompt_config import (
    EPSILON,
    PHI,
    ROTARY_BASE,
    STATUSES,
    PromptConfig,
)

STARTING_SPREAD = 0.02
"""Standard deviation of the weights before training."""


@dataclass(frozen=True, eq=False)
class PromptBatch:
    """Prompts and programs as numbers, each filled up to the longest.

    Attributes:
        pieces: Buckets of the pieces of all words of the batch, one after the other.
        offsets: (B * P,). Where each token's pieces begin.
        traits: (B, P, 4). Kind, name, side and unit of each token.
        lengths: (B,). Tokens of each prompt.
        program: (B, T). Symbols, or G plus a place in the prompt. Begins with symbol 0.
    """

    pieces: torch.Tensor
    offsets: torch.Tensor
    traits: torch.Tensor
    lengths: torch.Tensor
    program: torch.Tensor

    def to(self, device: torch.device) -> PromptBatch:
        """The same on another device."""
        return PromptBatch(
            *(
                tensor.to(device)
                for tensor in (
                    *(self.pieces, self.offsets, self.traits),
                    *(self.lengths, self.program),
                )
            )
        )


@dataclass(frozen=True, eq=False)
class PromptOutput:
    """What the network thinks.

    Attributes:
        next: (B, T, G + P). Logits of what follows each program token.
        status: (B, statuses). Logits of what to do with the prompt.
        phi: (B, T, 32). Instruction embedding at each program token.
    """

    next: torch.Tensor
    status: torch.Tensor
    phi: torch.Tensor


class Block(nn.Module):
    """Attention, then SwiGLU, each on normalised channels and added."""

    def __init__(self, config: PromptConfig) -> None:
        super().__init__()
        width, hidden = config.width, config.hidden
        self.heads = config.heads
        self.attention_norm = nn.RMSNorm(width, EPSILON)
        self.to_query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.to_update = nn.Linear(width, width, bias=False)
        self.hidden_norm = nn.RMSNorm(width, EPSILON)
        self.to_gate_and_value = nn.Linear(width, 2 * hidden, bias=False)
        self.from_hidden = nn.Linear(hidden, width, bias=False)

    def forward(
        self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor], seen: torch.Tensor
    ) -> torch.Tensor:
        """(B, L, D) to the same; `seen`, (B, 1, L, L), is what may be looked at."""
        mixed = self.to_query_key_value(self.attention_norm(x))
        query, key, value = mixed.unflatten(-1, (3, self.heads, -1)).unbind(2)
        query, key = rotate(query, turn), rotate(key, turn)
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))
        scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5  # (B, H, L, L)
        attended = scores.masked_fill(~seen, -torch.inf).softmax(-1).to(value.dtype) @ value
        x = x + self.to_update(attended.transpose(1, 2).flatten(2))
        gate, up = self.to_gate_and_value(self.hidden_norm(x)).chunk(2, dim=-1)
        return x + self.from_hidden(F.silu(gate) * up)


class PromptDecoder(nn.Module):
    """Prompt tokens to program tokens, a status, and phi.

    The embedding of a word is the sum of those of its pieces, so a misspelt word lies near
    the right one; that of a region is of its kind, its name and its side.
    """

    def __init__(self, config: PromptConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.pieces = nn.EmbeddingBag(config.buckets, width, mode="sum")
        self.kinds = nn.Embedding(config.kinds, width)
        self.names = nn.Embedding(config.names, width)
        self.sides = nn.Embedding(config.sides, width)
        self.units = nn.Embedding(config.units, width)
        self.prompt_norm = nn.RMSNorm(width, EPSILON)
        self.symbols = nn.Embedding(config.symbols, width)
        self.from_place = nn.Linear(width, width)
        self.program_norm = nn.RMSNorm(width, EPSILON)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.RMSNorm(width, EPSILON)
        self.to_symbol = nn.Linear(width, config.symbols, bias=False)
        self.to_place = nn.Linear(width, width, bias=False)
        self.place_key = nn.Linear(width, width, bias=False)
        self.to_status = nn.Linear(width, len(STATUSES))
        self.to_phi = nn.Linear(width, PHI)
        self.apply(_start)

    def forward(self, batch: PromptBatch) -> PromptOutput:
        """Logits of every next token, given those before it."""
        prompt = self.embed_prompt(batch)  # (B, P, D)
        program = self.embed_program(batch.program, prompt)  # (B, T, D)
        places = prompt.shape[1]
        x = torch.cat([prompt, program], dim=1)
        turn = rotation(positions(batch.lengths, places, program.shape[1]), self.config)
        seen = visible(batch.lengths, places, program.shape[1])
        for block in self.blocks:
            x = block(x, turn, seen)
        x = self.norm(x)
        read, written = x[:, :places], x[:, places:]
        inside = torch.arange(places, device=x.device) < batch.lengths[:, None]  # (B, P)
        keys = self.place_key(read)
        scores = self.to_place(written) @ keys.transpose(1, 2) / keys.shape[-1] ** 0.5
        scores = scores.masked_fill(~inside[:, None], -torch.inf)
        following = torch.cat([self.to_symbol(written), scores], dim=-1)
        return PromptOutput(following, self.to_status(written[:, 0]), self.to_phi(written))

    def embed_prompt(self, batch: PromptBatch) -> torch.Tensor:
        """Prompt tokens as vectors, (B, P, D)."""
        kind, name, side, unit = batch.traits.unbind(-1)
        words = self.pieces(batch.pieces, batch.offsets).view(*kind.shape, -1)
        traits = self.kinds(kind) + self.names(name) + self.sides(side) + self.units(unit)
        return self.prompt_norm(words + traits)

    def embed_program(self, program: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
        """Program tokens as vectors, (B, T, D); a place is made of what stands there."""
        symbols = self.config.symbols
        symbol = self.symbols(program.clamp(max=symbols - 1))
        place = (
            (program - symbols).clamp(min=0)[..., None].expand(*program.shape, prompt.shape[-1])
        )
        there = self.from_place(prompt.gather(1, place))
        return self.program_norm(torch.where((program < symbols)[..., None], symbol, there))


def _start(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding, nn.EmbeddingBag)):
        nn.init.normal_(module.weight, std=STARTING_SPREAD)


def positions(lengths: torch.Tensor, places: int, program: int) -> torch.Tensor:
    """(B, L). The program goes on where its own prompt ended, not where the longest did."""
    read = torch.arange(places, device=lengths.device).expand(len(lengths), -1)
    written = lengths[:, None] + torch.arange(program, device=lengths.device)
    return torch.cat([read, written], dim=1)


def visible(lengths: torch.Tensor, places: int, program: int) -> torch.Tensor:
    """(B, 1, L, L). The prompt sees the prompt; the program that, itself, and what it wrote."""
    device = lengths.device
    inside = (torch.arange(places, device=device) < lengths[:, None])[:, None]  # (B, 1, P)
    length = places + program
    seen = torch.zeros(len(lengths), length, length, dtype=torch.bool, device=device)
    seen[:, :, :places] = inside
    seen[:, places:, places:] = torch.ones(program, program, device=device).tril().bool()
    return seen[:, None]


def rotation(position: torch.Tensor, config: PromptConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and sine, (B, L, 1, D / H / 2), by which each pair of channels is turned."""
    half = config.width // config.heads // 2
    speed = ROTARY_BASE ** (-torch.arange(half, device=position.device) / half)
    angle = position[..., None, None] * speed
    return angle.cos(), angle.sin()


def rotate(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Turn the pairs of channels of (B, L, H, D / H) by their position."""
    cosine, sine = turn
    first, second = x.chunk(2, dim=-1)
    return torch.cat(
        [first * cosine - second * sine, first * sine + second * cosine], dim=-1
    ).to(x.dtype)
