"""Every lesion of a case is described, by the images that are there and the labels around."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.characterization.places import TERRITORY
from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import BASE_INDEX, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.domain.quantities import FEATURES
from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution import describing
from medprompt_cli.execution.describing import describe_lesions
from medprompt_cli.execution.segment import segment_case
from medprompt_cli.execution.values import Image, Visit
from medprompt_cli.planning.vocabulary import resolve

GRID = Geometry((40, 40, 40), np.diag([1.0, 1.0, 1.0, 1.0]))
HEAD = (
    (100 + BASE_INDEX["left-cerebral-white-matter"], np.s_[4:36, 4:36, 4:36]),
    (100 + PARCEL_INDEX["left-superior-frontal"], np.s_[4:7, 20:36, 4:36]),
    (100 + PARCEL_INDEX["left-lingual"], np.s_[4:7, 4:20, 4:36]),
    (100 + BASE_INDEX["left-lateral-ventricle"], np.s_[26:36, 4:14, 4:36]),
)
BIG, SMALL = np.s_[10:16, 26:32, 14:22], np.s_[22:26, 6:10, 14:18]
CUT = np.s_[16:20, 26:30, 36:40]


def volume(name, *boxes):
    voxels = np.zeros(GRID.shape, np.float32)
    for value, box in boxes:
        voxels[box] = value
    return Volume(voxels, GRID, source=f"{name}.nii")


def image(kind, shown):
    return Image(kind, Visit(None, 0), lambda: shown, shown.source)


def other(kind, tissue, *lesions):
    return image(kind, volume(kind, (tissue, np.s_[4:36, 4:36, 4:36]), *lesions))


@pytest.fixture
def describe(monkeypatch, threshold_segmenter):
    """Findings about tumors at some places, and what the case gave."""
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)
    tumor = 5000 + LESIONS.index("tumor")

    def run(*boxes, images=()):
        t1w = volume("T1w", *HEAD, *((tumor, box) for box in boxes))
        result = segment_case(t1w, resolve(["tumor"]), threshold_segmenter, with_lobes=True)
        found = describe_lesions(result, [image("T1w", t1w), *images])
        return result, found

    return run


def told(found):
    findings = (one.finding for one in found)
    return [(f.region, f.instance, f.feature, f.value) for f in findings]


def test_all_of_a_lesion_then_each_piece_then_the_midline(describe):
    result, found = describe(SMALL, BIG)

    assert told(found) == [
        ("tumor", None, "signal", "hyper"),
        ("tumor", 1, "signal", "hyper"),
        ("tumor", 1, "site", "deep"),
        ("tumor", 1, "midline-crossing", "no"),
        ("tumor", 1, "lobe", "left-frontal-lobe"),
        ("tumor", 2, "signal", "hyper"),
        ("tumor", 2, "site", "periventricular"),
        ("tumor", 2, "midline-crossing", "no"),
        ("tumor", 2, "lobe", "left-occipital-lobe"),
        ("brain", None, "midline-shift", None),  # of one side there is no middle
    ]
    assert result.labels is None  # nobody asked for structures
    assert result.parcels is None
    assert [r.name for r in result.results] == ["tumor"]


def test_images_that_show_more_are_looked_at(describe):
    after = other("T1ce", 300, (900, BIG))
    dwi, adc = other("dwi", 100, (200, BIG)), other("ADC", 800, (400, BIG))
    _, found = describe(BIG, images=(after, dwi, adc))
    whole = [one for one in found if one.finding.instance is None]

    assert [(one.finding.feature, [i.suffix for i in one.images]) for one in whole[:-1]] == [
        *(("signal", [kind]) for kind in ("T1w", "T1ce", "dwi", "ADC")),
        ("enhancement", ["T1w", "T1ce"]),
        ("diffusion-restriction", ["dwi", "ADC"]),
    ]
    assert whole[5].finding.value == "yes"
    assert whole[3].finding.value == "hypo"


def test_what_the_image_cuts_is_not_described(describe):
    _, found = describe(CUT)

    assert {one.finding.status for one in found[:-1]} == {"truncated_fov"}


def test_so_many_pieces_are_described_one_by_one(describe, monkeypatch):
    monkeypatch.setattr(describing, "MOST_INSTANCES", 1)
    _, found = describe(SMALL, BIG)

    assert {one.finding.instance for one in found} == {None, 1}


def test_every_feature_is_in_the_dictionary(describe):
    after = other("T1ce", 300, (900, BIG))
    dwi, adc = other("dwi", 100, (200, BIG)), other("ADC", 800, (400, BIG))
    _, found = describe(BIG, images=(after, dwi, adc))

    # no weights see arterial territories, so no lesion is described by them
    assert {one.finding.feature for one in found} == {*FEATURES} - {"territory"}
    assert TERRITORY in FEATURES


def test_nothing_is_said_of_no_lesion(describe):
    assert describe()[1] == ()
