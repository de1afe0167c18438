"""What medprompt writes: names, sidecars and dataset-level files of BIDS derivatives."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import Staged, discard, stage, write_file_if_new
from medprompt_cli.bids.entities import build_name
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.json_files import LOGS, to_json
from medprompt_cli.bids.label_table import label_table, parcel_table
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.errors import UsageError

BIDS_VERSION = "1.11.0"
DESCRIPTION = "dataset_description.json"
SEGMENTATION = "medprompt"
"""Value of the `seg` entity, and the name that marks a folder as ours."""

PARCELLATION = "dkt"
"""Value of the `seg` entity of parcels: most of them follow the DKT protocol."""

IGNORED = (
    f"{LOGS}/\nmeasurements*\nfindings*\nlesions*\n"
    "changes*\nledger*\nmodel*\ntrajectories*\n*_longitudinal.*\n"
    "*_report.*\n*.html\n"
)
"""What BIDS validation is to pass over: records, tables with their parts, and pages."""

ROUNDED = (
    "The source holds its affine in 64 bits and the sform of this file in 32: "
    "voxels lie at most {:.1g} mm apart."
)


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from; the same words go into every sidecar of a case.

    Attributes:
        sources: BIDS URI of each image.
        prompts: What was asked for, in the person's words.
        plan_hash: SHA-256 of what the prompts compile to.
        weights: Name, version and SHA-256 of the weights.
    """

    sources: tuple[str, ...]
    prompts: tuple[str, ...]
    plan_hash: str
    weights: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of one case that are to be written.

    Attributes:
        labels: Base structures; None if there are none.
        masks: Regions that may overlap.
        results: By name of the target: status, presence and volume, ready for JSON.
        notes: What a reader of the masks should know, one sentence each.
        parcels: Parts of base structures; None if there are none.
    """

    labels: LabelMap | None
    masks: tuple[Mask, ...]
    results: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()
    parcels: LabelMap | None = None

    @property
    def maps(self) -> dict[str, LabelMap]:
        """The label maps there are, by the value of their `seg` entity."""
        both = {SEGMENTATION: self.labels, PARCELLATION: self.parcels}
        return {seg: labels for seg, labels in both.items() if labels is not None}


def anat_folder(entry: ImageEntry) -> PurePosixPath:
    """Folder of an image's results, relative to the output folder."""
    return PurePosixPath(entry.subject, *filter(None, [entry.session]), "anat")


def unit_name(entry: ImageEntry) -> str:
    """A name for the image that no other of its dataset has: `sub-01_ses-01_run-2_T1w`."""
    return build_name(_identity(entry), entry.suffix or "image", "")


def dseg_name(entry: ImageEntry, seg: str = SEGMENTATION) -> str:
    """File name of a label map of an image, without extension."""
    return build_name({**_place(entry), "seg": seg}, "dseg", "")


def mask_name(entry: ImageEntry, region: str) -> str:
    """File name of the mask of one region of an image, without extension."""
    return build_name({**_place(entry), "label": label_entity(region)}, "mask", "")


def label_entity(region: str) -> str:
    """A region's name as BIDS lets it stand in a file name: `WhiteMatter`."""
    return "".join(word.capitalize() for word in re.split(r"[^0-9A-Za-z]+", region))


def _identity(entry: ImageEntry) -> dict[str, str]:
    entities = {**entry.entities, "sub": entry.subject}
    return {**entities, "ses": entry.session} if entry.session else entities


def _place(entry: ImageEntry) -> dict[str, str]:
    """The source's entities, with its suffix in `desc` and `space-orig` if it had none."""
    entities = {"space": "orig", **_identity(entry)}
    description = entities.get("desc", "").removeprefix("desc-") + (entry.suffix or "")
    return {**entities, "desc": description} if description else entities


def stage_regions(
    out: Path, entry: ImageEntry, regions: Regions, provenance: Provenance
) -> list[Staged]:
    """Write an image's masks and sidecars under temporary names, checked.

    Raises:
        OutputError: If one cannot be written; then none is left behind.
    """
    # nibabel takes a while to load, and `medprompt status` needs only names of this module.
    from medprompt_cli.bids.label_image import (
        grid_header,
        smallest_unsigned,
        stage_label_image,
    )

    folder = out / anat_folder(entry)
    images: list[tuple[str, LabelMap | Mask]] = [
        *((dseg_name(entry, seg), labels) for seg, labels in regions.maps.items()),
        *((mask_name(entry, mask.region), mask) for mask in regions.masks),
    ]
    staged: list[Staged] = []
    try:
        for name, image in images:
            largest = max(image.names, default=1) if isinstance(image, LabelMap) else 1
            header, rounding = grid_header(
                entry.path, image.geometry, smallest_unsigned(largest)
            )
            staged.append(stage_label_image(folder / f"{name}.nii.gz", image.voxels, header))
            content = _sidecar(image, regions, provenance, rounding)
            staged.append(_stage_json(folder / f"{name}.json", content))
    except BaseException:
        discard(staged)
        raise
    return staged


def _sidecar(
    image: LabelMap | Mask, regions: Regions, provenance: Provenance, rounding: float
) -> dict[str, Any]:
    notes = [*regions.notes, *([ROUNDED.format(rounding)] if rounding else [])]
    return {
        "Description": _describe(image, regions),
        "Sources": list(provenance.sources),
        "SpatialReference": "orig",
        "Manual": False,
        **({"Type": _mask_type(image.region)} if isinstance(image, Mask) else {}),
        "Prompts": list(provenance.prompts),
        "PlanHash": provenance.plan_hash,
        "Weights": dict(provenance.weights),
        "Targets": _results_of(image, regions),
        "Notes": notes,
    }


def _describe(image: LabelMap | Mask, regions: Regions) -> str:
    if isinstance(image, Mask):
        return f"Voxels of {image.region}: 1 inside, 0 outside."
    seg = next(seg for seg, labels in regions.maps.items() if labels is image)
    return f"Voxel values are the indices of seg-{seg}_dseg.tsv."


def _results_of(image: LabelMap | Mask, regions: Regions) -> dict[str, Any]:
    """An image speaks of its own regions; the first label map of all without an image."""
    if isinstance(image, Mask):
        return {image.region: regions.results[image.region]}
    first, *others = regions.maps.values()
    if image is not first:
        own = set(image.names.values())
        return {name: dict(r) for name, r in regions.results.items() if name in own}
    elsewhere = {mask.region for mask in regions.masks}
    elsewhere.update(name for other in others for name in other.names.values())
    return {name: dict(r) for name, r in regions.results.items() if name not in elsewhere}


def _mask_type(region: str) -> str:
    """The kind of mask. Source: BIDS, sidecar field Type."""
    if region in LESIONS:
        return "Lesion"
    return "Brain" if region == "brain" else "ROI"


def _stage_json(path: Path, content: Mapping[str, Any]) -> Staged:
    text = to_json(content).encode()
    return stage(path, lambda stream: stream.write(text))


def write_dataset_files(out: Path, source_root: Path, *, parcels: bool = False) -> str:
    """Write what an output folder of masks holds once, and link it to the source dataset.

    Args:
        out: The output folder; made if it is not there.
        source_root: Folder that the sources' BIDS URIs start from.
        parcels: Whether parcels are asked for, whose table is to lie there too.

    Returns:
        The name that the source dataset has in `DatasetLinks`.

    Raises:
        OutputError: If a file cannot be written.
    """
    name = write_description(out, source_root)
    write_file_if_new(out / f"seg-{SEGMENTATION}_dseg.tsv", label_table().encode())
    if parcels:
        write_file_if_new(out / f"seg-{PARCELLATION}_dseg.tsv", parcel_table().encode())
    return name


def write_description(out: Path, source_root: Path) -> str:
    """Say whose an output folder is, link it to its source, and name what BIDS passes over.

    Returns:
        The name that the source dataset has in `DatasetLinks`.

    Raises:
        OutputError: If a file cannot be written.
    """
    links = _links(read_description(out))
    target = quote(os.fsencode(os.path.relpath(source_root.resolve(), out.resolve())))
    name = next((key for key, link in links.items() if link == target), None)
    if name is None:
        name = "source" if "source" not in links else f"source{len(links) + 1}"
    links[name] = target
    write_file_if_new(out / DESCRIPTION, to_json(_description(links)).encode())
    write_file_if_new(out / ".bidsignore", IGNORED.encode())
    return name


def _description(links: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Name": "Regions segmented by medprompt",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": SEGMENTATION, "Version": __version__}],
        "SourceDatasets": [{"URL": link} for link in links.values()],
        "DatasetLinks": dict(links),
    }


def _links(description: Mapping[str, Any] | None) -> dict[str, str]:
    links = (description or {}).get("DatasetLinks", {})
    return dict(links) if isinstance(links, dict) else {}


def read_description(out: Path) -> dict[str, Any] | None:
    """The dataset description of a folder; None if it has none.

    Raises:
        UsageError: If it is there and cannot be read.
    """
    path = out / DESCRIPTION
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}.",
            remedy="Give another output folder, or remove the damaged file.",
        ) from error
    return content if isinstance(content, dict) else {}


def source_uri(path: Path, root: Path, link: str) -> str:
    """BIDS URI of a source image, or its file URI if it lies outside the dataset."""
    try:
        inside = path.absolute().relative_to(root.absolute())
    except ValueError:
        return path.absolute().as_uri()
    return f"bids:{link}:{quote(os.fsencode(inside))}"
