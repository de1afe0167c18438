"""Follow subjects of the demo, whose change is known, and print what of it is found.

    python examples/benchmarks/known_change.py
    python examples/benchmarks/known_change.py --subjects 4

From the first visit to the second the hippocampi lose 5 %, the lateral ventricles gain 10 %,
one lesion grows by 30 %, one goes, one comes and one stays. `medprompt longitudinal` is run on
T1w and on FLAIR: with the masks of the truth as they are (`--masks`), and with the bundled
weights.

Of structures is given: the median of the change, in how many the sign is right, in how many the
known change lies in the 95 % interval, and in how many it is told to be beyond noise, each of
all sides of all subjects. Of lesions: of how many the fate is right, and of how many a wrong
one is told; of the others nothing is. A lesion of the truth is the one of the ledger that
shares most voxels with it. The heads are computed: the table says whether the parts work
together, and nothing of people.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from common import README, heading, write_texts

from medprompt_cli.api import LongitudinalOptions, longitudinal
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.volume import Mask
from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.measurement.instances import find_instances
from medprompt_cli.segmentation.segmenter import Segmenter
from medprompt_cli.synthesis.demo import TRUTH, DemoOptions, lesion_path, write_demo

STRUCTURES: Mapping[str, float] = {"hippocampus": -5.0, "lateral-ventricle": 10.0}
"""Percent from one visit to the next."""

FATES: Mapping[str, str] = {
    "lesion-1": "enlarging",
    "lesion-2": "resolved",
    "lesion-3": "stable",
    "lesion-4": "new",
}
PROMPTS = ("hippocampus", "lateral ventricle", "lesion")
SESSIONS = ("ses-01", "ses-02")
HEADS = (
    "masks",
    "scan",
    "what",
    "known",
    "found, median",
    "sign",
    "in interval",
    "beyond noise",
)


@dataclass(frozen=True)
class Sides:
    """One structure of all subjects.

    Attributes:
        percents: Change of each side that was measured.
        signs: How many have the sign of the known change.
        within: How many intervals hold it; None if there are none, as of masks that were given.
        beyond: How many are told to be beyond noise; None if no limit holds for such scans.
        total: How many there are.
    """

    percents: tuple[float, ...]
    signs: int
    within: int | None
    beyond: int | None
    total: int


def main(
    subjects: Annotated[int, typer.Option(min=1, help="How many heads.")] = 2,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    *,
    write: Annotated[bool, typer.Option("--write", help="Put it there.")] = False,
) -> None:
    """Print the table."""
    lines = [table_line(HEADS), table_line(["---"] * 3 + ["--:"] * (len(HEADS) - 3))]
    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        write_demo(demo, DemoOptions(subjects=subjects))
        for masks in (demo / TRUTH, None):
            for kind in ("T1w", "FLAIR"):
                who = "weights" if masks is None else "truth"
                out = Path(place) / f"{who}-{kind}"
                options = LongitudinalOptions(suffixes=(kind,), masks=masks, device="cpu")
                summary = longitudinal(demo, out, PROMPTS, options)
                if summary.exit_code:
                    raise SystemExit(f"The demo could not be followed: {summary}")
                lines += [table_line((who, kind, *cells)) for cells in rows(demo, out, kind)]
    said = heading(Segmenter(device="cpu"), f"known_change.py --subjects {subjects}")
    text = f"{said}\n\n" + "\n".join(lines) + "\n"
    typer.echo(text)
    if write:
        write_texts(readme, {"known-change": text})


def rows(demo: Path, out: Path, kind: str) -> Iterator[Sequence[str]]:
    """What was found of the structures and of each lesion, of all subjects."""
    changes = pd.read_parquet(out / "changes")
    for structure, known in STRUCTURES.items():
        found = sides(changes, structure, known)
        middle = f"{np.median(found.percents):+.1f} %" if found.percents else NOTHING
        beyond = NOTHING if found.beyond is None else f"{found.beyond}/{found.total}"
        within = NOTHING if found.within is None else f"{found.within}/{found.total}"
        counts = (f"{found.signs}/{found.total}", within, beyond)
        yield structure, f"{known:+.0f} %", middle, *counts
    told = list(fates(demo, out, kind))
    for lesion, fate in FATES.items():
        right = sum(one == (lesion, fate) for one in told)
        total = sum(one[0] == lesion for one in told)
        wrong = sum(one[0] == lesion and one[1] not in {fate, None} for one in told)
        yield lesion, fate, f"{right}/{total} right, {wrong} wrong", *[NOTHING] * 3


def sides(changes: pd.DataFrame, structure: str, known: float) -> Sides:
    """The changes of both sides of a structure, of all subjects."""
    wanted = [f"left-{structure}", f"right-{structure}"]
    table: Any = changes[changes["region"].isin(wanted)]
    soft = "soft-volume" in set(table["quantity"])  # masks that were given have none
    table = table[table["quantity"] == ("soft-volume" if soft else "volume")]
    measured = table[table["percent"].notna()]
    low, high = measured["percent_low"], measured["percent_high"]
    judged = table["exceeds_limit"].dropna()
    return Sides(
        tuple(measured["percent"]),
        int((np.sign(measured["percent"]) == np.sign(known)).sum()),
        int(((low <= known) & (known <= high)).sum()) if low.notna().any() else None,
        int(judged.astype(bool).sum()) if len(judged) else None,
        len(table),
    )


def fates(demo: Path, out: Path, kind: str) -> Iterator[tuple[str, str | None]]:
    """Every lesion of the truth of every subject, and the fate that the ledger tells of it."""
    volumes = pd.read_csv(demo / TRUTH / "volumes.tsv", sep="\t")
    ledger = pd.read_parquet(out / "ledger")
    for subject in sorted(volumes["participant_id"].unique()):
        mine = ledger[
            (ledger["participant_id"] == subject) & (ledger["session_id"] == "ses-02")
        ]
        told = {  # of the others it cannot be told
            int(lesion): fate
            for lesion, fate in zip(mine["lesion"], mine["fate"], strict=True)
            if isinstance(fate, str)
        }
        places = dict(_places(demo, volumes, subject, kind))
        for lesion in FATES:
            ids = [_id_at(out, subject, s, kind, mask) for s, mask in places[lesion]]
            found = [id_ for id_ in ids if id_ is not None]
            yield lesion, told.get(found[-1]) if found else None


def _places(
    demo: Path, volumes: pd.DataFrame, subject: str, kind: str
) -> Iterator[tuple[str, list[tuple[str, np.ndarray]]]]:
    """The sessions in which a lesion is there, and its voxels: told apart by their sizes."""
    pieces: dict[str, list[np.ndarray]] = {}
    for session in SESSIONS:
        truth = read_labels(lesion_path(demo, subject, session, kind))
        labels = find_instances(Mask("lesion", truth.voxels > 0, truth.geometry))
        pieces[session] = [labels.voxels == n for n in sorted(labels.names)]
    mine = volumes[volumes["participant_id"] == subject].set_index(["session_id", "region"])
    for lesion in FATES:
        there: list[tuple[str, np.ndarray]] = []
        for session in SESSIONS:
            sizes = {n: float(mine.loc[(session, n)]["volume_ml"]) for n in FATES}
            order = sorted((n for n in FATES if sizes[n] > 0), key=lambda n: -sizes[n])
            if lesion in order and order.index(lesion) < len(pieces[session]):
                there.append((session, pieces[session][order.index(lesion)]))
        yield lesion, there


def _id_at(out: Path, subject: str, session: str, kind: str, mask: np.ndarray) -> int | None:
    """The id that most voxels of a mask have; None if none has any."""
    name = f"{subject}_{session}_space-orig_seg-LesionIds_desc-{kind}_dseg.nii.gz"
    path = out / subject / session / "anat" / name
    if not path.exists():
        return None
    counts = np.bincount(read_labels(path).voxels[mask])
    counts[:1] = 0
    return int(counts.argmax()) if counts.any() else None


if __name__ == "__main__":
    typer.run(main)
