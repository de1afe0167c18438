"""Decode programs for random prompts and random bytes, and parse and check every one.

    python examples/benchmarks/decoding.py --count 10000

Every other prompt is a random sentence of the corpus, of held-out frames; the rest are random
bytes read as text. Programs are written by a network that thinks nothing in particular: at
every step one of the tokens that the grammar allows is drawn, which reaches whatever any
network could write. With `--network N`, the bundled network reads N of the prompts as well.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from medprompt_cli.planning.checker import check
from medprompt_cli.planning.compile import compile_prompt
from medprompt_cli.planning.grammar import Walk
from medprompt_cli.planning.grammar_dialogue import DialogueWalk
from medprompt_cli.planning.grammar_symbols import END, ID, places_of
from medprompt_cli.planning.mentions import read_prompt
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.prompt_model import load_prompt_model
from medprompt_cli.planning.tree import Program
from medprompt_cli.training.prompt_corpus import prompt_samples

LONGEST = 300
"""Bytes of a random prompt."""


def main(
    count: Annotated[int, typer.Option(min=2, help="Prompts.")] = 10_000,
    network: Annotated[int, typer.Option(min=0, help="Prompts for the bundled network.")] = 0,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
) -> None:
    """Decode, parse, check; stop at the first program that fails."""
    rng = random.Random(seed)
    prompts = list(random_prompts(count, seed))
    began = time.perf_counter()
    tokens = sum(walk_program(prompt, rng) for prompt in prompts)
    statements = sum(walk_dialogue(prompt, rng) for prompt in prompts)
    seconds = time.perf_counter() - began
    print(
        f"{count} programs of {tokens} tokens and {count} dialogues of {statements} statements:"
    )
    print(f"all parse, check, and print as they were; {seconds:.0f} s")
    if network:
        model, found = load_prompt_model(), 0
        for prompt in prompts[:network]:
            compiled = compile_prompt(prompt, model)
            if compiled.program is not None:
                verify(compiled.program, whole=True)
                found += 1
        print(f"bundled network: {found} of {network} prompts have a program; all check")


def random_prompts(count: int, seed: int) -> Iterator[str]:
    """Sentences and bytes in turn."""
    rng = random.Random(seed)
    sentences = prompt_samples(count // 2, seed, "evaluation")
    for sentence in sentences:
        yield sentence.prompt.text
        yield rng.randbytes(rng.randint(0, LONGEST)).decode("utf-8", "replace")


def walk_program(prompt: str, rng: random.Random) -> int:
    """A random program about a prompt; how many tokens it has."""
    walk, tokens, ending = Walk(places_of(read_prompt(prompt))), 0, rng.random()
    while not walk.done:
        walk.take(drawn(walk.allowed, rng, ending))
        tokens += 1
    if walk.program is None:
        raise SystemExit(f"No program came of {prompt!r}.")
    verify(walk.program, whole=True)
    return tokens


def walk_dialogue(prompt: str, rng: random.Random) -> int:
    """A random dialogue about a prompt; how many statements it has."""
    walk, ending = DialogueWalk(places_of(read_prompt(prompt))), rng.random()
    while not walk.done:
        walk.take(drawn(walk.allowed, rng, ending))
    verify(Program(tuple(walk.statements)), whole=False)
    return len(walk.statements)


def drawn(allowed: tuple[int, ...], rng: random.Random, ending: float) -> int:
    """One of the tokens that may follow; the end as likely as `ending` where it may."""
    stops = ID[END] in allowed and rng.random() < ending
    return ID[END] if stops else rng.choice(allowed)


def verify(program: Program, *, whole: bool) -> None:
    """Make sure that a program means something, and is read back as it is."""
    check(program, whole=whole)
    if parse(print_program(program)) != program:
        raise SystemExit(f"Read back differently:\n{print_program(program)}")


if __name__ == "__main__":
    typer.run(main)
