"""What the teacher does in cases of every kind."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.grammar_dialogue import MOST_STATEMENTS, encode_dialogue
from medprompt_cli.planning.grammar_symbols import places_of
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.mentions import read_prompt
from medprompt_cli.planning.printer import print_statement
from medprompt_cli.planning.tree import Do, Program
from medprompt_cli.training.teacher import Teacher, dialogue_of

GROWTH = Intent(("tumor",), ("change",), "visits", visits="first-last")


def held(intent, **told):
    """Statements of a dialogue in which reads tell what `told` has for their function."""
    asks = Teacher().answer([intent])
    said: list[str] = []
    answer: Any = None
    while True:
        try:
            statement = asks.send(answer) if said else next(asks)
        except StopIteration:
            return said
        answer = None
        said.append(print_statement(statement).strip())
        if isinstance(statement, Do) and statement.call.function == "read":
            inside = said[-1].removeprefix("read(")
            answer = next((v for key, v in told.items() if inside.startswith(key)), "positive")


def sentences(said):
    return [
        line.removeprefix('answer("').removesuffix('")') for line in said if "answer(" in line
    ]


@pytest.mark.parametrize(
    ("told", "answers"),
    [
        (
            {"count(visits": "one", "is_present": "true"},
            [
                "There is one visit only, so no change can be told.",
                "tumor volume: {tumor_volume}.",
            ],
        ),
        ({"count(visits": "several", "is_present": "false"}, ["No tumor was found."]),
        (
            {"count(visits": "several", "is_present": "unknown"},
            ["Whether there is a tumor cannot be told."],
        ),
        (
            {"count(visits": "several", "is_present(first": "true", "is_present(last": "false"},
            ["The tumor of the first visit is not there any more."],
        ),
        (
            {"count(visits": "several", "is_present(first": "false", "is_present": "true"},
            [
                "The tumor was not there at the first visit.",
                "last tumor volume: {last_tumor_volume}.",
            ],
        ),
        (
            {"count(visits": "several", "is_present": "true", "last_separate": "one"},
            ["Larger at the last visit than at the first (tumor): {tumor_change}."],
        ),
        (
            {
                **{"count(visits": "several", "is_present": "true"},
                **{"last_separate_tumor_count": "several", "tumor_change": "negative"},
            },
            [
                "Smaller at the last visit than at the first (tumor): {tumor_change}.",
                "last separate tumor count: {last_separate_tumor_count};"
                " last largest separate tumor volume: {last_largest_separate_tumor_volume}.",
            ],
        ),
    ],
    ids=["one-visit", "no-tumour", "cannot-tell", "gone", "new", "one", "several"],
)
def test_growth_goes_by_what_is_there(told, answers):
    assert sentences(held(GROWTH, **told)) == answers


def test_a_lesion_is_looked_for_before_it_is_measured():
    asked = Intent(("lesion",), ("volume",))

    absent = held(asked, is_present="false")
    there = held(asked, is_present="true")

    assert not any("volume" in line for line in absent)
    assert there.index("read(is_present(lesion))") < there.index("read(lesion_volume)")


@pytest.mark.parametrize("seed", range(8))
def test_dialogues_mean_something_and_are_derived_from_their_prompt(seed):
    prompt = "largest diameter and volume of the tumor, and its change since the first visit"
    intent = Intent(("tumor",), ("change", "max-diameter"), "visits", visits="first-last")

    steps = dialogue_of([intent], Random(seed))

    check(Program(tuple(step.statement for step in steps)))
    assert len(steps) <= MOST_STATEMENTS
    assert encode_dialogue(steps, places_of(read_prompt(prompt)))


def test_what_takes_too_many_statements_is_no_dialogue():
    names = ("thalamus", "caudate", "putamen", "pallidum", "hippocampus", "amygdala")

    with pytest.raises(UsageError, match="too long"):
        dialogue_of([Intent(names, ("volume", "width"))], Random(1))
