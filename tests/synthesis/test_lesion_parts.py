"""The table of lesion parts: which target holds which, and how each looks."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.synthesis.classes import CONTRASTS, PAINT_CLASSES
from medprompt_cli.synthesis.lesion_parts import (
    COMPARTMENTS,
    GROUNDS,
    OUTSIDE,
    PART_INDEX,
    PARTS,
    ground_of,
    truth_table,
)

PART = {part.name: part for part in PARTS}
COLUMN = {name: n for n, name in enumerate(LESIONS)}
POSITION = {paint.index: n for n, paint in enumerate(PAINT_CLASSES)}
FLUID_FILLED = ("cyst", "cavity", "infarct-chronic")


def holding(target):
    return {part.name for part in PARTS if target in part.targets}


def low(name, contrast):
    return PART[name].look[contrast][0]


def high(name, contrast):
    return PART[name].look[contrast][1]


def test_the_table_says_what_the_parts_say():
    table = truth_table()

    assert table.shape == (len(PARTS), len(LESIONS))
    assert table.dtype == torch.int8
    for part in PARTS:
        for target in LESIONS:
            entry = int(table[PART_INDEX[part.name], COLUMN[target]])
            assert (entry == 1) == (target in part.targets)
            assert (entry == -1) == (target in part.undecided)


def test_no_lesion_is_no_target_and_all_else_is_a_lesion():
    table = truth_table()

    assert PARTS[0].name == "none"
    assert not table[0].any()
    assert (table[1:, COLUMN["lesion"]] == 1).all()


def test_names_are_unique_known_and_fit_a_byte():
    assert len(PART) == len(PARTS) < 256
    for part in PARTS:
        assert part.targets | part.undecided <= set(LESIONS)
        assert not part.targets & part.undecided
        assert part.ground <= set(GROUNDS) - {OUTSIDE}


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("tumor-core", "tumor"),
        ("enhancing-tumor", "tumor-core"),
        ("necrosis", "tumor-core"),
        ("metastasis", "tumor-core"),
        ("meningioma", "enhancing-tumor"),
    ],
)
def test_targets_nest(inner, outer):
    assert holding(inner) < holding(outer)


def test_whole_tumor_is_core_and_edema_of_a_tumor():
    assert holding("tumor") - holding("tumor-core") == {"tumor-edema"}
    assert holding("edema") == {"tumor-edema", "hemorrhage-edema"}


@pytest.mark.parametrize("target", LESIONS)
def test_every_target_has_a_part_that_is_it_and_one_that_is_not(target):
    column = truth_table()[:, COLUMN[target]]

    assert (column == 1).any()
    assert (column == 0).any()


def test_what_looks_the_same_is_undecided_both_ways():
    white, ms = "white-matter-hyperintensity", "ms-lesion"
    assert PART["wmh"].look == PART["ms"].look
    assert PART["wmh"].undecided == {ms}
    assert PART["ms"].undecided == {white}
    names = {"cyst", "resection-cavity", "infarct"}
    for name in FLUID_FILLED:
        part = PART[name]
        assert part.look == PART["cyst"].look
        assert part.undecided == names - part.targets


def test_parts_have_a_look_in_every_contrast():
    for part in PARTS[1:]:
        assert set(part.look) == set(CONTRASTS)
        for lowest, highest in part.look.values():
            assert 0 <= lowest < highest <= 1.2


def test_enhancement_shows_after_a_contrast_agent_only():
    enhancing, other = PART["glioma-enhancing"].look, PART["glioma-core"].look

    assert {c for c in CONTRASTS if enhancing[c] != other[c]} == {"t1c"}
    for name in holding("enhancing-tumor"):
        assert low(name, "t1c") > CONTRASTS["t1c"]["white"] + 0.15
    for part in PARTS[1:]:
        if "enhancing-tumor" not in part.targets and part.name != "hemorrhage-subacute":
            assert high(part.name, "t1c") < CONTRASTS["t1c"]["white"]


@pytest.mark.parametrize("name", ["wmh", "ms", "tumor-edema", "infarct-gliosis", "glioma-core"])
def test_water_in_tissue_is_bright_on_flair_and_t2_and_dark_on_t1_and_ct(name):
    white = {contrast: CONTRASTS[contrast]["white"] for contrast in CONTRASTS}

    assert low(name, "flair") >= white["flair"] + 0.2
    assert low(name, "t2") >= white["t2"] + 0.2
    assert high(name, "t1") <= white["t1"] - 0.15
    if name != "glioma-core":
        assert high(name, "ct") < white["ct"]


@pytest.mark.parametrize("name", FLUID_FILLED)
def test_fluid_is_suppressed_on_flair_and_moves_freely(name):
    assert high(name, "flair") < CONTRASTS["flair"]["white"]
    assert low(name, "t2") > 0.8
    assert low(name, "adc") > 2 * CONTRASTS["adc"]["white"]
    assert high(name, "dwi") < CONTRASTS["dwi"]["white"]


def test_known_signs():
    assert high("ms-black-hole", "t1") <= 0.4 < low("ms", "t1")
    assert low("ms-black-hole", "flair") < low("ms", "flair")
    assert low("hemorrhage-acute", "ct") > 0.7 > CONTRASTS["ct"]["gray"]
    assert high("hemorrhage-acute", "t2star") < CONTRASTS["t2star"]["pallidum"]
    assert low("hemorrhage-subacute", "t1") > CONTRASTS["t1"]["white"]
    assert low("infarct-acute", "dwi") > 1.8 * CONTRASTS["dwi"]["white"]
    assert high("infarct-acute", "adc") < CONTRASTS["adc"]["white"]
    assert high("infarct-acute", "ct") < CONTRASTS["ct"]["white"]
    assert low("tumor-edema", "adc") > CONTRASTS["adc"]["white"]
    assert high("glioma-necrosis", "flair") < low("glioma-core", "flair")


def test_mirrored_classes_are_the_same_ground_on_the_other_side():
    other = {"left": "right", "right": "left"}
    for n, paint in enumerate(PAINT_CLASSES):
        mirror = POSITION[paint.mirror]
        assert GROUNDS[mirror] == GROUNDS[n]
        assert COMPARTMENTS[mirror] == other.get(COMPARTMENTS[n], COMPARTMENTS[n])


def test_nothing_grows_in_ventricles_skull_or_air():
    table = ground_of(*(set(GROUNDS) - {OUTSIDE}))
    for index in (0, 4, 43, 5, 44, 14, 15, 72, 136, 163, 506, 509, 511, 515):
        assert not table[POSITION[index]]
    for index in (2, 41, 3, 42, 25, 57, 10, 16, 17, 24, 8, 46):
        assert table[POSITION[index]]
