"""What the voxel values of a dseg mean: name, abbreviation and colour of every id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, Structure
from medprompt_cli.domain.parcels import HEMISPHERE, PARCELS, Parcel

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

PARCEL_DISPLAY: dict[str, tuple[str, str]] = {
    "caudal-anterior-cingulate": ("CAC", "#7D64A0"),
    "caudal-middle-frontal": ("CMF", "#641900"),
    "cuneus": ("CUN", "#DC1464"),
    "entorhinal": ("ENT", "#DC140A"),
    "fusiform": ("FUS", "#B4DC8C"),
    "inferior-parietal": ("IP", "#DC3CDC"),
    "inferior-temporal": ("IT", "#B42878"),
    "isthmus-cingulate": ("IC", "#8C148C"),
    "lateral-occipital": ("LOC", "#141E8C"),
    "lateral-orbitofrontal": ("LOF", "#234B32"),
    "lingual": ("LIN", "#E18C8C"),
    "medial-orbitofrontal": ("MOF", "#C8234B"),
    "middle-temporal": ("MT", "#A06432"),
    "parahippocampal": ("PH", "#14DC3C"),
    "paracentral": ("PARC", "#3CDC3C"),
    "pars-opercularis": ("POP", "#DCB48C"),
    "pars-orbitalis": ("POR", "#146432"),
    "pars-triangularis": ("PTR", "#DC3C14"),
    "pericalcarine": ("PCAL", "#78643C"),
    "postcentral": ("POC", "#DC1414"),
    "posterior-cingulate": ("PC", "#DCB4DC"),
    "precentral": ("PREC", "#3C14DC"),
    "precuneus": ("PCUN", "#A08CB4"),
    "rostral-anterior-cingulate": ("RAC", "#50148C"),
    "rostral-middle-frontal": ("RMF", "#4B327D"),
    "superior-frontal": ("SF", "#14DCA0"),
    "superior-parietal": ("SP", "#14B48C"),
    "superior-temporal": ("ST", "#8CDCDC"),
    "supramarginal": ("SM", "#50A014"),
    "transverse-temporal": ("TT", "#9696C8"),
    "insula": ("INS", "#FFC020"),
    HEMISPHERE: ("CBHEM", "#009400"),
    "anterior-vermis": ("AVER", "#00CC00"),
    "superior-posterior-vermis": ("SPVER", "#6666FF"),
    "inferior-posterior-vermis": ("IPVER", "#00FFFF"),
}
"""Abbreviation and colour of each kind of parcel. Source of the colours:
FreeSurferColorLUT.txt, left side; of the vermis, which it does not hold, BrainCOLOR."""

COLUMNS = ("index", "name", "abbreviation", "color")
"""Source: BIDS, common image-derived labels."""


def label_table() -> str:
    """The `seg-medprompt_dseg.tsv` of every base structure, background first."""
    return _table(BASE_STRUCTURES, DISPLAY)


def parcel_table() -> str:
    """The `seg-dkt_dseg.tsv` of every parcel, background first."""
    return _table(PARCELS, PARCEL_DISPLAY)


def _table(
    regions: Iterable[Structure | Parcel], display: Mapping[str, tuple[str, str]]
) -> str:
    rows = [COLUMNS, ("0", "background", "BG", "#000000")]
    for region in sorted(regions, key=lambda region: region.index):
        abbreviation, color = display[region.kind]
        side = "" if region.side == "midline" else region.side[0].upper() + "-"
        rows.append((str(region.index), region.name, side + abbreviation, color))
    return "".join("\t".join(row) + "\n" for row in rows)
