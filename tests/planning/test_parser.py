"""What is not in the language is refused: with the line, the text and what to write."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from medprompt_cli.errors import UsageError
from medprompt_cli.planning import refusals
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.tree import (
    Assign,
    Call,
    Comparison,
    Do,
    ForVisits,
    If,
    Name,
    Number,
    Program,
    Text,
)

FOREIGN = "is not part of the plan language"
NO_FUNCTION = "is no function of the plan language"
NO_NAME = "is no name for a value"
WORD = "is a word of the language"
UNREADABLE = "cannot be read"

HOSTILE = [
    ("import os", "'import os'", FOREIGN),
    ("from os import system", "'from os import system'", FOREIGN),
    ("__import__('os').system('id')", "\"__import__('os').system\"", FOREIGN),
    ("x = __import__('os')", "'__import__'", NO_FUNCTION),
    ("x = eval('1')", "'eval'", NO_FUNCTION),
    ("exec('x = 1')", "'exec'", NO_FUNCTION),
    ("x = open('/etc/passwd')", "'open'", NO_FUNCTION),
    ("x = compile('1', '', 'eval')", "'compile'", NO_FUNCTION),
    ("x = getattr(scan, 'path')", "'getattr'", NO_FUNCTION),
    ("x = globals()", "'globals'", NO_FUNCTION),
    ("x = breakpoint()", "'breakpoint'", NO_FUNCTION),
    ("x = input()", "'input'", NO_FUNCTION),
    ("x = ().__class__.__bases__[0]", "'().__class__.__bases__[0]'", FOREIGN),
    ("x = scan.__dict__", "'scan.__dict__'", FOREIGN),
    ("x = image().path", "'image().path'", FOREIGN),
    ("x = image()[0]", "'image()[0]'", FOREIGN),
    ("x = (lambda: 1)()", "'lambda: 1'", FOREIGN),
    ("x = lambda: 1", "'lambda: 1'", FOREIGN),
    ("x = [a for a in b]", "'[a for a in b]'", FOREIGN),
    ("x = {a for a in b}", "'{a for a in b}'", FOREIGN),
    ("x = {a: 1 for a in b}", "'{a: 1 for a in b}'", FOREIGN),
    ("read(a for a in b)", "'(a for a in b)'", FOREIGN),
    ("x = {}", "'{}'", FOREIGN),
    ("x = {1}", "'{1}'", FOREIGN),
    ("x = a, b", "'a, b'", FOREIGN),
    ("x = ...", "'...'", FOREIGN),
    ("x = None", "'None'", FOREIGN),
    ("x = True", "'True'", FOREIGN),
    ("x = -True", "'-True'", FOREIGN),
    ("x = b'bytes'", "\"b'bytes'\"", FOREIGN),
    ("x = 1j", "'1j'", FOREIGN),
    ("x = f'{scan}'", "\"f'{scan}'\"", FOREIGN),
    ("x = not a", "'not a'", FOREIGN),
    ("x = -a", "'-a'", FOREIGN),
    ("x = ~1", "'~1'", FOREIGN),
    ("x = 2 ** 9999999", "'2 ** 9999999'", FOREIGN),
    ("x = 1 << 9999999", "'1 << 9999999'", FOREIGN),
    ("x = 'a' % 9", "\"'a' % 9\"", FOREIGN),
    ("x = 9 // 2", "'9 // 2'", FOREIGN),
    ("x = a @ b", "'a @ b'", FOREIGN),
    ("x = a and b", "'a and b'", FOREIGN),
    ("x = a if b else c", "'a if b else c'", FOREIGN),
    ("x = a < b < c", "'a < b < c'", FOREIGN),
    ("x = a in b", "'a in b'", FOREIGN),
    ("x = a is b", "'a is b'", FOREIGN),
    ("x = (y := 1)", "'y := 1'", FOREIGN),
    ("x = union(*masks)", "'*masks'", FOREIGN),
    ("x = yield 1", "'yield 1'", FOREIGN),
    ("x = await a", "'await a'", FOREIGN),
    ("x += 1", "'x += 1'", FOREIGN),
    ("x: int = 1", "'x: int = 1'", FOREIGN),
    ("x = y = 1", "'x = y = 1'", FOREIGN),
    ("del x", "'del x'", FOREIGN),
    ("assert x", "'assert x'", FOREIGN),
    ("raise x", "'raise x'", FOREIGN),
    ("return x", "'return x'", FOREIGN),
    ("global x", "'global x'", FOREIGN),
    ("pass", "'pass'", FOREIGN),
    ("break", "'break'", FOREIGN),
    ("'a text alone'", "\"'a text alone'\"", FOREIGN),
    ("x", "'x'", FOREIGN),
    ("while a > 1:\n    read(a)", "'while a > 1:'", FOREIGN),
    ("def f(): read(a)", "'def f(): read(a)'", FOREIGN),
    ("async def f(): read(a)", "'async def f(): read(a)'", FOREIGN),
    ("class C: x = 1", "'class C: x = 1'", FOREIGN),
    ("with a: read(a)", "'with a: read(a)'", FOREIGN),
    ("try:\n    read(a)\nfinally:\n    read(a)", "'try:'", FOREIGN),
    ("match a:\n    case 1: read(a)", "'match a:'", FOREIGN),
    ("for v in visits():\n    read(v)\nelse:\n    read(v)", "'for v in visits():'", FOREIGN),
    ("for v in range(10 ** 9): read(v)", "'range'", NO_FUNCTION),
    ("for v in masks: read(v)", "'masks'", "cannot be gone through"),
    ("for a, b in visits(): read(a)", "'a, b'", NO_NAME),
    ("volume = 1", "'volume'", WORD),
    ("mm = 1", "'mm'", WORD),
    ("it = 1", "'it'", WORD),
    ("Scan = 1", "'Scan'", NO_NAME),
    ("_x = 1", "'_x'", NO_NAME),
    ("__builtins__ = 1", "'__builtins__'", NO_NAME),
    ("해마 = 1", "'해마'", NO_NAME),
    ("x = __builtins__", "'__builtins__'", "is no name of a value"),
    ("x.y = 1", "'x.y'", NO_NAME),
    ("x[0] = 1", "'x[0]'", NO_NAME),
    ("[x] = 1", "'[x]'", NO_NAME),
    ("x = mm3", "'mm3'", "is a unit without a number"),
    ("x = 10 / mm3", "'mm3'", "is a unit that does not follow a number"),
    ("x = a * mm3", "'mm3'", "is a unit that does not follow a number"),
    ("x = 2 * mm * mm", "'mm'", "is a unit that does not follow a number"),
    ("x = volume", "'volume'", "is a function that is not called"),
    ("volume(x)", "'volume(x)'", "gives a value that is not used"),
    ("x = save(m, 'm')", "\"save(m, 'm')\"", "gives no value"),
    ("x = volume()", "'volume()'", "is not given its mask"),
    ("x = volume(a, b)", "'volume(a, b)'", "is given 2 values"),
    ("x = volume(mask=a, mask=b)", "'mask=b'", "does not fit into volume"),
    ("x = volume(a, mask=b)", "'mask=b'", "does not fit into volume"),
    ("x = volume(a, **b)", "'**b'", "does not fit into volume"),
    ("x = volume(m, unit='mm')", "\"unit='mm'\"", "does not fit into volume"),
    ("x = []", "'[]'", "holds 0 images"),
    (f"x = [{'a, ' * 9}]", f"'[{'a, ' * 9}]'", "holds 9 images"),
    ("x = 1e999", "'1e999'", "is too large a number"),
    ("x = -1e13", "'-1e13'", "is too large a number"),
    ("x = 9999999999999999999", "'9999999999999999999'", "is too large a number"),
    ("x = '\\x00'", "\"'\\\\x00'\"", "holds characters that cannot be seen"),
    ("x = '\\ud800'", "\"'\\\\ud800'\"", "holds characters that cannot be seen"),
    ("x = '\\n'", "\"'\\\\n'\"", "holds characters that cannot be seen"),
    ("x = 1\0", "'x = 1\\x00'", "holds the character '\\x00'"),
    ("x = '\ud800'", "\"x = '\\ud800'\"", "holds the character '\\ud800'"),
    ("x = 1\x1b[2J", "'x = 1\\x1b[2J'", "holds the character '\\x1b'"),
    ("x =", "'x ='", UNREADABLE),
    ("x = (1", "'x = (1'", UNREADABLE),
    ("x = 'a", '"x = \'a"', UNREADABLE),
    ("x = 1)", "'x = 1)'", UNREADABLE),
    ("x = 10mm3", "'x = 10mm3'", UNREADABLE),
    ("  x = 1", "'x = 1'", UNREADABLE),
    ("x = $HOME", "'x = $HOME'", UNREADABLE),
    ("!rm -rf /", "'!rm -rf /'", UNREADABLE),
    ("rm -rf /", "'rm -rf /'", UNREADABLE),
    ("Segment the left hippocampus.", "'Segment the left hippocampus.'", UNREADABLE),
]


def refusal(text):
    try:
        program = parse(text)
    except UsageError as error:
        return str(error), error.remedy
    return pytest.fail(f"{text[:100]!r} was read as {program}")


def read_or_refuse(text):
    """A program, or an error that says what and what next."""
    try:
        return isinstance(parse(text), Program)
    except UsageError as error:
        return bool(str(error) and error.remedy)


@pytest.mark.parametrize(("text", "shown", "why"), HOSTILE, ids=[h[0] for h in HOSTILE])
def test_a_hostile_program_is_refused_with_its_reason(text, shown, why):
    problem, remedy = refusal(f"a = 1\n{text}")

    assert problem == f"Line 2: {shown} {why}."
    assert remedy.endswith(".")


def test_there_are_more_than_a_hundred_hostile_programs():
    assert len({text for text, _, _ in HOSTILE}) == len(HOSTILE) > 100


LONG = "is nested more than 48 deep"
PARTS = "has more than 300 parts"
BRACKETS = "has more than 24 open brackets"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x" * 10**6, "The program has 1000000 characters; 50000 are allowed."),
        ("(" * 49_000, f"Line 1: '{'(' * 60}…' {BRACKETS}."),
        (f"x = {'[' * 25}1{']' * 25}", f"Line 1: 'x = {'[' * 25}1{']' * 25}' {BRACKETS}."),
        (f"x = {'-' * 49_000}1", f"Line 1: 'x = {'-' * 56}…' {PARTS}."),
        (f"x = {'not ' * 12_000}1", f"Line 1: 'x = {'not ' * 14}…' {PARTS}."),
        (f"x = a{'.b' * 20_000}", f"Line 1: 'x = a{'.b' * 27}.…' {PARTS}."),
        (f"x = 1{'+1' * 20_000}", f"Line 1: 'x = 1{'+1' * 27}+…' {PARTS}."),
        (f"x = {'lambda:' * 7_000}1", f"Line 1: 'x = {'lambda:' * 8}…' {PARTS}."),
        (f"x = 1{'+1' * 60}", f"Line 1: '1{'+1' * 12}' {LONG}."),
        (f"x = {'9' * 5_000}", f"Line 1: 'x = {'9' * 56}…' has more than 32 characters."),
        (f"x = {'x' * 5_000}", f"Line 1: 'x = {'x' * 56}…' has more than 64 characters."),
        (f"x = '{'x' * 5_000}'", f'Line 1: "x = \'{"x" * 55}…" has more than 1000 characters.'),
        (f"x = '{'x' * 600}'", f'Line 1: "\'{"x" * 59}…" is longer than 500 characters.'),
        ("x = 1\n" * 500, "Line 401: 'x = 1' is beyond the 400 statements a program may have."),
        ("x = 1\n" * 1000, "Line 801: 'x = 1' has more than 800 lines."),
        (
            "if a > 1: read(a)\n" + "elif a > 1: read(a)\n" * 300,
            "Line 7: 'read(a)' is inside more than 6 blocks.",
        ),
        (
            "".join(f"{' ' * n}if a > 1:\n" for n in range(90)),
            "Line 8: 'if a > 1:' has more than 6 blocks inside each other.",
        ),
    ],
    ids=lambda value: value[:20],
)
def test_no_text_can_crash_us(text, problem):
    assert refusal(text)[0] == problem


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("import os", "Leave it out: the functions of the language are there without it."),
        ("x = f'{a}'", "Leave the f out: answer fills in names in braces."),
        ("while a: read(a)", "Use for visit in visits(); there is no other loop."),
        ("x = a and b", "Put one where or one if inside another."),
        ("x = a < b < c", refusals.COMPARE),
        ("x = volumes(m)", "Write volume."),
        ("x = frobnicate(m)", refusals.FUNCTIONS),
        ("pass", refusals.STATEMENT),
        ("x = mm3", "Write it as 1 * mm3."),
        ("x = rim(m)", "Write it as rim(mask: Mask, width: Number[length]) -> Mask."),
        ("volume(x)", "Write name = in front of it, or read(...) around it."),
        ("x =", "Write one statement of the plan language on each line."),
    ],
)
def test_a_remedy_says_what_to_write(text, remedy):
    assert refusal(text)[1] == remedy


def test_a_program_becomes_a_tree():
    program = parse(
        "scan = image('FLAIR')\n"
        "for v in visits():\n"
        "    if volume(scan) > 10 * mm3:\n"
        "        read(volume(scan))\n"
    )

    scan, loop = program.statements
    assert scan == Assign("scan", Call("image", (Text("FLAIR"), None)))
    assert isinstance(loop, ForVisits)
    (branch,) = loop.body
    assert isinstance(branch, If)
    assert branch.then == (Do(Call("read", (Call("volume", (Name("scan"),)),))),)
    assert isinstance(branch.condition, Comparison)
    assert branch.condition.right == Number(10.0, "mm3")
    assert (scan.line, loop.line, branch.line, branch.then[0].line) == (1, 2, 3, 4)


def test_an_empty_text_is_an_empty_program():
    assert parse("# nothing\n\n").statements == ()


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbfx = 1")
@example(b"x = 1\x0c\n")
@example(b"\\\n")
def test_random_bytes_are_read_or_refused(content):
    for text in (content.decode("utf-8", "surrogateescape"), content.decode("latin-1")):
        assert read_or_refuse(text)


PIECES = [
    *("x", " = ", "(", ")", "[", "]", ",", "\n", "    ", ":", "if ", "else", "for ", " in "),
    *("visits()", "volume(", "1", "1.5", " * ", "mm3", "'a'", '"', "{", "}", "\\", "f'", "@"),
    *("lambda", "import ", "**", "#", ";", "\t", "it", "==", "<", "save(", "0x", "1_0", "é"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_random_pieces_are_read_or_refused(text):
    assert read_or_refuse(text)
