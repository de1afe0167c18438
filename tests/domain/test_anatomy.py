"""The words of the anatomy: ids as FreeSurfer has them, groups that add up."""

from __future__ import annotations

import pytest

from medprompt_cli.domain.anatomy import (
    BASE_INDEX,
    BASE_NAMES,
    BASE_STRUCTURES,
    BILATERAL,
    GROUPS,
    KINDS,
    LESIONS,
    MIDLINE,
)

FREESURFER = {
    "left-cerebral-white-matter": 2,
    "right-cerebral-white-matter": 41,
    "left-cerebral-cortex": 3,
    "right-cerebral-cortex": 42,
    "left-lateral-ventricle": 4,
    "right-lateral-ventricle": 43,
    "left-inferior-lateral-ventricle": 5,
    "right-inferior-lateral-ventricle": 44,
    "left-cerebellar-white-matter": 7,
    "right-cerebellar-white-matter": 46,
    "left-cerebellar-cortex": 8,
    "right-cerebellar-cortex": 47,
    "left-thalamus": 10,
    "right-thalamus": 49,
    "left-caudate": 11,
    "right-caudate": 50,
    "left-putamen": 12,
    "right-putamen": 51,
    "left-pallidum": 13,
    "right-pallidum": 52,
    "third-ventricle": 14,
    "fourth-ventricle": 15,
    "brainstem": 16,
    "left-hippocampus": 17,
    "right-hippocampus": 53,
    "left-amygdala": 18,
    "right-amygdala": 54,
    "csf": 24,
    "left-accumbens": 26,
    "right-accumbens": 58,
    "left-ventral-diencephalon": 28,
    "right-ventral-diencephalon": 60,
}
"""Source: FreeSurferColorLUT.txt."""


def test_ids_are_freesurfers():
    assert BASE_INDEX == FREESURFER


def test_structures_are_ordered_by_id_and_ids_are_used_once():
    indices = [structure.index for structure in BASE_STRUCTURES]

    assert indices == sorted(set(indices))
    assert tuple(structure.name for structure in BASE_STRUCTURES) == BASE_NAMES


def test_a_name_is_its_side_and_its_kind():
    for structure in BASE_STRUCTURES:
        if structure.side == "midline":
            assert structure.name == structure.kind
            assert structure.kind in MIDLINE
        else:
            assert structure.name == f"{structure.side}-{structure.kind}"
            assert structure.kind in BILATERAL


def test_kinds_are_18():
    assert len(KINDS) == len(set(KINDS)) == 18
    assert {structure.kind for structure in BASE_STRUCTURES} == set(KINDS)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_has_known_members_once_and_both_sides_of_each(group):
    members = GROUPS[group]
    swapped = [
        name.replace("left-", "right-") if name.startswith("left-")
        else name.replace("right-", "left-")
        for name in members
    ]  # fmt: skip

    assert len(set(members)) == len(members) > 0
    assert set(members) <= set(BASE_NAMES)
    assert set(swapped) == set(members)


def test_groups_that_part_the_brain():
    brain = set(GROUPS["brain"])

    assert brain | {"csf"} == set(GROUPS["intracranial"])
    assert not set(GROUPS["gray-matter"]) & set(GROUPS["white-matter"])
    assert not set(GROUPS["cerebrum"]) & set(GROUPS["cerebellum"])
    assert set(GROUPS["deep-gray-matter"]) <= set(GROUPS["gray-matter"])
    assert set(GROUPS["deep-gray-matter"]) - set(GROUPS["basal-ganglia"]) == {
        "left-thalamus",
        "right-thalamus",
    }
    assert {name for name in brain if "ventricle" in name} == set(GROUPS["ventricles"])


def test_no_name_stands_for_two_things():
    names = [*BASE_NAMES, *GROUPS, *LESIONS]

    assert len(names) == len(set(names))
