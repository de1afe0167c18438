"""Follow every subject of a cohort: segment its visits, compare them, and write what changed.

Written are, for every subject, `OUT/changes/SUBJECT.parquet`, `OUT/ledger/SUBJECT.parquet`,
`OUT/SUBJECT_longitudinal.json` and `.md`, and for every visit with lesions a label map with the
ids of the ledger on the visit's own grid; for the cohort `OUT/model.tsv` and
`OUT/trajectories.png`. A subject whose visits have not changed since is left as it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import commit, discard, leaves_no_room
from medprompt_cli.bids.derivatives import write_description
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.tables import Row
from medprompt_cli.cohort.case import describe_failure
from medprompt_cli.cohort.fate_answers import AskedFate
from medprompt_cli.cohort.followed_files import (
    Written,
    edited_files,
    stage_followed,
    summary_path,
)
from medprompt_cli.cohort.following import Followed, Question, follow
from medprompt_cli.cohort.outcome import Failure, Summary
from medprompt_cli.cohort.records import read_record, record_path
from medprompt_cli.cohort.run import AGAIN, Job, run_job
from medprompt_cli.cohort.stop import StopRequested, stoppable
from medprompt_cli.cohort.trends import age_of, write_cohort
from medprompt_cli.cohort.visit_results import VisitResults, read_results
from medprompt_cli.cohort.visits import Course
from medprompt_cli.errors import InputError, OutputError, PreemptedError
from medprompt_cli.execution.segment import Segments
from medprompt_cli.longitudinal.repeatability import (
    Limits,
    default_limits,
    read_limits,
    write_limits,
)
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.requests import Request
from medprompt_cli.planning.summary import summarise

_LOG = logging.getLogger("medprompt_cli.cohort.progress")
"""Whose lines `lines_in_a_log` shows."""


@dataclass(frozen=True)
class LongitudinalJob:
    """What is to be followed.

    Attributes:
        job: What is to be segmented: the scans of the courses and nothing else.
        courses: The visits of every subject.
        participants: Rows of participants.tsv by subject.
        metadata: The fields of the JSON files of a scan.
        limits: This method's own noise; None for what comes with the package.
        affine: Let sizes differ when visits are registered.
        fates: What the prompts ask to be counted.
    """

    job: Job
    courses: Sequence[Course]
    participants: Mapping[str, Row]
    metadata: Callable[[ImageEntry], Mapping[str, object]]
    limits: Limits | None = None
    affine: bool = False
    fates: tuple[AskedFate, ...] = ()


@dataclass(frozen=True)
class SubjectOutcome:
    """What became of one subject.

    Attributes:
        subject: Its label.
        visits: How many were followed.
        kept: Whether it was left as an earlier run wrote it.
        files: What was written; the summary as Markdown comes first.
        notes: That there is one visit only, that registration failed.
        warnings: What speaks against taking its numbers at their word.
        failure: Why there is nothing; None if there is.
        answers: To what the prompts ask to be counted, in words.
    """

    subject: str
    visits: int
    kept: bool = False
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class LongitudinalSummary:
    """What became of a cohort.

    Attributes:
        segmented: Of every scan.
        subjects: Of every subject that was reached.
        cohort: Files about all of them.
        notes: What was not made of the cohort, and why.
        stopped: What ended the run before its end; None if nothing did.
    """

    segmented: Summary
    subjects: tuple[SubjectOutcome, ...] = ()
    cohort: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: BaseException | None = None

    @property
    def exit_code(self) -> int:
        """0 all done; 65 no image could be used; 1 an image or a subject failed."""
        code = self.segmented.exit_code
        return code or int(any(subject.failure for subject in self.subjects))


def followed_request(request: Request) -> Request:
    """What has to be segmented at each visit, for a request about change.

    Every quantity of the targets is measured and compared anyway, and every lesion followed:
    what is asked beyond names, that way, needs no program. Conditions on place, size or kind of
    image do, and keep theirs.
    """
    if request.program is None:
        return request
    intent = summarise(request.program)
    filters = tuple(str(one) for one in intent.conditions if one.kind != "fate")
    left = replace(intent, quantities=(), compares="none", filters=filters, visits="own")
    return replace(request, program=None) if left == Intent(intent.targets) else request


def limits_from(path: Path) -> Limits:
    """Limits of repeatability from a file.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        return read_limits(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read: {error}.",
            remedy="Give a TOML file of limits of repeatability.",
            code="bad-limits",
        ) from error


def run_longitudinal(job: LongitudinalJob, segmenter: Segments) -> LongitudinalSummary:
    """Segment what is missing, then follow every subject; survive what is wrong with one.

    Raises:
        OutputError: If the output folder cannot be written at all.
    """
    segmented = run_job(job.job, segmenter)
    if segmented.stopped is not None:
        return LongitudinalSummary(segmented, stopped=segmented.stopped)
    follower = _Follower(job, segmenter, segmented)
    subjects: list[SubjectOutcome] = []
    try:
        with stoppable():
            for course in job.courses:
                subjects.append(follower.outcome(course))
                _log(subjects[-1], len(subjects), len(job.courses))
            found = write_cohort(job.job.out, follower.results, job.participants)
    except StopRequested as request:
        stopped = PreemptedError(
            f"{request.signal_name} stopped the run before its end.", remedy=AGAIN
        )
        return LongitudinalSummary(segmented, tuple(subjects), stopped=stopped)
    except KeyboardInterrupt as interrupt:
        return LongitudinalSummary(segmented, tuple(subjects), stopped=interrupt)
    notes = (*follower.notes, *_visits_note(subjects), *found.notes)
    return LongitudinalSummary(segmented, tuple(subjects), found.files, notes)


def _visits_note(subjects: Sequence[SubjectOutcome]) -> tuple[str, ...]:
    """How visits are told apart, where nobody has two: names may be to blame."""
    if len(subjects) <= 1 or any(subject.visits > 1 for subject in subjects):
        return ()
    return (
        f"None of {len(subjects)} subjects has two visits. Visits of a person are those whose"
        " names share sub- and differ in ses-, such as sub-01_ses-2_FLAIR.nii.gz.",
    )


def _log(outcome: SubjectOutcome, number: int, total: int) -> None:
    said = "kept" if outcome.kept else f"{outcome.visits} visits compared"
    if outcome.failure:
        said = f"failed [{outcome.failure.code}]: {outcome.failure.problem}"
    _LOG.info("[%d/%d] %s %s", number, total, outcome.subject, said)


class _Follower:
    """Follows subjects one by one.

    Attributes:
        results: By subject what was found at each visit.
        notes: What holds for all of them.
    """

    def __init__(self, job: LongitudinalJob, segmenter: Segments, segmented: Summary) -> None:
        self.results: dict[str, list[VisitResults]] = {}
        self.notes: list[str] = []
        self._job, self._out = job, job.job.out
        self._outcomes = {outcome.name: outcome for outcome in segmented.outcomes}
        self._weights = f"{segmenter.weights_name} {segmenter.weights_version}"
        self._sha256 = segmenter.weights_sha256
        self._limits = self._usable_limits()

    def outcome(self, course: Course) -> SubjectOutcome:
        """Follow a subject, or say why it cannot be."""
        try:
            return self._followed(course)
        except Exception as error:
            if isinstance(error, OutputError) and leaves_no_room(error):
                raise
            failure = describe_failure(Path(course.subject), error)
            if failure.code == "internal":
                trace = "".join(traceback.format_exception(error))
                failure = replace(failure, problem=trace, remedy="Report this traceback.")
            return SubjectOutcome(course.subject, len(course.visits), failure=failure)

    def _usable_limits(self) -> Limits | None:
        """The limits given, or those of the package if they were learnt with these weights."""
        limits = default_limits() if self._job.limits is None else self._job.limits
        if self._job.limits is not None:
            if limits.method != self._weights:
                self.notes.append(
                    f"The limits given are those of {limits.method}; changes measured with"
                    f" {self._weights} are held against them all the same."
                )
            return limits
        if limits.method == self._weights:
            return limits
        self.notes.append(
            f"The noise that comes with the package is that of {limits.method}, not of"
            f" {self._weights}: no change is held against it."
        )
        return None

    def _followed(self, course: Course) -> SubjectOutcome:
        course = self._with_results(course)
        if not course.visits:
            failure = Failure(
                "no-visit",
                f"{course.subject} has no visit that was segmented.",
                "See above why each scan failed.",
            )
            return SubjectOutcome(course.subject, 0, warnings=course.warnings, failure=failure)
        results = [
            read_results(self._out, visit, self._outcomes[visit.case].targets)
            for visit in course.visits
        ]
        self.results[course.subject] = results
        age = age_of(self._job.participants.get(course.subject, {}))
        metadata = [self._job.metadata(visit.sources[0]) for visit in course.visits]
        question = Question(
            *(self._out, self._limits, self._job.affine, age, metadata, self._job.fates)
        )
        basis = self._basis(course, question)
        path = summary_path(self._out, course.subject)
        earlier = _read_summary(path)
        if not self._job.job.force:
            unreadable = [path] if path.exists() and not earlier else []
            edited = unreadable or edited_files(self._out, earlier)
            if self._is_current(earlier, basis):
                return self._kept(course, earlier, edited)
            if edited:
                return self._blocked(course, edited[0])
        return self._write(follow(results, course, question), basis, earlier)

    def _write(
        self, followed: Followed, basis: str, earlier: Mapping[str, Any]
    ) -> SubjectOutcome:
        """Write what was found of a subject; what an earlier run wrote beside it goes."""
        written = Written(
            self._out,
            write_description(self._out, self._job.job.root),
            self._job.job.root,
            self._weights,
            self._sha256,
            self._job.job.plan_id,
        )
        staged, content = stage_followed(followed, written, basis)
        try:
            for file in staged:
                commit(file)
        finally:
            discard(staged)
        for name in set(earlier.get("Files", ())) - set(content["Files"]):
            (self._out / name).unlink(missing_ok=True)
        return SubjectOutcome(
            followed.course.subject,
            len(followed.course.visits),
            files=tuple(self._out / name for name in content["Files"]),
            notes=tuple(content["Notes"]),
            warnings=followed.warnings,
            answers=tuple(map(str, followed.answers)),
        )

    def _with_results(self, course: Course) -> Course:
        """The course without visits whose scans could not be segmented, and a word of them."""
        visits = tuple(
            visit
            for visit in course.visits
            if visit.case in self._outcomes and not self._outcomes[visit.case].failure
        )
        lost = [
            f"{visit.name} could not be segmented, and is left out."
            for visit in course.visits
            if visit not in visits
        ]
        return replace(course, visits=visits, warnings=(*course.warnings, *lost))

    def _basis(self, course: Course, question: Question) -> str:
        """Hash of all that the result depends on."""
        limits = question.limits
        parts: list[object] = [
            *(__version__, self._sha256, question.affine, question.age, course.warnings),
            [str(one) for one in question.fates],
            limits and write_limits(limits),
            [dict(about) for about in question.metadata],
        ]
        for visit in course.visits:
            record = read_record(record_path(self._out, visit.case)) or {}
            parts += [visit.name, str(visit.when), record.get("basis"), record.get("written")]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _is_current(self, earlier: Mapping[str, Any], basis: str) -> bool:
        files = earlier.get("Files", ())
        return earlier.get("Basis") == basis and all((self._out / f).exists() for f in files)

    def _blocked(self, course: Course, edited: Path) -> SubjectOutcome:
        failure = Failure(
            "edited",
            f"{edited} was changed after medprompt wrote it, and is not overwritten.",
            "Move it away to keep it, or overwrite it with --force.",
        )
        return SubjectOutcome(course.subject, len(course.visits), failure=failure)

    def _kept(
        self, course: Course, earlier: Mapping[str, Any], edited: Sequence[Path]
    ) -> SubjectOutcome:
        said = [f"{path} was changed after medprompt wrote it." for path in edited]
        return SubjectOutcome(
            course.subject,
            len(course.visits),
            kept=True,
            files=tuple(self._out / name for name in earlier["Files"]),
            notes=tuple(earlier["Notes"]),
            warnings=(*earlier["Warnings"], *said),
            answers=tuple(earlier.get("Answers", ())),
        )


def _read_summary(path: Path) -> dict[str, Any]:
    """What an earlier run wrote of a subject; empty if there is nothing of use."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
