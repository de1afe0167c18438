"""What was measured in a case, as rows of the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from medprompt_cli.bids.derivatives import anat_folder, dseg_name, mask_name
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.schemas import FindingRow, MeasurementRow, Origin
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.measurement import Measurement, Status
from medprompt_cli.execution.measuring import Measurable, Measured
from medprompt_cli.execution.program import ReadValue
from medprompt_cli.execution.values import Characterized
from medprompt_cli.measurement.place import MM3_PER_ML
from medprompt_cli.measurement.relate import OF_ICV
from medprompt_cli.measurement.standard import INTENSITIES


@dataclass(frozen=True)
class Sources:
    """Where the rows of a case come from.

    Attributes:
        origin: What they all share.
        images: BIDS URI of every image.
        masks: By region, the file that holds its voxels, relative to the output folder.
        uris: BIDS URI of an image, by what a program calls it.
    """

    origin: Origin
    images: Sequence[str]
    masks: Mapping[str, str]
    uris: Mapping[str, str] = field(default_factory=dict)


def measurement_rows(measured: Iterable[Measured], sources: Sources) -> list[MeasurementRow]:
    """One row for every number, of intensities one for every image."""
    shared = asdict(sources.origin)
    together = " ".join(sources.images) or None
    return [row for region in measured for row in _rows_of(region, shared, sources, together)]


def _rows_of(
    region: Measured, shared: Mapping[str, Any], sources: Sources, together: str | None
) -> Iterator[MeasurementRow]:
    quality = region.quality
    about: dict[str, Any] = {
        **shared,
        "region": region.region,
        "instance": region.instance,
        "presence": region.presence,
        "qc": quality.level if quality else None,
        "qc_reasons": "; ".join(quality.reasons) or None if quality else None,
        "expected_dice": quality.expected_dice if quality else None,
        "mask": sources.masks.get(region.region),
    }
    for measurement in region.numbers:
        shows = measurement.quantity in INTENSITIES
        yield _row(measurement, about, sources.images[0] if shows else together)
    for image, other in zip(sources.images[1:], region.others, strict=False):
        for measurement in other:
            yield _row(measurement, about, image)


def _row(
    measurement: Measurement, about: Mapping[str, Any], source: str | None
) -> MeasurementRow:
    return MeasurementRow(
        **about,
        source=source,
        quantity=measurement.quantity,
        value=measurement.value,
        unit=measurement.unit,
        lower=measurement.low,
        upper=measurement.high,
        status=measurement.status,
    )


def finding_rows(findings: Iterable[Finding], sources: Sources) -> list[FindingRow]:
    """One row for every finding; the numbers behind it as JSON: name, value and unit."""
    shared = asdict(sources.origin)
    together = " ".join(sources.images) or None
    return [
        FindingRow(
            **shared,
            source=together,
            region=finding.region,
            instance=finding.instance,
            feature=finding.feature,
            value=finding.value,
            probability=finding.probability,
            evidence=_evidence(finding),
            notes=" ".join(finding.notes) or None,
            status=finding.status,
            mask=sources.masks.get(finding.region),
        )
        for finding in findings
    ]


def _evidence(finding: Finding) -> str | None:
    numbers = {name: number._asdict() for name, number in finding.evidence.items()}
    return json.dumps(numbers, allow_nan=False) if numbers else None


def mask_files(entry: ImageEntry, regions: Measurable, segs: Sequence[str]) -> dict[str, str]:
    """By region that has voxels, its file as `medprompt segment` names it.

    Args:
        entry: The image.
        regions: Of the case.
        segs: Value of the `seg` entity of every map.
    """
    folder = anat_folder(entry)
    named = {mask.region: mask_name(entry, mask.region) for mask in regions.masks}
    for seg, labels in zip(segs, regions.maps, strict=True):
        named |= dict.fromkeys(labels.names.values(), dseg_name(entry, seg))
    there = {a.name for a in regions.answers if a.status in {"measured", "truncated_fov"}}
    return {
        region: (folder / f"{name}.nii.gz").as_posix()
        for region, name in named.items()
        if region in there
    }


def value_rows(
    values: Iterable[ReadValue], known: Iterable[MeasurementRow], sources: Sources
) -> tuple[list[MeasurementRow], list[FindingRow]]:
    """What a program read, as rows; without the numbers that are in the table already.

    Args:
        values: In the order of the program.
        known: Rows of the case so far.
        sources: Where they come from.

    Returns:
        Numbers, and words.
    """
    shared = asdict(sources.origin)
    source = " ".join(sources.images) or None
    there = {(row.region, row.quantity) for row in known}
    numbers: list[MeasurementRow] = []
    words: list[FindingRow] = []
    for value in values:
        about = {
            **shared,
            "method": _method(value, sources),
            "region": value.region,
            "source": source,
            "mask": sources.masks.get(value.region),
            "status": _status_of(value.status),
        }
        if value.found is not None:
            words.append(_read_row(value, value.found, sources))
        elif value.unit is None:
            said = None if value.value is None else value.said
            words.append(FindingRow(**about, feature=value.quantity, value=said))
        elif (value.region, value.quantity) not in there:
            number, unit = _in_table_units(value)
            row = MeasurementRow(**about, quantity=value.quantity, value=number, unit=unit)
            numbers.append(row)
    return numbers, words


def found_rows(
    findings: Iterable[Characterized], values: Iterable[ReadValue], sources: Sources
) -> list[FindingRow]:
    """What a program found out about regions on its way, without what it read of them.

    What it read of an instance under another name, such as that of the largest, has a row
    under the number of the instance, too.
    """
    read = {
        value.found
        for value in values
        if value.found
        and (value.found.finding.instance is None or _is_named(value, value.found))
    }
    return [_found_row(found, sources) for found in findings if found not in read]


def _read_row(value: ReadValue, found: Characterized, sources: Sources) -> FindingRow:
    """A finding that was read: of the region by the name that it is saved under."""
    row = _found_row(found, sources)
    return replace(
        row,
        method=_method(value, sources),
        region=value.region,
        instance=row.instance if _is_named(value, found) else None,
        mask=sources.masks.get(value.region),
    )


def _found_row(found: Characterized, sources: Sources) -> FindingRow:
    """A finding, with the images that show it as its source."""
    shown = tuple(sources.uris[image.source] for image in found.images)
    [row] = finding_rows([found.finding], replace(sources, images=shown))
    return row


def _is_named(value: ReadValue, found: Characterized) -> bool:
    return value.region == found.finding.region


def _method(value: ReadValue, sources: Sources) -> str:
    return f"{sources.origin.method}: {value.statement}"


def _status_of(status: str) -> Status:
    """A status of a program as tables have it: what has no value there is an error."""
    return "error" if status in {"missing", "undefined"} else cast("Status", status)


def _in_table_units(value: ReadValue) -> tuple[float | None, str]:
    """Volumes in mL and shares of the head in percent, as all of the tables are."""
    number = value.value if isinstance(value.value, float | int) else None
    if value.unit == "mm3":
        return (None if number is None else number / MM3_PER_ML), "mL"
    if value.quantity == OF_ICV:
        return (None if number is None else 100.0 * number), "%"
    return number, value.unit or "1"
