"""The filter files of BIDS Apps: which scans are wanted, by their entities."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from medprompt_cli.bids.entities import ENTITY_ORDER, INDEX_ENTITIES
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.errors import InputError

SHORT_NAMES: Mapping[str, str] = {
    "subject": "sub",
    "session": "ses",
    "acquisition": "acq",
    "ceagent": "ce",
    "reconstruction": "rec",
    "direction": "dir",
    "inversion": "inv",
    "description": "desc",
    "resolution": "res",
    "density": "den",
}
"""Entities that a query spells out. Source: PyBIDS, bids.json."""

SCAN_DATATYPES = frozenset({"anat", "ct"})
"""Queries of another datatype say nothing of scans of anatomy and are passed over."""

_NONE = frozenset({"query.none"})
_ANY = frozenset({"*", "query.any", "query.optional", "query.required"})
_REMEDY = 'Write it as in {"t1w": {"datatype": "anat", "suffix": "T1w", "acquisition": null}}.'

Query = Mapping[str, object]


@dataclass(frozen=True)
class ScanFilter:
    """Which scans are wanted: those that any one query describes.

    Attributes:
        queries: By entity, spelt as in file names, or `suffix`: the values allowed.
    """

    queries: tuple[Query, ...]

    @property
    def text(self) -> str:
        """The queries as one line; equal filters have equal lines."""
        return json.dumps(self.queries, sort_keys=True, ensure_ascii=False)

    def among(self, images: Iterable[ImageEntry]) -> tuple[ImageEntry, ...]:
        """The images that are wanted."""
        return tuple(i for i in images if any(_fits(i, query) for query in self.queries))


def read_filter(path: Path) -> ScanFilter:
    """Read a filter file.

    Raises:
        InputError: If it cannot be read, or asks by what no file name holds.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror or error}")
    except ValueError as error:
        _refuse(path, f"is no JSON: {error}")
    if not isinstance(content, dict) or not all(isinstance(q, dict) for q in content.values()):
        _refuse(path, "does not hold an object of queries")
    queries = [_short(path, query) for query in content.values() if _is_of_scans(query)]
    if not queries:
        _refuse(path, f"holds no query with datatype {' or '.join(sorted(SCAN_DATATYPES))}")
    return ScanFilter(tuple(queries))


def _is_of_scans(query: Query) -> bool:
    datatype = query.get("datatype")
    asked = datatype if isinstance(datatype, list) else [datatype or "anat"]
    return bool(SCAN_DATATYPES.intersection(map(str, asked)))


def _short(path: Path, query: Query) -> Query:
    """A query with entities spelt as in file names."""
    named = {}
    for key, value in query.items():
        if key in {"datatype", "extension", "scope"}:
            continue
        name = SHORT_NAMES.get(key, key)
        if name not in ENTITY_ORDER and name != "suffix":
            _refuse(path, f"asks by {key!r}, which is no entity of BIDS")
        if isinstance(value, dict) or (isinstance(value, list) and not value):
            _refuse(path, f"asks for {key!r} to be {json.dumps(value)}")
        named[name] = value
    return named


def _fits(image: ImageEntry, query: Query) -> bool:
    held = {
        **image.entities,
        "sub": image.subject,
        "ses": image.session,
        "suffix": image.suffix,
    }
    return all(_allows(key, value, held.get(key)) for key, value in query.items())


def _allows(key: str, wanted: object, held: str | None) -> bool:
    """Whether a value is one of those wanted; null wants that there is none."""
    if isinstance(wanted, list):
        return any(_allows(key, one, held) for one in wanted)
    text = "" if wanted is None else str(wanted)
    if wanted is None or text.lower() in _NONE:
        return held is None
    if text.lower() in _ANY:
        return held is not None or text.lower() == "query.optional"
    if held is None:
        return False
    mine, asked = held.removeprefix(f"{key}-"), text.removeprefix(f"{key}-")
    if key in INDEX_ENTITIES and mine.isdigit() and asked.isdigit():
        return int(mine) == int(asked)
    return mine == asked


def _refuse(path: Path, why: str) -> NoReturn:
    raise InputError(f"The filter file {path} {why}.", remedy=_REMEDY, code="bad-filter")
