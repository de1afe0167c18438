"""Which questions an image can be asked, and which it cannot, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from medprompt_cli.domain.instruction import ANY_LESION, Form
from medprompt_cli.synthesis.instructions.known import (
    UNCLEAR,
    Dropped,
    Gate,
    KnownImage,
    KnownLesion,
    Piece,
)


@dataclass(frozen=True, slots=True)
class Least:
    """What a target must have at least; smaller ones are neither there nor not there.

    Attributes:
        volume_ml: Volume. That of a ball of 3 mm is what criteria of MS count from.
        voxels: Voxels; with fewer, nothing of a shape is measured either.

    Source: Filippi et al., Assessment of lesions on MRI in multiple sclerosis, Brain 2019.
    """

    volume_ml: float = 0.0141
    voxels: int = 10


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask of an image.

    Attributes:
        case: The image.
        form: What is named.
        asked: The lesion that is named.
        target: The lesion that it turns out to be.
        place: Of a basic question.
        pieces: Numbers of the target's pieces; none if nothing is there.
        volume_ml: Of these.
        elsewhere: Whether the target, if not there, is elsewhere in the image.
    """

    case: str
    form: Form
    asked: str
    target: str
    place: str | None = None
    pieces: tuple[int, ...] = ()
    volume_ml: float = 0.0
    elsewhere: bool = False

    @property
    def present(self) -> bool:
        """Whether what is asked for is there."""
        return bool(self.pieces)

    @property
    def key(self) -> str:
        """A name that no other question of the set has."""
        return ":".join((self.case, self.form, self.target, self.place or "anywhere"))


def questions(image: KnownImage, least: Least) -> Iterator[Question | Dropped]:
    """Every question about an image, in one order, and what cannot be asked."""
    for lesion in image.lesions:
        yield _global(image, lesion, least)
        if not image.places:
            yield Dropped(image.case, "basic", lesion.name, None, "no-anatomy")
        for place in image.places:
            yield _basic(image, lesion, place, least)
    yield from _inference(image, least)


def _global(image: KnownImage, lesion: KnownLesion, least: Least) -> Question | Dropped:
    differing = _gate_of(lesion.pieces, image.places, ("places-differ",))
    if differing:
        return Dropped(image.case, "global", lesion.name, None, differing)
    asked = Question(image.case, "global", lesion.name, lesion.name)
    return _with_pieces(asked, lesion.pieces, least)


def _basic(
    image: KnownImage, lesion: KnownLesion, place: str, least: Least
) -> Question | Dropped:
    unclear = _gate_of(lesion.pieces, (place,))
    if unclear:
        return Dropped(image.case, "basic", lesion.name, place, unclear)
    there = [piece for piece in lesion.pieces if piece.places[place] == "in"]
    elsewhere = bool(lesion.pieces) and not there
    names = (image.case, "basic", lesion.name, lesion.name, place)
    asked = Question(*names, elsewhere=elsewhere)
    return _with_pieces(asked, there, least)


def _inference(image: KnownImage, least: Least) -> Iterator[Question | Dropped]:
    """The question that names no kind: answered by the one kind, or by no lesion at all."""
    if image.without_kind is not None:
        yield Dropped(image.case, "lesion_inference", ANY_LESION, None, image.without_kind)
        return
    kind = image.kind or ANY_LESION
    for lesion in image.lesions:
        if lesion.name == kind and bool(lesion.pieces) == (image.kind is not None):
            asked = Question(image.case, "lesion_inference", ANY_LESION, kind)
            yield _with_pieces(asked, lesion.pieces, least)


def _with_pieces(asked: Question, pieces: Sequence[Piece], least: Least) -> Question | Dropped:
    """The question with its target; dropped if the target is too small."""
    if not pieces:
        return asked
    volume, voxels = sum(p.volume_ml for p in pieces), sum(p.voxels for p in pieces)
    if volume < least.volume_ml or voxels < least.voxels:
        detail = f"{voxels} voxels, {volume:.4f} mL"
        what = (asked.case, asked.form, asked.target, asked.place)
        return Dropped(*what, "too-small", detail)
    return Question(
        *(asked.case, asked.form, asked.asked, asked.target, asked.place),
        tuple(piece.number for piece in pieces),
        volume,
    )


def _gate_of(
    pieces: Iterable[Piece], places: Iterable[str], gates: Sequence[Gate] | None = None
) -> Gate | None:
    """The first reason why it is not known whether a piece lies in one of some places."""
    wanted = list(places)
    for piece in pieces:
        for place in wanted:
            where = piece.places[place]
            unclear = UNCLEAR.get(where)
            if unclear is not None and (gates is None or unclear in gates):
                return unclear
    return None
