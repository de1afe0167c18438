"""The table that says what the values of a dseg mean."""

from __future__ import annotations

import re

from medprompt_cli.bids.label_table import label_table
from medprompt_cli.domain.anatomy import BASE_INDEX

ROWS = [line.split("\t") for line in label_table().splitlines()]


def test_every_base_structure_has_a_row_and_nothing_else():
    assert ROWS[0] == ["index", "name", "abbreviation", "color"]
    assert ROWS[1] == ["0", "background", "BG", "#000000"]
    assert {row[1]: int(row[0]) for row in ROWS[2:]} == BASE_INDEX


def test_abbreviations_are_unique_and_carry_the_side():
    assert len({row[2] for row in ROWS}) == len(ROWS)
    for _, name, abbreviation, _ in ROWS[2:]:
        assert abbreviation.startswith("L-") == name.startswith("left-")
        assert abbreviation.startswith("R-") == name.startswith("right-")


def test_colours_are_freesurfers():
    colours = {row[1]: row[3] for row in ROWS[1:]}

    assert all(re.fullmatch(r"#[0-9A-F]{6}", colour) for colour in colours.values())
    assert colours["left-hippocampus"] == colours["right-hippocampus"] == "#DCD814"
    assert colours["brainstem"] == "#779FB0"
    assert colours["third-ventricle"] == "#CCB68E"
