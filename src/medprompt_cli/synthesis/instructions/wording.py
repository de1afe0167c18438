"""A question in words, and the sentence that answers it."""

from __future__ import annotations

import re

from medprompt_cli.domain.instruction import ANY_LESION, Language
from medprompt_cli.synthesis.instructions import english, korean
from medprompt_cli.synthesis.instructions.balance import draw
from medprompt_cli.synthesis.instructions.questions import Question
from medprompt_cli.synthesis.prompts.korean import fits

MARK = "[SEG]"
"""Stands for the mask, at the start of every answer. Source: ROSALIA, arXiv:2511.15186."""

_PARTICLE = re.compile(r"(.)\[(\w+)\]")


def instruction_of(question: Question, language: Language, seed: int) -> str:
    """The words that ask a question: one of several ways, chosen by the seed.

    Whether the target is there does not show in the words.
    """
    tongue = english if language == "en" else korean
    ways = tongue.TEMPLATES[question.form]
    way = ways[draw(seed, f"{question.key}:{language}") % len(ways)]
    place = tongue.PLACE_PHRASES[question.place] if question.place else ""
    if language == "ko":
        return fitted(way.format(place=place, one=korean.NOUNS[question.asked]))
    noun = english.NOUNS[question.asked]
    any_of, every = (noun.article, "every") if noun.many else ("any", "all")
    return way.format(
        place=place,
        one=noun.one,
        many=noun.many or noun.one,
        any=any_of,
        every=f"{every} {noun.one}",
    )


def answer_of(question: Question, language: Language) -> str:
    """The sentence that answers a question, with `[SEG]` before it."""
    say = _english if language == "en" else _korean
    return f"{MARK} {say(question)}"


def fitted(text: str) -> str:
    """Korean text, its particles in the form that fits.

    >>> fitted("종양[을] 괴사[을]")
    '종양을 괴사를'
    """
    return _PARTICLE.sub(lambda found: found[1] + fits(found[2], found[1]), text)


def _english(question: Question) -> str:
    noun, count = english.NOUNS[question.target], len(question.pieces)
    place = f" {english.PLACE_PHRASES[question.place]}" if question.place else ""
    if not count:
        return f"There is no {noun.one}{place}."
    if question.form == "lesion_inference" and question.target != ANY_LESION:
        several = count > 1 and noun.many
        single = noun.one if noun.many is None else f"{noun.article} {noun.one}"
        return f"The lesions are {noun.many}." if several else f"The lesion is {single}."
    if noun.many is None:
        return f"There is {noun.one}{place}."
    if count == 1:
        return f"There is one {noun.one}{place}."
    return f"There are {count} {noun.many}{place}."


def _korean(question: Question) -> str:
    noun, count = korean.NOUNS[question.target], len(question.pieces)
    place = f"{korean.PLACE_PHRASES[question.place]}에 " if question.place else ""
    if not count:
        return fitted(f"{place}{noun}[이] 없습니다.")
    if question.form == "lesion_inference" and question.target != ANY_LESION:
        return f"병변은 {noun}입니다."
    if question.target in korean.UNCOUNTED:
        return fitted(f"{place}{noun}[이] 있습니다.")
    return fitted(f"{place}{noun}[이] {count}개 있습니다.")
