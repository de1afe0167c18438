"""Sites of multiple sclerosis and the midline, with gaps known by construction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from medprompt_cli.characterization.landmarks import SEARCH_MM
from medprompt_cli.characterization.sites import (
    CONTACT_MM,
    CROSSING_ERROR_MM,
    CROSSING_MM,
    GAP_ERROR_MM,
    LATERAL_KINDS,
    gap_mm,
    midline_crossing,
    site,
)
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask

ROW, LEVEL = (26, 30), (18, 22)


def touches(gap: float) -> float:
    return float(ndtr((CONTACT_MM - gap) / GAP_ERROR_MM))


@pytest.mark.parametrize(
    ("columns", "word", "ventricle", "cortex"),
    [
        ((20, 24), "periventricular", 0, 13),
        ((19, 23), "periventricular", 1, 12),
        ((18, 22), "deep", 2, 11),
        ((12, 16), "deep", 8, 5),
        ((8, 12), "juxtacortical", 12, 1),
        ((7, 11), "juxtacortical", 13, 0),
        ((5, 9), "juxtacortical", 15, 0),
        ((25, 26), "periventricular", 0, 1),
    ],
)
def test_sites_by_the_gaps(head, columns, word, ventricle, cortex):
    """Cortex up to i = 6 and from i = 27 on, the ventricle from i = 24 to 26."""
    found = site(head.lesion(columns, ROW, LEVEL), head.structures)

    assert found.value == word
    assert found.number("gap-to-ventricle") == ventricle
    medial = max(27 - columns[1], 0)
    assert found.number("gap-to-cortex") == min(cortex, medial)
    gap = min(cortex, medial)
    chance = {
        "periventricular": touches(ventricle),
        "juxtacortical": (1 - touches(ventricle)) * touches(gap),
        "deep": (1 - touches(ventricle)) * (1 - touches(gap)),
    }
    assert found.probability == pytest.approx(chance[word])
    assert bool(found.notes) == (word == "periventricular" and gap <= CONTACT_MM)


def test_below_the_tentorium(head):
    head.put("left-cerebellar-white-matter", (slice(10, 20), slice(10, 20), slice(8, 18)))
    lesion = head.lesion((12, 16), (12, 22), (10, 14))

    found = site(lesion, head.structures)

    assert (found.value, found.probability) == ("infratentorial", pytest.approx(0.8))
    assert found.number("share-infratentorial") == pytest.approx(80)


def test_far_from_ventricles_none_is_named(head):
    head.labels[np.isin(head.labels, (4, 43))] = 2

    found = site(head.lesion((12, 16), ROW, LEVEL), head.structures)

    assert (found.value, found.number("gap-to-ventricle")) == ("deep", None)


@pytest.mark.parametrize("lean", [0.0, 0.4], ids=["straight", "slanted"])
@pytest.mark.parametrize(
    ("voxel", "gap"),
    [
        ((2, 2, 3), 0.0),
        ((3, 3, 3), 0.0),
        ((2, 2, 4), 5.0),
        ((5, 2, 2), 1.0),
        ((5, 6, 2), 5**0.5),
    ],
)
def test_neighbours_touch_however_thick_the_slices(voxel, gap, lean):
    """Of 0.5 x 0.667 x 5 mm; from voxel (2, 2, 2)."""
    affine = np.diag([0.5, 2 / 3, 5.0, 1.0])
    affine[1, 2] = lean  # slices lean against the stack, as under a tilted gantry
    geometry = Geometry((8, 8, 6), affine)
    mask, labels = np.zeros(geometry.shape, bool), np.zeros(geometry.shape, np.uint8)
    mask[2, 2, 2], labels[voxel] = True, 4
    structures = LabelMap(labels, geometry, {4: "left-lateral-ventricle"})

    found = gap_mm(Mask("lesion", mask, geometry), structures, LATERAL_KINDS)

    assert found == pytest.approx(gap, rel=0.01 if lean else 1e-9)


@pytest.mark.parametrize(
    ("left", "right"), [(10, 8), (10, 3), (10, 1), (4, 9), (12, 0), (0, 6)]
)
def test_how_far_it_reaches_across(head, left, right):
    """The hemispheres meet between the voxels 29 and 30."""
    found = midline_crossing(
        head.lesion((30 - left, 30 + right), ROW, (30, 33)), head.structures
    )

    reach = min(left, right)  # the smaller side; centre of its last voxel to the other side
    assert found.number("reach-across") == pytest.approx(reach)
    assert found.number("share-left") == pytest.approx(100 * left / (left + right))
    crosses = ndtr((reach - CROSSING_MM) / CROSSING_ERROR_MM)
    assert found.value == ("yes" if reach > CROSSING_MM else "no")
    assert found.probability == pytest.approx(max(crosses, 1 - crosses))


def test_far_off_in_the_other_hemisphere_it_reaches_as_far_as_is_looked(head):
    """Two spots, both hemispheres; the smaller spot is out of sight of the other half."""
    lesion = head.lesion((2, 6), ROW, (30, 33))
    lesion.voxels[55:57, ROW[0] : ROW[1], 30:33] = True
    head.labels[7:55] = 0

    found = midline_crossing(lesion, head.structures)

    assert found.value == "yes"
    assert found.number("reach-across") == SEARCH_MM


def test_what_has_no_side_takes_that_of_the_nearest(head):
    lesion = head.lesion((20, 40), ROW, (30, 33))
    head.labels[lesion.voxels] = 0

    found = midline_crossing(lesion, head.structures)

    assert found.value == "yes"
    assert found.number("share-left") == pytest.approx(50)


def test_nothing_with_a_side_near(head):
    lesion = head.lesion((20, 40), ROW, (30, 33))
    bare = LabelMap(np.zeros_like(head.labels), head.geometry, {1: "brainstem"})

    assert midline_crossing(lesion, bare).status == "failed_qc"
    nowhere = head.lesion((0, 0), (0, 0), (0, 0))
    assert midline_crossing(nowhere, bare).status == "absent"
    assert site(nowhere, bare).status == "absent"
