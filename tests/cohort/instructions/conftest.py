"""Small heads with lesions, as a BIDS dataset with masks that somebody drew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.domain.anatomy import BASE_INDEX, LESIONS

SHAPE = (40, 30, 12)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
HEAD = {
    "left-cerebral-white-matter": np.s_[4:19, 4:26, 2:10],
    "right-cerebral-white-matter": np.s_[21:36, 4:26, 2:10],
}
LEFT, RIGHT = np.s_[8:12, 10:14, 4:7], np.s_[27:31, 10:15, 4:7]
"""Where a lesion may be; of 48 and of 60 voxels of 8 mm3."""

LICENCE = "CC0-1.0"


class Folder:
    """Writes images and masks below a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.truth = root, root / "derivatives" / "drawn"
        self.describe(root, Name="Heads", License=LICENCE)
        self.describe(self.truth, Name="Drawn", DatasetType="derivative")
        table = [f"{BASE_INDEX[name]}\t{name}\n" for name in HEAD]
        (self.truth / "seg-drawn_dseg.tsv").write_text("index\tname\n" + "".join(table))

    def describe(self, root: Path, **content: object) -> None:
        root.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"BIDSVersion": "1.11.0", **content})
        (root / "dataset_description.json").write_text(text)

    def head(self, subject: str, **lesions: tuple) -> Path:
        """An image whose lesions shine as `ThresholdSegmenter` sees them, and its labels."""
        voxels, labels = np.zeros(SHAPE, np.int16), np.zeros(SHAPE, np.uint8)
        for name, box in HEAD.items():
            voxels[box], labels[box] = 100 + BASE_INDEX[name], BASE_INDEX[name]
        for name, boxes in lesions.items():
            for box in boxes:
                voxels[box] = 5000 + LESIONS.index(name.replace("_", "-"))
        image = self.root / subject / "anat" / f"{subject}_FLAIR.nii.gz"
        self.save(image, voxels)
        self.save(self.drawn(subject, "seg-drawn", "dseg"), labels)
        return image

    def mask(self, subject: str, label: str, *boxes: tuple) -> Path:
        """A mask of boxes; of none where there is nothing."""
        voxels = np.zeros(SHAPE, np.uint8)
        for box in boxes:
            voxels[box] = 1
        return self.save(self.drawn(subject, f"label-{label}", "mask"), voxels)

    def drawn(self, subject: str, entity: str, suffix: str) -> Path:
        name = f"{subject}_space-orig_{entity}_desc-FLAIR_{suffix}.nii.gz"
        return self.truth / subject / "anat" / name

    def save(self, path: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(voxels, affine), path)
        return path


@pytest.fixture
def folder(tmp_path) -> Folder:
    """A dataset without an image."""
    return Folder(tmp_path / "bids")


@pytest.fixture
def heads(folder) -> Folder:
    """Two people: one with a tumor on the left, one with nothing."""
    folder.head("sub-01", tumor=(LEFT,))
    folder.mask("sub-01", "Tumor", LEFT)
    folder.mask("sub-01", "Infarct")
    folder.head("sub-02")
    folder.mask("sub-02", "Lesion")
    return folder


@pytest.fixture(scope="session")
def boxes() -> Callable[[str], tuple]:
    """Where a lesion on a side is."""
    return {"left": LEFT, "right": RIGHT}.__getitem__
