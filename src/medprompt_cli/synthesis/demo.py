"""A BIDS dataset made from nothing, to try things on, with its truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import commit, write_file
from medprompt_cli.bids.derivatives import BIDS_VERSION, DESCRIPTION
from medprompt_cli.bids.entities import build_name
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.bids.label_image import grid_header, stage_label_image
from medprompt_cli.bids.label_table import label_table
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import UsageError
from medprompt_cli.synthesis.demo_scans import Person, Scan, make_person, visits, volumes_ml

TRUTH = Path("derivatives", "truth")
MAX_SESSIONS = 8
"""Beyond this the growing lesion would leave the white matter it starts in."""

MAX_SUBJECTS = 99_999

README = """\
Computed heads, written by `medprompt demo`. No person was scanned: every voxel comes
from shapes and random numbers. The lateral ventricles, hippocampi and one lesion change
from session to session, another lesion goes and one comes; derivatives/truth says where
everything is and by how much it changed. Good for trying software, of no use to learn about
brains.
"""

DESCRIBED = {
    "age": {"Description": "Invented age at the first session", "Units": "year"},
    "sex": {"Description": "Invented sex", "Levels": {"F": "female", "M": "male"}},
}
PROTOCOL = {
    "T1w": {"MRAcquisitionType": "3D"},
    "FLAIR": {"MRAcquisitionType": "2D"},
}
SIMULATED = "Simulated by medprompt demo"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What kind of dataset to write.

    Attributes:
        subjects: How many participants.
        sessions: How many visits each has.
        small: Coarse grids: quick to write and to segment.
        seed: The same seed gives the same dataset.
    """

    subjects: int = 2
    sessions: int = 2
    small: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, most in (("subjects", MAX_SUBJECTS), ("sessions", MAX_SESSIONS)):
            count = getattr(self, name)
            if not 1 <= count <= most:
                raise UsageError(
                    f"A demo cannot have {count} {name}.",
                    remedy=f"Ask for 1 to {most} {name}.",
                )


def write_demo(
    folder: Path, options: DemoOptions, report: Callable[[Path], None] | None = None
) -> list[Path]:
    """Write a demo dataset into a new or empty folder.

    Args:
        folder: The dataset's root; made if it is not there.
        options: What to write.
        report: Called with each image once it is written.

    Returns:
        The images, in order.

    Raises:
        UsageError: If the folder is not empty, or is a file.
        OutputError: If something cannot be written.
    """
    _check_is_free(folder)
    people: list[tuple[str, Person]] = []
    images: list[Path] = []
    volumes = ["participant_id\tsession_id\tregion\tvolume_ml\tpercent_change"]
    width = max(2, len(str(options.subjects)))
    for number in range(1, options.subjects + 1):
        rng = np.random.default_rng((options.seed, number))
        people.append((f"sub-{number:0{width}}", make_person(rng)))
        writer = _SubjectWriter(folder, people[-1][0], report)
        for visit in visits(people[-1][1], rng, options.sessions, small=options.small):
            writer.write(visit)
        writer.finish()
        images += writer.images
        volumes += writer.volumes
    _write_lines(folder / TRUTH / "volumes.tsv", volumes)
    _write_dataset_files(folder, people)
    _write_manifest(folder, images)
    return images


def _check_is_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", remedy="Give a folder that is new or empty.")
    held = min(folder.iterdir(), default=None) if folder.is_dir() else None
    if held is not None:
        raise UsageError(
            f"{folder} is not empty: it holds {held.name}.",
            remedy="Give a folder that is new or empty.",
        )


class _SubjectWriter:
    """Writes the visits of one participant.

    Args:
        root: The dataset.
        subject: With its `sub-`.
        report: Called with each image once it is written.
    """

    def __init__(self, root: Path, subject: str, report: Callable[[Path], None] | None) -> None:
        self.root, self.subject = root, subject
        self.report = report
        self.images: list[Path] = []
        self.volumes: list[str] = []
        self.sessions = ["session_id\tacq_time"]
        self.first: dict[str, float] = {}

    def write(self, visit: tuple[Scan, ...]) -> None:
        """Write the images of the next visit, and their truth."""
        session = f"ses-{len(self.sessions):02}"
        place = Path(self.subject, session)
        rows = ["filename\tacq_time"]
        for scan in visit:
            name = build_name({"sub": self.subject, "ses": session}, scan.suffix, "")
            image = self.root / place / "anat" / f"{name}.nii.gz"
            write_voxels(image, scan.voxels, scan.geometry)
            sidecar = {"SeriesDescription": f"{SIMULATED}, {scan.suffix}"}
            _write_text(image.with_name(f"{name}.json"), to_json(sidecar))
            self._write_truth(session, scan)
            rows.append(f"anat/{image.name}\t{scan.acquired.isoformat()}")
            self.images.append(image)
            if self.report is not None:
                self.report(image)
        _write_lines(self.root / place / f"{self.subject}_{session}_scans.tsv", rows)
        self.sessions.append(f"{session}\t{visit[0].acquired.isoformat()}")
        found = volumes_ml(visit[0])
        self.first = self.first or found
        for region, volume in found.items():
            before = self.first[region]
            change = f"{100 * (volume / before - 1):.2f}" if before else "n/a"
            line = f"{self.subject}\t{session}\t{region}\t{volume:.3f}\t{change}"
            self.volumes.append(line)

    def _write_truth(self, session: str, scan: Scan) -> None:
        for path, voxels in (
            (truth_path(self.root, self.subject, session, scan.suffix), scan.labels),
            (lesion_path(self.root, self.subject, session, scan.suffix), scan.lesions > 0),
        ):
            write_voxels(path, voxels.astype(np.uint8), scan.geometry, intent="label")

    def finish(self) -> None:
        """Write the table of sessions."""
        name = f"{self.subject}_sessions.tsv"
        _write_lines(self.root / self.subject / name, self.sessions)


def truth_path(root: Path, subject: str, session: str, suffix: str) -> Path:
    """Where the label map of an image lies."""
    entities = {"seg": "truth", "desc": suffix}
    return _truth_file(root, {"sub": subject, "ses": session, **entities}, "dseg")


def lesion_path(root: Path, subject: str, session: str, suffix: str) -> Path:
    """Where the lesion mask of an image lies."""
    entities = {"label": "Lesion", "desc": suffix}
    return _truth_file(root, {"sub": subject, "ses": session, **entities}, "mask")


def _truth_file(root: Path, entities: dict[str, str], suffix: str) -> Path:
    name = build_name({"space": "orig", **entities}, suffix, ".nii.gz")
    return root / TRUTH / entities["sub"] / entities["ses"] / "anat" / name


def write_voxels(
    path: Path, voxels: np.ndarray, geometry: Geometry, intent: str = "none"
) -> None:
    """Write (I, J, K) uint8 voxels as NIfTI, read back before they get their name."""
    header, _ = grid_header(path, geometry, voxels.dtype)
    header.set_intent(intent, allow_unknown=False)
    commit(stage_label_image(path, voxels, header))


def _write_dataset_files(root: Path, people: list[tuple[str, Person]]) -> None:
    made_by = {"GeneratedBy": [{"Name": "medprompt", "Version": __version__}]}
    description = {"Name": "medprompt demo", "BIDSVersion": BIDS_VERSION, **made_by}
    _write_text(
        root / DESCRIPTION,
        to_json({**description, "DatasetType": "raw", "License": "CC0-1.0"}),
    )
    truth = {**description, "Name": "Truth of the medprompt demo", "DatasetType": "derivative"}
    _write_text(root / TRUTH / DESCRIPTION, to_json(truth))
    _write_text(root / TRUTH / "seg-truth_dseg.tsv", label_table())
    _write_text(root / "README", README)
    for suffix, protocol in PROTOCOL.items():
        common = {"PulseSequenceDetails": SIMULATED, **protocol}
        _write_text(root / f"{suffix}.json", to_json(common))
    _write_text(root / "participants.json", to_json(DESCRIBED))
    rows = [f"{name}\t{person.age}\t{person.sex}" for name, person in people]
    _write_lines(root / "participants.tsv", ["participant_id\tage\tsex", *rows])


def _write_manifest(root: Path, images: list[Path]) -> None:
    """The table that `medprompt evaluate masks` takes."""
    rows = ["name\tgroup\timage\ttruth\tscheme"]
    for image in images:
        name = image.name.removesuffix(".nii.gz")
        subject, session, suffix = name.split("_")
        truth = truth_path(root, subject, session, suffix).relative_to(root / TRUTH)
        source = Path("..", "..", image.relative_to(root))
        rows.append("\t".join((name, suffix, source.as_posix(), truth.as_posix(), "medprompt")))
    _write_lines(root / TRUTH / "manifest.tsv", rows)


def _write_lines(path: Path, lines: list[str]) -> None:
    _write_text(path, "".join(f"{line}\n" for line in lines))


def _write_text(path: Path, text: str) -> None:
    write_file(path, text.encode())
