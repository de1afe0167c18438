"""The scans of a subject as they are to be shown, read from an output folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.label_names import read_names
from medprompt_cli.bids.mask_files import MaskCase, MaskFile, find_masks, source_paths
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.reporting.drawn import Place, ShownCase

IDS = "Ids"
"""Ends the `seg` entity of a map whose voxels are ids of lesions, the same at every visit."""


@dataclass
class _Files:
    """Files of one scan.

    Attributes:
        visit: Name of the session; '' without sessions.
        uris: Of its images.
        regions: Label maps and masks.
        ids: Maps of lesions that were followed.
    """

    visit: str = ""
    uris: Sequence[str] = ()
    regions: list[MaskFile] = field(default_factory=list)
    ids: list[MaskFile] = field(default_factory=list)


def read_cases(
    out: Path, subject: str, sources: Mapping[str, Sequence[str]] | None = None
) -> list[ShownCase]:
    """Every scan of a subject, with its masks, in the order of their names.

    A scan whose image cannot be read any more comes without it, and says why.

    Args:
        out: What `medprompt segment` wrote.
        subject: With its `sub-` prefix.
        sources: URIs of the images of scans, by the name of the case, as tables have them:
            a scan in which nothing was found has no mask that names them.

    Raises:
        InputError: If a mask or a sidecar cannot be read.
    """
    scans = {name: _Files(uris=uris) for name, uris in (sources or {}).items()}
    for case in _masks(out / subject):
        for file in case.files:
            seg = file.entry.entities.get("seg", "")
            followed = seg.endswith(IDS)
            name = case.name.replace(f"_seg-{seg}", "") if followed else case.name
            files = scans.setdefault(name, _Files())
            files.visit = file.entry.session or ""
            files.uris = files.uris or file.sidecar.get("Sources", ())
            (files.ids if followed else files.regions).append(file)
    moves = _moves(out, subject)
    names = sorted(scans)
    with ThreadPoolExecutor() as threads:  # unpacking one while another is read
        shown = (
            threads.submit(_shown, name, scans[name], out, moves.get(name)) for name in names
        )
        return [case.result() for case in list(shown)]


def _masks(folder: Path) -> list[MaskCase]:
    if not folder.is_dir():
        return []
    try:
        return find_masks(folder)
    except InputError as error:
        if error.code == "no-images":
            return []
        raise


def _shown(name: str, files: _Files, out: Path, move: np.ndarray | None) -> ShownCase:
    images, notes = _images(out, files.uris)
    labels: list[LabelMap] = []
    masks: list[Mask] = []
    for file in files.regions:
        if file.region is None:
            labels.append(_labels(file, out))
        else:
            found = read_labels(file.path)
            masks.append(Mask(file.region, found.voxels > 0, found.geometry))
    return ShownCase(
        name,
        files.visit or _session_of(name),
        images,
        tuple(labels),
        tuple(masks),
        {key: place for file in files.ids for key, place in _followed(file, out).items()},
        move,
        notes,
    )


def _session_of(name: str) -> str:
    """The session in the name of a case: `ses-01` of `sub-01_ses-01_T1w`."""
    return next((part for part in name.split("_") if part.startswith("ses-")), "")


def _images(out: Path, uris: Sequence[str]) -> tuple[tuple[Volume, ...], tuple[str, ...]]:
    """The images of a scan, or none and the reason."""
    try:
        images = [read_image(path, non_finite="zero") for path in source_paths(out, uris)]
    except InputError as error:
        return (), (str(error),)
    return tuple(images), ()


def _labels(file: MaskFile, out: Path) -> LabelMap:
    table = next((path for path in file.tables(out) if path.is_file()), None)
    return read_labels(file.path, read_names(table) if table else None)


def _followed(file: MaskFile, out: Path) -> dict[str, Place]:
    """The middle of every lesion that was followed, by region and id."""
    labels = _labels(file, out)
    flat = labels.voxels.ravel(order="K")
    there = np.flatnonzero(flat)
    ids = flat[there]
    order = "F" if labels.voxels.flags.f_contiguous else "C"
    index = np.stack(np.unravel_index(there, labels.voxels.shape, order=order), axis=1)
    sums = [np.bincount(ids, weights=index[:, axis]) for axis in range(3)]
    counts = np.bincount(ids)
    found = {}
    for number in np.flatnonzero(counts).tolist():
        middle = np.array([total[number] for total in sums]) / counts[number]
        r, a, s = labels.geometry.to_world(middle).tolist()
        region = labels.names[number].rpartition("-")[0]
        found[f"{region}@{number}"] = (r, a, s)
    return found


def _moves(out: Path, subject: str) -> dict[str, np.ndarray]:
    """By case, its transform into the space that all visits were registered to."""
    path = out / f"{subject}_longitudinal.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {error}.",
            remedy="Run medprompt longitudinal again, or move the file away.",
            code="bad-summary",
        ) from error
    visits = content.get("Visits", [])
    return {
        visit["Case"]: np.array(visit["ToMidspace"], dtype=float)
        for visit in visits
        if visit.get("ToMidspace") is not None
    }
