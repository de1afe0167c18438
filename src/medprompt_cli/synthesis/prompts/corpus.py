"""Made-up prompts: a frame is drawn, written, and mistyped now and then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from random import Random
from typing import get_args

from medprompt_cli.synthesis.prompts import finish
from medprompt_cli.synthesis.prompts.asked import Family, Language, SampledPrompt
from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.grammar import Grammar, read_lines, read_rules
from medprompt_cli.synthesis.prompts.lexicon import Lexicon
from medprompt_cli.synthesis.prompts.request import RedrawError
from medprompt_cli.synthesis.prompts.slots import FILLERS
from medprompt_cli.synthesis.prompts.templates import Row
from medprompt_cli.synthesis.prompts.typos import mistype

NAMES: Mapping[Language, str] = {"en": "english", "ko": "korean"}
PARTS: Mapping[Family, tuple[str, ...]] = {
    "training": ("", "_sizes", "_changes", "_borders", "_turns", "_refusals"),
    "evaluation": ("",),
}
"""Ends of the names of the files with a family's frames."""

ENGLISH_SHARE = 0.58
"""How many prompts are English where both languages are asked for."""

ASIDE = 0.1
"""How many sentences stand among others that ask for nothing."""

TRIES = 60
"""Times a frame is written anew when what was chosen does not go together."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence frame.

    Attributes:
        name: Unique, e.g. `en.training.volume.003`.
        language: Of the sentence.
        family: Training or evaluation.
        directives: What all frames of its section ask for.
        weight: How likely it is among the frames of its language and family.
        text: As written.
        row: As read.
    """

    name: str
    language: Language
    family: Family
    directives: tuple[str, ...]
    weight: float
    text: str
    row: Row


def read_frames(language: Language, family: Family) -> tuple[Frame, ...]:
    """Every frame of one language and family, in the order of its files."""
    counts: dict[str, int] = {}
    found: list[Frame] = []
    files = [f"{NAMES[language]}_{family}{part}.txt" for part in PARTS[family]]
    for line in chain.from_iterable(map(read_lines, files)):
        section, _, directives = line.heading.partition(":")
        counts[section] = counts.get(section, 0) + 1
        name = f"{language}.{family}.{section}.{counts[section]:03}"
        asks = tuple(directives.split())
        found.append(Frame(name, language, family, asks, line.weight, line.text, line.row))
    return tuple(found)


@dataclass(frozen=True)
class _Source:
    """The frames of one language and family, and the rules they are written with."""

    frames: tuple[Frame, ...]
    grammar: Grammar

    @cached_property
    def heights(self) -> tuple[float, ...]:
        return tuple(accumulate(frame.weight for frame in self.frames))


class PromptCorpus:
    """Draws prompts; the same numbers give the same prompts on every machine.

    Args:
        lexicon: The regions to name.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._sources = {
            (language, family): _read_source(language, family)
            for language in get_args(Language)
            for family in get_args(Family)
        }

    def frames(self, language: Language, family: Family) -> tuple[Frame, ...]:
        """Every frame of one language and family."""
        return self._sources[language, family].frames

    def prompts(
        self, count: int, seed: int, family: Family, language: Language | None = None
    ) -> Iterator[SampledPrompt]:
        """Draw `count` prompts; of both languages if none is given."""
        for index in range(count):
            yield self.prompt(index, seed, family, language)

    def prompt(
        self, index: int, seed: int, family: Family, language: Language | None = None
    ) -> SampledPrompt:
        """Draw one prompt, by its place in the endless row that `seed` begins."""
        rng = Random(f"{seed}/{family}/{language}/{index}")
        chosen: Language = language or ("en" if rng.random() < ENGLISH_SHARE else "ko")
        source = self._sources[chosen, family]
        while True:
            frame = rng.choices(source.frames, cum_weights=source.heights)[0]
            made = self.write(frame, rng)
            if made:
                return made

    def write(self, frame: Frame, rng: Random) -> SampledPrompt | None:
        """Write one frame; None if the lexicon has no regions that fit it."""
        grammar = self._sources[frame.language, frame.family].grammar
        for _ in range(TRIES):
            draft = Draft(rng, self.lexicon, frame.language)
            try:
                for directive in frame.directives:
                    draft.direct(directive)
                text = self._written(frame, grammar, draft)
                return _finished(text, draft, frame)
            except RedrawError:
                continue
        return None

    @staticmethod
    def _written(frame: Frame, grammar: Grammar, draft: Draft) -> str:
        """The frame's words; a whole sentence may have others before and behind it."""
        alone = draft.terse or draft.refusal[1] == "no-target" or not draft.chance(ASIDE)
        if alone:
            return grammar.write(frame.row, draft)
        before = grammar.fill("before", "", draft) if draft.chance(0.6) else ""
        text = grammar.write(frame.row, draft)
        after = grammar.fill("after", "", draft) if not before or draft.chance(0.1) else ""
        stop = "" if text.rstrip().endswith((".", "?", "!")) or not after else "."
        return f"{before} {text}{stop} {after}"


def _read_source(language: Language, family: Family) -> _Source:
    name = NAMES[language]
    rules = read_rules(f"{name}_rules.txt", f"{name}_{family}_rules.txt")
    return _Source(read_frames(language, family), Grammar(rules, FILLERS))


def _finished(text: str, draft: Draft, frame: Frame) -> SampledPrompt:
    requests = draft.requests()
    asked = draft.asked(requests)
    pieces = finish.recase(finish.settle(text, draft), draft)
    pieces = finish.add_last_stop(finish.drop_last_stop(pieces, draft), draft)
    said = [piece.text for piece in pieces if piece.kind == "region"]
    clean = "".join(piece.text for piece in pieces)
    typed = mistype(list(pieces), draft)
    return SampledPrompt(
        text="".join(piece.text for piece in typed),
        clean=clean,
        asked=asked,
        requests=requests,
        mentions=finish.mentions(typed, said, draft),
        frame=frame.name,
        language=frame.language,
        family=frame.family,
    )
