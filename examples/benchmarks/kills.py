"""Kill a run again and again, at random, and compare what it ends in with a run left alone.

    python examples/benchmarks/kills.py --subjects 12 --kills 20 --seed 0

`medprompt segment` runs over computed heads of coarse grids and is killed with SIGKILL, so that
nothing is tidied up: at a random time from half of what it takes to begin on, so that some die
while they start and most at work. Then it is run to its end. Its masks are compared with those
of an undisturbed run by SHA-256, and its tables byte for byte after sorting their rows and
writing them as Parquet. Exits 1 if anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

MEDPROMPT = (sys.executable, "-m", "medprompt_cli")
TABLES = ("measurements", "lesions", "findings")


def segment(bids: Path, out: Path, prompt: str) -> subprocess.Popen[bytes]:
    """Start the run."""
    words = (*MEDPROMPT, "segment", str(bids), str(out), "-p", prompt)
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cases_done(out: Path) -> int:
    """How many records say done; a record that cannot be read would be torn, and ends this."""
    records = [json.loads(path.read_bytes()) for path in out.glob("logs/*.json")]
    return sum(record["status"] == "done" for record in records)


def table_bytes(out: Path, name: str) -> bytes:
    """A table of all parts, rows sorted by all columns, as Parquet; b"" if there is none."""
    if not list((out / name).glob("*.parquet")):
        return b""
    table = ds.dataset(out / name, format="parquet").to_table()
    flat = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
    sink = pa.BufferOutputStream()
    pq.write_table(table.sort_by([(column, "ascending") for column in flat]), sink)
    return sink.getvalue().to_pybytes()


def mask_hashes(out: Path) -> dict[str, str]:
    """SHA-256 of every mask, by its path."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*.nii.gz"))
        if not path.name.startswith(".")
    }


def undisturbed(bids: Path, out: Path, prompt: str) -> tuple[float, float]:
    """Run to the end; return seconds until there was a first file, and until the end."""
    begin, first = time.monotonic(), None
    run = segment(bids, out, prompt)
    while run.poll() is None:
        time.sleep(0.05)
        if first is None and out.exists():
            first = time.monotonic() - begin
    if run.returncode or first is None:
        raise SystemExit("the undisturbed run failed")
    return first, time.monotonic() - begin


def kill_at_random(
    bids: Path, out: Path, prompt: str, kills: int, earliest_s: float, latest_s: float
) -> None:
    """Kill `kills` runs; print a line for each, and how many met a run at work."""
    met = 0
    print("| Kill | After, s | Cases done | Left under temporary names |")
    print("|---|---|---|---|")
    for n in range(1, kills + 1):
        after = random.uniform(earliest_s, latest_s)
        run = segment(bids, out, prompt)
        try:
            run.wait(after)
        except subprocess.TimeoutExpired:
            run.kill()
        ended = "" if run.wait() < 0 else " (had ended)"
        met += not ended
        left = len(list(out.rglob("*.part")))
        print(f"| {n} | {after:.1f}{ended} | {cases_done(out)} | {left} |", flush=True)
    print(f"\n{met} of {kills} met a run at work")


def main() -> int:
    """Run, kill, resume and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=12)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prompt", default="hippocampus")
    asked = parser.parse_args()
    random.seed(asked.seed)
    with tempfile.TemporaryDirectory(prefix="medprompt-kills-") as name:
        folder = Path(name)
        bids, alone, killed = (folder / part for part in ("bids", "alone", "killed"))
        size = ("--subjects", str(asked.subjects), "--sessions", "1", "--small")
        subprocess.run((*MEDPROMPT, "demo", str(bids), *size), check=True, capture_output=True)
        first_s, whole_s = undisturbed(bids, alone, asked.prompt)
        # each run may do a part of the work only, or there is nothing left to kill
        latest_s = first_s + 2 * (whole_s - first_s) / asked.kills
        kill_at_random(
            *(bids, killed, asked.prompt, asked.kills),
            first_s / 2,
            max(latest_s, first_s * 1.2),
        )
        last = segment(bids, killed, asked.prompt).wait()
        tables = [name for name in TABLES if (alone / name).is_dir()]
        same = {name: table_bytes(alone, name) == table_bytes(killed, name) for name in tables}
        masks = mask_hashes(alone)
        same["masks"] = bool(masks) and masks == mask_hashes(killed)
        same["nothing left"] = not list(killed.rglob("*.part"))
        print(f"\nundisturbed: {whole_s:.0f} s, {cases_done(alone)} cases, {len(masks)} masks")
        print(f"last run: exit code {last}, {cases_done(killed)} cases done")
        for what, equal in same.items():
            print(f"{what}: {'the same' if equal else 'DIFFERENT'}")
    return int(last != 0 or not all(same.values()))


if __name__ == "__main__":
    sys.exit(main())
