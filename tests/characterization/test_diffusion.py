"""Restriction by DWI and ADC, with values on both sides of the thresholds."""

from __future__ import annotations

import pytest
from scipy.special import ndtr

from medprompt_cli.characterization.diffusion import (
    ADC_ERROR,
    LOW_ADC,
    LOW_ADC_RATIO,
    adc_scale,
    restricts_diffusion,
)
from medprompt_cli.domain.volume import Volume

BOX = ((10, 20), (22, 34), (14, 24))
NORMAL = 800.0


@pytest.fixture
def case(head, painted):
    """DWI with a lesion so many spreads brighter, and an ADC map with one of a given ADC."""

    def build(z, adc, scale=1.0, noise=5.0):
        lesion = head.lesion(*BOX)
        kinds = ("cerebral-white-matter", "cerebral-cortex")
        dwi = painted(head.image(dict.fromkeys(kinds, 100.0), noise), lesion, z * noise)
        adc_map = head.image(dict.fromkeys(kinds, NORMAL))
        adc_map = painted(adc_map, lesion, adc - NORMAL)
        adc_map = Volume(adc_map.voxels * scale, head.geometry, source="adc.nii.gz")
        return lesion, dwi, adc_map, head.structures

    return build


@pytest.mark.parametrize(
    ("z", "adc", "word"),
    [
        (5, 450, "yes"),
        (5, 1400, "no"),  # T2 shine-through
        (5, 760, "no"),
        (0, 450, "no"),  # dark on the map, not bright on DWI
        (-3, 450, "no"),
    ],
)
def test_bright_and_low_it_has_to_be(case, z, adc, word):
    found = restricts_diffusion(*case(z, adc))

    assert found.value == word
    assert found.number("adc") == pytest.approx(adc)
    assert found.number("normal-adc") == pytest.approx(NORMAL)
    assert found.number("adc-ratio") == pytest.approx(adc / NORMAL)
    assert found.number("dwi-z") == pytest.approx(z, abs=0.2)
    assert found.evidence["adc"].unit == "um2/s"


@pytest.mark.parametrize("adc", [550.0, 600.0, 640.0, 700.0])
def test_probability_is_that_of_the_less_sure_half(case, adc):
    """DWI leaves no doubt; the ADC errs by 5 % of the normal one."""
    found = restricts_diffusion(*case(12, adc))

    low = ndtr(max(LOW_ADC - adc, LOW_ADC_RATIO * NORMAL - adc) / (ADC_ERROR * NORMAL))
    assert found.value == ("yes" if low > 0.5 else "no")
    assert found.probability == pytest.approx(max(low, 1 - low), abs=0.005)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6])
def test_the_scale_of_the_map_does_not_matter(case, scale):
    found = restricts_diffusion(*case(5, 450, scale))

    assert (found.value, len(found.notes)) == ("yes", 1)
    assert found.number("adc") == pytest.approx(450, rel=1e-5)


def test_an_unknown_scale_leaves_the_ratio_and_says_so(case):
    found = restricts_diffusion(*case(5, 450, 0.1))

    assert (found.value, found.number("adc")) == ("yes", None)
    assert found.number("adc-ratio") == pytest.approx(450 / NORMAL)
    assert found.notes[-1] == (
        "The scale of adc.nii.gz is not known: normal tissue has 80 there, so its ADC counts"
        " only beside that of normal tissue."
    )


def test_scales_do_not_overlap():
    fits = {normal: adc_scale(normal) for normal in (499, 500, 1300, 1301, 0.8, 0.0008, 0.02)}

    assert fits == {499: None, 500: 1, 1300: 1, 1301: None, 0.8: 1e3, 0.0008: 1e6, 0.02: None}


def test_a_map_of_zeros_is_no_map(case, head):
    lesion, dwi, _, structures = case(5, 450)
    empty = head.image({})
    below = Volume(empty.voxels - 1, head.geometry)

    assert restricts_diffusion(lesion, dwi, empty, structures).status == "failed_qc"
    found = restricts_diffusion(lesion, dwi, below, structures)
    assert (found.value, found.status) == (None, "failed_qc")
    assert found.notes == ("Normal tissue has an ADC of -1, which is not above 0.",)
    nowhere = head.lesion((0, 0), (0, 0), (0, 0))
    assert restricts_diffusion(nowhere, dwi, empty, structures).status == "absent"
