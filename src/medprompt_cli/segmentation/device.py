"""Which device computes, in which number format."""

from __future__ import annotations

import torch

from medprompt_cli.errors import DeviceError


def choose_device(name: str = "auto") -> torch.device:
    """The device called `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        DeviceError: If it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind not in {"cpu", "cuda"} or (number and not number.isdigit()):
        raise DeviceError(
            f"There is no device called {name!r}.",
            remedy="Ask for auto, cpu, cuda or cuda:N.",
        )
    if kind == "cuda":
        count = torch.cuda.device_count()
        if int(number or 0) >= count:
            raise DeviceError(
                f"Device {name} is not there: this machine shows {count} CUDA devices.",
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
