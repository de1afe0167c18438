"""What 32 targets cost, and everything, against one target: the same scan, in turn.

    python examples/benchmarks/targets.py ../shared/data/anatomy/t1_crop.nii.gz

Timed is `Segmenter.segment` on an image that was read already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from common import README, heading, write_texts
from stopwatch import interleaved, medians

from medprompt_cli.bids.images import read_image
from medprompt_cli.evaluation.report import table_line
from medprompt_cli.planning.vocabulary import Target, all_targets, resolve
from medprompt_cli.segmentation.device import choose_device
from medprompt_cli.segmentation.segmenter import Segmenter

ONE, ALL = "left-hippocampus", "all"
PROMISE = 1.3
"""What 32 targets may cost, at most, against one."""


def requests() -> dict[str, Sequence[Target]]:
    """What is asked for: one target, the base structures, and all that weights can see."""
    asked = [resolve([ONE]), resolve([ALL]), [t for t in all_targets() if t.visible]]
    names = [f"`{ONE}`", f"`{ALL}`: the base structures", "everything the weights can see"]
    return dict(zip(names, asked, strict=True))


def table(seconds: Mapping[str, list[float]], counts: Mapping[str, int]) -> str:
    """A line for each request, the first of which the others are compared with."""
    middle = medians(seconds)
    base, *_ = middle.values()
    lines = [
        table_line(["Asked for", "Targets", "Median, s", "Range, s", "Over the first"]),
        table_line(["---", *["--:"] * 4]),
    ]
    for name, values in seconds.items():
        spread = f"{min(values):.2f} to {max(values):.2f}"
        ratio = f"{middle[name] / base:.2f}"
        lines.append(
            table_line([name, str(counts[name]), f"{middle[name]:.2f}", spread, ratio])
        )
    return "\n".join(lines)


def verdict(seconds: Mapping[str, list[float]]) -> str:
    """Whether the promise is kept by the first two requests."""
    one, many, *_ = medians(seconds).values()
    kept = "kept" if many <= PROMISE * one else "not kept"
    return f"Promised is at most {PROMISE} for the base structures: {kept}."


def main(
    scan: Annotated[Path, typer.Argument(help="Image to segment.")],
    repeats: Annotated[int, typer.Option(min=1, help="The median counts.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Of the CPU.")] = 2,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    weights: Annotated[str | None, typer.Option(help="Name or file; else bundled.")] = None,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
) -> None:
    """Time every request in turn; print the table and write it into the README."""
    torch.set_num_threads(threads)
    segmenter = Segmenter(device=device, weights=weights)
    volume, asked = read_image(scan), requests()
    actions = {
        name: partial(segmenter.segment, volume, targets) for name, targets in asked.items()
    }
    seconds = interleaved(actions, repeats, choose_device(device))
    said = heading(segmenter, f"targets.py {scan.as_posix()} --repeats {repeats}")
    counts = {name: len(targets) for name, targets in asked.items()}
    shape = " x ".join(str(n) for n in volume.geometry.shape)
    about = f"{shape} voxels, threads: {threads}, median of {repeats}. {verdict(seconds)}"
    text = f"{said}\n\n{table(seconds, counts)}\n\n{about}"
    typer.echo(text)
    write_texts(readme, {"cost-targets": text})


if __name__ == "__main__":
    typer.run(main)
