"""One measurement beside another: asymmetry, ratio, share of the skull's inside.

What cannot be compared because one side was not measured has no value, and the graver of the
two statuses. A ratio to 0 has no value, and the status `error`. Intervals are not carried
over: they have to be measured on the result.
"""

from __future__ import annotations

from medprompt_cli.domain.measurement import STATUSES, Measurement
from medprompt_cli.errors import InputError

LEFT, RIGHT = "left-", "right-"

OF_ICV = "volume-fraction-of-icv"
"""What tables call the share that a mask has of the intracranial volume."""


def asymmetry(left: Measurement, right: Measurement) -> Measurement:
    """200 (L - R) / (L + R), in percent of the mean of both: above 0 if the left is larger.

    Between -200 and 200 for what is never negative, such as volumes.

    Raises:
        InputError: If the two are of different quantities or units, or in the wrong order.
    """
    _check_alike(left, right)
    if left.region.startswith(RIGHT) or right.region.startswith(LEFT):
        raise InputError(
            f"The asymmetry of {left.region}, as the left, and {right.region} was asked for.",
            remedy="Give the left side first and the right side second.",
            code="sides-swapped",
        )
    kind = left.region.removeprefix(LEFT)
    region = kind if right.region == RIGHT + kind else f"{left.region}/{right.region}"
    quantity = f"{left.quantity}-asymmetry"
    if left.value is None or right.value is None:
        return _unknown(region, quantity, "%", left, right)
    if left.value + right.value == 0:
        return Measurement.missing(region, quantity, "%", "error")
    value = 200 * (left.value - right.value) / (left.value + right.value)
    return Measurement(region, quantity, value, "%")


def ratio(above: Measurement, below: Measurement) -> Measurement:
    """The first over the second, which must have the same unit.

    Raises:
        InputError: If the units differ.
    """
    _check_units(above, below)
    region = above.region
    if below.region != region:
        region = f"{region}/{below.region}"
    quantity = f"{above.quantity}-ratio"
    if above.quantity != below.quantity:
        quantity = f"{above.quantity}/{below.quantity}-ratio"
    return _quotient((region, quantity, "1"), above, below, 1.0)


def fraction_of_icv(part: Measurement, intracranial: Measurement) -> Measurement:
    """Volume of a region in percent of the intracranial volume.

    Whole voxels are held against whole voxels, probabilities against probabilities.

    Raises:
        InputError: If the two are not volumes of one kind, hard or soft.
    """
    _check_alike(part, intracranial)
    if part.unit != "mL":
        raise InputError(
            f"The {part.quantity} of {part.region} is no volume but in {part.unit}.",
            remedy="Give volumes of the region and of the intracranial space.",
            code="not-a-volume",
        )
    words = (part.region, f"{part.quantity}-fraction-of-icv", "%")
    return _quotient(words, part, intracranial, 100.0)


def _quotient(
    words: tuple[str, str, str], above: Measurement, below: Measurement, times: float
) -> Measurement:
    if above.value is None or below.value is None:
        return _unknown(*words, above, below)
    if below.value == 0:
        return Measurement.missing(*words, "error")
    # the quotient first: percent has the digits of the ratio times 100
    return Measurement(words[0], words[1], times * (above.value / below.value), words[2])


def _unknown(
    region: str, quantity: str, unit: str, first: Measurement, second: Measurement
) -> Measurement:
    gravest = max(STATUSES.index(first.status), STATUSES.index(second.status))
    return Measurement.missing(region, quantity, unit, STATUSES[gravest])


def _check_alike(first: Measurement, second: Measurement) -> None:
    if first.quantity != second.quantity:
        raise InputError(
            f"The {first.quantity} of {first.region} was compared with the"
            f" {second.quantity} of {second.region}.",
            remedy="Compare one and the same quantity.",
            code="quantities-differ",
        )
    _check_units(first, second)


def _check_units(first: Measurement, second: Measurement) -> None:
    if first.unit != second.unit:
        raise InputError(
            f"The {first.quantity} of {first.region} in {first.unit} was compared with the"
            f" {second.quantity} of {second.region} in {second.unit}.",
            remedy="Compare measurements of one and the same unit.",
            code="units-differ",
        )
