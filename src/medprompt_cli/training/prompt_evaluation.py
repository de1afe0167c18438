"""How often a prompt is understood, on sentence frames that no training prompt has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from medprompt_cli.planning.coherence import tidy
from medprompt_cli.planning.compile import Compiled, compile_prompt
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.prompt_model import SAMPLES, PromptModel
from medprompt_cli.synthesis.prompts.asked import Family
from medprompt_cli.training.prompt_corpus import PromptSample, prompt_samples

EVALUATION_SEED = 77_001
THRESHOLDS = tuple(n / SAMPLES for n in range(SAMPLES + 1) if 2 * n >= SAMPLES)
"""Shares of agreeing programs that can be asked for: half of them at least."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One prompt, what was asked, and what was understood.

    Attributes:
        sample: The prompt.
        compiled: What became of it, whatever the agreement was.
    """

    sample: PromptSample
    compiled: Compiled

    @property
    def language(self) -> str:
        """Of the sentence."""
        return self.sample.prompt.language

    @property
    def kind(self) -> str:
        """What it is counted among: its reason to be refused, or `ok`."""
        return self.sample.prompt.asked.reason or "ok"

    def right(self, threshold: float = 0.0) -> bool:
        """Whether status, targets, quantities and compares are all right.

        Args:
            threshold: Share of drawn programs that have to agree.
        """
        wanted = self.sample.prompt.asked.status
        status = self.compiled.status
        if status == "ok" and self.compiled.agreement < threshold:
            status = "ambiguous"
        if status != wanted or self.sample.intent is None:
            return status == wanted
        return _same(self.compiled.intent, tidy(self.sample.intent))

    def exactly_right(self) -> bool:
        """Whether filters, images and visits are right as well."""
        asked = self.sample.intent
        return self.right() and (asked is None or self.compiled.intent == tidy(asked))


def _same(found: Intent | None, asked: Intent) -> bool:
    return found is not None and (
        set(found.targets) == set(asked.targets)
        and found.quantities == asked.quantities
        and found.compares == asked.compares
    )


def judge(
    model: PromptModel, count: int, family: Family = "evaluation", seed: int = EVALUATION_SEED
) -> list[Judged]:
    """Compile `count` prompts, and keep what was asked beside what was understood."""
    every = replace(model, agreement=0.0)
    return [
        Judged(sample, compile_prompt(sample.prompt.text, every))
        for sample in prompt_samples(count, seed, family)
    ]


def best_threshold(judged: list[Judged]) -> float:
    """The agreement to ask for, by which most prompts come out right; the highest of equals."""
    return max(THRESHOLDS, key=lambda t: (sum(case.right(t) for case in judged), t))


def rates(judged: list[Judged], threshold: float) -> dict[str, float]:
    """Share of prompts that come out right, by language and by what should come of them."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for case in judged:
        for group in _groups(case):
            groups[group].append(case.right(threshold))
        if case.kind == "ok":
            groups[f"exact_{case.language}"].append(case.exactly_right())
    return {group: sum(right) / len(right) for group, right in sorted(groups.items())}


def _groups(case: Judged) -> Iterator[str]:
    yield f"all_{case.language}"
    yield f"{case.kind}_{case.language}" if case.kind == "ok" else case.kind
