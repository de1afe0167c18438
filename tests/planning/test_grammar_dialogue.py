"""Dialogues: whatever is walked means something; what the teacher says can be decoded."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medprompt_cli.planning.answers import SENTENCES, TOLD, region_of, sentence
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.grammar_dialogue import (
    MOST_STATEMENTS,
    DialogueWalk,
    Step,
    encode_dialogue,
)
from medprompt_cli.planning.grammar_symbols import END, ID, SYMBOLS, places_of
from medprompt_cli.planning.grammar_wants import NotDerivableError
from medprompt_cli.planning.mentions import read_prompt
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.tree import Assign, Do, Name, Program

PROMPTS = (
    "x",
    "",
    "how much has the tumour grown since the first visit?",
    "lesions in the right parietal lobe larger than 2 mL",
    "좌측 해마 부피",
)


def steps_of(text, *told):
    """Statements of a text; what was told goes to its reads, in order."""
    answers = iter(told)
    return [
        Step(s, next(answers) if isinstance(s, Do) and s.call.function == "read" else None)
        for s in parse(text).statements
    ]


def defined_in(text):
    return {s.name: s.value for s in parse(text).statements if isinstance(s, Assign)}


@given(st.sampled_from(PROMPTS), st.integers(0, 2**32), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_every_walk_ends_in_statements_that_parse_and_check(prompt, seed, ending):
    rng = random.Random(seed)
    walk = DialogueWalk(places_of(read_prompt(prompt)))
    while not walk.done:
        stops = ID[END] in walk.allowed and rng.random() < ending
        walk.take(ID[END] if stops else rng.choice(walk.allowed))

    program = Program(tuple(walk.statements))
    check(program, whole=False)
    assert 0 < len(walk.statements) <= MOST_STATEMENTS
    assert parse(print_program(program)) == program
    answered = [s for s in walk.statements if isinstance(s, Do) and s.call.function == "answer"]
    assert answered


GROWTH = """
read(count(visits()))
first_scan = image(visit=first(visits()))
last_scan = image(visit=last(visits()))
last_tumor = segment(last_scan, "tumor")
first_tumor = segment(first_scan, "tumor")
read(is_present(last_tumor))
tumor_change = change(volume(first_tumor), volume(last_tumor))
read(tumor_change)
answer("Larger at the last visit than at the first (tumor): {tumor_change}.")
"""


def test_a_dialogue_is_decoded_to_what_was_encoded():
    places = places_of(read_prompt("how much has the tumour grown?"))
    steps = steps_of(GROWTH, "several", "true", "positive")

    tokens = encode_dialogue(steps, places)
    walk = DialogueWalk(places)
    waited = []
    for token in tokens:
        waited.append(walk.waits)
        walk.take(token)

    assert walk.statements == [step.statement for step in steps]
    assert walk.done
    told = [SYMBOLS[token] for token, waits in zip(tokens, waited, strict=True) if waits]
    assert told == ["<several>", "<true>", "<positive>"]


def test_after_a_read_only_what_is_told_may_follow():
    walk = DialogueWalk(places_of(read_prompt("tumour")))
    for symbol in ("read", "count", "visits"):
        walk.take(ID[symbol])

    assert walk.waits
    assert {SYMBOLS[token] for token in walk.allowed} == {f"<{told}>" for told in TOLD}
    with pytest.raises(ValueError, match="may not follow"):
        walk.take(ID[END])
    walk.tell("one")
    assert not walk.waits


def test_a_dialogue_about_what_the_prompt_does_not_name_is_no_dialogue_about_it():
    places = places_of(read_prompt("how much has the tumour grown?"))

    with pytest.raises(NotDerivableError):
        encode_dialogue(steps_of('a = segment(image(), "thalamus")', ()), places)


@pytest.mark.parametrize(
    "kind", [k for k, s in SENTENCES.items() if s.about in {"mask", "value"}]
)
def test_a_sentence_names_the_region_its_value_goes_back_to(kind):
    defined = defined_in(
        'infarct = segment(image(), "infarct")\n'
        "chosen = where(instances(infarct), volume(it) > 2 * mL)\n"
        "size = volume(chosen)\n"
    )

    assert region_of(Name("infarct"), defined) == "infarct"
    assert "such infarct" in sentence(kind, ["size"], defined)


def test_sentences_word_for_word():
    defined = defined_in('edema = segment(image(), "edema")')

    assert [sentence(kind, ["edema"], defined) for kind in ("absent", "unknown", "grew")] == [
        "No edema was found.",
        "Whether there is an edema cannot be told.",
        "Larger at the last visit than at the first (edema): {edema}.",
    ]
    assert sentence("values", ["a_volume", "b"], {}) == "a volume: {a_volume}; b: {b}."
