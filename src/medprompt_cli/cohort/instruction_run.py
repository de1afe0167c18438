"""A model run on an instruction set, image by image; what is done is kept."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.instruction_set import pairs_text, read_pairs
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.bids.mask_files import source_paths
from medprompt_cli.cohort.case import describe_failure
from medprompt_cli.cohort.instruction_answers import answer_image
from medprompt_cli.cohort.instruction_plans import (
    Understood,
    digest,
    plans_text,
    understand_all,
)
from medprompt_cli.cohort.outcome import Failure
from medprompt_cli.cohort.records import basis_of
from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.errors import DeviceError, OutputError, UsageError, WeightsError
from medprompt_cli.evaluation.instructions.outcomes import Outcome
from medprompt_cli.evaluation.instructions.scores import InstructionScore, scores_of
from medprompt_cli.evaluation.instructions.tables import markdown, write_parquet
from medprompt_cli.execution.segment import Segments
from medprompt_cli.planning.prompt_model import PromptModel

ANSWERS = "answers"
"""Folder of what is known of each image."""

PLANS, TABLE, PAGE = "plans.jsonl", "instructions.parquet", "instructions.md"


@dataclass(frozen=True)
class Models:
    """What answers.

    Attributes:
        segmenter: Loads the network that sees, when the first image comes.
        reader: Loads the network that reads, when the first sentence comes.
    """

    segmenter: Callable[[], Segments]
    reader: Callable[[], PromptModel]


@dataclass(frozen=True)
class Evaluated:
    """How an instruction set was answered.

    Attributes:
        outcomes: Of every pair whose image could be looked at, in the order of the set.
        failures: By case, why its pairs are not judged.
        kept: Cases whose answers were there from an earlier run.
        scores: Of the outcomes.
        heading: With which weights, of how much.
    """

    outcomes: tuple[Outcome, ...]
    failures: Mapping[str, Failure]
    kept: tuple[str, ...]
    scores: tuple[InstructionScore, ...]
    heading: str

    @property
    def page(self) -> str:
        """What people read: the heading, the tables, and what failed."""
        failed = [
            f"- {case} was not judged: {failure.problem}"
            for case, failure in self.failures.items()
        ]
        parts = [self.heading, markdown(self.scores, self.outcomes), "\n".join(failed)]
        return "\n\n".join(part.strip() for part in parts if part) + "\n"


def evaluate_instructions(
    root: Path,
    models: Models,
    out: Path | None = None,
    report: Callable[[str, str], None] | None = None,
) -> Evaluated:
    """Answer every instruction of a set, and score the answers.

    Args:
        root: The instruction set.
        models: What answers.
        out: Where answers, plans and tables go; None to keep nothing. Answers that are
            there, of the same pairs, programs and weights, are not worked out again.
        report: Called with the name of each image, and what became of it.

    Raises:
        InputError: If there is no instruction set, or it is damaged.
        UsageError: If `out` is the set itself.
        WeightsError, DeviceError: If there is nothing to answer with.
        OutputError: If something cannot be written.
    """
    if out is not None and out.resolve() == root.resolve():
        raise UsageError(
            f"The results of {root} would lie among its pairs.",
            remedy="Give another folder with -o.",
        )
    pairs = read_pairs(root)
    plans = understand_all((pair.instruction for pair in pairs), models.reader)
    if out is not None:
        write_file(out / PLANS, plans_text(plans).encode())
    runner = _Runner(root, plans, models.segmenter(), out)
    by_case: dict[tuple[str, tuple[str, ...]], list[Instruction]] = {}
    for pair in pairs:
        by_case.setdefault((pair.case, pair.images), []).append(pair)
    for (case, _), mine in by_case.items():
        became = runner.run(case, mine)
        if report is not None:
            report(case, became)
    evaluated = runner.evaluated(pairs, len(by_case))
    if out is not None:
        write_parquet(evaluated.scores, out / TABLE)
        write_file(out / PAGE, evaluated.page.encode())
    return evaluated


class _Runner:
    """Answers image after image."""

    def __init__(
        self,
        root: Path,
        plans: Mapping[str, Understood],
        segmenter: Segments,
        out: Path | None,
    ) -> None:
        self.root, self.plans, self.segmenter, self.out = root, plans, segmenter, out
        self.found: dict[str, Outcome] = {}
        self.failures: dict[str, Failure] = {}
        self.kept: list[str] = []

    def run(self, case: str, pairs: Sequence[Instruction]) -> str:
        """Answer the instructions about one image, unless that was done before.

        Returns:
            What became of it, in a word.

        Raises:
            DeviceError, WeightsError, OutputError: As the next image would meet it too.
        """
        basis = self._basis(pairs)
        outcomes = self._earlier(case, basis, pairs)
        if outcomes is not None:
            self.kept.append(case)
            self._take(outcomes)
            return "already there"
        try:
            outcomes = answer_image(self.root, pairs, self.plans, self.segmenter)
        except (DeviceError, WeightsError, OutputError):
            raise
        except Exception as error:  # noqa: BLE001 - the set outlives any one image
            self.failures[case] = self._failure(case, error)
            return "failed"
        self._keep(case, basis, outcomes)
        self._take(outcomes)
        return "done"

    def evaluated(self, pairs: Sequence[Instruction], images: int) -> Evaluated:
        """Everything together, in the order of the set."""
        outcomes = tuple(self.found[p.pair_id] for p in pairs if p.pair_id in self.found)
        return Evaluated(
            outcomes,
            dict(self.failures),
            tuple(self.kept),
            tuple(scores_of(outcomes)),
            self._heading(pairs, images),
        )

    def _heading(self, pairs: Sequence[Instruction], images: int) -> str:
        people = len({pair.participant_id for pair in pairs})
        weights = f"{self.segmenter.weights_name} {self.segmenter.weights_version}"
        failed = f" ({len(self.failures)} not judged)" if self.failures else ""
        return (
            f"Weights {weights} ({self.segmenter.weights_sha256[:12]}…), medprompt"
            f" {__version__}. Pairs: {len(pairs)}; wordings: {len(self.plans)}; images:"
            f" {images}{failed}; participants: {people}. 95 % bootstrap intervals over"
            " participants."
        )

    def _take(self, outcomes: Sequence[Outcome]) -> None:
        self.found |= {one.pair.pair_id: one for one in outcomes}

    def _failure(self, case: str, error: Exception) -> Failure:
        failure = describe_failure(self.root, error)
        if failure.code == "internal" and self.out is not None:
            trace = "".join(traceback.format_exception(error))
            write_file(self._path(case).with_suffix(".error.txt"), trace.encode())
        return failure

    def _basis(self, pairs: Sequence[Instruction]) -> str:
        """What the answers depend on: if any of it changes, they are worked out again."""
        programs = [self.plans[pair.instruction] for pair in pairs]
        files = [
            *source_paths(self.root, pairs[0].images),
            *(self.root / pair.mask for pair in pairs if pair.mask),
        ]
        on_disk = basis_of(list(dict.fromkeys(files)), "", self.segmenter.weights_sha256)
        plans = json.dumps([plan.as_json() for plan in programs])
        return digest(pairs_text(pairs), plans, json.dumps(vars(on_disk)), __version__)

    def _path(self, case: str) -> Path:
        if self.out is None:
            raise ValueError(case)
        return self.out / ANSWERS / f"{case}.json"

    def _keep(self, case: str, basis: str, outcomes: Sequence[Outcome]) -> None:
        if self.out is not None:
            content = {"basis": basis, "answers": [_as_json(one) for one in outcomes]}
            write_file(self._path(case), to_json(content).encode())

    def _earlier(
        self, case: str, basis: str, pairs: Sequence[Instruction]
    ) -> list[Outcome] | None:
        """The answers of an earlier run; None if there are none of the same."""
        if self.out is None:
            return None
        try:
            content = json.loads(self._path(case).read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(content, dict) or content.get("basis") != basis:
            return None
        known = {pair.pair_id: pair for pair in pairs}
        return [_of_json(known, one) for one in content["answers"]]


def _as_json(one: Outcome) -> dict[str, Any]:
    return {
        "pair_id": one.pair.pair_id,
        "status": one.status,
        "reason": one.reason,
        "true_ml": one.true_ml,
        "predicted_ml": one.predicted_ml,
        "shared_ml": one.shared_ml,
    }


def _of_json(known: Mapping[str, Instruction], content: Mapping[str, Any]) -> Outcome:
    values = {key: value for key, value in content.items() if key != "pair_id"}
    return Outcome(known[content["pair_id"]], **values)
