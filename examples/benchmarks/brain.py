"""Compare the masks `brain-mask` and `intracranial` with truths, and with deepbet's mask.

    python examples/benchmarks/brain.py ../shared/data --deepbet MASKS

MASKS holds NAME.nii.gz for every scan called NAME in accuracy.tsv. They were made by
deepbet 1.0.2 (`pip install deepbet`, in an environment of its own):

    deepbet.run_bet([image], mask_paths=["MASKS/NAME.nii.gz"], no_gpu=True)

with an MGZ converted to NIfTI first. Without --deepbet its columns are left out.

The truth is the union of the brain's labels, closed by a ball of 5 mm and with its holes
filled: brain masks hold the fluid in the sulci, and label maps do not. The masks that came
with six of the scans differ from it by less than 100 voxels each, so they are not compared
apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import MANIFEST, README, Eyes, heading, write_texts

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import GROUPS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.evaluation.cases import Judged, read_cases
from medprompt_cli.evaluation.masks import check_grid, mean
from medprompt_cli.evaluation.overlap import bootstrap_interval, confusion, overlap
from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.evaluation.schemes import BRAIN, CLASS_OF
from medprompt_cli.segmentation.closing import closed
from medprompt_cli.segmentation.segmenter import Segmenter

CLOSING_MM = 5.0
UNRELATED = ("bert-parcels",)
"""Lines of accuracy.tsv that are another truth of a scan that is there already."""

Masks = Mapping[str, np.ndarray]
"""(I, J, K) bool by name."""

COLUMNS = {
    ("brain-mask", "labels"): "brain-mask, truth",
    ("intracranial", "labels"): "intracranial, truth",
    ("deepbet", "labels"): "deepbet, truth",
    ("brain-mask", "deepbet"): "brain-mask, deepbet",
    ("intracranial", "deepbet"): "intracranial, deepbet",
}
"""Heading of every pair of masks whose Dice is shown."""


def main(
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    deepbet: Annotated[Path | None, typer.Option(help="Folder of deepbet's masks.")] = None,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "cpu",
    weights: Annotated[str | None, typer.Option(help="Name or file; else bundled.")] = None,
) -> None:
    """Print the Dice of every pair of masks, and write it between the README's marks."""
    if deepbet is None:
        said = "deepbet's columns are left out: pip install deepbet, and give --deepbet MASKS"
        typer.echo(said, err=True)
    cases = [case for case in read_cases(MANIFEST, root) if is_brain_scan(case)]
    segmenter = Segmenter(device=device, weights=weights)
    found = {}
    for number, case in enumerate(cases, start=1):
        typer.echo(f"{number}/{len(cases)} {case.name}", err=True)
        image = read_image(case.images[0])
        masks = Eyes(segmenter)([image], ["brain-mask", "intracranial"]).masks
        ours = {name: mask.voxels for name, mask in masks.items()}
        found[case.name] = dices({**ours, **truths(case, image.geometry, deepbet)})
    option = "" if deepbet is None else " --deepbet MASKS"
    said = heading(segmenter, f"brain.py {root.as_posix()}{option}")
    text = f"{said}\n\n{table(found)}"
    typer.echo(text)
    write_texts(readme, {"brain": text})


def is_brain_scan(case: Judged) -> bool:
    """Whether the line is a scan of a healthy head, and the first of that scan."""
    return bool(case.absent) and case.name not in UNRELATED


def truths(case: Judged, grid: Geometry, deepbet: Path | None) -> Masks:
    """The masks to compare with, by the names in COLUMNS, on the grid of the image."""
    found = {}
    if case.truth is not None:
        labels = _read(case, case.truth, grid)
        members = [*(CLASS_OF[part] for part in GROUPS["brain"]), CLASS_OF[BRAIN]]
        drawn = np.isin(case.scheme.classes(labels), members)
        found["labels"] = closed(drawn, grid.spacing, CLOSING_MM)
    if deepbet is not None:
        found["deepbet"] = _read(case, deepbet / f"{case.name}.nii.gz", grid) > 0
    return found


def _read(case: Judged, path: Path, grid: Geometry) -> np.ndarray:
    labels = read_labels(path)
    check_grid(grid, labels.geometry, (str(case.images[0]), str(path)))
    return labels.voxels


def dices(masks: Masks) -> dict[tuple[str, str], float | None]:
    """Dice of every pair of COLUMNS that is there."""
    return {
        pair: overlap(confusion(masks[pair[0]], masks[pair[1]], 2), [1]).dice
        for pair in COLUMNS
        if pair[0] in masks and pair[1] in masks
    }


def table(found: Mapping[str, Mapping[tuple[str, str], float | None]]) -> str:
    """A line for each scan, and the means with their bootstrap intervals."""
    pairs = [pair for pair in COLUMNS if any(pair in row for row in found.values())]
    heads = ["Dice", *(COLUMNS[pair] for pair in pairs)]
    lines = [table_line(heads), table_line(["---", *["--:"] * len(pairs)])]
    for name, row in found.items():
        lines.append(table_line([name, *(_cell([row.get(pair)]) for pair in pairs)]))
    means = [_cell([row.get(pair) for row in found.values()]) for pair in pairs]
    return "\n".join([*lines, table_line(["**mean**", *means])]) + "\n"


def _cell(values: Sequence[float | None]) -> str:
    measured = [value for value in values if value is not None]
    middle, interval = mean(measured), bootstrap_interval(measured)
    if middle is None:
        return NOTHING
    spread = "" if interval is None else f" ({interval[0]:.3f} to {interval[1]:.3f})"
    return f"{middle:.3f}{spread}"


if __name__ == "__main__":
    typer.run(main)
