"""As many questions about what is not there as about what is, chosen by a seed.

Which questions are taken hangs on a hash of the seed and the question, not on their order: a
new image moves few of the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from medprompt_cli.domain.instruction import FORMS
from medprompt_cli.synthesis.instructions.questions import Question


def draw(seed: int, key: str) -> int:
    """A number that a seed and a key decide, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{key}".encode()).digest()[:8], "big")


def balance(asked: Sequence[Question], seed: int) -> tuple[list[Question], list[Question]]:
    """As many questions without a target as with one.

    Where there are too many with a target, every form gives up its share by turns. Of those
    without one, there are as many of each form as with one; where a form has too few, those of
    other forms take their place. What is elsewhere in the image, and what is not in it at all,
    take turns. What is left over is surplus.

    Returns:
        What is kept, in the order given, and the surplus.
    """
    there = _ranked([one for one in asked if one.present], seed)
    absent = _ranked([one for one in asked if not one.present], seed)
    count = min(len(there), len(absent))
    wanted = _by_turns([[one for one in there if one.form == form] for form in FORMS])[:count]
    kept = {one.key for one in (*wanted, *_like(wanted, absent))}
    return (
        [one for one in asked if one.key in kept],
        [one for one in asked if one.key not in kept],
    )


def _ranked(asked: Sequence[Question], seed: int) -> list[Question]:
    """In an order that the seed decides, those elsewhere and the others by turns."""
    drawn = sorted(asked, key=lambda one: (draw(seed, one.key), one.key))
    return _by_turns(
        [[one for one in drawn if one.elsewhere is there] for there in (True, False)]
    )


def _by_turns(sorts: Sequence[Sequence[Question]]) -> list[Question]:
    """The first of each sort, then the second of each, and so on."""
    turns = [(turn, kind, one) for kind, of in enumerate(sorts) for turn, one in enumerate(of)]
    return [one for _, _, one in sorted(turns, key=lambda item: item[:2])]


def _like(wanted: Sequence[Question], absent: Sequence[Question]) -> list[Question]:
    """As many of the absent as are wanted, of each form as many as there are of it."""
    chosen: list[Question] = []
    for form in FORMS:
        most = sum(one.form == form for one in wanted)
        chosen += [one for one in absent if one.form == form][:most]
    taken = {one.key for one in chosen}
    chosen += [one for one in absent if one.key not in taken]
    return chosen[: len(wanted)]
