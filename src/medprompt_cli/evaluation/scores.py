"""A number about a region of a scan, or about a region over several scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Quantity = Literal[
    "dice",
    "hd95_mm",
    "volume_bias_pct",
    "true_ml",
    "predicted_ml",
    "shared_ml",
    "lesions_true",
    "lesions_predicted",
    "lesion_precision",
    "lesion_recall",
    "lesion_f1",
    "giou",
    "ciou",
    "n_acc",
]

UNITS: dict[Quantity, str] = {
    "dice": "1",
    "hd95_mm": "mm",
    "volume_bias_pct": "%",
    "true_ml": "mL",
    "predicted_ml": "mL",
    "shared_ml": "mL",
    "lesions_true": "1",
    "lesions_predicted": "1",
    "lesion_precision": "1",
    "lesion_recall": "1",
    "lesion_f1": "1",
    "giou": "1",
    "ciou": "1",
    "n_acc": "1",
}
"""UCUM code of every quantity."""

Status = Literal["measured", "absent", "missed", "not_visible"]


def status_of(value: float | None, *, there: bool) -> Status:
    """Why a number of a region that the weights see is there, or is not.

    Args:
        value: The number.
        there: Whether the truth holds the region.
    """
    if value is not None:
        return "measured"
    return "missed" if there else "absent"


@dataclass(frozen=True, slots=True)
class Score:
    """One number.

    Attributes:
        scan: Name of the scan; None for a number about several.
        group: What the scan is pooled with.
        region: A base structure, `brain`, `brain-mask`, a parcel, a lobe or a lesion.
        quantity: What was computed.
        value: None if it was not.
        status: `measured`; `absent` if the truth does not hold the region; `missed` if it
            does, and nothing was found to compute the quantity of; or `not_visible` if the
            weights cannot see such a region.
        low: Lower end of the 95 % bootstrap interval, if there is one.
        high: Its upper end.
        n: Scans that the number is about.
    """

    scan: str | None
    group: str
    region: str
    quantity: Quantity
    value: float | None
    status: Status
    low: float | None = None
    high: float | None = None
    n: int = 1

    @property
    def unit(self) -> str:
        """UCUM code of the value."""
        return UNITS[self.quantity]
