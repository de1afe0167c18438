"""Whether a lesion is brighter than normal tissue of its kind, like it, or darker."""

from __future__ import annotations

from medprompt_cli.characterization.contrast import Contrast, contrast
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

FEATURE = "signal"

HYPER, ISO, HYPO = "hyper", "iso", "hypo"

SIGNAL_Z = 1.0
"""A lesion is brighter or darker if its median lies farther than this from that of normal
tissue, in spreads of normal voxels. One spread: as bright as the brightest sixth of them.
Own choice."""


def signal(
    lesion: Mask, image: Volume, structures: LabelMap, others: Mask | None = None
) -> Finding:
    """The signal of a lesion: `hyper`, `iso` or `hypo`.

    The probability is that the true contrast lies on the same side of `SIGNAL_Z`, with the
    error of `Contrast.error`. A `spread-ratio` well above 1 says that the lesion is of more
    than one signal, of which this is the middle.

    Args:
        lesion: One instance, or all of a lesion.
        image: What it is seen on.
        structures: Tissue and fluid around it.
        others: All lesions, none of which is normal tissue.

    Raises:
        InputError: If they lie on different grids.
    """
    found = contrast(lesion, image, structures, others)
    if not isinstance(found, Contrast):
        return Finding.missing(lesion.region, FEATURE, found.status, notes=(found.note,))
    value, probability = graded(found)
    return Finding(
        lesion.region,
        FEATURE,
        value,
        probability,
        evidence=found.evidence(),
        notes=(found.note(),),
    )


def graded(found: Contrast) -> tuple[str, float]:
    """The word for a contrast, and the probability that it is the right one."""
    brighter, darker = found.above(SIGNAL_Z), 1 - found.above(-SIGNAL_Z)
    if found.z > SIGNAL_Z:
        return HYPER, brighter
    if found.z < -SIGNAL_Z:
        return HYPO, darker
    return ISO, max(1 - brighter - darker, 0.0)
