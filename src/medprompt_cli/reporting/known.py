"""Facts as a text is held against them: literals to be read, and numbers by their roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.language.synonyms import GROUPS, LOBES, PARCELS, STRUCTURES, TERRITORIES
from medprompt_cli.reporting.english import FEATURES, QUANTITIES, SIGNALS, English
from medprompt_cli.reporting.facts import (
    LESION_IMAGES,
    STRUCTURE_IMAGES,
    ChangeFact,
    Facts,
    FateFact,
    FindingFact,
    NumberFact,
    is_lesion,
    volume_of,
)
from medprompt_cli.reporting.names import SIDES, name_of, split_side
from medprompt_cli.reporting.reasons import NEEDED
from medprompt_cli.reporting.scanning import Literal, Scanner
from medprompt_cli.reporting.terms import Term
from medprompt_cli.reporting.writing import Writer

ROLES: Mapping[str, str] = {
    "volume": "volume",
    "soft-volume": "volume",
    "visible-volume": "inside",
    "max-diameter": "diameter",
    "bidimensional": "product",
    "surface-area": "surface",
    "volume-asymmetry": "asymmetry",
    "soft-volume-asymmetry": "asymmetry",
    "volume-fraction-of-icv": "fraction",
    "soft-volume-fraction-of-icv": "fraction",
}
"""What a number is in a sentence, by its quantity; of others the quantity itself."""

VOCABULARY = frozenset({*STRUCTURES, *GROUPS, *LOBES, *PARCELS, *TERRITORIES, *LESIONS})
"""Names that every text may use; a region with another is known by its facts alone."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that a text may state.

    Attributes:
        value: In `unit`.
        unit: UCUM code; `d` for days.
        role: What it is: volume, diameter, percent, first, ...
        id: Of the fact that holds it.
        low: Lower end of its interval; None if it has none.
        high: Upper end.
    """

    value: float
    unit: str
    role: str
    id: str
    low: float | None = None
    high: float | None = None


class Known:
    """The facts of a subject, as a text about one visit is held against them.

    Args:
        facts: All of the subject.
        visit: Name of the visit that the text is about.
    """

    def __init__(self, facts: Facts, visit: str) -> None:
        self.facts, self.visit = facts, visit
        self.scanner = Scanner(_literals(facts))

    @cached_property
    def earlier(self) -> str | None:
        """Name of the visit before."""
        found = self.facts.before(self.visit)
        return found.name if found else None

    @cached_property
    def regions(self) -> frozenset[str]:
        """Every region that anything is known of, with places of lesions."""
        places = {f.value for f in self.facts.findings if f.feature in {"lobe", "territory"}}
        return frozenset({*self.facts.regions, *filter(None, places)})

    def knows(self, regions: Sequence[str]) -> bool:
        """Whether there are facts about regions; of a pair either side is enough."""
        return all(
            region in self.regions or any(f"{side}-{region}" in self.regions for side in SIDES)
            for region in regions
        )

    def lesion_kinds(self, kind: str) -> tuple[str, ...]:
        """Regions that a kind of lesion may be: `lesion` is any, where none has that name."""
        if kind != "lesion" or kind in self.regions:
            return (kind,)
        return tuple(region for region in self.facts.regions if is_lesion(region)) or (kind,)

    def volume(self, region: str, visit: str | None = None) -> NumberFact | None:
        """The volume of a region at a visit, or why there is none."""
        return volume_of(self.facts.numbers_of(region, visit or self.visit))

    @cached_property
    def _writer(self) -> Writer:
        visit = next(one for one in self.facts.visits if one.name == self.visit)
        return Writer(self.facts, English(), visit)

    @cached_property
    def held(self) -> tuple[NumberFact, ...]:
        """Volumes that are held against limits."""
        return tuple(self._writer.held())

    @cached_property
    def changes(self) -> Mapping[str, tuple[ChangeFact, ...]]:
        """Changes of volumes since the visit before, by region."""
        found: dict[str, tuple[ChangeFact, ...]] = {}
        for change in self.facts.changes:
            if change.visit == self.visit and change.quantity in {"soft-volume", "volume"}:
                found[change.region] = (*found.get(change.region, ()), change)
        return found

    def change(self, region: str, earlier: str | None = None) -> ChangeFact | None:
        """How the volume of a region changed since a visit; since the one before if None."""
        since = earlier if earlier is not None else self.earlier
        found = [one for one in self.changes.get(region, ()) if one.earlier == since]
        lesion = is_lesion(region)  # of a lesion the mask counts, of a structure the soft one
        found.sort(
            key=lambda one: (one.status != "measured", (one.quantity == "volume") != lesion)
        )
        return found[0] if found else None

    def missing(self, region: str, visit: str, role: str) -> NumberFact | None:
        """A number of a region that was not measured, by what it is in a sentence."""
        found = self.facts.numbers_of(region, visit).values()
        of_role = [one for one in found if ROLES.get(one.quantity, one.quantity) == role]
        unmeasured = (one for one in of_role if one.status != "measured")
        return next(unmeasured, of_role[0] if of_role else None)

    def moved(self) -> list[ChangeFact]:
        """Changes of volumes since the visit before."""
        return self._writer.changes()

    def judged(self) -> tuple[ChangeFact, ...]:
        """Changes since the visit before that are held against noise."""
        return tuple(one for one in self._writer.changes() if one.exceeds_limit is not None)

    def fates(self, region: str) -> tuple[FateFact, ...]:
        """What became of lesions since the visit before."""
        return tuple(one for one in self.facts.fates if one.region == region)

    def findings(
        self, region: str, visit: str, instances: Sequence[int | None]
    ) -> tuple[FindingFact, ...]:
        """What is said of some lesions, or of a region."""
        return tuple(
            finding
            for instance in instances
            for finding in self.facts.findings_of(region, visit, instance)
        )

    def numbers(
        self, region: str, visit: str, instance: int | None, image: str | None = None
    ) -> Iterator[Candidate]:
        """Numbers of a region at a visit.

        Args:
            region: Its name.
            visit: Name of the visit.
            instance: Number of the lesion; None if the whole region is meant.
            image: Kind of image they are of; None for the one that the region is read on.
        """
        if image is None:
            found = list(self.facts.numbers_of(region, visit, instance).values())
        else:
            key = (region, visit, instance, image)
            found = [
                fact
                for fact in self.facts.numbers
                if (fact.region, fact.visit, fact.instance, fact.kind) == key
            ]
        for fact in found:
            if fact.value is None:
                continue
            role = ROLES.get(fact.quantity, fact.quantity)
            yield Candidate(fact.value, fact.unit, role, fact.id, fact.low, fact.high)
            if fact.limits and fact.limits.z is not None:
                yield Candidate(fact.limits.z, "1", "z", fact.id)

    def changed(self, region: str, earlier: str | None) -> Iterator[Candidate]:
        """Numbers of how a region changed."""
        for one in self.changes.get(region, ()):
            if one.earlier != (earlier if earlier is not None else self.earlier):
                continue
            interval = (one.absolute_low, one.absolute_high)
            numbers = (
                ("first", one.first, one.unit, (None, None)),
                ("second", one.second, one.unit, (None, None)),
                ("absolute", one.absolute, one.unit, interval),
                ("percent", one.percent, "%", (one.percent_low, one.percent_high)),
                ("annual", one.annual_compound_percent, "%", (None, None)),
                ("noise", one.limit_percent, "%", (None, None)),
            )
            for role, value, unit, (low, high) in numbers:
                if value is not None:
                    yield Candidate(value, unit, role, one.id, low, high)

    def days(self, earlier: str | None) -> Iterator[Candidate]:
        """Days between the visit and an earlier one."""
        since = earlier if earlier is not None else self.earlier
        for one in self.facts.changes:
            if (one.visit, one.earlier) == (self.visit, since) and one.days is not None:
                yield Candidate(one.days, "d", "days", one.id)
                return
        when = {visit.name: visit.when for visit in self.facts.visits}
        now, then = when.get(self.visit), when.get(since or "")
        if now and then:
            yield Candidate(float((now - then).days), "d", "days", "")


def _literals(facts: Facts) -> Iterator[Literal]:
    """What only these facts know, as it may be written."""
    yield Literal(facts.subject, Term("plain", facts.subject))
    yield from (Literal(text, Term("plain", text)) for text in facts.versions)
    kinds = {*STRUCTURE_IMAGES, *LESION_IMAGES, *(image.kind for image in facts.images)}
    kinds |= {fact.kind for fact in facts.numbers if fact.kind}
    kinds |= {kind for needed in NEEDED.values() for kind in needed}
    yield from (Literal(kind, Term("image", kind)) for kind in kinds)
    for visit in facts.visits:
        if visit.name:
            yield Literal(visit.name, Term("visit", visit.name))
        if visit.when:
            yield Literal(visit.when.isoformat(), Term("date", visit.name))
    yield from _region_literals(facts)
    yield from _word_literals(facts)


def _region_literals(facts: Facts) -> Iterator[Literal]:
    """Regions whose names are not in the vocabulary, such as those of a user's labels."""
    for region in facts.regions:
        side, kind = split_side(region)
        if kind not in VOCABULARY:
            for name in {kind, name_of(kind, "en"), name_of(kind, "ko")}:
                yield Literal(name, Term("region", kind))
            if side:
                yield Literal(region, Term("region", region))


def _word_literals(facts: Facts) -> Iterator[Literal]:
    """Quantities, features and values that no table of words has."""
    for quantity in {fact.quantity for fact in facts.numbers}:
        if quantity not in ROLES and quantity not in QUANTITIES and quantity != "mean":
            yield Literal(quantity.replace("-", " "), Term("quantity", quantity))
    reasons = {one for fact in facts.numbers for one in fact.qc_reasons.split("; ")}
    yield from (Literal(reason, Term("qc", reason)) for reason in reasons if reason)
    for finding in facts.findings:
        worded = (finding.feature, finding.value) in FEATURES or finding.value in SIGNALS
        if finding.feature in {"lobe", "territory", "midline-shift"} or worded:
            continue
        if finding.value:
            yield Literal(finding.value, Term("said", finding.id))
        if finding.feature not in {feature for feature, _ in FEATURES} | {"signal"}:
            words = finding.feature.replace("-", " ")
            yield Literal(words, Term("feature", f"{finding.feature}="))
