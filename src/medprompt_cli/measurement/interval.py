"""A 95 % interval around a volume, from the probabilities of its voxels.

If voxels were wrong independently of each other, a volume would be as uncertain as a sum of
coins: variance Σ p (1 - p) voxel volumes squared, which is next to nothing. They are not. Near
each other they are wrong together, over some correlated volume c; and all along a border they
tend to be wrong the same way, by some share b of all that is undecided. With
S = Σ p (1 - p) times the voxel volume,

    variance = c S + (b S)²

c and b were fitted on 12 heads of 1 mm, computed from label maps that no weights had learnt
from, by `examples/benchmarks/coverage.py`: with constants fitted on half of them, 95 % of the
intervals of the other half held the truth. They hold for such heads. Of 200 structures of
eight real T1, judged by maps that people drew by rules of their own or that FreeSurfer gave,
77 % did. Unions share the constants of what they are made of. Those of lesions were fitted on
nothing: a true volume may lie outside more often than one time in twenty.

Where a head was looked at in several poses, the variance between these looks is added.
"""

from __future__ import annotations

import math

from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.posterior import PosteriorSums

CORRELATED_MM3 = 65.0
"""c: volume over which voxels are wrong together."""

COMMON_SHARE = 0.49
"""b: share of what is undecided that is wrong the same way everywhere."""

NORMAL_95 = 1.959964
"""Standard deviations around the mean that hold 95 % of a Gaussian."""

MM3_PER_ML = 1000.0


def volume_sd_ml(
    spread_ml: float, correlated_mm3: float = CORRELATED_MM3, share: float = COMMON_SHARE
) -> float:
    """Standard deviation of a volume, by what is undecided of it."""
    correlated_ml = correlated_mm3 / MM3_PER_ML
    return math.sqrt(correlated_ml * spread_ml + (share * spread_ml) ** 2)


def with_interval(volume: Measurement, sums: PosteriorSums) -> Measurement:
    """A volume with its 95 % interval; one without a value stays as it is.

    It is about the true volume, whichever estimate of it is given: that of the mask and that
    of the probabilities have the same. It lies around the expected volume, and reaches as far
    as the value where that is outside: voxels of a mask count whole, and add up to another
    volume than expected.
    """
    if volume.value is None:
        return volume
    reach = NORMAL_95 * math.hypot(volume_sd_ml(sums.spread_ml), sums.pose_sd_ml)
    low, high = max(0.0, sums.total_ml - reach), sums.total_ml + reach
    return volume.with_interval(min(low, volume.value), max(high, volume.value))
