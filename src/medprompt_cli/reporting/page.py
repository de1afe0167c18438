"""One subject's page: a single HTML file that needs nothing else, not even a network.

First the report, whose sentences lead to the rows they restate, and pictures that print; then
the viewer, the tables, and where everything comes from. Whatever is not markup of our own is
escaped: file names and notes may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from medprompt_cli import __version__
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.reporting.courses import course_plots
from medprompt_cli.reporting.drawn import Drawn, Place, ShownCase, draw
from medprompt_cli.reporting.facts import Facts, NumberFact
from medprompt_cli.reporting.mosaic import centre_of, closeup, mosaic
from medprompt_cli.reporting.niivue import Bundle, find_bundle
from medprompt_cli.reporting.page_words import PAGE_WORDS
from medprompt_cli.reporting.report import Report
from medprompt_cli.reporting.rows import (
    CENTRE,
    Row,
    Table,
    changes_table,
    findings_table,
    followed_table,
    numbers_tables,
    place_key,
)
from medprompt_cli.reporting.viewer import viewer_of

if TYPE_CHECKING:
    from jinja2 import Environment

CLOSEUPS = 6
"""So many lesions of a scan are shown from near."""

INDEX = "index.html"
"""The page of the cohort, in the same folder."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A link from a sentence to a row.

    Attributes:
        number: What the link shows.
        anchor: Where it leads.
        about: Id of the fact.
    """

    number: int
    anchor: str
    about: str


@dataclass(frozen=True, eq=False)
class Figure:
    """The pictures of a scan; none of one whose image could not be read.

    Attributes:
        case: The scan.
        drawn: What is shown of it.
        slices: In all three planes.
        closeups: Of lesions: the key of the place, what it is called, and the slices.
    """

    case: ShownCase
    drawn: Drawn | None
    slices: Markup
    closeups: tuple[tuple[str, str, Markup], ...]

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Names, without their sides, and colours of what has an outline."""
        shown = [region for region in self.drawn.regions if region.shown] if self.drawn else []
        kinds = {_without_side(region.name): region.color for region in shown}
        return list(kinds.items())


def subject_page(
    report: Report, cases: Sequence[ShownCase], *, bundle: Bundle | None = None
) -> str:
    """A subject's page.

    Args:
        report: What is said, with the facts that its tables show.
        cases: The scans, in the order of their visits.
        bundle: The viewer; the installed one if None, and none if that is not installed.

    Returns:
        HTML.
    """
    facts, words = report.facts, PAGE_WORDS[report.language]
    cases = [replace(case, places=_places(case, facts)) for case in cases]
    with ThreadPoolExecutor() as threads:  # arrays and pictures are made beside each other
        figures = list(threads.map(_figure, cases))
    scans = [figure.drawn for figure in figures if figure.drawn is not None]
    bundle = bundle or find_bundle()
    viewer = viewer_of(scans) if scans and bundle else None
    tables = _tables(facts, cases, words)
    anchors = _anchors(facts, tables.values(), cases)
    return (
        templates()
        .get_template("subject.html")
        .render(
            report=report,
            words=words,
            index=INDEX,
            version=__version__,
            sections=_sections(report, anchors),
            figures=figures,
            courses=course_plots(facts),
            viewer=viewer,
            regions=_regions(scans),
            bundle=bundle,
            tables=tables,
            anchors=anchors,
            inputs=[(case, image) for case in cases for image in case.images],
            images={fact.case: fact.id for fact in facts.images},
            provenance=list(_provenance(report, bundle if viewer else None)),
        )
    )


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates of pages: what they are given is escaped, and nothing may be missing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("medprompt_cli.reporting")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # scripts and styles are ours, and no templates: braces mean something else in them
    made.globals["source"] = lambda name: Markup(loader.get_source(made, name)[0])
    return made


def _places(case: ShownCase, facts: Facts) -> dict[str, Place]:
    """Centres that were measured on this scan, beside those that the case came with."""
    found: dict[str, dict[str, float]] = {}
    for fact in facts.numbers:
        if fact.case == case.name and fact.quantity in CENTRE and fact.value is not None:
            found.setdefault(_key_of(fact), {})[fact.quantity] = fact.value
    measured = {
        key: (centre[CENTRE[0]], centre[CENTRE[1]], centre[CENTRE[2]])
        for key, centre in found.items()
        if len(centre) == len(CENTRE)
    }
    return {**measured, **case.places}


def _key_of(fact: NumberFact) -> str:
    return place_key(fact.region, fact.instance)


def _figure(case: ShownCase) -> Figure:
    if not case.images:
        return Figure(case, None, Markup(""), ())
    drawn = draw(case)
    # pieces are numbered by their size, the largest first
    keys = [key for key in case.places if "#" in key and key.partition("#")[0] in LESIONS]
    keys.sort(key=lambda key: int(key.partition("#")[2]))
    near = []
    for key in keys[:CLOSEUPS]:
        at = centre_of(drawn, key.partition("#")[0], case.places[key])
        if at is not None:
            near.append((key, key.replace("#", " "), closeup(drawn, at)))
    return Figure(case, drawn, mosaic(drawn), tuple(near))


def _tables(
    facts: Facts, cases: Sequence[ShownCase], words: Mapping[str, str]
) -> dict[str, list[Table]]:
    """The tables of every section; none of what there is no row of."""

    def case_of(visit: str, place: str) -> str:
        fits = (c.name for c in cases if c.visit == visit and place in c.places)
        return next(fits, "")

    followed = followed_table(facts, words, case_of)
    found = {
        "changes": [changes_table(facts, words)],
        "followed": [followed] if followed else [],
        "lesions": numbers_tables(facts, words, lesions=True),
        "findings": [findings_table(facts.findings, words)],
        "measurements": numbers_tables(facts, words, lesions=False),
    }
    return {
        name: [table for table in tables if table.rows or table.rest]
        for name, tables in found.items()
    }


def _anchors(
    facts: Facts, tables: Iterable[Sequence[Table]], cases: Iterable[ShownCase]
) -> dict[str, str]:
    """Where the page states a fact: short names, by the fact's id."""
    cells = [cell.facts for row in _rows(tables) for cell in row.cells if cell.facts]
    seen = {case.name for case in cases if case.images}
    images = (image.id for image in facts.images if image.case in seen)
    first = dict.fromkeys([*images, *(ids[0] for ids in cells)])
    anchors = {fact: f"f{n}" for n, fact in enumerate(first, 1)}
    # a cell that states several facts has the name of the first
    return {fact: anchors[ids[0]] for ids in cells for fact in ids} | anchors


def _rows(tables: Iterable[Sequence[Table]]) -> Iterable[Row]:
    return (
        row for several in tables for table in several for row in (*table.rows, *table.rest)
    )


def _sections(
    report: Report, anchors: Mapping[str, str]
) -> list[tuple[str, list[tuple[str, list[Reference]]]]]:
    """Titles, and sentences with the links to what they restate."""
    numbers: dict[str, int] = {}
    sections = []
    for section in report.sections:
        said = []
        for sentence in section.sentences:
            known = [fact for fact in sentence.references if fact in anchors]
            for fact in known:
                numbers.setdefault(anchors[fact], len(numbers) + 1)
            once = {anchors[fact]: fact for fact in reversed(known)}
            links = [
                Reference(numbers[anchor], anchor, fact)
                for anchor, fact in reversed(once.items())
            ]
            said.append((sentence.text, links))
        sections.append((section.title, said))
    return sections


def _regions(scans: Iterable[Drawn]) -> list[tuple[str, str]]:
    """Every region of the viewer with its colour, lesions first."""
    regions = {region.name: region.color for drawn in scans for region in drawn.regions}
    return sorted(regions.items(), key=lambda item: item[0] not in LESIONS)


def _provenance(report: Report, bundle: Bundle | None) -> Iterable[tuple[str, str]]:
    """What made the page, in words; no time, so that the same data give the same page."""
    for name, value in report.provenance.items():
        yield name.replace("_", " "), _text(value)
    yield "medprompt", __version__
    if bundle is not None:
        yield "viewer", f"NiiVue {bundle.version}, BSD 2-Clause License"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return str(value)


def _without_side(region: str) -> str:
    return region.removeprefix("left-").removeprefix("right-").replace("-", " ")
