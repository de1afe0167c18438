"""The prompts of a run, whatever their form: names, sentences, or a plan made before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.compile import Compiled, compile_prompt
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.prompt_model import PromptModel
from medprompt_cli.planning.summary import summarise
from medprompt_cli.planning.tree import Program
from medprompt_cli.planning.vocabulary import Target, resolve


@dataclass(frozen=True)
class Request:
    """What a run is for.

    Attributes:
        prompts: The person's words.
        targets: Every region that has to be segmented.
        program: What to make of them; None if masks of the targets are all there is to it.
        compiled: What became of each sentence, for those prompts that are no names.
    """

    prompts: tuple[str, ...]
    targets: tuple[Target, ...]
    program: Program | None = None
    compiled: tuple[Compiled, ...] = ()

    @property
    def unused_words(self) -> tuple[str, ...]:
        """Words of the sentences that had no part in the program."""
        return tuple(word for found in self.compiled for word in found.unused_words)


def understand(prompts: Sequence[str], load: Callable[[], PromptModel]) -> Request:
    """Understand the prompts of a run, once.

    Names are looked up, and one word alone is a name. Any other prompt that is no name is a
    sentence: only for these is the network loaded.

    Args:
        prompts: One or more.
        load: Gives the network that reads prompts.

    Raises:
        InputError: If a sentence is refused or can mean several things.
        UsageError: If nothing is asked for, a name is not known, or the requests do not
            go together.
        WeightsError: If the network cannot be had.
    """
    known = [_names(prompt) for prompt in prompts]
    for prompt, found in zip(prompts, known, strict=True):
        if isinstance(found, UsageError) and len(prompt.split()) <= 1:
            raise found
    if not any(isinstance(found, UsageError) for found in known):
        return Request(tuple(prompts), resolve(list(prompts)))
    model = load()
    compiled: list[Compiled] = []
    intents: list[Intent] = []
    for prompt, names in zip(prompts, known, strict=True):
        if not isinstance(names, UsageError):
            intents.append(Intent(tuple(target.name for target in names)))
            continue
        found = compile_prompt(prompt, model)
        if found.reason == "unknown-target":
            raise names
        compiled.append(found)
        intents.append(_understood(found))
    return of_program(compose(*intents), prompts, compiled)


def of_program(
    program: Program, prompts: Sequence[str], compiled: Sequence[Compiled] = ()
) -> Request:
    """The request that a program makes; a plain one if it only saves masks of targets."""
    needs = check(program)
    targets = resolve(list(needs.targets))
    if saves_only(program):
        return Request(tuple(prompts), targets, None, tuple(compiled))
    return Request(tuple(prompts), targets, program, tuple(compiled))


def saves_only(program: Program) -> bool:
    """Whether a program asks for masks of targets on any image, and for nothing else."""
    intent = summarise(program)
    return intent == Intent(intent.targets)


def _names(prompt: str) -> tuple[Target, ...] | UsageError:
    try:
        return resolve([prompt])
    except UsageError as error:
        return error


def _understood(found: Compiled) -> Intent:
    """What a sentence asks for.

    Raises:
        InputError: If it is refused or can mean several things; says which.
    """
    if found.status == "ok" and found.intent is not None:
        return found.intent
    meant = [alternative.text for alternative in found.alternatives]
    remedy = "Say what region, and what of it; medprompt plan shows how a sentence is read."
    if found.suggestions:
        remedy = f"Did you mean {', '.join(found.suggestions)}?"
    elif meant:
        remedy = f"Choose one of its {len(meant)} readings; medprompt plan shows them."
    raise InputError(
        f"{found.prompt!r} is {found.status}: {found.explanation}",
        remedy=remedy,
        code=f"prompt-{found.reason or found.status}",
    )
