"""Time `medprompt status` on an output folder of many cases.

    python examples/benchmarks/status.py --cases 10000

One demo subject is segmented; its image, masks and record are then linked under other names
until there are as many cases as asked. What is timed is the command, start to end, in a new
process, and `status_of` alone in this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from medprompt_cli.cohort.status import status_of

FIRST = "sub-01"


def command(*arguments: str) -> float:
    """Run medprompt; the seconds that it took."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "medprompt_cli", *arguments], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return time.perf_counter() - begin


def multiply(bids: Path, out: Path, cases: int) -> None:
    """Make `cases` cases out of the one that was segmented."""
    record = next((out / "logs").glob("*.json"))
    text = record.read_text()
    agenda_file = next((out / "logs" / "agenda").iterdir())
    agenda = json.loads(agenda_file.read_text())
    [(name, images)] = agenda["cases"].items()
    files = [(root, str(path.relative_to(root)))
             for root in (bids, out)
             for path in root.rglob(f"*{FIRST}*.*") if path.parent != out / "logs"]  # fmt: skip
    agenda["cases"] = {}
    for number in range(1, cases + 1):
        subject = f"sub-{number:05d}"
        for root, path in files:
            copy = root / path.replace(FIRST, subject)
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(root / path, copy)
        copied = name.replace(FIRST, subject)
        (out / "logs" / f"{copied}.json").write_text(text.replace(FIRST, subject))
        agenda["cases"][copied] = [image.replace(FIRST, subject) for image in images]
    agenda_file.write_text(json.dumps(agenda))


def main() -> None:
    """Segment, multiply, ask."""
    parser = argparse.ArgumentParser(description="Time medprompt status.")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bids, out = Path(folder, "bids"), Path(folder, "out")
        command("demo", str(bids), "--subjects", "1", "--sessions", "1", "--small")
        for image in list(bids.glob("sub-*/**/*_FLAIR.nii.gz")):
            image.unlink()
        command("segment", str(bids), str(out), "-p", "left hippocampus")
        multiply(bids, out, asked.cases)
        done = len(status_of(out).having("done"))
        if done != asked.cases:
            raise SystemExit(f"{done} of {asked.cases} cases are done")
        whole = [command("status", str(out)) for _ in range(asked.repeats)]
        alone = []
        for _ in range(asked.repeats):
            begin = time.perf_counter()
            status_of(out)
            alone.append(time.perf_counter() - begin)
    print(
        f"{asked.cases} cases: medprompt status best {min(whole):.2f} s, "
        f"median {statistics.median(whole):.2f} s; status_of best {min(alone):.2f} s"
    )


if __name__ == "__main__":
    main()
