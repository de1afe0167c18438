"""Which rows of a table a prompt asks for, where masks are taken as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from medprompt_cli.bids.schemas import MeasurementRow
from medprompt_cli.cohort.asked_columns import COLUMNS
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.requests import Request
from medprompt_cli.planning.summary import summarise

_SEGMENT = "Use medprompt segment, which makes the masks that this is about."
_FOLLOW = "Use medprompt longitudinal, with --masks for masks that are there already."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows that a prompt asks for.

    Attributes:
        regions: Canonical names; of both sides also the bare name.
        quantities: Names of the table; empty for all.
    """

    regions: frozenset[str]
    quantities: frozenset[str]

    def among(self, rows: Iterable[MeasurementRow], case: str) -> list[MeasurementRow]:
        """The rows that were asked for.

        Raises:
            InputError: If there is none; names the regions there are.
        """
        known = list(rows)
        kept = [row for row in known if self.keeps(row)]
        if not kept:
            there = ", ".join(sorted({row.region for row in known})) or "nothing"
            raise InputError(
                f"{case} holds none of {', '.join(sorted(self.regions))}; there: {there}.",
                remedy="Name what is there, or give its names with --labels.",
                code="no-such-region",
            )
        return kept

    def keeps(self, row: MeasurementRow) -> bool:
        """Whether a row was asked for."""
        region = row.region.lower().replace("_", "-")
        asked = not self.quantities or row.quantity in self.quantities
        return asked and region in self.regions


def wanted_of(request: Request) -> Wanted:
    """The rows that a request is for.

    Raises:
        UsageError: If it is about more than masks as they are can tell.
    """
    names = tuple(target.name for target in request.targets)
    intent = summarise(request.program) if request.program else Intent(names)
    plain = replace(intent, quantities=(), compares="none")
    asks_for_more = plain != Intent(intent.targets) or intent.compares in {"visits", "images"}
    unknown = [name for name in intent.quantities if name not in COLUMNS]
    if asks_for_more or unknown:
        what = f"{unknown[0]} is" if unknown else "Visits, images and conditions are"
        raise UsageError(
            f"{what} nothing that masks as they are can be asked for.",
            remedy=_FOLLOW if intent.compares == "visits" else _SEGMENT,
        )
    bare = {name.removeprefix("left-").removeprefix("right-") for name in names}
    columns = {column for name in intent.quantities for column in COLUMNS[name]}
    return Wanted(frozenset({*names, *bare}), frozenset(columns))
