"""Where pieces lie: boxes in a brain of boxes, so that the answer is plain."""

import numpy as np
import pytest

from medprompt_cli.cohort.instruction_places import Anatomy, Reported, pieces_of
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.synthesis.instructions.known import HEMISPHERES, LOBE_PLACES

SHAPE = (60, 40, 20)
GRID = Geometry(SHAPE, np.diag([2.0, 2.0, 2.0, 1.0]))
WHITE, BRAINSTEM = "left-cerebral-white-matter", "brainstem"


def label_map(boxes, index):
    voxels = np.zeros(SHAPE, np.uint16)
    for name, box in boxes.items():
        voxels[box] = index[name]
    return LabelMap(voxels, GRID, {index[name]: name for name in boxes})


STRUCTURES = label_map(
    {
        WHITE: np.s_[4:28],
        "left-cerebral-cortex": np.s_[4:28, :4],
        "right-cerebral-white-matter": np.s_[32:56],
        BRAINSTEM: np.s_[28:32, 10:20],
    },
    BASE_INDEX,
)
PARCELS = label_map(
    {
        "left-superior-frontal": np.s_[4:16, :4],
        "left-superior-parietal": np.s_[16:28, :4],
    },
    PARCEL_INDEX,
)


def mask(*boxes, name="tumor"):
    voxels = np.zeros(SHAPE, bool)
    for box in boxes:
        voxels[box] = True
    return Mask(name, voxels, GRID)


def places(lesion, anatomy=None, certain=0.9):
    (piece,) = pieces_of(lesion, anatomy or Anatomy(STRUCTURES), certain)
    return piece.places


@pytest.mark.parametrize(
    ("box", "left", "right"),
    [
        (np.s_[10:20, 10:20, 5:9], "in", "out"),
        (np.s_[40:50, 10:20, 5:9], "out", "in"),
        (np.s_[26:34, 30:34, 5:9], "place-unclear", "place-unclear"),
    ],
    ids=["left", "right", "across"],
)
def test_hemispheres_are_told_by_the_nearer_half(box, left, right):
    found = places(mask(box))

    assert [found[place] for place in HEMISPHERES] == [left, right]


@pytest.mark.parametrize(
    ("box", "where"),
    [
        (np.s_[28:31, 11:14, 5:9], "in"),
        (np.s_[20:31, 11:14, 5:9], "place-unclear"),
        (np.s_[24:27, 11:14, 5:9], "place-unclear"),  # 4 mm away
        (np.s_[10:14, 11:14, 5:9], "out"),
    ],
    ids=["inside", "partly", "near", "far"],
)
def test_structures_are_told_by_labels_and_distance(box, where):
    assert places(mask(box))[BRAINSTEM] == where


def test_only_places_that_the_labels_hold_are_told():
    assert Anatomy().places == ()
    found = Anatomy(STRUCTURES).places
    assert found == (*HEMISPHERES, WHITE, "right-cerebral-white-matter", BRAINSTEM)
    assert set(Anatomy(STRUCTURES, PARCELS).places) == {*found, *LOBE_PLACES}


def test_a_piece_is_in_the_lobe_that_it_surely_is_in():
    found = places(mask(np.s_[4:8, :3, 8:12]), Anatomy(STRUCTURES, PARCELS))

    assert found["left-frontal-lobe"] == "in"
    assert {found[name] for name in LOBE_PLACES if name != "left-frontal-lobe"} == {"out"}


def test_between_two_lobes_neither_is_told_and_all_others_are_out():
    found = places(mask(np.s_[14:18, :3, 8:12]), Anatomy(STRUCTURES, PARCELS))

    unsure = {name for name in LOBE_PLACES if found[name] != "out"}
    assert unsure == {"left-frontal-lobe", "left-parietal-lobe"}
    assert {found[name] for name in unsure} == {"finding-uncertain"}


def test_findings_tell_lobes_without_labels():
    told = {
        ("tumor", 1): Reported("left-insula", 0.95, "measured"),
        ("tumor", 2): Reported("left-insula", 0.6, "measured"),
        ("tumor", 3): Reported(None, None, "truncated_fov"),
    }
    boxes = (np.s_[4:12, 4:12, 4:12], np.s_[20:26, 4:10, 4:10], np.s_[40:44, 4:8, 4:8])
    first, second, third = pieces_of(mask(*boxes), Anatomy(reported=told), 0.9)

    assert first.places["left-insula"] == "in"
    assert first.places["right-insula"] == "out"
    assert set(second.places.values()) == {"finding-uncertain"}
    assert set(third.places.values()) == {"finding-not-measured"}
    assert [piece.volume_ml for piece in (first, second, third)] == pytest.approx(
        [512 * 0.008, 216 * 0.008, 64 * 0.008]
    )


def test_pieces_of_one_size_cannot_be_told_apart_in_a_table():
    told = {("tumor", n): Reported("left-insula", 0.95, "measured") for n in (1, 2)}
    pieces = pieces_of(
        mask(np.s_[4:8, 4:8, 4:8], np.s_[40:44, 4:8, 4:8]), Anatomy(reported=told), 0.9
    )

    assert {where for piece in pieces for where in piece.places.values()} == {
        "finding-uncertain"
    }


@pytest.mark.parametrize(
    ("value", "where"),
    [("left-frontal-lobe", "in"), ("left-temporal-lobe", "places-differ")],
)
def test_labels_and_findings_have_to_agree(value, where):
    told = {("tumor", 1): Reported(value, 0.99, "measured")}
    found = places(mask(np.s_[4:8, :3, 8:12]), Anatomy(STRUCTURES, PARCELS, told))

    assert found["left-frontal-lobe"] == where
    assert found["right-frontal-lobe"] == "out"


def test_a_lesion_without_a_voxel_has_no_piece():
    assert pieces_of(mask(), Anatomy(STRUCTURES), 0.9) == ()
