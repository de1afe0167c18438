"""What the benchmarks share: the page they write to, what they name, the segmenter."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.evaluation.cases import Judged
from medprompt_cli.planning.vocabulary import resolve

if TYPE_CHECKING:
    from medprompt_cli.segmentation.segmenter import Segmentation, Segmenter

HERE = Path(__file__).resolve().parent
README = HERE.parents[1] / "README.md"
MANIFEST = HERE / "accuracy.tsv"

Labeller = Callable[[Volume], LabelMap]
"""Takes an image, gives its base structures with FreeSurfer's ids."""


@dataclass(frozen=True)
class Eyes:
    """A segmenter asked by name; what its weights cannot see it is not asked for."""

    segmenter: Segmenter

    def __call__(self, volumes: Sequence[Volume], names: Sequence[str]) -> Segmentation:
        """Segment what is named in co-registered images."""
        visible = [target for target in resolve(names) if target.visible]
        return self.segmenter.segment(volumes, visible)

    def structures(self, volume: Volume) -> LabelMap:
        """The base structures of one image."""
        return self([volume], ["all"]).labels


def marks(name: str) -> tuple[str, str]:
    """Where a text called `name` starts and ends in the page."""
    return f"<!-- {name}:start -->", f"<!-- {name}:end -->"


def between_marks(page: str, text: str, ends: Sequence[str]) -> str:
    """The page with `text` between the two marks in place of what was there.

    Raises:
        ValueError: If a mark is missing.
    """
    before, start, rest = page.partition(ends[0])
    _, end, after = rest.partition(ends[1])
    if not start or not end:
        raise ValueError(f"The page has no {ends[0]} ... {ends[1]}.")
    return f"{before}{start}\n{text.strip()}\n{end}{after}"


def write_texts(page: Path, texts: dict[str, str]) -> None:
    """Put each text between the marks of its name; nothing is written if one is missing."""
    content = page.read_text(encoding="utf-8")
    for name, text in texts.items():
        content = between_marks(content, text, marks(name))
    page.write_text(content, encoding="utf-8")


def heading(segmenter: Segmenter, command: str) -> str:
    """With what, when, on what, and by which command."""
    used = f"{segmenter.weights_name} {segmenter.weights_version}"
    where = f"{when_and_where()}, device {segmenter.device_name}"
    return f"Weights {used}, {where}. By `python examples/benchmarks/{command}`:"


def when_and_where() -> str:
    """The day, the processor and its cores."""
    today = datetime.now(UTC).date().isoformat()
    return f"{today}, {processor(Path('/proc/cpuinfo'))}, {cores()} cores"


def processor(description: Path) -> str:
    """The processor's name, from Linux if it says, else from Python."""
    if description.exists():
        for line in description.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def with_structures(cases: Sequence[Judged]) -> list[Judged]:
    """The cases with one image and a truth of base structures."""
    return [case for case in cases if case.truth and case.scheme.ids and len(case.images) == 1]


def chosen(cases: Sequence[Judged], names: Sequence[str]) -> list[Judged]:
    """The cases with these names, in their order; all if no name is given.

    Raises:
        SystemExit: If there is none of a name.
    """
    by_name = {case.name: case for case in cases}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise SystemExit(f"There is no scan {unknown[0]!r}; there are {', '.join(by_name)}.")
    return [by_name[name] for name in names or by_name]
