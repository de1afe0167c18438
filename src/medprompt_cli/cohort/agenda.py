"""What a run is to do, written down before it begins, so that others can tell how far it is.

`OUT/logs/agenda/HASH.json` lists the cases and what was refused. Its name is a hash of its
content: the jobs of an array, which see the same images, write the same file with the same
bytes, and those of other choices write files of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.json_files import LOGS, to_json

FOLDER = "agenda"
SCHEMA = 1


@dataclass(frozen=True)
class Agenda:
    """What a run is to do.

    Attributes:
        plan: Hash of what is asked for.
        weights: SHA-256 of the weights.
        prompts: The person's words.
        kinds: Which scans were chosen, or are read together, in words; none means every one.
        whole: Whether it covers every subject and session.
        root: Folder that paths start from.
        cases: The images of every case, by its name.
        refused: Images and sessions that make no case: path, code, problem and remedy.
    """

    plan: str
    weights: str
    prompts: tuple[str, ...]
    kinds: tuple[str, ...]
    whole: bool
    root: str
    cases: Mapping[str, Sequence[str]]
    refused: Sequence[Mapping[str, str]] = field(default=())

    @property
    def ask(self) -> tuple[object, ...]:
        """What has to agree for two agendas to be parts of one."""
        return self.plan, self.weights, self.kinds, self.root


def write_agenda(out: Path, agenda: Agenda) -> None:
    """Write an agenda, also if it is there: the one written last counts.

    Raises:
        OutputError: If it cannot be written.
    """
    content = to_json({"schema": SCHEMA, **asdict(agenda)}).encode()
    name = hashlib.sha256(content).hexdigest()[:16]
    path = out / LOGS / FOLDER / f"{name}.json"
    earlier = [when for when, other, _ in _found(out) if other != path.name]
    write_file(path, content)
    _make_last(path, max(earlier, default=0))


def _make_last(path: Path, latest: int) -> None:
    """Give a file a later time than `latest`, though the clock may have been set back."""
    try:
        if path.stat().st_mtime_ns <= latest:
            os.utime(path, ns=(latest + 1_000_000, latest + 1_000_000))
    except OSError:
        return  # another run has replaced it just now


def read_agendas(out: Path) -> Iterator[Agenda]:
    """The agendas of an output folder, the one written last first; damaged ones left out."""
    for _, _, path in sorted(_found(out), reverse=True):
        agenda = _read(path)
        if agenda is not None:
            yield agenda


def _found(out: Path) -> list[tuple[int, str, Path]]:
    """When each agenda was written, in nanoseconds, its name and path."""
    found = []
    for path in (out / LOGS / FOLDER).glob("*.json"):
        try:
            found.append((path.stat().st_mtime_ns, path.name, path))
        except OSError:
            continue
    return found


def _read(path: Path) -> Agenda | None:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        if content.pop("schema") != SCHEMA:
            return None
        content["prompts"] = tuple(content["prompts"])
        content["kinds"] = tuple(content["kinds"])
        return Agenda(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def current_agenda(out: Path) -> Agenda | None:
    """What is to be done in an output folder as a whole; None if no run has begun there.

    The last agenda; if that is of some subjects or sessions only, together with the earlier
    ones that ask the same, back to the last that covers all. A newer one says more.
    """
    first: Agenda | None = None
    cases: dict[str, Sequence[str]] = {}
    refused: dict[str, Mapping[str, str]] = {}
    settled: set[str] = set()
    for agenda in read_agendas(out):
        first = first or agenda
        if agenda.ask != first.ask:
            continue
        for name, images in agenda.cases.items():
            cases.setdefault(name, images)
        for refusal in agenda.refused:
            if refusal["path"] not in settled:
                refused.setdefault(refusal["path"], refusal)
        settled.update(path for images in agenda.cases.values() for path in images)
        if agenda.whole:
            break
    if first is None:
        return None
    return replace(first, cases=cases, refused=tuple(refused.values()))


def below(path: Path, root: Path) -> str:
    """A path as an agenda has it: from `root` if it lies below, or else absolute."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - links stay links
    inside = os.path.relpath(absolute, root)
    return absolute if inside.partition(os.sep)[0] == os.pardir else inside
