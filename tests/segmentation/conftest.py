"""Networks small enough to run in milliseconds, written to files as real weights are."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.domain.parcels import PARCEL_KINDS
from medprompt_cli.networks.config import NetworkConfig
from medprompt_cli.networks.pyramid import VoxelNetwork

ROW = {structure.name: n for n, structure in enumerate(BASE_STRUCTURES, start=1)}
SHARP = 400.0
SILU_OF_ONE = 1 / (1 + math.exp(-1))


@pytest.fixture(scope="session")
def tiny() -> NetworkConfig:
    return NetworkConfig(
        name="tiny",
        fine_channels=(4, 8),
        core_channels=(8, 8, 8, 8),
        embedding=8,
        lesion_embedding=4,
        parcel_channels=8,
        attention=4,
        groups=4,
    )


@pytest.fixture(scope="session")
def save_network(tmp_path_factory) -> Callable[..., Path]:
    """Write a network as `medprompt weights export` would, in float32."""
    folder = tmp_path_factory.mktemp("weights")

    def save(network: VoxelNetwork, name: str, finest_level: int = 0) -> Path:
        path = folder / f"{name}.safetensors"
        about = {
            "network": json.dumps(network.config.to_dict()),
            "finest_level": str(finest_level),
        }
        save_file(network.state_dict(), path, metadata=about)
        return path

    return save


@pytest.fixture(scope="session")
def lively(tiny) -> VoxelNetwork:
    """Every weight set by a formula: the answer depends on everything, and means nothing."""
    network = VoxelNetwork(tiny)
    with torch.no_grad():
        for n, parameter in enumerate(network.parameters()):
            wave = torch.sin(torch.arange(parameter.numel(), dtype=torch.float64) * 0.7 + n)
            reach = max(1, parameter[0].numel()) if parameter.ndim > 1 else 4
            parameter.copy_((wave * reach**-0.5).reshape(parameter.shape))
        network.calibration.offset[len(BASE_STRUCTURES) :] = 2.0  # lesions are there
    return network.eval()


@pytest.fixture(scope="session")
def threshold(tiny) -> Callable[..., VoxelNetwork]:
    """Weights whose answer is known: brainstem is what is brighter than a threshold.

    The core says brain everywhere, or nowhere. At the finest level the first number of an
    embedding is silu(intensity), averaged over streams; the second undoes the core's vote.
    """

    def build(
        at: float = 0.35, *, level: int = 0, seen: bool = True, structure: str = "brainstem"
    ) -> VoxelNetwork:
        network = VoxelNetwork(tiny)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.zero_()
            network.get_parameter("core.embed.bias")[1] = 1.0 if seen else -1.0
            network.get_parameter(f"fine.{level}.stem.weight")[0, 0, 1, 1, 1] = 1.0
            network.get_parameter(f"fine.{level}.embed.weight")[0, 0] = 1.0
            network.get_parameter(f"fine.{level}.embed.bias")[1] = -1.0
            network.to_mask.weight.copy_(torch.eye(tiny.embedding))
            kind = int(network.targets.kind_of[ROW[structure]])
            network.targets.bias[1:] = -SHARP
            network.targets.kind[kind, :2] = SHARP
            network.targets.bias[kind] = -SHARP * at
        return network.eval()

    return build


@pytest.fixture(scope="session")
def lesioned(threshold, tiny) -> Callable[..., VoxelNetwork]:
    """The same, and a lesion is what is brighter than a threshold of its own.

    Lesions without a threshold are nowhere, but said to be in the image like the others.
    """

    def build(absent: tuple[str, ...] = (), level: int = 0, **at: float) -> VoxelNetwork:
        network = threshold(0.15, level=level)
        with torch.no_grad():
            network.get_parameter(f"fine.{level}.embed.weight")[tiny.embedding, 0] = 1.0
            network.lesions.to_mask.weight[0, 0] = 1.0
            network.lesions.bias.fill_(-SHARP)
            for name, threshold_ in at.items():
                row = LESIONS.index(name.replace("_", "-"))
                network.lesions.phi[row, 0] = SHARP
                network.lesions.bias[row] = -SHARP * threshold_
            for name in LESIONS:
                row = len(BASE_STRUCTURES) + LESIONS.index(name)
                network.calibration.offset[row] = -5.0 if name in absent else 5.0
        return network

    return build


@pytest.fixture(scope="session")
def parcelled(threshold) -> VoxelNetwork:
    """What is bright is left cortex, and all of it superior frontal gyrus."""
    network = threshold(structure="left-cerebral-cortex")
    with torch.no_grad():
        network.get_parameter("core.embed.bias")[2] = 1.0
        network.targets.side[0, 2] = 10.0
        network.get_parameter("parcels.embed.bias")[0] = 1.0
        network.parcels.to_mask.weight[0, 0] = 1.0
        network.parcels.kind[PARCEL_KINDS.index("superior-frontal"), 0] = 1.0
        network.parcels.side[1, 0] = 5.0  # the right side would win wherever it could
    return network


@pytest.fixture(scope="session")
def lump() -> np.ndarray:
    """A bright, connected shape on black that looks different from every side."""
    voxels = np.zeros((24, 28, 20), np.float32)
    voxels[4:18, 6:22, 5:15] = 100
    voxels[4:8, 6:12, 11:15] = 0
    voxels[18:22, 8:12, 6:9] = 100
    voxels[14:16, 22:25, 5:12] = 100
    return voxels


@pytest.fixture(scope="session")
def undecided(threshold) -> VoxelNetwork:
    """Where it is bright, four nuclei share odds of 6 to 4 against the background."""
    network = threshold()
    with torch.no_grad():
        network.targets.kind[:, 0] = 0.0
        network.targets.bias[1:] = -20.0
        for name in ("left-putamen", "left-pallidum"):
            kind = network.targets.kind_of[ROW[name]]
            network.targets.kind[kind, 0] = (20.0 + math.log(0.6 / 0.4 / 4)) / SILU_OF_ONE
    return network
