"""Learn this method's own noise: of people scanned twice, how far volumes differ.

Visits of a subject are taken two by two in the order of time, the first with the second, the
third with the fourth. What is learnt goes to a TOML file for `medprompt
longitudinal --limits`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.images import read_image
from medprompt_cli.cohort.criteria import volumes_of
from medprompt_cli.cohort.outcome import Outcome, Summary
from medprompt_cli.cohort.run import Job, run_job
from medprompt_cli.cohort.visit_results import read_results
from medprompt_cli.cohort.visits import (
    NO_DATES,
    Course,
    FollowedVisit,
    Scanned,
    protocol_differences,
)
from medprompt_cli.domain.measurement import STATUSES, Measurement, Status
from medprompt_cli.errors import InputError
from medprompt_cli.execution.segment import Segments
from medprompt_cli.longitudinal.change import days_between
from medprompt_cli.longitudinal.repeatability import (
    Limits,
    default_limits,
    kind_of,
    learn,
    write_limits,
)

LIMITS_FILE = "repeatability.toml"

LEARNT = frozenset(
    {
        *("volume", "soft-volume", "volume-fraction-of-icv", "soft-volume-fraction-of-icv"),
        *("surface-area", "max-diameter", "bidimensional"),
    }
)
"""Quantities that are sizes: of a count or an asymmetry, percent say nothing."""

MOST_OVER = 1.5
"""Limits hold for voxels up to so many times as long as those learnt on. Own choice."""

MOST_DAYS = 90.0
"""Between the two scans of a pair, more may hold real change. Own choice."""


PairMeasured = tuple[Sequence[Measurement], Sequence[Measurement]]
"""Sizes of the first and of the second scan."""


@dataclass(frozen=True, slots=True)
class RetestRow:
    """What was learnt of one kind of region.

    Attributes:
        region: Its name without a side.
        quantity: Of it.
        differences_percent: Symmetrised, one for each pair and side, with their signs.
        variation_percent: Within-subject coefficient of variation.
        limit_percent: What 95 % of further differences stay within.
        default_percent: The limit that comes with the package; None if it has none that holds.
        beyond_left_out: How many differences are beyond the limit that the other pairs give by
            themselves; None with one pair.
        left_out: How many differences there are not, by the graver status of the two scans.
    """

    region: str
    quantity: str
    differences_percent: tuple[float, ...]
    variation_percent: float
    limit_percent: float
    default_percent: float | None
    beyond_left_out: int | None = None
    left_out: Mapping[Status, int] = field(default_factory=dict, hash=False)

    @property
    def left_out_said(self) -> str:
        """How many differences there are not, of how many, and why; empty if all are there."""
        return _said(self.left_out, len(self.differences_percent))

    @property
    def beyond_default(self) -> int | None:
        """How many of the differences the package's limit would call real change."""
        if self.default_percent is None:
            return None
        return sum(abs(d) > self.default_percent for d in self.differences_percent)


@dataclass(frozen=True)
class Calibrated:
    """What was learnt of a cohort.

    Attributes:
        segmented: Of every scan.
        pairs: Subject, and the names of the two visits.
        rows: Of every kind of region, in the order of the targets.
        file: Where the limits lie; None if nothing was learnt.
        notes: Which pairs were left out, and what else speaks against the limits.
    """

    segmented: Summary
    pairs: tuple[tuple[str, str, str], ...] = ()
    rows: tuple[RetestRow, ...] = ()
    file: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """That of segmenting; 1 if nothing was learnt."""
        return self.segmented.exit_code or int(self.file is None)


def run_calibration(
    job: Job,
    courses: Sequence[Course],
    metadata: Callable[[ImageEntry], Mapping[str, object]],
    segmenter: Segments,
) -> Calibrated:
    """Segment what is missing, compare every pair, and write the limits.

    Raises:
        InputError: If scans of several kinds would be mixed.
        OutputError: If the output folder cannot be written.
    """
    kind = one_kind(courses)
    segmented = run_job(job, segmenter)
    if segmented.stopped is not None:
        return Calibrated(segmented)
    outcomes = {outcome.name: outcome for outcome in segmented.outcomes}
    notes: list[str] = []
    pairs: list[tuple[str, str, str]] = []
    numbers: list[PairMeasured] = []
    longest = 0.0
    apart: list[float] = []
    for course, first, second in _pairs(courses, outcomes, notes):
        scans = [_scanned(visit, metadata) for visit in (first, second)]
        names = f"{course.subject} {first.name} and {second.name}"
        if differences := protocol_differences(*scans):
            notes.append(f"{names} are left out: they differ in {'; '.join(differences)}.")
            continue
        days = days_between(first.when, second.when)
        if days is not None and days > MOST_DAYS:
            notes.append(
                f"{names} lie {days:.0f} days apart: real change may be in the limits."
            )
            apart.append(days)
        longest = max(longest, *(max(scan.spacing_mm) for scan in scans))
        pairs.append((course.subject, first.name, second.name))
        numbers.append((_sizes(job.out, first, outcomes), _sizes(job.out, second, outcomes)))
    method = f"{segmenter.weights_name} {segmenter.weights_version}"
    said = f"{len(pairs)} pairs of {kind} of {job.root.name}, scanned twice"
    limits = learn(numbers, method, said, kind=kind, most_mm=round(MOST_OVER * longest, 3))
    rows = tuple(_rows(limits, _default(method, kind, longest), numbers))
    lost = list(_lost(rows, numbers))
    notes += lost
    if not limits.entries:
        return Calibrated(segmented, tuple(pairs), notes=(*notes, "Nothing was learnt."))
    comments = [*_too_long(apart, len(pairs)), *lost]
    write_file(job.out / LIMITS_FILE, write_limits(limits, comments).encode())
    return Calibrated(segmented, tuple(pairs), rows, job.out / LIMITS_FILE, tuple(notes))


def one_kind(courses: Sequence[Course]) -> str:
    """The kind of scan of all that have two visits.

    Raises:
        InputError: If they are of several kinds, or nobody has two visits.
    """
    kinds = Counter(course.kind for course in courses if len(course.visits) > 1)
    if len(kinds) == 1:
        return next(iter(kinds))
    if not kinds:
        raise InputError(
            f"Nobody of {len(courses)} subjects has two visits with one kind of scan.",
            remedy="Give people who were scanned twice, as sessions of one subject.",
            code="no-pairs",
        )
    told = ", ".join(f"{kind} of {count}" for kind, count in sorted(kinds.items()))
    raise InputError(
        f"Limits hold for one kind of scan; here are {told} subjects.",
        remedy="Choose one with --suffix, and calibrate each kind into a folder of its own.",
        code="several-kinds",
    )


def _pairs(
    courses: Sequence[Course], outcomes: Mapping[str, Outcome], notes: list[str]
) -> Iterator[tuple[Course, FollowedVisit, FollowedVisit]]:
    """Visits two by two; those that could not be segmented are left out, and said."""
    for course in courses:
        notes += [f"{course.subject}: {w}" for w in course.warnings if w != NO_DATES]
        usable = []
        for visit in course.visits:
            if visit.case in outcomes and not outcomes[visit.case].failure:
                usable.append(visit)
            else:
                notes.append(f"{course.subject} {visit.name} could not be segmented.")
        if len(usable) % 2:
            left = usable[-1].name
            notes.append(
                f"{course.subject} {left} is left out: it has no second scan beside it."
            )
        for first, second in zip(usable[::2], usable[1::2], strict=False):
            yield course, first, second


def _scanned(
    visit: FollowedVisit, metadata: Callable[[ImageEntry], Mapping[str, object]]
) -> Scanned:
    source = visit.sources[0]
    geometry = read_image(source.path, modality=source.modality).geometry
    return Scanned(geometry, visit.entry, metadata(source))


def _sizes(
    out: Path, visit: FollowedVisit, outcomes: Mapping[str, Outcome]
) -> list[Measurement]:
    found = read_results(out, visit, outcomes[visit.case].targets)
    return [m for m in found.measurements if m.quantity in LEARNT]


def _default(method: str, kind: str, longest_mm: float) -> Limits | None:
    """The limits of the package, if they are of these weights and such scans."""
    limits = default_limits()
    return limits if limits.method == method and limits.hold_for(kind, longest_mm) else None


def _rows(
    limits: Limits, default: Limits | None, numbers: Sequence[PairMeasured]
) -> Iterator[RetestRow]:
    each = [
        (learn([pair], "", ""), learn([*numbers[:n], *numbers[n + 1 :]], "", ""))
        for n, pair in enumerate(numbers)
    ]
    regions = dict.fromkeys(kind_of(r) for kinds in limits.entries.values() for r in kinds)
    for region in regions:
        learnt = (q for q in volumes_of(region) if region in limits.entries.get(q, {}))
        quantity = next(learnt, None)
        if quantity is not None:
            found = limits.entries[quantity][region]
            yield RetestRow(
                *(region, quantity, found.differences_percent),
                *(found.variation_percent, found.limit_percent),
                None if default is None else default.percent(region, quantity),
                _beyond_others(each, region, quantity),
                _left_out(numbers, region, quantity),
            )


def _left_out(numbers: Sequence[PairMeasured], region: str, quantity: str) -> dict[Status, int]:
    """Differences of a kind of region that cannot be taken, by the graver of two statuses."""
    found: Counter[Status] = Counter()
    for pair in numbers:
        own = [{(m.region, m.quantity): m for m in scan} for scan in pair]
        for side in {m.region for scan in pair for m in scan if kind_of(m.region) == region}:
            # What is absent has no soft volume, and its volume says so.
            both = [scan.get((side, quantity)) or scan.get((side, "volume")) for scan in own]
            statuses = [STATUSES.index("error" if m is None else m.status) for m in both]
            if any(statuses):
                found[STATUSES[max(statuses)]] += 1
    return dict(sorted(found.items()))


def _lost(rows: Sequence[RetestRow], numbers: Sequence[PairMeasured]) -> Iterator[str]:
    """Of which regions differences are lacking, one sentence each."""
    known = {row.region: row.left_out_said for row in rows}
    every = (m for pair in numbers for scan in pair for m in scan)
    for region in dict.fromkeys(kind_of(m.region) for m in every):
        nothing = _said(_left_out(numbers, region, "volume"), 0)
        if said := known.get(region, nothing):
            yield f"{region}: {said}."


def _said(left_out: Mapping[Status, int], learnt: int) -> str:
    lost = sum(left_out.values())
    return f"{lost} of {learnt + lost} left out: {', '.join(left_out)}" if lost else ""


def _too_long(days: Sequence[float], pairs: int) -> Iterator[str]:
    """That scans of some pairs lie far apart, for whoever reads the limits."""
    if days:
        yield (
            f"The scans of {len(days)} of {pairs} pairs lie more than {MOST_DAYS:.0f} days"
            f" apart, up to {max(days):.0f}: real change may be in the limits."
        )


def _beyond_others(
    each: Sequence[tuple[Limits, Limits]], region: str, quantity: str
) -> int | None:
    """How many differences of a pair are beyond what all other pairs say."""
    beyond: int | None = None
    for own, others in each:
        found, limit = own.of(region, quantity), others.percent(region, quantity)
        if found is not None and limit is not None:
            beyond = (beyond or 0) + sum(abs(d) > limit for d in found.differences_percent)
    return beyond
