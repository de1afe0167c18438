"""What to try where memory runs out: smaller tiles, another number format, the processor.

Every image begins on the first rung, so that what came before it does not change its result;
the rung that gave a result is told with it. Tiles change a result by rounding alone, a number
format and a device by what they round otherwise.
"""

from __future__ import annotations

import copy
import ctypes
import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from medprompt_cli.domain.attempt import Attempt
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.device import choose_precision, device_label

SMALLER_TILES = (4, 16)
"""Tiles of a quarter, then of a sixteenth. Own choice: halving would take many tries."""

OUT_OF_MEMORY = (
    "can't allocate memory",
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""What torch says in a RuntimeError of no class of its own, on the processor and in libraries
of the GPU."""

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Rung:
    """Where and how a network computes.

    Attributes:
        device: Where.
        dtype: Number format.
        tile_bytes: What one tile may take.
    """

    device: torch.device
    dtype: torch.dtype
    tile_bytes: int

    def attempt(self, *, ran_out: bool) -> Attempt:
        """What is told of a try on this rung."""
        precision = str(self.dtype).removeprefix("torch.")
        return Attempt(
            device_label(self.device), precision, self.tile_bytes / GIB, ran_out=ran_out
        )


def rungs(first: Rung) -> Iterator[Rung]:
    """The rungs from `first` down.

    The other number format is bfloat16, half as large as float32; where the network computes
    in 16 bits already there is none. Tiles stay small then; on the processor, whose memory is
    another, they are as large as at first.
    """
    yield first
    lower = first
    for part in SMALLER_TILES:
        lower = replace(first, tile_bytes=max(1, first.tile_bytes // part))
        yield lower
    if first.dtype is torch.float32:
        yield replace(lower, dtype=torch.bfloat16)
    if first.device.type != "cpu":
        cpu = torch.device("cpu")
        yield Rung(cpu, choose_precision(cpu), first.tile_bytes)
        yield Rung(cpu, choose_precision(cpu), lower.tile_bytes)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on whatever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in OUT_OF_MEMORY)


def release(device: torch.device) -> None:
    """Give back what a failed try left: cycles of objects, and blocks that allocators keep."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:  # glibc: of 98 MB that a small head left, 92 went back
        trim(0)


class NetworkCopies:
    """One network, wherever and in whatever number format it is needed.

    Args:
        network: Already on the first rung's device, in its number format.
        first: That rung.
    """

    def __init__(self, network: VoxelNetwork, first: Rung) -> None:
        self._network = network
        self._home = (first.device, first.dtype)
        self._copies: dict[tuple[torch.device, torch.dtype], VoxelNetwork] = {}

    def on(self, rung: Rung) -> VoxelNetwork:
        """The network for a rung; further copies are made once."""
        place = (rung.device, rung.dtype)
        if place == self._home:
            return self._network
        if place not in self._copies:
            self._copies[place] = copy.deepcopy(self._network).to(*place).eval()
        return self._copies[place]
