"""From a prompt to a program: words, regions, the network, and whether it is sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from medprompt_cli.errors import UsageError
from medprompt_cli.networks.prompt_config import STATUSES
from medprompt_cli.planning.everything import spread
from medprompt_cli.planning.grammar_symbols import SYMBOLS, places_of
from medprompt_cli.planning.guards import doubts, each_of
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.mentions import Slot, Token, read_prompt
from medprompt_cli.planning.names import EVERYTHING
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.prompt_features import MOST_TOKENS, featurise
from medprompt_cli.planning.prompt_model import SAMPLES, PromptModel
from medprompt_cli.planning.suggestions import nearest_names
from medprompt_cli.planning.summary import summarise
from medprompt_cli.planning.tree import Program
from medprompt_cli.planning.vocabulary import find
from medprompt_cli.planning.writing import Draft, choose_span, write_programs

Status = Literal["ok", "ambiguous", "refused"]
Reason = Literal["", "out-of-scope", "no-target", "unknown-target", "ambiguous", "too-long"]

MOST_ALTERNATIVES = 4
MEANINGLESS = frozenset({"brain", "intracranial"})
"""Regions that are named in passing: `in these brain scans`."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several things that a prompt can mean.

    Attributes:
        intent: What would be asked for.
        text: The program for it.
    """

    intent: Intent
    text: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of a prompt.

    Attributes:
        status: Whether there is one program for it.
        prompt: As it was written.
        program: The program, if there is one.
        text: The program as text; empty if there is none.
        intent: What the program asks for, if there is one.
        unused_words: What of the prompt had no part in the program, as it was written.
        suggestions: Canonical names that may have been meant.
        reason: Why there is no program; empty if there is one.
        explanation: The same in a sentence.
        alternatives: What the prompt can mean, if it can mean several things.
        agreement: Share of drawn programs that mean the same as the likeliest one.
        phi: Instruction embedding of every region in the program, by canonical name.
    """

    status: Status
    prompt: str
    program: Program | None = None
    text: str = ""
    intent: Intent | None = None
    unused_words: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    reason: Reason = ""
    explanation: str = ""
    alternatives: tuple[Alternative, ...] = ()
    agreement: float = 1.0
    phi: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)


def compile_prompt(text: str, model: PromptModel) -> Compiled:
    """Compile a prompt. The same prompt and the same model give the same program."""
    tokens = read_prompt(text, model.words)
    if not any(isinstance(t, Slot) or t.kind == "word" for t in tokens):
        return Compiled(
            "refused", text, reason="no-target", explanation="The prompt holds no words."
        )
    if len(tokens) > MOST_TOKENS:
        said = f"The prompt has {len(tokens)} words; {MOST_TOKENS} are read at once."
        return Compiled("refused", text, reason="too-long", explanation=said)
    features = featurise(tokens, dict(model.names), model.decoder.config.buckets)
    reading = model.decoder.read(features, programs=1 + SAMPLES)
    first = model.decoder.write(reading, np.zeros(1 + SAMPLES, np.int64))
    thought = STATUSES[int(first.status[0].argmax())]
    compiler = _Compiler(text, tokens, model)
    unclear = [t for t in tokens if isinstance(t, Slot) and t.kind == "ambiguous"]
    if thought in {"out-of-scope", "no-target"}:
        return compiler.refused(thought)
    if unclear:
        return compiler.several_meanings(unclear)
    if thought == "unknown-target":
        return compiler.unknown(choose_span(model.decoder, reading, first, places_of(tokens)))
    drafts = write_programs(model.decoder, reading, first, places_of(tokens))
    return compiler.understood(drafts, sure=thought == "ok")


@dataclass(frozen=True)
class _Compiler:
    """Words what was found out about one prompt."""

    prompt: str
    tokens: Sequence[Token]
    model: PromptModel

    def refused(self, thought: str) -> Compiled:
        """Nothing that medprompt can do."""
        if thought == "out-of-scope":
            said = "This asks for nothing that medprompt can see or measure in the brain."
            return Compiled("refused", self.prompt, reason="out-of-scope", explanation=said)
        said = "The prompt names no region."
        return Compiled("refused", self.prompt, reason="no-target", explanation=said)

    def unknown(self, span: tuple[int, int]) -> Compiled:
        """A region that the vocabulary does not have."""
        first, last = self.tokens[span[0]], self.tokens[span[1] - 1]
        said = self.prompt[first.start : last.end]
        return Compiled(
            "refused",
            self.prompt,
            reason="unknown-target",
            suggestions=nearest_names(said),
            explanation=f"Unknown target {said!r}.",
        )

    def several_meanings(self, unclear: Sequence[Slot]) -> Compiled:
        """A word that means one of several regions: say what each would give."""
        slot = unclear[0]
        found: list[Alternative] = []
        if all(other.names == slot.names for other in unclear):
            compiled = (compile_prompt(self.saying(unclear, n), self.model) for n in slot.names)
            found = [Alternative(c.intent, c.text) for c in compiled if c.intent]
        word = self.prompt[slot.start : slot.end]
        names = " or ".join(repr(name) for name in slot.names)
        return Compiled(
            "ambiguous",
            self.prompt,
            reason="ambiguous",
            suggestions=slot.names,
            explanation=f"{word!r} can mean {names}.",
            alternatives=tuple(found),
        )

    def saying(self, slots: Sequence[Slot], name: str) -> str:
        """The prompt with a name put where it has slots."""
        said, at = "", 0
        for slot in slots:
            said += self.prompt[at : slot.start] + name.replace("-", " ")
            at = slot.end
        return said + self.prompt[at:]

    def understood(self, drafts: Sequence[Draft], *, sure: bool) -> Compiled:
        """A program, if the network is sure of it."""
        meanings = [self.meaning(draft) for draft in drafts]
        likeliest = meanings[0]
        sure = sure and all(self.model.means(*region) for region in drafts[0].phi.items())
        agreeing = sum(_same(meaning, likeliest) for meaning in meanings[1:])
        share = agreeing / max(1, len(meanings) - 1)
        if likeliest is None or not sure or share < self.model.agreement:
            return self.unsure(meanings, share, sure=sure)
        program, intent = likeliest
        idle = self.idle(drafts[0])
        against = doubts(self.prompt, self.tokens, idle, program, intent)
        if against:
            return replace(self.unsure(meanings, share, sure=True), explanation=against[0])
        return Compiled(
            "ok",
            self.prompt,
            program=program,
            text=print_program(program),
            intent=intent,
            unused_words=self.unused(drafts[0], intent),
            agreement=share,
            phi=drafts[0].phi,
        )

    def meaning(self, draft: Draft) -> tuple[Program, Intent] | None:
        """A draft's program, whole, and what it asks for; None if that is nothing."""
        try:
            program = spread(draft.program, draft.tokens, self.tokens)
            return program, summarise(program)
        except UsageError:
            return None

    def unsure(
        self, meanings: Sequence[tuple[Program, Intent] | None], share: float, *, sure: bool
    ) -> Compiled:
        """Several things that the prompt may mean, the commonest first."""
        found = [meaning for meaning in meanings if meaning]
        counts = Counter(intent for _, intent in found)
        programs = {intent: program for program, intent in reversed(found)}
        alternatives = tuple(
            Alternative(intent, print_program(programs[intent]))
            for intent, _ in counts.most_common(MOST_ALTERNATIVES)
        )
        named = any(isinstance(token, Slot) for token in self.tokens)
        why = "It can be read in several ways." if sure else "It does not say what exactly."
        return Compiled(
            "ambiguous",
            self.prompt,
            reason="ambiguous",
            explanation=why if named else "The prompt names no region.",
            alternatives=alternatives if named else (),
            agreement=share,
        )

    def unused(self, draft: Draft, intent: Intent) -> tuple[str, ...]:
        """Words that are not known, and numbers and regions that the program leaves out."""
        idle = [
            self.prompt[token.start : token.end]
            for token in self.idle(draft)
            if self.matters(token)
        ]
        return tuple(dict.fromkeys((*idle, *each_of(self.prompt, intent))))

    def idle(self, draft: Draft) -> list[Token]:
        """Tokens of the prompt that a draft does not point to."""
        pointed = {token - len(SYMBOLS) for token in draft.tokens if token >= len(SYMBOLS)}
        return [token for at, token in enumerate(self.tokens) if at not in pointed]

    def matters(self, token: Token) -> bool:
        """Whether a token that the program does not use is worth a mention."""
        if isinstance(token, Slot):
            found = find(token.name)
            return token.name != EVERYTHING and bool(found and found[0].name not in MEANINGLESS)
        if token.kind == "number":
            return token.unit is not None
        return token.kind == "word" and not self.model.knows(token.text)


def _same(one: tuple[Program, Intent] | None, other: tuple[Program, Intent] | None) -> bool:
    return one is not None and other is not None and one[1] == other[1]
