"""Lesions that are drawn, and what has to become of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.ledger import FateRule, LesionVisit, build_ledger
from medprompt_cli.longitudinal.transforms import inverse, placed, rotation, translation

SHAPE = (64, 64, 64)
STILL = np.eye(4)
FINE = Geometry(SHAPE, np.diag([1.0, 1.0, 1.0, 1.0]))
THICK = Geometry(
    (64, 64, 16), np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 4, 1.5], [0, 0, 0, 1]])
)
LYING = translation((3, -2, 5)) @ rotation((1, 2, 3), 9)
"""Takes mid-space to the world of a visit that lies differently."""


def visit(name, *balls, geometry=FINE, to_mid: Any = STILL, region="ms-lesion") -> LesionVisit:
    """Balls, each (centre, radius) in mm of mid-space, drawn on the visit's own grid."""
    voxels = np.zeros(geometry.shape, bool)
    if to_mid is not None:
        at = placed(geometry, to_mid).to_world(np.moveaxis(np.indices(geometry.shape), 0, -1))
        for centre, radius in balls:
            voxels |= np.linalg.norm(at - np.array(centre), axis=-1) <= radius
    return LesionVisit(name, Mask(region, voxels, geometry), to_mid)


def follow(visits) -> Any:
    """The ledger; what a test expects of it is there, or it fails."""
    return build_ledger(visits)


def fates(ledger, name):
    return {row.lesion: row.fate for row in ledger.at(name)}


def statuses(ledger, lesion):
    return [row.status for row in ledger.history(lesion)]


A, B, C, D = (16, 16, 16), (44, 16, 20), (20, 44, 40), (44, 44, 44)


def test_new_resolved_enlarging_shrinking_stable():
    grown, shrunk = 6 * 1.3 ** (1 / 3), 6 * 0.7 ** (1 / 3)
    first = visit("ses-01", (A, 6), (B, 6), (C, 6), ((44, 44, 20), 4))
    second = visit("ses-02", (A, grown), (B, shrunk), (C, 6.1), (D, 4))

    ledger = follow([first, second])

    by_place = {
        name: ledger.labels[0].voxels[at] for name, at in (("A", A), ("B", B), ("C", C))
    }
    found = fates(ledger, "ses-02")
    assert found[by_place["A"]] == "enlarging"
    assert found[by_place["B"]] == "shrinking"
    assert found[by_place["C"]] == "stable"
    assert sorted(found.values()) == ["enlarging", "new", "resolved", "shrinking", "stable"]
    assert set(fates(ledger, "ses-01").values()) == {None}


def test_volumes_and_labels_agree_on_every_visits_own_grid():
    visits = [
        visit("ses-01", (A, 6), (C, 3)),
        visit("ses-02", (A, 6), (C, 3), (D, 5), geometry=THICK, to_mid=inverse(LYING)),
    ]

    ledger = follow(visits)

    for n, (name, labels) in enumerate(zip(ledger.visits, ledger.labels, strict=True)):
        assert labels.geometry is visits[n].lesions.geometry
        np.testing.assert_array_equal(labels.voxels > 0, visits[n].lesions.voxels)
        measured = {row.lesion: row.volume_ml for row in ledger.at(name) if row.volume_ml}
        counts = np.bincount(labels.voxels.ravel())
        for lesion, volume in measured.items():
            mm3 = counts[lesion] * labels.geometry.voxel_volume_mm3
            assert volume == pytest.approx(mm3 / 1000)
            assert labels.names[lesion] == f"ms-lesion-{lesion}"
        assert set(measured) == set(labels.names)


def test_a_head_that_lies_differently_keeps_its_lesions():
    balls = ((A, 6), (B, 4), (C, 2), (D, 1.2))
    turned = placed(FINE, LYING)

    ledger = follow(
        [
            visit("ses-01", *balls),
            visit("ses-02", *balls, geometry=turned, to_mid=inverse(LYING)),
        ]
    )

    assert fates(ledger, "ses-02") == {1: "stable", 2: "stable", 3: "stable", 4: "stable"}


def test_merged():
    one, other = (24, 32, 32), (40, 32, 32)
    apart = visit("ses-01", (one, 7), (other, 5))
    joined = visit("ses-02", (one, 7), (other, 5), ((33, 32, 32), 3))

    ledger = follow([apart, joined])

    large, small = ledger.at("ses-02")
    assert (large.fate, large.related) == ("stable", (2,))
    assert (small.fate, small.related) == ("merged", (1,))
    assert (small.status, small.volume_ml) == ("absent", None)
    assert ledger.labels[1].voxels[other] == 1


def test_split():
    one, other = (24, 32, 32), (40, 32, 32)
    joined = visit("ses-01", (one, 7), (other, 5), ((33, 32, 32), 3))
    apart = visit("ses-02", (one, 7), (other, 5))

    ledger = follow([joined, apart])

    large, small = ledger.at("ses-02")
    assert (large.fate, large.related) == ("stable", (2,))
    assert (small.fate, small.related) == ("split", (1,))
    assert statuses(ledger, 2) == ["absent", "measured"]


def test_merging_while_growing_is_enlarging():
    one, other = (24, 32, 32), (40, 32, 32)
    ledger = follow(
        [visit("ses-01", (one, 6), (other, 5)), visit("ses-02", (one, 9), (other, 8))]
    )

    assert fates(ledger, "ses-02") == {1: "enlarging", 2: "merged"}


def test_ids_persist_over_many_visits_and_through_a_gap():
    visits = [
        visit("ses-01", (A, 6)),
        visit("ses-02", (A, 6), (B, 5)),
        visit("ses-03", (B, 5)),
        visit("ses-04", (A, 6), (B, 6.5)),
        visit("ses-05", (A, 6), (B, 6.5)),
    ]

    ledger = follow(visits)

    assert [row.fate for row in ledger.history(1)] == [
        None,
        "stable",
        "resolved",
        "stable",
        "stable",
    ]
    assert [row.fate for row in ledger.history(2)] == [
        None,
        "new",
        "stable",
        "enlarging",
        "stable",
    ]
    assert ledger.labels[4].voxels[A] == ledger.labels[0].voxels[A] == 1


def test_a_lesion_resolves_once():
    ledger = follow([visit("a", (A, 6)), visit("b"), visit("c"), visit("d")])

    assert [row.fate for row in ledger.history(1)] == [None, "resolved", None, None]
    assert statuses(ledger, 1) == ["measured", "absent", "absent", "absent"]


def test_what_the_image_does_not_reach_is_neither_gone_nor_new():
    half = Geometry((64, 64, 32), FINE.affine)
    visits = [
        visit("ses-01", (A, 6), geometry=half),
        visit("ses-02", (A, 6), (C, 5)),
        visit("ses-03", (A, 6), geometry=half),
        visit("ses-04", (A, 6)),
    ]

    ledger = follow(visits)

    assert statuses(ledger, 2) == ["truncated_fov", "measured", "truncated_fov", "absent"]
    assert [row.fate for row in ledger.history(2)] == [None, None, None, "resolved"]


def test_a_visit_that_could_not_be_registered_takes_no_part():
    ledger = follow(
        [visit("ses-01", (A, 6)), visit("ses-02", to_mid=None), visit("ses-03", (A, 6), (B, 5))]
    )

    assert ledger.labels[1] is None
    assert statuses(ledger, 1) == ["measured", "failed_qc", "measured"]
    assert [row.fate for row in ledger.history(1)] == [None, None, "stable"]
    assert statuses(ledger, 2) == ["absent", "failed_qc", "measured"]
    assert ledger.history(2)[2].fate == "new"


def test_small_lesions_that_miss_each_other_by_little_are_one():
    ledger = follow([visit("a", (A, 0.5)), visit("b", ((17, 17, 16), 0.5))])

    assert fates(ledger, "b") == {1: "stable"}


def test_small_lesions_far_apart_are_two():
    ledger = follow([visit("a", (A, 0.5)), visit("b", ((20, 16, 16), 0.5))])

    assert fates(ledger, "b") == {1: "resolved", 2: "new"}


def test_no_lesion_at_all():
    ledger = follow([visit("a"), visit("b")])

    assert ledger.rows == ()
    assert not any(labels.voxels.any() for labels in ledger.labels)


@pytest.mark.parametrize(
    ("before", "after", "fate"),
    [
        (1.0, 1.24, "stable"),
        (1.0, 1.25, "enlarging"),
        (1.0, 0.75, "shrinking"),
        (0.4, 0.58, "stable"),
        (0.4, 0.59, "enlarging"),
        (0.01, 0.02, "stable"),
        (0.01, 0.03, "enlarging"),
    ],
)
def test_the_rule(before, after, fate):
    assert FateRule().fate(before, after) == fate


def test_the_bound_between_small_and_large_is_a_section_of_067_square_centimetres():
    rule = FateRule()
    radius_cm = (3 * rule.large_ml / (4 * np.pi)) ** (1 / 3)

    assert np.pi * radius_cm**2 == pytest.approx(0.67, abs=0.005)
    assert 4 / 3 * np.pi * 0.15**3 == pytest.approx(rule.least_ml, abs=0.0005)


def test_two_visits_of_one_name_are_refused():
    with pytest.raises(InputError, match=r"at the visits \['a', 'a'\]"):
        follow([visit("a"), visit("a")])


def test_two_regions_are_refused():
    with pytest.raises(InputError, match=r"Lesions of \['ms-lesion', 'tumor'\]"):
        follow([visit("a"), visit("b", region="tumor")])
