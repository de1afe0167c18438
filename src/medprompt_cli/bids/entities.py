"""BIDS file names: taken apart, checked, and put together in the standard's order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from medprompt_cli.errors import InputError

ENTITY_ORDER: tuple[str, ...] = (
    "sub",
    "tpl",
    "ses",
    "cohort",
    "sample",
    "task",
    "tracksys",
    "acq",
    "nuc",
    "voi",
    "ce",
    "trc",
    "stain",
    "rec",
    "dir",
    "run",
    "mod",
    "echo",
    "flip",
    "inv",
    "mt",
    "part",
    "proc",
    "hemi",
    "space",
    "split",
    "recording",
    "chunk",
    "atlas",
    "seg",
    "scale",
    "res",
    "den",
    "label",
    "desc",
)
"""Every entity, in the order of a file name. Source: BIDS 1.11.2, entities table."""

INDEX_ENTITIES = frozenset({"run", "echo", "flip", "inv", "split", "chunk"})
"""Entities whose value is a number."""

SCAN_SUFFIXES: tuple[str, ...] = (
    *("T1w", "T2w", "PDw", "T2starw", "FLAIR", "inplaneT1", "inplaneT2", "PDT2"),
    *("angio", "T2star", "FLASH", "PD", "UNIT1", "T1rho", "T1map", "T2map"),
    *("T2starmap", "R1map", "R2map", "R2starmap", "PDmap", "MTRmap", "MTsat"),
    *("MWFmap", "MTVmap", "Chimap", "S0map", "M0map", "MEGRE", "MESE", "VFA"),
    *("IRT1", "MP2RAGE", "MPM", "MTS", "MTR", "ct"),
)
"""What a scan's suffix may be. Source: BIDS 1.11.2, anatomy imaging; ct: BEP 024."""

DIFFUSION_SUFFIXES: tuple[str, ...] = ("dwi", "trace", "ADC")
"""What the suffix of a diffusion image may be that one volume holds: diffusion-weighted, the
mean over directions, the apparent diffusion coefficient. Source: BIDS 1.11.2, dwi."""

LABEL_SUFFIXES = frozenset({"defacemask", "mask", "dseg", "probseg"})
"""Suffixes of regions drawn on a scan: found beside scans, and no scans themselves."""

SHORT_SUFFIXES = {"t1": "T1w", "t2": "T2w", "pd": "PDw", "t1w": "T1w", "t2w": "T2w"}
"""Spellings outside BIDS whose meaning is beyond doubt, in lower case."""

LABEL = re.compile(r"[0-9a-zA-Z]+")
"""A subject or session without its prefix."""

_VALUE = re.compile(r"[0-9a-zA-Z+]+")
_NUMBER = re.compile(r"[0-9]+")
_RANK = {entity: rank for rank, entity in enumerate(ENTITY_ORDER)}
_KNOWN_SUFFIXES = {
    **{suffix.lower(): suffix for suffix in (*SCAN_SUFFIXES, *DIFFUSION_SUFFIXES)},
    **{suffix.lower(): suffix for suffix in LABEL_SUFFIXES},
    **SHORT_SUFFIXES,
}


@dataclass(frozen=True)
class ParsedName:
    """What a file name says.

    Attributes:
        entities: Value of every entity, without its key: {'sub': '01', 'run': '2'}.
        suffix: The last part, e.g. `T1w`; None if the name ends in an entity.
        fault: What makes it no BIDS name, as the end of a sentence; '' if nothing.
        disorder: Which entity stands in the wrong place, likewise.
    """

    entities: Mapping[str, str]
    suffix: str | None
    fault: str = ""
    disorder: str = ""


def parse_name(stem: str) -> ParsedName:
    """Take a file name without its extension apart; the first fault is kept."""
    *pairs, last = stem.split("_")
    entities: dict[str, str] = {}
    fault = ""
    for pair in pairs:
        fault = fault or _pair_fault(pair, entities)
        key, dash, value = pair.partition("-")
        if dash:
            entities.setdefault(key, value)
    if "-" in last:
        return ParsedName(entities, None, fault or f"ends in {last!r}, not in a suffix")
    if not _VALUE.fullmatch(last):
        fault = fault or f"has the suffix {last!r}, which is not letters and digits"
    return ParsedName(entities, last, fault, "" if fault else _disorder(tuple(entities)))


def _pair_fault(pair: str, before: Mapping[str, str]) -> str:
    """What is wrong with one `key-value` after those `before`; '' if nothing."""
    key, dash, value = pair.partition("-")
    if not dash:
        return f"has {pair!r} where key-value is expected"
    if key not in _RANK:
        return f"has {pair!r}, and {key!r} is no entity of BIDS"
    if key in before:
        return f"has {key!r} twice"
    fault = _value_fault(key, value)
    return f"has {pair!r}, and {fault}" if fault else ""


def _disorder(keys: tuple[str, ...]) -> str:
    for before, after in pairwise(keys):
        if _RANK[before] > _RANK[after]:
            return f"has {before!r} before {after!r}"
    return ""


def _value_fault(key: str, value: str) -> str:
    if key in INDEX_ENTITIES:
        return "" if _NUMBER.fullmatch(value) else f"{value!r} is not a number"
    pattern = LABEL if key in {"sub", "ses"} else _VALUE
    return "" if pattern.fullmatch(value) else f"{value!r} is not letters and digits"


def build_name(entities: Mapping[str, str], suffix: str, extension: str) -> str:
    """Put a file name together, its entities in the standard's order.

    Args:
        entities: Value of every entity, with or without its key in front:
            both {'sub': '01'} and {'sub': 'sub-01'} give `sub-01`.
        suffix: The last part, e.g. `dseg`.
        extension: With its dot, e.g. `.nii.gz`.

    Raises:
        InputError: If an entity is unknown to BIDS or a value is not allowed.
    """
    parts = []
    for key in sorted(entities, key=lambda key: _RANK.get(key, -1)):
        value = entities[key].removeprefix(f"{key}-")
        fault = "it is no entity of BIDS" if key not in _RANK else _value_fault(key, value)
        if fault:
            raise InputError(
                f"{key}-{value} cannot be part of a BIDS name: {fault}.",
                remedy="Use a BIDS entity, and letters and digits for its value.",
                code="bad-label",
            )
        parts.append(f"{key}-{value}")
    return "_".join([*parts, suffix]) + extension


def mended_name(stem: str, visit: str, run: int | None = None) -> str:
    """A BIDS name for a scan whose own is none; what cannot be read of it becomes `acq`.

    >>> mended_name("sub-01_old-scan_T1w", "sub-01"), mended_name("T1w", "sub-01_ses-1")
    ('sub-01_acq-oldscan_T1w', 'sub-01_ses-1_T1w')

    Args:
        stem: The name, without its extension.
        visit: What all names of its folder begin with.
        run: Its number in the new name; None for that of the old one, if it has any.
    """
    *parts, last = stem.split("_")
    suffix = guess_suffix(last)
    entities = dict(pair.split("-") for pair in visit.split("_"))
    rest: list[str] = []
    for part in parts if suffix else [*parts, last]:
        key, _, value = part.partition("-")
        if key in {"sub", "ses"} and LABEL.fullmatch(value):
            continue
        if _pair_fault(part, entities) or key == "acq":
            rest.append(value if key == "acq" else part)
        else:
            entities[key] = value
    kept = re.sub(r"[^0-9a-zA-Z]", "", "".join(rest))
    entities |= {"acq": kept} if kept else {}
    entities |= {} if run is None else {"run": str(run)}
    return build_name(entities, suffix or "T1w", "")


def label_of(text: str, key: str) -> str | None:
    """`text` as a full label, e.g. `sub-01` for `01` and `sub-01`; None if malformed."""
    value = text.removeprefix(f"{key}-")
    return f"{key}-{value}" if LABEL.fullmatch(value) else None


def guess_suffix(stem: str) -> str | None:
    """The suffix that a name outside BIDS ends in: `study1_T1W` gives `T1w`."""
    return _KNOWN_SUFFIXES.get(stem.rpartition("_")[2].lower())
