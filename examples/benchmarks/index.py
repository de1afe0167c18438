"""Time the finding of scans: a BIDS dataset is generated, then indexed.

    python examples/benchmarks/index.py --images 6000

The images are 2 KiB of zeros: finding opens only files small enough to be placeholders.
Each has a sidecar, each session a scans.tsv. The best and the median of some repeats are
printed, in seconds, with the disk cache warm: on a cold network share the time is that of
listing the folders.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from medprompt_cli.bids.dataset import open_dataset

SUFFIXES = ("T1w", "T2w", "FLAIR")
SESSIONS = 2


def write_tree(root: Path, images: int) -> int:
    """Write a dataset of at least `images` images below `root`; return how many."""
    (root / "dataset_description.json").write_text('{"Name": "b", "BIDSVersion": "1.11.0"}')
    subjects = -(-images // (len(SUFFIXES) * SESSIONS))
    rows = ["participant_id\tage"]
    for number in range(1, subjects + 1):
        subject = f"sub-{number:05d}"
        rows.append(f"{subject}\t40")
        for visit in range(1, SESSIONS + 1):
            write_session(root / subject / f"ses-{visit:02d}")
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    return subjects * len(SUFFIXES) * SESSIONS


def write_session(folder: Path) -> None:
    """Write one session: its images, their sidecars, and their dates."""
    (folder / "anat").mkdir(parents=True)
    name = f"{folder.parent.name}_{folder.name}"
    rows = ["filename\tacq_time"]
    for suffix in SUFFIXES:
        (folder / "anat" / f"{name}_{suffix}.nii.gz").write_bytes(bytes(2048))
        (folder / "anat" / f"{name}_{suffix}.json").write_text("{}")
        rows.append(f"anat/{name}_{suffix}.nii.gz\t1902-05-06T07:08:09")
    (folder / f"{name}_scans.tsv").write_text("\n".join(rows) + "\n")


def seconds_to_index(root: Path) -> float:
    """Index the dataset once."""
    begin = time.perf_counter()
    open_dataset(root)
    return time.perf_counter() - begin


def main() -> None:
    """Generate, index, print."""
    parser = argparse.ArgumentParser(description="Time the finding of scans.")
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        written = write_tree(Path(folder), asked.images)
        dataset = open_dataset(Path(folder))
        seconds = [seconds_to_index(Path(folder)) for _ in range(asked.repeats)]
    if len(dataset.images) != written or dataset.problems:
        raise SystemExit(f"found {len(dataset.images)} of {written}: {dataset.problems[:3]}")
    print(
        f"{written} images of {len(dataset.subjects)} subjects: "
        f"best {min(seconds):.2f} s, median {statistics.median(seconds):.2f} s"
    )


if __name__ == "__main__":
    main()
