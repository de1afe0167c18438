"""Whether a lesion takes up contrast agent: what is brighter after it than before.

The two T1-weighted images have scales of their own. The image before is brought to the scale
of the one after by a line through normal tissue, then taken from it. What the lesion shows in
that difference is held against the spread of the difference in normal tissue of its kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betainc

from medprompt_cli.characterization.around import (
    check_grids,
    inside,
    is_tissue,
    labelled,
    nothing,
)
from medprompt_cli.characterization.contrast import (
    CORRELATED_VOXELS,
    LEAST_SPREAD,
    Contrast,
    NoContrast,
    centre_and_spread,
    contrast,
)
from medprompt_cli.domain.finding import NO, YES, Evidence, Finding
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

FEATURE = "enhancement"

ENHANCED_Z = 3.0
"""A voxel is enhanced if its difference lies more than this many spreads above that of normal
tissue: of normal voxels 1 in 700 does. Own choice."""

ENHANCED_SHARE = 0.1
"""A lesion enhances if more than this part of its voxels is enhanced: a ring or a nodule is
enough, a vessel at its border is not. Own choice."""

LEAST_CORRELATION = 0.5
"""Two T1-weighted images of one head correlate more than this over its tissue. Below, they are
not of one head, not aligned, or not of one kind. Own choice."""

PRIOR = (math.log(2) / -math.log(ENHANCED_SHARE), 1.0)
"""Beta distribution of the enhanced part of a lesion before anything is seen of it: it puts
even odds on more than `ENHANCED_SHARE`, so that a lesion of a few voxels is not called
enhancing for want of evidence."""

MOST_POINTS = 200_000
"""Voxels that a line is laid through; taken evenly of more. Own choice."""

TRIM, ROUNDS = 3.0, 10
"""Voxels farther than so many spreads from the line are left out of the next; so often."""


@dataclass(frozen=True, slots=True)
class Match:
    """The line that takes one image to the scale of another.

    Attributes:
        slope: Of the line.
        offset: Of the line.
        correlation: Between the images over the voxels that were kept.
    """

    slope: float
    offset: float
    correlation: float


@dataclass(frozen=True, eq=False)
class Uptake:
    """What contrast agent added to every voxel; made once for all lesions of a case.

    Attributes:
        difference: The image after it minus the one before, on the scale of the former.
        level: Median of normal tissue in the image after it.
        line: How the image before was brought to that scale.
    """

    difference: Volume
    level: float
    line: Match


def uptake(
    before: Volume, after: Volume, structures: LabelMap, lesions: Mask
) -> Uptake | NoContrast:
    """Take one image from the other, once the two are on one scale.

    Args:
        before: T1-weighted, without contrast agent.
        after: T1-weighted, with it.
        structures: Tissue and fluid.
        lesions: All of them; none is normal tissue.

    Raises:
        InputError: If they lie on different grids.
    """
    check_grids(lesions, before, after, structures)
    normal = labelled(structures, is_tissue) & ~lesions.voxels
    normal &= np.isfinite(before.voxels) & np.isfinite(after.voxels)
    shown = after.voxels[normal]
    line = match(before.voxels[normal], shown)
    if line is None or line.correlation < LEAST_CORRELATION:
        said = "no line fits" if line is None else f"they correlate at {line.correlation:.2f}"
        return NoContrast(
            "failed_qc", f"The images before and after contrast agent do not match: {said}."
        )
    voxels = after.voxels - (line.offset + line.slope * before.voxels)
    return Uptake(replace(after, voxels=voxels), float(np.median(shown)), line)


def enhances(
    lesion: Mask, added: Uptake | NoContrast, structures: LabelMap, others: Mask | None = None
) -> Finding:
    """Whether the lesion takes up contrast agent: `yes` or `no`.

    The probability is that more than `ENHANCED_SHARE` of the lesion is enhanced, given how
    much of as many independent voxels is, and `PRIOR`.

    Args:
        lesion: One instance, or all of a lesion.
        added: What `uptake` gave for the case.
        structures: Tissue and fluid around it.
        others: All lesions, none of which is normal tissue.

    Raises:
        InputError: If they lie on different grids.
    """
    if not lesion.voxels.any():
        return nothing(lesion, FEATURE)
    if isinstance(added, NoContrast):
        return Finding.missing(lesion.region, FEATURE, added.status, notes=(added.note,))
    least = LEAST_SPREAD * abs(added.level)
    found = contrast(lesion, added.difference, structures, others, least)
    if isinstance(found, NoContrast):
        return Finding.missing(lesion.region, FEATURE, found.status, notes=(found.note,))
    return _judged(lesion, found, added)


def match(before: np.ndarray, after: np.ndarray) -> Match | None:
    """The line through the two images' voxels; None if one of them shows a single value.

    Both images err, so the line is the reduced major axis; its slope is the ratio of their
    spreads. Voxels far from it, such as vessels, are left out in turns.

    Args:
        before: (N,) signal of normal tissue, finite.
        after: (N,) signal of the same voxels.
    """
    step = max(len(before) // MOST_POINTS, 1)
    x, y = (values[::step].astype(np.float64) for values in (before, after))
    if not x.size or not np.ptp(x) or not np.ptp(y):
        return None
    kept = np.ones(len(x), dtype=bool)
    line = _line(x, y)
    for _ in range(ROUNDS):
        residuals = y - line.offset - line.slope * x
        centre, spread = centre_and_spread(residuals)
        now = np.abs(residuals - centre) <= TRIM * max(spread, LEAST_SPREAD * np.std(y))
        if np.array_equal(now, kept) or not np.ptp(x[now]) or not np.ptp(y[now]):
            break
        kept, line = now, _line(x[now], y[now])
    return line


def _line(x: np.ndarray, y: np.ndarray) -> Match:
    correlation = float(np.corrcoef(x, y)[0, 1])
    slope = float(np.std(y) / np.std(x)) * (1 if correlation >= 0 else -1)
    return Match(slope, float(np.mean(y) - slope * np.mean(x)), correlation)


def _judged(lesion: Mask, found: Contrast, added: Uptake) -> Finding:
    shown = inside(lesion, added.difference.voxels)
    shown = shown[np.isfinite(shown)]
    share = float(np.mean((shown - found.normal) / found.normal_spread > ENHANCED_Z))
    independent = max(len(shown) / CORRELATED_VOXELS, 1.0)
    hits = share * independent
    first, second = hits + PRIOR[0], independent - hits + PRIOR[1]
    enhancing = 1 - float(betainc(first, second, ENHANCED_SHARE))
    value, probability = (YES, enhancing) if enhancing > 1 / 2 else (NO, 1 - enhancing)
    evidence = {
        "enhanced-share": Evidence(100 * share, "%"),
        "z": Evidence(found.z, "1"),
        "difference": Evidence(found.centre - found.normal, found.unit),
        "normal-spread": Evidence(found.normal_spread, found.unit),
        "normal-median": Evidence(added.level, found.unit),
        "voxels": Evidence(found.voxels, "1"),
        "normal-voxels": Evidence(found.normal_voxels, "1"),
        "slope": Evidence(added.line.slope, "1"),
        "correlation": Evidence(added.line.correlation, "1"),
    }
    notes = (found.note(),)
    return Finding(lesion.region, FEATURE, value, probability, evidence=evidence, notes=notes)
