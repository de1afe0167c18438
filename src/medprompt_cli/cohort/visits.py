"""Which scans of a subject are followed: one kind of image that every visit has.

Volumes of one kind of image can be compared over time; those of a T1w and a FLAIR cannot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import pairwise

from medprompt_cli.bids.derivatives import unit_name
from medprompt_cli.bids.entry import ImageEntry, joined
from medprompt_cli.cohort.subject import visits_of
from medprompt_cli.cohort.together import Sources, form_cases
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.geometry import Geometry

FOR_STRUCTURES = ("T1w", "T1ce", "T2w", "FLAIR")
FOR_LESIONS = ("FLAIR", "T2w", "T1ce", "T1w")
FOR_ENHANCING = ("T1ce", "FLAIR", "T2w", "T1w")
"""Kinds that are taken first where all visits have several. Own choice: the one on which such
regions are commonly measured."""

ENHANCING = frozenset({"enhancing-tumor", "metastasis", "meningioma"})

NO_DATES = "No dates are known: there are no changes a year."

UNKNOWN_KIND = "image"
"""What a scan is called whose name does not say its kind."""


@dataclass(frozen=True)
class FollowedVisit:
    """One visit and the scans of it that are followed.

    Attributes:
        name: The session, e.g. `ses-01`; another name where there is none.
        when: When it was; None if not known, or not of use.
        sources: The scan, or several that are read together.
    """

    name: str
    when: datetime | None
    sources: Sources

    @property
    def entry(self) -> ImageEntry:
        """The scan, or the name that several have together and the path of the first."""
        return joined(self.sources)

    @property
    def case(self) -> str:
        """Name of the case in records and tables."""
        return unit_name(self.entry)


@dataclass(frozen=True)
class Course:
    """The visits of one subject that are followed, in the order of time.

    Attributes:
        subject: Its label, with `sub-`.
        kind: Of the scans, e.g. `FLAIR`; of several read together all.
        visits: At least one, unless no visit has what is needed.
        warnings: Visits that were left out, and what else is wrong with the choice.
    """

    subject: str
    kind: str
    visits: tuple[FollowedVisit, ...]
    warnings: tuple[str, ...]


def find_courses(
    entries: Sequence[ImageEntry], targets: Collection[str], together: Sequence[str] = ()
) -> list[Course]:
    """The course of every subject, in the order of their labels.

    Args:
        entries: Scans of all subjects that may be followed.
        targets: Regions asked for: which kind shows them best decides between several.
        together: Kinds that are read together; none means one kind by itself.
    """
    subjects: dict[str, list[ImageEntry]] = {}
    for entry in entries:
        subjects.setdefault(entry.subject, []).append(entry)
    return [
        _course(subject, scans, targets, together)
        for subject, scans in sorted(subjects.items())
    ]


def _course(
    subject: str, scans: Sequence[ImageEntry], targets: Collection[str], together: Sequence[str]
) -> Course:
    if together:
        cases, refused = form_cases(scans, together)
        kind = "+".join(together)
        warnings = [outcome.failure.problem for outcome in refused if outcome.failure]
    else:
        kind, cases, warnings = _one_kind(scans, _preferred(targets))
        warnings += _mixed(scans, targets, kind)
    by_session = {sources[0].session: sources for sources in cases}
    order = [visit for visit in visits_of(scans) if visit.label in by_session]
    followed = [
        FollowedVisit(str(visit), _moment(visit.acquired), by_session[visit.label])
        for visit in order
    ]
    kept, doubts = _with_usable_dates(followed)
    return Course(subject, kind, kept, (*warnings, *doubts))


def _mixed(scans: Sequence[ImageEntry], targets: Collection[str], kind: str) -> list[str]:
    """A word on structures that are followed on a kind that was chosen for lesions."""
    lesions = set(LESIONS).intersection(targets)
    better = FOR_STRUCTURES[0]
    if not lesions or lesions >= set(targets) or kind == better:
        return []
    if better not in {_kind(scan) for scan in scans}:
        return []
    return [
        f"Structures are followed on {kind}, which was chosen for lesions; follow them on"
        f" {better} in a folder of their own, with --suffix {better}."
    ]


def _preferred(targets: Collection[str]) -> Sequence[str]:
    if ENHANCING.intersection(targets):
        return FOR_ENHANCING
    return FOR_LESIONS if set(LESIONS).intersection(targets) else FOR_STRUCTURES


def _one_kind(
    scans: Sequence[ImageEntry], preferred: Sequence[str]
) -> tuple[str, list[Sources], list[str]]:
    """The kind that most visits have, one scan of it at each, and what is to be said of it."""
    visits: dict[str | None, list[ImageEntry]] = {}
    for scan in scans:
        visits.setdefault(scan.session, []).append(scan)
    having = Counter(kind for found in visits.values() for kind in {_kind(s) for s in found})
    kind = min(having, key=lambda k: (-having[k], _rank(k, preferred), k))
    warnings = [
        f"{session} has no {kind}, which {having[kind]} of {len(visits)} visits have: it is"
        " left out."
        for session, found in visits.items()
        if kind not in {_kind(scan) for scan in found}
    ]
    alike = {
        session: [scan for scan in found if _kind(scan) == kind]
        for session, found in visits.items()
    }
    usual = Counter(_make(scan) for found in alike.values() for scan in found)
    cases: list[Sources] = []
    for session, found in alike.items():
        if not found:
            continue
        chosen = min(found, key=lambda scan: (-usual[_make(scan)], str(scan.path)))
        cases.append((chosen,))
        if len(found) > 1:
            warnings.append(
                f"{session or 'The one visit'} has {len(found)} scans of the kind {kind};"
                f" {chosen.path.name} is followed."
            )
    return kind, cases, warnings


def _kind(scan: ImageEntry) -> str:
    return scan.kind or UNKNOWN_KIND


def _rank(kind: str, preferred: Sequence[str]) -> int:
    return preferred.index(kind) if kind in preferred else len(preferred)


def _make(scan: ImageEntry) -> tuple[tuple[str, str], ...]:
    """The entities of a scan that visits share."""
    return tuple(sorted((k, v) for k, v in scan.entities.items() if k != "ses"))


def _moment(acquired: date | None) -> datetime | None:
    if acquired is None or isinstance(acquired, datetime):
        return acquired
    return datetime.combine(acquired, time.min)


def _with_usable_dates(
    visits: Sequence[FollowedVisit],
) -> tuple[tuple[FollowedVisit, ...], list[str]]:
    """The visits, without dates if these contradict the order that labels give."""
    dated = [visit for visit in visits if visit.when is not None]
    warnings: list[str] = []
    if 0 < len(dated) < len(visits):
        missing = ", ".join(visit.name for visit in visits if visit.when is None)
        warnings.append(f"The dates of {missing} are not known: order is that of the labels.")
    if any(b.when < a.when for a, b in pairwise(dated) if a.when and b.when):
        warnings.append("The dates contradict the order of the labels, and are not used.")
        return tuple(replace(visit, when=None) for visit in visits), warnings
    if len(visits) > 1 and not dated:
        warnings.append(NO_DATES)
    return tuple(visits), warnings


def scans_of(courses: Iterable[Course]) -> tuple[ImageEntry, ...]:
    """Every scan that is followed."""
    return tuple(s for course in courses for visit in course.visits for s in visit.sources)


@dataclass(frozen=True)
class Scanned:
    """What of a visit's scan may differ from another's.

    Attributes:
        geometry: Its grid.
        entry: Its names.
        metadata: Fields of its JSON files.
    """

    geometry: Geometry
    entry: ImageEntry
    metadata: Mapping[str, object]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distances between voxels."""
        return self.geometry.spacing


PROTOCOL = (
    *("Manufacturer", "ManufacturersModelName", "MagneticFieldStrength", "MRAcquisitionType"),
    *("EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "SliceThickness"),
)
"""Fields of JSON files whose change moves volumes."""

SAME_SPACING = 0.05
SAME_NUMBER = 0.01
"""Relative differences up to which voxel sizes and numbers of a protocol are the same. Own
choice: what scanners round."""

PROTOCOL_ENTITIES = ("acq", "ce", "rec", "part", "mod")


def protocol_differences(one: Scanned, other: Scanned) -> list[str]:
    """What makes the scans of two visits different, in words; their volumes differ for it."""
    found: list[str] = []
    sizes = [sorted(scan.spacing_mm) for scan in (one, other)]
    if any(_differ(a, b, SAME_SPACING) for a, b in zip(*sizes, strict=True)):
        found.append(f"voxels of {_size(one)} and {_size(other)} mm")
    for name in PROTOCOL_ENTITIES:
        values = [scan.entry.entities.get(name) for scan in (one, other)]
        if values[0] != values[1]:
            found.append(f"{name} {values[0] or 'none'} and {values[1] or 'none'}")
    for name in PROTOCOL:
        a, b = one.metadata.get(name), other.metadata.get(name)
        if a is not None and b is not None and _differ(a, b, SAME_NUMBER):
            found.append(f"{name} {a} and {b}")
    return found


def _size(scan: Scanned) -> str:
    return " x ".join(f"{step:.3g}" for step in scan.spacing_mm)


def _differ(a: object, b: object, share: float) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) > share * max(abs(a), abs(b))
    return a != b
