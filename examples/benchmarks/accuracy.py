"""Measure the bundled weights on real scans and put the table into the README.

    python examples/benchmarks/accuracy.py ../shared/data
    python examples/benchmarks/accuracy.py ../shared/data --network-alone

The second prints what the network gives without the scan's own intensities, and leaves the
README as it is.

The scans are those of accuracy.tsv beside this file; they are not part of the project.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.evaluation.cases import judge, read_cases
from medprompt_cli.evaluation.report import markdown, write_parquet
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.segmenter import Segmenter

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
START, END = "<!-- accuracy:start -->", "<!-- accuracy:end -->"
COMMAND = "medprompt evaluate masks examples/benchmarks/accuracy.tsv --root"


def main(  # noqa: PLR0913 - one for each option
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = (
        REPOSITORY / "README.md"
    ),
    manifest: Annotated[Path, typer.Option(help="Which scans.")] = HERE / "accuracy.tsv",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "cpu",
    weights: Annotated[str | None, typer.Option(help="Name or file; else bundled.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="File for all scores.")] = None,
    *,
    network_alone: Annotated[
        bool, typer.Option("--network-alone", help="Leave the intensities of the scan out.")
    ] = False,
) -> None:
    """Segment every scan, print the Dice table, and write it between the README's marks."""
    cases = read_cases(manifest, root)
    segmenter = Segmenter(device=device, weights=weights, follow_intensities=not network_alone)
    targets = resolve(["all"])

    def predict(volume: Volume) -> LabelMap:
        return segmenter.segment(volume, targets).labels

    scans = list(judge(cases, predict))
    table = markdown(scans, {case.name: case.scheme for case in cases})
    used = f"{segmenter.weights_name} {segmenter.weights_version}"
    text = f"{heading(used, segmenter.device_name, root)}\n\n{table}"
    typer.echo(text)
    if parquet is not None:
        write_parquet([score for scores in scans for score in scores], parquet)
    if network_alone:
        return
    readme.write_text(between_marks(readme.read_text(encoding="utf-8"), text), encoding="utf-8")


def heading(weights: str, device: str, root: Path) -> str:
    """When, on what, with what, and by which command."""
    today = datetime.now(UTC).date().isoformat()
    machine = f"{processor(Path('/proc/cpuinfo'))}, {cores()} cores, device {device}"
    command = f"`{COMMAND} {root.as_posix()}`"
    return f"Weights {weights}, {today}, {machine}. By {command}:"


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


def between_marks(page: str, text: str, marks: Sequence[str] = (START, END)) -> str:
    """The page with `text` between the two marks in place of what was there.

    Raises:
        ValueError: If a mark is missing.
    """
    before, start, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not start or not end:
        raise ValueError(f"The page has no {marks[0]} ... {marks[1]}.")
    return f"{before}{start}\n{text.strip()}\n{end}{after}"


if __name__ == "__main__":
    typer.run(main)
