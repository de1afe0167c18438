"""What narrows a request: typed in here, one short text outside.

| Text | Means |
|---|---|
| `side:left` | what lies on that side of the midline |
| `lobe:right-parietal-lobe`, `territory:mca-territory` | in it; without a side, in either |
| `region:lateral-ventricle` | in it or touching it |
| `exclude:thalamus` | without it |
| `signal:hypo` | darker than its surroundings; `iso` and `hyper` likewise |
| `size:>10mm3`, `size:<=5mm` | by volume, or by the longest diameter |
| `rank:largest`, `rank:smallest` | that one only |
| `rank:nearest` | the one nearest to the `region:` |
| `new`, `enlarging`, ... | what became of it since the earlier visit |
| `enhancing`, `diffusion-restricting` | what it does |

Several lobes, territories, regions, signals or fates mean any of them; everything else has
to hold at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.vocabulary import TargetKind, find, resolve

FilterKind = Literal[
    "side",
    "lobe",
    "territory",
    "region",
    "exclude",
    "signal",
    "size",
    "rank",
    "fate",
    "trait",
    "where",
]

Sign = Literal[">", ">=", "<", "<="]

SIDES: tuple[str, ...] = ("left", "right")
SIGNALS: tuple[str, ...] = ("hyper", "iso", "hypo")
RANKS: tuple[str, ...] = ("largest", "smallest", "nearest")
FATES: tuple[str, ...] = (
    *("new", "resolved", "enlarging", "shrinking", "stable", "merged", "split"),
)
TRAITS: tuple[str, ...] = ("enhancing", "diffusion-restricting")

SIZE_UNITS: tuple[str, ...] = ("mm3", "mL", "mm", "cm")
"""Of a volume or of the longest diameter."""

PLACES: tuple[FilterKind, ...] = ("lobe", "territory", "region", "exclude")
"""Kinds whose value is a target."""

WORDS: dict[str, tuple[str, ...]] = {
    "side": SIDES,
    "signal": SIGNALS,
    "rank": RANKS,
    "fate": FATES,
    "trait": TRAITS,
}
"""What the value of a filter may be, by kind."""

_SIZE = re.compile(
    r"(?P<sign>>=|<=|>|<)\s*(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(?P<unit>[A-Za-z]+[23]?)"
)
_BARE_KINDS: tuple[FilterKind, ...] = ("fate", "trait")


@dataclass(frozen=True, slots=True)
class Size:
    """A bound on a size.

    Attributes:
        sign: `>`, `>=`, `<` or `<=`.
        number: In `unit`.
        unit: One of `SIZE_UNITS`.
    """

    sign: Sign
    number: float
    unit: str

    def __str__(self) -> str:
        return f"{self.sign}{format_number(self.number)}{self.unit}"


@dataclass(frozen=True, slots=True, order=True)
class Filter:
    """One condition on what was asked for. Made by `parse_filter`; `str` is its text.

    Attributes:
        kind: What it looks at. Fates (`new`) and traits (`enhancing`) are written without;
            `where` holds a condition of a program that no other kind has a word for.
        value: Canonical name, word or bound.
    """

    kind: FilterKind
    value: str

    def __str__(self) -> str:
        return self.value if self.kind in _BARE_KINDS else f"{self.kind}:{self.value}"

    @property
    def size(self) -> Size:
        """The bound of a size filter."""
        return _read_size(self.value, str(self))


def parse_filter(text: str) -> Filter:
    """Read a filter from its text.

    >>> str(parse_filter("size: > 10.0 mm3"))
    'size:>10mm3'

    Raises:
        UsageError: If it is no filter, or its value is not known.
    """
    for kind in _BARE_KINDS:
        if text in WORDS[kind]:
            return Filter(kind, text)
    kind, colon, value = text.partition(":")
    if not colon or kind not in get_args(FilterKind) or kind in _BARE_KINDS:
        raise UsageError(
            f"Unknown filter {text!r}.",
            remedy="Use side:, lobe:, territory:, region:, exclude:, signal:, size:, rank: "
            f"with a value, or one of {', '.join((*FATES, *TRAITS))}.",
        )
    value = value.strip()
    if kind in PLACES:
        _check_place(kind, value, text)
    elif kind in WORDS and value not in WORDS[kind]:
        raise UsageError(
            f"Filter {text!r}: {value!r} is no {kind}.",
            remedy=f"Use one of {', '.join(WORDS[kind])}.",
        )
    elif kind == "size":
        value = str(_read_size(value, text))
    return Filter(kind, value)  # pyright: ignore[reportArgumentType] - one of FilterKind


def format_number(number: float) -> str:
    """Shortest decimal text without an exponent.

    >>> format_number(10.0), format_number(0.5), format_number(1e-06)
    ('10', '0.5', '0.000001')
    """
    text = f"{number:.6f}"
    return text.rstrip("0").rstrip(".")


def fold_sides(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once; a left and a right one, or a bare and a sided one, are the bare one.

    >>> fold_sides(["left-hippocampus", "csf", "right-hippocampus"])
    ('hippocampus', 'csf')
    """
    sides: dict[str, set[str | None]] = {}
    for name in names:
        found = find(name)
        bare, side = (found[0].name, found[1]) if found else (name, None)
        sides.setdefault(bare, set()).add(side)
    return tuple(
        f"{next(iter(said))}-{bare}" if len(said) == 1 and None not in said else bare
        for bare, said in sides.items()
    )


def kind_of(target: str) -> TargetKind:
    """What sort of region a canonical name is.

    Raises:
        UsageError: If it is not a canonical name; the nearest ones are offered.
    """
    found = find(target)
    if found:
        return found[0].kind
    meant = fold_sides(t.name for t in resolve([target]))
    raise UsageError(
        f"{target!r} is not a canonical name.",
        remedy=f"Write {' and '.join(map(repr, meant))}.",
    )


def _check_place(kind: str, value: str, text: str) -> None:
    sort = kind_of(value)
    wanted = sort if sort in {"lobe", "territory"} else "region"
    if kind not in {wanted, "exclude"}:
        raise UsageError(
            f"Filter {text!r}: {value!r} is a {sort}.", remedy=f"Write '{wanted}:{value}'."
        )


def _read_size(value: str, text: str) -> Size:
    match = _SIZE.fullmatch(value)
    if match is None or match["unit"] not in SIZE_UNITS:
        raise UsageError(
            f"Filter {text!r} holds no size.",
            remedy=f"Write a bound such as 'size:>10mm3'; units are {', '.join(SIZE_UNITS)}.",
        )
    sign = next(sign for sign in get_args(Sign) if sign == match["sign"])
    return Size(sign, float(match["number"]), match["unit"])
