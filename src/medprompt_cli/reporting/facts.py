"""What is known of one subject: the only thing that a report may restate.

A fact is a row of a table, under an id that names the row, such as
`measurements:sub-01_ses-02_T1w:left-hippocampus:volume`. Sentences refer to facts by their
ids, and `reporting/verify.py` holds any text against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.certainty import Certainty, certainty_of
from medprompt_cli.domain.finding import Evidence
from medprompt_cli.domain.measurement import Status
from medprompt_cli.reporting.limits import Limits, Verdict

VOLUMES = ("soft-volume", "volume")
"""Of a structure, the volume that is read: the first there is."""

LESION_VOLUMES = ("volume", "soft-volume")
"""The same of a lesion: that of the mask, which is the sum of those of its pieces."""

STRUCTURE_IMAGES = ("T1w", "T1ce", "T2w", "PDw", "FLAIR", "T2starw", "CT")
LESION_IMAGES = ("FLAIR", "T2w", "T1ce", "T1w", "dwi", "PDw", "T2starw", "CT")
"""Of a visit with several images, the ones that structures and lesions are read on: the first
there is; of others the first by name."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A session.

    Attributes:
        name: With its `ses-` prefix; empty if the subject has no sessions.
        when: Its day; None if not known.
    """

    name: str
    when: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFact:
    """An image that was read.

    Attributes:
        id: Of the fact.
        visit: Name of the visit.
        case: Name of the image.
        kind: E.g. `T1w`.
        spacing_mm: Length of a voxel's edges; empty if not known.
        shape: Voxels along each axis; empty if not known.
    """

    id: str
    visit: str
    case: str
    kind: str
    spacing_mm: tuple[float, ...] = ()
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFact:
    """A row of `measurements`, or of `lesions` if it is of one instance.

    Attributes:
        id: Of the fact.
        visit: Name of the visit.
        case: Name of the case.
        kind: Of its image, e.g. `T1w`.
        region: E.g. `left-hippocampus`.
        instance: Number of the piece; None if the whole region is meant.
        quantity: One of `domain/quantities.py`.
        value: In `unit`; None unless measured.
        unit: UCUM code.
        status: As in `domain/measurement.py`.
        low: Lower end of the interval; None if not estimated.
        high: Upper end of it.
        presence: Probability that the region is there; None if not estimated.
        qc: pass, review or fail; None if not judged.
        qc_reasons: Why it does not pass; empty if it does.
        limits: What it is held against; None if against nothing.
        other: Of a ratio the region that it is to; empty if not known.
        detection_limit_ml: Of an absent lesion, the volume below which one may be there
            unseen; None if not known.
    """

    id: str
    visit: str
    case: str
    kind: str
    region: str
    quantity: str
    value: float | None
    unit: str
    status: Status
    instance: int | None = None
    low: float | None = None
    high: float | None = None
    presence: float | None = None
    qc: str | None = None
    qc_reasons: str = ""
    limits: Limits | None = None
    other: str = ""
    detection_limit_ml: float | None = None

    @property
    def verdict(self) -> Verdict | None:
        """Whether it lies below, within or above its limits; None if there are none."""
        if self.value is None or self.limits is None:
            return None
        return self.limits.verdict(self.value)

    @property
    def certainty(self) -> Certainty | None:
        """How sure it is that the region is there, or, if it is absent, that it is not."""
        if self.presence is None:
            return None
        return certainty_of(1 - self.presence if self.status == "absent" else self.presence)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFact:
    """A row of `findings`; see `domain/finding.py`.

    Attributes:
        id: Of the fact.
        visit: Name of the visit.
        case: Name of the case.
        kinds: Of the images that show it.
        region: What was looked at.
        feature: Which property of it.
        value: In one word; None unless measured.
        probability: That the value is right; None if not estimated.
        status: As in `domain/measurement.py`.
        instance: Number of the piece; None if the whole region is meant.
        evidence: Numbers by their names.
        notes: What a reader has to know beside it.
    """

    id: str
    visit: str
    case: str
    kinds: tuple[str, ...]
    region: str
    feature: str
    value: str | None
    probability: float | None
    status: Status
    instance: int | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict, hash=False)
    notes: str = ""

    @property
    def certainty(self) -> Certainty | None:
        """The probability in words; None where there is none."""
        return None if self.probability is None else certainty_of(self.probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact:
    """A row of `changes`: one quantity at two visits; its columns say what each number is."""

    id: str
    visit: str
    earlier: str
    region: str
    quantity: str
    unit: str
    status: Status
    first: float | None = None
    second: float | None = None
    days: float | None = None
    absolute: float | None = None
    absolute_low: float | None = None
    absolute_high: float | None = None
    percent: float | None = None
    percent_low: float | None = None
    percent_high: float | None = None
    annual_compound_percent: float | None = None
    limit_percent: float | None = None
    exceeds_limit: bool | None = None
    warnings: str = ""
    kind: str = ""

    @property
    def direction(self) -> int | None:
        """1 if it grew, -1 if it shrank, 0 if neither; None if not known."""
        if self.absolute is None:
            return None
        return (self.absolute > 0) - (self.absolute < 0)

    @property
    def untold(self) -> bool:
        """Whether it can be told to be neither real nor noise: its interval holds 0."""
        if self.exceeds_limit is not None or self.percent_low is None:
            return False
        return self.percent_low < 0 < (self.percent_high or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FateFact:
    """A row of `ledger`: one lesion at one visit.

    Attributes:
        id: Of the fact.
        visit: Name of the visit.
        region: What it is a lesion of, e.g. `ms-lesion`.
        lesion: Its id, the same at every visit; not the number of an instance.
        status: As in `domain/measurement.py`.
        volume_ml: None unless measured.
        fate: Since it was last seen; None where there is none.
        related: Ids of lesions it merged with or split from.
        before_ml: Volume at the visit it was last seen at; None if it was not seen before.
        before: Name of that visit; None if there is none.
        before_id: Id of its fact; None if there is none.
        untold: Whether it has no fate though both visits could be used: masks alone, or masks
            against images, do not tell it.
    """

    id: str
    visit: str
    region: str
    lesion: int
    status: Status
    volume_ml: float | None
    fate: str | None
    related: tuple[int, ...] = ()
    before_ml: float | None = None
    before: str | None = None
    before_id: str | None = None
    untold: bool = False


Fact = ImageFact | NumberFact | FindingFact | ChangeFact | FateFact


@dataclass(frozen=True)
class Facts:
    """All that is known of one subject.

    Attributes:
        subject: With its `sub-` prefix.
        visits: In order.
        images: That were read.
        numbers: Of regions and of single lesions.
        findings: What regions are like.
        changes: Between visits.
        fates: Of lesions.
        versions: Programs and weights that made them, each as `name version`.
    """

    subject: str
    visits: tuple[Visit, ...] = ()
    images: tuple[ImageFact, ...] = ()
    numbers: tuple[NumberFact, ...] = ()
    findings: tuple[FindingFact, ...] = ()
    changes: tuple[ChangeFact, ...] = ()
    fates: tuple[FateFact, ...] = ()
    versions: tuple[str, ...] = ()

    @cached_property
    def rows(self) -> Mapping[str, Fact]:
        """Every fact by its id."""
        every = (*self.images, *self.numbers, *self.findings, *self.changes, *self.fates)
        return {fact.id: fact for fact in every}

    @property
    def last(self) -> Visit | None:
        """The last visit; None without any."""
        return self.visits[-1] if self.visits else None

    def before(self, visit: str) -> Visit | None:
        """The visit before one; None if it is the first."""
        names = [one.name for one in self.visits]
        at = names.index(visit) if visit in names else 0
        return self.visits[at - 1] if at else None

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Every region that anything is known of, in the order of the tables."""
        every = (*self.numbers, *self.findings, *self.changes, *self.fates)
        return tuple(dict.fromkeys(fact.region for fact in every))

    def read_on(self, region: str, visit: str) -> str | None:
        """The case that a region of a visit is read on; None if it was measured on none."""
        return self._cases.get((region, visit))

    def kinds_read(self, visit: str, *, lesions: bool) -> frozenset[str]:
        """Kinds of image that the structures, or the lesions, of a visit are read on."""
        kinds = {fact.case: fact.kind for fact in self.numbers if fact.visit == visit}
        cases = (
            self.read_on(name, visit) for name in self.regions if is_lesion(name) == lesions
        )
        return frozenset(kinds[case] for case in cases if case and kinds.get(case))

    @cached_property
    def _cases(self) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], dict[str, str]] = {}
        for fact in (*self.numbers, *self.findings):
            kind = fact.kind if isinstance(fact, NumberFact) else "+".join(fact.kinds)
            found.setdefault((fact.region, fact.visit), {}).setdefault(fact.case, kind)
        return {key: _preferred(key[0], cases) for key, cases in found.items()}

    @cached_property
    def _instances(self) -> dict[tuple[str, str], tuple[int, ...]]:
        found: dict[tuple[str, str], set[int]] = {}
        for fact in (*self.numbers, *self.findings):
            of_case = fact.case == self.read_on(fact.region, fact.visit)
            if of_case and fact.instance is not None:
                found.setdefault((fact.region, fact.visit), set()).add(fact.instance)
        return {key: tuple(sorted(numbers)) for key, numbers in found.items()}

    def numbers_of(
        self, region: str, visit: str, instance: int | None = None
    ) -> dict[str, NumberFact]:
        """What was measured of a region at a visit, on the case that it is read on."""
        return self._numbers.get((region, visit, instance), {})

    @cached_property
    def _numbers(self) -> dict[tuple[str, str, int | None], dict[str, NumberFact]]:
        found: dict[tuple[str, str, int | None], dict[str, NumberFact]] = {}
        for fact in self.numbers:
            if fact.case == self.read_on(fact.region, fact.visit):
                key = (fact.region, fact.visit, fact.instance)
                found.setdefault(key, {}).setdefault(fact.quantity, fact)
        return found

    def findings_of(
        self, region: str, visit: str, instance: int | None = None
    ) -> tuple[FindingFact, ...]:
        """What is said of a region at a visit, of the case that it is read on."""
        case = self.read_on(region, visit)
        key = (region, visit, instance, case)
        return tuple(
            fact
            for fact in self.findings
            if (fact.region, fact.visit, fact.instance, fact.case) == key
        )

    def followed(self, earlier: str, visit: str) -> bool:
        """Whether anything was compared between two visits."""
        compared = any((one.earlier, one.visit) == (earlier, visit) for one in self.changes)
        return compared or any(one.visit == visit for one in self.fates)

    def instances(self, region: str, visit: str) -> tuple[int, ...]:
        """Numbers of the pieces of a lesion at a visit, the largest first."""
        return self._instances.get((region, visit), ())


@lru_cache(maxsize=1 << 12)
def is_lesion(region: str) -> bool:
    """Whether a region is pathological: of the vocabulary, or a part of such a one.

    >>> is_lesion("tumor"), is_lesion("largest-lesion"), is_lesion("left-hippocampus")
    (True, True, False)
    """
    return region in LESIONS or any(region.endswith(f"-{name}") for name in LESIONS)


def volume_of(numbers: Mapping[str, NumberFact]) -> NumberFact | None:
    """Of all numbers of a region its volume: the one that was measured, if any was."""
    lesion = any(is_lesion(fact.region) for fact in numbers.values())
    order = LESION_VOLUMES if lesion else VOLUMES
    found = [numbers[name] for name in order if name in numbers]
    measured = (fact for fact in found if fact.status == "measured")
    return next(measured, found[0] if found else None)


def _preferred(region: str, cases: Mapping[str, str]) -> str:
    """The case that a region is read on, of several and their kinds."""
    order = LESION_IMAGES if is_lesion(region) else STRUCTURE_IMAGES

    def rank(case: str) -> tuple[int, str]:
        kinds = cases[case].split("+")
        return min((order.index(k) if k in order else len(order)) for k in kinds), case

    return min(cases, key=rank)
