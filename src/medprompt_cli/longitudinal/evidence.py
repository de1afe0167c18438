"""What the images themselves say of a lesion's fate: did they become brighter or darker there?

Masks of two visits differ for many reasons; that a lesion is in one and not in the other may
mean that the network saw it once. Where the difference of the images is known, what has grown
must have become brighter where it grew, and what has shrunk darker where it shrank. Otherwise
masks and images disagree, and what became of the lesion cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
    """Mean difference at (N, 3) points of mid-space; None if it is not known.

    Of visits that were not compared with each other it is the sum of what lies between, visit
    by visit: what the images of those in the middle show cancels, noise and all.
    """
    if not len(points):
        return None
    total = 0.0
    for found in _steps(signals, *visits):
        z = None if found is None else found.mean_z(points)
        if z is None:
            return None
        total += z
    return total


def _steps(signals: Signals, earlier: str | None, later: str) -> Iterator[SignalChange | None]:
    """The comparisons that lead from one visit to another; None where there is none."""
    onward = dict(signals)  # what begins at a visit, taken out once it was gone along
    while earlier is None or (earlier, later) not in onward:
        pair = next((pair for pair in onward if pair[0] == earlier), None)
        if pair is None:
            yield None
            return
        yield onward.pop(pair)
        earlier = pair[1]
    yield onward[earlier, later]


def supported(fate: str, z: float | None) -> bool:
    """Whether the images do not speak against a fate; without evidence they do not."""
    if z is None:
        return True
    if fate in GROWING:
        return z >= LEAST_Z
    return z <= -LEAST_Z if fate in SHRINKING else True
