"""How an image was computed, where memory ran out on the way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an image, with so much memory to use.

    Attributes:
        device: What computed, as a record names it: `cpu`, `cuda:0 (NVIDIA ...)`.
        precision: Number format of the network, e.g. `bfloat16`.
        tile_gb: What one tile might take, in GB.
        ran_out: Whether memory ran out, so that another try followed.
    """

    device: str
    precision: str
    tile_gb: float
    ran_out: bool

    def as_json(self) -> dict[str, object]:
        """The fields as records and sidecars word them."""
        return {
            "Device": self.device,
            "Precision": self.precision,
            "TileGb": round(self.tile_gb, 3),
            "RanOut": self.ran_out,
        }

    def __str__(self) -> str:
        return f"{self.precision} on {self.device} in tiles of {self.tile_gb:.2g} GB"
