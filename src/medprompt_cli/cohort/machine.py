"""What a machine can do at best, for times to be set against."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from isal import isal_zlib

from medprompt_cli.bids.label_image import COMPRESSION_LEVEL

CHANNELS, SIDE = 32, 64
"""A convolution of the network's size: channels in and out, voxels along an axis."""

SAMPLE_BYTES = 16 << 20
REPEATS = 3


@dataclass(frozen=True)
class Machine:
    """Limits of a machine; the best of some tries each.

    Attributes:
        device: Name of the device that the network runs on.
        convolution_flops: Operations per second of 3x3x3 convolutions, as the network's are.
        compress_bytes: Bytes per second into gzip, at the level that masks are written with.
        decompress_bytes: Bytes per second out of gzip.
        write_bytes: Bytes per second written to the disk, until they are safe there.
    """

    device: str
    convolution_flops: float
    compress_bytes: float
    decompress_bytes: float
    write_bytes: float


def measure_machine(folder: Path, device: str) -> Machine:
    """Try what the machine can do.

    Args:
        folder: On the disk to be tried.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        DeviceError: If the device is not there.
    """
    from medprompt_cli.segmentation.device import choose_device, device_label

    block = _like_an_image()
    packed = isal_zlib.compress(block, COMPRESSION_LEVEL)
    path = folder / "written"

    def write() -> None:
        with path.open("wb") as file:
            file.write(block)
            file.flush()
            os.fsync(file.fileno())

    machine = Machine(
        device_label(choose_device(device)),
        _convolution_flops(device),
        len(block) / _best(lambda: isal_zlib.compress(block, COMPRESSION_LEVEL)),
        len(block) / _best(lambda: isal_zlib.decompress(packed)),
        len(block) / _best(write),
    )
    path.unlink()
    return machine


def _like_an_image() -> bytes:
    """Noise of few bits: it packs as well as a scan does, to about two thirds."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 200, SAMPLE_BYTES // 2, dtype=np.int16).tobytes()


def _best(run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def _convolution_flops(device: str) -> float:
    import torch

    from medprompt_cli.segmentation.device import choose_device, choose_precision

    place = choose_device(device)
    dtype = choose_precision(place)
    layer = torch.nn.Conv3d(CHANNELS, CHANNELS, 3, padding=1).to(place, dtype)
    layer.to(memory_format=torch.channels_last_3d)  # pyright: ignore[reportCallIssue] - no stub
    voxels = torch.zeros(1, CHANNELS, SIDE, SIDE, SIDE, device=place, dtype=dtype)
    voxels = voxels.to(memory_format=torch.channels_last_3d)

    def run() -> None:
        with torch.inference_mode():
            layer(voxels)
        if place.type == "cuda":
            torch.cuda.synchronize(place)

    run()
    return 2 * 27 * CHANNELS**2 * SIDE**3 / _best(run)
