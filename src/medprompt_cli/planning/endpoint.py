"""Programs by a language model of one's own (see language/chat.py).

What it writes goes through the same parser and checker as everything else; what is refused
goes back to it with the reason. It is told the prompt, the kinds of images there are and the
values that it asked to read: no file names, no labels of subjects, no voxels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medprompt_cli.errors import UsageError
from medprompt_cli.language.chat import Endpoint
from medprompt_cli.planning.answers import Told
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.functions import FUNCTIONS
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_statement
from medprompt_cli.planning.tree import Program, Statement
from medprompt_cli.planning.vocabulary import TERMS

TRIES = 3
"""How often a model may write something that is refused, for one statement or program."""

DONE = "done"
FENCE = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)


def write_program(prompt: str, endpoint: Endpoint) -> Program:
    """Have a prompt compiled by a language model.

    Raises:
        UsageError: If what it writes is refused every time, with the last reason; or if it
            does not answer.
    """
    messages = [
        {"role": "system", "content": instructions()},
        {"role": "user", "content": f"Write the program for this request:\n{prompt}"},
    ]
    return _tried(endpoint, messages, _program_of)


@dataclass
class EndpointSpeaker:
    """A dialogue that a language model leads.

    Attributes:
        prompt: The person's words.
        images: Kinds of image there are, by visit.
        endpoint: Where the model is.
    """

    prompt: str
    images: Mapping[str, Sequence[str]]
    endpoint: Endpoint
    messages: list[dict[str, str]] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def __post_init__(self) -> None:
        there = "; ".join(
            f"{visit}: {', '.join(kinds)}" for visit, kinds in self.images.items()
        )
        self.messages = [
            {"role": "system", "content": instructions()},
            {
                "role": "user",
                "content": f"Images of the case: {there}.\nRequest: {self.prompt}\n"
                "Write one statement at a time; after each I say what came of it. "
                f"Use answer(...) to answer, then write {DONE}.",
            },
        ]

    def next(self) -> Statement | None:
        """The next statement; None if the model says that it is done."""
        statement = _tried(self.endpoint, self.messages, self._statement_of)
        if statement is not None:
            self.statements.append(statement)
            said = print_statement(statement)
            self.messages.append({"role": "assistant", "content": said})
            self.messages.append({"role": "user", "content": "Done. Next statement."})
        return statement

    def tell(self, told: Told, said: str) -> None:
        """Say what a value was."""
        self.messages[-1] = {"role": "user", "content": f"It is: {said} ({told})."}

    def _statement_of(self, text: str) -> Statement | None:
        if text.strip().lower().rstrip(".") == DONE:
            return None
        found = parse(text).statements
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} statements were written at once.", remedy="Write one."
            )
        check(Program((*self.statements, found[0])), whole=False)
        return found[0]


def _program_of(text: str) -> Program:
    program = parse(text)
    check(program)
    return program


def _tried(endpoint: Endpoint, messages: list[dict[str, str]], read: Any) -> Any:  # noqa: ANN401 - what `read` gives
    """Ask until what is written passes; the reasons it did not are part of the talk."""
    talk = list(messages)
    for left in reversed(range(TRIES)):
        said = endpoint.reply(talk)
        fenced = FENCE.search(said)
        try:
            return read(fenced[1] if fenced else said)
        except UsageError as error:
            if not left:
                raise UsageError(
                    f"What the language model wrote was refused {TRIES} times: {error}",
                    remedy="Word the prompt more plainly, or go without --agent-endpoint.",
                ) from error
            talk.append({"role": "assistant", "content": said})
            why = f"Refused: {error} {error.remedy} Write it again, and nothing else."
            talk.append({"role": "user", "content": why})
    raise AssertionError


def instructions() -> str:
    """What a language model has to know of the plan language."""
    functions = "\n".join(f"- {f.signature}: {f.meaning}" for f in FUNCTIONS.values())
    return (
        "You write programs of a small language in Python's syntax that measures brain "
        "images. Only assignments, calls of the functions below, arithmetic, `if` on a "
        "comparison and `for visit in visits()` exist. Write code alone, no comments and "
        "no explanation.\n"
        f"Functions:\n{functions}\n"
        f"Targets, each also with left- or right- before it: {', '.join(TERMS)}.\n"
        'Example:\nscan = image()\nmask = segment(scan, "left-hippocampus")\n'
        'save(mask, "left-hippocampus")\nread(volume(mask))\n'
    )
