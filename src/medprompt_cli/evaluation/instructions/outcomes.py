"""What a model made of one instruction about one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.evaluation.overlap import Overlap

Status = Literal["answered", "refused", "ambiguous", "not_runnable", "not_visible", "no_answer"]
"""answered: with a mask, which may be empty; refused, ambiguous: the words have no one
program; not_runnable: the program is about more than one image; not_visible: the weights
cannot see what is asked for; no_answer: the mask failed, or the image does not show it."""

STATUSES: tuple[Status, ...] = get_args(Status)

STATUS_MEANS: Mapping[Status, str] = {
    "answered": "with a mask, which may be empty",
    "refused": "the words have no program",
    "ambiguous": "the words have several programs",
    "not_runnable": "the program is about more than this image",
    "not_visible": "the weights cannot see what is asked for",
    "no_answer": "no mask that could be trusted",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one pair, held against its mask.

    Attributes:
        pair: What was asked.
        status: Whether there is an answer.
        reason: Why not; empty if there is.
        true_ml: Volume of the target.
        predicted_ml: Volume of the answer; None without one.
        shared_ml: Volume of what is in both; None without an answer.
    """

    pair: Instruction
    status: Status
    reason: str
    true_ml: float
    predicted_ml: float | None = None
    shared_ml: float | None = None

    @property
    def answered(self) -> bool:
        """Whether there is a mask to judge."""
        return self.status == "answered"

    @property
    def null(self) -> bool:
        """Whether nothing is there that the instruction asks for."""
        return self.true_ml == 0

    @property
    def sizes(self) -> Overlap:
        """Both masks in mL; without an answer nothing was predicted."""
        predicted, shared = self.predicted_ml or 0.0, self.shared_ml or 0.0
        return Overlap(shared=shared, predicted=predicted, true=self.true_ml)

    @property
    def iou(self) -> float:
        """Shared over united volume; 1 for empty against empty, 0 without an answer."""
        if not self.answered:
            return 0.0
        value = self.sizes.jaccard
        return 1.0 if value is None else value

    @property
    def right_about_nothing(self) -> bool:
        """Whether the answer to a target that is not there is an empty mask."""
        return self.answered and not self.predicted_ml
