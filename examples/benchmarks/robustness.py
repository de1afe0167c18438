"""Make real scans worse in known ways, and see how much of the Dice is lost.

    python examples/benchmarks/robustness.py ../shared/data
    python examples/benchmarks/robustness.py ../shared/data --only "5 mm slices" --scan bert

Every change is judged against what the clean scan gives on the same grid: its segmentation
is brought there exactly as the truth is (majority of the voxels of a thick slice, nearest
neighbour after a turn), so that a coarse grid alone costs nothing. A quick subset is
printed, and not written to the README.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import (
    MANIFEST,
    README,
    Eyes,
    Labeller,
    chosen,
    heading,
    with_structures,
    write_texts,
)
from perturb import CHANGES, upright, upright_labels

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.evaluation.cases import Judged, read_cases
from medprompt_cli.evaluation.masks import MEAN_OF_17, by_kind, mean, pair, score
from medprompt_cli.evaluation.overlap import bootstrap_interval
from medprompt_cli.evaluation.report import table_line, write_parquet
from medprompt_cli.evaluation.scores import Score
from medprompt_cli.segmentation.segmenter import Segmenter

CLEAN = "clean run: "
"""Before the name of a change: the clean run on the grid of that change."""


def main(  # noqa: PLR0913, PLR0917 - one for each option
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    only: Annotated[
        list[str] | None, typer.Option(help="Only this change; repeatable.")
    ] = None,
    scan: Annotated[list[str] | None, typer.Option(help="Only this scan; repeatable.")] = None,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "cpu",
    weights: Annotated[str | None, typer.Option(help="Name or file; else bundled.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="File for all scores.")] = None,
) -> None:
    """Segment every scan clean and changed, and print what the changes cost."""
    names = known_changes(only or [])
    cases = chosen(with_structures(read_cases(MANIFEST, root)), scan or [])
    segmenter = Segmenter(device=device, weights=weights)
    found: list[list[Score]] = []
    for number, case in enumerate(cases, start=1):
        typer.echo(f"{number}/{len(cases)} {case.name}", err=True)
        found += changed_scores(case, names, Eyes(segmenter).structures)
    if parquet is not None:
        write_parquet([one for scores in found for one in scores], parquet)
    said = heading(segmenter, f"robustness.py {root.as_posix()}")
    text = f"{said}\n\n{table(found)}"
    typer.echo(text)
    if not only and not scan:
        write_texts(readme, {"robustness": text})


def known_changes(asked: Sequence[str]) -> list[str]:
    """The changes asked for; all if none is.

    Raises:
        SystemExit: If there is no such change.
    """
    unknown = [name for name in asked if name not in CHANGES]
    if unknown:
        raise SystemExit(f"There is no change {unknown[0]!r}; there are {', '.join(CHANGES)}.")
    return list(asked or CHANGES)


def changed_scores(
    case: Judged, names: Sequence[str], segment: Labeller
) -> Iterator[list[Score]]:
    """For each change, the scores of the clean run on its grid, and those of its own run.

    Args:
        case: A scan with one image and a truth of base structures.
        names: Keys of CHANGES.
        segment: Gives the base structures of an image.
    """
    if case.truth is None:
        raise ValueError(f"{case.name} has no truth.")
    volume = upright(read_image(case.images[0]))
    truth = upright_labels(read_labels(case.truth))
    clean = segment(volume)
    for name in names:
        change = CHANGES[name]
        seed = zlib.crc32(f"{case.name} {name}".encode())
        there = change.labels(truth)
        changed = segment(change.image(volume, np.random.default_rng(seed)))
        yield _scores(case, change.labels(clean), there, f"{CLEAN}{name}")
        yield _scores(case, changed, there, name)


def _scores(case: Judged, prediction: LabelMap, truth: LabelMap, group: str) -> list[Score]:
    judged = pair(prediction, truth, case.scheme, (group, str(case.truth)))
    return score(judged, case.name, group)


def table(found: Sequence[Sequence[Score]]) -> str:
    """A line for each change: mean Dice of the 17 kinds, clean and changed, and the loss."""
    dice = {
        (scores[0].group, scores[0].scan): by_kind(scores)[MEAN_OF_17] or 0.0
        for scores in found
    }
    changes = dict.fromkeys(group for group, _ in dice if not group.startswith(CLEAN))
    heads = ["Change", "Scans", "Clean run", "Changed", "Difference", "Worst scan"]
    lines = [table_line(heads), table_line(["---", *["--:"] * 5])]
    for name in changes:
        scans = [scan for group, scan in dice if group == name]
        clean = [dice[f"{CLEAN}{name}", scan] for scan in scans]
        changed = [dice[name, scan] for scan in scans]
        lost = [after - before for after, before in zip(changed, clean, strict=True)]
        means = [f"{mean(values):.3f}" for values in (clean, changed)]
        worst = min(range(len(lost)), key=lost.__getitem__)
        cells = [name, str(len(scans)), *means, _spread(lost)]
        lines.append(table_line([*cells, f"{lost[worst]:+.3f} ({scans[worst]})"]))
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float]) -> str:
    interval = bootstrap_interval(values)
    middle = f"{mean(values):+.3f}"
    return (
        middle if interval is None else f"{middle} ({interval[0]:+.3f} to {interval[1]:+.3f})"
    )


if __name__ == "__main__":
    typer.run(main)
