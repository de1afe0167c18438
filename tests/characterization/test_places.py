"""Lobes and territories of lesions whose distances to the cortex are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr

from medprompt_cli.characterization.places import (
    BORDER_ERROR_MM,
    LOBE_NAMES,
    NEAR_CORTEX_MM,
    lobe,
    territory,
)
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.planning.vocabulary import find


def probability(margin_mm: float) -> float:
    return float(ndtr(margin_mm / (2 * BORDER_ERROR_MM)))


def test_one_voxel_in_white_matter_by_its_distances(head):
    """Cortex ends at i = 6, frontal cortex begins at j = 40."""
    found = lobe(head.lesion((8, 9), (44, 45), (20, 21)), head.structures, head.lobes)

    margin = math.hypot(2, 5) - 2  # to (6, 39) less to (6, 44)
    assert found.value == "left-frontal-lobe"
    assert found.number("share-left-frontal-lobe") == 100
    assert found.number("median-margin") == pytest.approx(margin)
    assert found.probability == pytest.approx(probability(margin))


def test_in_the_cortex_itself(head):
    found = lobe(head.lesion((53, 54), (30, 31), (20, 21)), head.structures, head.lobes)

    assert found.value == "right-parietal-lobe"
    assert found.number("median-margin") == pytest.approx(10)  # (53, 40) is frontal


def test_shares_across_a_border(head):
    """6 of 10 rows lie in front of it; the border errs, and the winner is all but even."""
    found = lobe(head.lesion((8, 11), (36, 46), (18, 22)), head.structures, head.lobes)

    assert found.value == "left-frontal-lobe"
    assert found.number("share-left-frontal-lobe") == pytest.approx(60)
    assert found.number("share-left-parietal-lobe") == pytest.approx(40)
    assert found.probability == pytest.approx(0.55, abs=0.05)


def test_the_other_side_has_no_say(head):
    """At the medial border, the cortex of the other hemisphere lies as near."""
    head.parcels[26:30] = np.where(head.parcels[26:30] > 0, PARCEL_INDEX["left-lingual"], 0)
    lesion = head.lesion((33, 34), (30, 31), (28, 29))

    found = lobe(lesion, head.structures, head.lobes)

    assert found.value == "right-parietal-lobe"


@pytest.mark.parametrize(
    ("kind", "near", "deep"),
    [
        ("caudal-anterior-cingulate", "left-cingulate", "left-frontal-lobe"),
        ("isthmus-cingulate", "left-cingulate", "left-parietal-lobe"),
        ("insula", "left-insula", "left-parietal-lobe"),
    ],
)
def test_deep_white_matter_is_not_named_after_cingulate_or_insula(head, kind, near, deep):
    """All cortex on the medial side, up to i = 27, is of one parcel."""
    medial = head.parcels[27:30]
    medial[medial > 0] = PARCEL_INDEX[f"left-{kind}"]
    five, six = (27 - int(NEAR_CORTEX_MM) - n for n in (0, 1))

    shallow = lobe(
        head.lesion((five, five + 1), (30, 31), (20, 21)), head.structures, head.lobes
    )
    below = lobe(head.lesion((six, six + 1), (30, 31), (20, 21)), head.structures, head.lobes)

    assert (shallow.value, below.value) == (near, deep)


def test_deep_gray_matter_lies_in_no_lobe_and_the_hippocampus_in_the_nearest(head):
    box = (slice(10, 20), slice(44, 50), slice(10, 20))
    lesion = head.lesion((12, 18), (45, 49), (12, 18))
    head.put("left-putamen", box)
    deep = lobe(lesion, head.structures, head.lobes)
    head.put("left-hippocampus", box)
    medial = lobe(lesion, head.structures, head.lobes)

    assert (deep.value, deep.status, deep.number("share-no-lobe")) == (None, "error", 100)
    assert deep.notes == ("More than half of it lies in no lobe.",)
    assert medial.value == "left-frontal-lobe"


def test_without_a_voxel_or_without_cortex(head):
    nowhere = head.lesion((0, 0), (0, 0), (0, 0))
    lesion = head.lesion((12, 18), (45, 49), (12, 18))
    bare = LabelMap(np.zeros_like(head.parcels), head.geometry, head.lobes.names)

    assert lobe(nowhere, head.structures, head.lobes).status == "absent"
    assert lobe(lesion, head.structures, bare).status == "error"


def test_how_deep_a_voxel_lies_is_told_by_its_own_side(head):
    """5 mm from the other side's cortex, and of its own only the insula, far away."""
    head.parcels[30:33] = 0
    lateral = head.parcels[50:56]
    lateral[lateral > 0] = PARCEL_INDEX["right-insula"]
    head.parcels[33:50] = 0
    lesion = head.lesion((34, 35), (30, 31), (20, 21))

    found = lobe(lesion, head.structures, head.lobes)

    assert (found.value, found.status) == (None, "error")


def test_lobes_have_the_names_of_the_vocabulary():
    for name in LOBE_NAMES:
        term = find(name)
        assert term is not None
        assert (term[0].kind, f"{term[1]}-{term[0].name}") == ("lobe", name)


def test_territories_that_the_weights_cannot_see(head):
    found = territory(head.lesion((8, 9), (44, 45), (20, 21)), None)

    assert (found.value, found.status) == (None, "not_visible")
    assert found.notes == ("The weights do not see arterial territories.",)


def test_territories_by_their_shares(head):
    voxels = np.zeros(head.labels.shape, np.uint8)
    voxels[:30, :40] = 1
    voxels[:30, 40:] = 2
    names = {1: "left-mca-territory", 2: "left-aca-territory"}
    territories = LabelMap(voxels, head.geometry, names)

    found = territory(head.lesion((8, 12), (32, 42), (18, 22)), territories)

    assert found.value == "left-mca-territory"
    assert found.number("share-left-mca-territory") == pytest.approx(80)
    assert found.number("share-left-aca-territory") == pytest.approx(20)
    # rows 32 to 39 are 8 to 1 mm from row 40, rows 40 and 41 are 1 and 2 from row 39
    margin = float(np.median([8, 7, 6, 5, 4, 3, 2, 1, -1, -2]))
    assert found.probability == pytest.approx(probability(margin))
    outside = territory(head.lesion((40, 44), (32, 42), (18, 22)), territories)
    assert (outside.value, outside.status) == (None, "error")
