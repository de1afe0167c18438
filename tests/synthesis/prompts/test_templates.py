"""The notation of sentence templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.synthesis.prompts.templates import (
    Fit,
    Maybe,
    OneOf,
    Row,
    Slot,
    Words,
    parse,
    skeletons,
    slots,
)


def test_every_sign_is_read():
    row = parse(r"[So ](how|where) is {P:left}<을>{+compares=sides} \(now\)?")

    assert row.parts == (
        Maybe(Row((Words("So "),))),
        OneOf((Row((Words("how"),)), Row((Words("where"),)))),
        Words(" is "),
        Slot("P", "left"),
        Fit("을"),
        Slot("+", "compares=sides"),
        Words(" (now)?"),
    )


def test_brackets_nest_and_all_slots_are_found():
    assert list(slots(parse("[{a} (b|{c:d}[ {e}])] {f}"))) == [
        Slot("a", ""),
        Slot("c", "d"),
        Slot("e", ""),
        Slot("f", ""),
    ]


def test_skeletons_are_all_readings_with_blanks_for_slots():
    assert skeletons(parse("[So ](how|where) is {P}{+count}?")) == {
        "how is _?",
        "where is _?",
        "so how is _?",
        "so where is _?",
    }


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a (b", "'a (b': ')' is missing."),
        ("a {b", "'a {b': '}' is missing."),
        ("a <을", "'a <을': '>' is missing."),
        ("a] b", "'a] b': ']' closes nothing."),
        ("a | b", "'a | b': a bar stands outside of brackets."),
    ],
)
def test_what_is_not_closed_is_refused(template, message):
    with pytest.raises(ValueError, match=r"missing|closes|bar") as caught:
        parse(template)

    assert str(caught.value) == message


@given(st.text(alphabet="ab 가.?,;:-'"))
def test_plain_words_stay_as_they_are(text):
    assert parse(text).parts == ((Words(text),) if text else ())
