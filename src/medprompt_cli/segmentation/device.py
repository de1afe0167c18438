"""Which device computes, in which number format."""

from __future__ import annotations

import os
import re

import torch

from medprompt_cli.errors import DeviceError

KERNELS_KEPT = "32"
"""Convolutions that oneDNN keeps ready; 1,024 by default. Every head has a box of its own, and
kernels of boxes that never come again took half a megabyte a head; fewer cost no time."""


def keep_few_kernels() -> None:
    """Bound what the processor's convolutions keep in memory, unless the environment says so.

    To be called before the first of them. Source: oneDNN, "Primitive Cache".
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KERNELS_KEPT)


def choose_device(name: str = "auto") -> torch.device:
    """The device called `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        DeviceError: If it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:[0-9]+)?", name):
        raise DeviceError(
            f"There is no device called {name!r}.",
            remedy="Ask for auto, cpu, cuda or cuda:N.",
        )
    if name != "cpu":
        count = torch.cuda.device_count()
        if int(name.removeprefix("cuda").removeprefix(":") or 0) >= count:
            devices = "device" if count == 1 else "devices"
            raise DeviceError(
                f"Device {name} is not there: this machine shows {count} CUDA {devices}.",
                remedy="Use --device cpu, or run where there is a GPU.",
            )
    return torch.device(name)


def choose_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the processor multiplies it natively, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def device_label(device: torch.device) -> str:
    """What to write into a sidecar: `cpu` or the GPU's name."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return "cpu"
