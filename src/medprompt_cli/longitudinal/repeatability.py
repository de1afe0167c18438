"""How much two measurements of one and the same differ: the least change that can be real.

Learnt of test-retest pairs, people scanned twice with nothing changed in between. With d the
symmetrised difference of a pair in percent and n pairs, the within-subject coefficient of
variation is sqrt(sum d² / 2 n), and 95 % of the differences of further pairs stay within

    limit = t(0.975, n) sqrt(2) times it

t being Student's quantile with n degrees of freedom: few pairs say little, and the limit gets
wider for it. Of many pairs it is 2.77 times the coefficient, the repeatability coefficient.

Left and right are pooled: there is no reason why one should repeat better. They count as two
pairs, though the two sides of one head may be off together.

Source: Bland and Altman, Measuring agreement in method comparison studies, Statistical Methods
in Medical Research 1999, for pairs; the quantile in place of 1.96 is that of a prediction.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from scipy.special import stdtrit

from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.errors import InputError

DEFAULT = "repeatability.toml"
"""The limits that come with the package, beside this module."""

UPPER = 0.975
"""Two-sided 95 %."""

_SIDES = ("left-", "right-")
_ANYTHING_BUT_SAFE = re.compile(r"[^ -~]|[\"\\]")


@dataclass(frozen=True, slots=True)
class Repeatability:
    """What test-retest pairs said of one quantity of one kind of region.

    Attributes:
        differences_percent: Symmetrised differences, one for each pair and side; their sign
            does not matter.
    """

    differences_percent: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.differences_percent or not all(
            map(math.isfinite, self.differences_percent)
        ):
            raise InputError(
                f"Repeatability was to be learnt of {list(self.differences_percent)}.",
                remedy="Give the differences of at least one pair, as numbers.",
                code="no-differences",
            )

    @property
    def pairs(self) -> int:
        """How many differences there are."""
        return len(self.differences_percent)

    @property
    def variation_percent(self) -> float:
        """Within-subject coefficient of variation: sqrt(sum d² / 2 n)."""
        return math.sqrt(sum(d * d for d in self.differences_percent) / (2 * self.pairs))

    @property
    def limit_percent(self) -> float:
        """What 95 % of further differences stay within.

        >>> round(Repeatability((1.0,) * 1000).limit_percent, 2)
        1.96
        """
        quantile = float(stdtrit(self.pairs, UPPER))
        return quantile * math.sqrt(2) * self.variation_percent


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a method.

    Attributes:
        method: What was repeated: the name and version of the weights.
        source: Who was scanned twice, in words.
        entries: By quantity, then by kind of region.
        kind: Of the scans that the limits hold for, e.g. `T1w`; None for any.
        most_mm: Their voxels are no longer than this; None for any.
    """

    method: str
    source: str
    entries: Mapping[str, Mapping[str, Repeatability]] = field(default_factory=dict, hash=False)
    kind: str | None = None
    most_mm: float | None = None

    def hold_for(self, kind: str, longest_mm: float) -> bool:
        """Whether scans of a kind, with voxels so long, are such as they were learnt on."""
        is_kind = self.kind is None or kind == self.kind
        return is_kind and (self.most_mm is None or longest_mm <= self.most_mm)

    def of(self, region: str, quantity: str) -> Repeatability | None:
        """What is known of a region, or of its kind without the side; None if nothing."""
        known = self.entries.get(quantity, {})
        return known.get(region) or known.get(kind_of(region))

    def percent(self, region: str, quantity: str) -> float | None:
        """The limit of a region's symmetrised change in percent; None if not known."""
        found = self.of(region, quantity)
        return None if found is None else found.limit_percent


def learn(
    pairs: Iterable[tuple[Sequence[Measurement], Sequence[Measurement]]],
    method: str,
    source: str,
    *,
    kind: str | None = None,
    most_mm: float | None = None,
) -> Limits:
    """Learn limits of test-retest pairs.

    Args:
        pairs: Measurements of the same person, first and second scan. What was not measured
            in both, or cannot be divided by, is left out.
        method: Name and version of the weights.
        source: Who was scanned, in words.
        kind: Of the scans; None for any.
        most_mm: How long voxels may be that the limits hold for; None for any.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for first, second in pairs:
        before = {(one.region, one.quantity): one.value for one in first}
        for other in second:
            value = before.get((other.region, other.quantity))
            if value is None or other.value is None:
                continue
            if min(value, other.value) < 0 or value + other.value == 0:
                continue
            kinds = found.setdefault(other.quantity, {})
            differences = kinds.setdefault(kind_of(other.region), [])
            differences.append(200 * (other.value - value) / (value + other.value))
    entries = {
        quantity: {kind: Repeatability(tuple(d)) for kind, d in kinds.items()}
        for quantity, kinds in found.items()
    }
    return Limits(method, source, entries, kind, most_mm)


def kind_of(region: str) -> str:
    """A region's name without its side.

    >>> kind_of("left-thalamus"), kind_of("brainstem")
    ('thalamus', 'brainstem')
    """
    for side in _SIDES:
        region = region.removeprefix(side)
    return region


def read_limits(text: str) -> Limits:
    """Read what `write_limits` gives.

    Raises:
        InputError: If it is not such a text.
    """
    try:
        table = tomllib.loads(text)
        entries = {
            quantity: {
                kind: Repeatability(tuple(float(d) for d in differences))
                for kind, differences in kinds.items()
            }
            for quantity, kinds in table["differences-percent"].items()
        }
        kind, most_mm = table.get("kind"), table.get("most-mm")
        return Limits(
            *(str(table["method"]), str(table["source"]), entries),
            *(None if kind is None else str(kind), None if most_mm is None else float(most_mm)),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"The table of repeatability limits cannot be read: {error!r}.",
            remedy="Give a file that `write_limits` wrote.",
            code="bad-limits",
        ) from error


def write_limits(limits: Limits, comments: Sequence[str] = ()) -> str:
    """TOML of what was learnt: the differences, which everything else follows from.

    Args:
        limits: What was learnt.
        comments: What speaks against it, a line each, on top.
    """
    lines = [f"# {_ANYTHING_BUT_SAFE.sub('?', comment)}" for comment in comments]
    lines += [f"method = {_quoted(limits.method)}", f"source = {_quoted(limits.source)}"]
    if limits.kind is not None:
        lines.append(f"kind = {_quoted(limits.kind)}")
    if limits.most_mm is not None:
        lines.append(f"most-mm = {float(limits.most_mm)!r}")
    for quantity, kinds in limits.entries.items():
        lines += ["", f"[differences-percent.{_quoted(quantity)}]"]
        for kind, found in kinds.items():
            numbers = ", ".join(repr(float(d)) for d in found.differences_percent)
            lines.append(f"{_quoted(kind)} = [{numbers}]")
    return "\n".join(lines) + "\n"


@cache
def default_limits() -> Limits:
    """The limits that come with the package."""
    text = files("medprompt_cli.longitudinal").joinpath(DEFAULT).read_text(encoding="utf-8")
    return read_limits(text)


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    return '"' + _ANYTHING_BUT_SAFE.sub(lambda found: f"\\U{ord(found[0]):08X}", text) + '"'
