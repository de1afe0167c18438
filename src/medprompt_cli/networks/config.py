"""Sizes of the network, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from medprompt_cli.errors import WeightsError

CORE_SCALE_MM = 4
"""Finest spacing the core U-Net works at. Coarser levels see the whole image."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """How wide and deep the network is.

    Attributes:
        name: What `weights.toml` calls this size.
        fine_channels: Channels of the refinement levels, finest first. Level n of
            them works at 1, 2, ... mm; take fewer when no detail is needed.
        core_channels: Channels of the U-Net levels at 4, 8, 16, 32 mm.
        core_blocks: Residual blocks a level and direction. One is enough on a CPU.
        fine_blocks: Residual blocks of a refinement level.
        embedding: Length of a pixel embedding and of phi. 32 in VoxelPrompt.
        lesion_embedding: Length of the part of a pixel embedding that lesions read.
        parcel_channels: Channels of the head that divides structures into parcels.
        attention: Width b of the stream attention. 32 in VoxelPrompt.
        groups: Channels a group of the group normalisation holds.
    """

    name: str = "small"
    fine_channels: tuple[int, ...] = (16, 32)
    core_channels: tuple[int, ...] = (32, 96, 160, 192)
    core_blocks: int = 1
    fine_blocks: int = 1
    embedding: int = 32
    lesion_embedding: int = 16
    parcel_channels: int = 64
    attention: int = 32
    groups: int = 16

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)


SMALL = NetworkConfig()
"""Bundled: a whole head at 1 mm in seconds on two cores."""

PAPER = NetworkConfig(
    name="paper",
    fine_channels=(32, 96),
    core_channels=(96, 96, 96, 96),
    core_blocks=2,
    fine_blocks=2,
    groups=4,
)
"""VoxelPrompt's widths: 32 channels at the top, 96 below. For a GPU."""

CONFIGS = {config.name: config for config in (SMALL, PAPER)}


def config_from_dict(values: dict[str, Any]) -> NetworkConfig:
    """Rebuild a config from a file.

    Raises:
        WeightsError: If a key is unknown.
    """
    made: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
    }
    try:
        return NetworkConfig(**made)
    except TypeError as error:
        raise WeightsError(
            f"Network config {values} does not fit this version: {error}.",
            remedy="Use weights made for this version of medprompt.",
        ) from error
