"""Segment two scans of one person, and see how far apart the volumes are.

    python examples/benchmarks/retest.py ../shared/data

The difference is that of `volumes_ml`, in percent of the mean of both scans. Beside it
stands that of the manual labels: people do not draw the same twice either.

A second table says where `medprompt longitudinal` would call it a real change, though nothing
changed: at the limits of noise that come with the package, which were learnt of these same
scans, and at those that the other person's scans alone give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import MANIFEST, README, Eyes, chosen, heading, write_texts

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import BASE_NAMES, BASE_STRUCTURES, KINDS
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.evaluation.cases import Judged, read_cases
from medprompt_cli.evaluation.masks import mean
from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.evaluation.schemes import CLASS_OF
from medprompt_cli.longitudinal.repeatability import Limits, default_limits, learn
from medprompt_cli.segmentation.segmenter import Segmenter

PAIRS = (("manual-1003", "manual-1023"), ("manual-1004", "manual-1024"))
"""Names in accuracy.tsv: the same person, scanned twice."""

SOFT = "soft-volume"

Volumes = Mapping[str, float]
"""mL by base structure."""


def main(
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "cpu",
    weights: Annotated[str | None, typer.Option(help="Name or file; else bundled.")] = None,
) -> None:
    """Print the difference of every structure, and write it between the README's marks."""
    cases = chosen(read_cases(MANIFEST, root), [name for pair in PAIRS for name in pair])
    segmenter = Segmenter(device=device, weights=weights)
    ours, drawn = {}, {}
    for number, case in enumerate(cases, start=1):
        typer.echo(f"{number}/{len(cases)} {case.name}", err=True)
        image = read_image(case.images[0])
        ours[case.name] = Eyes(segmenter)([image], ["all"]).volumes_ml
        drawn[case.name] = manual_volumes(case)
    said = heading(segmenter, f"retest.py {root.as_posix()}")
    text = f"{said}\n\n{table(ours, drawn)}\n{real_table(ours, default_limits())}"
    typer.echo(text)
    write_texts(readme, {"retest": text})


def manual_volumes(case: Judged) -> Volumes:
    """Volumes of the base structures in the truth, by counting voxels."""
    if case.truth is None:
        raise ValueError(f"{case.name} has no truth.")
    truth = read_labels(case.truth)
    counts = np.bincount(case.scheme.classes(truth.voxels).ravel(), minlength=len(CLASS_OF) + 1)
    scale = truth.geometry.voxel_volume_mm3 / 1000
    return {name: float(counts[CLASS_OF[name]]) * scale for name in BASE_NAMES}


def difference_pct(first: Volumes, second: Volumes, names: Sequence[str]) -> float | None:
    """|a - b| in percent of the mean of a and b, volumes of the union of `names`.

    None if both are 0.
    """
    one, other = (sum(volumes[name] for name in names) for volumes in (first, second))
    return 200 * abs(one - other) / (one + other) if one + other else None


def table(ours: Mapping[str, Volumes], drawn: Mapping[str, Volumes]) -> str:
    """A line for each kind: both sides together, and (left, right), of each pair."""
    short = ["/".join(name.rpartition("-")[2] for name in pair) for pair in PAIRS]
    heads = ["Difference, %", *short, *(f"{pair}, manual labels" for pair in short)]
    lines = [table_line(heads), table_line(["---", *["--:"] * (2 * len(PAIRS))])]
    for kind in KINDS:
        names = [s.name for s in BASE_STRUCTURES if s.kind == kind]
        cells = [
            _cell(volumes[first], volumes[second], names)
            for volumes in (ours, drawn)
            for first, second in PAIRS
        ]
        lines.append(table_line([kind, *cells]))
    means = [
        mean(difference_pct(volumes[first], volumes[second], [name]) for name in BASE_NAMES)
        for volumes in (ours, drawn)
        for first, second in PAIRS
    ]
    cells = [NOTHING if value is None else f"{value:.1f}" for value in means]
    lines.append(table_line(["**mean of 32 structures**", *cells]))
    return "\n".join(lines) + "\n"


def real_table(ours: Mapping[str, Volumes], default: Limits) -> str:
    """A line for each kind: the largest difference, and how many would be called real.

    Args:
        ours: Volumes of every scan of both pairs.
        default: The limits that come with the package.
    """
    heads = ("Read as real change", "largest difference, %", "limit, %", "beyond it")
    heads += ("limits of the other pair, %", "beyond them")
    lines = [table_line(heads), table_line(["---", *["--:"] * (len(heads) - 1)])]
    numbers = [(_measured(ours[first]), _measured(ours[second])) for first, second in PAIRS]
    own = [learn([pair], "", "") for pair in numbers]
    others = [learn([*numbers[:n], *numbers[n + 1 :]], "", "") for n in range(len(numbers))]
    totals = np.zeros(3, int)
    for kind in KINDS:
        found = [
            (one.of(kind, SOFT), rest.percent(kind, SOFT))
            for one, rest in zip(own, others, strict=True)
        ]
        pairs = [
            (abs(d), limit) for one, limit in found if one for d in one.differences_percent
        ]
        limit = default.percent(kind, SOFT)
        beyond = sum(limit is not None and d > limit for d, _ in pairs)
        beyond_others = sum(rest is not None and d > rest for d, rest in pairs)
        totals += (beyond, beyond_others, len(pairs))
        limits = ", ".join(NOTHING if rest is None else f"{rest:.1f}" for _, rest in found)
        largest = max((d for d, _ in pairs), default=None)
        cells = [NOTHING if number is None else f"{number:.1f}" for number in (largest, limit)]
        cells += [f"{beyond} of {len(pairs)}", limits, f"{beyond_others} of {len(pairs)}"]
        lines.append(table_line([kind, *cells]))
    said = [f"**{count} of {totals[2]}**" for count in totals[:2]]
    lines.append(table_line(["**all**", "", "", said[0], "", said[1]]))
    return "\n".join(lines) + "\n"


def _measured(volumes: Volumes) -> list[Measurement]:
    return [Measurement(name, SOFT, volumes[name], "mL") for name in BASE_NAMES]


def _cell(first: Volumes, second: Volumes, names: Sequence[str]) -> str:
    both = difference_pct(first, second, names)
    if both is None:
        return NOTHING
    sides = [difference_pct(first, second, [name]) for name in names]
    shown = ", ".join(NOTHING if side is None else f"{side:.1f}" for side in sides)
    return f"{both:.1f}" if len(names) == 1 else f"{both:.1f} ({shown})"


if __name__ == "__main__":
    typer.run(main)
