"""What a prompt asks for, whatever its words and whatever its program.

Both sides of a region are its bare name: `hippocampus`. Regions that only limit what was
asked for are filters, not targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from medprompt_cli.bids.entities import SCAN_SUFFIXES
from medprompt_cli.errors import UsageError
from medprompt_cli.planning.filters import Filter, fold_sides, kind_of, parse_filter

Compares = Literal["none", "sides", "visits", "images"]
Visits = Literal["own", "all", "first-last", "first", "last"]

COMPARES: tuple[Compares, ...] = get_args(Compares)
VISITS: tuple[Visits, ...] = get_args(Visits)
"""Which visits are looked at; `own` is the visit that a case is."""

MEASURES: tuple[str, ...] = (
    *("volume", "count", "max-diameter", "bidimensional", "width", "surface-area"),
    *("mean-intensity", "density", "fraction-of-icv"),
)
"""Quantities that are one number of one region, and can be compared."""

TRAIT_QUANTITIES: tuple[str, ...] = (
    *("signal", "lobe", "territory", "enhancement", "diffusion-restriction", "presence"),
)
"""Quantities that say what a region is like."""

COMPARISONS: tuple[str, ...] = (
    *("asymmetry", "ratio", "difference", "change", "percent-change", "annualised-change"),
)
"""Quantities made of two numbers: of the measures asked for, or of volumes if none is."""

CHANGES: tuple[str, ...] = ("change", "percent-change", "annualised-change")
"""Comparisons of two visits."""

QUANTITIES: tuple[str, ...] = tuple(
    sorted((*MEASURES, *TRAIT_QUANTITIES, *COMPARISONS, "new-lesions"))
)
"""All that can be asked of a region."""

IMAGES: tuple[str, ...] = (*SCAN_SUFFIXES, "T1ce", "dwi", "ADC", "swi")
"""Suffixes that can be asked for; `T1ce` is a T1w with contrast agent, of any `ce-`."""


@dataclass(frozen=True)
class Intent:
    """What was asked for. Brought to one form when it is made, so equal means equal.

    Attributes:
        targets: Canonical names, each once, in the order first named.
        quantities: Of `QUANTITIES`, sorted; empty if only masks were asked for.
        compares: What is set against what.
        filters: Texts of `planning/filters.py`, sorted.
        images: Suffixes asked for, in the order named; empty if any image will do.
        visits: Which visits.

    Raises:
        UsageError: If a name is unknown or there is no target.
    """

    targets: tuple[str, ...]
    quantities: tuple[str, ...] = ()
    compares: Compares = "none"
    filters: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    visits: Visits = "own"

    def __post_init__(self) -> None:
        if not self.targets:
            raise UsageError(
                "Nothing is named that could be looked at.",
                remedy="Name a region, such as 'hippocampus' or 'lesion'.",
            )
        for target in self.targets:
            kind_of(target)
        _check(self.quantities, QUANTITIES, "quantity")
        _check((self.compares,), COMPARES, "comparison")
        _check(self.images, IMAGES, "image suffix")
        _check((self.visits,), VISITS, "choice of visits")
        filters = [parse_filter(text) for text in self.filters]
        self._set("targets", fold_sides(self.targets))
        self._set("quantities", tuple(sorted(set(self.quantities))))
        self._set("filters", _one_form_of(filters))
        self._set("images", tuple(dict.fromkeys(self.images)))

    def _set(self, field: str, value: tuple[str, ...]) -> None:
        object.__setattr__(self, field, value)

    @property
    def conditions(self) -> tuple[Filter, ...]:
        """The filters, typed."""
        return tuple(parse_filter(text) for text in self.filters)

    @property
    def measures(self) -> tuple[str, ...]:
        """The numbers of one region that were asked for."""
        return tuple(name for name in self.quantities if name in MEASURES)

    @property
    def comparisons(self) -> tuple[str, ...]:
        """The quantities made of two numbers that were asked for."""
        return tuple(name for name in self.quantities if name in COMPARISONS)

    def as_json(self) -> dict[str, Any]:
        """The fields, as `plan.json` and `medprompt plan --json` word them."""
        return {
            "targets": list(self.targets),
            "quantities": list(self.quantities),
            "compares": self.compares,
            "filters": list(self.filters),
            "images": list(self.images),
            "visits": self.visits,
        }


def in_order(intents: Iterable[Intent]) -> list[Intent]:
    """Requests as one program holds them: those about all visits come last, in one loop."""
    return sorted(
        intents, key=lambda i: (i.compares != "visits") + 1 if i.visits == "all" else 0
    )


def merge(requests: Iterable[Intent]) -> Intent:
    """All of several requests, as one."""
    intents = in_order(requests)
    compared = {intent.compares for intent in intents}
    return Intent(
        targets=tuple(name for intent in intents for name in intent.targets),
        quantities=tuple(name for intent in intents for name in intent.quantities),
        compares=next(c for c in ("visits", "sides", "images", "none") if c in compared),
        filters=tuple(text for intent in intents for text in intent.filters),
        images=tuple(name for intent in intents for name in intent.images),
        visits=merge_visits(intent.visits for intent in intents),
    )


def merge_visits(chosen: Iterable[Visits]) -> Visits:
    """The smallest choice of visits that holds several: `own` gives way to every other."""
    said = set(chosen) - {"own"}
    if not said:
        return "own"
    if len(said) == 1:
        return said.pop()
    return "all" if "all" in said else "first-last"


def _one_form_of(filters: Sequence[Filter]) -> tuple[str, ...]:
    folded = set(filters)
    for kind in ("lobe", "territory", "region", "exclude"):
        names = [f.value for f in filters if f.kind == kind]
        folded -= {Filter(kind, name) for name in names}
        folded |= {Filter(kind, name) for name in fold_sides(names)}
    if {Filter("side", "left"), Filter("side", "right")} <= folded:
        folded -= {Filter("side", "left"), Filter("side", "right")}
    return tuple(sorted(str(f) for f in folded))


def _check(names: Iterable[str], known: Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise UsageError(
                f"Unknown {what} {name!r}.", remedy=f"Use one of {', '.join(known)}."
            )
