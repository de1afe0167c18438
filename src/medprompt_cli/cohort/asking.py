"""A dialogue about one subject: its images, the loop, and what is kept of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medprompt_cli.bids.atomic import commit, discard, write_file
from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.derivatives import (
    Provenance,
    Regions,
    source_uri,
    stage_regions,
    write_dataset_files,
)
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.cohort.output_folder import check_output_folder, check_writable
from medprompt_cli.cohort.subject import case_of, kinds_of
from medprompt_cli.domain.volume import Mask
from medprompt_cli.errors import InputError
from medprompt_cli.execution.dialogue import Speaks, Transcript, Turn, hold
from medprompt_cli.execution.interpreter import Interpreter
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.operations import Operations
from medprompt_cli.execution.segment import CaseResult, Segments
from medprompt_cli.language.chat import Endpoint
from medprompt_cli.planning.compile import compile_prompt
from medprompt_cli.planning.endpoint import EndpointSpeaker
from medprompt_cli.planning.plan_file import VOCABULARY_SHA256
from medprompt_cli.planning.prompt_model import load_prompt_model
from medprompt_cli.planning.speaking import Speaker


@dataclass(frozen=True)
class AskOptions:
    """How to ask.

    Attributes:
        out: Folder for the transcript and the masks; made if it is not there.
        participant: The subject, where there are several; with or without `sub-`.
        model: File of weights that read prompts; None for those of the package.
        weights: Name or file of the weights that see; None for those of the package.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        agent_endpoint: Address of a language model that leads; None for our network.
        agent_model: The name its server knows it by.
    """

    out: Path = Path("medprompt-ask")
    participant: str | None = None
    model: Path | None = None
    weights: str | Path | None = None
    device: str = "auto"
    agent_endpoint: str | None = None
    agent_model: str = "default"


def ask(
    case: str | os.PathLike[str],
    question: str,
    options: AskOptions | None = None,
    on_turn: Callable[[Turn], None] = lambda _: None,
) -> Asked:
    """Answer a question about one subject, looking at its scans step by step.

    Args:
        case: Scans of one subject: a folder, an image, or a dataset with `participant`.
        question: In English or Korean.
        options: How.
        on_turn: Called after every statement.

    Returns:
        The dialogue, and where it was written.

    Raises:
        InputError: If the question is refused or can mean several things, or there is not
            exactly one subject with an image.
        UsageError: If results may not go to `out`, or the endpoint does not answer.
        WeightsError: If weights cannot be had.
        OutputError: If nothing can be written to `out`.
    """
    from medprompt_cli.segmentation.segmenter import Segmenter

    options = options or AskOptions()
    subjects = [options.participant] if options.participant else None
    dataset = open_dataset(Path(case), subjects=subjects)
    whole = dataset.root if dataset.kind in {"bids", "folder"} else Path(case)
    check_output_folder(options.out, whole, is_bids=dataset.kind == "bids")
    if not dataset.images:
        raise InputError(
            f"{case} holds no image{f' of {options.participant}' if subjects else ''}.",
            remedy=f"See what is there with: medprompt check {case}",
            code="no-images",
        )
    kinds = kinds_of(case_of(dataset.images))
    speaker, writer = _speaker(question, kinds, options)
    segmenter = Segmenter(device=options.device, weights=options.weights)
    asking = Asking(
        question, dataset.images, dataset.root, options.out, speaker, segmenter, writer
    )
    return asking.run(on_turn)


def _speaker(
    question: str, kinds: Mapping[str, Sequence[str]], options: AskOptions
) -> tuple[Speaks, str]:
    if options.agent_endpoint:
        endpoint = Endpoint(options.agent_endpoint, options.agent_model)
        return EndpointSpeaker(question, kinds, endpoint), f"endpoint {options.agent_model}"
    model = load_prompt_model(options.model)
    compiled = compile_prompt(question, model)
    if compiled.status != "ok":
        meant = ", ".join(compiled.suggestions)
        raise InputError(
            f"{question!r} is {compiled.status}: {compiled.explanation}",
            remedy=f"Did you mean {meant}?" if meant else "Say what region, and what of it.",
            code=f"prompt-{compiled.reason}",
        )
    return Speaker.about(question, model), f"prompt network {model.sha256[:12]}"


TRANSCRIPT = "ask"
"""Ending of the files that hold a dialogue: `sub-01_ask.json`, `sub-01_ask.md`."""


UNJUDGED = (
    "Whether a change is more than the noise of the method is not judged here; medprompt"
    " longitudinal gives its interval and the limit of repeatability."
)


@dataclass(frozen=True)
class Asked:
    """A dialogue and where it was written.

    Attributes:
        transcript: What was said.
        files: The transcript as JSON and as Markdown, then the masks.
    """

    transcript: Transcript
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Asking:
    """One question about one subject.

    Attributes:
        prompt: The person's words.
        entries: The subject's scans.
        root: Folder that BIDS URIs start from.
        out: Where transcript and masks go; already checked.
        speaker: Who writes the statements.
        segmenter: The network that sees.
        writer: What wrote the statements, for the transcript.
    """

    prompt: str
    entries: Sequence[ImageEntry]
    root: Path
    out: Path
    speaker: Speaks
    segmenter: Segments
    writer: str

    def run(self, on_turn: Callable[[Turn], None] = lambda _: None) -> Asked:
        """Hold the dialogue, and write down what was said and what was marked.

        Raises:
            OutputError: If nothing can be written.
        """
        check_writable(self.out)
        case = case_of(self.entries)
        looker = Looker(self.segmenter)
        operations = Operations(case, looker)
        images = {
            str(visit): [i.source for i in case.images if i.visit == visit]
            for visit in case.visits
        }
        transcript = Transcript(self.prompt, case.name, images, self._provenance())
        hold(self.speaker, Interpreter(case, operations.table()), transcript, on_turn=on_turn)
        transcript.notes = list(dict.fromkeys(_notes(looker.passes)))
        if any(_is_change(turn) for turn in transcript.turns):
            transcript.notes.append(UNJUDGED)
        masks = self._write_masks(transcript)
        return Asked(transcript, (*self._write_transcript(transcript), *masks))

    def _provenance(self) -> dict[str, object]:
        return {
            "writer": self.writer,
            "vocabulary_sha256": VOCABULARY_SHA256,
            "weights": self._weights(),
            "device": self.segmenter.device_name,
        }

    def _weights(self) -> dict[str, str]:
        return {
            "Name": self.segmenter.weights_name,
            "Version": self.segmenter.weights_version,
            "SHA256": self.segmenter.weights_sha256,
        }

    def _write_transcript(self, transcript: Transcript) -> tuple[Path, Path]:
        stem = self.out / f"{transcript.case}_{TRANSCRIPT}"
        number = 1
        while stem.with_suffix(".json").exists():
            number += 1
            stem = self.out / f"{transcript.case}_{TRANSCRIPT}-{number}"
        data, page = stem.with_suffix(".json"), stem.with_suffix(".md")
        write_file(data, to_json(transcript.as_json()).encode())
        write_file(page, transcript.as_markdown().encode())
        return data, page

    def _write_masks(self, transcript: Transcript) -> list[Path]:
        """Every saved mask on the grid of the image it was seen on."""
        link = write_dataset_files(self.out, self.root)
        by_path = {str(entry.path): entry for entry in self.entries}
        written: list[Path] = []
        for name, region in transcript.saved:
            if region.voxels is None:
                continue
            entry = by_path[region.images[0].source]
            mask = Mask(name, region.voxels, region.geometry)
            uris = tuple(
                source_uri(Path(image.source), self.root, link) for image in region.images
            )
            results = {name: {"Status": region.status, "Presence": region.presence}}
            said = "\n".join(turn.statement for turn in transcript.turns)
            statements = hashlib.sha256(said.encode()).hexdigest()
            provenance = Provenance(uris, (self.prompt,), statements, self._weights())
            regions = Regions(None, (mask,), results)
            staged = stage_regions(self.out, entry, regions, provenance)
            try:
                for file in staged:
                    commit(file)
                    written += [file.final] if file.final.suffix == ".gz" else []
            finally:
                discard(staged)
        return written


def _is_change(turn: Turn) -> bool:
    return any(f"{name}(" in turn.statement for name in ("change", "percent_change"))


def _notes(passes: Iterable[CaseResult]) -> Iterator[str]:
    """What the network said beside its masks; how large an absent lesion would have to be."""
    for found in passes:
        yield from found.notes
        for result in found.results:
            if result.status == "absent" and result.limit_ml is not None:
                yield (
                    f"A {result.name.replace('-', ' ')} of less than {result.limit_ml:.3g} mL"
                    " may be there and not be seen."
                )
