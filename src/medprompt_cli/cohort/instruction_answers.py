"""What a model makes of every instruction about one image: one pass, then the programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.image_folder import named_entry
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.mask_files import source_paths
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.cohort.instruction_plans import Understood
from medprompt_cli.cohort.subject import images_of
from medprompt_cli.domain.anatomy import BASE_NAMES
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.domain.volume import Volume, check_one_grid
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.evaluation.instructions.outcomes import Outcome, Status
from medprompt_cli.execution.program import ProgramResult, implied_targets, run_program
from medprompt_cli.execution.segment import Segmented, Segments, Target, TargetResult
from medprompt_cli.execution.values import Image
from medprompt_cli.measurement.place import to_ml
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.tree import Program
from medprompt_cli.planning.vocabulary import resolve

_NO_ANSWER: Mapping[str, Status] = {"not_visible": "not_visible"}


@dataclass
class OnePass:
    """A segmenter that looks at images once, for everything that will be asked of them.

    Attributes:
        segmenter: The network.
        targets: What will be asked.
    """

    segmenter: Segments
    targets: Sequence[Target]
    _found: dict[tuple[int, ...], Segmented] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.weights_name = self.segmenter.weights_name
        self.weights_version = self.segmenter.weights_version
        self.weights_sha256 = self.segmenter.weights_sha256
        self.device_name = self.segmenter.device_name

    def segment(
        self, volumes: Volume | Sequence[Volume], targets: Sequence[Target], /
    ) -> Segmented:
        """What the one pass found; another is run for targets that were not foreseen."""
        streams = (volumes,) if isinstance(volumes, Volume) else tuple(volumes)
        if not {target.name for target in targets} <= {target.name for target in self.targets}:
            return self.segmenter.segment(volumes, targets)
        key = tuple(id(volume) for volume in streams)
        if key not in self._found:
            self._found[key] = self.segmenter.segment(volumes, self.targets)
        return self._found[key]


def answer_image(
    root: Path,
    pairs: Sequence[Instruction],
    plans: Mapping[str, Understood],
    segmenter: Segments,
) -> list[Outcome]:
    """Answer every instruction about one image, and hold each against its mask.

    Args:
        root: The instruction set.
        pairs: All about the same images.
        plans: What their words mean.
        segmenter: The network.

    Raises:
        InputError: If an image or a mask cannot be read or lies on another grid.
    """
    images = _read_images(root, pairs[0])
    grid = images[0].read().geometry
    programs = {plan.text: plan.program for plan in plans.values() if plan.program}
    wanted = {plans[pair.instruction].text for pair in pairs} - {""}
    asked = {text: programs[text] for text in sorted(wanted)}
    once = OnePass(segmenter, _targets(asked.values()))
    answers: dict[str, _Answer] = {}
    truths: dict[str | None, np.ndarray | None] = {None: None}
    found = []
    for pair in pairs:
        plan = plans[pair.instruction]
        if plan.program is not None and plan.text not in answers:
            answers[plan.text] = _answer(plan.program, images, once)
        if pair.mask not in truths:
            truths[pair.mask] = _truth(root / str(pair.mask), grid)
        answer = answers.get(plan.text) or _Answer(None, plan.status, plan.reason)
        found.append(_outcome(pair, answer, truths[pair.mask], grid))
    return found


@dataclass(frozen=True, eq=False)
class _Answer:
    """The voxels, (I, J, K) bool, that a program marks; None where none is marked.

    Without the status `answered` that none is marked means nothing.
    """

    voxels: np.ndarray | None
    status: Status = "answered"
    reason: str = ""


def _read_images(root: Path, pair: Instruction) -> tuple[Image, ...]:
    paths = source_paths(root, pair.images)
    entries = [_entry(path, pair) for path in paths]
    volumes = [read_image(entry.path, modality=entry.modality) for entry in entries]
    check_one_grid(volumes)
    return images_of(entries, volumes)


def _entry(path: Path, pair: Instruction) -> ImageEntry:
    entities = {"sub": pair.participant_id.removeprefix("sub-")}
    unnamed = ImageEntry(path, pair.participant_id, pair.session_id, None, entities)
    return named_entry(path) or unnamed


def _targets(programs: Iterable[Program]) -> tuple[Target, ...]:
    """Everything that some programs look at, and every base structure as their context."""
    names = [
        name
        for program in programs
        for name in (*check(program).targets, *implied_targets(program))
    ]
    every = resolve(list(dict.fromkeys((*names, *BASE_NAMES))))
    return tuple(target for target in every if target.visible)


def _answer(program: Program, images: tuple[Image, ...], segmenter: Segments) -> _Answer:
    try:
        result = run_program(program, images, segmenter)
    except InputError as error:
        if error.code != "missing-scan":
            raise
        return _Answer(None, "not_runnable", str(error))
    except UsageError as error:
        return _Answer(None, "not_runnable", str(error))
    saved = result.case.results
    if not saved:
        return _Answer(None, "no_answer", "The program saves no mask.")
    for one in saved:
        if (why := _unanswered(one)) is not None:
            return why
    return _Answer(_union(result))


def _unanswered(one: TargetResult) -> _Answer | None:
    """Why a saved region is no answer; None if it is one."""
    if one.has_voxels or one.status == "absent":
        return None
    status = _NO_ANSWER.get(one.status, "no_answer")
    return _Answer(None, status, f"{one.name}: {one.status}")


def _union(result: ProgramResult) -> np.ndarray | None:
    """All voxels of all masks that were saved; None if there is none."""
    case = result.case
    parts = [mask.voxels for mask in case.masks]
    parts += [labels.voxels > 0 for labels in (case.labels, case.parcels) if labels is not None]
    return np.any(parts, axis=0) if parts else None


def _truth(path: Path, grid: Geometry) -> np.ndarray:
    labels = read_labels(path)
    if not labels.geometry.matches(grid):
        raise InputError(
            f"{path} does not lie on the grid of its image.",
            remedy="Make the instruction set again with medprompt dataset build.",
            code="grid-mismatch",
        )
    return labels.voxels > 0


def _outcome(
    pair: Instruction, answer: _Answer, truth: np.ndarray | None, grid: Geometry
) -> Outcome:
    true_ml = 0.0 if truth is None else to_ml(int(np.count_nonzero(truth)), grid)
    if answer.status != "answered":
        return Outcome(pair, answer.status, answer.reason, true_ml)
    if answer.voxels is None:
        return Outcome(pair, "answered", "", true_ml, 0.0, 0.0)
    shared = 0 if truth is None else int(np.count_nonzero(truth & answer.voxels))
    predicted = int(np.count_nonzero(answer.voxels))
    return Outcome(pair, "answered", "", true_ml, to_ml(predicted, grid), to_ml(shared, grid))
