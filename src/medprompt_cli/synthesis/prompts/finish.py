"""From a draft with marks to a prompt: particles, blanks, capitals, spelling, and spans."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from medprompt_cli.synthesis.prompts.asked import Mention
from medprompt_cli.synthesis.prompts.draft import CLOSE, FIT, HOLD, OPEN, RELEASE, Draft
from medprompt_cli.synthesis.prompts.korean import fits

MARKS = f"{OPEN}{CLOSE}{HOLD}{RELEASE}"
BRITISH: Mapping[str, str] = {
    **{"tumor": "tumour", "hemorrhag": "haemorrhag", "gray": "grey", "edema": "oedema"},
    **{"ischemi": "ischaemi", "hematoma": "haematoma", "millimeter": "millimetre"},
    **{"centimeter": "centimetre", "milliliter": "millilitre", "normaliz": "normalis"},
    **{"annualiz": "annualis", "characteriz": "characteris", "summariz": "summaris"},
    **{"analyz": "analys", "quantitat": "quantitat", "center": "centre", "color": "colour"},
    **{"anesthe": "anaesthe", "localiz": "localis", "visualiz": "visualis"},
    **{"recogniz": "recognis", "organiz": "organis"},
}
"""Beginnings of American words, and the British ones. Templates are written in American."""

SENTENCE = 3
"""Words of the shortest question that is one without its mark."""

BRITISH_SHARE = 0.45
_AMERICAN = re.compile("|".join(BRITISH), re.IGNORECASE)

_FITTED = re.compile(f"{FIT}([^{FIT}]*){FIT}")
_BLANKS = re.compile(r" *\n *| {2,}")
_BEFORE_STOP = re.compile(rf" +([{MARKS}]*[,.;:?!)])")
_TWO_STOPS = re.compile(r"([,;:.])(?: ?[,;:])+|(?<!\.)\.{2}(?!\.)|([?!])\.")
_AFTER_OPEN = re.compile(r"([(\[]) +")
_PIECES = re.compile(
    f"{OPEN}(?P<region>[^{CLOSE}]*){CLOSE}|{HOLD}(?P<held>[^{RELEASE}]*){RELEASE}"
    f"|(?P<plain>[^{OPEN}{HOLD}]+)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a prompt.

    Attributes:
        text: Its words.
        kind: `plain`, `region`, or `held` for what no typing error may touch.
    """

    text: str
    kind: str


def settle(text: str, draft: Draft) -> list[Piece]:
    """Cut marked text into pieces; blanks, stops, articles and particles are in order."""
    text = _BLANKS.sub(lambda m: "\n" if "\n" in m[0] else " ", text).strip()
    text = _BEFORE_STOP.sub(r"\1", text)
    text = _TWO_STOPS.sub(lambda m: m[1] or m[2] or ".", text)
    text = _AFTER_OPEN.sub(r"\1", text).lstrip(", ")
    text = _fit(text)
    if draft.chance(BRITISH_SHARE):
        text = _AMERICAN.sub(_british, text)
    return [
        Piece(match[str(match.lastgroup)], str(match.lastgroup))
        for match in _PIECES.finditer(text)
    ]


def _fit(text: str) -> str:
    """Put particles and articles in, in the form that their neighbour asks for."""
    while match := _FITTED.search(text):
        before, form, after = text[: match.start()], match[1], text[match.end() :]
        if form == "a":
            first = after.lstrip(f" {MARKS}")[:1].lower()
            fitted = "an" if first and first in "aeiou" else "a"
        else:
            fitted = fits(form, before.rstrip(f"{MARKS}).\"'")[-1:])
        text = before + fitted + after
    return text


def _british(match: re.Match[str]) -> str:
    american = match[0]
    british = BRITISH[american.lower()]
    return british.capitalize() if american[0].isupper() else british


def recase(pieces: list[Piece], draft: Draft) -> list[Piece]:
    """Begin with a capital or not; now and then everything small, or everything large."""
    if not pieces:
        return pieces
    chosen = draft.rng.random()
    if draft.language == "ko":
        small = chosen < 0.08  # noqa: PLR2004 - share of careless writers
        return [_cased(piece, "lower") for piece in pieces] if small else pieces
    small = 0.35 if draft.terse else 0.22
    if chosen < small:
        return [_cased(piece, "lower") for piece in pieces]
    if chosen < small + 0.015:
        return [_cased(piece, "upper") for piece in pieces]
    first = pieces[0]
    keep = draft.terse and draft.chance(0.5)
    if first.text and not keep:
        pieces[0] = Piece(first.text[0].upper() + first.text[1:], first.kind)
    return pieces


def _cased(piece: Piece, case: str) -> Piece:
    text = piece.text
    cased = text.lower() if case == "lower" else text.upper()
    return Piece(cased if len(cased) == len(text) else text, piece.kind)


def add_last_stop(pieces: list[Piece], draft: Draft) -> list[Piece]:
    """Some Koreans end a whole sentence with a full stop; the templates have none."""
    if pieces and _ends_a_sentence(pieces[-1]) and draft.chance(0.3):
        pieces[-1] = Piece(f"{pieces[-1].text}.", pieces[-1].kind)
    return pieces


def _ends_a_sentence(piece: Piece) -> bool:
    return piece.kind == "plain" and piece.text.endswith(("요", "다", "오"))


def drop_last_stop(pieces: list[Piece], draft: Draft) -> list[Piece]:
    """Many leave out the last full stop, or the question mark of a whole sentence.

    `Lesions?` keeps its mark: without it, it asks for a mask.
    """
    if pieces and pieces[-1].kind == "plain" and draft.chance(0.35):
        last = pieces[-1].text
        words = sum(len(piece.text.split()) for piece in pieces)
        question = last.endswith("?") and not draft.terse and words >= SENTENCE
        if question or (last.endswith(".") and not last.endswith("..")):
            pieces[-1] = Piece(last[:-1], "plain")
    return pieces


def mentions(pieces: list[Piece], said: list[str], draft: Draft) -> tuple[Mention, ...]:
    """Where the regions stand in the joined pieces; `said` is what they were meant to be."""
    found: list[Mention] = []
    at, n = 0, 0
    for piece in pieces:
        if piece.kind == "region":
            note = draft.notes[n]
            end = at + len(piece.text)
            found.append(Mention(at, end, said[n], note.name, note.kind))
            n += 1
        at += len(piece.text)
    return tuple(found)
