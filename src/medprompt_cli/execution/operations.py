"""What every function of the plan language does in a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.execution import arithmetic, combining
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.characterizing import Characterizer
from medprompt_cli.execution.combining import as_region
from medprompt_cli.execution.fates import Fates
from medprompt_cli.execution.interpreter import Operation
from medprompt_cli.execution.looking import AROUND, Looker
from medprompt_cli.execution.segment import CORTEX
from medprompt_cli.execution.values import (
    Image,
    Instance,
    Number,
    Region,
    Regions,
    Status,
    Text,
    Truth,
    Value,
    Visit,
    Visits,
)
from medprompt_cli.measurement import diameters, intensity, place, relate, surface
from medprompt_cli.measurement.resample import resampled
from medprompt_cli.planning.functions import FUNCTIONS
from medprompt_cli.planning.tree import Call, Comparison, Statement, walk_statements
from medprompt_cli.planning.tree import Text as WrittenText

NEVER_SEEN = "resolved"
"""A fate that no lesion of the later visit has."""

IMPLIED: Mapping[str, tuple[str, ...]] = {
    "side": ("left-cerebrum", "right-cerebrum"),
    "signal": AROUND,
    "enhances": AROUND,
    "restricts_diffusion": AROUND,
    "lobe": (*AROUND, *CORTEX),
}
"""Regions that a function looks at beside those it is given."""

SECONDS_PER_DAY = 86_400

_TO_FIRST_UNIT = {"mL": 1000.0, "mm": 1.0, "mm2": 1.0, "1": 1.0, "%": 1.0, "[hnsf'U]": 1.0}


@dataclass(frozen=True)
class Operations:
    """The functions of the language, for one case.

    Attributes:
        case: Whose images they work on.
        looker: Where regions come from.
    """

    case: Case
    looker: Looker

    def table(self) -> Mapping[str, Operation]:
        """By the functions' names."""
        own = {name: getattr(self, name, None) for name in FUNCTIONS}
        return {name: _of_regions(f) for name, f in own.items() if f is not None}

    def image(self, suffix: Text | None, visit: Visit | None) -> Image:
        """A scan of the case.

        Raises:
            InputError: If there is none; names what there is.
        """
        wanted = suffix.value if suffix else None
        found = self.case.image(wanted, visit)
        if found is None:
            when = visit or self.case.own
            there = ", ".join(self.case.kinds(when)) or "none"
            raise InputError(
                f"{self.case.name} has no {wanted or 'image'} at {when}; there: {there}.",
                remedy="Ask for an image that every case has, or add it.",
                code="missing-scan",
            )
        return found

    def visits(self) -> Visits:
        """All visits."""
        return Visits(self.case.visits)

    def first(self, visits: Visits) -> Visit:
        """The earliest."""
        return visits.all[0]

    def last(self, visits: Visits) -> Visit:
        """The latest."""
        return visits.all[-1]

    def segment(self, images: Image | tuple[Image, ...], target: Text) -> Region:
        """Where a target is."""
        streams = images if isinstance(images, tuple) else (images,)
        return self.looker.region(streams, target.value or "")

    def union(self, mask: Region, other: Region) -> Region:
        """What is in one or both."""
        return combining.union(mask, other)

    def intersect(self, mask: Region, other: Region) -> Region:
        """What is in both."""
        return combining.intersect(mask, other)

    def subtract(self, mask: Region, other: Region) -> Region:
        """What is in the first alone."""
        return combining.subtract(mask, other)

    def within(self, mask: Region | Regions, region: Region) -> Region | Regions:
        """What lies in a region."""
        if isinstance(mask, Regions):
            return combining.within(mask, region)
        return combining.intersect(mask, region)

    def side(self, mask: Region | Regions, side: Text) -> Region | Regions:
        """What lies on a side."""
        images = mask.whole.images if isinstance(mask, Regions) else mask.images
        left, right = (self.looker.region(images, f"{s}-cerebrum") for s in ("left", "right"))
        if isinstance(mask, Regions):
            return combining.on_side(mask, side.value or "", (left, right))
        return combining.side(mask, side.value or "", (left, right))

    def rim(self, mask: Region, width: Number) -> Region:
        """A shell around a mask."""
        return combining.rim(mask, width.value or 0.0)

    def instances(self, mask: Region | Regions) -> Regions:
        """Its connected components, numbered; instances are their own."""
        if isinstance(mask, Regions):
            return mask
        found = combining.instances(mask)
        numbered = (
            replace(part, instance=Instance(found.name, number))
            for number, part in enumerate(found.parts, start=1)
        )
        return replace(found, parts=tuple(numbered))

    def largest(self, instances: Regions) -> Region:
        """The largest of them."""
        return combining.by_size(instances, largest=True)

    def smallest(self, instances: Regions) -> Region:
        """The smallest of them."""
        return combining.by_size(instances, largest=False)

    def nearest(self, instances: Regions, other: Region) -> Region:
        """The one nearest to a mask."""
        return combining.nearest(instances, other)

    def count(self, instances: Regions | Visits) -> Number:
        """How many there are; none is a number too."""
        if isinstance(instances, Visits):
            return Number(len(instances.all), "count")
        if instances.status == "measured":
            return Number(len(instances.parts), "count")
        return Number(None, "count", instances.status)

    def volume(self, mask: Region) -> Number:
        """Volume in mm³."""
        return _measure(place.volume, mask, "volume")

    def surface_area(self, mask: Region) -> Number:
        """Surface in mm²."""
        return _measure(surface.surface_area, mask, "area")

    def max_diameter(self, mask: Region | Regions) -> Number:
        """Longest diameter; of instances, the longest of any."""
        return _longest(diameters.max_diameter, mask)

    def width(self, mask: Region | Regions) -> Number:
        """Widest extent from left to right; of instances, the widest of any."""
        return _longest(diameters.width, mask)

    def bidimensional(self, mask: Region) -> Number:
        """RANO product in mm²."""
        return _measure(diameters.bidimensional, mask, "area")

    def mean(self, image: Image, mask: Region) -> Number:
        """Mean intensity."""
        return _measure(lambda m: intensity.mean(m, _on_grid_of(m, image)), mask, "intensity")

    def std(self, image: Image, mask: Region) -> Number:
        """Standard deviation of the intensity."""
        return _measure(lambda m: intensity.std(m, _on_grid_of(m, image)), mask, "intensity")

    def percentile(self, image: Image, mask: Region, percent: Number) -> Number:
        """A percentile of the intensity."""
        share = percent.value or 0.0
        return _measure(
            lambda m: intensity.percentile(m, _on_grid_of(m, image), share), mask, "intensity"
        )

    def density(self, image: Image, mask: Region) -> Number:
        """Mean density on CT."""
        return _measure(lambda m: intensity.density(m, _on_grid_of(m, image)), mask, "density")

    def centroid(self, mask: Region) -> Text:
        """Its middle in RAS+ mm."""
        if mask.voxels is None:
            return Text(None, mask.status)
        numbers = place.centroid(Mask(mask.name, mask.voxels, mask.geometry))
        known = [f"{m.value:.1f}" for m in numbers if m.value is not None]
        return Text(f"({', '.join(known)}) mm") if known else Text(None, "absent")

    def distance(self, mask: Region, other: Region) -> Number:
        """Shortest distance between two masks."""
        if mask.voxels is None or other.voxels is None:
            lost = mask if mask.voxels is None else other
            return Number(None, "length", lost.status)
        pair = (
            Mask(r.name, r.voxels, r.geometry) for r in (mask, other) if r.voxels is not None
        )
        return _number(place.distance(*pair), "length")

    @cached_property
    def characterizer(self) -> Characterizer:
        """What regions of the case were found to be like."""
        return Characterizer(self.case, self.looker)

    def signal(self, mask: Region, image: Image | None) -> Text:
        """Brighter than normal tissue, like it, or darker."""
        return self.characterizer.signal(mask, image)

    def lobe(self, mask: Region, image: Image | None) -> Text:  # noqa: ARG002 - see below
        """The lobe it lies in, by the labels of the image that it was seen on: on its grid."""
        return self.characterizer.lobe(mask)

    def territory(self, mask: Region, image: Image | None) -> Text:  # noqa: ARG002 - as lobe
        """The arterial territory it lies in."""
        return self.characterizer.territory(mask)

    @cached_property
    def fates(self) -> Fates:
        """What became of lesions between visits."""
        return Fates(self.case, self.looker)

    def fate(self, mask: Region, earlier: Image | None) -> Text:
        """What became of a lesion since an earlier visit."""
        return self.fates.fate(mask, earlier)

    def enhances(self, mask: Region) -> Truth:
        """Whether it takes up contrast agent."""
        return self.characterizer.enhances(mask)

    def restricts_diffusion(self, mask: Region) -> Truth:
        """Whether diffusion is restricted in it."""
        return self.characterizer.restricts_diffusion(mask)

    def presence(self, mask: Region) -> Number:
        """Probability that it is there."""
        if mask.presence is None:
            return Number(None, "ratio", mask.status if mask.voxels is None else "undefined")
        return Number(mask.presence, "ratio")

    def is_present(self, mask: Region) -> Truth:
        """Whether it is there at all."""
        known = mask.voxels is not None or mask.status == "absent"
        return Truth(not mask.empty) if known else Truth(None, mask.status)

    def fraction_of_icv(self, mask: Region) -> Number:
        """Part of the intracranial volume; as tables have it, which give percent."""

        def law(lesion: Mask) -> Measurement:
            return relate.ratio(place.volume(lesion), self.looker.intracranial(mask.images))

        return _measure(law, mask, "ratio")

    def asymmetry(self, left: Region | Number, right: Region | Number) -> Number:
        """200 (left - right) / (left + right); of masks, of their volumes."""
        if isinstance(left, Region) and isinstance(right, Region):
            return arithmetic.asymmetry(_in_ml(left), _in_ml(right))
        one, other = (v if isinstance(v, Number) else self.volume(v) for v in (left, right))
        return arithmetic.asymmetry(one, other)

    def ratio(self, number: Number, other: Number) -> Number:
        """The first divided by the second."""
        return arithmetic.ratio(number, other)

    def difference(self, number: Number, other: Number) -> Number:
        """The first minus the second."""
        return arithmetic.difference(number, other)

    def change(self, earlier: Number, later: Number) -> Number:
        """Later minus earlier."""
        return arithmetic.change(earlier, later)

    def percent_change(self, earlier: Number, later: Number) -> Number:
        """Later minus earlier, of the earlier."""
        return arithmetic.percent_change(earlier, later)

    def annualised_change(
        self, earlier: Number, later: Number, earlier_visit: Visit, later_visit: Visit
    ) -> Number:
        """Percent change per year."""
        return arithmetic.annualised_change(
            earlier, later, days_between(earlier_visit, later_visit)
        )


def check_possible(statement: Statement) -> None:
    """Refuse a statement whose answer could only be wrong.

    Raises:
        UsageError: If it asks which lesions have resolved: those that it looks at are there.
    """
    for inside in walk_statements((statement,)):
        if not isinstance(inside, Comparison):
            continue
        sides = (inside.left, inside.right)
        calls = {side.function for side in sides if isinstance(side, Call)}
        if "fate" in calls and WrittenText(NEVER_SEEN) in sides:
            raise UsageError(
                "A lesion that has resolved is not in the later scan, where this looks for it.",
                remedy="Use medprompt longitudinal: its ledger says which have resolved.",
            )


def days_between(earlier: Visit, later: Visit) -> float | None:
    """Days from one visit to another; None if a date is not known."""
    before, after = earlier.acquired, later.acquired
    if before is None or after is None:
        return None
    if isinstance(before, datetime) and isinstance(after, datetime):
        return (after - before).total_seconds() / SECONDS_PER_DAY
    return float((_day(after) - _day(before)).days)


def _day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


KEEPS_INSTANCES = frozenset(
    {"within", "side", "instances", "largest", "smallest", "nearest", "count"}
    | {"max_diameter", "width"}
)
"""Operations that look at instances one by one; to the others they are their union."""


def _of_regions(operation: Operation) -> Operation:
    if operation.__name__ in KEEPS_INSTANCES:
        return operation

    def on_union(*given: Value) -> Value:
        return operation(*(as_region(g) if isinstance(g, Regions) else g for g in given))

    return on_union


def _measure(law: Callable[[Mask], Measurement], region: Region, dimension: str) -> Number:
    """Measure a region that is there and is there whole."""
    if region.voxels is None or region.status != "measured":
        return Number(None, dimension, region.status)
    return _number(law(Mask(region.name, region.voxels, region.geometry)), dimension)


def _in_ml(region: Region) -> Number:
    """Volume in the unit of the tables: what is made of it has the digits that they have."""
    found = _measure(place.volume, region, "volume")
    ml = None if found.value is None else found.value / _TO_FIRST_UNIT["mL"]
    return replace(found, value=ml)


def _on_grid_of(mask: Mask, image: Image) -> Volume:
    return resampled(image.read(), mask.geometry)


def _number(found: Measurement, dimension: str) -> Number:
    if found.value is None:
        status: Status = "undefined" if found.status == "error" else found.status
        return Number(None, dimension, status)
    return Number(found.value * _TO_FIRST_UNIT[found.unit], dimension)


def _longest(law: Callable[[Mask], Measurement], value: Region | Regions) -> Number:
    if isinstance(value, Region):
        return _measure(law, value, "length")
    if not value.parts:
        return Number(None, "length", "absent" if value.status == "measured" else value.status)
    found = [_measure(law, part, "length") for part in value.parts]
    return max(found, key=lambda n: n.value or 0.0)
