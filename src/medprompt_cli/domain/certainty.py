"""How sure, in words: one table, so that no two sentences word one probability in two ways."""

from __future__ import annotations

from dataclasses import dataclass

from medprompt_cli.errors import InputError


@dataclass(frozen=True, slots=True)
class Certainty:
    """One step of the table.

    Attributes:
        least: The lowest probability that it is said of.
        english: As it stands before what is said: `probably enhancing`.
        korean: As it stands after what is said, in brackets.
    """

    least: float
    english: str
    korean: str


CERTAINTIES: tuple[Certainty, ...] = (
    Certainty(0.9, "definitely", "확실함"),
    Certainty(0.625, "probably", "가능성 높음"),
    Certainty(0.375, "possibly", "가능성 있음"),
    Certainty(0.1, "less likely", "가능성 낮음"),
    Certainty(0.0, "unlikely", "가능성 희박"),
)
"""From sure to hardly: a probability has the first step whose `least` it reaches.

Source: the lexicon of Panicek and Hricak, How sure are you, doctor?, AJR 2016: above 90 %,
about 75, 50 and 25 %, below 10 %. Its outer bounds are taken as they are; the inner ones lie
halfway between its figures. Its `consistent with`, which readers took for less than it
means, is `definitely` here.
"""


def certainty_of(probability: float) -> Certainty:
    """The step of the table that a probability has.

    >>> certainty_of(0.93).english, certainty_of(0.5).english
    ('definitely', 'possibly')

    Raises:
        InputError: If it is not from 0 to 1; NaN is not.
    """
    if not 0 <= probability <= 1:
        raise InputError(
            f"Words for a probability of {probability} were asked for.",
            remedy="Give a probability from 0 to 1.",
            code="not-a-probability",
        )
    return next(step for step in CERTAINTIES if probability >= step.least)
