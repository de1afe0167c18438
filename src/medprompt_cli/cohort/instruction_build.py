"""From a folder of images with masks to an instruction set: pairs, masks, and an account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from medprompt_cli.bids.atomic import commit, write_file
from medprompt_cli.bids.instruction_set import (
    PAIRS,
    SCHEMA,
    mask_path,
    pairs_text,
    schema_text,
)
from medprompt_cli.bids.label_image import grid_header, stage_label_image
from medprompt_cli.cohort.instruction_card import write_account
from medprompt_cli.cohort.instruction_job import BuildJob, Built
from medprompt_cli.cohort.instruction_reading import known_of, read_masks
from medprompt_cli.cohort.instruction_sources import Links, MaskedImage, find_masked_images
from medprompt_cli.cohort.output_folder import check_output_folder
from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.measurement.instances import find_instances
from medprompt_cli.synthesis.instructions.balance import balance
from medprompt_cli.synthesis.instructions.known import Dropped, Gate, KnownImage
from medprompt_cli.synthesis.instructions.questions import Question, questions
from medprompt_cli.synthesis.instructions.wording import answer_of, instruction_of
from medprompt_cli.synthesis.lesion_heads import is_bank
from medprompt_cli.synthesis.lesion_heads_files import write_heads

HEADS = "heads"
"""Folder of the heads that were painted for a set, inside it."""

DIGITS = 6
"""Of a volume in mL: a thousandth of a mm3."""


def build_instructions(job: BuildJob, report: Callable[[str], None] | None = None) -> Built:
    """Build an instruction set. The same folder and seed give the same bytes.

    Args:
        job: What to build.
        report: Called with the name of every image that is looked at.

    Raises:
        UsageError: If the output folder is not empty, or lies in the source.
        InputError: If there are no masks, or no pair comes of them.
        OutputError: If something cannot be written.
    """
    check_output_folder(job.out, job.source, is_bids=True)
    _check_is_free(job.out)
    found, dropped = find_masked_images(_folder(job))
    links = Links(job.out)
    known: dict[str, KnownImage] = {}
    for image in found:
        if report is not None:
            report(image.name)
        try:
            known[image.name], gone = known_of(image, read_masks(image), job.certain, links.uri)
        except InputError as error:
            gate: Gate = "grid-mismatch" if error.code == "grid-mismatch" else "unreadable"
            gone = [Dropped(image.name, "image", "", None, gate, str(error))]
        dropped += gone
    asked = _asked(job, list(known.values()), dropped)
    pairs = [pair for one in asked for pair in _pairs(job, one, known[one.case], found)]
    for image in found:
        _write_masks(job.out, image, [one for one in asked if one.case == image.name])
    built = Built(len(found), tuple(pairs), tuple(dropped))
    write_account(job, built, links)
    write_file(job.out / SCHEMA, schema_text().encode())
    write_file(job.out / PAIRS, pairs_text(pairs).encode())
    return built


def _folder(job: BuildJob) -> Path:
    """The folder of images and masks; that of heads that are painted from a bank."""
    if not job.source.is_file() or not is_bank(job.source):
        return job.source
    write_heads(job.out / HEADS, job.source, job.heads, job.seed)
    return job.out / HEADS


def _check_is_free(out: Path) -> None:
    held = min(out.iterdir(), default=None) if out.is_dir() else None
    if held is not None:
        raise UsageError(
            f"{out} is not empty: it holds {held.name}.",
            remedy="Give a folder that is new or empty.",
        )


def _asked(
    job: BuildJob, known: Sequence[KnownImage], dropped: list[Dropped]
) -> list[Question]:
    """The questions that are put; what is not goes to `dropped`."""
    found: list[Question] = []
    for image in known:
        for one in questions(image, job.least):
            if isinstance(one, Question):
                found.append(one)
            else:
                dropped.append(one)
    there = sum(one.present for one in found)
    if not found or (job.balanced and there in {0, len(found)}):
        raise _no_pairs(job, there, len(found), dropped)
    if not job.balanced:
        return found
    kept, surplus = balance(found, job.seed)
    dropped += [Dropped(q.case, q.form, q.target, q.place, "surplus") for q in surplus]
    return kept


def _no_pairs(
    job: BuildJob, there: int, questions: int, dropped: Sequence[Dropped]
) -> InputError:
    """Why a folder gives no pairs, with what the gates kept out."""
    counted = Counter(one.gate for one in dropped)
    gates = ", ".join(f"{gate} {n}" for gate, n in counted.most_common()) or "nothing left out"
    if not questions:
        return InputError(
            f"{job.source} gives no pairs ({gates}).",
            remedy="Give masks of lesions, named as BIDS derivatives are.",
            code="no-pairs",
        )
    said = "nothing is known to be absent" if there else "no lesion is known to be there"
    return InputError(
        f"{job.source} gives no balanced pairs: {said} ({gates}).",
        remedy="Add empty masks of what is not there, or label maps that say where things are;"
        " or take what there is with --unbalanced.",
        code="no-pairs",
    )


def _pairs(
    job: BuildJob, asked: Question, image: KnownImage, found: Sequence[MaskedImage]
) -> Iterator[Instruction]:
    """A question in every language."""
    entry = next(one.entry for one in found if one.name == image.case)
    truth = next(lesion.truth for lesion in image.lesions if lesion.name == asked.target)
    mask = str(mask_path(entry, asked.target, asked.place)) if asked.present else None
    for language in job.languages:
        yield Instruction(
            pair_id=f"{asked.key}:{language}",
            type=asked.form if asked.present else "absence",
            form=asked.form,
            language=language,
            instruction=instruction_of(asked, language, job.seed),
            answer=answer_of(asked, language),
            asked=asked.asked,
            target=asked.target,
            place=asked.place,
            participant_id=image.participant_id,
            session_id=image.session_id,
            case=image.case,
            images=image.images,
            truth=truth,
            pieces=len(asked.pieces),
            volume_ml=round(asked.volume_ml, DIGITS),
            mask=mask,
        )


def _write_masks(out: Path, image: MaskedImage, asked: Sequence[Question]) -> None:
    """Write the targets of an image's questions, each once."""
    there = [one for one in asked if one.present]
    if not there:
        return
    read = read_masks(image)
    header, _ = grid_header(image.images[0].path, read.geometry, np.dtype(np.uint8))
    pieces: dict[str, np.ndarray] = {}
    written: set[PurePosixPath] = set()
    for one in there:
        path = mask_path(image.entry, one.target, one.place)
        if path in written:
            continue
        if one.target not in pieces:
            pieces[one.target] = find_instances(read.drawn[one.target].mask).voxels
        voxels = np.isin(pieces[one.target], one.pieces)
        commit(stage_label_image(out / path, voxels, header))
        written.add(path)
