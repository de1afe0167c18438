"""How structures change in a whole cohort: a model of each, and a picture of every course."""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.followed import MODEL
from medprompt_cli.bids.table_files import write_table
from medprompt_cli.bids.tables import Row
from medprompt_cli.cohort.criteria import read_on, volumes_of
from medprompt_cli.cohort.visit_results import VisitResults
from medprompt_cli.longitudinal.change import DAYS_PER_YEAR, days_between
from medprompt_cli.longitudinal.repeatability import kind_of
from medprompt_cli.longitudinal.trend import (
    LEAST_PEOPLE,
    Person,
    Trend,
    fit_trend,
    repeated,
)
from medprompt_cli.planning.vocabulary import all_targets

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODEL_FILE = "model.tsv"
PLOT_FILE = "trajectories.png"

GROUPS = ("group", "diagnosis", "dx")
"""Columns of participants.tsv that say of which group somebody is; the first counts."""

MOST_PANELS = 40
COLUMNS = 4
PANEL_INCHES = (3.2, 2.4)
NAMES_IN_WIDTH, NAME_INCHES = 2, 0.2
"""How many names of people stand side by side below a panel, and how high a row of them is."""

MOST_NAMED = 12
"""People who have a colour and a name each in the picture; more are grey, and have none."""

Key = tuple[str, str, str]
"""Region, quantity and unit."""


@dataclass(frozen=True)
class CohortFound:
    """What was made of the cohort.

    Attributes:
        files: What was written.
        notes: What was not, and why.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def write_cohort(
    out: Path,
    subjects: Mapping[str, Sequence[VisitResults]],
    participants: Mapping[str, Row],
) -> CohortFound:
    """Model every structure and draw every course; old files of it that no longer hold go.

    Args:
        out: The output folder.
        subjects: By label the visits of each, in the order of time.
        participants: Rows of participants.tsv by label.

    Raises:
        OutputError: If a file cannot be written.
    """
    courses = _courses(subjects, participants)
    twice = {person.name for people in courses.values() for person in repeated(people)}
    for name in (MODEL_FILE, Path(MODEL_FILE).with_suffix(".json"), PLOT_FILE):
        (out / name).unlink(missing_ok=True)
    if not twice:
        said = "Nobody has two visits with dates and values: there are no trajectories."
        return CohortFound((), (said,))
    trends: dict[Key, Trend] = {}
    notes: list[str] = []
    files: list[Path] = []
    if len(twice) < LEAST_PEOPLE:
        notes.append(
            f"{len(twice)} subjects have two visits with dates; a model of the cohort takes"
            f" {LEAST_PEOPLE}, and was not made."
        )
    else:
        trends = {key: fit_trend(people) for key, people in courses.items()}
        files += write_table(_model_table(trends), out / MODEL_FILE)
    drawn = {key: people for key, people in courses.items() if repeated(people)}
    drawn = dict(sorted(drawn.items(), key=lambda item: _place(item[0][0])))
    if len(drawn) > MOST_PANELS:
        notes.append(f"{PLOT_FILE} shows {MOST_PANELS} of {len(drawn)} regions.")
    write_file(out / PLOT_FILE, _plot(drawn, trends))
    return CohortFound((*files, out / PLOT_FILE), tuple(notes))


def _courses(
    subjects: Mapping[str, Sequence[VisitResults]], participants: Mapping[str, Row]
) -> dict[Key, list[Person]]:
    """By structure, every person with a date and a value; one quantity of each structure."""
    found: dict[Key, list[Person]] = {}
    for subject, visits in subjects.items():
        about = participants.get(subject, {})
        series: dict[Key, list[tuple[float, float]]] = {}
        for visit in visits:
            days = days_between(visits[0].visit.when, visit.visit.when)
            if days is None:
                continue
            for m in visit.measurements:
                if m.quantity in volumes_of(m.region) and m.value is not None:
                    key = (m.region, m.quantity, m.unit)
                    series.setdefault(key, []).append((days / DAYS_PER_YEAR, m.value))
        for key, points in series.items():
            years, values = zip(*points, strict=True)
            person = Person(
                *(subject, years, values),
                *(age_of(about), about.get("sex"), _group(about)),
            )
            found.setdefault(key, []).append(person)
    read = read_on((region, quantity) for region, quantity, _ in found)
    return {key: people for key, people in found.items() if key[1] == read[key[0]]}


def _place(region: str) -> tuple[int, str]:
    """Where a region comes in the picture: as in the vocabulary, left and right together."""
    return _ORDER.get(kind_of(region), len(_ORDER)), region


_ORDER = {
    kind: n for n, kind in enumerate(dict.fromkeys(kind_of(t.name) for t in all_targets()))
}


def age_of(about: Row) -> float | None:
    """The age of a participant in years; None if it is not a number."""
    try:
        age = float(about.get("age") or "")
    except ValueError:
        return None
    return age if math.isfinite(age) else None


def _group(about: Row) -> str | None:
    return next((about[name] for name in GROUPS if about.get(name)), None)


def _model_table(trends: Mapping[Key, Trend]) -> pa.Table:
    rows = [
        {
            **dict(zip(("region", "quantity", "unit"), key, strict=True)),
            "formula": trend.formula,
            **term,
            "subjects": trend.people,
            "visits": trend.visits,
            "converged": trend.converged,
            "notes": " ".join(trend.notes) or None,
        }
        for key, trend in trends.items()
        for term in _terms(trend)
    ]
    return pa.Table.from_pylist(rows, schema=MODEL)


def _terms(trend: Trend) -> Iterable[dict[str, object]]:
    for term in trend.terms:
        yield {
            "term": term.name,
            "coefficient": term.coefficient,
            "standard_error": term.standard_error,
            "lower": term.low,
            "upper": term.high,
            "p": term.p,
        }
    if not trend.terms:
        yield {}


def _plot(courses: Mapping[Key, Sequence[Person]], trends: Mapping[Key, Trend]) -> bytes:
    """A PNG with a panel for each structure: a line for each person, and the model's.

    Where somebody has a value of a structure at one visit alone, there is a dot without a line.
    """
    # Half a second to load, and needed by no other command; no window, so no pyplot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = list(courses.items())[:MOST_PANELS]
    rows = math.ceil(len(shown) / COLUMNS)
    columns = min(COLUMNS, len(shown))
    colors = _colors({person.name for _, people in shown for person in people})
    named = NAMES_IN_WIDTH * columns
    height = PANEL_INCHES[1] * rows + NAME_INCHES * math.ceil((1 + len(colors)) / named)
    figure = Figure(figsize=(PANEL_INCHES[0] * columns, height), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (key, people) in enumerate(shown, start=1):
        axes = figure.add_subplot(rows, columns, place)
        _panel(axes, key, people, trends.get(key), colors)
    # each name once, though it may be in every panel
    lines = {
        line.get_label(): line
        for axes in figure.axes
        for line in axes.get_lines()
        if not str(line.get_label()).startswith("_")
    }
    if lines:
        handles = [lines[name] for name in sorted(lines, key=str)]
        figure.legend(handles=handles, loc="outside lower center", ncols=named, fontsize=7)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
    return stream.getvalue()


def _colors(names: Collection[str]) -> Mapping[str, str]:
    """A colour for everyone; empty where there are too many to tell apart."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    if len(names) > MOST_NAMED:
        return {}
    return {name: to_hex(colormaps["tab20"](n)) for n, name in enumerate(sorted(names))}


def _panel(
    axes: Axes,
    key: Key,
    people: Sequence[Person],
    trend: Trend | None,
    colors: Mapping[str, str],
) -> None:
    region, quantity, unit = key
    for person in people:
        color = colors.get(person.name, "0.55")
        label = person.name if person.name in colors else None
        axes.plot(person.years, person.values, "o-", color=color, lw=0.8, ms=2.5, label=label)
    if trend is not None and trend.terms:
        years = (0.0, max(year for person in people for year in person.years))
        axes.plot(
            years, [trend.value_at(year) for year in years], color="k", lw=2, label="model"
        )
    axes.set_title(region, fontsize=8)
    axes.set_xlabel("years since the first visit", fontsize=7)
    axes.set_ylabel(f"{quantity}, {unit}", fontsize=7)
    axes.tick_params(labelsize=7)
