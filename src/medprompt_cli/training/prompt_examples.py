"""Prompts with their programs, as the numbers that the network is trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch.utils.data import Dataset

from medprompt_cli.errors import UsageError
from medprompt_cli.networks.prompt_config import PHI, STATUSES
from medprompt_cli.networks.prompt_decoder import PromptBatch
from medprompt_cli.planning.coherence import tidy
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.everything import gathered, place_of_everything
from medprompt_cli.planning.grammar import encode, encode_span
from medprompt_cli.planning.grammar_dialogue import TOLD_IDS, encode_dialogue
from medprompt_cli.planning.grammar_symbols import DIALOGUE, ID, START, places_of
from medprompt_cli.planning.grammar_wants import NotDerivableError
from medprompt_cli.planning.mentions import Token, read_prompt
from medprompt_cli.planning.prompt_features import (
    MOST_TOKENS,
    PromptFeatures,
    featurise,
    known_names,
    name_rows,
)
from medprompt_cli.planning.words import Word
from medprompt_cli.planning.writing import region_at
from medprompt_cli.synthesis.prompts.asked import Language
from medprompt_cli.training.prompt_corpus import (
    PromptSample,
    corpus,
    intent_of,
    prompt_samples,
    unseen_mentions,
)
from medprompt_cli.training.prompt_recipe import PromptRecipe
from medprompt_cli.training.teacher import dialogue_of

OK = STATUSES.index("ok")

NO_TARGET = -100
"""What no loss is taken of."""

NAME = 1
"""Column of a prompt token's name among its traits."""

WINDOW = 8
"""Steps whose prompts are made together."""

WORD_PROMPTS = 40_000
"""Prompts whose words are remembered."""


@dataclass(frozen=True, eq=False)
class PromptExample:
    """One prompt, and what the network should make of it.

    Attributes:
        features: The prompt as numbers.
        program: Its tokens, the first one included; of what is refused, the first alone.
        status: Row of `STATUSES`.
        regions: Canonical name by place in the program.
    """

    features: PromptFeatures
    program: tuple[int, ...]
    status: int
    regions: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class LabelledBatch:
    """Prompts and what should come of them.

    Attributes:
        batch: What the network is given.
        following: (B, T). The token after each; `NO_TARGET` where there is none.
        status: (B,).
        phi: (B, T, 32). Embeddings that phi should be like.
        has_phi: (B, T). Where there is one.
    """

    batch: PromptBatch
    following: torch.Tensor
    status: torch.Tensor
    phi: torch.Tensor
    has_phi: torch.Tensor


def remembered_words(seed: int, count: int = WORD_PROMPTS) -> frozenset[str]:
    """Every word of understood training prompts that is no name of a region."""
    found: set[str] = set()
    for sample in prompt_samples(count, seed, "training"):
        if sample.intent is not None:
            clean = read_prompt(sample.prompt.clean)
            found.update(t.text for t in clean if isinstance(t, Word) and t.kind == "word")
    return frozenset(found)


def example_of(
    sample: PromptSample, words: frozenset[str], buckets: int, dialogue: Random | None = None
) -> PromptExample | None:
    """An example of a prompt; None if it is too long, or none can be made of it.

    Where the reader of names does not see one, because of a typing error, what is asked for
    is answered with the nearest names: the name is taken for one that is not known.

    Args:
        sample: The prompt.
        words: That are never taken for misspelt names.
        buckets: Rows that pieces of words are hashed to.
        dialogue: What a made-up case tells, for an answer statement by statement; None for
            a program. What no dialogue can answer has a program all the same.
    """
    tokens = read_prompt(sample.prompt.text, words)
    if not 0 < len(tokens) <= MOST_TOKENS:
        return None
    features = featurise(tokens, name_rows(known_names()), buckets)
    status, program = _labels(sample, tokens)
    if status is None:
        return None
    places = places_of(tokens)
    said = _dialogue(sample, tokens, dialogue) if dialogue and status == OK else None
    written = (ID[START], *program) if said is None else (ID[DIALOGUE], *said)
    regions = {
        at: name
        for at in range(1, len(written))
        if status == OK and (name := region_at(written, at, places))
    }
    return PromptExample(features, written, status, regions)


def _labels(
    sample: PromptSample, tokens: Sequence[Token]
) -> tuple[int | None, tuple[int, ...]]:
    asked = sample.prompt.asked
    if asked.status == "ambiguous":
        return STATUSES.index("ambiguous"), ()
    if asked.status == "refused" and asked.reason != "unknown-target":
        return STATUSES.index(asked.reason), ()
    unknown = [m for m in sample.prompt.mentions if m.kind == "unknown"]
    if asked.status == "ok":
        try:
            program = compose(*(gathered(tidy(i), tokens) for i in sample.intents))
            return STATUSES.index("ok"), tuple(encode(program, places_of(tokens)))
        except (NotDerivableError, UsageError):
            unknown = list(unseen_mentions(sample.prompt))
    for mention in unknown:
        inside = _inside(tokens, mention.start, mention.end)
        if inside:
            span = encode_span(inside[0], inside[-1] + 1)
            return STATUSES.index("unknown-target"), tuple(span)
    return None, ()


def _dialogue(
    sample: PromptSample, tokens: Sequence[Token], rng: Random
) -> tuple[int, ...] | None:
    """The tokens of a dialogue about an understood prompt; None if there is none."""
    if place_of_everything(tokens) is not None:
        return None
    try:
        steps = dialogue_of([tidy(intent) for intent in sample.intents], rng)
        return tuple(encode_dialogue(steps, places_of(tokens)))
    except (NotDerivableError, UsageError):
        return None


def _inside(tokens: Sequence[Token], start: int, end: int) -> list[int]:
    return [at for at, t in enumerate(tokens) if t.start < end and t.end > start]


def training_sample(index: int, seed: int, language: Language) -> PromptSample:
    """A prompt for training, by its place in the endless row that `seed` begins."""
    prompt = corpus().prompt(index, seed, "training", language)
    intents = tuple(intent_of(asked) for asked in prompt.requests)
    intent = intent_of(prompt.asked) if prompt.asked.status == "ok" else None
    return PromptSample(prompt, intents, intent)


def without_words(features: PromptFeatures, rng: Random, share: float) -> PromptFeatures:
    """The same prompt, with every word hidden as likely as `share`."""
    counts = np.diff(features.offsets, append=len(features.pieces))
    shown = np.array([rng.random() >= share for _ in counts], bool)
    pieces = features.pieces[np.repeat(shown, counts)]
    left = np.where(shown, counts, 0)
    return PromptFeatures(pieces, np.cumsum(left) - left, features.traits)


def collate(
    examples: Sequence[PromptExample],
    phi: Mapping[str, np.ndarray],
    rng: Random,
    name_dropout: float = 0.0,
    word_dropout: float = 0.0,
) -> LabelledBatch:
    """Fill examples up to one size."""
    places = max(len(example.features.traits) for example in examples)
    length = max(len(example.program) for example in examples)
    count = len(examples)
    traits = np.zeros((count, places, 4), np.int64)
    offsets = np.zeros((count, places), np.int64)
    program = np.zeros((count, length), np.int64)
    following = np.full((count, length), NO_TARGET, np.int64)
    wanted = np.zeros((count, length, PHI), np.float32)
    has_phi = np.zeros((count, length), bool)
    pieces: list[np.ndarray] = []
    begin = 0
    for row, example in enumerate(examples):
        own, tokens = example.features, len(example.features.traits)
        if word_dropout:
            own = without_words(own, rng, word_dropout)
        traits[row, :tokens] = own.traits
        if rng.random() < name_dropout:
            traits[row, :, NAME] = 0
        offsets[row, :tokens] = own.offsets + begin
        begin += len(own.pieces)
        offsets[row, tokens:] = begin
        pieces.append(own.pieces)
        program[row, : len(example.program)] = example.program
        following[row, : len(example.program) - 1] = [
            NO_TARGET if token in TOLD_IDS else token for token in example.program[1:]
        ]
        for at, name in example.regions.items():
            if name in phi:
                wanted[row, at], has_phi[row, at] = phi[name], True
    lengths = [len(example.features.traits) for example in examples]
    batch = PromptBatch(
        torch.from_numpy(np.concatenate(pieces)),
        torch.from_numpy(offsets.reshape(-1)),
        torch.from_numpy(traits),
        torch.tensor(lengths),
        torch.from_numpy(program),
    )
    return LabelledBatch(
        batch,
        torch.from_numpy(following),
        torch.tensor([example.status for example in examples]),
        torch.from_numpy(wanted),
        torch.from_numpy(has_phi),
    )


class PromptWindows(Dataset[list[LabelledBatch]]):
    """The batches of a few steps together, the same each time they are asked for.

    Programs of one batch are of like length, so that little is filled up; what has no
    program is dealt out evenly.

    Args:
        recipe: Sizes, shares and the seed.
        words: That are never taken for misspelt names.
        buckets: Rows that pieces of words are hashed to.
        phi: Embeddings that phi should be like, by canonical name.
        start: The first window, counted from the first step.
    """

    def __init__(
        self,
        recipe: PromptRecipe,
        words: frozenset[str],
        buckets: int,
        phi: Mapping[str, np.ndarray],
        start: int = 0,
    ) -> None:
        self.recipe = recipe
        self.words = words
        self.buckets = buckets
        self.phi = phi
        self.start = start

    def __len__(self) -> int:
        """How many windows are left."""
        return max(0, -(-self.recipe.steps // WINDOW) - self.start)

    def __getitem__(self, index: int) -> list[LabelledBatch]:
        """The batches of the window `start + index`."""
        if index >= len(self):
            raise IndexError(index)
        window = self.start + index
        rng = Random(f"{self.recipe.seed}/{window}")
        examples = sorted(self._examples(window, rng), key=lambda e: len(e.program))
        short = [example for example in examples if len(example.program) == 1]
        long = examples[len(short) :]
        edges = [len(long) * n // WINDOW for n in range(WINDOW + 1)]
        groups = [
            long[edges[n] : edges[n + 1]] + short[n::WINDOW] or examples[:1]
            for n in range(WINDOW)
        ]
        rng.shuffle(groups)
        dropout = self.recipe.name_dropout, self.recipe.word_dropout
        return [collate(group, self.phi, rng, *dropout) for group in groups]

    def _examples(self, window: int, rng: Random) -> Iterator[PromptExample]:
        wanted = self.recipe.batch * WINDOW
        made, number = 0, window * wanted * 2
        while made < wanted:
            language: Language = "ko" if rng.random() < self.recipe.korean else "en"
            sample = training_sample(number, self.recipe.seed, language)
            number += 1
            told = rng if rng.random() < self.recipe.dialogues else None
            example = example_of(sample, self.words, self.buckets, told)
            if example is not None:
                made += 1
                yield example
