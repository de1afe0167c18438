"""Facts to a report: what is said, and in which order.

    technique     what was scanned, what it was measured with, what it is compared with
    brain         brain, ventricles, midline
    limits        structures outside of their limits; without limits their sizes
    lesions       of each kind how many there are, and what each is like
    change        since the visit before, and what became of every lesion
    impression    the above in a few sentences

The same facts give the same report. What was not measured is said with its reason; what was
looked for and is not there is said, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from medprompt_cli.domain.anatomy import GROUPS
from medprompt_cli.domain.parcels import LOBES, PARCEL_NAMES, REGIONS
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.reporting.english import English
from medprompt_cli.reporting.facts import Facts, Visit, is_lesion
from medprompt_cli.reporting.korean import Korean
from medprompt_cli.reporting.names import split_side
from medprompt_cli.reporting.passages import PLACES, asked_sections, region_sections
from medprompt_cli.reporting.report import (
    LANGUAGES,
    Language,
    Mode,
    Report,
    Section,
    Sentence,
)
from medprompt_cli.reporting.voice import Title, Voice
from medprompt_cli.reporting.writing import MOST_LESIONS, Writer, kinds_of, refer

VOICES: Mapping[Language, type[Voice]] = {"en": English, "ko": Korean}

BRAIN = ("brain", "intracranial", "cerebrum", "cerebellum", "ventricles")
VENTRICLES = (
    *("lateral-ventricle", "inferior-lateral-ventricle", "third-ventricle"),
    *("fourth-ventricle", "csf"),
)
"""What the passage on brain and ventricles is about, in this order."""

FOLLOWED = (
    *("brain", "ventricles", "left-lateral-ventricle", "right-lateral-ventricle"),
    *("left-hippocampus", "right-hippocampus"),
)
"""Structures whose change is said where the noise of the method is not known."""

PARTS = frozenset({*PARCEL_NAMES, *GROUPS})
"""Regions that are parts of structures, or made of them: said only if they stand out."""

ACTIVE = ("new", "resolved", "enlarging")
"""Fates that an impression counts."""


@dataclass(frozen=True)
class Scope:
    """What a report is to be about.

    Attributes:
        mode: All of the visit; some regions, a passage each; what was asked.
        regions: Of the other modes; in the mode `region` none stands for wherever there are
            lesions.
        quantities: That were asked, as tables call them; findings by their features; none
            stands for all.
        visit: Name of the visit; the last if None.
    """

    mode: Mode = "global"
    regions: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    visit: str | None = None


def compose(
    facts: Facts,
    language: Language = "en",
    scope: Scope | None = None,
    provenance: Mapping[str, object] | None = None,
) -> Report:
    """Write the report of a subject.

    Args:
        facts: All that is known of it.
        language: One of `LANGUAGES`.
        scope: What it is about; all of the last visit if None.
        provenance: What made the facts.

    Raises:
        UsageError: If there is no such language or visit.
        InputError: If nothing is known of the subject.
    """
    scope = scope or Scope()
    if language not in VOICES:
        raise UsageError(
            f"There are no reports in {language!r}.",
            remedy=f"Use one of {', '.join(LANGUAGES)}.",
        )
    writer = Writer(facts, VOICES[language](), _visit(facts, scope.visit))
    notes: tuple[str, ...] = ()
    if scope.mode == "region":
        passages, notes = region_sections(writer, scope.regions, language)
        sections = [_technique(writer), *passages, _brain(writer)]
    elif scope.mode == "prompt":
        passages, notes = asked_sections(writer, scope.regions, scope.quantities, language)
        sections = [_technique(writer), *passages]
    else:
        sections = _global(writer)
    kept = tuple(section for section in sections if section.sentences)
    about = {**(provenance or {}), "Visit": writer.visit.name}
    return Report(facts.subject, language, scope.mode, kept, facts, about, notes)


def _visit(facts: Facts, wanted: str | None) -> Visit:
    if facts.last is None:
        raise InputError(
            f"Nothing was measured of {facts.subject}.",
            remedy="Run medprompt segment first.",
            code="nothing-measured",
        )
    if wanted is None:
        return facts.last
    found = next((visit for visit in facts.visits if visit.name == wanted), None)
    if found is None:
        raise UsageError(
            f"{facts.subject} has no visit {wanted!r}.",
            remedy=f"Use one of {', '.join(visit.name for visit in facts.visits)}.",
        )
    return found


def _global(writer: Writer) -> list[Section]:
    return [
        _technique(writer),
        _brain(writer),
        _structures(writer),
        _section(writer, "lesions", _lesions(writer)),
        _section(writer, "change", _change(writer)),
        _section(writer, "impression", _impression(writer)),
    ]


def _section(writer: Writer, title: Title, sentences: Sequence[Sentence]) -> Section:
    return Section(writer.voice.titles[title], tuple(sentences))


def _technique(writer: Writer) -> Section:
    facts, voice, visit = writer.facts, writer.voice, writer.visit
    images = [image for image in facts.images if image.visit == visit.name]
    said = [refer(voice.images(visit, images), *images)] if images else []
    said += _read_on(writer)
    if facts.versions:
        said.append(Sentence(voice.made_with(facts.versions)))
    changes = writer.changes()
    if writer.earlier is not None and (changes or facts.fates):
        days = next((change for change in changes if change.days), None)
        text = voice.compared(writer.earlier, days.days if days else None)
        said.append(refer(text, days))
    return _section(writer, "technique", said)


def _read_on(writer: Writer) -> list[Sentence]:
    """Which kind of image structures and lesions are read on, if that is one for all."""
    facts, visit = writer.facts, writer.visit.name
    said = []
    for lesions in (False, True):
        kinds = facts.kinds_read(visit, lesions=lesions)
        if len(kinds) == 1:
            [kind] = kinds
            images = (one for one in facts.images if (one.visit, one.kind) == (visit, kind))
            said.append(refer(writer.voice.read_on(kind, lesions=lesions), *images))
    return said


def _brain(writer: Writer) -> Section:
    known = kinds_of(writer.facts.regions)
    said = writer.sizes((name for name in BRAIN if name in known), fractions=True)
    said += writer.sizes(name for name in VENTRICLES if name in known)
    return _section(writer, "brain", [*said, *writer.shift()])


def _structures(writer: Writer) -> Section:
    """What is outside of its limits; where nothing is held against any, the sizes."""
    held, outside = writer.held(), writer.outside()
    kinds = [
        kind
        for kind in kinds_of(writer.facts.regions)
        if kind not in (*BRAIN, *VENTRICLES) and not is_lesion(kind) and not _is_part(kind)
    ]
    if not held:
        said = [*writer.sizes(kinds), *writer.review()]
        return _section(writer, "structures", said)
    said = [refer(writer.voice.outside(number), number) for number in outside]
    if len(outside) < len(held):
        text = writer.voice.none_outside(other=bool(outside))
        inside = [number for number in held if number not in outside]
        said.append(refer(text, *inside))
    volumes = (
        writer.volume(region)
        for region in writer.facts.regions
        if split_side(region)[1] in kinds
    )
    said += writer.unknown([one for one in volumes if one and one.status != "measured"])
    return _section(writer, "limits", [*said, *writer.review()])


def _is_part(kind: str) -> bool:
    return kind in PARTS or f"left-{kind}" in PARTS or kind in LOBES or kind in REGIONS


def _lesion_regions(writer: Writer) -> list[str]:
    return [region for region in writer.facts.regions if is_lesion(region)]


def _lesions(writer: Writer) -> list[Sentence]:
    said = [one for region in _lesion_regions(writer) for one in writer.lesions(region)]
    return [*said, *writer.review(lesions=True), *writer.unasked()]


def _change(writer: Writer) -> list[Sentence]:
    if writer.earlier is None:
        return [Sentence(writer.voice.no_earlier())]
    if said := writer.unfollowed():
        return said
    changes = writer.changes()
    beyond = [change for change in changes if change.exceeds_limit]
    unknown = [
        change
        for change in changes
        if change.exceeds_limit is None
        and (change.region in FOLLOWED or is_lesion(change.region))
    ]
    said = writer.followed_on([*beyond, *unknown])
    said += [writer.change(change) for change in (*beyond, *unknown)]
    said += writer.no_change(changes)
    for region in _lesion_regions(writer):
        said += writer.fate_counts(region)
        moved = [fate for fate in writer.fates(region) if fate.fate != "stable"]
        moved.sort(key=lambda fate: -max(fate.volume_ml or 0.0, fate.before_ml or 0.0))
        said += [writer.fate(fate) for fate in moved[:MOST_LESIONS]]
    return said


def _impression(writer: Writer) -> list[Sentence]:
    voice = writer.voice
    said = [one for region in _lesion_regions(writer) for one in _brief(writer, region)]
    held, outside = writer.held(), writer.outside()
    for verdict in ("below", "above"):
        found = [number for number in outside if number.verdict == verdict]
        if found:
            said.append(refer(voice.brief_outside(found), *found))
    if held and not outside:
        said.append(refer(voice.none_outside(other=False), *held))
    said += writer.shift(brief=True)
    changes = writer.changes()
    for direction in (-1, 1):
        moved = [c for c in changes if c.exceeds_limit and c.direction == direction]
        if moved:
            said.append(refer(voice.brief_changes(moved), *moved))
    said += writer.no_change(changes)
    for region in _lesion_regions(writer):
        said += writer.fate_counts(region, ACTIVE)
    return said or writer.sizes(["brain", "ventricles"])


def _brief(writer: Writer, region: str) -> list[Sentence]:
    """Whether there are lesions of a kind, and what the largest is like."""
    total = writer.volume(region)
    if total is None:
        return []
    if total.status != "measured":
        return writer.unknown([total])
    numbers = writer.facts.instances(region, writer.visit.name)
    largest = writer.one_lesion(region, numbers[0]) if numbers else None
    if largest is not None:
        said_of = tuple(one for one in largest.findings if one.feature in PLACES and one.value)
        largest = replace(largest, volume=None, product=None, findings=said_of)
    facts = largest.facts if largest else ()
    return [refer(writer.voice.brief_lesions(total, largest), total, *facts)]
