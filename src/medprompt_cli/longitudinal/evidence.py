"""What the images themselves say of a lesion's fate: did they become brighter or darker there?

Masks of two visits differ for many reasons; that a lesion is in one and not in the other may
mean that the network saw it once. Where the difference of the images is known, what has grown
must have become brighter where it grew, and what has shrunk darker where it shrank. Otherwise a
change of size is none, and whether a lesion is new, or gone, cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medprompt_cli.longitudinal.signal_change import SignalChange

LEAST_Z = 2.0
"""Mean of the voxels that a lesion gained or lost, in standard deviations of one voxel's noise,
from which on they changed. Own choice: what one voxel in forty of no change exceeds, and the
mean of several far fewer."""

GROWING = ("new", "enlarging")
SHRINKING = ("resolved", "shrinking")

Signals = Mapping[tuple[str, str], SignalChange]
"""By the names of the earlier and the later visit."""


def brightening(
    signals: Signals, visits: tuple[str | None, str], points: np.ndarray
) -> float | None:
    """Mean difference at (N, 3) points of mid-space; None if it is not known."""
    earlier, later = visits
    found = None if earlier is None else signals.get((earlier, later))
    return None if found is None or not len(points) else found.mean_z(points)


def supported(fate: str, z: float | None) -> bool:
    """Whether the images do not speak against a fate; without evidence they do not."""
    if z is None:
        return True
    if fate in GROWING:
        return z >= LEAST_Z
    return z <= -LEAST_Z if fate in SHRINKING else True
