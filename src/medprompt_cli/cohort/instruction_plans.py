"""The words of an instruction set, each understood once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from medprompt_cli.errors import InputError, MedpromptError
from medprompt_cli.evaluation.instructions.outcomes import Status
from medprompt_cli.execution.program import check_runnable
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.prompt_model import PromptModel
from medprompt_cli.planning.requests import Request, understand
from medprompt_cli.planning.tree import Program


@dataclass(frozen=True)
class Understood:
    """What became of the words of an instruction.

    Attributes:
        words: The instruction.
        program: What it compiles to; None without one.
        status: `answered` if there is one, for all that is known yet.
        reason: Why there is none; empty if there is.
    """

    words: str
    program: Program | None
    status: Status = "answered"
    reason: str = ""

    @property
    def text(self) -> str:
        """The program as text; empty if there is none."""
        return "" if self.program is None else print_program(self.program)

    def as_json(self) -> dict[str, str]:
        """The fields as a line of a file words them."""
        return {
            "instruction": self.words,
            "status": self.status,
            "reason": self.reason,
            "program": self.text,
        }


def understand_all(
    instructions: Iterable[str], load: Callable[[], PromptModel]
) -> dict[str, Understood]:
    """Understand every distinct instruction, as `medprompt segment` does a prompt.

    Args:
        instructions: In words.
        load: Gives the network that reads sentences.
    """
    return {words: _understood(words, load) for words in dict.fromkeys(instructions)}


def _understood(words: str, load: Callable[[], PromptModel]) -> Understood:
    try:
        program = _program(understand([words], load))
    except MedpromptError as error:
        unclear = isinstance(error, InputError) and error.code == "prompt-ambiguous"
        status: Status = "ambiguous" if unclear else "refused"
        return Understood(
            words, None, status, str(error).removeprefix(f"{words!r} is {status}: ")
        )
    try:
        check_runnable(program)
    except MedpromptError as error:
        return Understood(words, None, "not_runnable", str(error))
    return Understood(words, program)


def _program(request: Request) -> Program:
    """The program of a request; that of names saves their masks."""
    if request.program is not None:
        return request.program
    return compose(Intent(tuple(target.name for target in request.targets)))


def plans_text(plans: Mapping[str, Understood]) -> str:
    """What every instruction was understood as, as JSON lines."""
    lines: Iterator[str] = (
        json.dumps(one.as_json(), ensure_ascii=False) for one in plans.values()
    )
    return "".join(f"{line}\n" for line in lines)


def digest(*parts: str) -> str:
    """SHA-256 of some texts in their order."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}\n{part}\n".encode())
    return whole.hexdigest()
