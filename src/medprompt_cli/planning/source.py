"""A program's text before it is parsed: bounded, so that no text can hang or crash us."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from typing import NoReturn

from medprompt_cli.errors import UsageError

MAX_CHARACTERS = 50_000
MAX_STATEMENTS = 400
MAX_LINES = 2 * MAX_STATEMENTS
"""Lines that are not blank; a statement may need an `else` beside it."""

MAX_LINE_TOKENS = 300
"""Names, numbers and signs of one statement."""

MAX_TOKEN = {tokenize.NUMBER: 32, tokenize.NAME: 64, tokenize.STRING: 1000}
"""Characters of one number, name or text."""

MAX_BRACKETS = 24
"""Brackets open at one time."""

MAX_BLOCKS = 6
"""Blocks inside each other."""

SHOWN = 60
"""How much of a text is shown in an error."""

ALLOWED_CONTROLS = frozenset("\n\t")

_SHORTEN = "Shorten the program, or make two of it."
_ONE_STATEMENT = "Write one statement of the plan language on each line."


def parse_source(text: str) -> tuple[ast.Module, str]:
    """Read a text as Python's syntax tree; nothing of it is run.

    Returns:
        The tree, and the text with one sort of line break.

    Raises:
        UsageError: If the text is too long, too deep or no Python.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_characters(text)
    _check_tokens(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes, which the printer writes anew
            return ast.parse(text), text
    except SyntaxError as error:
        _cannot_be_read(text, error.lineno or 1, error)
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        _cannot_be_read(text, 1, error)


def shorten(text: str) -> str:
    """The first line of a text, cut if it is long, in quotes."""
    first = text.strip().split("\n")[0]
    return repr(first if len(first) <= SHOWN else f"{first[:SHOWN]}…")


def _check_characters(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"The program has {len(text)} characters; {MAX_CHARACTERS} are allowed.",
            remedy=_SHORTEN,
        )
    for number, line in enumerate(text.split("\n"), 1):
        for character in line:
            unseen = ord(character) < ord(" ") and character not in ALLOWED_CONTROLS
            if unseen or "\ud800" <= character <= "\udfff" or character == "\x7f":
                raise UsageError(
                    f"Line {number}: {shorten(line)} holds the character {character!a}.",
                    remedy="Write the program as plain text.",
                )


def _check_tokens(text: str) -> None:
    """Bound what Python's parser has to hold at one time."""
    lines = tokens = brackets = blocks = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            tokens += 1
            if token.type == tokenize.NEWLINE:
                lines, tokens = lines + 1, 0
            brackets += (token.string in set("([{")) - (token.string in set(")]}"))
            blocks += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
            _check_size(token, "characters", len(token.string), MAX_TOKEN.get(token.type))
            _check_size(token, "parts", tokens, MAX_LINE_TOKENS)
            _check_size(token, "open brackets", brackets, MAX_BRACKETS)
            _check_size(token, "blocks inside each other", blocks, MAX_BLOCKS)
            _check_size(token, "lines", lines, MAX_LINES)
    except tokenize.TokenError as error:
        line = min(error.args[1][0], text.count("\n") + 1)
        _cannot_be_read(text, line, error)
    except SyntaxError as error:
        _cannot_be_read(text, error.lineno or 1, error)


def _check_size(token: tokenize.TokenInfo, what: str, number: int, allowed: int | None) -> None:
    if allowed is not None and number > allowed:
        raise UsageError(
            f"Line {token.start[0]}: {shorten(token.line)} has more than {allowed} {what}.",
            remedy="Give parts of it names of their own, on lines before it."
            if what in {"parts", "open brackets"}
            else _SHORTEN,
        )


def _cannot_be_read(text: str, line: int, error: Exception) -> NoReturn:
    lines = text.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    raise UsageError(
        f"Line {line}: {shorten(shown)} cannot be read.", remedy=_ONE_STATEMENT
    ) from error
