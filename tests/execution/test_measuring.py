"""The regions of a case, measured, and what of it is taken back."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Status
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.execution.measuring import (
    Answer,
    Measurable,
    failure_notes,
    intracranial_of,
    measurable,
    measure_case,
    withheld,
)
from medprompt_cli.execution.segment import TargetResult, segment_case
from medprompt_cli.planning.vocabulary import resolve

GRID = Geometry((20, 20, 20), np.diag([1.0, 1.0, 2.0, 1.0]))
LEFT, RIGHT = "left-hippocampus", "right-hippocampus"
IDS = {17: LEFT, 53: RIGHT}


def two_sides(shift=0):
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[3:7, 5:10, 5:10] = 17
    voxels[12:15, 5 - shift : 10 - shift, 5:10] = 53
    return LabelMap(voxels, GRID, IDS)


def measured(labels, *answers, masks=(), images=(), **about):
    found = measure_case(Measurable((labels,), masks, answers, **about), images)
    return {region.region: region for region in found.regions}, found


def numbers(region):
    return {m.quantity: m for m in region.numbers}


def both(status: Status = "measured", **about):
    return Answer(LEFT, status, **about), Answer(RIGHT, "measured")


def test_volumes_of_the_mask_and_of_the_probabilities_are_named_apart():
    sums = PosteriorSums(0.24, 0.19, 0.02)
    regions, _ = measured(two_sides(), *both(presence=0.9, sums=sums))
    left, right = numbers(regions[LEFT]), numbers(regions[RIGHT])

    assert left["volume"].value == pytest.approx(0.2)
    assert left["soft-volume"].value == 0.24
    low, high = left["soft-volume"].interval or (0, 0)
    assert (low + high) / 2 == pytest.approx(0.24)
    assert left["volume"].interval == (low, high)
    assert "soft-volume" not in right
    assert right["volume"].interval is None
    dice = [
        quality.expected_dice if (quality := regions[n].quality) else 0 for n in IDS.values()
    ]
    assert dice == [pytest.approx(2 * 0.19 / 0.44), None]
    assert regions[LEFT].presence == 0.9


def test_both_sides_give_an_asymmetry():
    regions, _ = measured(two_sides(), *both())

    assert [m.quantity for m in regions["hippocampus"].numbers] == ["volume-asymmetry"]
    assert regions["hippocampus"].numbers[0].value == pytest.approx(200 * 50 / 350)
    assert regions["hippocampus"].quality is None


def test_one_side_alone_gives_none():
    regions, _ = measured(two_sides(), Answer(LEFT, "measured"))

    assert list(regions) == [LEFT]


def test_what_the_image_cuts_keeps_its_visible_volume_and_its_intensities():
    image = Volume(np.full(GRID.shape, 7, np.float32), GRID)
    regions, _ = measured(two_sides(), *both("truncated_fov"), images=[image])
    found = numbers(regions[LEFT])

    assert {q for q, m in found.items() if m.value is not None} == {
        "visible-volume",
        *("mean", "std"),
    }
    assert found["visible-volume"].value == pytest.approx(0.2)
    assert {m.status for m in found.values() if m.value is None} == {"truncated_fov"}
    asymmetry = regions["hippocampus"].numbers[0]
    assert (asymmetry.value, asymmetry.status) == (None, "truncated_fov")


def test_a_mask_that_fails_gives_no_number_and_no_volume():
    sums = PosteriorSums(0.2, 0.05, 0.02)
    regions, found = measured(two_sides(), *both(sums=sums))

    assert {(m.value, m.status) for m in regions[LEFT].numbers} == {(None, "failed_qc")}
    assert regions["hippocampus"].numbers[0].status == "failed_qc"
    results = [
        TargetResult(LEFT, "measured", 0.9, 0.2),
        TargetResult(RIGHT, "measured", 0.9, 1),
    ]
    assert withheld(results, found) == [TargetResult(LEFT, "failed_qc", 0.9, None), results[1]]
    assert list(failure_notes(found)) == [
        "The mask of left-hippocampus is not to be trusted: uncertain."
    ]


@pytest.mark.parametrize("status", ["absent", "not_visible", "truncated_fov", "failed_qc"])
def test_a_region_without_voxels_says_why(status):
    regions, _ = measured(two_sides(), Answer("left-thalamus", status))
    found = numbers(regions["left-thalamus"])

    assert found["volume"].status == status
    assert {m.value for m in found.values()} == ({None, 0} if status == "absent" else {None})
    assert regions["left-thalamus"].quality is None


def test_a_few_voxels_have_no_asymmetry():
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[3:6, 5, 5] = 17
    voxels[12:15, 5:10, 5:10] = 53
    regions, _ = measured(LabelMap(voxels, GRID, IDS), *both())

    assert regions["hippocampus"].numbers[0].status == "failed_qc"


def test_every_lesion_has_a_row_of_its_own_and_a_cut_one_says_so():
    voxels = np.zeros(GRID.shape, bool)
    voxels[2:7, 2:7, 2:7] = True
    voxels[12:18, 12:18, 17:] = True
    voxels[10, 2, 2] = True
    mask = Mask("ms-lesion", voxels, GRID)
    regions, found = measured(two_sides(), Answer("ms-lesion", "measured"), masks=(mask,))
    volumes = [numbers(lesion)["volume"] for lesion in found.lesions]

    assert numbers(regions["ms-lesion"])["count"].value == 3
    assert [(lesion.region, lesion.instance) for lesion in found.lesions] == [
        ("ms-lesion", n) for n in (1, 2, 3)
    ]
    # 6 x 6 x 3 of 125: the second in size, and the one that is cut
    assert [(v.value, v.status) for v in volumes] == [
        (pytest.approx(0.25), "measured"),
        (None, "truncated_fov"),
        (pytest.approx(0.002), "measured"),
    ]
    assert numbers(found.lesions[1])["visible-volume"].value == pytest.approx(0.216)
    assert "surface-area" in numbers(found.lesions[0])


def test_shares_of_the_head(threshold_segmenter):
    voxels = np.zeros(GRID.shape, np.float32)
    voxels[3:7, 5:10, 5:10] = 117
    voxels[10:14, 5:15, 5:10] = 102
    volume = Volume(voxels, GRID)
    result = segment_case(volume, resolve([LEFT]), threshold_segmenter)
    found = measure_case(measurable(result), [volume]).regions[0]

    assert [m.value for m in result.intracranial] == pytest.approx([0.6, 0.6])
    shares = numbers(found)
    assert shares["volume-fraction-of-icv"].value == pytest.approx(100 / 3)
    assert shares["soft-volume-fraction-of-icv"].value == pytest.approx(100 / 3)


def test_the_head_is_not_measured_where_the_image_cuts_it():
    labels = two_sides()
    whole = intracranial_of([labels])
    cut = LabelMap(labels.voxels[5:], Geometry((15, 20, 20), GRID.affine), IDS)
    nothing = LabelMap(np.zeros_like(labels.voxels), GRID, IDS)

    assert [m.value for m in whole] == [pytest.approx(0.35)]
    assert [m.status for m in intracranial_of([cut])] == ["truncated_fov"]
    assert [m.status for m in intracranial_of([nothing])] == ["absent"]


def test_surfaces_of_large_regions_are_measured_when_asked_for():
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[3:7, 5:10, 5:10] = 2
    labels = LabelMap(voxels, GRID, {2: "left-cerebral-white-matter"})
    answer = Answer("left-cerebral-white-matter", "measured")
    quick, _ = measured(labels, answer)
    slow, _ = measured(labels, answer, everything=True)

    assert "surface-area" not in numbers(quick[answer.name])
    assert (numbers(slow[answer.name])["surface-area"].value or 0) > 0
