import numpy as np
import pytest

from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.masks import (
    MEAN_OF_17,
    SEVENTEEN,
    by_kind,
    check_grid,
    pair,
    score,
)
from medprompt_cli.evaluation.schemes import SCHEMES, Scheme

GRID = Geometry((8, 8, 8), np.diag([1.0, 2.0, 1.0, 1.0]))
NAMES = ("a.nii.gz", "b.nii.gz")


def label_map(fill, geometry=GRID):
    voxels = np.zeros(geometry.shape, np.uint16)
    for index, place in fill.items():
        voxels[place] = index
    return LabelMap(voxels, geometry, {})


def scored(prediction, truth, scheme="freesurfer", **options):
    judged = pair(label_map(prediction), label_map(truth), SCHEMES[scheme], NAMES)
    return score(judged, "scan", "group", **options)


def value(scores, region, quantity="dice"):
    (found,) = [s for s in scores if (s.region, s.quantity) == (region, quantity)]
    return found.value


def test_dice_and_bias_of_one_structure():
    scores = scored({17: np.s_[:4, :2, :2]}, {17: np.s_[2:6, :2, :1]})

    assert value(scores, "left-hippocampus") == pytest.approx(2 * 4 / (16 + 8))
    assert value(scores, "left-hippocampus", "volume_bias_pct") == 100


def test_a_region_the_truth_does_not_hold_is_absent_not_perfect_and_not_wrong():
    scores = scored({17: np.s_[:2], 10: np.s_[4]}, {17: np.s_[:2]})

    (thalamus,) = [s for s in scores if (s.region, s.quantity) == ("left-thalamus", "dice")]
    assert thalamus.value is None
    assert thalamus.status == "absent"
    assert value(scores, "left-amygdala") is None


def test_a_region_that_is_missed_scores_nothing():
    scores = scored({}, {17: np.s_[:2]})

    assert value(scores, "left-hippocampus") == 0
    assert value(scores, "left-hippocampus", "volume_bias_pct") == -100


def test_foreign_ids_are_judged_as_what_they_mean():
    scores = scored(
        {17: np.s_[:2], 42: np.s_[4:]}, {48: np.s_[:2], 100: np.s_[4:]}, "neuromorphometrics"
    )

    assert value(scores, "left-hippocampus") == 1
    assert value(scores, "right-cerebral-cortex") == 1


def test_parts_without_a_side_count_as_brain_and_are_left_out_of_structures():
    prediction = {8: np.s_[:4], 47: np.s_[4:]}
    truth = {39: np.s_[:3], 71: np.s_[3:5], 38: np.s_[5:]}

    scores = scored(prediction, truth, "neuromorphometrics", far=True)

    assert value(scores, "left-cerebellar-cortex") == 1
    assert value(scores, "right-cerebellar-cortex") == 1
    assert value(scores, "left-cerebellar-cortex", "hd95_mm") == 0
    assert value(scores, "brain") == 1


def test_the_brain_holds_the_ventricles_and_not_the_fluid_around_it():
    scores = scored({4: np.s_[:2], 24: np.s_[2:4]}, {2: np.s_[:2]})

    assert value(scores, "brain") == 1


def test_a_brain_mask_is_scored_beside_the_union():
    mask = np.zeros(GRID.shape, bool)
    mask[:4] = True

    scores = scored({2: np.s_[:2]}, {2: np.s_[:2]}, brain=mask)

    assert value(scores, "brain") == 1
    assert value(scores, "brain-mask") == pytest.approx(2 / 3)

    scores = scored({2: np.s_[:2]}, {2: np.s_[:2]}, brain=mask, found=mask)

    assert value(scores, "brain-mask") == 1


def test_distances_are_computed_when_asked_and_in_mm():
    prediction, truth = {10: np.s_[:, 1]}, {10: np.s_[:, 4]}

    assert {s.quantity for s in scored(prediction, truth)} == {"dice", "volume_bias_pct"}
    scores = scored(prediction, truth, far=True)
    assert value(scores, "left-thalamus", "hd95_mm") == 6
    (found,) = [s for s in scores if (s.region, s.quantity) == ("left-thalamus", "hd95_mm")]
    assert found.unit == "mm"


def test_sides_are_averaged_and_the_mean_is_over_the_17():
    everything = {index: np.s_[n % 8, n // 8] for n, index in enumerate(BASE_INDEX.values())}
    truth = dict(everything)
    del everything[17]  # the left hippocampus is missed
    del everything[14]  # and the third ventricle

    found = by_kind(scored(everything, truth))

    assert len(SEVENTEEN) == 17
    assert found["hippocampus"] == 0.5
    assert found["third-ventricle"] == 0
    assert found["csf"] == 1
    assert found[MEAN_OF_17] == pytest.approx(15.5 / 17)


def test_the_mean_of_17_is_over_what_the_truth_holds():
    found = by_kind(scored({10: np.s_[:4]}, {10: np.s_[:4], 16: np.s_[4:]}))

    assert found["thalamus"] == 1
    assert found["brainstem"] == 0
    assert found["caudate"] is None
    assert found[MEAN_OF_17] == 0.5


def test_grids_of_other_sizes_are_refused_by_name():
    other = Geometry((8, 8, 9), GRID.affine)

    with pytest.raises(InputError, match="voxels") as caught:
        check_grid(GRID, other, NAMES)

    assert str(caught.value) == "a.nii.gz has 8 x 8 x 8 voxels and b.nii.gz has 8 x 8 x 9."
    assert caught.value.code == "grid-mismatch"
    assert caught.value.remedy == (
        "Resample one onto the grid of the other, labels by nearest neighbour."
    )


def test_grids_in_other_places_are_refused_by_name():
    moved = GRID.affine.copy()
    moved[:3, 3] = (0, 3, 4)
    moved[0, 0] = -1

    with pytest.raises(InputError, match="other places") as caught:
        pair(
            label_map({}),
            label_map({}, Geometry(GRID.shape, moved)),
            Scheme("none", {}),
            NAMES,
        )

    assert str(caught.value) == (
        "a.nii.gz and b.nii.gz have as many voxels, in other places: their first voxels lie "
        "5 mm apart, oriented RAS and LAS."
    )
    assert caught.value.remedy == (
        "Correct the header that is wrong; if you have seen that the voxels line up, compare "
        "them one by one: --grid voxels, or that word in the column grid."
    )


def test_a_region_that_is_missed_has_no_distance_and_says_so():
    scores = scored({}, {17: np.s_[:2]}, far=True)

    (found,) = [s for s in scores if (s.region, s.quantity) == ("left-hippocampus", "hd95_mm")]
    assert (found.value, found.status) == (None, "missed")
