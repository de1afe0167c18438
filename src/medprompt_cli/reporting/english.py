"""Facts in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medprompt_cli.domain.certainty import Certainty
from medprompt_cli.domain.measurement import HOUNSFIELD
from medprompt_cli.reporting.absence import absence
from medprompt_cli.reporting.facts import (
    ChangeFact,
    FateFact,
    FindingFact,
    ImageFact,
    NumberFact,
    Visit,
)
from medprompt_cli.reporting.names import listed, name_of, plural
from medprompt_cli.reporting.reasons import NO_PLACE, Reason, has_no_place, why
from medprompt_cli.reporting.voice import OneLesion, Title
from medprompt_cli.reporting.wording import (
    UNIT_WORDS,
    counted,
    degree_of,
    shown,
    signal_image,
    signed,
    step,
    tenths,
    with_unit,
)

TITLES: Mapping[Title, str] = {
    "technique": "Technique",
    "brain": "Brain and ventricles",
    "structures": "Structures",
    "limits": "Structures outside their limits",
    "lesions": "Lesions",
    "change": "Change",
    "impression": "Impression",
    "asked": "What was asked",
    "elsewhere": "Other lesions",
}

QUANTITIES: Mapping[str, str] = {
    "volume": "volume",
    "soft-volume": "volume",
    "visible-volume": "part inside the image",
    "count": "pieces",
    "surface-area": "surface area",
    "max-diameter": "longest diameter",
    "bidimensional": "product of diameters",
    "std": "standard deviation",
    "volume-asymmetry": "asymmetry",
    "soft-volume-asymmetry": "asymmetry",
    "volume-fraction-of-icv": "share of the intracranial volume",
    "soft-volume-fraction-of-icv": "share of the intracranial volume",
}
"""Names of quantities that differ from their ids with spaces."""

DEGREES = {"small": "small", "medium": "medium-sized", "large": "large"}
SIGNALS = {"hyper": "hyperintense", "iso": "isointense", "hypo": "hypointense"}
DENSITIES = {"hyper": "hyperdense", "iso": "isodense", "hypo": "hypodense"}

FEATURES: Mapping[tuple[str, str], str] = {
    ("enhancement", "yes"): "enhancing",
    ("enhancement", "no"): "not enhancing",
    ("diffusion-restriction", "yes"): "with restricted diffusion",
    ("diffusion-restriction", "no"): "without restricted diffusion",
    ("midline-crossing", "yes"): "crossing the midline",
    ("midline-crossing", "no"): "not crossing the midline",
    ("site", "periventricular"): "periventricular",
    ("site", "juxtacortical"): "juxtacortical",
    ("site", "infratentorial"): "infratentorial",
    ("site", "deep"): "deep",
}
"""Values of features as they stand after a certainty."""

NOUNS: Mapping[str, str] = {
    "signal": "signal",
    "lobe": "lobe",
    "territory": "territory",
    "enhancement": "enhancement",
    "diffusion-restriction": "diffusion restriction",
    "midline-crossing": "midline crossing",
    "midline-shift": "midline shift",
    "site": "site",
}
"""Features by name, as where they were not assessed."""

OUTSIDE = {"lobe": "outside all lobes", "territory": "outside all territories"}

FATES: Mapping[str, str] = {
    **{fate: fate for fate in ("new", "enlarging", "shrinking", "resolved", "stable")},
    **{"merged": "merged", "split": "split", "untold": "cannot be told"},
}
"""What becomes of lesions, as it is counted."""


class English:
    """Sentences in English; see `reporting/voice.py`."""

    titles: Mapping[Title, str] = TITLES

    def images(self, visit: Visit, images: Sequence[ImageFact]) -> str:
        """What was scanned at a visit."""
        shown_images = ", ".join(_image(image) for image in images)
        when = f" of {visit.when.isoformat()}" if visit.when else ""
        return f"{visit.name or 'Images'}{when}: {shown_images}."

    def read_on(self, kind: str, *, lesions: bool) -> str:
        """Kind of image that structures, or lesions, are read on."""
        return f"{'Lesions' if lesions else 'Structures'} were read on {kind}."

    def made_with(self, versions: Sequence[str]) -> str:
        """Program and weights."""
        return f"Made with {listed(list(versions), ' and ')}."

    def compared(self, visit: Visit, days: float | None) -> str:
        """The earlier visit that this one is compared with."""
        when = f" of {visit.when.isoformat()}" if visit.when else ""
        apart = f", {counted(days)} days before" if days else ""
        return f"Compared with {visit.name}{when}{apart}."

    def no_earlier(self) -> str:
        """There is no earlier visit."""
        return "No earlier visit."

    def volume(self, volume: NumberFact, fraction: NumberFact | None) -> str:
        """How large a region is, and which part of the intracranial volume."""
        share = f", {_number(fraction)} of the intracranial volume" if fraction else ""
        return f"{_start(volume.region)}: {_number(volume)}{_interval(volume)}{share}."

    def pair(
        self, kind: str, left: NumberFact, right: NumberFact, asymmetry: NumberFact | None
    ) -> str:
        """How large the two sides of a structure are."""
        sides = ", ".join(
            f"{_number(number)}{_interval(number)} on the {side}"
            for side, number in (("left", left), ("right", right))
        )
        apart = f"; asymmetry {_number(asymmetry)}" if asymmetry else ""
        return f"{_start(kind)}: {sides}{apart}."

    def quantity(self, number: NumberFact) -> str:
        """Any number, by the name of its quantity."""
        said = f"{_quantity(number)} {_number(number)}{_interval(number)}"
        said = _pieces(number) if number.quantity == "count" else said
        if number.other:
            other = name_of(number.other, "en")
            said = f"{_quantity(number)} to the {other} {_number(number)}{_interval(number)}"
        on = signal_image(number.quantity, number.unit, number.kind, " on {}")
        return f"{_start(number.region, number.instance)}: {said}{on}."

    def part_inside(self, number: NumberFact) -> str:
        """What the image shows of a region that it cuts."""
        start = _start(number.region, number.instance)
        return f"{start}: at least {_number(number)} inside the field of view."

    def not_assessed(self, regions: Sequence[str], reason: Reason) -> str:
        """Regions that were not measured, and why."""
        names = listed([name_of(region, "en") for region in regions], " and ")
        return f"{_upper(names)}: {reason.said('en')}."

    def unlooked(self, region: str, feature: str, reason: Reason) -> str:
        """A feature that nobody looked for, and why."""
        said = f"{NOUNS[feature]} {reason.said('en')}"
        return f"{_start(region)}: {said}." if region else f"{_upper(said)}."

    def missing(self, number: NumberFact) -> str:
        """A number other than the volume that was not measured, and why."""
        reason = Reason(number.status).said("en")
        return f"{_start(number.region)}: {_quantity(number)} {reason}."

    def review(self, regions: Sequence[str], reasons: str) -> str:
        """Regions whose masks are to be looked at, and why."""
        names = listed([name_of(region, "en") for region in regions], " and ")
        return f"Masks to be reviewed ({reasons}): {names}."

    def absent(self, number: NumberFact) -> str:
        """A region that is not there."""
        return absence(number, "en")

    def shift(self, finding: FindingFact, *, brief: bool = False) -> str:
        """Whether the midline is shifted."""
        number = finding.evidence.get("shift")
        far = f": {shown(abs(number.value))} mm" if number and not brief else ""
        sure = f" ({finding.certainty.english})" if finding.certainty else ""
        if finding.value == "none":
            return f"No midline shift{sure}{far}."
        return f"Midline shift to the {finding.value}{sure}{far}."

    def outside(self, number: NumberFact) -> str:
        """A number outside of its limits."""
        start = f"{_start(number.region)}: {_number(number)}{_interval(number)}"
        limits = number.limits
        if limits is not None and limits.z is not None:
            word = "small" if number.verdict == "below" else "large"
            return f"{start}, {word} for this cohort (robust z {signed(limits.z)})."
        between = f" ({_range(limits.low, limits.high, number.unit)})" if limits else ""
        return f"{start}, {number.verdict} the reference range{between}."

    def none_outside(self, *, other: bool) -> str:
        """No structure, or no other, lies outside of its limits."""
        return f"No {'other ' if other else ''}structure lies outside its limits."

    def lesions(self, count: NumberFact | None, volume: NumberFact) -> str:
        """How many lesions of a kind there are."""
        start = f"{_start(volume.region)}: {_sure(volume.certainty)}present"
        pieces = f", {_pieces(count)}" if count else ""
        return f"{start}{pieces}, {_number(volume)} in all{_interval(volume)}."

    def lesion(self, lesion: OneLesion) -> str:
        """What one lesion is like."""
        parts = [_size(lesion), *(_feature(finding) for finding in lesion.findings)]
        return f"{_start(lesion.region, lesion.instance)}: {'; '.join(filter(None, parts))}."

    def further_lesions(self, volumes: Sequence[NumberFact]) -> str:
        """How large the smaller lesions are, by the first and the last of their numbers."""
        first, last = volumes[0], volumes[-1]
        least, most = (
            pick(fact.value for fact in volumes if fact.value is not None)
            for pick in (min, max)
        )
        if len(volumes) == 1:
            return f"{_start(first.region, first.instance)}: {_number(first)}."
        start = f"{_upper(plural(first.region))} {first.instance} to {last.instance}"
        return f"{start}: {_range(least, most, first.unit)} each."

    def finding(self, finding: FindingFact) -> str:
        """What is said of a region."""
        return f"{_start(finding.region, finding.instance)}: {_feature(finding)}."

    def change(self, change: ChangeFact) -> str:
        """What changed between two visits."""
        word = {1: "larger", -1: "smaller"}.get(change.direction or 0, "of the same size")
        word = "no change beyond noise can be told" if change.untold else word
        first, second = (shown(value or 0.0) for value in (change.first, change.second))
        unit = UNIT_WORDS.get(change.unit, "")
        said = f"{word}, from {first} to {second}{unit} since {change.earlier}"
        return f"{_start(change.region)}: {said}{_rates(change)}, {_noise(change)}."

    def followed_on(self, kind: str) -> str:
        """Kind of image that changes were measured on."""
        return f"Changes were measured on {kind}."

    def unfollowed(self, earlier: str) -> str:
        """Change since a visit was not assessed."""
        return f"Change since {earlier} was {Reason('not_compared').said('en')}."

    def no_change(self, earlier: str) -> str:
        """No structure changed beyond noise."""
        return f"No structure changed beyond the noise of this method since {earlier}."

    def fates(self, region: str, earlier: str, counts: Mapping[str, int]) -> str:
        """How many lesions met which fate."""
        said = ", ".join(
            f"{counts[fate]} {words}" for fate, words in FATES.items() if counts.get(fate)
        )
        return f"{_start(region)}, since {earlier}: {said}."

    def fate(self, fate: FateFact) -> str:
        """What became of one lesion."""
        name = f"followed {name_of(fate.region, 'en')}"
        start = f"{_upper(name)} {fate.lesion}: {fate.fate}"
        if fate.fate in {"merged", "split"}:
            others = listed([f"{name} {one}" for one in fate.related], " and ")
            joined = f" {'with' if fate.fate == 'merged' else 'from'} {others}"
            size = "" if fate.volume_ml is None else f", {shown(fate.volume_ml)} mL"
            return f"{start}{joined}{size}."
        if fate.before_ml is None:
            return f"{start}, {shown(fate.volume_ml or 0.0)} mL."
        if fate.volume_ml is None:
            return f"{start}, {shown(fate.before_ml)} mL at {fate.before}."
        sizes = f"from {shown(fate.before_ml)} to {shown(fate.volume_ml)} mL"
        return f"{start}, {sizes} since {fate.before}."

    def no_new(self, region: str, earlier: str) -> str:
        """No lesion is new."""
        return f"No new {name_of(region, 'en')} since {earlier}."

    def brief_lesions(self, volume: NumberFact, largest: OneLesion | None) -> str:
        """That there are lesions, and what the largest is like."""
        start = f"{_start(volume.region)}: {_sure(volume.certainty)}present"
        if largest is None or largest.diameter is None:
            return f"{start}."
        name = f"{name_of(volume.region, 'en')} {largest.instance}"
        word = DEGREES[degree_of(largest.diameter.value or 0.0)]
        places = [_feature(one) for one in largest.findings]
        return f"{start}; {listed([f'{name} is {word}', *places], ' and ')}."

    def brief_outside(self, numbers: Sequence[NumberFact]) -> str:
        """Regions on one side of their limits."""
        names = listed([name_of(one.region, "en") for one in numbers], " and ")
        return f"{(numbers[0].verdict or '').capitalize()} the limits: {names}."

    def brief_changes(self, changes: Sequence[ChangeFact]) -> str:
        """Regions that changed in one direction beyond noise."""
        names = listed([name_of(one.region, "en") for one in changes], " and ")
        word = "Larger" if changes[0].direction == 1 else "Smaller"
        return f"{word} since {changes[0].earlier}, beyond the noise of this method: {names}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _start(region: str, instance: int | None = None) -> str:
    number = "" if instance is None else f" {instance}"
    return f"{_upper(name_of(region, 'en'))}{number}"


def _image(image: ImageFact) -> str:
    if not image.spacing_mm:
        return image.kind
    return f"{image.kind} ({' x '.join(step(edge) for edge in image.spacing_mm)} mm)"


def _number(number: NumberFact) -> str:
    value = number.value or 0.0
    return counted(value) if number.quantity == "count" else with_unit(value, number.unit)


def _range(low: float, high: float, unit: str) -> str:
    digits = tenths if unit == "%" else shown
    if digits(low) == digits(high) and unit != "%":
        return with_unit(high, unit)
    return f"{digits(low)} to {with_unit(high, unit)}"


def _interval(number: NumberFact) -> str:
    if number.low is None or number.high is None:
        return ""
    return f" (interval {_range(number.low, number.high, number.unit)})"


def _pieces(count: NumberFact) -> str:
    return f"{_number(count)} {'piece' if count.value == 1 else 'pieces'}"


def _quantity(number: NumberFact) -> str:
    if number.quantity == "mean":
        return "mean density" if number.unit == HOUNSFIELD else "mean signal"
    return QUANTITIES.get(number.quantity, number.quantity.replace("-", " "))


def _sure(certainty: Certainty | None) -> str:
    return f"{certainty.english} " if certainty else ""


def _size(lesion: OneLesion) -> str:
    parts = []
    if lesion.diameter is not None and lesion.diameter.value is not None:
        parts.append(DEGREES[degree_of(lesion.diameter.value)])
    if lesion.volume is not None:
        parts.append(_number(lesion.volume))
    if lesion.diameter is not None:
        parts.append(f"{_number(lesion.diameter)} at its longest")
    if lesion.product is not None:
        parts.append(f"product of diameters {_number(lesion.product)}")
    return ", ".join(parts)


def _feature(finding: FindingFact) -> str:
    """A finding as a part of a sentence."""
    noun = NOUNS.get(finding.feature, finding.feature.replace("-", " "))
    if has_no_place(finding):
        return OUTSIDE[finding.feature]
    if finding.value is None:
        return f"{noun} {why(finding).said('en')}"
    sure = _sure(finding.certainty)
    if finding.feature in NO_PLACE:
        return f"{sure}in the {name_of(finding.value, 'en')}"
    if finding.feature == "signal" and finding.value in SIGNALS:
        words = DENSITIES if finding.kinds == ("CT",) else SIGNALS
        where = f" on {finding.kinds[0]}" if len(finding.kinds) == 1 else ""
        return f"{sure}{words[finding.value]}{where}"
    if (finding.feature, finding.value) in FEATURES:
        return f"{sure}{FEATURES[finding.feature, finding.value]}"
    return f"{noun} {sure}{finding.value}"


def _rates(change: ChangeFact) -> str:
    if change.percent is None:
        return ""
    said = f"{signed(change.percent)} %"
    if change.percent_low is not None and change.percent_high is not None:
        ends = (signed(change.percent_low), signed(change.percent_high))
        said += f", interval {ends[0]} to {ends[1]} %"
    if change.annual_compound_percent is not None:
        said += f"; {signed(change.annual_compound_percent)} % a year"
    return f" ({said})"


def _noise(change: ChangeFact) -> str:
    if change.exceeds_limit is None:
        return "the noise of this method being unknown"
    word = "beyond" if change.exceeds_limit else "within"
    limit = f" (limit {tenths(change.limit_percent)} %)" if change.limit_percent else ""
    return f"{word} the noise of this method{limit}"
