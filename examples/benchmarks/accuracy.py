"""Measure the bundled weights on real scans and put the tables into the README.

    python examples/benchmarks/accuracy.py ../shared/data
    python examples/benchmarks/accuracy.py ../shared/data --network-alone

The second prints what the network gives without the scan's own intensities, and leaves the
README as it is.

The scans are those of accuracy.tsv beside this file; they are not part of the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from common import MANIFEST, README, Eyes, heading, write_texts

from medprompt_cli.evaluation.cases import Judged, distinct, read_cases
from medprompt_cli.evaluation.judging import judge
from medprompt_cli.evaluation.pooled import pool
from medprompt_cli.evaluation.region_report import class_table, lesion_table, parcel_table
from medprompt_cli.evaluation.report import markdown, write_parquet
from medprompt_cli.evaluation.scores import Score
from medprompt_cli.segmentation.segmenter import Segmenter


def main(  # noqa: PLR0913 - one for each option
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    readme: Annotated[Path, typer.Option(help="File to put the tables into.")] = README,
    manifest: Annotated[Path, typer.Option(help="Which scans.")] = MANIFEST,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "cpu",
    weights: Annotated[str | None, typer.Option(help="Name or file; else bundled.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="File for all scores.")] = None,
    *,
    network_alone: Annotated[
        bool, typer.Option("--network-alone", help="Leave the intensities of the scan out.")
    ] = False,
) -> None:
    """Segment every scan, print the tables, and write them between the README's marks."""
    cases = read_cases(manifest, root)
    segmenter = Segmenter(device=device, weights=weights, follow_intensities=not network_alone)
    scans = list(judge(announced(cases), Eyes(segmenter), far=True))
    pooled = pool(scans, distinct(cases))
    if parquet is not None:
        write_parquet([*(score for scores in scans for score in scores), *pooled], parquet)
    said = heading(segmenter, f"accuracy.py {root.as_posix()}")
    texts = {name: f"{said}\n\n{text}" for name, text in tables(cases, scans, pooled).items()}
    typer.echo("\n".join(texts.values()))
    if not network_alone:
        write_texts(readme, texts)


def announced(cases: Sequence[Judged]) -> Iterator[Judged]:
    """Say which scan comes, as to segment one takes a while."""
    for number, case in enumerate(cases, start=1):
        typer.echo(f"{number}/{len(cases)} {case.name}", err=True)
        yield case


def tables(
    cases: Sequence[Judged], scans: Sequence[Sequence[Score]], pooled: Sequence[Score]
) -> dict[str, str]:
    """The tables of structures, lesions and parcels, by the name of their marks.

    One that no scan of the manifest is about is left out.
    """
    schemes = {case.name: case.scheme for case in cases}
    lesions = "\n".join(filter(None, [lesion_table(scans), class_table(pooled)]))
    found = {
        "accuracy": markdown(scans, schemes, also=["hd95_mm", "volume_bias_pct"]),
        "lesions": lesions,
        "parcels": parcel_table(scans),
    }
    return {name: table for name, table in found.items() if table}


if __name__ == "__main__":
    typer.run(main)
