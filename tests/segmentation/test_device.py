"""Asking for a device, and being told why not."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.errors import DeviceError
from medprompt_cli.segmentation.device import choose_device, choose_precision, device_label


@pytest.mark.parametrize(
    "name", ["tpu", "", "CPU", "cpu:0", "cpu:", "cuda:", "cuda:x", "cuda:-1", "cuda:²", "mps"]
)
def test_unknown_device_is_named(name):
    with pytest.raises(DeviceError, match="no device called") as caught:
        choose_device(name)

    assert str(caught.value) == f"There is no device called {name!r}."
    assert caught.value.remedy == "Ask for auto, cpu, cuda or cuda:N."
    assert caught.value.exit_code == 69


@pytest.mark.parametrize(
    ("name", "there", "shown"),
    [
        ("cuda:99", 2, "this machine shows 2 CUDA devices."),
        ("cuda:1", 1, "this machine shows 1 CUDA device."),
        ("cuda", 0, "this machine shows 0 CUDA devices."),
    ],
)
def test_missing_gpu_says_how_many_there_are(monkeypatch, name, there, shown):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)

    with pytest.raises(DeviceError, match="is not there") as caught:
        choose_device(name)

    assert str(caught.value) == f"Device {name} is not there: {shown}"
    assert caught.value.remedy == "Use --device cpu, or run where there is a GPU."


@pytest.mark.parametrize(
    ("name", "there", "expected"),
    [("auto", 0, "cpu"), ("auto", 1, "cuda"), ("cpu", 1, "cpu"), ("cuda:1", 2, "cuda:1")],
)
def test_chosen_device(monkeypatch, name, there, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there > 0)

    assert choose_device(name) == torch.device(expected)


def test_precision_is_the_one_this_processor_multiplies():
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()

    found = choose_precision(torch.device("cpu"))

    assert found == (torch.bfloat16 if native else torch.float32)
    assert device_label(torch.device("cpu")) == "cpu"
