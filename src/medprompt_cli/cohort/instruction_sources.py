"""Which images have masks that instructions can be made from, and where all of it lies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.derivatives import (
    DESCRIPTION,
    read_description,
    source_uri,
    unit_name,
)
from medprompt_cli.bids.entities import build_name, parse_name
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.image_folder import named_entry
from medprompt_cli.bids.mask_files import (
    DSEG,
    MASK,
    MaskCase,
    MaskFile,
    find_masks,
    source_paths,
)
from medprompt_cli.errors import InputError, MedpromptError
from medprompt_cli.synthesis.instructions.known import Dropped

DERIVATIVES = "derivatives"


@dataclass(frozen=True)
class MaskedImage:
    """An image, or several that are read together, and the masks of it.

    Attributes:
        name: Of the case.
        masks: Its files.
        entry: What masks made from it are named after.
        images: The images; on the grid of the first lie the masks.
    """

    name: str
    masks: MaskCase
    entry: ImageEntry
    images: tuple[ImageEntry, ...]


@dataclass
class Links:
    """The datasets that files lie in, by names that BIDS URIs call them by.

    Attributes:
        out: The folder whose description holds the links.
        roots: By name the folder of a dataset.
    """

    out: Path
    roots: dict[str, Path] = field(default_factory=dict)

    def uri(self, path: Path) -> str:
        """The URI of a file; its dataset is linked if it was not."""
        root = dataset_root(path)
        if root is None:
            return path.absolute().as_uri()
        name = next((name for name, known in self.roots.items() if known == root), None)
        if name is None:
            name = f"source{len(self.roots) + 1 if self.roots else ''}"
            self.roots[name] = root
        return source_uri(path, root, name)

    def targets(self) -> dict[str, str]:
        """By name where each dataset is, seen from the folder."""
        start = self.out.resolve()
        return {
            name: quote(Path(os.path.relpath(root.resolve(), start)).as_posix())
            for name, root in self.roots.items()
        }


def dataset_root(path: Path) -> Path | None:
    """The nearest folder above a file that has a dataset description."""
    for above in path.parents:
        if (above / DESCRIPTION).is_file():
            return above
    return None


def find_masked_images(source: Path) -> tuple[list[MaskedImage], list[Dropped]]:
    """Every image below a folder that has masks, by the names of the files.

    Args:
        source: A BIDS dataset, its derivatives, or an output folder of medprompt.

    Returns:
        The images, in the order of their names, and the masks that have none.

    Raises:
        InputError: If it is no folder, or holds no file named mask or dseg.
    """
    if not source.is_dir():
        raise InputError(
            f"{source} is no folder.",
            remedy="Give a BIDS dataset with masks, or an output folder of medprompt.",
            code="not-a-folder",
        )
    cases = _by_image(case for case in find_masks(source) if case.entry.suffix in {DSEG, MASK})
    if not cases:
        raise InputError(
            f"{source} holds no file that is named mask or dseg.",
            remedy="Name masks as BIDS derivatives do, such as"
            " sub-01_space-orig_label-Tumor_desc-FLAIR_mask.nii.gz.",
            code="no-masks",
        )
    finder = _Finder(source)
    found: list[MaskedImage] = []
    lost: list[Dropped] = []
    for case in cases:
        images = finder.images(case)
        if images:
            found.append(MaskedImage(case.name, case, _entry(case, images), images))
        else:
            lost.append(Dropped(case.name, "image", "", None, "no-image", _shown(case)))
    return found, lost


def _by_image(cases: Iterable[MaskCase]) -> list[MaskCase]:
    """Cases of one image as one, whatever segmentation the names of their files say."""
    files: dict[str, list[MaskFile]] = {}
    for case in cases:
        parsed = parse_name(case.name)
        entities = {key: value for key, value in parsed.entities.items() if key != "seg"}
        name = build_name(entities, parsed.suffix or "image", "")
        files.setdefault(name, []).extend(case.files)
    return [MaskCase(name, tuple(found)) for name, found in sorted(files.items())]


def _shown(case: MaskCase) -> str:
    return ", ".join(file.path.name for file in case.files)


def _entry(case: MaskCase, images: Sequence[ImageEntry]) -> ImageEntry:
    """The name of a case as an entry: masks of it are named as medprompt names them."""
    parsed = parse_name(case.name)
    session = parsed.entities.get("ses")
    return ImageEntry(
        images[0].path,
        case.entry.subject,
        None if session is None else f"ses-{session}",
        parsed.suffix,
        parsed.entities,
    )


class _Finder:
    """Finds the images of masks: by what sidecars say, or by the name."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self._by_name: dict[str, ImageEntry] | None = None

    def images(self, case: MaskCase) -> tuple[ImageEntry, ...]:
        """The images of a case; none if one of them is not there."""
        for file in case.files:
            uris = file.sidecar.get("Sources", ()) if file.is_own else ()
            paths = source_paths(dataset_root(file.path) or self.source, uris)
            if paths and all(path.exists() for path in paths):
                return tuple(_named(path.resolve(), case) for path in paths)
        entry = self.by_name.get(case.name)
        return () if entry is None else (entry,)

    @property
    def by_name(self) -> Mapping[str, ImageEntry]:
        """Every image of the datasets that the masks may be of."""
        if self._by_name is None:
            self._by_name = {
                unit_name(entry): entry for root in self._roots() for entry in _images(root)
            }
        return self._by_name

    def _roots(self) -> Iterator[Path]:
        yield self.source
        yield from linked_roots(self.source)
        parts = self.source.resolve().parts
        if DERIVATIVES in parts:
            yield Path(*parts[: parts.index(DERIVATIVES)])


def linked_roots(root: Path) -> Iterator[Path]:
    """The datasets that the description of another links."""
    links = (read_description(root) or {}).get("DatasetLinks", {})
    for target in links.values() if isinstance(links, dict) else ():
        path = root / str(target)
        if path.is_dir():
            yield path.resolve()


def _images(root: Path) -> Sequence[ImageEntry]:
    try:
        return open_dataset(root).images
    except MedpromptError:
        return ()  # masks whose image is not found are counted


def _named(path: Path, case: MaskCase) -> ImageEntry:
    subject, session = case.entry.subject, case.entry.session
    known = named_entry(path)
    return known or ImageEntry(path, subject, session, None, case.entry.entities)


def licence_of(root: Path) -> str:
    """The licence of a dataset as its description states it, or `not stated`.

    What a dataset does not say itself, the one it lies in or is derived from may.
    """
    around = dataset_root(root)
    others = (*((around,) if around else ()), *linked_roots(root))
    for folder in (root, *others):
        stated = (read_description(folder) or {}).get("License")
        if stated:
            return str(stated) + ("" if folder == root else f", as stated for {folder.name}")
    return "not stated"
