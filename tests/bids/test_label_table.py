"""The table that says what the values of a dseg mean."""

from __future__ import annotations

import re

import pytest

from medprompt_cli.bids.label_table import label_table, parcel_table
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.parcels import PARCEL_INDEX

ROWS = [line.split("\t") for line in label_table().splitlines()]
PARCEL_ROWS = [line.split("\t") for line in parcel_table().splitlines()]
BOTH = pytest.mark.parametrize("rows", [ROWS, PARCEL_ROWS], ids=["structures", "parcels"])


@pytest.mark.parametrize(
    ("rows", "index"),
    [(ROWS, BASE_INDEX), (PARCEL_ROWS, PARCEL_INDEX)],
    ids=["structures", "parcels"],
)
def test_every_region_has_a_row_and_nothing_else(rows, index):
    assert rows[0] == ["index", "name", "abbreviation", "color"]
    assert rows[1] == ["0", "background", "BG", "#000000"]
    assert {row[1]: int(row[0]) for row in rows[2:]} == index
    assert [int(row[0]) for row in rows[1:]] == sorted(int(row[0]) for row in rows[1:])


@BOTH
def test_abbreviations_are_unique_and_carry_the_side(rows):
    assert len({row[2] for row in rows}) == len(rows)
    for _, name, abbreviation, _ in rows[2:]:
        assert abbreviation.startswith("L-") == name.startswith("left-")
        assert abbreviation.startswith("R-") == name.startswith("right-")


def test_colours_are_freesurfers():
    colours = {row[1]: row[3] for row in ROWS[1:]}

    assert colours["left-hippocampus"] == colours["right-hippocampus"] == "#DCD814"
    assert colours["brainstem"] == "#779FB0"
    assert colours["third-ventricle"] == "#CCB68E"


def test_colours_of_parcels_are_freesurfers():
    colours = {row[1]: row[3] for row in PARCEL_ROWS[1:]}

    assert colours["left-superior-frontal"] == colours["right-superior-frontal"] == "#14DCA0"
    assert colours["left-insula"] == "#FFC020"


@BOTH
def test_colours_are_six_digits(rows):
    assert all(re.fullmatch(r"#[0-9A-F]{6}", row[3]) for row in rows[1:])
