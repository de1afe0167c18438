"""One case of a cohort: read, segmented, written, recorded, whatever happens to it."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import Staged, commit, discard, leaves_no_room
from medprompt_cli.bids.derivatives import Provenance, Regions, source_uri, stage_regions
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.parts import stage_part
from medprompt_cli.bids.schemas import Origin, Row
from medprompt_cli.cohort.given import GIVEN
from medprompt_cli.cohort.given import METHOD as GIVEN_METHOD
from medprompt_cli.cohort.outcome import Failure, Outcome
from medprompt_cli.cohort.records import (
    contents_of,
    edited_outputs,
    file_size,
    outputs_of,
    read_record,
    replaced_answer,
    write_record,
)
from medprompt_cli.cohort.rows import (
    Sources,
    found_rows,
    mask_files,
    measurement_rows,
    value_rows,
)
from medprompt_cli.cohort.subject import images_of
from medprompt_cli.cohort.units import Unit
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.volume import Volume, check_one_grid
from medprompt_cli.errors import (
    DeviceError,
    InputError,
    MedpromptError,
    OutputError,
    WeightsError,
)
from medprompt_cli.execution.describing import describe_lesions
from medprompt_cli.execution.measuring import (
    CaseMeasured,
    Measurable,
    failure_notes,
    measurable,
    measure_case,
    on_grid_of,
    withheld,
)
from medprompt_cli.execution.program import ProgramResult, ReadValue, plan_id, run_program
from medprompt_cli.execution.segment import (
    CaseResult,
    Segments,
    Target,
    segment_case,
)
from medprompt_cli.execution.values import Characterized
from medprompt_cli.planning.tree import Program

METHOD = "medprompt segment"


@dataclass(frozen=True)
class Loaded:
    """The images of a case in memory, or why they are not."""

    volumes: Sequence[Volume] | Exception
    seconds: float
    contents: str | None = None


@dataclass(frozen=True)
class Worked:
    """The regions of a case and the images they are in, or why there are none."""

    result: CaseResult | Exception
    seconds: Mapping[str, float]
    volumes: Sequence[Volume] = ()
    values: tuple[ReadValue, ...] = ()
    findings: tuple[Characterized, ...] = ()
    contents: str | None = None


@dataclass(frozen=True)
class CaseRunner:
    """The three stages of one case, for `run_overlapped`.

    Attributes:
        out: The output folder.
        source_root: Folder that BIDS URIs start from.
        link: Name of the source dataset in the output's `DatasetLinks`.
        prompts: The person's words.
        targets: What they mean.
        segmenter: The network.
        program: What to make of the targets; None if their masks are all there is to it.
        intervals: `full` if the segmenter looks at every head in several poses.
    """

    out: Path
    source_root: Path
    link: str
    prompts: tuple[str, ...]
    targets: Sequence[Target]
    segmenter: Segments
    program: Program | None = None
    intervals: Literal["quick", "full"] = "quick"

    def read(self, unit: Unit) -> Loaded:
        """Load the images; a failure is a value, and the cohort goes on."""
        start = time.perf_counter()
        try:
            volumes = [read_image(s.path, modality=s.modality) for s in unit.sources]
            if self.program is None:  # one may read some images together and measure others
                check_one_grid(volumes)
        except Exception as error:  # noqa: BLE001 - the cohort outlives any one case
            return Loaded(error, time.perf_counter() - start)
        contents = contents_of([source.path for source in unit.sources])
        return Loaded(volumes, time.perf_counter() - start, contents)

    def work(self, unit: Unit, loaded: Loaded) -> Worked:
        """Run the network.

        Raises:
            DeviceError: As the next case would meet it too.
            WeightsError: As the next case would meet it too.
        """
        seconds = {"read": loaded.seconds}
        if isinstance(loaded.volumes, Exception):
            return Worked(loaded.volumes, seconds)
        try:
            found = self._result(unit, loaded.volumes)
        except (DeviceError, WeightsError):
            raise
        except Exception as error:  # noqa: BLE001 - the cohort outlives any one case
            return Worked(error, seconds)
        seconds |= found.case.seconds
        return Worked(
            *(found.case, seconds, loaded.volumes, found.values, found.findings),
            contents=loaded.contents,
        )

    def _result(self, unit: Unit, volumes: Sequence[Volume]) -> ProgramResult:
        """Masks of the targets, or what the program makes of them, with what it found."""
        if self.program is None:
            lesions = any(target.name in LESIONS for target in self.targets)
            return ProgramResult(
                segment_case(volumes, self.targets, self.segmenter, with_lobes=lesions)
            )
        return run_program(self.program, images_of(unit.sources, volumes), self.segmenter)

    def write(self, unit: Unit, worked: Worked) -> Outcome:
        """Measure and write the result, or write the failure; and the record."""
        if isinstance(worked.result, Exception):
            return self._record_failure(unit, worked.result, worked.seconds)
        try:
            return self._write_result(unit, worked.result, worked)
        except Exception as error:  # noqa: BLE001 - the cohort outlives any one case
            return self._record_failure(unit, error, worked.seconds)

    def _write_result(self, unit: Unit, result: CaseResult, worked: Worked) -> Outcome:
        start = time.perf_counter()
        regions = measurable(result)
        volumes, resampled_notes = on_grid_of(regions, worked.volumes)
        measured = measure_case(regions, volumes)
        if self.program is None:
            found = describe_lesions(result, images_of(unit.sources, volumes))
            worked = replace(worked, findings=found)
        answers = withheld(result.results, measured)
        results = {target.name: target.as_json() for target in answers}
        between = time.perf_counter()
        notes = (*result.notes, *failure_notes(measured), *resampled_notes)
        content = Regions(result.labels, result.masks, results, notes, result.parcels)
        staged: list[Staged] = []
        try:
            entry = replace(unit.entry, path=_grid_source(unit, regions, worked.volumes))
            staged += stage_regions(self.out, entry, content, self._provenance(unit))
            sources = self._sources(unit, regions, tuple(content.maps))
            staged += self._stage_tables(unit, measured, worked, sources)
            outputs = self._replace_outputs(unit, staged)
        finally:
            discard(staged)
        seconds = {
            **worked.seconds,
            "measure": between - start,
            "write": time.perf_counter() - between,
        }
        values = [value.as_json() for value in worked.values]
        record = {
            "outputs": outputs,
            "contents": worked.contents,
            "targets": results,
            "values": values,
            **self._about(unit, seconds),
            **_retried(result),
        }
        write_record(unit.record_path, "done", unit.basis, record)
        paths = tuple(self.out / name for name in outputs)
        return Outcome(
            unit.name,
            unit.entry.path,
            "done",
            paths,
            results,
            seconds=sum(seconds.values()),
            stages=seconds,
            partners=unit.partners,
            replaced=replaced_answer(unit.record, unit.basis),
            values=values,
        )

    def _stage_tables(
        self,
        unit: Unit,
        measured: CaseMeasured,
        worked: Worked,
        sources: Sources,
    ) -> list[Staged]:
        """Stage the case's parts: of lesions and findings only if there is something."""
        numbers = measurement_rows(measured.regions, sources)
        more, words = value_rows(worked.values, numbers, sources)
        words += found_rows(worked.findings, worked.values, sources)
        rows: dict[str, Sequence[Row]] = {"measurements": [*numbers, *more]}
        if words:
            rows["findings"] = words
        if any(target.name in LESIONS for target in self.targets):
            rows["lesions"] = measurement_rows(measured.lesions, sources)
        staged: list[Staged] = []
        try:
            for table, listed in rows.items():
                staged.append(stage_part(self.out, table, unit.name, listed))
        except BaseException:
            discard(staged)
            raise
        return staged

    def _sources(self, unit: Unit, regions: Measurable, segs: Sequence[str]) -> Sources:
        origin = Origin(
            participant_id=unit.entry.subject,
            session_id=unit.entry.session,
            case=unit.name,
            method=self._method,
            version=__version__,
            weights=f"{self.segmenter.weights_name} {self.segmenter.weights_version}",
            weights_sha256=self.segmenter.weights_sha256,
            plan_hash=self._plan_id,
        )
        masks = mask_files(unit.entry, regions, segs)
        uris = self._provenance(unit).sources
        called = (str(source.path) for source in unit.sources)
        return Sources(origin, uris, masks, dict(zip(called, uris, strict=True)))

    @property
    def _method(self) -> str:
        """The command that regions come from; masks that were given have one of their own."""
        own = GIVEN_METHOD if self.segmenter.weights_name == GIVEN else METHOD
        return own + (" --intervals full" if self.intervals == "full" else "")

    def _replace_outputs(self, unit: Unit, staged: Sequence[Staged]) -> dict[str, int]:
        """Give staged files their names and remove those of an earlier prompt.

        The record says so first: whoever finds a run cut off in between knows that
        old and new files may lie side by side, and which.
        """
        earlier = outputs_of(unit.record)
        new = {
            file.final.relative_to(self.out).as_posix(): file.temporary.stat().st_size
            for file in staged
        }
        content = {"outputs": {**earlier, **new}, **self._about(unit, {})}
        write_record(unit.record_path, "writing", unit.basis, content)
        for file in staged:
            commit(file)
        edited = edited_outputs(self.out, unit.record)
        for name in earlier.keys() - new.keys():
            if self.out / name not in edited:
                (self.out / name).unlink(missing_ok=True)
        return new

    def _record_failure(
        self, unit: Unit, error: Exception, seconds: Mapping[str, float]
    ) -> Outcome:
        failure = describe_failure(unit.entry.path, error)
        unforeseen = failure.code == "internal"
        content = {
            "outputs": self._left(unit),
            "error": failure.as_json(),
            "traceback": "".join(traceback.format_exception(error)) if unforeseen else None,
            **self._about(unit, seconds),
        }
        # A disk that refused the mask may refuse the record too. The run says what failed
        # all the same, and no record calls this image done: a rerun does it again.
        with suppress(OutputError):
            write_record(unit.record_path, "failed", unit.basis, content)
        full = error if isinstance(error, OutputError) and leaves_no_room(error) else None
        return Outcome(
            unit.name,
            unit.entry.path,
            "failed",
            failure=failure,
            seconds=sum(seconds.values()),
            stages=seconds,
            partners=unit.partners,
            ends_run=full,
        )

    def _left(self, unit: Unit) -> dict[str, int]:
        """Files of this case that lie in the output folder, of whatever attempt."""
        listed = {**outputs_of(unit.record), **outputs_of(read_record(unit.record_path))}
        sizes = {name: file_size(self.out / name) for name in listed}
        return {name: size for name, size in sizes.items() if size is not None}

    def _about(self, unit: Unit, seconds: Mapping[str, float]) -> dict[str, Any]:
        return {
            "name": unit.name,
            "inputs": [str(source.path) for source in unit.sources],
            "prompts": list(self.prompts),
            "weights": self._weights(),
            "device": self.segmenter.device_name,
            "medprompt": __version__,
            "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    @property
    def _plan_id(self) -> str:
        return plan_id(self.targets, self.program)

    def _weights(self) -> dict[str, str]:
        return {
            "Name": self.segmenter.weights_name,
            "Version": self.segmenter.weights_version,
            "SHA256": self.segmenter.weights_sha256,
        }

    def _provenance(self, unit: Unit) -> Provenance:
        uris = tuple(source_uri(s.path, self.source_root, self.link) for s in unit.sources)
        return Provenance(uris, self.prompts, self._plan_id, self._weights())


def _grid_source(unit: Unit, regions: Measurable, volumes: Sequence[Volume]) -> Path:
    """The image whose grid regions lie on: its header is theirs."""
    grid = regions.geometry
    for source, volume in zip(unit.sources, volumes, strict=True):
        own = volume.geometry
        if grid and own.shape == grid.shape and np.array_equal(own.affine, grid.affine):
            return source.path
    return unit.entry.path


def _retried(result: CaseResult) -> dict[str, Any]:
    """What a record says where memory ran out: every try, and what gave the result."""
    if not result.attempts:
        return {}
    tries = [attempt.as_json() for attempt in result.attempts]
    return {"device": result.attempts[-1].device, "attempts": tries}


def describe_failure(path: Path, error: Exception) -> Failure:
    """Say what happened to an image in a code, a sentence and a remedy."""
    if isinstance(error, InputError):
        return Failure(error.code, str(error), error.remedy, of_input=True)
    if isinstance(error, MedpromptError):
        name = type(error).__name__.removesuffix("Error")
        code = re.sub(r"\B([A-Z])", r"-\1", name).lower()
        return Failure(code, str(error), error.remedy)
    if isinstance(error, MemoryError):
        said = f": {error}" if str(error) else ""
        return Failure(
            "out-of-memory",
            f"{path} needs more memory than there is{said}.",
            "Give the run a limit with --mem, or a machine with more memory.",
        )
    return Failure(
        "internal",
        f"{path} met an internal error, {type(error).__name__}: {error}.",
        "Report the traceback in its record under logs/.",
    )
