"""The mask of a target on some images, narrowed by the filters of an intent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medprompt_cli.planning.builder import Builder, call
from medprompt_cli.planning.coherence import of_kind, side_of
from medprompt_cli.planning.filters import Filter, kind_of
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.tree import Comparison, Expression, ImageList, Name, Number, Text

_LENGTHS = ("mm", "cm")
_TRAITS = {"enhancing": "enhances", "diffusion-restricting": "restricts_diffusion"}
_IT = Name("it")


@dataclass(frozen=True)
class Look:
    """Images of one visit, and what to narrow masks by.

    Attributes:
        builder: Where the lines go.
        intent: Whose filters hold.
        visit: Which visit; None for the case's own.
        images: Names of the images that are read together.
        before: An image of the earlier visit, where visits are compared.
    """

    builder: Builder
    intent: Intent
    visit: Expression | None
    images: tuple[Name, ...]
    before: Name | None = None

    def segment(self, target: str) -> Name:
        """The mask of a target."""
        images = self.images[0] if len(self.images) == 1 else ImageList(self.images)
        return self.builder.let(call("segment", images, target))

    def select(self, target: str) -> tuple[Name, bool]:
        """The mask of a target, narrowed; and whether it is a set of instances."""
        mask: Expression = self.segment(target)
        for excluded in of_kind(self.intent, "exclude"):
            mask = call("subtract", mask, self.segment(excluded.value))
        if kind_of(target) == "lesion":
            mask, several = self._place_instances(mask)
        else:
            mask, several = self._place_mask(mask, target), False
        mask, several = self._choose(mask, several=several)
        return self.builder.let(mask), several

    def _place_mask(self, mask: Expression, target: str) -> Expression:
        """Cut a mask down to places: it may lie in several at once."""
        for kind in ("region", "lobe", "territory"):
            if places := self._limits(kind):
                mask = call("within", mask, self._union(places))
        for side in of_kind(self.intent, "side"):
            if side_of(target) is None:
                mask = call("side", mask, side.value)
        return mask

    def _place_instances(self, mask: Expression) -> tuple[Expression, bool]:
        """Keep the instances that are in a place."""
        regions = self._limits("region")
        named = of_kind(self.intent, "lobe", "territory")
        sides = of_kind(self.intent, "side")
        if not (regions or named or sides):
            return mask, False
        mask = call("instances", mask)
        if regions:
            mask = call("within", mask, self._union(regions))
        for side in sides:
            mask = call("side", mask, side.value)
        for kind in ("lobe", "territory"):
            mask = self._any_of(mask, [f for f in named if f.kind == kind])
        return mask, True

    def _limits(self, kind: str) -> tuple[Filter, ...]:
        """Places a mask has to lie in; what it has to be nearest to is none."""
        nearest = Filter("rank", "nearest") in self.intent.conditions
        return () if nearest and kind == "region" else of_kind(self.intent, kind)

    def _choose(self, mask: Expression, *, several: bool) -> tuple[Expression, bool]:
        """Keep the instances that are as asked for."""
        chosen = of_kind(self.intent, "signal", "size", "trait", "fate", "rank")
        if chosen and not several:
            mask, several = call("instances", mask), True
        mask = self._any_of(mask, of_kind(self.intent, "signal"))
        for one in of_kind(self.intent, "size", "trait"):
            mask = call("where", mask, self._condition(one))
        mask = self._any_of(mask, of_kind(self.intent, "fate"))
        for rank in of_kind(self.intent, "rank"):
            near = of_kind(self.intent, "region") if rank.value == "nearest" else ()
            given = [self._union(near)] if near else []
            mask, several = call(rank.value, mask, *given), False
        return mask, several

    def _any_of(self, instances: Expression, filters: Sequence[Filter]) -> Expression:
        kept = [call("where", instances, self._condition(one)) for one in filters]
        if len(kept) > 1:
            return call("instances", _union_of(kept))
        return kept[0] if kept else instances

    def _union(self, places: Sequence[Filter]) -> Expression:
        return _union_of([self.segment(place.value) for place in places])

    def _condition(self, one: Filter) -> Expression:
        if one.kind == "trait":
            return call(_TRAITS[one.value], _IT)
        if one.kind == "size":
            size = one.size
            measure = "max_diameter" if size.unit in _LENGTHS else "volume"
            bound = Number(size.number, size.unit)
            return Comparison(size.sign, call(measure, _IT), bound)
        given = [self.before] if one.kind == "fate" else []
        return Comparison("==", call(one.kind, _IT, *given), Text(one.value))


def _union_of(masks: Sequence[Expression]) -> Expression:
    union, *rest = masks
    for mask in rest:
        union = call("union", union, mask)
    return union
