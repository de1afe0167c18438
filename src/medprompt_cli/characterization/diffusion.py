"""Whether diffusion is restricted in a lesion: bright on DWI and dark on the ADC map.

Bright alone may be T2 shine-through, dark alone may be calcium or blood: both are needed. How
ADC maps store their numbers differs; the scale is read off the normal tissue, and where it
cannot be, only the ratio to normal tissue counts, and a note says so.
"""

from __future__ import annotations

import math

from scipy.special import ndtr

from medprompt_cli.characterization.contrast import Contrast, NoContrast, contrast
from medprompt_cli.characterization.signal import SIGNAL_Z
from medprompt_cli.domain.finding import MICROMETRE2_PER_SECOND, NO, YES, Evidence, Finding
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

FEATURE = "diffusion-restriction"

LOW_ADC = 620.0
"""An ADC below this is low, in um2/s (1e-6 mm2/s). Source: Purushotham et al., Apparent
diffusion coefficient threshold for delineation of ischemic core, International Journal of
Stroke 2015."""

LOW_ADC_RATIO = 0.77
"""An ADC below this part of that of normal tissue is low. Halfway between the ratios of
tissue that recovered, 0.89, and that did not, 0.64. Source: Utility of relative ADC ratio in
patient selection for endovascular revascularization, Journal of Neuroradiology 2017,
doi:10.1016/j.neurad.2016.12.015."""

ADC_ERROR = 0.05
"""Standard error of a region's ADC, as part of the normal one, that no number of voxels takes
away: scanners repeat it to some 4 %, and masks differ. Own choice, after the repeatability
that the QIBA profile of diffusion-weighted MRI claims for the brain."""

NORMAL_ADC = (500.0, 1300.0)
"""Between these, in um2/s, lies the median ADC of any tissue of a normal brain. Wide enough
for infants and age; far from covering two of `ADC_SCALES`. Own choice."""

ADC_SCALES = (1.0, 1e3, 1e6)
"""um2/s a stored number may stand for: it is in 1e-6, in 1e-3 or in whole mm2/s."""


def restricts_diffusion(
    lesion: Mask,
    dwi: Volume,
    adc: Volume,
    structures: LabelMap,
    others: Mask | None = None,
) -> Finding:
    """Whether diffusion is restricted: `yes` or `no`.

    The probability is that of the less sure of the two: that DWI is bright, by more than
    `SIGNAL_Z` spreads of normal tissue, and that the ADC is low, by `LOW_ADC` or by
    `LOW_ADC_RATIO`.

    Args:
        lesion: One instance, or all of a lesion.
        dwi: Diffusion-weighted image of a high b value.
        adc: Map of the apparent diffusion coefficient, on any of `ADC_SCALES`.
        structures: Tissue and fluid around it.
        others: All lesions, none of which is normal tissue.

    Raises:
        InputError: If they lie on different grids.
    """
    bright = contrast(lesion, dwi, structures, others)
    if isinstance(bright, NoContrast):
        return Finding.missing(lesion.region, FEATURE, bright.status, notes=(bright.note,))
    low = contrast(lesion, adc, structures, others)
    if isinstance(low, NoContrast):
        return Finding.missing(lesion.region, FEATURE, low.status, notes=(low.note,))
    if low.normal <= 0:
        note = f"Normal tissue has an ADC of {low.normal:g}, which is not above 0."
        return Finding.missing(lesion.region, FEATURE, "failed_qc", notes=(note,))
    scale = adc_scale(low.normal)
    restricted = min(bright.above(SIGNAL_Z), _low_probability(low, scale))
    value, probability = (YES, restricted) if restricted > 1 / 2 else (NO, 1 - restricted)
    evidence = {**bright.evidence("dwi-"), **_adc_evidence(low, scale)}
    notes = (low.note(), *(() if scale else (_unknown_scale(low.normal, adc),)))
    return Finding(lesion.region, FEATURE, value, probability, evidence=evidence, notes=notes)


def adc_scale(normal: float) -> float | None:
    """How many um2/s the number 1 of a map stands for; None if that cannot be told.

    Args:
        normal: Median of normal tissue in the map.

    >>> adc_scale(0.8), adc_scale(0.0008), adc_scale(80.0)
    (1000.0, 1000000.0, None)
    """
    lowest, highest = NORMAL_ADC
    fits = [scale for scale in ADC_SCALES if lowest <= scale * normal <= highest]
    return fits[0] if fits else None


def _low_probability(low: Contrast, scale: float | None) -> float:
    ratio = low.centre / low.normal
    error = math.hypot(ADC_ERROR, low.sampling_error * low.normal_spread / low.normal)
    relative = float(ndtr((LOW_ADC_RATIO - ratio) / error))
    if scale is None:
        return relative
    lowest_ratio = LOW_ADC / (low.normal * scale)
    return max(relative, float(ndtr((lowest_ratio - ratio) / error)))


def _adc_evidence(low: Contrast, scale: float | None) -> dict[str, Evidence]:
    found = {
        "adc-ratio": Evidence(low.centre / low.normal, "1"),
        "adc-z": Evidence(low.z, "1"),
        "adc-normal-voxels": Evidence(low.normal_voxels, "1"),
    }
    if scale is not None:
        found["adc"] = Evidence(low.centre * scale, MICROMETRE2_PER_SECOND)
        found["normal-adc"] = Evidence(low.normal * scale, MICROMETRE2_PER_SECOND)
    return found


def _unknown_scale(normal: float, adc: Volume) -> str:
    return (
        f"The scale of {adc.source or 'the ADC map'} is not known: normal tissue has"
        f" {normal:g} there, so its ADC counts only beside that of normal tissue."
    )
