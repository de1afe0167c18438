"""Signal of a lesion against normal tissue of its kind, with contrasts set by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from medprompt_cli.characterization.contrast import FIELD_ERROR, LEAST_VOXELS
from medprompt_cli.characterization.signal import SIGNAL_Z, signal
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import HOUNSFIELD
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.planning.filters import SIGNALS

T1 = {"cerebral-white-matter": 100.0, "cerebral-cortex": 60.0, "lateral-ventricle": 20.0}
DEEP = ((10, 20), (22, 34), (14, 24))
NOISE = 4.0


def number(finding: Finding, name: str) -> float:
    found = finding.number(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("z", "word"), [(4, "hyper"), (1.5, "hyper"), (0, "iso"), (-1.5, "hypo"), (-4, "hypo")]
)
def test_a_lesion_is_as_bright_as_it_was_painted(head, painted, z, word):
    lesion = head.lesion(*DEEP)
    image = painted(head.image(T1, NOISE), lesion, z * NOISE)

    found = signal(lesion, image, head.structures)

    assert found.value == word
    assert number(found, "z") == pytest.approx(z, abs=0.2)
    assert number(found, "normal-median") == pytest.approx(100, abs=0.3)
    assert number(found, "normal-spread") == pytest.approx(NOISE, rel=0.05)
    assert number(found, "spread-ratio") == pytest.approx(1, abs=0.1)
    assert number(found, "voxels") == 10 * 12 * 10
    assert found.notes == ("Compared with cerebral-white-matter near it.",)
    clear = (abs(number(found, "z")) - SIGNAL_Z) / number(found, "z-error")
    wanted = ndtr(clear) if word != "iso" else 1 - 2 * ndtr(-SIGNAL_Z / FIELD_ERROR)
    assert found.probability == pytest.approx(wanted, abs=0.03)


def test_cortex_is_held_against_cortex(head):
    """Darker than the white matter around it, and not to be told from normal cortex."""
    lesion = head.lesion((4, 7), (24, 34), (14, 24))
    image = head.image(T1, NOISE)
    one_tissue = LabelMap((head.labels > 0).astype(np.uint8), head.geometry, {1: "brain"})

    found = signal(lesion, image, head.structures)

    assert (found.value, found.notes) == ("iso", ("Compared with cerebral-cortex near it.",))
    assert signal(lesion, image, one_tissue).value == "hypo"


def test_lesions_ventricles_and_what_borders_on_it_are_not_normal(head, painted):
    """A halo within the gap and another lesion, both far brighter, change nothing."""
    lesion, other = head.lesion(*DEEP), head.lesion((8, 26), (36, 50), (8, 30))
    halo = head.lesion((9, 21), (21, 35), (13, 25))
    image = painted(head.image(T1, NOISE), lesion, 3 * NOISE)
    lit = painted(painted(image, other, 500), halo, 500)
    lit.voxels[lesion.voxels] = image.voxels[lesion.voxels]

    alone = signal(lesion, image, head.structures)
    among = signal(lesion, lit, head.structures, other)

    assert number(among, "z") == pytest.approx(number(alone, "z"), abs=0.1)
    assert number(among, "normal-voxels") < number(alone, "normal-voxels")


def test_stray_voxels_of_normal_tissue_do_not_count(head, painted):
    lesion = head.lesion(*DEEP)
    image = painted(head.image(T1, NOISE), lesion, 3 * NOISE)
    stray = Mask(
        "vessels", np.random.default_rng(1).random(head.labels.shape) < 0.05, head.geometry
    )
    stray.voxels[lesion.voxels] = False

    found = signal(lesion, painted(image, stray, 1000), head.structures)

    plain = signal(lesion, image, head.structures)
    assert number(found, "z") == pytest.approx(number(plain, "z"), abs=0.3)


def test_a_kind_with_nothing_near_is_compared_with_its_other_side(head):
    head.put("left-thalamus", (slice(14, 20), slice(26, 32), slice(16, 24)))
    head.put("right-thalamus", (slice(40, 46), slice(26, 32), slice(16, 24)))
    lesion = head.lesion((13, 21), (25, 33), (15, 25))
    lesion.voxels[:] &= head.labels == 10
    image = head.image({**T1, "thalamus": 80.0}, NOISE)

    found = signal(lesion, image, head.structures)

    assert (found.value, found.notes) == ("iso", ("Compared with thalamus anywhere.",))
    assert number(found, "normal-voxels") == 6 * 6 * 8


def test_without_noise_a_percent_counts_as_one_spread(head, painted):
    lesion, image = head.lesion(*DEEP), head.image(T1)

    assert signal(lesion, painted(image, lesion, 0.5), head.structures).value == "iso"
    found = signal(lesion, painted(image, lesion, 2.0), head.structures)
    assert (found.value, number(found, "z")) == ("hyper", pytest.approx(2))


def test_few_voxels_are_less_sure_than_many(head, painted):
    image = head.image(T1, NOISE)
    sure = []
    for box in (((12, 13), (28, 29), (18, 19)), DEEP):
        lesion = head.lesion(*box)
        lit = painted(image, lesion, 0.0)
        lit.voxels[lesion.voxels] += 100 + 2 * NOISE - np.median(lit.voxels[lesion.voxels])
        sure.append(signal(lesion, lit, head.structures).probability)

    assert sure == sorted(sure)
    assert sure[1] == pytest.approx(ndtr(1 / FIELD_ERROR), abs=0.02)


def test_too_little_normal_tissue_is_not_compared(head):
    lesion = head.lesion(*DEEP)
    few = np.zeros_like(head.labels)
    few[40, 30, : LEAST_VOXELS - 1] = 2

    found = signal(lesion, head.image(T1, NOISE), LabelMap(few, head.geometry, {2: "brain"}))

    assert (found.value, found.status) == (None, "failed_qc")
    assert found.notes == ("There are 0 voxels of normal tissue to compare it with, too few.",)


def test_nothing_to_look_at(head):
    lesion, image = head.lesion(*DEEP), head.image(T1, NOISE)
    nowhere = head.lesion((0, 0), (0, 0), (0, 0))
    dark = Volume(np.where(lesion.voxels, np.nan, image.voxels), head.geometry)

    assert signal(nowhere, image, head.structures).status == "absent"
    assert signal(lesion, dark, head.structures).status == "failed_qc"


def test_ct_is_in_hounsfield_units_and_grids_must_match(head):
    lesion, image = head.lesion(*DEEP), head.image(T1, NOISE)
    ct = Volume(image.voxels, image.geometry, "CT")
    elsewhere = Volume(image.voxels, Geometry(head.geometry.shape, np.diag([1, 1, 2, 1.0])))

    assert signal(lesion, ct, head.structures).evidence["median"].unit == HOUNSFIELD
    with pytest.raises(
        InputError, match=r"^lesion lies on a grid of \(60, 60, 40\), what"
    ) as caught:
        signal(lesion, elsewhere, head.structures)
    assert caught.value.code == "grid-mismatch"


@given(gain=st.sampled_from([-3.0, -0.5, 0.01, 1.0, 1000.0]), z=st.integers(-4, 4))
def test_the_scale_of_an_image_does_not_matter_and_its_sign_does(gain, z):
    generator = np.random.default_rng(5)
    voxels = generator.normal(50, 5, (30, 30, 6))
    geometry = Geometry(voxels.shape, np.eye(4))
    mask = np.zeros(voxels.shape, bool)
    mask[12:18, 12:18] = True
    voxels[mask] += 5 * z
    lesion = Mask("lesion", mask, geometry)
    brain = LabelMap(np.ones(voxels.shape, np.uint8), geometry, {1: "brain"})

    plain = signal(lesion, Volume(voxels, geometry), brain)
    scaled = signal(lesion, Volume(gain * voxels, geometry), brain)

    assert number(scaled, "z") == pytest.approx(np.sign(gain) * number(plain, "z"))
    opposite = {"hyper": "hypo", "hypo": "hyper", "iso": "iso"}
    assert scaled.value == (plain.value if gain > 0 else opposite[str(plain.value)])


def test_the_words_are_those_of_the_plan_language(head, painted):
    lesion, image = head.lesion(*DEEP), head.image(T1, NOISE)

    found = {
        signal(lesion, painted(image, lesion, z * NOISE), head.structures).value
        for z in (-3, 0, 3)
    }

    assert found == set(SIGNALS)
