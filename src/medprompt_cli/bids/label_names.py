"""What the numbers of a label map mean, as tables beside it or lists of a program say."""

from __future__ import annotations

from pathlib import Path

from medprompt_cli.bids.problems import Problem, reason_of
from medprompt_cli.bids.tables import read_table
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.errors import InputError

FREESURFER = "freesurfer"
"""Names FreeSurfer's ids where a table is expected."""

_OTHERS = {
    **{30: "left-vessel", 62: "right-vessel", 72: "fifth-ventricle"},
    **{31: "left-choroid-plexus", 63: "right-choroid-plexus", 85: "optic-chiasm"},
    **{77: "wm-hypointensities", 80: "non-wm-hypointensities"},
    **{251: "cc-posterior", 252: "cc-mid-posterior", 253: "cc-central"},
    **{254: "cc-mid-anterior", 255: "cc-anterior", 258: "head-extra-cerebral"},
    **{1000: "left-cortex-unknown", 2000: "right-cortex-unknown"},
    **{1004: "left-cortex-of-corpus-callosum", 2004: "right-cortex-of-corpus-callosum"},
}
"""Ids of an aseg, aparc+aseg or SynthSeg map that the vocabulary has no name for."""

FREESURFER_NAMES: dict[int, str] = {
    **{index: name for name, index in PARCEL_INDEX.items() if index not in BASE_INDEX.values()},
    **_OTHERS,
    **{index: name for name, index in BASE_INDEX.items()},
}
"""Source: FreeSurferColorLUT.txt; names of the vocabulary where it has one."""

INDEX_COLUMN, NAME_COLUMN = "index", "name"
"""Columns of a table of labels. Source: BIDS, common image-derived labels."""


def read_names(table: str | Path) -> dict[int, str]:
    """Name of every id, by a table.

    Args:
        table: `freesurfer`; a BIDS table with the columns `index` and `name`; or a list in the
            form of FreeSurferColorLUT.txt, an id and a name on each line. The background, id
            0, is left out.

    Raises:
        InputError: If the file cannot be read, names an id twice, or gives two ids one name.
    """
    if str(table).lower() == FREESURFER:
        return dict(FREESURFER_NAMES)
    path = Path(table)
    pairs = _tsv_pairs(path) if path.suffix.lower() == ".tsv" else _lut_pairs(path)
    names: dict[int, str] = {}
    for index, name in pairs:
        if not index:
            continue
        if index in names:
            raise _bad(path, f"names the id {index} twice, {names[index]!r} and {name!r}")
        if name in names.values():
            raise _bad(path, f"gives two ids the name {name!r}")
        names[index] = name
    if not names:
        raise _bad(path, "names no id above 0")
    return names


def _tsv_pairs(path: Path) -> list[tuple[int, str]]:
    problems: list[Problem] = []
    table = read_table(path, problems)
    if table is None or problems:
        raise _bad(path, f"cannot be read. {problems[0].message}")
    for column in (INDEX_COLUMN, NAME_COLUMN):
        if column not in table.columns:
            raise _bad(path, f"has no column {column!r}: only {', '.join(table.columns)}")
    return [
        (_index(path, line, row[INDEX_COLUMN]), row[NAME_COLUMN] or f"label-{row['index']}")
        for line, row in table.rows
    ]


def _lut_pairs(path: Path) -> list[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise _bad(path, f"cannot be read. {reason_of(path, error)}") from error
    except UnicodeDecodeError as error:
        raise _bad(path, f"is not UTF-8 text: byte {error.start} is not") from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) == 1:
            raise _bad(path, f"has an id and no name on line {number}: {words[0]!r}")
        pairs.append((_index(path, number, words[0]), words[1]))
    return pairs


def _index(path: Path, line: int, text: str | None) -> int:
    if text is None or not text.strip().isdecimal():
        raise _bad(path, f"has {text!r} where line {line} should have an id")
    return int(text)


def _bad(path: Path, what: str) -> InputError:
    return InputError(
        f"{path} {what.removesuffix('.')}.",
        remedy="Give a table with tabs and the columns index and name, a list like "
        f"FreeSurferColorLUT.txt, or the word {FREESURFER}.",
        code="bad-table",
    )
