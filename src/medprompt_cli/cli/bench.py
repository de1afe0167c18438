"""`medprompt bench`: where the time goes on this machine, and how it grows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.options import Device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medprompt_cli.cohort.bench import Run
    from medprompt_cli.cohort.machine import Machine

COLUMNS = (
    *("subjects", "targets", "streams", "slices mm", "wall s", "index s", "read s"),
    *("network s", "post s", "measure s", "write s", "read MB", "written MB", "GFLOP"),
    *("of peak", "of gunzip", "of disk", "subjects/h", "memory MB", "overlap", "busy"),
)


def bench(  # noqa: PLR0913, PLR0917 - one argument for each option
    subjects: Annotated[str, typer.Option(help="Sizes of cohorts.")] = "1,10,100",
    targets: Annotated[str, typer.Option(help="Numbers of structures asked for.")] = "1,8,32",
    streams: Annotated[str, typer.Option(help="Images read together.")] = "1,2,4",
    slices: Annotated[str, typer.Option(help="Slice thicknesses, in mm.")] = "1,3,5",
    small: Annotated[bool, typer.Option("--small", help="Heads on coarse grids.")] = False,
    device: Device = "auto",
    work_dir: Annotated[
        Path | None, typer.Option("-w", "--work-dir", help="Where to work; else a new folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time segment on computed heads: every stage, in seconds and bytes.

    One thing grows at a time: the cohort, the structures asked for, the images that are
    read together, the slices. Each run is a process of its own.
    """
    import tempfile

    from medprompt_cli.cohort.bench import Bench, BenchOptions

    options = BenchOptions(
        _numbers("subjects", subjects, 10_000),
        _numbers("targets", targets, 32),
        _numbers("streams", streams, 4),
        _numbers("slices", slices, 10),
        small,
        device,
    )

    def report(run: Run) -> None:
        typer.echo(
            f"{run.subjects} subjects, {run.targets} targets, {run.streams} streams,"
            f" {run.slices_mm} mm: {run.wall_s:.1f} s",
            err=True,
        )

    with tempfile.TemporaryDirectory(dir=work_dir, prefix="medprompt-bench-") as folder:
        machine, runs = Bench(Path(folder), options).run(report)
    if as_json:
        print_json({"machine": vars(machine), "runs": [run.as_json(machine) for run in runs]})
    else:
        typer.echo(as_text(machine, runs))


def as_text(machine: Machine, runs: Sequence[Run]) -> str:
    """The table, with what the machine does at best above it."""
    rows = [[cell.strip() for cell in _cells(run, machine)] for run in runs]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    best = (
        f"{machine.device}: convolutions {machine.convolution_flops / 1e9:.0f} GFLOP/s;"
        f" gzip {machine.compress_bytes / 1e6:.0f} MB/s in,"
        f" {machine.decompress_bytes / 1e6:.0f} MB/s out;"
        f" disk {machine.write_bytes / 1e6:.0f} MB/s"
    )
    table = [_line(COLUMNS, widths), *(_line(row, widths) for row in rows)]
    return "\n".join([best, *table])


def _cells(run: Run, machine: Machine) -> list[str]:
    seconds = [f"{run.seconds[stage]:.2f}" for stage in ("read", "network", "post", "measure")]
    return [
        *map(str, (run.subjects, run.targets, run.streams, run.slices_mm)),
        f"{run.wall_s:.2f}",
        f"{run.index_s:.4f}",
        *seconds,
        f"{run.seconds['write']:.2f}",
        f"{run.read_bytes / 1e6:.3g}",
        f"{run.written_bytes / 1e6:.3g}",
        f"{run.network_flops * run.subjects / 1e9:.0f}",
        *(_share(run.share_of(machine)[stage]) for stage in ("network", "read", "write")),
        f"{run.subjects_per_hour:.0f}",
        f"{run.peak_bytes / 1e6:.0f}",
        f"{run.overlap:.2f}",
        f"{run.device_busy:.2f}",
    ]


def _share(share: float | None) -> str:
    return "n/a" if share is None else f"{share:.2g}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _numbers(name: str, said: str, most: int) -> tuple[int, ...]:
    from medprompt_cli.errors import UsageError

    try:
        numbers = tuple(int(part) for part in said.replace(",", " ").split())
    except ValueError:
        numbers = ()
    if not numbers or not all(1 <= number <= most for number in numbers):
        raise UsageError(
            f"--{name} {said!r} is not a list of numbers from 1 to {most}.",
            remedy=f"Write it as in --{name} 1,2.",
        )
    return numbers
