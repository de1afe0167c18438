"""Every tree has one text, and parsing the text gives the tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.functions import FUNCTIONS, STATEMENTS
from medprompt_cli.planning.parser import MAX_NUMBER, parse
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.tree import (
    Arithmetic,
    Assign,
    Call,
    Comparison,
    Do,
    ForVisits,
    If,
    ImageList,
    Name,
    Number,
    Program,
    Text,
)
from medprompt_cli.planning.units import UNITS

names = st.sampled_from(["a", "scan", "left_hippocampus", "x2", "match", "it"])
texts = st.text(st.just(" ") | st.characters(exclude_categories=["C", "Z"]), max_size=20)
numbers = st.builds(
    Number,
    st.floats(-MAX_NUMBER, MAX_NUMBER) | st.integers(-1000, 1000).map(float),
    st.none() | st.sampled_from(list(UNITS)),
)
leaves = st.builds(Name, names) | st.builds(Text, texts) | numbers


@st.composite
def calls(draw, values, statements=()):
    chosen = [f for f in FUNCTIONS.values() if (f.name in STATEMENTS) == bool(statements)]
    function = draw(st.sampled_from(chosen))
    given = tuple(
        draw(values if parameter.default is None else st.none() | values)
        for parameter in function.parameters
    )
    return Call(function.name, given)


def deeper(values):
    return (
        calls(values)
        | st.builds(ImageList, st.lists(values, min_size=1, max_size=3).map(tuple))
        | st.builds(Arithmetic, st.sampled_from("+-*/"), values, values)
        | st.builds(
            Comparison, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), values, values
        )
    )


expressions = st.recursive(leaves, deeper, max_leaves=8)
given_names = st.sampled_from(["a", "scan", "left_hippocampus", "x2", "match"])
simple = st.builds(Assign, given_names, expressions) | st.builds(
    Do, calls(expressions, STATEMENTS)
)


def blocks(statements):
    block = st.lists(statements, min_size=1, max_size=3).map(tuple)
    return st.builds(If, expressions, block, st.just(()) | block) | st.builds(
        ForVisits, given_names, block
    )


statements = st.recursive(simple, blocks, max_leaves=5)
programs = st.builds(Program, st.lists(statements, max_size=4).map(tuple))


@given(programs)
def test_parsing_what_is_printed_gives_the_tree(program):
    text = print_program(program)

    assert parse(text) == program
    assert print_program(parse(text)) == text


@given(programs)
def test_a_program_of_any_shape_is_checked_or_refused(program):
    try:
        checked = bool(check(program, whole=False).visits)
    except UsageError as error:
        checked = bool(str(error) and error.remedy)

    assert checked


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("x=1", "x = 1"),
        ("x = 1.50", "x = 1.5"),
        ("x = 1e3 * mm", "x = 1000 * mm"),
        ("x = (-2)*HU", "x = -2 * HU"),
        ("x = 0.0000001", "x = 1e-07"),
        ("x = 'it''s'", 'x = "its"'),
        ("x = '\"'", 'x = "\\""'),
        ("x = '\\x41\\\\'", 'x = "A\\\\"'),
        ("x = ((a + b) + c)", "x = a + b + c"),
        ("x = a + (b + c)", "x = a + (b + c)"),
        ("x = (a + b) * c", "x = (a + b) * c"),
        ("x = a / (2 * mm)", "x = a / (2 * mm)"),
        ("x = (2 * mm) / a", "x = 2 * mm / a"),
        ("x = a - -1", "x = a - -1"),
        ("x = (a < b) == c", "x = (a < b) == c"),
        ("x = image(visit = v)", "x = image(visit=v)"),
        ("x = image(visit=v, suffix='T1w')", 'x = image("T1w", v)'),
        ("x = segment([a,b], target='csf')", 'x = segment([a, b], "csf")'),
        ("x = a; y = b  # both", "x = a\ny = b"),
        ("if a > 1: read(a)", "if a > 1:\n    read(a)"),
        (
            "if a > 1:\n read(a)\nelif a > 0:\n read(b)\nelse:\n read(c)",
            "if a > 1:\n    read(a)\nelse:\n    if a > 0:\n        read(b)\n    else:\n"
            "        read(c)",
        ),
        ("for v in visits():\r\n\tread(a)\r", "for v in visits():\n    read(a)"),
        ("x = volume(\n  a,\n)", "x = volume(a)"),
    ],
)
def test_there_is_one_way_to_write_a_thing(written, printed):
    assert print_program(parse(written)) == f"{printed}\n"


def test_lines_do_not_count_when_programs_are_compared():
    assert parse("\n\nx = 1") == parse("x = 1")
    assert parse("\n\nx = 1").statements[0].line == 3
