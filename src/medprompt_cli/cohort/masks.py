"""Measure masks that are there already: no network, no weights."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast, get_args

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import commit, discard
from medprompt_cli.bids.derivatives import write_description
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.bids.label_names import read_names
from medprompt_cli.bids.mask_files import MaskCase, MaskFile, find_masks, source_paths
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.bids.parts import stage_part
from medprompt_cli.bids.schemas import Origin
from medprompt_cli.cohort.case import describe_failure
from medprompt_cli.cohort.outcome import Outcome, Summary
from medprompt_cli.cohort.output_folder import check_output_folder
from medprompt_cli.cohort.rows import Sources, measurement_rows
from medprompt_cli.cohort.wanted import Wanted
from medprompt_cli.domain.anatomy import BASE_NAMES, LESIONS
from medprompt_cli.domain.measurement import Status
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.execution.extent import is_cut, label_extents
from medprompt_cli.execution.measuring import (
    Answer,
    Measurable,
    intracranial_of,
    measure_case,
    on_grid_of,
)
from medprompt_cli.measurement.cutout import Connectivity
from medprompt_cli.measurement.place import CORNERS

METHOD = "medprompt measure"


@dataclass(frozen=True)
class MaskJob:
    """What is to be measured, and where tables go.

    Attributes:
        masks: A label map, a mask, or a folder of them.
        out: The output folder.
        labels: Names of ids: a table, a list, or `freesurfer`; None for what lies beside.
        region: Name of every mask without a name of its own, voxels above 0; None if the
            files are label maps.
        images: Whose intensities are measured; none for those that sidecars name.
        everything: Whether to measure every surface, however long it takes.
        wanted: The rows to keep; None for all.
        connectivity: What makes a connected piece, as of `Measurable`.
    """

    masks: Path
    out: Path
    labels: str | Path | None = None
    region: str | None = None
    images: tuple[Path, ...] = ()
    everything: bool = False
    wanted: Wanted | None = None
    connectivity: Connectivity = CORNERS


def measure_masks(job: MaskJob) -> Summary:
    """Measure every case of a folder of masks; survive what is wrong with one.

    Raises:
        UsageError: If the output folder holds something else, or images are given for several
            cases.
        InputError: If there is no mask, or the table of labels cannot be read.
        OutputError: If the output folder cannot be written at all.
    """
    check_output_folder(job.out, job.masks, is_bids=False)
    if (job.out / LOGS).exists():
        raise UsageError(
            f"The output folder {job.out} holds results of medprompt segment.",
            remedy="Give another folder: those are measured already.",
        )
    cases = find_masks(job.masks)
    if job.images and len(cases) > 1:
        raise UsageError(
            f"{job.images[0]} was given as the image of {len(cases)} cases.",
            remedy="Measure them one by one; masks of medprompt name their images themselves.",
        )
    names = None if job.labels is None else read_names(job.labels)
    root = job.masks if job.masks.is_dir() else job.masks.parent
    write_description(job.out, root)
    reader = _Reader(job, root, names)
    return Summary(tuple(_measured(job, reader, case) for case in cases), len(cases))


def _measured(job: MaskJob, reader: _Reader, case: MaskCase) -> Outcome:
    try:
        return _measure(job, reader, case)
    except Exception as error:  # noqa: BLE001 - the cohort outlives any one case
        failure = describe_failure(case.entry.path, error)
        if failure.code == "internal":
            trace = "".join(traceback.format_exception(error))
            failure = replace(failure, problem=trace, remedy="Report this traceback.")
        return Outcome(case.name, case.entry.path, "failed", failure=failure)


def _measure(job: MaskJob, reader: _Reader, case: MaskCase) -> Outcome:
    regions, masks = reader.regions(case)
    volumes = reader.images(case, regions)
    measured = measure_case(regions, volumes)
    sources = Sources(_origin(case, job.connectivity), reader.uris(case), masks)
    tables = {"measurements": measurement_rows(measured.regions, sources)}
    if any(answer.name in LESIONS for answer in regions.answers):
        tables["lesions"] = measurement_rows(measured.lesions, sources)
    if job.wanted is not None:
        shown = str(case.entry.path)
        tables = {name: job.wanted.among(rows, shown) for name, rows in tables.items() if rows}
    staged = []
    try:
        for table, rows in tables.items():
            staged.append(stage_part(job.out, table, case.name, rows))
        for part in staged:
            commit(part)
    finally:
        discard(staged)
    volumes_ml = {r.region: r.numbers[0] for r in measured.regions}
    targets = {
        answer.name: {
            "Status": volumes_ml[answer.name].status,
            "Presence": answer.presence,
            "VolumeMl": volumes_ml[answer.name].value,
        }
        for answer in regions.answers
    }
    return Outcome(
        case.name,
        case.entry.path,
        "done",
        tuple(part.final for part in staged),
        targets,
        partners=tuple(Path(volume.source) for volume in volumes),
    )


def _origin(case: MaskCase, connectivity: Connectivity) -> Origin:
    own = next((file.sidecar for file in case.files if file.is_own), {})
    weights = own.get("Weights", {})
    named = f"{weights.get('Name')} {weights.get('Version')}" if weights else None
    return Origin(
        participant_id=case.entry.subject,
        session_id=case.entry.session,
        case=case.name,
        method=METHOD + ("" if connectivity == CORNERS else f" --connectivity {connectivity}"),
        version=__version__,
        weights=named,
        weights_sha256=weights.get("SHA256"),
        plan_hash=own.get("PlanHash"),
    )


@dataclass
class _Reader:
    """Reads the masks of a case, their names and their images."""

    job: MaskJob
    root: Path
    names: Mapping[int, str] | None
    _tables: dict[Path, dict[int, str]] = field(default_factory=dict)

    def regions(self, case: MaskCase) -> tuple[Measurable, dict[str, str]]:
        """The regions of a case, and the file of each."""
        maps: list[LabelMap] = []
        masks: list[Mask] = []
        answers: dict[str, Answer] = {}
        files: dict[str, Path] = {}
        for file in case.files:
            name = self.job.region if file.entry.suffix != "dseg" and self.job.region else None
            labels = self._labels(file, name or file.region)
            found = dict(_answers(labels, file))
            for region in found.keys() & answers.keys():
                raise _twice(region, files[region], file.path)
            answers |= found
            files |= dict.fromkeys(found, file.path)
            if name or file.region:
                (region,) = labels.names.values()
                masks.append(Mask(region, labels.voxels > 0, labels.geometry))
            else:
                maps.append(labels)
        _check_grids(case, [*maps, *masks])
        own = len(answers.keys() & {*BASE_NAMES}) == len(BASE_NAMES)
        whole = intracranial_of(maps) if own and case.files[0].is_own else ()
        relative = {
            region: os.path.relpath(path.resolve(), self.job.out.resolve())
            for region, path in files.items()
            if answers[region].status not in {"absent", "not_visible"}
        }
        return (
            Measurable(
                tuple(maps),
                tuple(masks),
                tuple(answers.values()),
                whole,
                everything=self.job.everything,
                connectivity=self.job.connectivity,
            ),
            relative,
        )

    def images(self, case: MaskCase, regions: Measurable) -> list[Volume]:
        """The images of a case on the grid of its masks; none if they are not there."""
        return on_grid_of(regions, [read_image(p) for p in self._image_paths(case)])[0]

    def uris(self, case: MaskCase) -> tuple[str, ...]:
        """What tables call the images of a case."""
        if self.job.images:
            return tuple(path.absolute().as_uri() for path in self.job.images)
        return tuple(case.files[0].sidecar.get("Sources", ()))

    def _image_paths(self, case: MaskCase) -> Sequence[Path]:
        if self.job.images:
            return self.job.images
        paths = source_paths(self.root, case.files[0].sidecar.get("Sources", ()))
        return paths if all(path.exists() for path in paths) else ()

    def _labels(self, file: MaskFile, region: str | None) -> LabelMap:
        """One file's labels with their names; of a mask every voxel above 0 is inside."""
        if region is not None:
            found = read_labels(file.path)
            inside = (found.voxels > 0).astype("uint8")
            return LabelMap(inside, found.geometry, {1: region})
        names = self._names_of(file)
        found = read_labels(file.path, dict(names or {}))
        there = label_extents(found.voxels, found.geometry)
        return LabelMap(
            found.voxels,
            found.geometry,
            {index: name for index, name in found.names.items() if index in there}
            | _asked(names or {}, file),
        )

    def _names_of(self, file: MaskFile) -> Mapping[int, str] | None:
        if self.names is not None:
            return self.names
        path = next((path for path in file.tables(self.root) if path.is_file()), None)
        if path is None:
            return None
        return self._tables.setdefault(path, read_names(path))


def _asked(names: Mapping[int, str], file: MaskFile) -> dict[int, str]:
    """The labels that a file of ours speaks of, there or not."""
    asked = file.sidecar["Targets"] if file.is_own else {}
    return {index: name for index, name in names.items() if name in asked}


def _answers(labels: LabelMap, file: MaskFile) -> Iterator[tuple[str, Answer]]:
    """What is known of every region of a file: by its sidecar if we wrote it."""
    extents = label_extents(labels.voxels, labels.geometry)
    own = file.sidecar["Targets"] if file.is_own else {}
    for index, name in sorted(labels.names.items()):
        status: Status = "measured" if index in extents else "absent"
        if index in extents and is_cut([extents[index]], labels.geometry):
            status = "truncated_fov"
        yield name, _as_told(Answer(name, status), own.get(name))
    for name, told in own.items():
        if name not in labels.names.values():
            yield name, _as_told(Answer(name, "absent"), told)


def _as_told(answer: Answer, told: object) -> Answer:
    if not isinstance(told, dict) or told.get("Status") not in get_args(Status):
        return answer
    return replace(answer, status=cast("Status", told["Status"]), presence=told["Presence"])


def _twice(region: str, first: Path, second: Path) -> InputError:
    return InputError(
        f"{first} and {second} both hold {region} of one image.",
        remedy="Measure them one at a time, into folders of their own.",
        code="name-twice",
    )


def _check_grids(case: MaskCase, regions: Sequence[LabelMap | Mask]) -> None:
    for file, region in zip(case.files, regions, strict=False):
        if not region.geometry.matches(regions[0].geometry):
            raise InputError(
                f"{file.path} does not lie on the grid of {case.files[0].path}.",
                remedy="Measure them one at a time, into folders of their own.",
                code="grid-mismatch",
            )
