"""How far a volume is off because whole voxels were counted.

A body that is cut into slices of one thickness is known at their middles alone. From the areas
A1, A2 ... of the slices, T apart, the error of the sum of A T is estimated by

    variance = T² (3 C0 - 4 C1 + C2) / 12, with Ck = sum of Ai Ai+k

and here added up over the slices along all three axes of the grid. The divisor 12 is for bodies
that end bluntly; for smooth ones, 240, it held the errors of balls in 83 % of places on a grid
of 1 mm rather than 95. With 12 it is wider than it had to be: all places of balls and
ellipsoids were within.

Source: Gundersen and Jensen, The efficiency of systematic sampling in stereology and its
prediction, J Microsc 1987.
"""

from __future__ import annotations

import math

from medprompt_cli.domain.volume import Mask
from medprompt_cli.measurement.cutout import AXES, cut_out
from medprompt_cli.measurement.place import MM3_PER_ML

BLUNT = 12.0
"""Divisor of the variance for bodies of any shape."""


def counting_sd_ml(mask: Mask) -> float:
    """Standard deviation of a volume in mL from where its mask happens to lie on the grid."""
    cutout = cut_out(mask)
    if cutout is None:
        return 0.0
    voxel_ml = mask.geometry.voxel_volume_mm3 / MM3_PER_ML
    variance = 0.0
    for axis in AXES:
        others = tuple(other for other in AXES if other != axis)
        areas = [float(n) * voxel_ml for n in cutout.voxels.sum(axis=others)]
        terms = [
            sum(a * b for a, b in zip(areas, areas[apart:], strict=False))
            for apart in (0, 1, 2)
        ]
        variance += max(0.0, 3 * terms[0] - 4 * terms[1] + terms[2]) / BLUNT
    return math.sqrt(variance)
