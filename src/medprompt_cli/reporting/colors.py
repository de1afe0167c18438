"""The colour of every region on a page, and which regions cover others."""

from __future__ import annotations

import zlib
from collections.abc import Collection

from medprompt_cli.bids.label_table import DISPLAY, PARCEL_DISPLAY
from medprompt_cli.domain.anatomy import GROUPS, LESIONS

LESION_COLORS = (
    *("#39FF14", "#C3FF00", "#69FF87", "#FF2D00", "#2D87FF", "#F0A5F0", "#FF9678"),
    *("#B478FF", "#FF69A5", "#78C30F", "#8787C3", "#96962D", "#699669", "#B47887"),
)
"""One for each of LESIONS, far from the colour of any structure that a lesion may lie in, and
from each other."""

OTHER_COLORS = ("#4DABF7", "#69DB7C", "#FFA94D", "#DA77F2", "#38D9A9", "#FFE066", "#FF8787")
"""For names of a program or of another table."""


def color_of(region: str) -> str:
    """The colour of a region, as `#RRGGBB`, the same on every page."""
    if region in LESIONS:
        return LESION_COLORS[LESIONS.index(region)]
    kind = region.removeprefix("left-").removeprefix("right-")
    for display in (DISPLAY, PARCEL_DISPLAY):
        if kind in display:
            return display[kind][1]
    return OTHER_COLORS[zlib.crc32(kind.encode()) % len(OTHER_COLORS)]


def is_cover(region: str, others: Collection[str]) -> bool:
    """Whether a region is a union that would hide the structures it is made of.

    Args:
        region: Its name.
        others: Names of all regions that are shown with it.
    """
    if region in LESIONS:
        return False
    kind = region.removeprefix("left-").removeprefix("right-")
    return kind in GROUPS and any(
        other != region and not _is_group(other) for other in others if other not in LESIONS
    )


def _is_group(region: str) -> bool:
    return region.removeprefix("left-").removeprefix("right-") in GROUPS
