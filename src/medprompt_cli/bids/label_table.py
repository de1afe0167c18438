"""What the voxel values of a dseg mean: name, abbreviation and colour of every id."""

from __future__ import annotations

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, Structure

DISPLAY: dict[str, tuple[str, str]] = {
    "cerebral-white-matter": ("CWM", "#F5F5F5"),
    "cerebral-cortex": ("CTX", "#CD3E4E"),
    "lateral-ventricle": ("LV", "#781286"),
    "inferior-lateral-ventricle": ("ILV", "#C43AFA"),
    "cerebellar-white-matter": ("CBWM", "#DCF8A4"),
    "cerebellar-cortex": ("CBCTX", "#E69422"),
    "thalamus": ("TH", "#00760E"),
    "caudate": ("CAU", "#7ABADC"),
    "putamen": ("PUT", "#EC0DB0"),
    "pallidum": ("PAL", "#0C30FF"),
    "third-ventricle": ("V3", "#CCB68E"),
    "fourth-ventricle": ("V4", "#2ACCA4"),
    "brainstem": ("BS", "#779FB0"),
    "hippocampus": ("HIP", "#DCD814"),
    "amygdala": ("AMY", "#67FFFF"),
    "csf": ("CSF", "#3C3C3C"),
    "accumbens": ("ACC", "#FFA500"),
    "ventral-diencephalon": ("VDC", "#A52A2A"),
}
"""Abbreviation and colour of each kind. Source of the colours: FreeSurferColorLUT.txt,
left side; both sides share one."""

COLUMNS = ("index", "name", "abbreviation", "color")
"""Source: BIDS, common image-derived labels."""


def label_table() -> str:
    """The `seg-medprompt_dseg.tsv` of every base structure, background first."""
    rows = [COLUMNS, ("0", "background", "BG", "#000000")]
    rows += [_row(structure) for structure in BASE_STRUCTURES]
    return "".join("\t".join(row) + "\n" for row in rows)


def _row(structure: Structure) -> tuple[str, str, str, str]:
    abbreviation, color = DISPLAY[structure.kind]
    side = "" if structure.side == "midline" else structure.side[0].upper() + "-"
    return str(structure.index), structure.name, side + abbreviation, color
