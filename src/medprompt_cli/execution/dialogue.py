"""The loop of a dialogue: a statement, what came of it, the next statement."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from medprompt_cli import __version__
from medprompt_cli.errors import MedpromptError
from medprompt_cli.execution.interpreter import Event, Interpreter
from medprompt_cli.execution.operations import check_possible
from medprompt_cli.execution.values import Number, Region, Regions, Text, Truth, Value
from medprompt_cli.execution.wording import UCUM, say
from medprompt_cli.planning.answers import Told
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.grammar_dialogue import MOST_STATEMENTS
from medprompt_cli.planning.printer import print_statement
from medprompt_cli.planning.tree import Program, Statement

Ending = Literal["answered", "unfinished", "failed"]


class Speaks(Protocol):
    """Whoever writes the statements."""

    def next(self) -> Statement | None:
        """The next statement; None if everything was said."""
        ...

    def tell(self, told: Told, said: str) -> None:
        """Take what the value was that was read last: its kind, and its words."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One statement of a dialogue and what came of it.

    Attributes:
        statement: As it is printed.
        said: The value in words; empty where there is none.
        value: The value as JSON holds it: number, text, truth, or None.
        unit: UCUM unit of a number.
        status: Why there is no value, or `measured`; empty where there is none to have.
        told: What the network was told of it; None unless it asked to read.
        seconds: How long it took.
    """

    statement: str
    said: str = ""
    value: float | str | bool | None = None
    unit: str | None = None
    status: str = ""
    told: Told | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The fields, as the transcript words them."""
        return {
            "statement": self.statement,
            "said": self.said or None,
            "value": self.value,
            "unit": self.unit,
            "status": self.status or None,
            "told": self.told,
            "seconds": round(self.seconds, 3),
        }


@dataclass
class Transcript:
    """A dialogue from its first statement to its answer.

    Attributes:
        prompt: The person's words.
        case: Whose images were looked at.
        images: What they are called, by visit.
        provenance: Name and hash of the weights, and the like.
        turns: In order.
        answers: Sentences that were said.
        ending: `answered`; `unfinished` if it ran out of statements; `failed`.
        error: Why it failed.
        notes: What a reader of the answer should know, one sentence each.
        saved: Masks, by the name they are saved under and their visit.
    """

    prompt: str
    case: str
    images: Mapping[str, list[str]]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    ending: Ending = "unfinished"
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    saved: list[tuple[str, Region]] = field(default_factory=list)
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def as_json(self) -> dict[str, Any]:
        """The fields, for a file."""
        return {
            "prompt": self.prompt,
            "case": self.case,
            "images": dict(self.images),
            "ending": self.ending,
            "error": self.error,
            "answers": list(self.answers),
            "notes": list(self.notes),
            "turns": [turn.as_json() for turn in self.turns],
            "medprompt": __version__,
            "began": self.began,
            **self.provenance,
        }

    def as_markdown(self) -> str:
        """The dialogue for a person."""
        lines = [f"# {self.prompt}", "", f"Case {self.case}, {self.began}.", ""]
        lines += self.answers or [f"*No answer: {self.error or self.ending}*"]
        lines += [f"\n*{note}*" for note in self.notes]
        lines += ["", "| # | Statement | Value |", "| --: | --- | --- |"]
        for number, turn in enumerate(self.turns, 1):
            shown = turn.said.replace("|", "\\|")
            lines.append(f"| {number} | `{turn.statement}` | {shown} |")
        lines += ["", "Images:", ""]
        lines += [f"- {visit}: {', '.join(names)}" for visit, names in self.images.items()]
        lines += ["", "Research use only. The values are those of the statements above."]
        return "\n".join(lines) + "\n"


def hold(
    speaker: Speaks,
    interpreter: Interpreter,
    transcript: Transcript,
    on_turn: Callable[[Turn], None] = lambda _: None,
) -> Transcript:
    """Run a dialogue to its end; whatever happens is in the transcript.

    Every statement is checked with those before it, whoever wrote it.
    """
    so_far: list[Statement] = []
    try:
        while len(so_far) < MOST_STATEMENTS:
            statement = speaker.next()
            if statement is None:
                transcript.ending = "answered"
                break
            so_far.append(statement)
            check(Program(tuple(so_far)), whole=False)
            check_possible(statement)
            _take_turn(statement, speaker, interpreter, transcript)
            on_turn(transcript.turns[-1])
        else:
            transcript.ending = "answered" if speaker.next() is None else "unfinished"
    except MedpromptError as error:
        transcript.ending, transcript.error = "failed", f"{error} {error.remedy}"
    return transcript


def _take_turn(
    statement: Statement, speaker: Speaks, interpreter: Interpreter, transcript: Transcript
) -> None:
    start = time.perf_counter()
    events = interpreter.run(Program((statement,)))
    seconds = time.perf_counter() - start
    event = events[-1] if events else Event(print_statement(statement), "value", "", Text(None))
    told = told_of(event.value) if event.kind == "read" else None
    transcript.turns.append(turn_of(event, told, seconds))
    if event.kind == "answer":
        transcript.answers.append(say(event.value))
    if event.kind == "save":
        mask = event.value.union() if isinstance(event.value, Regions) else event.value
        if isinstance(mask, Region) and not mask.empty:
            transcript.saved.append((event.name, mask))
    if told:
        speaker.tell(told, say(event.value))


def turn_of(event: Event, told: Told | None, seconds: float) -> Turn:
    """What a transcript says of an event."""
    value = event.value
    plain: float | str | bool | None = None
    unit, status = None, ""
    if isinstance(value, (Number, Text, Truth)):
        plain, status = value.value, value.status
    if isinstance(value, Number):
        unit = UCUM.get(value.dimension)
    return Turn(event.statement, say(value), plain, unit, status, told, seconds)


def told_of(value: Value) -> Told:
    """What a dialogue is told of a value: what it hangs on, and no number."""
    if not isinstance(value, (Number, Text, Truth)) or value.value is None:
        return "absent" if getattr(value, "status", "") == "absent" else "unknown"
    if isinstance(value, Truth):
        return "true" if value.value else "false"
    if isinstance(value, Text):
        return "text"
    number = value.value
    if value.dimension == "count" and number > 0:
        return "one" if number == 1 else "several"
    return "zero" if number == 0 else "positive" if number > 0 else "negative"
