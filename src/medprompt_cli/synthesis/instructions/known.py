"""What is known of an image: its lesions, their pieces, and where each lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from medprompt_cli.domain.anatomy import GROUPS
from medprompt_cli.domain.parcels import LOBES

Unclear = Literal[
    "place-unclear",
    "finding-uncertain",
    "finding-not-measured",
    "places-differ",
]
UNCLEAR: Mapping[str, Unclear] = {gate: gate for gate in get_args(Unclear)}
"""Why it is not known whether a piece lies in a place."""

Gate = (
    Unclear
    | Literal[
        "no-image",
        "unreadable",
        "grid-mismatch",
        "not-a-lesion",
        "superseded",
        "status",
        "truncated",
        "presence-unclear",
        "no-anatomy",
        "too-small",
        "no-kind",
        "several-kinds",
        "surplus",
    ]
)

GATES: Mapping[Gate, str] = {
    "no-image": "The image that the masks are of was not found",
    "unreadable": "An image or a mask cannot be read",
    "grid-mismatch": "A mask does not lie on the grid of its image",
    "not-a-lesion": "The mask is of no lesion of the vocabulary",
    "superseded": "Somebody else drew the same lesion of the same image",
    "status": "Its sidecar says that it was not measured, nor absent",
    "truncated": "The image ends inside it",
    "presence-unclear": "There are voxels and it is not surely there, or none and it may be",
    "no-anatomy": "No label map or finding says where its pieces lie",
    "place-unclear": "A piece lies on the border of the place, or close to it",
    "finding-uncertain": "The finding that says where a piece lies is not certain",
    "finding-not-measured": "The finding that is to say where a piece lies has no value",
    "places-differ": "A finding says another lobe than the label map",
    "too-small": "It has fewer voxels or less volume than asked for",
    "no-kind": "Of the lesion it is not known what kind it is",
    "several-kinds": "The lesions of the image are of several kinds",
    "surplus": "It was left out so that what is there and what is not are balanced",
}
"""Why something gave no pair."""

SIDES = ("left", "right")

HEMISPHERES: tuple[str, ...] = tuple(f"{side}-hemisphere" for side in SIDES)
"""Places by the nearer half of the cerebrum."""

LOBE_PLACES: tuple[str, ...] = tuple(f"{side}-{name}" for name in LOBES for side in SIDES)

_PAIRED = ("cerebral-white-matter", "thalamus", "basal-ganglia", "cerebellum")


def _of_side(side: str, name: str) -> frozenset[str]:
    """The base structures of one side of a structure or a group."""
    whole = f"{side}-{name}"
    return frozenset(m for m in GROUPS.get(name, (whole,)) if m.startswith(f"{side}-"))


REGION_PLACES: Mapping[str, frozenset[str]] = {
    **{f"{side}-{name}": _of_side(side, name) for name in _PAIRED for side in SIDES},
    "brainstem": frozenset({"brainstem"}),
}
"""Places that are base structures, or groups of them, and these structures."""

PLACES: tuple[str, ...] = (*HEMISPHERES, *LOBE_PLACES, *REGION_PLACES)
"""Every place that an instruction can name."""

Where = Unclear | Literal["in", "out"]
"""Whether a piece lies in a place, or the gate that says why that is not known."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One connected piece of a lesion.

    Attributes:
        number: From 1, the largest first.
        voxels: How many it has.
        volume_ml: Their volume.
        places: For every place that was looked at, whether it lies there.
    """

    number: int
    voxels: int
    volume_ml: float
    places: Mapping[str, Where]


@dataclass(frozen=True, slots=True)
class KnownLesion:
    """One kind of lesion of an image.

    Attributes:
        name: In the words of the vocabulary.
        pieces: All of it; none if it is known not to be there.
        truth: URIs of the masks that say so.
    """

    name: str
    pieces: tuple[Piece, ...]
    truth: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownImage:
    """One image, or several that are read together.

    Attributes:
        case: Its name.
        participant_id: With its sub- prefix.
        session_id: With its ses- prefix; None without sessions.
        images: URIs.
        lesions: Those that are known to be there, or not to be.
        places: Those that it is known of where pieces lie.
        kind: The kind that all lesions of the image are; None if there is none such.
        without_kind: If there is a lesion and no kind, the gate that says why.
    """

    case: str
    participant_id: str
    session_id: str | None
    images: tuple[str, ...]
    lesions: tuple[KnownLesion, ...]
    places: tuple[str, ...]
    kind: str | None = None
    without_kind: Gate | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that gave no pair.

    Attributes:
        case: The image.
        what: A form of question, or `image` or `mask`.
        target: The lesion, or the file; empty if it is about all of the image.
        place: Of a basic question.
        gate: Why.
        detail: The same in numbers or names; may be empty.
    """

    case: str
    what: str
    target: str
    place: str | None
    gate: Gate
    detail: str = ""
