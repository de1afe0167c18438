"""Reports about some regions: a passage each, or what was asked of them.

The passages of the mode `region` are put together after AutoRG-Brain, which describes every
region by itself and adds ventricles and midline from what is said of the whole: a lesion is
described in the passage of the lobe that it lies in.

Source: AutoRG-Brain, arXiv:2407.16684.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from medprompt_cli.reporting.facts import (
    LESION_VOLUMES,
    VOLUMES,
    NumberFact,
    is_lesion,
)
from medprompt_cli.reporting.names import SIDES, name_of, split_side
from medprompt_cli.reporting.notes import NO_PLACES, nothing_known
from medprompt_cli.reporting.reasons import has_no_place
from medprompt_cli.reporting.report import Language, Section, Sentence
from medprompt_cli.reporting.writing import SHIFT, Writer, refer

PLACES = ("lobe", "territory")
"""Features whose value is a region."""

CHANGE = "change"
"""Among the quantities that were asked: what changed since the visit before."""

SAID_OF_REGIONS = ("max-diameter", "surface-area", "mean")
"""What is said of a region beside its volume."""

PLACE_QUANTITIES = frozenset(
    f"{what}-{axis}{end}"
    for what, ends in (("centroid", ("",)), ("box", ("-min", "-max")))
    for axis in "ras"
    for end in ends
)
"""Said only if they were asked for: where a region lies, in mm."""

VOLUME_WORDS = ("volume", "soft-volume", "visible-volume")


def region_sections(
    writer: Writer, regions: Sequence[str], language: Language
) -> tuple[list[Section], tuple[str, ...]]:
    """A passage for every region, and of which nothing is known.

    Args:
        writer: Of the visit.
        regions: Names, with a side or for both; none stands for wherever there are lesions.
        language: Of the titles.
    """
    if not regions:
        return _lesion_passages(writer, language)
    sections, nothing = _passages(writer, regions, language)
    return sections, nothing_known(nothing, language)


def _passages(
    writer: Writer, regions: Iterable[str], language: Language
) -> tuple[list[Section], list[str]]:
    """A passage for every region, each once, and those of which nothing is known."""
    sections: list[Section] = []
    nothing: list[str] = []
    for region in dict.fromkeys(regions):
        said = _passage(writer, region)
        if said:
            title = name_of(region, language)
            sections.append(Section(title[:1].upper() + title[1:], tuple(said)))
        else:
            nothing.append(region)
    return sections, nothing


def asked_sections(
    writer: Writer, regions: Sequence[str], quantities: Sequence[str], language: Language
) -> tuple[list[Section], tuple[str, ...]]:
    """What was asked of some regions, and of which nothing is known.

    Args:
        writer: Of the visit.
        regions: Names, with a side or for both; none stands for all there are.
        quantities: As tables call them, features, and `CHANGE`; none stands for all.
        language: Of the notes.
    """
    said: list[Sentence] = []
    nothing: list[str] = []
    for region in dict.fromkeys(regions or writer.facts.regions):
        found = _asked(writer, region, quantities)
        said += found
        if not found:
            nothing.append(region)
    rows = (writer.facts.rows[name] for one in said for name in one.references)
    others = {row.other for row in rows if isinstance(row, NumberFact)}
    kept = tuple(dict.fromkeys(said))  # a side is asked by itself, and as one of a pair
    nothing = [region for region in nothing if region not in others]
    return [Section(writer.voice.titles["asked"], kept)], nothing_known(nothing, language)


def _lesion_passages(
    writer: Writer, language: Language
) -> tuple[list[Section], tuple[str, ...]]:
    """A passage for each place of lesions, one for all other lesions, and what is to be noted.

    Where places were not measured, a passage for each kind of lesion.
    """
    kinds = [region for region in writer.facts.regions if is_lesion(region)]
    pieces = [(kind, number) for kind in kinds for number in _pieces(writer, kind)]
    places = {piece: _place_of(writer, *piece) for piece in pieces}
    if pieces and all(place is None for place in places.values()):
        return _passages(writer, kinds, language)[0], (NO_PLACES[language],)
    sections, _ = _passages(writer, filter(None, places.values()), language)
    rest = [piece for piece, place in places.items() if not place]
    said = [one for piece in rest for one in writer.lesion(*piece)]
    totals = [total for kind in kinds if (total := writer.volume(kind))]
    said += writer.unknown([total for total in totals if total.status != "measured"])
    other = Section(writer.voice.titles["elsewhere"], (*said, *writer.unasked()))
    return [*sections, *([other] if other.sentences else [])], ()


def _pieces(writer: Writer, kind: str) -> list[int | None]:
    """Numbers of the lesions of a kind; None for one that was not taken apart."""
    visit = writer.visit.name
    numbers = writer.facts.instances(kind, visit)
    whole = writer.one_lesion(kind, None) if not numbers else None
    return [*numbers, *([None] if whole and whole.facts else [])]


def _place_of(writer: Writer, kind: str, number: int | None) -> str | None:
    """Where a lesion lies: its lobe before its territory; '' in none, None if not known."""
    found = writer.facts.findings_of(kind, writer.visit.name, number)
    told = {one.feature: one for one in found if one.feature in PLACES}
    ordered = [told[feature] for feature in PLACES if feature in told]
    place = next((one.value for one in ordered if one.value), None)
    return place or ("" if any(map(has_no_place, ordered)) else None)


def _both(writer: Writer, region: str) -> list[str]:
    """A region, and its two sides if it was named without one."""
    if split_side(region)[0]:
        return [region]
    sided = [f"{side}-{region}" for side in SIDES]
    return [region, *(name for name in sided if name in writer.facts.regions)]


def _passage(writer: Writer, region: str) -> list[Sentence]:
    if is_lesion(region):
        return writer.lesions(region) + writer.fate_counts(region) + _changes(writer, [region])
    names = _both(writer, region)
    side, kind = split_side(region)
    if side is None:
        said = writer.sizes([kind], fractions=True)
    else:
        volume = writer.volume(region)
        measured = volume is not None and volume.status == "measured"
        said = [writer.size(volume, fractions=True)] if volume and measured else []
        said += writer.unknown([volume]) if volume and not measured else []
    for name in names:
        said += _outside(writer, name) + _numbers(writer, name, SAID_OF_REGIONS)
        said += _findings(writer, name, ())
    return said + _changes(writer, names) + _lesions_in(writer, names)


def _asked(writer: Writer, region: str, quantities: Sequence[str]) -> list[Sentence]:
    said: list[Sentence] = []
    names = _both(writer, region)
    for name in names:
        known = writer.facts.numbers_of(name, writer.visit.name)
        wanted = quantities or [one for one in known if one not in PLACE_QUANTITIES]
        said += _numbers(writer, name, _without_twins(wanted, known, name))
        said += _findings(writer, name, quantities)
        if is_lesion(name):
            said += [
                one
                for instance in writer.facts.instances(name, writer.visit.name)
                for one in _findings(writer, name, quantities, instance)
            ]
    return said + (_changes(writer, names) if CHANGE in quantities else [])


def _without_twins(
    wanted: Sequence[str], known: Mapping[str, NumberFact], region: str
) -> list[str]:
    """Quantities, of the two volumes and what is made of them only those of the one read."""
    first, second = LESION_VOLUMES if is_lesion(region) else VOLUMES

    def stands(name: str) -> bool:
        twin = known.get(f"{first}{name.removeprefix(second)}")
        return name.startswith(second) and twin is not None and twin.status == "measured"

    return [name for name in wanted if not stands(name)]


def _numbers(writer: Writer, region: str, quantities: Sequence[str]) -> list[Sentence]:
    """Numbers by the names of their quantities; of what was not measured the reason, once."""
    found = writer.facts.numbers_of(region, writer.visit.name)
    wanted = [found[name] for name in quantities if name in found]
    measured = [one for one in wanted if one.status == "measured"]
    said = [_number(writer, one) for one in measured]
    missing = [one for one in wanted if one.status != "measured"]
    if said or not missing:
        return said
    first = missing[0]
    if writer.volume(region) is None and first.status != "absent":
        return [refer(writer.voice.missing(first), first)]
    return writer.unknown([first])


def _number(writer: Writer, number: NumberFact) -> Sentence:
    if number.quantity == "visible-volume":
        return refer(writer.voice.part_inside(number), number)
    if number.quantity in VOLUME_WORDS:
        return refer(writer.voice.volume(number, None), number)
    return refer(writer.voice.quantity(number), number)


def _findings(
    writer: Writer, region: str, features: Sequence[str], instance: int | None = None
) -> list[Sentence]:
    found = writer.facts.findings_of(region, writer.visit.name, instance)
    kept = [one for one in found if one.feature != SHIFT[1] or one.status != "measured"]
    said = [
        refer(writer.voice.finding(one), one)
        for one in kept
        if not features or one.feature in features
    ]
    shift = len(kept) < len(found) and (not features or SHIFT[1] in features)
    return said + (writer.shift() if shift else [])


def _outside(writer: Writer, region: str) -> list[Sentence]:
    return [
        refer(writer.voice.outside(one), one)
        for one in writer.outside()
        if one.region == region
    ]


def _changes(writer: Writer, regions: Sequence[str]) -> list[Sentence]:
    found = [one for one in writer.changes() if one.region in regions]
    return [*writer.followed_on(found), *map(writer.change, found)]


def _lesions_in(writer: Writer, places: Sequence[str]) -> list[Sentence]:
    """Lesions that lie in a region."""
    visit = writer.visit.name
    return [
        sentence
        for region in writer.facts.regions
        if is_lesion(region)
        for instance in (None, *writer.facts.instances(region, visit))
        if any(
            finding.feature in PLACES and finding.value in places
            for finding in writer.facts.findings_of(region, visit, instance)
        )
        for sentence in writer.lesion(region, instance)
    ]
