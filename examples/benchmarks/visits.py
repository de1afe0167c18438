"""Time `medprompt longitudinal` on one visit and on twelve of the same person.

    python examples/benchmarks/visits.py
    python examples/benchmarks/visits.py --visits 12 --kind T1w --prompt "all"

The person is a head of the demo, scanned anew at every visit: T1w of 1 mm and FLAIR of
1 x 1 x 4 mm, each in another position and with noise of its own. Both runs are whole commands,
from their start to their end, one after the other: loading weights, segmenting, registering
each visit with the next and the last with the first, comparing signals, measuring and writing.
Twelve visits are to take less than twelve times one visit and 20 seconds. Beside the seconds
that went by stand those that were computed, on all cores: other work on the machine prolongs
them less.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import README, cores, processor, write_texts

from medprompt_cli.evaluation.report import table_line
from medprompt_cli.synthesis.demo import write_voxels
from medprompt_cli.synthesis.demo_scans import make_person, visits

SPARE_S = 20.0
HEADS = (
    *("prompt", "scan", "visits", "one visit, s", "all, s", "allowed, s"),
    *("one visit, computed, s", "all, computed, s", "load"),
)


def main(
    count: Annotated[int, typer.Option("--visits", min=2, help="How many.")] = 12,
    kind: Annotated[str, typer.Option(help="T1w or FLAIR.")] = "FLAIR",
    prompt: Annotated[str, typer.Option(help="What to follow.")] = "lesion",
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    *,
    small: Annotated[bool, typer.Option("--small", help="Coarse grids.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Put the table there.")] = False,
) -> None:
    """Time both, and print a table of one line."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_person(root / "bids", count, kind, small=small)
        one, first = seconds_of(root, root / "one", kind, prompt, "--session-label", "01")
        every, rest = seconds_of(root, root / "every", kind, prompt)
    allowed = count * one + SPARE_S
    seconds = (one, every, allowed, first, rest, os.getloadavg()[0])
    numbers = [f"{number:.1f}" for number in seconds]
    lines = [
        table_line(HEADS),
        table_line(["---", "---", *["--:"] * (len(HEADS) - 2)]),
        table_line((prompt, kind, f"{count}", *numbers)),
    ]
    where = f"{processor(Path('/proc/cpuinfo'))}, {cores()} cores"
    text = f"{datetime.now(UTC).date()}, {where}.\n\n" + "\n".join(lines) + "\n"
    typer.echo(text)
    if write:
        write_texts(readme, {"visits": text})
    if every >= allowed:
        raise SystemExit(f"{count} visits took longer than {count} times one and {SPARE_S} s.")


def write_person(root: Path, count: int, kind: str, *, small: bool) -> None:
    """A dataset of one person, scanned `count` times with nothing changed."""
    random = np.random.default_rng(12)
    person = make_person(random)
    for number in range(1, count + 1):
        [scans] = visits(person, random, 1, small=small)
        scan = next(scan for scan in scans if scan.suffix == kind)
        session = root / "sub-01" / f"ses-{number:02}"
        name = f"anat/sub-01_ses-{number:02}_{kind}.nii.gz"
        write_voxels(session / name, scan.voxels, scan.geometry)
        when = scan.acquired + timedelta(days=180 * number)
        table = f"filename\tacq_time\n{name}\t{when.isoformat()}\n"
        path = session / f"sub-01_ses-{number:02}_scans.tsv"
        path.write_text(table, encoding="utf-8")
    about = root / "dataset_description.json"
    about.write_text('{"Name": "one person", "BIDSVersion": "1.11.0"}', encoding="utf-8")


def seconds_of(
    root: Path, out: Path, kind: str, prompt: str, *more: str
) -> tuple[float, float]:
    """Seconds that the whole command takes, and that it computes on all cores."""
    words = ["longitudinal", str(root / "bids"), str(out), "-p", prompt, "--suffix", kind]
    command = [sys.executable, "-m", "medprompt_cli", *words, "--device", "cpu", *more]
    began, computed = time.perf_counter(), _computed()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - began, _computed() - computed


def _computed() -> float:
    used = os.times()
    return used.children_user + used.children_system


if __name__ == "__main__":
    typer.run(main)
