"""The course of every volume that was measured at several visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from medprompt_cli.reporting.facts import Facts, NumberFact, Visit, volume_of
from medprompt_cli.reporting.plots import Point, course
from medprompt_cli.reporting.printed import number_text

SHOWN = 12
"""Plots that are not folded away."""


@dataclass(frozen=True, slots=True)
class Course:
    """The plot of a region.

    Attributes:
        region: Its name.
        place: Where it leads in the viewer.
        plot: As SVG.
        percent: From the first to the last visit, in words.
        beyond: Whether that is beyond noise; None if not known.
        case: The scan to jump to.
    """

    region: str
    place: str
    plot: Markup
    percent: str
    beyond: bool | None
    case: str


def course_plots(facts: Facts) -> tuple[list[Course], list[Course]]:
    """Plots of regions: those that changed most, and the rest.

    What is plotted was measured on the kind of image that changes are of, as the percent beside
    it is; without changes on the image that a region is read on.
    """
    found = []
    followed = _followed(facts)
    for region in facts.regions:
        measured = [
            (visit, volume)
            for visit in facts.visits
            if (volume := volume_of(followed(region, visit.name))) is not None
            and volume.value is not None
        ]
        alike = [pair for pair in measured if pair[1].quantity == measured[0][1].quantity]
        if len(alike) > 1:
            found.append(_course(region, alike, facts))
    found.sort(key=lambda pair: pair[0])
    courses = [one for _, one in found]
    return courses[:SHOWN], courses[SHOWN:]


def _followed(facts: Facts) -> Callable[[str, str], Mapping[str, NumberFact]]:
    """What was measured of a region at a visit, on the image that it is followed on."""
    kinds = {change.region: change.kind for change in facts.changes if change.kind}
    numbers: dict[tuple[str, str, str], dict[str, NumberFact]] = {}
    for fact in facts.numbers:
        if fact.instance is None:
            key = (fact.region, fact.visit, fact.kind)
            numbers.setdefault(key, {}).setdefault(fact.quantity, fact)

    def numbers_of(region: str, visit: str) -> Mapping[str, NumberFact]:
        if region in kinds:
            return numbers.get((region, visit, kinds[region]), {})
        return facts.numbers_of(region, visit)

    return numbers_of


def _course(
    region: str, measured: Sequence[tuple[Visit, NumberFact]], facts: Facts
) -> tuple[tuple[bool, float], Course]:
    """A plot, and by what it is sorted: beyond noise first, then by how much."""
    (first, one), (last, other) = measured[0], measured[-1]
    change = next(
        (
            c
            for c in facts.changes
            if (c.region, c.quantity) == (region, one.quantity)
            and (c.earlier, c.visit) == (first.name, last.name)
        ),
        None,
    )
    points = [
        Point(x, visit.name, fact.value or 0.0, fact.low, fact.high)
        for x, (visit, fact) in zip(_times([v for v, _ in measured]), measured, strict=True)
    ]
    name = region.replace("-", " ")
    noise = _noise(one.value, change.limit_percent if change else None)
    percent = change.percent if change else None
    plot = course(points, f"{name}, {one.unit}, {first.name} to {last.name}", noise)
    said = "" if percent is None else f"{number_text(percent, 3, sign=True)} %"
    beyond = change.exceeds_limit if change else None
    shown = Course(name, region, plot, said, beyond, other.case)
    return (not beyond, -abs(percent or 0.0)), shown


def _times(visits: Sequence[Visit]) -> list[float]:
    """Days, or, unless all visits have one, the places in the order."""
    days = [visit.when.toordinal() for visit in visits if visit.when is not None]
    return [float(x) for x in (days if len(days) == len(visits) else range(len(visits)))]


def _noise(value: float | None, limit: float | None) -> tuple[float, float] | None:
    """Values whose symmetrised change from a value is within a limit in percent."""
    if value is None or limit is None:
        return None
    return value * (200 - limit) / (200 + limit), value * (200 + limit) / (200 - limit)
