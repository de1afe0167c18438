"""One question about one image, and what answers it: an instruction with its pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from medprompt_cli.errors import InputError

Form = Literal["basic", "global", "lesion_inference"]
"""What an instruction names: a lesion and a place, a lesion alone, or no kind of lesion."""

Type = Literal["basic", "global", "lesion_inference", "absence"]
"""The form of an instruction whose target is there; `absence` where it is not."""

Language = Literal["en", "ko"]

FORMS: tuple[Form, ...] = get_args(Form)
TYPES: tuple[Type, ...] = get_args(Type)
LANGUAGES: tuple[Language, ...] = get_args(Language)

ANY_LESION = "lesion"
"""What an instruction asks for that names no kind of lesion."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction, its answer and its mask, as a line of an instruction set holds them.

    Attributes:
        pair_id: No two pairs of a set share one.
        type: `absence` if the target is not there, else the form.
        form: What the instruction names.
        language: Of instruction and answer.
        instruction: What is asked for, in a person's words.
        answer: A sentence; begins with `[SEG]`, which stands for the mask.
        asked: The lesion that the instruction names, in the words of the vocabulary.
        target: The lesion that the mask shows; for `lesion_inference` the kind it turns out
            to be, else as asked.
        place: Where the instruction says; None unless it is `basic`.
        participant_id: With its sub- prefix.
        session_id: With its ses- prefix; None without sessions.
        case: The image's name, or that of several that are read together.
        images: BIDS URIs, or file URIs, of the images.
        truth: The same of the masks that the target was taken from.
        pieces: Connected pieces of the target.
        volume_ml: Of the target.
        mask: Its file, relative to the set; None where there is no voxel.

    Raises:
        InputError: If type, form, place, mask and pieces do not go together.
    """

    pair_id: str
    type: Type
    form: Form
    language: Language
    instruction: str
    answer: str
    asked: str
    target: str
    place: str | None
    participant_id: str
    session_id: str | None
    case: str
    images: tuple[str, ...]
    truth: tuple[str, ...]
    pieces: int
    volume_ml: float
    mask: str | None

    def __post_init__(self) -> None:
        absent = self.type == "absence"
        checks = {
            f"has type {self.type!r}": self.type not in TYPES,
            f"has form {self.form!r}": self.form not in FORMS,
            f"has language {self.language!r}": self.language not in LANGUAGES,
            f"is of type {self.type} and form {self.form}": self.type
            not in {"absence", self.form},
            f"is {self.form} with place {self.place!r}": (self.place is None)
            == (self.form == "basic"),
            f"is of type {self.type} with mask {self.mask!r}": (self.mask is None) != absent,
            f"is of type {self.type} with {self.pieces} pieces of {self.volume_ml} mL": absent
            != (self.pieces == 0)
            or absent != (self.volume_ml == 0),
            "names no image": not self.images,
        }
        for said, wrong in checks.items():
            if wrong:
                raise InputError(
                    f"The pair {self.pair_id!r} {said}.",
                    remedy="Make the instruction set again with medprompt dataset build.",
                    code="bad-instruction",
                )
