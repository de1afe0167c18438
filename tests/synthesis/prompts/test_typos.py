"""Typing errors: frequent, and never of a kind that asks for something else."""

from __future__ import annotations

from random import Random

import pytest

from medprompt_cli.synthesis.prompts.asked import Language
from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.finish import Piece
from medprompt_cli.synthesis.prompts.lexicon import WORD
from medprompt_cli.synthesis.prompts.typos import mistype


def mistyped(lexicon, text, kind, language: Language = "en", count=3000):
    """Every wrong way in which a piece was typed."""
    found = set()
    for seed in range(count):
        draft = Draft(Random(seed), lexicon, language)
        typed = mistype([Piece(text, kind)], draft)
        found.add("".join(piece.text for piece in typed))
    return found - {text}


def test_many_prompts_have_errors_and_most_have_none(corpus):
    for language in ("en", "ko"):
        prompts = list(corpus.prompts(1000, 3, "training", language))
        wrong = sum(prompt.text != prompt.clean for prompt in prompts)
        assert 0.04 < wrong / len(prompts) < 0.2


def test_keys_are_swapped_dropped_doubled_and_missed(lexicon):
    found = mistyped(lexicon, "hippocampus", "region")

    assert {"hipopcampus", "hippocmpus", "hippocammpus", "hippocanpus"} <= found


def test_no_region_is_mistyped_into_another(lexicon):
    for entry in lexicon.entries.values():
        for surface in entry.english:
            for wrong in mistyped(lexicon, surface.text, "region", count=150):
                owners = [lexicon.owners.get(word) for word in WORD.findall(wrong.lower())]
                assert all(entry.name in names for names in owners if names)


@pytest.mark.parametrize(
    "text", ["larger than", "left and right", "without", "hyperintense", "제외한", "이상인"]
)
def test_words_that_turn_the_meaning_are_never_mistyped(lexicon, text):
    wrong = mistyped(lexicon, text, "plain", "en" if text.isascii() else "ko")

    assert {w for w in wrong if w.split()[0] != text.split()[0]} == set()


def test_held_words_stay(lexicon):
    assert not mistyped(lexicon, "thousand millimetres", "held")


def test_korean_loses_blanks_and_letters(lexicon):
    found = mistyped(lexicon, " 부피를 측정해 주세요", "plain", "ko")

    assert " 부피를측정해 주세요" in found
    assert any(len(wrong) == len(" 부피를 측정해 주세요") for wrong in found)


def test_a_short_korean_name_is_never_mistyped(lexicon):
    assert not mistyped(lexicon, "해마", "region", "ko")
