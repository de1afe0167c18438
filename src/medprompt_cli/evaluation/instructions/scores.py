"""gIoU, cIoU and N-Acc of an instruction set: in all, and by what was asked.

gIoU is the mean of each pair's IoU, where an empty answer to a target that is not there counts
1, as in generalised referring segmentation; gIoU of what is there leaves such pairs out. cIoU
is the volume shared in all pairs over that of all unions, in mL, as images differ in voxel
size. N-Acc is the share of the targets that are not there whose answer is an empty mask. An
instruction without an answer has IoU 0 and is wrong about what is not there; to cIoU it adds
the target that it missed.

Intervals are from a bootstrap over participants: what is asked about one person hangs together.

Source: generalised referring segmentation, arXiv:2306.00968; ROSALIA, arXiv:2511.15186.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.domain.instruction import FORMS, LANGUAGES, TYPES
from medprompt_cli.evaluation.instructions.outcomes import Outcome
from medprompt_cli.evaluation.overlap import ratio_interval

Quantity = Literal[
    "iou",
    "true_ml",
    "predicted_ml",
    "shared_ml",
    "answered",
    "giou",
    "giou_present",
    "ciou",
    "n_acc",
]

UNITS: dict[Quantity, str] = {
    **{"iou": "1", "true_ml": "mL", "predicted_ml": "mL", "shared_ml": "mL"},
    **{"answered": "1", "giou": "1", "giou_present": "1", "ciou": "1", "n_acc": "1"},
}
"""UCUM code of every quantity."""

ALL = "all"
VISIBLE = "visible to the weights"
"""All but those about lesions that the weights cannot see."""


@dataclass(frozen=True, slots=True)
class InstructionScore:
    """One number.

    Attributes:
        pair: The outcome it is about; None if about several pairs.
        subset: What the pairs have in common: `all`, `type`, `form`, `language`, `target`;
            `pair` of a number about one.
        member: Which type, language and so on; of `all`, `all` or `VISIBLE`.
        quantity: What was computed.
        value: None if there is nothing to compute it of.
        low: Lower end of the 95 % bootstrap interval, if there is one.
        high: Its upper end.
        n: Pairs that the number is about.
    """

    pair: Outcome | None
    subset: str
    member: str
    quantity: Quantity
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 1

    @property
    def unit(self) -> str:
        """UCUM code of the value."""
        return UNITS[self.quantity]

    @property
    def status(self) -> str:
        """`measured`, or why there is no value."""
        if self.value is not None:
            return "measured"
        return "absent" if self.pair is None else self.pair.status


def scores_of(outcomes: Sequence[Outcome]) -> list[InstructionScore]:
    """Every number: of each pair, then of all, of each type, form, language and target."""
    found = [score for one in outcomes for score in _of_pair(one)]
    for subset, member, chosen in _subsets(outcomes):
        found += _of_several(subset, member, chosen)
    return found


def _of_pair(one: Outcome) -> Iterator[InstructionScore]:
    values: dict[Quantity, float | None] = {
        "iou": one.iou if one.answered else None,
        "true_ml": one.true_ml,
        "predicted_ml": one.predicted_ml,
        "shared_ml": one.shared_ml,
    }
    for quantity, value in values.items():
        yield InstructionScore(one, "pair", one.pair.pair_id, quantity, value)


def _subsets(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, str, list[Outcome]]]:
    yield ALL, ALL, list(outcomes)
    yield ALL, VISIBLE, [one for one in outcomes if one.status != "not_visible"]
    targets = sorted({one.pair.target for one in outcomes})
    keys: dict[str, tuple[Iterable[str], Callable[[Outcome], str]]] = {
        "type": (TYPES, lambda one: one.pair.type),
        "form": (FORMS, lambda one: one.pair.form),
        "language": (LANGUAGES, lambda one: one.pair.language),
        "target": (targets, lambda one: one.pair.target),
    }
    for subset, (members, key) in keys.items():
        for member in members:
            yield subset, member, [one for one in outcomes if key(one) == member]


def _of_several(
    subset: str, member: str, outcomes: Sequence[Outcome]
) -> Iterator[InstructionScore]:
    present, null = ([one for one in outcomes if one.null is no] for no in (False, True))
    yield _ratio(subset, member, "answered", outcomes, lambda one: (one.answered, 1.0))
    yield _ratio(subset, member, "giou", outcomes, lambda one: (one.iou, 1.0))
    yield _ratio(subset, member, "giou_present", present, lambda one: (one.iou, 1.0))
    judged = outcomes if present else ()  # without any target there is nothing to share
    yield _ratio(subset, member, "ciou", judged, _shared_and_united)
    yield _ratio(subset, member, "n_acc", null, lambda one: (one.right_about_nothing, 1.0))


def _shared_and_united(one: Outcome) -> tuple[float, float]:
    sizes = one.sizes
    return sizes.shared, sizes.predicted + sizes.true - sizes.shared


def _ratio(
    subset: str,
    member: str,
    quantity: Quantity,
    outcomes: Sequence[Outcome],
    parts: Callable[[Outcome], tuple[float, float]],
) -> InstructionScore:
    """A sum over a sum; for its interval participants are drawn, with all their pairs."""
    people: dict[str, tuple[float, float]] = {}
    for one in outcomes:
        top, bottom = parts(one)
        before = people.get(one.pair.participant_id, (0.0, 0.0))
        people[one.pair.participant_id] = before[0] + top, before[1] + bottom
    tops, bottoms = [top for top, _ in people.values()], [b for _, b in people.values()]
    value = sum(tops) / sum(bottoms) if sum(bottoms) else None
    low, high = (ratio_interval(tops, bottoms) if value is not None else None) or (None, None)
    return InstructionScore(None, subset, member, quantity, value, low, high, len(outcomes))
