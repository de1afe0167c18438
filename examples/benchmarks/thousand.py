"""Segment a thousand subjects in one process, and print how its memory goes.

    python examples/benchmarks/thousand.py
    python examples/benchmarks/thousand.py --subjects 100 --prompt "all" --keep FOLDER

Subjects are of the demo, each its own head, on small grids (`medprompt demo --small`), one
FLAIR each. `medprompt segment` is run once over all of them; its resident memory is looked at
twice a second, and given as the mean while a tenth of the subjects was done, tenth by tenth.
Memory is called flat if the last tenth takes no more than a tenth more than the second: in the
first, weights are loaded. With --keep a run that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import README, cores, processor, write_texts

from medprompt_cli.evaluation.report import table_line

PAUSE_S = 0.5
PARTS = 10
MB = 1e6
MOST_GROWTH = 0.1
PAGE = os.sysconf("SC_PAGE_SIZE")


def main(
    subjects: Annotated[int, typer.Option(min=20, help="How many.")] = 1000,
    prompt: Annotated[str, typer.Option(help="What to segment.")] = "hippocampus",
    kind: Annotated[str, typer.Option(help="FLAIR or T1w, whose voxels are finer.")] = "FLAIR",
    keep: Annotated[Path | None, typer.Option(help="Folder to work in and to leave.")] = None,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    *,
    write: Annotated[bool, typer.Option("--write", help="Put the table there.")] = False,
) -> None:
    """Make the subjects, segment them, and print a table."""
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory() as place:
        bids, out = Path(place, "bids"), Path(place, "out")
        if not bids.exists():
            medprompt("demo", bids, "--subjects", subjects, "--sessions", 1, "--small")
        began = time.perf_counter()
        seen = watched(bids, out, prompt, kind)
        seconds = time.perf_counter() - began
        status = json.loads(medprompt("status", out, "--json"))
    if status["counts"]["done"] != subjects:
        raise SystemExit(f"Of {subjects} subjects these were done: {status['counts']}.")
    levels = by_part(seen, subjects)
    heads = ["subjects done", *(f"{100 * (n + 1) // PARTS} %" for n in range(PARTS))]
    lines = [
        table_line(heads),
        table_line(["---", *["--:"] * PARTS]),
        table_line(["resident memory, MB", *(f"{level / MB:.0f}" for level in levels)]),
    ]
    where = f"{processor(Path('/proc/cpuinfo'))}, {cores()} cores"
    text = (
        f"{datetime.now(UTC).date()}, {where}: {subjects} subjects, `{prompt}` on {kind},"
        f" one process; {seconds / 60:.1f} minutes, {seconds / subjects:.2f} s each, peak"
        f" {max(memory for _, memory in seen) / MB:.0f} MB.\n\n" + "\n".join(lines) + "\n"
    )
    typer.echo(text)
    if write:
        write_texts(readme, {"thousand": text})
    if levels[-1] > (1 + MOST_GROWTH) * levels[1]:
        raise SystemExit("Memory grows with the number of subjects.")


def medprompt(*words: object) -> str:
    """Run a command to its end; what it printed."""
    command = [sys.executable, "-m", "medprompt_cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def watched(bids: Path, out: Path, prompt: str, kind: str) -> list[tuple[int, int]]:
    """Segment all, and look: subjects done so far, and bytes of resident memory."""
    words = ["segment", str(bids), str(out), "-p", prompt, "--suffix", kind]
    command = [sys.executable, "-m", "medprompt_cli", *words]
    seen: list[tuple[int, int]] = []
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        memory = Path(f"/proc/{process.pid}/statm")
        while process.poll() is None:
            resident = int(memory.read_text().split()[1] or 0) * PAGE
            if resident:
                seen.append((len(list((out / "logs").glob("sub-*.json"))), resident))
            time.sleep(PAUSE_S)
        if process.returncode:
            said.seek(0)
            raise SystemExit(said.read().decode()[-2000:])
    return seen


def by_part(seen: Sequence[tuple[int, int]], subjects: int) -> list[float]:
    """Mean memory in bytes while each tenth of the subjects was done; NaN of none."""
    done, memory = np.array(seen).T
    part = np.minimum(done * PARTS // subjects, PARTS - 1)
    return [float(memory[part == n].mean()) if (part == n).any() else np.nan
            for n in range(PARTS)]  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
