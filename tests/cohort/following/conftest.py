"""One person at two visits, and ways to follow them."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli import api
from medprompt_cli.api import LongitudinalOptions, longitudinal
from medprompt_cli.cohort import following
from medprompt_cli.cohort.signals import SignalsFound
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.longitudinal.midspace import Midspace
from medprompt_cli.longitudinal.repeatability import Limits, Repeatability, write_limits
from medprompt_cli.synthesis.demo_scans import make_person, visits

PROMPTS = ("left hippocampus", "ventricles", "lesion")
GROWING, GONE, NEW = 1, 2, 3
SHOWN = ({GROWING, GONE}, {GROWING, NEW})
"""Lesions of the demo that are painted at either visit."""

LESION = 5000 + LESIONS.index("lesion")
LIMITS = Limits(
    "a method",
    "nobody",
    {
        "soft-volume": {
            "hippocampus": Repeatability((0.5,) * 4),
            "ventricles": Repeatability((9.0,)),
        }
    },
)


@pytest.fixture(scope="session")
def heads():
    """Two visits of one person, in two positions, as images in which regions shine."""
    random = np.random.default_rng((0, 1))
    person = make_person(random)
    images = []
    for (sharp, _), shown in zip(visits(person, random, 2, small=True), SHOWN, strict=True):
        voxels = sharp.voxels.astype(np.int16) // 2
        inside = sharp.labels > 0
        voxels[inside] = 100 + sharp.labels[inside].astype(np.int16)
        voxels[np.isin(sharp.lesions, list(shown))] = LESION
        images.append((voxels, sharp))
    return images


@pytest.fixture(autouse=True)
def without_weights(monkeypatch, threshold_segmenter):
    """Use a segmenter without a network."""
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    return threshold_segmenter


def write_bids(root, heads):
    """The person, with dates."""
    for session, (voxels, sharp) in zip("12", heads, strict=True):
        folder = root / "sub-01" / f"ses-{session}"
        (folder / "anat").mkdir(parents=True)
        name = f"anat/sub-01_ses-{session}_FLAIR.nii.gz"
        image = nib.Nifti1Image(voxels, sharp.geometry.affine)
        image.header.set_xyzt_units("mm")
        image.to_filename(folder / name)
        (folder / f"sub-01_ses-{session}_scans.tsv").write_text(
            f"filename\tacq_time\n{name}\t{sharp.acquired.isoformat()}\n"
        )
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.11.0"}')
    return root


@pytest.fixture(scope="module")
def followed(tmp_path_factory, heads, make_segmenter):
    """What became of the person, with registration and all; and where it lies."""
    folder = tmp_path_factory.mktemp("followed")
    (folder / "limits.toml").write_text(write_limits(LIMITS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "_open_segmenter", lambda options: make_segmenter())
        options = LongitudinalOptions(limits=folder / "limits.toml")
        summary = longitudinal(
            write_bids(folder / "bids", heads), folder / "out", PROMPTS, options
        )
    return summary, folder / "out"


@pytest.fixture
def bids(tmp_path, heads):
    return write_bids(tmp_path / "bids", heads)


@pytest.fixture
def run(bids, tmp_path, monkeypatch):
    """Follow the person, without the seconds that it takes to compare images."""
    still = Midspace((np.eye(4), np.eye(4)), {}, None, None)
    monkeypatch.setattr(following, "find_midspace", lambda *_, **__: still)
    monkeypatch.setattr(following, "find_signals", lambda *_: SignalsFound({}))

    def follow(**options):
        return longitudinal(bids, tmp_path / "out", PROMPTS, LongitudinalOptions(**options))

    return follow


@pytest.fixture
def summary_of(tmp_path):
    return lambda: read_summary(tmp_path / "out")


def read_summary(out):
    return json.loads((out / "sub-01_longitudinal.json").read_text())
