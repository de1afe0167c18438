"""`medprompt check`: its text, its JSON and its exit codes, compared whole."""

from __future__ import annotations

import gzip
import json

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app

VOXELS = np.arange(10 * 12 * 9, dtype=np.int16).reshape(10, 12, 9)


def check(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def write_image(path, spacing=(1.0, 1.0, 1.0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(VOXELS, np.diag([*spacing, 1.0]))
    path.write_bytes(gzip.compress(image.to_bytes()))


@pytest.fixture
def dataset(tmp_path):
    """Two subjects, two sessions; a scan not fetched, an empty one, one damaged."""
    root = tmp_path / "study"
    for who in ("01", "02"):
        for when in ("1", "2"):
            name = f"sub-{who}/ses-{when}/anat/sub-{who}_ses-{when}"
            write_image(root / f"{name}_T1w.nii.gz")
            write_image(root / f"{name}_FLAIR.nii.gz", (0.9, 0.9, 3 + int(when)))
    link = root / "sub-03/anat/sub-03_T1w.nii.gz"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../.git/annex/objects/x")
    (root / "sub-02/ses-2/anat/sub-02_ses-2_T1w.nii.gz").write_bytes(b"")
    write_image(root / "sub-01/ses-1/dwi/sub-01_ses-1_dwi.nii.gz")
    (root / "sub-01/ses-1/dwi/sub-01_ses-1_dwi.bval").write_text("0 1000")
    damaged = root / "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz"
    content = bytearray(damaged.read_bytes())
    content[-5] ^= 1
    damaged.write_bytes(content)
    return root


GOLDEN = """\
BIDS dataset: 2 subjects, 4 sessions, 7 images
  FLAIR: 4 images, 0.9 x 0.9 x 4 mm (2), 0.9 x 0.9 x 5 mm (2)
  T1w: 3 images, 1 x 1 x 1 mm (3)
  passed over: 1 dwi
7 of 7 images with a good header
3 problems:
empty  sub-02/ses-2/anat/sub-02_ses-2_T1w.nii.gz: Is empty: 0 bytes.
not-fetched  sub-03/anat/sub-03_T1w.nii.gz: Only a pointer to the content is here.
no-scan  sub-03: Holds no usable scan of anatomy.
What to do:
empty  Copy or download it again.
not-fetched  Fetch the content with `datalad get` or `git annex get`, or copy it.
no-scan  Leave the subject out, or add its images.
"""

DEEP_GOLDEN = """\
BIDS dataset: 2 subjects, 4 sessions, 7 images
  FLAIR: 4 images, 0.9 x 0.9 x 4 mm (2), 0.9 x 0.9 x 5 mm (2)
  T1w: 3 images, 1 x 1 x 1 mm (2)
  passed over: 1 dwi
6 of 7 images decoded whole
4 problems:
damaged  sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz: Is damaged: incorrect checksum found in its gzip stream.
empty  sub-02/ses-2/anat/sub-02_ses-2_T1w.nii.gz: Is empty: 0 bytes.
not-fetched  sub-03/anat/sub-03_T1w.nii.gz: Only a pointer to the content is here.
no-scan  sub-03: Holds no usable scan of anatomy.
What to do:
damaged  Copy or download the file again and compare its size with the original's.
empty  Copy or download it again.
not-fetched  Fetch the content with `datalad get` or `git annex get`, or copy it.
no-scan  Leave the subject out, or add its images.
"""  # noqa: E501 - lines as they are printed


@pytest.mark.parametrize(
    ("options", "golden"), [((), GOLDEN), (("--deep",), DEEP_GOLDEN)], ids=["headers", "deep"]
)
def test_a_dataset_with_problems(dataset, options, golden):
    shown = check(dataset, *options)

    assert shown.stdout == golden
    assert (shown.exit_code, shown.stderr) == (0, "")


def test_a_folder_without_problems(tmp_path):
    write_image(tmp_path / "my T1.nii.gz")
    shown = check(tmp_path)

    assert shown.stdout == (
        "Folder of images: 1 subject, 1 image\n"
        "  other: 1 image, 1 x 1 x 1 mm (1)\n"
        "1 of 1 image with a good header\n"
        "No problems\n"
    )
    assert (shown.exit_code, shown.stderr) == (0, "")


def test_json_is_one_document(dataset):
    shown = check(dataset, "--json", "--deep")
    document = json.loads(shown.stdout)

    assert (shown.exit_code, shown.stderr) == (0, "")
    assert {key: document[key] for key in ("root", "kind", "deep", "subjects", "usable")} == {
        "root": str(dataset),
        "kind": "bids",
        "deep": True,
        "subjects": ["sub-01", "sub-02"],
        "usable": 6,
    }
    assert document["sessions"][0] == {"subject": "sub-01", "session": "ses-1"}
    assert document["passed_over"] == {"dwi": 1}
    assert document["images"][0] == {
        "path": str(dataset / "sub-01/ses-1/anat/sub-01_ses-1_FLAIR.nii.gz"),
        "subject": "sub-01",
        "session": "ses-1",
        "suffix": "FLAIR",
        "acquired": None,
        "usable": True,
        "shape": [10, 12, 9],
        "spacing_mm": pytest.approx([0.9, 0.9, 4.0]),
        "orientation": "RAS",
    }
    assert document["images"][3]["shape"] is None
    assert document["problems"][0] == {
        "code": "damaged",
        "severity": "skipped",
        "path": str(dataset / "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz"),
        "message": "Is damaged: incorrect checksum found in its gzip stream.",
        "remedy": "Copy or download the file again and compare its size with the original's.",
    }
    assert len(document["problems"]) == 4


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_nothing_usable_exits_65_after_saying_what_is_there(tmp_path, options):
    (tmp_path / "a.nii").touch()
    shown = check(tmp_path, *options)

    assert "empty" in shown.stdout
    assert shown.exit_code == 65
    assert shown.stderr == (
        f"Error: {tmp_path} holds no usable image.\n"
        "Try: Mend what is listed, or give a folder with .nii.gz files.\n"
    )


def test_an_empty_folder(tmp_path):
    shown = check(tmp_path)

    assert shown.stdout == "Folder of images: 0 subjects, 0 images\n"
    assert shown.exit_code == 65
    assert shown.stderr == (
        f"Error: {tmp_path} holds no usable image.\n"
        "Try: Give a folder with .nii.gz, .nii, .mgz or DICOM files.\n"
    )


def test_a_path_that_is_not_there(tmp_path):
    shown = check(tmp_path / "none")

    assert (shown.exit_code, shown.stdout) == (65, "")
    assert shown.stderr == f"Error: {tmp_path / 'none'} does not exist.\nTry: Check the path.\n"


@pytest.mark.parametrize(
    ("name", "shown_as"),
    [("a\nb.nii", "a\\nb.nii"), ("a\udcff.nii", "a\\udcff.nii"), ("머리.nii", "머리.nii")],
    ids=["newline", "not-utf-8", "unicode"],
)
def test_each_problem_stays_on_one_line(tmp_path, name, shown_as):
    (tmp_path / name).touch()

    assert f"\nempty  {shown_as}: Is empty: 0 bytes.\n" in check(tmp_path).stdout
    document = json.loads(check(tmp_path, "--json").stdout)
    assert document["problems"][0]["path"] == str(tmp_path / name)


def test_many_spacings_are_not_all_listed(tmp_path):
    for number in range(1, 6):
        write_image(tmp_path / f"{number}_T1w.nii.gz", (1.0, 1.0, float(number)))

    assert check(tmp_path).stdout.splitlines()[1] == (
        "  T1w: 5 images, 1 x 1 x 1 mm (1), 1 x 1 x 2 mm (1), 1 x 1 x 3 mm (1), 2 more spacings"
    )
