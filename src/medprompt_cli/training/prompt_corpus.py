"""Made-up prompts in the words of the vocabulary, and the intents that they have.

`synthesis.prompts` writes prompts and knows no vocabulary; `planning` has the vocabulary and
writes none. They meet here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from medprompt_cli.language import synonyms
from medprompt_cli.planning import names
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.mentions import find_mentions
from medprompt_cli.planning.vocabulary import TERMS, Term, find
from medprompt_cli.planning.words import read_words
from medprompt_cli.synthesis.prompts.asked import (
    Asked,
    Family,
    Language,
    Mention,
    SampledPrompt,
)
from medprompt_cli.synthesis.prompts.corpus import PromptCorpus
from medprompt_cli.synthesis.prompts.lexicon import Entry, Lexicon

AT_A_PLACE: dict[str, str] = {
    **{"periventricular": "lateral-ventricle", "intraventricular": "ventricles"},
    **{"juxtacortical": "cerebral-cortex", "intratumoral": "tumor"},
}
"""Words for a place before a lesion; used as soon as the vocabulary knows them."""

NO_PLACES = frozenset({"lesional", "tumoral", "edematous", "cerebral", "accumbal"})
"""Adjectives that would say nothing of where a lesion is."""


@cache
def corpus() -> PromptCorpus:
    """The generator of prompts, with the vocabulary's words."""
    terms = [found[0] for name in TERMS if (found := find(name))]
    entries = [_entry(term, terms) for term in terms]
    return PromptCorpus(Lexicon(entries, synonyms.AMBIGUOUS, names.WHOLE))


def _entry(term: Term, terms: Sequence[Term]) -> Entry:
    adjectives = tuple(w for w, name in names.ADJECTIVES.items() if name == term.name)
    return Entry(
        name=term.name,
        kind=term.kind,
        words=TERMS[term.name],
        sided=term.has_sides,
        members=_parts(term, terms),
        adjectives=adjectives,
        places=tuple(dict.fromkeys(_places(term.name, adjectives))),
    )


def _places(name: str, adjectives: Sequence[str]) -> Iterator[str]:
    """Words that say before a lesion that it is in a region, or at it."""
    yield from (word for word in adjectives if word not in NO_PLACES)
    yield from (word for word, lobe in names.BEFORE_LESIONS.items() if lobe == name)
    for word, region in AT_A_PLACE.items():
        if region == name and names.look_up([word]):
            yield word


def _parts(term: Term, terms: Sequence[Term]) -> tuple[str, ...]:
    """Names without side of all that `term` is a union of and that has a name."""
    if term.kind not in {"group", "lobe"}:
        return ()
    whole = set(term.members)
    return tuple(part.name for part in terms if part.members and set(part.members) < whole)


@dataclass(frozen=True, slots=True)
class PromptSample:
    """A prompt and what it means.

    Attributes:
        prompt: The prompt and all that is known of how it was made.
        intents: What it asks for, request by request; empty unless its status is ok.
        intent: All of them as one; None unless its status is ok.
    """

    prompt: SampledPrompt
    intents: tuple[Intent, ...]
    intent: Intent | None


def prompt_samples(
    count: int, seed: int, family: Family, language: Language | None = None
) -> Iterator[PromptSample]:
    """Draw prompts with their intents; of both languages if none is given."""
    for prompt in corpus().prompts(count, seed, family, language):
        asked_for = prompt.asked.status == "ok"
        yield PromptSample(
            prompt=prompt,
            intents=tuple(intent_of(asked) for asked in prompt.requests),
            intent=intent_of(prompt.asked) if asked_for else None,
        )


def intent_of(asked: Asked) -> Intent:
    """What was asked for, in the terms of planning.

    Raises:
        UsageError: If it was refused or is ambiguous, so that it has no target.
    """
    return Intent(
        targets=asked.targets,
        quantities=asked.quantities,
        compares=asked.compares,
        filters=asked.filters,
        images=asked.images,
        visits=asked.visits,
    )


def unseen_mentions(prompt: SampledPrompt) -> tuple[Mention, ...]:
    """The regions a prompt names that the vocabulary's reader does not find where they are."""
    slots = find_mentions(read_words(prompt.text))
    found = {(name, slot.start) for slot in slots for name in slot.names}
    found |= {(name, slot.end) for slot in slots for name in slot.names}
    return tuple(
        mention
        for mention in prompt.mentions
        if mention.name
        and (mention.name, mention.start) not in found
        and (mention.name, mention.end) not in found
    )
