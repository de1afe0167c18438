"""Images that differ where lesions changed, and nowhere else: in phantoms and closed form."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.evidence import brightening, supported
from medprompt_cli.longitudinal.ledger import LesionVisit, build_ledger
from medprompt_cli.longitudinal.readings import lesion_activity, lesion_counts
from medprompt_cli.longitudinal.signal_change import (
    SignalChange,
    SignalRule,
    SignalVisit,
    find_signal_change,
)
from medprompt_cli.longitudinal.transforms import inverse, moved, translation, turn_of
from medprompt_cli.synthesis.phantom_image import fine_slices, thick_slices

GREY, FLUID, LESION = 1.3, 0.2, 1.9
"""Signal as a share of that of white matter, as on FLAIR."""

EDGE_MM = 0.6
"""Borders are as blurred as a scanner blurs them: any grid shows the same anatomy."""

GROWING, GONE, NEW = (25.0, 12.0, 5.0), (-28.0, -10.0, 8.0), (-5.0, 30.0, -12.0)
BEFORE = {GROWING: 5.0, GONE: 4.0}
AFTER = {GROWING: 8.0, NEW: 4.0}
"""Lesions by their centres: radius in mm."""


def ball(points, centre, radius):
    """How much of a ball is at (N, 3) points, from 0 to 1."""
    return 0.5 - 0.5 * np.tanh((np.linalg.norm(points - centre, axis=1) - radius) / EDGE_MM)


def anatomy(points, lesions, grey):
    """Signal at points of the head: fluid around grey around white around a ventricle."""
    signal = FLUID + (grey - FLUID) * ball(points, (0, 0, 0), 47.0)
    signal += (1 - grey) * ball(points, (0, 0, 0), 43.0)
    signal += (FLUID - 1) * ball(points, (4, 0, 0), 12.0)
    for centre, radius in lesions.items():
        signal += (LESION + grey - GREY - 1) * ball(points, np.array(centre), radius)
    return signal


def visit(pose, lesions, *, name="a", seed=0, grey=GREY, spacing=(1.5, 1.5, 3.0)):
    """A FLAIR with a receive field and noise of its own, what it shows known without error."""
    i, j, k = (int(n) for n in np.ceil(108 / np.array(spacing)))
    shape = (i, j, k)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = pose[:3, 3] - np.array(spacing) * (np.array(shape) - 1) / 2 + 0.3 * seed
    grid = Geometry(shape, affine)
    fine = fine_slices(grid, 3)
    places = np.indices(fine.shape).reshape(3, -1).T.astype(float)
    points = moved(fine.to_world(places), inverse(pose))
    voxels = thick_slices(anatomy(points, lesions, grey).reshape(fine.shape), 3)
    random = np.random.default_rng(seed)
    along = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    field = sum(s * a for s, a in zip(random.normal(0, 0.1, 3), along, strict=True))
    noisy = 100 * voxels * np.exp(field) + random.normal(0, 3, shape)
    middle = points.reshape(*fine.shape, 3)[:, :, 1::3].reshape(-1, 3)
    inside = [np.linalg.norm(middle - c, axis=1) < r for c, r in lesions.items()]
    shown = np.any(inside, axis=0).reshape(shape)
    white = (np.linalg.norm(middle, axis=1) < 43) & (
        np.linalg.norm(middle - (4, 0, 0), axis=1) > 12
    )
    return SignalVisit(
        name,
        Volume(noisy.astype(np.float32), grid),
        inverse(pose),
        Mask("white", white.reshape(shape) & ~shown, grid),
        (Mask("lesion", shown, grid),),
    )


@pytest.fixture(scope="module")
def pose():
    return translation([4.0, -6.0, 3.0]) @ turn_of([5.0, -3.0, 4.0])


@pytest.fixture(scope="module")
def first():
    return visit(np.eye(4), BEFORE, seed=1)


@pytest.fixture(scope="module")
def second(pose):
    return visit(pose, AFTER, name="b", seed=2)


@pytest.fixture(scope="module")
def found(first, second) -> SignalChange:
    return find_signal_change(first, second)


def near(patches, point, mm=8.0):
    return [p for p in patches if np.linalg.norm(np.array(p.centre_mm) - point) < mm]


def test_what_changed_is_found_and_nothing_else(found):
    grown, gone, new = (near(found.patches, where) for where in (GROWING, GONE, NEW))

    assert {p.way for p in grown} == {"brighter"}
    assert [p.way for p in gone] == ["darker"]
    assert [p.way for p in new] == ["brighter"]
    assert len(grown) + len(gone) + len(new) == len(found.patches)
    assert all(p.peak_z >= 5 and p.mean_z >= 3 for p in found.patches)
    assert found.noise == pytest.approx(0.03, rel=0.5)  # of each 3 %, interpolated


def test_a_new_lesion_has_about_its_volume(found):
    """Where the slope of its edge can be displacement, a voxel's width is missing."""
    [new], [gone] = near(found.patches, NEW), near(found.patches, GONE)

    for patch in (new, gone):
        assert 4 / 3 * np.pi * 2.8**3 / 1000 < patch.volume_ml < 4 / 3 * np.pi * 4.6**3 / 1000


def test_exchanging_the_visits_exchanges_brighter_and_darker(found, first, second):
    back = find_signal_change(second, first)

    np.testing.assert_allclose(back.z, -found.z, atol=1e-3)
    ways = {"brighter": "darker", "darker": "brighter"}
    assert [ways[p.way] for p in back.patches] == [p.way for p in found.patches]
    np.testing.assert_array_equal(back.labels, found.labels)


@pytest.mark.parametrize(
    "other",
    [{}, {"grey": 1.4}, {"spacing": (1.0, 1.0, 4.0)}],
    ids=["position", "contrast", "slices"],
)
def test_another_scan_of_the_same_is_no_change(first, pose, other):
    same = visit(pose, BEFORE, name="b", seed=3, **other)

    assert find_signal_change(first, same).patches == ()


def test_displacement_within_what_is_allowed_for_is_no_change(first):
    same = visit(np.eye(4), BEFORE, name="b", seed=5)
    shifted = replace(same, to_mid=translation([0.3, -0.3, 0.3]))
    careless = SignalRule(shifted_mm=0.0, shifted_voxels=0.0)

    assert find_signal_change(first, shifted).patches == ()
    assert find_signal_change(first, shifted, careless).patches != ()


def test_patches_lie_on_a_visits_own_grid_where_its_lesions_are(found, second):
    there = found.on_grid(second.image.geometry, second.to_mid)
    brighter = [n for n, name in there.names.items() if name.startswith("brighter")]

    inside = np.isin(there.voxels, brighter)
    assert np.mean(second.lesions[0].voxels[inside]) > 0.75
    assert there.geometry is second.image.geometry
    assert sorted(there.names) == [p.number for p in found.patches]


def test_where_nothing_was_looked_at_nothing_is_known(found):
    assert found.mean_z(np.array([[500.0, 0, 0]])) is None
    assert found.mean_z(np.array([NEW])) > 5
    gone = brightening({("a", "b"): found}, ("a", "b"), np.array([GONE]))
    assert gone is not None
    assert gone < -5
    assert brightening({("a", "b"): found}, ("a", "c"), np.zeros((1, 3))) is None
    assert brightening({("a", "b"): found}, (None, "b"), np.zeros((1, 3))) is None


def test_too_little_white_matter_is_told(first, second):
    nothing = Mask("white", np.zeros_like(first.white.voxels), first.white.geometry)
    none = Mask("white", np.zeros_like(second.white.voxels), second.white.geometry)

    with pytest.raises(InputError, match="show 0 mL of white matter together, less than 50"):
        find_signal_change(replace(first, white=nothing), second)
    with pytest.raises(InputError, match="show 0 mL"):
        find_signal_change(
            replace(first, white=nothing, lesions=()), replace(second, white=none, lesions=())
        )


@pytest.mark.parametrize(
    ("fate", "z", "expected"),
    [
        ("new", 2.5, True),
        ("new", 1.0, False),
        ("enlarging", -3.0, False),
        ("resolved", -2.5, True),
        ("shrinking", 2.5, False),
        ("stable", 0.0, True),
        ("new", None, True),
    ],
)
def test_a_fate_needs_the_images_to_agree(fate, z, expected):
    assert supported(fate, z) is expected


GRID = Geometry((30, 30, 30), np.eye(4))


def drawn(*boxes) -> Mask:
    voxels = np.zeros(GRID.shape, bool)
    for box in boxes:
        voxels[box] = True
    return Mask("lesion", voxels, GRID)


def made_up(*spots) -> Any:
    """A difference that is known: z of 10 or -10 in some boxes, 0 elsewhere."""
    z = np.zeros(GRID.shape, np.float32)
    for box, value in spots:
        z[box] = value
    return SignalChange(
        "a", "b", z, GRID, (), np.zeros(GRID.shape, np.uint8), 1, 99, SignalRule()
    )


SMALL, BIG, OTHER = np.s_[4:8, 4:8, 4:8], np.s_[4:14, 4:8, 4:8], np.s_[20:24, 20:24, 20:24]


def fates(before, after, *spots, unsure=(0.0, 0.0)):
    visits = [
        LesionVisit(name, mask, np.eye(4), sure)
        for name, mask, sure in zip("ab", (before, after), unsure, strict=True)
    ]
    signals = {("a", "b"): made_up(*spots)} if spots else None
    rows = build_ledger(visits, signals=signals).at("b")
    assert all(row.fate is None or row.unsure is None for row in rows)
    return [row.fate or f"{row.unsure}?" for row in rows]


def test_over_several_visits_differences_add_up():
    """In two steps of 1.5 each, neither of which would do by itself."""
    step = replace(made_up((OTHER, 1.5)), first="b", second="c")
    signals = {("a", "b"): made_up((OTHER, 1.5)), ("b", "c"): step}
    points = np.argwhere(drawn(OTHER).voxels).astype(float)

    assert brightening(signals, ("a", "c"), points) == pytest.approx(3)
    assert brightening(signals, ("b", "c"), points) == pytest.approx(1.5)
    assert brightening(signals, ("a", "d"), points) is None
    assert brightening(signals, ("c", "a"), points) is None


def test_what_cannot_be_told_is_not_told_a_visit_later_either():
    """Gone by the mask of b, and c was compared with b alone."""
    still = made_up()
    signals = {("a", "b"): still, ("b", "c"): replace(still, first="b", second="c")}
    masks = (drawn(OTHER), drawn(), drawn())
    visits = [LesionVisit(n, m, np.eye(4)) for n, m in zip("abc", masks, strict=True)]

    rows = build_ledger(visits, signals=signals).history(1)

    assert [(row.fate, row.unsure) for row in rows[1:]] == [(None, "resolved"), (None, None)]


def test_growth_without_brightening_cannot_be_told():
    assert fates(drawn(SMALL), drawn(BIG)) == ["enlarging"]
    assert fates(drawn(SMALL), drawn(BIG), (np.s_[8:14, 4:8, 4:8], 10)) == ["enlarging"]
    assert fates(drawn(SMALL), drawn(BIG), (SMALL, 10)) == ["enlarging?"]  # not where it grew


def test_shrinkage_without_darkening_cannot_be_told():
    assert fates(drawn(BIG), drawn(SMALL)) == ["shrinking"]
    assert fates(drawn(BIG), drawn(SMALL), (np.s_[8:14, 4:8, 4:8], -10)) == ["shrinking"]
    assert fates(drawn(BIG), drawn(SMALL), (OTHER, -10)) == ["shrinking?"]


def test_what_the_rule_calls_stable_is_stable_whatever_the_images_say():
    a_bit = np.s_[4:9, 4:8, 4:8]  # a quarter more, of a small lesion
    assert fates(drawn(SMALL), drawn(a_bit), (OTHER, 10)) == ["stable"]
    assert fates(drawn(SMALL), drawn(a_bit), (np.s_[8:9, 4:8, 4:8], 10)) == ["stable"]


def test_what_one_mask_has_and_the_image_does_not_show_is_not_told():
    assert fates(drawn(), drawn(OTHER)) == ["new"]
    assert fates(drawn(), drawn(OTHER), (OTHER, 10)) == ["new"]
    assert fates(drawn(), drawn(OTHER), (SMALL, 10)) == ["new?"]
    assert fates(drawn(OTHER), drawn(), (OTHER, -10)) == ["resolved"]
    assert fates(drawn(OTHER), drawn(), (SMALL, -10)) == ["resolved?"]


def test_a_lesion_that_may_have_been_overlooked_is_neither_new_nor_gone():
    """64 mm3, where nothing below 100 or 50 mm3 would have been seen."""
    for limit, new, gone in ((0.1, "new?", "resolved?"), (0.05, "new", "resolved")):
        assert fates(drawn(), drawn(SMALL), unsure=(limit, 0.0)) == [new]
        assert fates(drawn(SMALL), drawn(), unsure=(0.0, limit)) == [gone]
    assert fates(drawn(), drawn(SMALL), (SMALL, 10), unsure=(0.1, 0.0)) == ["new"]


def test_what_cannot_be_told_is_counted_by_what_masks_say():
    speck = np.s_[28:30, 28:30, 28:29]  # 4 mm3, below what counts
    masks = (drawn(SMALL, OTHER), drawn(BIG, speck))
    visits = [
        LesionVisit(name, mask, np.eye(4)) for name, mask in zip("ab", masks, strict=True)
    ]
    signals = {("a", "b"): made_up((SMALL, 10))}

    [found] = lesion_counts(build_ledger(visits, signals=signals))
    reading = lesion_activity(found)

    assert (found.counts, found.unsure) == ({}, {"enlarging": 1, "resolved": 1})
    assert (found.untold, found.maybe_growing, found.too_small) == (2, 1, 1)
    assert (reading.value, reading.status) == (None, "error")
    assert reading.reason == "1 may be new or growing and cannot be told"


def test_what_may_be_gone_does_not_stand_against_no_activity():
    visits = [LesionVisit("a", drawn(OTHER), np.eye(4)), LesionVisit("b", drawn(), np.eye(4))]
    [found] = lesion_counts(build_ledger(visits, signals={("a", "b"): made_up((SMALL, 10))}))

    assert lesion_activity(found).value == "not active"


def test_pairs_that_were_not_compared_leave_fates_alone():
    names = ["a", "x", "b"]
    masks = [drawn(), drawn(OTHER), drawn(OTHER, SMALL)]
    visits = [LesionVisit(n, m, np.eye(4)) for n, m in zip(names, masks, strict=True)]

    ledger = build_ledger(visits, signals={("a", "b"): made_up((OTHER, 0.0))})

    rows = itertools.chain.from_iterable(ledger.at(n) for n in ("x", "b"))
    assert [row.fate for row in rows if row.status == "measured"] == ["new", "stable", "new"]
