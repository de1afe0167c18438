"""Parcels: ids as the atlas has them, families and lobes that leave nothing out."""

from __future__ import annotations

import pytest

from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_NAMES, BILATERAL, GROUPS, LESIONS
from medprompt_cli.domain.parcels import (
    DKT31,
    FAMILIES,
    LOBES,
    PARCEL_INDEX,
    PARCEL_KINDS,
    PARCEL_NAMES,
    PARCELS,
    REGIONS,
    mirror_of,
    parcels_of,
)

FREESURFER = {
    "left-caudal-anterior-cingulate": 1002,
    "left-entorhinal": 1006,
    "right-isthmus-cingulate": 2010,
    "left-pars-opercularis": 1018,
    "left-pars-orbitalis": 1019,
    "left-pars-triangularis": 1020,
    "right-precentral": 2024,
    "left-superior-frontal": 1028,
    "right-transverse-temporal": 2034,
    "right-insula": 2035,
    "left-cerebellar-hemisphere-cortex": 6,
    "right-cerebellar-hemisphere-cortex": 45,
}
"""Source: FreeSurferColorLUT.txt."""

NOT_IN_THE_PROTOCOL = {1, 4, 32, 33}
"""Bank of the superior temporal sulcus, corpus callosum, frontal and temporal pole."""


def test_ids_are_freesurfers():
    assert {name: PARCEL_INDEX[name] for name in FREESURFER} == FREESURFER


def test_there_are_31_cortical_parcels_a_side_and_5_of_the_cerebellum():
    assert set(DKT31) == set(range(2, 36)) - NOT_IN_THE_PROTOCOL
    assert len(PARCELS) == 2 * 31 + 5
    assert len(PARCEL_KINDS) == 35


def test_names_and_ids_are_used_once_and_by_nothing_else():
    assert len(set(PARCEL_NAMES)) == len(set(PARCEL_INDEX.values())) == len(PARCELS)
    assert not {*PARCEL_NAMES} & {*BASE_NAMES, *GROUPS, *LESIONS}
    assert not {*PARCEL_INDEX.values()} & {*BASE_INDEX.values()}


def test_a_name_is_its_side_and_its_kind():
    for parcel in PARCELS:
        side = "" if parcel.side == "midline" else f"{parcel.side}-"
        assert parcel.name == side + parcel.kind


def test_positions_fit_a_byte_beside_none():
    assert len(PARCELS) + 1 <= 255


@pytest.mark.parametrize("parcel", PARCELS, ids=PARCEL_NAMES)
def test_a_mirror_image_is_of_the_same_kind_and_comes_back(parcel):
    other = PARCELS[PARCEL_NAMES.index(mirror_of(parcel.name))]

    assert other.kind == parcel.kind
    assert {parcel.side, other.side} in ({"left", "right"}, {"midline"})
    assert mirror_of(other.name) == parcel.name


def test_families_divide_structures_with_two_sides():
    assert {parcel.family for parcel in PARCELS} == set(FAMILIES)
    for kinds in FAMILIES.values():
        assert set(kinds) <= set(BILATERAL)


def test_lobes_divide_the_cortex():
    kinds = [kind for members in LOBES.values() for kind in members]

    assert sorted(kinds) == sorted(DKT31.values())


def test_regions_are_made_of_several_parcels_and_named_by_no_parcel():
    for name, kinds in REGIONS.items():
        assert name not in PARCEL_KINDS
        assert len(set(kinds)) == len(kinds) > 1
        assert set(kinds) <= set(PARCEL_KINDS)


def test_parcels_of_a_kind_are_found_on_both_sides_in_order():
    assert parcels_of(("insula", "cuneus")) == (
        "left-cuneus",
        "left-insula",
        "right-cuneus",
        "right-insula",
    )
