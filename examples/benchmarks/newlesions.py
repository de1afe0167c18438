"""Find what changed between two FLAIR of a patient, and hold it against what experts drew.

    python examples/benchmarks/newlesions.py ../shared/data PICTURES

Two patients with MS were scanned twice, on other slices; experts drew every change, growth and
shrinkage alike, in a space between. `medprompt longitudinal -p lesion` is run on the FLAIR, and
compared with the drawing are, each taken there by the affines that came with the data:

- *masks*: what is lesion at one visit and not at the other, by the masks of the network;
- *ledger*: lesions that are new or resolved, and what enlarging ones gained and shrinking lost;
- *signal*: where the image became brighter or darker, whatever the masks say;
- *either*: of ledger and signal.

Precision and recall are those of voxels, then of lesions: connected pieces (26 neighbours) of
at least 0.014 mL, a ball 3 mm across; one is found that shares a voxel. PICTURES gets a PNG of
each patient. These two patients were looked at while the rules of the signal were chosen.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from common import README, heading, write_texts
from registration import read_itk

from medprompt_cli.api import LongitudinalOptions, longitudinal
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask
from medprompt_cli.evaluation.report import NOTHING, table_line
from medprompt_cli.longitudinal.transforms import moved
from medprompt_cli.measurement.instances import find_instances
from medprompt_cli.measurement.resample import resampled
from medprompt_cli.segmentation.segmenter import Segmenter

PATIENTS: Mapping[str, int] = {"long-01": 203, "long-12": 81}
"""Days between the two visits."""

FIRST_DAY = pd.Timestamp("2001-01-01")
LEAST_ML = 0.014
SHOWN = 3
"""Slices of a picture, those with the most change."""

MM3_PER_ML = 1000.0
HEADS = (
    *("patient", "by", "change, mL", "drawn, mL"),
    *("voxels: precision", "recall", "Dice", "lesions: found", "precision", "drawn", "recall"),
)


@dataclass(frozen=True)
class Space:
    """The space that the experts drew in.

    Attributes:
        grid: Theirs.
        to_visit: (4, 4) from its world to that of each visit.
    """

    grid: Geometry
    to_visit: tuple[np.ndarray, np.ndarray]

    def looked_up(self, path: Path, visit: int) -> np.ndarray:
        """A label map of a visit at every voxel, by the nearest; 0 beyond it."""
        labels = read_labels(path)
        places = np.indices(self.grid.shape).reshape(3, -1).T.astype(float)
        there = moved(self.grid.to_world(places), self.to_visit[visit])
        places = np.rint(labels.geometry.to_voxel(there)).astype(np.intp)
        seen = ((places >= 0) & (places < labels.geometry.shape)).all(axis=1)
        found = np.zeros(len(places), labels.voxels.dtype)
        found[seen] = labels.voxels[tuple(places[seen].T)]
        return found.reshape(self.grid.shape)


@dataclass(frozen=True)
class Scores:
    """How two masks agree; None where it divides by nothing."""

    found_ml: float
    drawn_ml: float
    precision: float | None
    recall: float | None
    dice: float | None
    found: int
    lesion_precision: float | None
    drawn: int
    lesion_recall: float | None


def main(
    root: Annotated[Path, typer.Argument(help="Folder that holds the scans.")],
    pictures: Annotated[Path, typer.Argument(help="Folder for the pictures.")],
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
    *,
    write: Annotated[bool, typer.Option("--write", help="Put it there.")] = False,
) -> None:
    """Print the table and write the pictures."""
    pictures.mkdir(parents=True, exist_ok=True)
    lines = [table_line(HEADS), table_line(["---", "---", *["--:"] * (len(HEADS) - 2)])]
    for name, days in PATIENTS.items():
        folder = root / "ms" / name
        with tempfile.TemporaryDirectory() as place:
            out = followed(folder, days, Path(place))
            given = [read_itk(folder / f"study{n}_FLAIR_to_common_space.txt") for n in (1, 2)]
            drawn = read_labels(folder / "change_gt.nii.gz")
            space = Space(drawn.geometry, (given[0], given[1]))
            found = dict(changes(out, space))
        truth = drawn.voxels > 0
        for way, mask in found.items():
            lines.append(line(name, way, scores(mask, truth, space.grid)))
        draw(pictures / f"{name}.png", folder, space, {"experts": truth, **found})
    said = heading(Segmenter(device="cpu"), f"newlesions.py {root.as_posix()} PICTURES")
    text = f"{said}\n\n" + "\n".join(lines) + "\n"
    typer.echo(text)
    if write:
        write_texts(readme, {"newlesions": text})


def followed(folder: Path, days: int, place: Path) -> Path:
    """Run the command on a dataset of the patient's FLAIR; its output folder."""
    for visit in (1, 2):
        session = place / f"bids/sub-01/ses-{visit}"
        (session / "anat").mkdir(parents=True)
        name = f"anat/sub-01_ses-{visit}_FLAIR.nii.gz"
        shutil.copy(folder / f"study{visit}_FLAIR.nii.gz", session / name)
        when = FIRST_DAY + pd.Timedelta(days=days * (visit - 1))
        table = f"filename\tacq_time\n{name}\t{when.isoformat()}\n"
        (session / f"sub-01_ses-{visit}_scans.tsv").write_text(table, encoding="utf-8")
    about = {"Name": folder.name, "BIDSVersion": "1.11.0"}
    (place / "bids/dataset_description.json").write_text(json.dumps(about), encoding="utf-8")
    summary = longitudinal(
        place / "bids", place / "out", ["lesion"], LongitudinalOptions(device="cpu")
    )
    if summary.exit_code:
        raise SystemExit(f"{folder.name} could not be followed: {summary}")
    return place / "out"


def changes(out: Path, space: Space) -> Iterator[tuple[str, np.ndarray]]:
    """Where something changed, by each way to tell."""
    none = np.zeros(space.grid.shape, np.uint8)
    ids = [_map(out, n, "LesionIds", space) for n in (0, 1)]
    before, after = (none if found is None else found for found in ids)
    yield "masks", (before > 0) ^ (after > 0)
    rows = pd.read_parquet(out / "ledger")
    rows = rows[rows["session_id"] == "ses-2"]
    ledger = np.zeros(space.grid.shape, bool)
    for fate, lesion in zip(rows["fate"], rows["lesion"], strict=True):
        here, there = before == lesion, after == lesion
        if fate in {"new", "enlarging"}:
            ledger |= there & ~here
        if fate in {"resolved", "shrinking"}:
            ledger |= here & ~there
    yield "ledger", ledger
    patches = _map(out, 1, "SignalChange", space)
    signal = (none if patches is None else patches) > 0
    yield "signal", signal
    yield "either", ledger | signal


def _map(out: Path, visit: int, seg: str, space: Space) -> np.ndarray | None:
    """A label map of a visit in the experts' space; None if nothing was written."""
    name = f"ses-{visit + 1}/anat/sub-01_ses-{visit + 1}_space-orig_seg-{seg}_desc-FLAIR_dseg"
    path = out / "sub-01" / f"{name}.nii.gz"
    return space.looked_up(path, visit) if path.exists() else None


def scores(found: np.ndarray, truth: np.ndarray, grid: Geometry) -> Scores:
    """Precision and recall of voxels and of lesions."""
    voxel_ml = grid.voxel_volume_mm3 / MM3_PER_ML
    both, some, drawn = (int(np.count_nonzero(m)) for m in (found & truth, found, truth))
    pieces, hits = _found(found, truth, grid)
    lesions, recalled = _found(truth, found, grid)
    return Scores(
        *(some * voxel_ml, drawn * voxel_ml),
        *(_share(both, some), _share(both, drawn), _share(2 * both, some + drawn)),
        *(pieces, _share(hits, pieces), lesions, _share(recalled, lesions)),
    )


def _found(mask: np.ndarray, other: np.ndarray, grid: Geometry) -> tuple[int, int]:
    """How many pieces of a mask are large enough to count, and how many touch the other."""
    labels = find_instances(Mask("x", mask, grid)).voxels
    sizes = np.bincount(labels.ravel())[1:] * grid.voxel_volume_mm3 / MM3_PER_ML
    large = np.flatnonzero(sizes >= LEAST_ML) + 1
    touched = np.unique(labels[other])
    return len(large), len(np.intersect1d(large, touched))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def line(patient: str, way: str, found: Scores) -> str:
    """A row of the table."""
    cells = [patient, way, f"{found.found_ml:.2f}", f"{found.drawn_ml:.2f}"]
    cells += [_cell(v) for v in (found.precision, found.recall, found.dice)]
    cells += [f"{found.found}", _cell(found.lesion_precision)]
    return table_line([*cells, f"{found.drawn}", _cell(found.lesion_recall)])


def _cell(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def draw(path: Path, folder: Path, space: Space, masks: Mapping[str, np.ndarray]) -> None:
    """A PNG: both FLAIR in the slices with most change, with outlines."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    shown = [
        _image(folder / f"study{n}_FLAIR.nii.gz", space.grid, space.to_visit[n - 1])
        for n in (1, 2)
    ]
    change = masks["experts"] | masks["signal"]
    slices = np.argsort(-change.sum(axis=(0, 1)), kind="stable")[:SHOWN]
    colours = {"experts": "red", "signal": "cyan", "ledger": "yellow"}
    figure = Figure(figsize=(4 * len(slices), 8.6), layout="constrained")
    FigureCanvasAgg(figure)
    for column, k in enumerate(sorted(slices)):
        for row, image in enumerate(shown):
            axes = figure.add_subplot(2, len(slices), row * len(slices) + column + 1)
            axes.imshow(image[:, :, k].T, cmap="gray", vmin=0, vmax=_bright(image))
            for name, colour in colours.items():
                if row and masks[name][:, :, k].any():
                    axes.contour(masks[name][:, :, k].T, [0.5], colors=colour, linewidths=0.8)
            axes.set_title(f"visit {row + 1}, slice {k}", fontsize=9)
            axes.set_axis_off()
    lines = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    figure.legend(handles=lines, loc="lower center", ncols=len(lines))
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _image(path: Path, grid: Geometry, to_visit: np.ndarray) -> np.ndarray:
    image = read_image(path)
    there = Geometry(grid.shape, to_visit @ grid.affine)
    return np.nan_to_num(resampled(image, there).voxels)


def _bright(image: np.ndarray) -> float:
    return float(np.percentile(image[image > 0], 99.5))


if __name__ == "__main__":
    typer.run(main)
