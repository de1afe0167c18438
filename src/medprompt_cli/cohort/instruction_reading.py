"""The masks of an image, read and judged: what is known of its lesions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medprompt_cli.bids.image_header import ImageHeader
from medprompt_cli.bids.images import is_image_name, read_image
from medprompt_cli.bids.label_names import read_names
from medprompt_cli.bids.mask_files import MaskFile
from medprompt_cli.bids.nifti import read_header, read_labels
from medprompt_cli.bids.parts import part_path, read_part
from medprompt_cli.characterization.places import LOBE
from medprompt_cli.cohort.instruction_places import Anatomy, Reported, pieces_of
from medprompt_cli.cohort.instruction_sources import MaskedImage, dataset_root
from medprompt_cli.domain.anatomy import BASE_NAMES, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.instruction import ANY_LESION
from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.errors import InputError
from medprompt_cli.execution.extent import is_cut, label_extents
from medprompt_cli.measurement.instances import find_instances
from medprompt_cli.synthesis.instructions.known import (
    Dropped,
    Gate,
    KnownImage,
    KnownLesion,
)

SURELY_THERE, SURELY_NOT = 0.9, 0.1
"""Presence of a lesion with voxels, at least, and of one without, at most: what the words
`definitely` and `unlikely` of `domain/certainty.py` begin and end at."""

KINDS: tuple[str, ...] = (
    *("white-matter-hyperintensity", "ms-lesion", "metastasis", "meningioma", "tumor"),
    *("infarct", "hemorrhage", "cyst", "resection-cavity"),
)
"""Lesions that are a kind of their own, and no part of another. A metastasis or a meningioma
is a tumor as well, and named first."""

_BASE = frozenset(BASE_NAMES)
_CORTEX = frozenset(parcel.name for parcel in PARCELS if parcel.family == "cortex")


@dataclass(frozen=True, eq=False)
class Drawn:
    """One lesion of an image, as files have it.

    Attributes:
        mask: Its voxels; none of them if it is not there.
        file: Where it was read.
        presence: As its sidecar says; None if it does not.
        gate: Why nothing can be asked about it; None if something can.
        detail: The same in numbers.
    """

    mask: Mask
    file: MaskFile
    presence: float | None = None
    gate: Gate | None = None
    detail: str = ""


@dataclass
class Read:
    """What the files of an image hold.

    Attributes:
        geometry: Of the image.
        drawn: By the lesion's name.
        anatomy: What says where things are.
        dropped: Files that hold nothing to ask about.
    """

    geometry: Geometry
    drawn: dict[str, Drawn]
    anatomy: Anatomy
    dropped: list[Dropped] = field(default_factory=list)


def read_masks(found: MaskedImage) -> Read:
    """Read the masks and label maps of an image.

    Raises:
        InputError: If a file cannot be read, does not lie on the image's grid, or two that
            others drew hold the same lesion.
    """
    reader = _Reader(found, _geometry(found.images[0].path))
    for file in sorted(found.masks.files, key=lambda file: (file.is_own, str(file.path))):
        reader.take(file)
    reported = _reported(found)
    anatomy = Anatomy(reader.structures, reader.parcels, reported)
    return Read(reader.geometry, reader.drawn, anatomy, reader.dropped)


def known_of(
    found: MaskedImage, read: Read, certain: float, uri: Callable[[Path], str]
) -> tuple[KnownImage, list[Dropped]]:
    """What is known of an image's lesions, and what of it is not to be asked about.

    Args:
        found: The image.
        read: Its masks.
        certain: Probability from which on a finding counts.
        uri: Gives the URI of a file.
    """
    images = tuple(uri(image.path) for image in found.images)
    lesions: dict[str, KnownLesion] = {}
    dropped = list(read.dropped)
    for name, drawn in read.drawn.items():
        if drawn.gate is not None:
            gone = Dropped(found.name, "mask", name, None, drawn.gate, drawn.detail)
            dropped.append(gone)
            continue
        pieces = pieces_of(drawn.mask, read.anatomy, certain)
        lesions[name] = KnownLesion(name, pieces, (uri(drawn.file.path),))
    whole = lesions.get(ANY_LESION)
    if whole is not None and not whole.pieces:
        for name in LESIONS:  # where there is no lesion at all, there is none of any kind
            if name not in read.drawn:
                lesions[name] = KnownLesion(name, (), whole.truth)
    kind, without = _kind(read.drawn)
    image = KnownImage(
        *(found.name, found.entry.subject, found.entry.session, images),
        tuple(lesions[name] for name in LESIONS if name in lesions),
        *(read.anatomy.places, kind, without),
    )
    return image, dropped


def _kind(drawn: Mapping[str, Drawn]) -> tuple[str | None, Gate | None]:
    """The one kind that holds every lesion of an image, or why there is none."""
    for one in drawn.values():
        if one.gate is not None:
            return None, one.gate
    there = {name: one.mask.voxels for name, one in drawn.items() if one.mask.voxels.any()}
    if not there:
        return None, None
    everything = np.any(list(there.values()), axis=0)
    size = np.count_nonzero(everything)
    kinds = [n for n in KINDS if n in there and np.count_nonzero(there[n]) == size]
    if "tumor" in kinds and len(kinds) > 1:
        kinds.remove("tumor")
    if len(kinds) == 1:
        return kinds[0], None
    why: Gate = "several-kinds" if there.keys() & set(KINDS) else "no-kind"
    return None, why


@dataclass
class _Reader:
    """Sorts the regions of an image's files into lesions and anatomy."""

    found: MaskedImage
    geometry: Geometry
    drawn: dict[str, Drawn] = field(default_factory=dict)
    structures: LabelMap | None = None
    parcels: LabelMap | None = None
    dropped: list[Dropped] = field(default_factory=list)

    def take(self, file: MaskFile) -> None:
        """Read one file; those that others drew come before those of medprompt."""
        if (region := file.region) is not None:
            name = _canonical(region)
            if name not in LESIONS:
                self._drop(file, "not-a-lesion")
                return
            labels = self._on_grid(file, read_labels(file.path))
            self._lesion(file, name, labels.voxels > 0)
            return
        labels = self._on_grid(file, read_labels(file.path, _names(file)))
        names = {index: _canonical(name) for index, name in labels.names.items()}
        labels = LabelMap(labels.voxels, self.geometry, names)
        if self.structures is None and _BASE & set(names.values()):
            self.structures = labels
        if self.parcels is None and _CORTEX & set(names.values()):
            self.parcels = labels
        for index, name in names.items():
            if name in LESIONS:
                self._lesion(file, name, labels.voxels == index)

    def _on_grid(self, file: MaskFile, labels: LabelMap) -> LabelMap:
        if not labels.geometry.matches(self.geometry):
            raise InputError(
                f"{file.path} does not lie on the grid of {self.found.images[0].path}.",
                remedy="Resample it by nearest neighbour, or correct its header.",
                code="grid-mismatch",
            )
        return LabelMap(labels.voxels, self.geometry, labels.names)

    def _lesion(self, file: MaskFile, name: str, voxels: np.ndarray) -> None:
        if (other := self.drawn.get(name)) is not None:
            if not file.is_own or other.file.is_own:
                raise InputError(
                    f"{other.file.path} and {file.path} both hold {name} of one image.",
                    remedy="Give a folder with one of the two.",
                    code="name-twice",
                )
            self._drop(file, "superseded")
            return
        mask = Mask(name, voxels, self.geometry)
        told = file.sidecar["Targets"].get(name, {}) if file.is_own else {}
        presence = told.get("Presence")
        gate, detail = _gate(mask, told.get("Status"), presence)
        self.drawn[name] = Drawn(mask, file, presence, gate, detail)

    def _drop(self, file: MaskFile, gate: Gate) -> None:
        self.dropped.append(Dropped(self.found.name, "mask", file.path.name, None, gate))


def _gate(mask: Mask, status: str | None, presence: float | None) -> tuple[Gate | None, str]:
    """Why a lesion is not to be asked about, and that in numbers; None if it may be."""
    there = bool(mask.voxels.any())
    if status == "truncated_fov" or (there and _is_cut(mask)):
        return "truncated", ""
    if status not in {None, "measured", "absent"}:
        return "status", str(status)
    if presence is None:
        return None, ""
    clear = presence >= SURELY_THERE if there else presence <= SURELY_NOT
    return (None, "") if clear else ("presence-unclear", f"presence {presence:.2f}")


def _is_cut(mask: Mask) -> bool:
    """Whether the image ends inside any piece."""
    pieces = find_instances(mask)
    extents = label_extents(pieces.voxels, mask.geometry)
    return any(is_cut([extent], mask.geometry) for extent in extents.values())


def _canonical(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def _names(file: MaskFile) -> dict[int, str] | None:
    root = dataset_root(file.path) or file.path.parent
    table = next((path for path in file.tables(root) if path.is_file()), None)
    return None if table is None else read_names(table)


def _geometry(path: Path) -> Geometry:
    """The grid of an image, by its header alone where it is one file."""
    if not is_image_name(path.name):
        return read_image(path).geometry
    header: ImageHeader = read_header(path)
    return header.geometry


def _reported(found: MaskedImage) -> dict[tuple[str, int], Reported] | None:
    """The lobes that findings name, of the folders that medprompt wrote masks to."""
    own = (dataset_root(file.path) for file in found.masks.files if file.is_own)
    roots = dict.fromkeys(root for root in own if root is not None)
    rows = [row for root in roots for row in _finding_rows(root, found.name)]
    lobes = [row for row in rows if row["feature"] == LOBE]
    return dict(_by_piece(lobes)) if lobes else None


def _finding_rows(root: Path, case: str) -> list[dict[str, object]]:
    if not part_path(root, "findings", case).is_file():
        return []
    return read_part(root, "findings", case).to_pylist()


def _by_piece(
    rows: Sequence[Mapping[str, object]],
) -> Iterator[tuple[tuple[str, int], Reported]]:
    """What is said of pieces; of all of a lesion it is said of its first, if of no other."""
    numbered = {row["region"] for row in rows if row["instance"] is not None}
    for row in rows:
        region, number = str(row["region"]), row["instance"]
        if number is None and row["region"] in numbered:
            continue
        value, probability = row["value"], row["probability"]
        yield (
            (region, int(str(number)) if number is not None else 1),
            Reported(
                None if value is None else str(value),
                None if probability is None else float(str(probability)),
                str(row["status"]),
            ),
        )
