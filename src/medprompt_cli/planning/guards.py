"""Signs that a program is not what a prompt says, whatever the network is sure of.

Each is a fact about words and program that needs no network: a side that nobody named, an
exclusion that excludes nothing, a value that is made and never used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.mentions import Slot, Token
from medprompt_cli.planning.tree import (
    Assign,
    Expression,
    Name,
    Program,
    Statement,
    Text,
    blocks_of,
    expressions_of,
    functions_in,
    walk,
)
from medprompt_cli.planning.words import Word

LEFT = frozenset({"left", "lt", "l", "lh", "왼쪽", "좌측", "좌"})
RIGHT = frozenset({"right", "rt", "r", "rh", "오른쪽", "우측", "우"})
BOTH = frozenset(
    {
        "sides",
        "both",
        "bilateral",
        "asymmetry",
        "asymmetric",
        "symmetry",
        "lateralization",
    }
    | {"contralateral", "opposite", "other", "hemispheres", "좌우", "양측", "양쪽", "비대칭"}
    | {"반대쪽", "반대측", "대측"}
)
"""Words that bring in the side that is not named."""

EXCLUDING = re.compile(
    r"\b(except|excluding|exclude|without|other than|apart from|but not|not in|outside)\b"
    r"|제외|빼고|뺀|말고"
)
"""Words after which something is left out."""


def doubts(
    prompt: str,
    tokens: Sequence[Token],
    unused: Sequence[Token],
    program: Program,
    intent: Intent,
) -> list[str]:
    """What speaks against a program being what a prompt says; one sentence each.

    Args:
        prompt: As it was written.
        tokens: Of it.
        unused: Those of them that the program does not point to.
        program: What the network wrote.
        intent: What it asks for.
    """
    found: list[str] = []
    if idle := _unused_names(program):
        found.append(f"It makes {idle[0]} and does nothing with it.")
    side = _only_side(tokens)
    if side and intent.compares == "sides":
        found.append(f"Only the {side} side is named, and both are compared.")
    limits = [t for t in unused if isinstance(t, Word) and t.unit in LIMITS]
    if limits:
        found.append(f"It does not use {prompt[limits[0].start : limits[0].end]!r}.")
    uneven = ASYMMETRY.search(prompt.lower())
    if uneven and "asymmetry" not in intent.quantities and intent.compares != "sides":
        found.append(f"It does not use {uneven[0]!r}.")
    found += _of_a_row(prompt, program, intent)
    named = sum(isinstance(token, Slot) for token in tokens)
    leaves = named >= PAIR and EXCLUDING.search(prompt.lower())
    if leaves and not _leaves_out(program, intent):
        found.append("Something is to be left out, and nothing is.")
    return found


def _of_a_row(prompt: str, program: Program, intent: Intent) -> list[str]:
    """What is picked out of a row by its place: of lesions but the largest, of visits."""
    said = prompt.lower()
    found: list[str] = []
    if (rank := RANK.search(said)) and "rank:largest" in intent.filters:
        found.append(f"Of several only the largest can be picked, not {rank[0]!r}.")
    called = frozenset().union(*map(functions_in, program.statements))
    if (visit := VISIT.search(said)) and not called & {"visits", "first", "last"}:
        found.append(f"It does not use {visit[0]!r}.")
    return found


def each_of(prompt: str, intent: Intent) -> tuple[str, ...]:
    """Words that ask for lesions one by one, which a program answers all together."""
    one_by_one = EACH.search(prompt.lower())
    lesions = any(name in LESIONS for name in intent.targets)
    return (one_by_one[0],) if one_by_one and lesions and intent.quantities else ()


RANK = re.compile(
    r"\b(second|third|fourth|fifth|2nd|3rd|4th|5th|two|three|four|five|ten|[2-9]|10)[ -]"
    r"(?:\w+ )?(?:largest|biggest)|\btop[ -]?(?:\d+|two|three|five|ten)\b"
    r"|(?:두|세|네|다섯|[2-9]) ?번째로|가장 큰 (?:두|세|네|다섯|[2-9]) ?개"
)
"""A place in the row of lesions by size, other than the first."""

VISIT = re.compile(
    r"\b(?:visit|session|ses|time ?point|scan|mri) ?(?:no\.? ?|number ?|#)?\d+\b"
    r"|\b(?:second|third|fourth|2nd|3rd|4th) (?:visit|session|time ?point)\b"
)
"""A visit named by its number."""

EACH = re.compile(r"\b(?:each|every|individual|one by one)\b|각각의?|개별|하나하나")

PAIR = 2
"""Regions that have to be named for one to be left out of the other."""

ASYMMETRY = re.compile(r"\basymmetr\w+|비대칭")

LIMITS = frozenset({"mm", "cm", "mm2", "cm2", "mm3", "mL", "percent", "HU"})
"""Units of numbers that limit what is asked for; a time may be said in passing."""


def _unused_names(program: Program) -> list[str]:
    made: dict[str, bool] = {}
    _use(program.statements, made)
    return [name for name, used in made.items() if not used]


def _use(statements: Sequence[Statement], made: dict[str, bool]) -> None:
    for statement in statements:
        for expression in expressions_of(statement):
            for inside in walk(expression):
                _mark(inside, made)
        if isinstance(statement, Assign):
            made[statement.name] = False
        for block in blocks_of(statement):
            _use(block, made)


def _mark(expression: Expression, made: dict[str, bool]) -> None:
    if isinstance(expression, Name) and expression.name in made:
        made[expression.name] = True
    if isinstance(expression, Text):
        for name in made:
            made[name] = made[name] or f"{{{name}}}" in expression.value


def _only_side(tokens: Sequence[Token]) -> str | None:
    """The side that is named, where one is and nothing brings in the other."""
    sides = {token.side for token in tokens if isinstance(token, Slot)}
    words = {token.text for token in tokens if not isinstance(token, Slot)}
    left = "left" in sides or bool(words & LEFT)
    right = "right" in sides or bool(words & RIGHT)
    if left == right or "both" in sides or words & BOTH:
        return None
    return "left" if left else "right"


def _leaves_out(program: Program, intent: Intent) -> bool:
    if any(text.startswith("exclude:") for text in intent.filters):
        return True
    called = frozenset().union(*map(functions_in, program.statements))
    return bool(called & {"subtract", "difference"})
