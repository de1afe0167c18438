"""Masks that are there already: found, sorted into cases, and asked what they hold."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from medprompt_cli.bids.byte_source import check_is_file
from medprompt_cli.bids.derivatives import (
    PARCELLATION,
    SEGMENTATION,
    label_entity,
    read_description,
)
from medprompt_cli.bids.entities import DIFFUSION_SUFFIXES, SCAN_SUFFIXES, build_name
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.image_folder import labelled_entry, named_entry, unique_labels
from medprompt_cli.bids.images import is_image_name
from medprompt_cli.bids.listing import stem_of
from medprompt_cli.domain.anatomy import BASE_NAMES, GROUPS, LESIONS
from medprompt_cli.domain.parcels import PARCEL_NAMES
from medprompt_cli.errors import InputError

DSEG, MASK = "dseg", "mask"

_NAME_OF = {
    label_entity(name): name for name in (*BASE_NAMES, *PARCEL_NAMES, *GROUPS, *LESIONS)
}
"""Names of the vocabulary by how a `label` entity spells them."""

_OWN_SEGS = frozenset({SEGMENTATION, PARCELLATION})
_FOLLOWED_SEGS = frozenset({"LesionIds", "SignalChange"})
"""Label maps that `medprompt longitudinal` makes of masks: not measured a second time."""

_SUFFIXES = sorted((*SCAN_SUFFIXES, *DIFFUSION_SUFFIXES), key=len, reverse=True)
_KINDS = re.compile(f"(.*?)((?:{'|'.join(_SUFFIXES)})+)")


@dataclass(frozen=True)
class MaskFile:
    """A file with regions: a label map, or one mask.

    Attributes:
        entry: What its name says.
        sidecar: What the JSON file beside it says; empty without one.
    """

    entry: ImageEntry
    sidecar: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The file."""
        return self.entry.path

    @property
    def is_own(self) -> bool:
        """Whether medprompt wrote it, and says what became of every target."""
        return isinstance(self.sidecar.get("Targets"), dict) and "PlanHash" in self.sidecar

    @property
    def region(self) -> str | None:
        """Of a mask, the region it is of; None of a label map."""
        if self.entry.suffix != MASK:
            return None
        if self.is_own:
            return next(iter(self.sidecar["Targets"]))
        for key in ("label", "desc"):
            if value := self.entry.entities.get(key):
                return _NAME_OF.get(value, value)
        return MASK

    def tables(self, root: Path) -> list[Path]:
        """Where a table of its labels may lie, the nearest first."""
        seg = self.entry.entities.get("seg")
        beside = self.path.with_name(f"{stem_of(self.path.name)}.tsv")
        shared = [root / f"seg-{seg}_dseg.tsv", root / "dseg.tsv"] if seg else []
        return [beside, *shared]


@dataclass(frozen=True)
class MaskCase:
    """The masks of one image, or of several that were read together.

    Attributes:
        name: As `medprompt segment` names the case.
        files: In the order of their names.
    """

    name: str
    files: tuple[MaskFile, ...]

    @property
    def entry(self) -> ImageEntry:
        """Whose masks they are."""
        return self.files[0].entry


def find_masks(source: Path) -> list[MaskCase]:
    """Find the masks of a file or a folder, case by case.

    Of a folder files named dseg or mask, as BIDS names them, but for those that say what
    became of lesions between visits; all images where none is named so.

    Raises:
        InputError: If there is none.
    """
    if not source.is_dir():
        check_is_file(source)
        paths = [source] if is_image_name(source.name) else []
    else:
        paths = sorted(_images(source))
    entries = [named_entry(path) for path in paths]
    named = [e for e in entries if e is not None and e.suffix in {DSEG, MASK}]
    if source.is_dir():
        named = [e for e in named if e.entities.get("seg") not in _FOLLOWED_SEGS]
    found = named or list(_bare(source, paths))
    if not found:
        raise InputError(
            f"{source} holds no mask: no NIfTI or MGH file.",
            remedy="Give a label map, a mask, or a folder of them.",
            code="no-images",
        )
    cases: dict[str, list[MaskFile]] = {}
    for entry in found:
        cases.setdefault(_case_name(entry), []).append(MaskFile(entry, _sidecar(entry.path)))
    return [MaskCase(name, tuple(files)) for name, files in cases.items()]


def _images(root: Path) -> Iterable[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in names if is_image_name(name))


def _bare(source: Path, paths: list[Path]) -> Iterable[ImageEntry]:
    """Files whose names say nothing of what they are: each a subject of its own."""
    root = source if source.is_dir() else source.parent
    stems = [path.relative_to(root).with_name(stem_of(path.name)).as_posix() for path in paths]
    for path, label in zip(paths, unique_labels(stems), strict=True):
        yield named_entry(path) or labelled_entry(path, f"sub-{label}")


def _case_name(entry: ImageEntry) -> str:
    """The name of the image that the masks are of, if they say it, else their own."""
    entities = {k: v for k, v in entry.entities.items() if k != "label"}
    if entities.get("seg") in _OWN_SEGS or entry.suffix == MASK:
        entities.pop("seg", None)
    suffix = entry.suffix or "image"
    described = _KINDS.fullmatch(entities.get("desc", ""))
    if suffix in {DSEG, MASK} and described:
        before, suffix = described.groups()
        entities.pop("desc")
        entities |= {"desc": before} if before else {}
        if entities.get("space") == "orig":
            entities.pop("space")
    return build_name(entities, suffix, "")


def _sidecar(path: Path) -> Mapping[str, Any]:
    """The JSON file beside an image; empty if there is none.

    Raises:
        InputError: If it cannot be read.
    """
    beside = path.with_name(f"{stem_of(path.name)}.json")
    try:
        content = json.loads(beside.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(
            f"{beside} cannot be read: {error}.",
            remedy="Correct it, or move it away.",
            code="bad-sidecar",
        ) from error
    return content if isinstance(content, dict) else {}


def source_paths(root: Path, uris: Iterable[str]) -> list[Path]:
    """The files behind the BIDS URIs and file URIs of a derivative dataset.

    Args:
        root: The dataset, whose description links others by name.
        uris: As its sidecars have them under `Sources`.
    """
    links = (read_description(root) or {}).get("DatasetLinks", {})
    found = []
    for uri in uris:
        if uri.startswith("bids:"):
            _, name, inside = uri.split(":", 2)
            found.append(root / _path(str(links.get(name, ""))) / _path(inside))
        else:
            found.append(Path(_path(urlsplit(uri).path)))
    return found


def _path(quoted: str) -> str:
    """A path out of a URI, bytes that are no UTF-8 included."""
    return unquote(quoted, errors="surrogateescape")
