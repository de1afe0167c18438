"""What became of each case, and of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medprompt_cli.cohort.memory import Allowance
from medprompt_cli.errors import MedpromptError

if TYPE_CHECKING:
    import pandas

OutcomeStatus = Literal["done", "kept", "failed"]

NETWORK_STAGES = ("coarse", "fine", "poses", "retries")
"""Stages of a case in which the device computes."""

TABLE_COLUMNS = ("name", "source", "target", "status", "presence", "volume_ml")


@dataclass(frozen=True)
class Failure:
    """Why an image has no result.

    Attributes:
        code: Stable reason code in kebab-case, e.g. `truncated`.
        problem: What is wrong, one sentence.
        remedy: What to do, one imperative sentence.
        of_input: Whether the image itself cannot be used.
    """

    code: str
    problem: str
    remedy: str
    of_input: bool = False

    def as_json(self) -> dict[str, str]:
        """The fields as records and summaries word them."""
        return {"code": self.code, "problem": self.problem, "remedy": self.remedy}


def edited_failure(path: Path | str) -> Failure:
    """Why a result is not made again: it would overwrite what somebody changed."""
    return Failure(
        "edited",
        f"{path} was changed after medprompt wrote it, and is not overwritten.",
        "Move it away to keep it, or overwrite it with --force.",
    )


@dataclass(frozen=True)
class Outcome:
    """What became of one case: an image, or several that are read together.

    Attributes:
        name: Its name in the run, or its path where it has none.
        source: Its file or folder; of several images the first, on whose grid results lie.
        status: done now, kept from an earlier run, or failed.
        outputs: The files that hold its result, sidecars included.
        targets: By target: status, presence and volume, as in the sidecars.
        failure: Why it failed; None if it did not.
        seconds: What its stages took, together; 0 if it was not worked on.
        stages: What each took, by its name in the record.
        replaced: What its earlier files answered, if they were replaced; None otherwise.
        edited: Files of a kept result that somebody changed after they were written.
        ends_run: An error that the next case would meet as well; None if there is none.
        partners: The images that are read together with the first.
        values: What a program read: statement, value, unit and status, as in the record.
    """

    name: str
    source: Path
    status: OutcomeStatus
    outputs: tuple[Path, ...] = ()
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failure: Failure | None = None
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    replaced: str | None = None
    edited: tuple[Path, ...] = ()
    ends_run: MedpromptError | None = None
    partners: tuple[Path, ...] = ()
    values: Sequence[Mapping[str, Any]] = ()

    @property
    def masks(self) -> tuple[Path, ...]:
        """Its images, without the sidecars."""
        return tuple(path for path in self.outputs if path.name.endswith(".nii.gz"))


@dataclass(frozen=True)
class Summary:
    """What became of a run.

    Attributes:
        outcomes: One for every image that was reached and every one that cannot be used.
        planned: How many images there are.
        stopped: What ended the run before its end; None if nothing did.
        mixed: By what they answer: how many images, left out of this run by a filter, have
            results of other prompts or weights in the output folder.
        left: Names of cases that have results in the output folder and whose images are not
            among those of this run, which was of all.
        share: Which part of the cohort was done, in words; None if all of it was.
        unused_words: Words of the prompts that had no part in what was done.
        memory: What images might take at a time; None if none was worked on.
        wall_s: From the first image that was read to the last that was written.
    """

    outcomes: tuple[Outcome, ...]
    planned: int
    stopped: BaseException | None = None
    mixed: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    share: str | None = None
    unused_words: tuple[str, ...] = ()
    memory: Allowance | None = None
    wall_s: float = 0.0

    @property
    def device_busy(self) -> float | None:
        """Share of the wall time in which the device computed; None if nothing was done."""
        stages = [outcome.stages for outcome in self.outcomes]
        computed = sum(seconds.get(name, 0.0) for seconds in stages for name in NETWORK_STAGES)
        return computed / self.wall_s if self.wall_s and any(stages) else None

    def having(self, status: OutcomeStatus) -> tuple[Outcome, ...]:
        """The outcomes with a status."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == status)

    @property
    def replaced(self) -> Counter[str]:
        """By what they answered: how many images had earlier results that were replaced."""
        answers = (outcome.replaced for outcome in self.outcomes)
        return Counter(answer for answer in answers if answer is not None)

    @property
    def unanswered(self) -> dict[str, Counter[str]]:
        """By status other than measured: in how many images each target has it."""
        counts: dict[str, Counter[str]] = {}
        for outcome in self.outcomes:
            for target, result in outcome.targets.items():
                if result["Status"] != "measured":
                    counts.setdefault(result["Status"], Counter())[target] += 1
        return counts

    def table(self) -> pandas.DataFrame:
        """One row for each image and target, for notebooks.

        Columns: name, source, target, status, presence, volume_ml. An image that failed
        has one row without a target and the status `error`. What was not measured is NA.
        """
        import pandas  # half a second to load, and only notebooks want it

        rows = [row for outcome in self.outcomes for row in _rows(outcome)]
        table = pandas.DataFrame(rows, columns=list(TABLE_COLUMNS))
        return table.astype({"presence": "Float64", "volume_ml": "Float64"})

    @property
    def exit_code(self) -> int:
        """0 all done; 65 no image could be used; 1 at least one failed.

        Of a run that was stopped, what stopped it says the code.
        """
        failed = self.having("failed")
        if not failed:
            return 0
        all_unusable = all(o.failure and o.failure.of_input for o in failed)
        return 65 if all_unusable and len(failed) == len(self.outcomes) else 1


def _rows(outcome: Outcome) -> list[tuple[object, ...]]:
    image = (outcome.name, str(outcome.source))
    if outcome.failure:
        return [(*image, None, "error", None, None)]
    return [
        (*image, target, result["Status"], result["Presence"], result["VolumeMl"])
        for target, result in outcome.targets.items()
    ]
