"""When a volume lies far from those of its cohort: the one rule that all parts go by.

Volumes are compared by their logarithm, as sizes of regions spread by factors, and by median
and median absolute deviation, which the outliers themselves do not move.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FAR = 3.5
"""Robust z from which on a volume lies outside of its cohort. Source: Iglewicz and Hoaglin,
How to detect and handle outliers, 1993."""

FEWEST = 10
"""Scans that have to be there for a median and a spread to mean something."""

TO_SD = 1.4826
"""Median absolute deviations of a Gaussian in its standard deviation."""

LEAST_SPREAD = 0.02
"""Of the logarithm: 2 %. A cohort that is more alike than that has no outliers."""


def log_centre_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Median of the logarithms, and their spread as a standard deviation.

    Args:
        values: All above 0.

    >>> log_centre_and_spread([1.0, 1.0, 1.0])
    (0.0, 0.02)
    """
    logs = np.log(values)
    centre = float(np.median(logs))
    return centre, max(TO_SD * float(np.median(np.abs(logs - centre))), LEAST_SPREAD)
