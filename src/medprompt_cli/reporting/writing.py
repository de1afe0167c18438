"""Sentences about one visit, each with the facts it restates; sections are made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from medprompt_cli.domain.measurement import Status
from medprompt_cli.reporting.facts import (
    LESION_VOLUMES,
    VOLUMES,
    ChangeFact,
    Fact,
    Facts,
    FateFact,
    FindingFact,
    NumberFact,
    Visit,
    is_lesion,
    volume_of,
)
from medprompt_cli.reporting.names import SIDES, split_side
from medprompt_cli.reporting.reasons import NEEDED, Reason, why_no_shift, why_unlooked
from medprompt_cli.reporting.report import Sentence
from medprompt_cli.reporting.voice import OneLesion, Voice

MOST_LESIONS = 10
"""Lesions of a kind that are described one by one; of the others the sizes are said."""

FEATURE_ORDER = (
    *("lobe", "territory", "site", "signal", "enhancement", "diffusion-restriction"),
    "midline-crossing",
)
"""Where a lesion lies comes first, then what it looks like."""

UNTOLD = "untold"
"""Stands among the counts of fates for lesions whose fate cannot be told."""

SHIFT = ("brain", "midline-shift")


def refer(text: str, *facts: Fact | None) -> Sentence:
    """A sentence that restates some facts."""
    return Sentence(text, tuple(fact.id for fact in facts if fact is not None))


@dataclass(frozen=True)
class Writer:
    """What can be said of one visit.

    Attributes:
        facts: All of the subject.
        voice: The language.
        visit: Which one.
    """

    facts: Facts
    voice: Voice
    visit: Visit

    @property
    def earlier(self) -> Visit | None:
        """The visit before."""
        return self.facts.before(self.visit.name)

    def volume(self, region: str) -> NumberFact | None:
        """The volume of a region; None if nothing was asked of it."""
        return volume_of(self.facts.numbers_of(region, self.visit.name))

    def number(self, region: str, quantity: str) -> NumberFact | None:
        """Another number of a region; None unless it was measured."""
        found = self.facts.numbers_of(region, self.visit.name).get(quantity)
        return found if found and found.status == "measured" else None

    def sizes(self, kinds: Iterable[str], *, fractions: bool = False) -> list[Sentence]:
        """How large structures are, both sides in one sentence, then what is not known.

        Args:
            kinds: Names without side.
            fractions: Say which part of the intracranial volume they are.
        """
        said: list[Sentence] = []
        rest: list[NumberFact] = []
        for kind in kinds:
            sides = {side: self.volume(f"{side}-{kind}") for side in SIDES}
            left, right = sides["left"], sides["right"]
            if left and right and left.status == right.status == "measured":
                asymmetry = self.number(kind, f"{left.quantity}-asymmetry")
                text = self.voice.pair(kind, left, right, asymmetry)
                said.append(refer(text, left, right, asymmetry))
                continue
            for number in (self.volume(kind), left, right):
                if number is None:
                    continue
                if number.status == "measured":
                    said.append(self.size(number, fractions=fractions))
                else:
                    rest.append(number)
        return [*said, *self.unknown(rest)]

    def size(self, number: NumberFact, *, fractions: bool = False) -> Sentence:
        """How large one region is."""
        fraction = None
        if fractions and number.region != "intracranial":
            fraction = self.number(number.region, f"{number.quantity}-fraction-of-icv")
        return refer(self.voice.volume(number, fraction), number, fraction)

    def unknown(self, numbers: Sequence[NumberFact]) -> list[Sentence]:
        """Regions that were not measured, by the reason; and the part that is to be seen."""
        said = [refer(self.voice.absent(one), one) for one in numbers if one.status == "absent"]
        by_status: dict[Status, list[NumberFact]] = {}
        for number in numbers:
            if number.status != "absent":
                by_status.setdefault(number.status, []).append(number)
        for status, found in by_status.items():
            text = self.voice.not_assessed([one.region for one in found], Reason(status))
            said.append(refer(text, *found))
            inside = (self.number(one.region, "visible-volume") for one in found)
            said += [refer(self.voice.part_inside(part), part) for part in inside if part]
        return said

    def review(self, *, lesions: bool = False) -> list[Sentence]:
        """Structures, or lesions, whose masks are to be looked at, by the reasons."""
        by_reasons: dict[str, list[NumberFact]] = {}
        for region in self.facts.regions:
            number = self.volume(region) if is_lesion(region) == lesions else None
            if number and number.status == "measured" and number.qc == "review":
                by_reasons.setdefault(number.qc_reasons, []).append(number)
        return [
            refer(self.voice.review([one.region for one in found], reasons), *found)
            for reasons, found in by_reasons.items()
        ]

    def shift(self, *, brief: bool = False) -> list[Sentence]:
        """Whether the midline is shifted, or that nobody looked; in brief only the former."""
        region, feature = SHIFT
        for finding in self.facts.findings_of(region, self.visit.name):
            if finding.feature != feature:
                continue
            if finding.status == "measured":
                return [refer(self.voice.shift(finding, brief=brief), finding)]
            return [] if brief else [refer(self.voice.finding(finding), finding)]
        unasked = self.voice.unlooked("", feature, why_no_shift(self.facts, self.visit.name))
        return [] if brief else [Sentence(unasked)]

    def outside(self) -> list[NumberFact]:
        """Volumes outside of their limits, in the order of the tables."""
        return [one for one in self.held() if one.verdict in {"below", "above"}]

    def held(self) -> list[NumberFact]:
        """Volumes that are held against limits."""
        volumes = (self.volume(region) for region in self.facts.regions)
        return [one for one in volumes if one is not None and one.verdict is not None]

    def one_lesion(self, region: str, instance: int | None) -> OneLesion:
        """What is known of a lesion."""
        numbers = self.facts.numbers_of(region, self.visit.name, instance)
        measured = {name: one for name, one in numbers.items() if one.status == "measured"}
        return OneLesion(
            *(region, instance, volume_of(measured), measured.get("max-diameter")),
            measured.get("bidimensional"),
            self._findings(region, instance),
        )

    def _findings(self, region: str, instance: int | None) -> tuple[FindingFact, ...]:
        found = self.facts.findings_of(region, self.visit.name, instance)
        kept = [one for one in found if one.feature != SHIFT[1]]
        order = {feature: n for n, feature in enumerate(FEATURE_ORDER)}
        return tuple(sorted(kept, key=lambda one: order.get(one.feature, len(order))))

    def lesion(self, region: str, instance: int | None) -> list[Sentence]:
        """What one lesion is like; nothing if nothing is known of it."""
        lesion = self.one_lesion(region, instance)
        said = self._cut(region, instance)
        if lesion.facts:
            said.append(refer(self.voice.lesion(lesion), *lesion.facts))
        return said

    def _cut(self, region: str, instance: int | None) -> list[Sentence]:
        """What is to be seen of one of several lesions that the image cuts."""
        numbers = self.facts.numbers_of(region, self.visit.name, instance)
        volume, inside = volume_of(numbers), numbers.get("visible-volume")
        cut = volume is not None and volume.status == "truncated_fov" and instance is not None
        return [refer(self.voice.part_inside(inside), inside)] if cut and inside else []

    def lesions(self, region: str) -> list[Sentence]:
        """How many lesions of a kind there are, and what each is like."""
        total = self.volume(region)
        if total is None:
            return self._each(region)
        if total.status != "measured":
            return self.unknown([total])
        if not self.facts.instances(region, self.visit.name):
            return self.lesion(region, None)
        count = self.number(region, "count")
        said = refer(self.voice.lesions(count, total), count, total)
        about = (refer(self.voice.finding(one), one) for one in self._findings(region, None))
        return [said, *about, *self._each(region), *self._unlooked(region)]

    def _unlooked(self, region: str) -> list[Sentence]:
        """Features that nobody looked for in any lesion of a kind, and why."""
        numbers = (None, *self.facts.instances(region, self.visit.name))
        known = {one.feature for number in numbers for one in self._findings(region, number)}
        images = [one for one in self.facts.images if one.visit == self.visit.name]
        return [
            refer(self.voice.unlooked(region, one, why_unlooked(one, images)), *images)
            for one in NEEDED
            if one not in known
        ]

    def unasked(self) -> list[Sentence]:
        """That lesions were not looked for, if they were not."""
        if any(is_lesion(region) for region in self.facts.regions):
            return []
        return [Sentence(self.voice.not_assessed(["lesion"], Reason("not_asked")))]

    def _each(self, region: str) -> list[Sentence]:
        numbers = self.facts.instances(region, self.visit.name)
        first, rest = numbers[:MOST_LESIONS], numbers[MOST_LESIONS:]
        said = [sentence for number in first for sentence in self.lesion(region, number)]
        sizes = {number: self.one_lesion(region, number).volume for number in rest}
        # a range of numbers must not hold a lesion that was not measured
        for _, run in groupby(rest, lambda number: sizes[number] is None):
            known = [size for number in run if (size := sizes[number]) is not None]
            if known:
                said.append(refer(self.voice.further_lesions(known), *known))
        return said + [one for number in rest for one in self._cut(region, number)]

    def changes(self) -> list[ChangeFact]:
        """Of every region how its volume changed since the visit before."""
        if self.earlier is None:
            return []
        pair = (self.earlier.name, self.visit.name)
        found: dict[str, dict[str, ChangeFact]] = {}
        for change in self.facts.changes:
            if (change.earlier, change.visit) == pair and change.status == "measured":
                found.setdefault(change.region, {})[change.quantity] = change
        picked = (
            next((of[name] for name in _volumes(region) if name in of), None)
            for region, of in found.items()
        )
        return [change for change in picked if change is not None]

    def change(self, change: ChangeFact) -> Sentence:
        """What changed of one region."""
        return refer(self.voice.change(change), change)

    def no_change(self, changes: Sequence[ChangeFact]) -> list[Sentence]:
        """That nothing changed beyond noise, if that is so."""
        judged = [change for change in changes if change.exceeds_limit is not None]
        if not judged or any(change.exceeds_limit for change in judged):
            return []
        return [refer(self.voice.no_change(judged[0].earlier), *judged)]

    def fates(self, region: str) -> list[FateFact]:
        """What became of the lesions of a kind since the visit before."""
        return [
            fate
            for fate in self.facts.fates
            if (fate.visit, fate.region) == (self.visit.name, region) and fate.fate
        ]

    def untold(self, region: str) -> list[FateFact]:
        """Lesions of a kind of which it cannot be told what became of them."""
        return [
            fate
            for fate in self.facts.fates
            if (fate.visit, fate.region) == (self.visit.name, region) and fate.untold
        ]

    def followed_on(self, said: Sequence[ChangeFact]) -> list[Sentence]:
        """Kind of image that changes were measured on, if regions were read on another.

        Args:
            said: Changes that are said.
        """
        changes = self.changes()
        read = {
            lesions: self.facts.kinds_read(self.visit.name, lesions=lesions)
            for lesions in (False, True)
        }
        kinds = {one.kind for one in changes}
        same = all(one.kind in read[is_lesion(one.region)] for one in said)
        if same or len(kinds) != 1:
            return []
        return [refer(self.voice.followed_on(*kinds), *changes)]

    def unfollowed(self) -> list[Sentence]:
        """That change since the visit before was not assessed, if it was not."""
        if self.earlier is None or self.facts.followed(self.earlier.name, self.visit.name):
            return []
        return [Sentence(self.voice.unfollowed(self.earlier.name))]

    def fate(self, fate: FateFact) -> Sentence:
        """What became of one lesion."""
        joined = fate.fate in {"merged", "split"}
        before = None if joined else self.facts.rows.get(fate.before_id or "")
        return refer(self.voice.fate(fate), before, fate)

    def fate_counts(self, region: str, among: Sequence[str] = ()) -> list[Sentence]:
        """How many lesions met which fate; of all fates, or of some.

        Without any lesion that is new, that is said, too, unless some cannot be told.
        """
        fates, untold = self.fates(region), self.untold(region)
        if not (fates or untold) or self.earlier is None:
            return []
        earlier = self.earlier.name
        counted = [fate for fate in fates if not among or fate.fate in among]
        said = []
        if counted or untold:
            counts = Counter(fate.fate for fate in counted if fate.fate)
            counts += Counter({UNTOLD: len(untold)})
            said.append(refer(self.voice.fates(region, earlier, counts), *counted, *untold))
        if fates and not untold and not any(fate.fate == "new" for fate in fates):
            said.append(refer(self.voice.no_new(region, earlier), *fates))
        return said


def _volumes(region: str) -> tuple[str, ...]:
    return LESION_VOLUMES if is_lesion(region) else VOLUMES


def kinds_of(regions: Iterable[str]) -> list[str]:
    """Names without side, each once, in the order of the regions."""
    return list(dict.fromkeys(split_side(region)[1] for region in regions))
