"""One request of a prompt while it is being written: what it asks for so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar, get_args

from medprompt_cli.synthesis.prompts.asked import (
    FATES,
    IMAGES,
    QUANTITIES,
    Asked,
    Compares,
    Visits,
)

T = TypeVar("T")

ALONE = frozenset({"side", "rank"})
"""Kinds of filters of which one request has one at most."""


class RedrawError(Exception):
    """What was chosen does not go together: draw again."""


@dataclass(slots=True)
class Request:
    """What is asked for in one breath; `Draft` holds one or more.

    Attributes:
        targets: Canonical names, sides apart.
        quantities: In the order asked for.
        filters: In the order said.
        images: Suffixes in the order named.
        compares: What is set against what.
        visits: Which visits.
        reversed: Whether the targets are meant in the other order than they are said.
    """

    targets: list[str] = field(default_factory=list)
    quantities: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    compares: Compares = "none"
    visits: Visits = "own"
    reversed: bool = False

    def limit(self, text: str) -> None:
        """Add a filter; what became of a lesion needs two visits."""
        kind = text.partition(":")[0]
        clash = kind in ALONE and any(f.startswith(f"{kind}:") for f in self.filters)
        if clash or text in self.filters:
            raise RedrawError
        self.filters.append(text)
        if text in FATES:
            self.direct("compares=visits")

    def direct(self, directive: str) -> None:
        """Add what a directive of a template says.

        Raises:
            ValueError: If it says nothing.
            RedrawError: If it contradicts what is asked for already.
        """
        key, _, value = directive.partition("=")
        if directive in QUANTITIES:
            self.quantities.append(directive)
        elif key == "compares" and value in get_args(Compares):
            self.compares = only(self.compares, "none", value)  # pyright: ignore
        elif key == "visits" and value in get_args(Visits):
            self.visits = only(self.visits, "own", value)  # pyright: ignore
        elif key == "filter":
            self.limit(value)
        elif key == "image" and value in IMAGES:
            self.images.append(value)
        elif directive == "order=reversed":
            self.reversed = True
        else:
            raise ValueError(f"{directive!r} is no directive.")

    def asked(self) -> Asked:
        """What is asked for, in its one form.

        Raises:
            RedrawError: If it has no target, or its parts do not go together.
        """
        density = "density" in self.quantities and self.images and "ct" not in self.images
        if not self.targets or density:
            raise RedrawError
        visits = self.visits
        if self.compares == "visits" and visits == "own":
            visits = "first-last"
        return Asked(
            targets=fold_sides(self.targets[::-1] if self.reversed else self.targets),
            quantities=tuple(sorted(set(self.quantities))),
            compares=self.compares,
            filters=tuple(sorted(set(self.filters))),
            images=tuple(dict.fromkeys(self.images)),
            visits=visits,
        )


def only(now: T, nothing: T, wanted: T) -> T:
    """What is wanted, if nothing else was wanted before."""
    if wanted not in (nothing, now) and now != nothing:
        raise RedrawError
    return now if wanted == nothing else wanted


def merge(requests: Sequence[Asked]) -> Asked:
    """All of several requests as one.

    Raises:
        RedrawError: If they would take back or mix up what each of them says.
    """
    sides = {f for asked in requests for f in asked.filters if f.startswith(("side", "rank"))}
    if len(sides) > 1:
        raise RedrawError
    compares: Compares = "none"
    visits: Visits = "own"
    for asked in requests:
        compares = only(compares, "none", asked.compares)
        visits = only(visits, "own", asked.visits)
    return Asked(
        targets=fold_sides([name for asked in requests for name in asked.targets]),
        quantities=tuple(sorted({name for asked in requests for name in asked.quantities})),
        compares=compares,
        filters=tuple(sorted({text for asked in requests for text in asked.filters})),
        images=tuple(dict.fromkeys(name for asked in requests for name in asked.images)),
        visits=visits,
    )


def fold_sides(names: Sequence[str]) -> tuple[str, ...]:
    """Each name once; a left and a right one are the bare one.

    >>> fold_sides(["left-hippocampus", "csf", "right-hippocampus"])
    ('hippocampus', 'csf')
    """
    sides: dict[str, set[str]] = {}
    for name in names:
        side, _, bare = name.partition("-")
        if side not in {"left", "right"}:
            side, bare = "", name
        sides.setdefault(bare, set()).add(side)
    return tuple(
        f"{next(iter(said))}-{bare}" if len(said) == 1 and "" not in said else bare
        for bare, said in sides.items()
    )
