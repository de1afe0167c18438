"""The tables of a subject's page: facts as rows, each cell under the id of its fact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from medprompt_cli.domain.measurement import STATUSES
from medprompt_cli.domain.quantities import QUANTITIES
from medprompt_cli.reporting.facts import (
    LESION_VOLUMES,
    VOLUMES,
    ChangeFact,
    Facts,
    FateFact,
    FindingFact,
    NumberFact,
    is_lesion,
)
from medprompt_cli.reporting.printed import NOTHING, number_text, with_interval

CENTRE = ("centroid-r", "centroid-a", "centroid-s")
LEFT_OUT = frozenset(
    ("voxels", "finite-voxels", *(name for name in QUANTITIES if name.startswith("box-")))
)
"""Quantities that pages do not show; tables hold them."""

UNIT_WORDS = {"mm2": "mm²", "[hnsf'U]": "HU", "1": ""}

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: What it shows.
        facts: Ids of the facts it states.
        number: Whether it holds a number, or would.
        about: What it says when pointed at.
    """

    text: str
    facts: tuple[str, ...] = ()
    number: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        cells: One for each column.
        case: Name of the scan that it is of.
        place: Where it leads in the viewer: see `ShownCase.places`; '' if nowhere.
    """

    cells: tuple[Cell, ...]
    case: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        title: Above it; '' for none.
        head: Its columns.
        rows: In order.
        rest: Rows that are folded away at first.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    rest: tuple[Row, ...] = ()


def place_key(region: str, instance: int | None) -> str:
    """The key of a place in `ShownCase.places`."""
    return region if instance is None else f"{region}#{instance}"


def numbers_tables(facts: Facts, words: Words, *, lesions: bool) -> list[Table]:
    """What was measured, a table for each scan, a row for each region or each lesion."""
    by_case: dict[str, list[NumberFact]] = {}
    for fact in facts.numbers:
        if (fact.instance is not None) == lesions:
            by_case.setdefault(fact.case, []).append(fact)
    return [table for case, found in by_case.items() for table in _numbers(case, found, words)]


def _numbers(case: str, facts: Sequence[NumberFact], words: Words) -> Iterable[Table]:
    """One table for regions with a place, and one for what is derived of several."""
    by_region: dict[tuple[str, int | None], dict[str, list[NumberFact]]] = {}
    for fact in facts:
        region = by_region.setdefault((fact.region, fact.instance), {})
        region.setdefault(fact.quantity, []).append(fact)
    placed = {key for key, found in by_region.items() if CENTRE[0] in found}
    for keys in (placed, by_region.keys() - placed):
        shape = _Shape.of([f for f in facts if (f.region, f.instance) in keys])
        rows = tuple(
            Row(shape.cells(key, found, words), case, place_key(*key))
            for key, found in by_region.items()
            if key in keys
        )
        if rows:
            yield Table(case if keys is placed or not placed else "", shape.head(words), rows)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which columns a table of numbers has.

    Attributes:
        units: Of every quantity that has a column, in their order.
        pieces: Whether rows are of single pieces.
        places: Whether rows have a centre.
        presence: Whether any row has it.
        quality: Whether any row has it.
    """

    units: Mapping[str, set[str]]
    pieces: bool
    places: bool
    presence: bool
    quality: bool

    @classmethod
    def of(cls, facts: Sequence[NumberFact]) -> _Shape:
        pieces = any(fact.instance is not None for fact in facts)
        units: dict[str, set[str]] = {}
        for fact in facts:
            units.setdefault(fact.quantity, set()).add(fact.unit)
        for name in (*LEFT_OUT, *CENTRE, *(("count",) if pieces else ())):
            units.pop(name, None)  # there is one piece of a piece
        order = [*VOLUMES[::-1], *QUANTITIES]
        ordered = sorted(units, key=lambda q: order.index(q) if q in order else len(order))
        return cls(
            {quantity: units[quantity] for quantity in ordered},
            pieces,
            any(fact.quantity == CENTRE[0] for fact in facts),
            any(fact.presence is not None for fact in facts),
            any(fact.qc is not None for fact in facts),
        )

    def head(self, words: Words) -> tuple[str, ...]:
        return (
            words["region"],
            *((words["number"],) if self.pieces else ()),
            *(_head(quantity, units) for quantity, units in self.units.items()),
            *((words["centre"],) if self.places else ()),
            *((words["presence"],) if self.presence else ()),
            *((words["quality"],) if self.quality else ()),
        )

    def cells(
        self,
        place: tuple[str, int | None],
        found: Mapping[str, Sequence[NumberFact]],
        words: Words,
    ) -> tuple[Cell, ...]:
        region, instance = place
        first = next(iter(found.values()))[0]
        presence = number_text(first.presence, 2)
        cells = [_number(found.get(q, ()), units, words) for q, units in self.units.items()]
        return (
            Cell(region.replace("-", " ")),
            *((Cell(str(instance), number=True),) if self.pieces else ()),
            *_once(cells, words),
            *((_centre(found),) if self.places else ()),
            *((Cell(presence, number=True),) if self.presence else ()),
            *((Cell(first.qc or NOTHING, about=first.qc_reasons),) if self.quality else ()),
        )


def _once(cells: Sequence[Cell], words: Words) -> Iterable[Cell]:
    """The same cells, without an interval or a status that one before has said."""
    said: set[str] = set()
    statuses = {words[status] for status in STATUSES}
    for cell in cells:
        number, _, rest = cell.text.partition(" (")
        key = rest or (number if number in statuses else "")
        short = number if rest else NOTHING
        yield replace(cell, text=short) if key in said else cell
        said |= {key} - {""}


def _head(quantity: str, units: Iterable[str]) -> str:
    name = quantity.replace("-", " ")
    words = {_unit(unit) for unit in units} - {""}
    return f"{name} ({words.pop()})" if len(words) == 1 else name


def _number(facts: Sequence[NumberFact], units: set[str], words: Words) -> Cell:
    """One number, or one of each image; what was not measured says why."""
    if not facts:
        return Cell(NOTHING, number=True)
    texts = []
    for fact in facts:
        text = with_interval(fact.value, fact.low, fact.high)
        unit = _unit(fact.unit) if len(units) > 1 else ""
        measured = fact.status == "measured"
        texts.append(f"{text} {unit}".rstrip() if measured else words[fact.status])
    kinds = {fact.kind for fact in facts}
    about = ", ".join(fact.kind for fact in facts) if len(kinds) > 1 else ""
    return Cell(" / ".join(texts), tuple(f.id for f in facts), number=True, about=about)


def _centre(found: Mapping[str, Sequence[NumberFact]]) -> Cell:
    facts = [found[name][0] for name in CENTRE if name in found]
    if len(facts) < len(CENTRE) or any(fact.value is None for fact in facts):
        return Cell(NOTHING, number=True)
    text = ", ".join(str(round(fact.value or 0.0)) for fact in facts)
    return Cell(text, tuple(fact.id for fact in facts), number=True)


def findings_table(facts: Sequence[FindingFact], words: Words) -> Table:
    """What regions are like."""
    names = ("region", "number", "feature", "value", "probability", "status", "evidence")
    head = (words["case"], *(words[name] for name in names), words["notes"])
    rows = [
        Row(
            (
                Cell(fact.case),
                Cell(fact.region.replace("-", " ")),
                Cell(NOTHING if fact.instance is None else str(fact.instance), number=True),
                Cell(fact.feature.replace("-", " ")),
                Cell(fact.value or NOTHING, (fact.id,)),
                Cell(number_text(fact.probability, 2), number=True),
                Cell(words[fact.status]),
                Cell(_evidence(fact)),
                Cell(fact.notes),
            ),
            fact.case,
            place_key(fact.region, fact.instance),
        )
        for fact in facts
    ]
    return Table("", head, tuple(rows))


def _evidence(fact: FindingFact) -> str:
    parts = (
        f"{name.replace('-', ' ')} {number_text(found.value)} {_unit(found.unit)}"
        for name, found in fact.evidence.items()
    )
    return "; ".join(part.strip() for part in parts)


def _unit(code: str) -> str:
    return UNIT_WORDS.get(code, code)


def changes_table(facts: Facts, words: Words) -> Table:
    """What changed between visits: volumes, then all else, folded away."""
    names = ("region", "quantity", "visits", "first", "second", "change", "percent", "a_year")
    head = (*(words[name] for name in names), words["noise"], words["read_as"])
    known = {(c.region, c.visit, c.quantity) for c in facts.changes}

    def is_main(fact: ChangeFact) -> bool:
        order = LESION_VOLUMES if is_lesion(fact.region) else VOLUMES
        of_pair = (name for name in order if (fact.region, fact.visit, name) in known)
        return fact.quantity == next(of_pair, None)

    rows = [(is_main(fact), _change(fact, facts, words)) for fact in facts.changes]
    return Table(
        "", head, tuple(r for main, r in rows if main), tuple(r for main, r in rows if not main)
    )


def _change(fact: ChangeFact, facts: Facts, words: Words) -> Row:
    unit = _unit(fact.unit)
    verdict = {True: words["beyond"], False: words["within"], None: words["unknown"]}
    measured = fact.status == "measured"
    said = verdict[fact.exceeds_limit] if measured else words[fact.status]
    change = with_interval(fact.absolute, fact.absolute_low, fact.absolute_high, sign=True)
    percent = with_interval(fact.percent, fact.percent_low, fact.percent_high, sign=True)
    cells = (
        Cell(fact.region.replace("-", " ")),
        Cell(fact.quantity.replace("-", " ") + (f" ({unit})" if unit else "")),
        Cell(f"{fact.earlier or NOTHING} → {fact.visit or NOTHING}", about=fact.warnings),
        Cell(number_text(fact.first), number=True),
        Cell(number_text(fact.second), number=True),
        Cell(change, (fact.id,), number=True),
        Cell(percent, number=True),
        Cell(number_text(fact.annual_compound_percent, 3, sign=True), number=True),
        Cell(number_text(fact.limit_percent, 3), number=True),
        Cell(said),
    )
    case = facts.read_on(fact.region, fact.visit) or ""
    return Row(cells, case, fact.region)


def followed_table(
    facts: Facts, words: Words, case_of: Callable[[str, str], str]
) -> Table | None:
    """Every lesion that was followed, a column for each visit; None if there is none.

    Args:
        facts: Of the subject.
        words: Of the page.
        case_of: The scan of a visit that a place can be shown on, by visit and place.
    """
    if not facts.fates:
        return None
    visits = [v.name for v in facts.visits if any(f.visit == v.name for f in facts.fates)]
    by_lesion: dict[tuple[str, int], dict[str, FateFact]] = {}
    for fact in facts.fates:
        by_lesion.setdefault((fact.region, fact.lesion), {})[fact.visit] = fact
    rows = []
    for (region, lesion), found in by_lesion.items():
        place = f"{region}@{lesion}"
        seen = [name for name in visits if name in found and found[name].volume_ml is not None]
        cells = (
            Cell(region.replace("-", " ")),
            Cell(str(lesion), number=True),
            *(_fate(found.get(name), words) for name in visits),
        )
        rows.append(Row(cells, case_of(seen[-1], place) if seen else "", place))
    head = (words["region"], words["lesion"], *(f"{name} (mL)" for name in visits))
    return Table("", head, tuple(rows))


def _fate(fact: FateFact | None, words: Words) -> Cell:
    if fact is None:
        return Cell(NOTHING, number=True)
    missing = fact.volume_ml is None
    text = words[fact.status] if missing else number_text(fact.volume_ml, 3)
    others = f" ({', '.join(map(str, fact.related))})" if fact.related else ""
    return Cell(f"{text} {fact.fate or ''}{others}".strip(), (fact.id,), number=True)
