"""Lesions, parcels and their unions: against answers known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_NAMES, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import LOBES, PARCEL_INDEX, PARCEL_NAMES
from medprompt_cli.domain.volume import Volume
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.posteriors import (
    BASE_ROW,
    PARCEL_ROW,
    Request,
    speck_voxels,
    without_specks,
)
from medprompt_cli.segmentation.segmenter import Segmenter

FOLLOW = pytest.mark.parametrize("follow", [True, False], ids=["follow", "network-alone"])
FRONTAL = PARCEL_INDEX["left-superior-frontal"]


@pytest.fixture(scope="session")
def segmenter(save_network):
    """A segmenter from a network, on the CPU."""

    def build(network, name, *, follow=True, level=0):
        weights = save_network(network, name, level)
        return Segmenter(device="cpu", weights=weights, follow_intensities=follow)

    return build


@pytest.fixture(scope="session")
def ill(lump):
    """The lump, half as bright, with a bright lesion and a brighter middle in it."""
    voxels = lump * 0.5
    voxels[6:12, 8:16, 6:11] = 80
    voxels[8:10, 10:14, 7:10] = 100
    return voxels


def scan(voxels, spacing=(1.0, 1.0, 1.0)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-12, 3, 40)
    return Volume(voxels, Geometry(voxels.shape, affine))


def test_targets_are_sorted_by_how_they_are_answered():
    targets = resolve(["left thalamus", "ventricles", "left insula", "frontal lobe", "cyst"])
    names = [f"left-{kind}" for kind in LOBES["frontal-lobe"]]

    request = Request(targets)

    assert request.structures["left-thalamus"] == [BASE_ROW["left-thalamus"]]
    assert len(request.structures["ventricles"]) == 6
    assert request.structures.keys() == {"left-thalamus", "ventricles"}
    assert request.unions == ["ventricles"]
    assert request.parcels["left-insula"] == [PARCEL_ROW["left-insula"]]
    assert sorted(request.parcels["left-frontal-lobe"]) == sorted(PARCEL_ROW[n] for n in names)
    assert request.parcels.keys() == {"left-insula", "left-frontal-lobe", "right-frontal-lobe"}
    assert request.lesions == ("cyst",)


def test_every_name_of_the_vocabulary_that_has_parts_or_is_a_lesion_is_answered_once():
    targets = resolve([*BASE_NAMES, *PARCEL_NAMES, *LESIONS])

    request = Request(targets)

    answered = [*request.structures, *request.parcels, *request.lesions]
    assert sorted(answered) == sorted({*BASE_NAMES, *PARCEL_NAMES, *LESIONS})
    assert len(answered) == len(targets)


@FOLLOW
@pytest.mark.parametrize(
    ("spacing", "level"),
    [((1.0, 1.0, 1.0), 0), ((1.0, 1.0, 5.0), 0), ((3.0, 0.8, 0.8), 0), ((2.0, 2.0, 2.0), 1)],
    ids=str,
)
def test_lesions_are_the_bright_voxels_themselves(
    lesioned, segmenter, ill, spacing, level, follow
):
    network = lesioned(level=level, lesion=0.45, ms_lesion=0.45)
    found = segmenter(network, f"lesion-{level}", follow=follow, level=level).segment(
        scan(ill, spacing), resolve(["brainstem", "lesion", "ms lesion", "cyst"])
    )

    for name in ("lesion", "ms-lesion"):
        mask = found.masks[name]
        np.testing.assert_array_equal(mask.voxels, ill > 70)
        assert mask.voxels.dtype == bool
        assert mask.geometry is found.labels.geometry
        assert mask.presence == found.presence[name] == pytest.approx(1, abs=0.01)
        millilitres = float((ill > 70).sum()) * np.prod(spacing) / 1000
        assert found.volumes_ml[name] == pytest.approx(millilitres)
        sums = found.sums[name]
        assert 0.5 * millilitres < sums.inside_ml <= sums.total_ml
        assert sums.spread_ml <= sums.total_ml
    assert not found.masks["cyst"].voxels.any()
    assert found.volumes_ml["cyst"] == 0
    expected = np.where(ill > 0, BASE_INDEX["brainstem"], 0)
    np.testing.assert_array_equal(found.labels.voxels, expected)  # lesions lie in structures
    whole = float((ill > 0).sum()) * np.prod(spacing) / 1000
    assert found.volumes_ml["brainstem"] == pytest.approx(whole, rel=1e-3)
    assert set(found.masks) == {"lesion", "ms-lesion", "cyst"}
    assert found.parcels is None


@FOLLOW
def test_a_lesion_may_hold_another(lesioned, segmenter, ill, follow):
    network = lesioned(lesion=0.45, tumor=0.45, necrosis=0.66)
    found = segmenter(network, "nested", follow=follow).segment(
        scan(ill), resolve(["tumor", "necrosis"])
    )

    np.testing.assert_array_equal(found.masks["tumor"].voxels, ill > 70)
    np.testing.assert_array_equal(found.masks["necrosis"].voxels, ill > 90)


@FOLLOW
def test_a_lesion_that_is_not_there_has_an_empty_mask(lesioned, segmenter, ill, follow):
    """Voxels look like an infarct, but calibrated presence says that there is none."""
    network = lesioned(absent=("infarct",), lesion=0.45, infarct=0.45, edema=0.45)
    found = segmenter(network, "absent", follow=follow).segment(
        scan(ill), resolve(["infarct", "edema"])
    )

    assert not found.masks["infarct"].voxels.any()
    assert found.volumes_ml["infarct"] == 0
    assert found.presence["infarct"] == pytest.approx(0, abs=0.01)
    np.testing.assert_array_equal(found.masks["edema"].voxels, ill > 70)


@FOLLOW
def test_where_no_lesion_is_there_all_masks_are_empty(lesioned, segmenter, ill, follow):
    network = lesioned(absent=LESIONS, **dict.fromkeys(LESIONS, 0.45))
    found = segmenter(network, "healthy", follow=follow).segment(
        scan(ill), resolve(["brainstem", *LESIONS])
    )

    assert found.masks.keys() == set(LESIONS)
    assert not any(mask.voxels.any() for mask in found.masks.values())
    assert {found.volumes_ml[name] for name in LESIONS} == {0}
    assert max(found.presence[name] for name in LESIONS) < 0.01
    np.testing.assert_array_equal(found.labels.voxels > 0, ill > 0)


def test_structures_are_the_same_whatever_lesions_are_asked_for(lively, segmenter, lump):
    volume = scan(lump + np.random.default_rng(0).random(lump.shape, np.float32) * 20)
    segmenter = segmenter(lively, "lively-lesions")

    alone = segmenter.segment(volume, resolve(["all", "ventricles"]))
    beside = segmenter.segment(volume, resolve(["all", "ventricles", "cyst", "left insula"]))

    np.testing.assert_array_equal(beside.labels.voxels, alone.labels.voxels)
    ventricles = (found.masks["ventricles"].voxels for found in (beside, alone))
    np.testing.assert_array_equal(*ventricles)
    assert alone.masks.keys() == {"ventricles"}
    assert {n: beside.volumes_ml[n] for n in alone.volumes_ml} == alone.volumes_ml


def test_a_lesion_that_does_not_touch_the_head_is_dropped(lesioned, segmenter, ill):
    voxels = ill.copy()
    voxels[:2, :2, :2] = 80

    found = segmenter(lesioned(lesion=0.45), "island").segment(
        scan(voxels), resolve(["lesion"])
    )

    np.testing.assert_array_equal(found.masks["lesion"].voxels, ill > 70)


def test_streams_have_one_vote_on_lesions_together(lesioned, segmenter, ill):
    """To one image everything is bright enough, to the other too little; the mean is right."""
    segmenter = segmenter(lesioned(lesion=0.58), "two-streams", follow=False)
    streams = [scan(ill), scan(np.minimum(ill, 50))]

    def lesion(*volumes):
        return segmenter.segment(volumes, resolve(["lesion"])).masks["lesion"].voxels

    together = lesion(*streams)

    np.testing.assert_array_equal(together, ill > 70)
    np.testing.assert_array_equal(lesion(*streams[::-1]), together)
    np.testing.assert_array_equal(lesion(streams[0]), ill > 90)
    np.testing.assert_array_equal(lesion(streams[1]), ill > 0)


@FOLLOW
def test_a_structure_is_divided_into_its_parcels(parcelled, segmenter, lump, follow):
    volume = scan(lump, (1.0, 1.0, 3.0))
    found = segmenter(parcelled, "parcelled", follow=follow).segment(
        volume,
        resolve(["left superior frontal", "left insula", "frontal lobe", "left temporal lobe"]),
    )

    parcels = found.parcels
    np.testing.assert_array_equal(parcels.voxels, np.where(lump > 50, FRONTAL, 0))
    assert parcels.voxels.dtype == np.uint16
    assert parcels.voxels.flags.c_contiguous
    assert parcels.geometry is volume.geometry
    assert parcels.names == {
        FRONTAL: "left-superior-frontal",
        PARCEL_INDEX["left-insula"]: "left-insula",
    }
    for name in ("left-frontal-lobe", "right-frontal-lobe", "left-temporal-lobe"):
        inside = (lump > 50) & (name == "left-frontal-lobe")
        np.testing.assert_array_equal(found.masks[name].voxels, inside)
        assert found.volumes_ml[name] == pytest.approx(float(inside.sum()) * 3 / 1000)
    assert found.volumes_ml["left-superior-frontal"] == found.volumes_ml["left-frontal-lobe"]
    assert found.volumes_ml["left-insula"] == 0
    assert not found.labels.voxels.any()  # no base structure was asked for


def test_presence_of_a_parcel_is_that_of_its_structure(lively, segmenter, lump):
    found = segmenter(lively, "lively-parcels").segment(
        scan(lump), resolve(["all", "precuneus", "vermis", "frontal lobe"])
    )

    for side in ("left", "right"):
        cortex = found.presence[f"{side}-cerebral-cortex"]
        assert found.presence[f"{side}-precuneus"] == cortex
        assert found.presence[f"{side}-frontal-lobe"] == cortex
        assert found.masks[f"{side}-frontal-lobe"].presence == cortex
    both = [found.presence[f"{side}-cerebellar-cortex"] for side in ("left", "right")]
    assert found.presence["vermis"] == max(both)


def test_an_image_without_a_brain_has_neither(threshold, segmenter, ill):
    blind = segmenter(threshold(seen=False), "blind-to-lesions")

    found = blind.segment(scan(ill), resolve(["left insula", "frontal lobe", "cyst"]))

    assert found.notes == ("No brain was found in this image.",)
    assert not found.parcels.voxels.any()
    assert not any(mask.voxels.any() for mask in found.masks.values())
    assert set(found.volumes_ml.values()) == {0}


def test_specks_are_dropped_and_pieces_kept():
    found = np.zeros((12, 12, 12), bool)
    found[1:3, 1:3, 1:3] = True
    found[8, 8, 8:11] = True

    assert without_specks(found, 3).sum() == 11
    kept = without_specks(found, 4)
    assert kept.sum() == 8
    assert kept[1:3, 1:3, 1:3].all()
    assert not without_specks(np.zeros((4, 4, 4), bool), 3).any()


@pytest.mark.parametrize(("spacing", "least"), [((1.0, 1.0, 1.0), 32), ((0.5, 0.5, 5.0), 26)])
def test_a_speck_is_four_voxels_of_the_finest_level_of_the_weights(spacing, least):
    assert speck_voxels(1, math.prod(spacing)) == least
    assert speck_voxels(0, 1.0) == 4
