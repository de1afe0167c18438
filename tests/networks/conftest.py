"""A network small enough to run in milliseconds, with every weight alive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from medprompt_cli.networks.config import NetworkConfig
from medprompt_cli.networks.pyramid import VoxelNetwork


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


@pytest.fixture
def enliven() -> Callable[[torch.nn.Module], torch.nn.Module]:
    """Set every weight by a formula: none stays at the zero it was born with."""

    def fill(module: torch.nn.Module) -> torch.nn.Module:
        with torch.no_grad():
            for n, parameter in enumerate(module.parameters()):
                wave = torch.sin(torch.arange(parameter.numel(), dtype=torch.float64) * 0.7 + n)
                reach = max(1, parameter[0].numel()) if parameter.ndim > 1 else 4
                parameter.copy_((wave * reach**-0.5).reshape(parameter.shape))
        return module.eval()

    return fill


@pytest.fixture
def network(tiny, enliven) -> VoxelNetwork:
    """In float64, so that identities hold to many digits."""
    return enliven(VoxelNetwork(tiny)).double()
