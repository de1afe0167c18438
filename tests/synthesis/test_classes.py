"""What labels are painted with: a closed table, the same on both sides."""

from __future__ import annotations

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.synthesis.classes import CONTRASTS, PAINT_CLASSES, TISSUES

BY_ID = {paint.index: paint for paint in PAINT_CLASSES}
SIDE = {s.index: s.side for s in BASE_STRUCTURES} | {0: "midline"}
KIND = {s.index: s.kind for s in BASE_STRUCTURES} | {0: "background"}
OTHER = {"left": "right", "right": "left", "midline": "midline"}


def test_every_base_structure_is_painted_as_itself():
    for structure in BASE_STRUCTURES:
        assert BY_ID[structure.index].target == structure.index


def test_ids_are_unique_and_ascend():
    ids = [paint.index for paint in PAINT_CLASSES]

    assert ids == sorted(set(ids))
    assert ids[0] == 0
    assert len(ids) < 255


def test_mirroring_twice_changes_nothing():
    for paint in PAINT_CLASSES:
        assert BY_ID[paint.mirror].mirror == paint.index


def test_a_mirror_is_the_same_thing_on_the_other_side():
    for paint in PAINT_CLASSES:
        mirror = BY_ID[paint.mirror]
        assert mirror.tissue == paint.tissue
        assert KIND[mirror.target] == KIND[paint.target]
        assert SIDE[mirror.target] == OTHER[SIDE[paint.target]]


def test_every_contrast_names_every_tissue():
    for contrast in CONTRASTS.values():
        assert set(contrast) == set(TISSUES) == {paint.tissue for paint in PAINT_CLASSES}
        assert all(0 <= value <= 1 for value in contrast.values())


def test_contrasts_have_their_known_order():
    t1, t2, flair, ct = (CONTRASTS[name] for name in ("t1", "t2", "flair", "ct"))

    assert t1["white"] > t1["gray"] > t1["fluid"]
    assert t2["fluid"] > t2["gray"] > t2["white"]
    assert flair["lesion"] > flair["gray"] > flair["white"] > flair["fluid"]
    assert ct["bone"] > ct["gray"] > ct["white"] > ct["fluid"] > ct["air"]
