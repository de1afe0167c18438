"""One case of a cohort: read, segmented, written, recorded, whatever happens to it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import Staged, commit, discard, leaves_no_room
from medprompt_cli.bids.derivatives import Provenance, Regions, source_uri, stage_regions
from medprompt_cli.bids.images import read_image
from medprompt_cli.cohort.outcome import Failure, Outcome
from medprompt_cli.cohort.records import (
    edited_outputs,
    file_size,
    outputs_of,
    read_record,
    replaced_answer,
    write_record,
)
from medprompt_cli.cohort.units import Unit
from medprompt_cli.domain.volume import Volume, check_one_grid
from medprompt_cli.errors import (
    DeviceError,
    InputError,
    MedpromptError,
    OutputError,
    WeightsError,
)
from medprompt_cli.execution.segment import (
    CaseResult,
    Segments,
    Target,
    plan_hash,
    segment_case,
)


@dataclass(frozen=True)
class Loaded:
    """The images of a case in memory, or why they are not."""

    volumes: Sequence[Volume] | Exception
    seconds: float


@dataclass(frozen=True)
class Worked:
    """The regions of a case, or why there are none."""

    result: CaseResult | Exception
    seconds: Mapping[str, float]


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
    """

    out: Path
    source_root: Path
    link: str
    prompts: tuple[str, ...]
    targets: Sequence[Target]
    segmenter: Segments

    def read(self, unit: Unit) -> Loaded:
        """Load the images; a failure is a value, and the cohort goes on."""
        start = time.perf_counter()
        try:
            volumes = [read_image(s.path, modality=s.modality) for s in unit.sources]
            check_one_grid(volumes)
        except Exception as error:  # noqa: BLE001 - the cohort outlives any one case
            return Loaded(error, time.perf_counter() - start)
        return Loaded(volumes, time.perf_counter() - start)

    def work(self, unit: Unit, loaded: Loaded) -> Worked:  # noqa: ARG002 - a stage's form
        """Run the network.

        Raises:
            DeviceError: As the next case would meet it too.
            WeightsError: As the next case would meet it too.
        """
        seconds = {"read": loaded.seconds}
        if isinstance(loaded.volumes, Exception):
            return Worked(loaded.volumes, seconds)
        try:
            result = segment_case(loaded.volumes, self.targets, self.segmenter)
        except (DeviceError, WeightsError):
            raise
        except Exception as error:  # noqa: BLE001 - the cohort outlives any one case
            return Worked(error, seconds)
        return Worked(result, {**seconds, **result.seconds})

    def write(self, unit: Unit, worked: Worked) -> Outcome:
        """Write the result or the failure, and its record."""
        if isinstance(worked.result, Exception):
            return self._record_failure(unit, worked.result, worked.seconds)
        try:
            return self._write_result(unit, worked.result, worked.seconds)
        except Exception as error:  # noqa: BLE001 - the cohort outlives any one case
            return self._record_failure(unit, error, worked.seconds)

    def _write_result(
        self, unit: Unit, result: CaseResult, seconds: Mapping[str, float]
    ) -> Outcome:
        start = time.perf_counter()
        results = {target.name: target.as_json() for target in result.results}
        regions = Regions(result.labels, result.masks, results, result.notes, result.parcels)
        staged = stage_regions(self.out, unit.entry, regions, self._provenance(unit))
        try:
            outputs = self._replace_outputs(unit, staged)
        finally:
            discard(staged)
        seconds = {**seconds, "write": time.perf_counter() - start}
        content = {"outputs": outputs, "targets": results, **self._about(unit, seconds)}
        write_record(unit.record_path, "done", unit.basis, content)
        paths = tuple(self.out / name for name in outputs)
        return Outcome(
            unit.name,
            unit.entry.path,
            "done",
            paths,
            results,
            seconds=sum(seconds.values()),
            partners=unit.partners,
            replaced=replaced_answer(unit.record, unit.basis),
        )

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

    def _weights(self) -> dict[str, str]:
        return {
            "Name": self.segmenter.weights_name,
            "Version": self.segmenter.weights_version,
            "SHA256": self.segmenter.weights_sha256,
        }

    def _provenance(self, unit: Unit) -> Provenance:
        uris = tuple(source_uri(s.path, self.source_root, self.link) for s in unit.sources)
        return Provenance(uris, self.prompts, plan_hash(self.targets), self._weights())


def describe_failure(path: Path, error: Exception) -> Failure:
    """Say what happened to an image in a code, a sentence and a remedy."""
    if isinstance(error, InputError):
        return Failure(error.code, str(error), error.remedy, of_input=True)
    if isinstance(error, MedpromptError):
        code = type(error).__name__.removesuffix("Error").lower()
        return Failure(code, str(error), error.remedy)
    if isinstance(error, MemoryError):
        return Failure(
            "out-of-memory",
            f"{path} needs more memory than there is.",
            "Give the run a limit with --memory, or a machine with more memory.",
        )
    return Failure(
        "internal",
        f"{path} met an internal error, {type(error).__name__}: {error}.",
        "Report the traceback in its record under logs/.",
    )
