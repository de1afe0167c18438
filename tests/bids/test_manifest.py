"""Manifests: what a line says, what it leaves open, and how it can be wrong."""

from __future__ import annotations

from datetime import date

import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.listing import POINTER_BYTES
from medprompt_cli.errors import InputError

CONTENT = bytes(POINTER_BYTES)


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest of `lines`, and an image for each of `images` beside it."""
    folder = tmp_path / "study"
    folder.mkdir()

    def write(*lines, images=()):
        for name in images:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(CONTENT)
        path = folder / "scans.tsv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


def said(dataset):
    return [(problem.code, problem.path.name, problem.message) for problem in dataset.problems]


def test_a_line_says_who_when_and_what(manifest, tmp_path):
    other = tmp_path / "elsewhere.nii"
    other.write_bytes(CONTENT)
    path = manifest(
        "image\tsubject\tsession\tsuffix\tdate",
        "a.nii.gz\t01\tses-a\tFLAIR\t1901-02-03",
        "../elsewhere.nii\tsub-01\tb\tn/a\tn/a",
        f"{other}\t02\t\tT2w\t",
        images=["a.nii.gz"],
    )
    dataset = open_dataset(path)

    assert (dataset.kind, dataset.root) == ("manifest", path.parent)
    assert [(e.path, e.subject, e.session, e.suffix, e.acquired) for e in dataset.images] == [
        (path.parent / "a.nii.gz", "sub-01", "ses-a", "FLAIR", date(1901, 2, 3)),
        (other, "sub-01", "ses-b", None, None),
        (other, "sub-02", None, "T2w", None),
    ]
    assert dataset.images[0].entities == {"sub": "01", "ses": "a"}
    assert dataset.problems == ()


def test_what_a_line_leaves_open_comes_from_the_name(manifest):
    images = ["x/sub-01_ses-1_run-2_T1w.nii", "a/scan.nii", "b/scan.nii", "a-b/scan.nii"]
    dataset = open_dataset(manifest("image", *images, images=images))

    assert [(e.subject, e.session, e.suffix) for e in dataset.images[:3]] == [
        ("sub-01", "ses-1", "T1w"),
        ("sub-ascan", None, None),
        ("sub-bscan", None, None),
    ]
    assert dataset.images[0].entities == {"sub": "01", "ses": "1", "run": "2"}
    assert len(dataset.subjects) == 4


def test_the_line_goes_before_the_name(manifest):
    path = manifest(
        "image\tsubject\tsuffix",
        "sub-01_T1w.nii\t02\tT2w",
        images=["sub-01_T1w.nii"],
    )
    entry = open_dataset(path).images[0]

    assert (entry.subject, entry.suffix, entry.entities) == ("sub-02", "T2w", {"sub": "02"})


def test_a_folder_of_dicom_may_be_named(manifest):
    path = manifest("image\tsubject", "ct\t01", images=["ct/1.dcm"])

    assert [e.path for e in open_dataset(path).images] == [path.parent / "ct"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("no.nii\t01\tn/a\t", ("missing", "no.nii", "Is not there.")),
        (
            "no\t01\tn/a\t",
            ("missing", "no", "Is not there."),
        ),
        (
            "scans.tsv\t01\tn/a\t",
            (
                "not-an-image",
                "scans.tsv",
                "Is neither an image file nor a folder of DICOM slices.",
            ),
        ),
        (
            "a.nii\t0_1\tn/a\t",
            (
                "bad-label",
                "a.nii",
                "Line 3 has the subject '0_1', which is not letters and digits.",
            ),
        ),
        (
            "a.nii\t01\t../x\t",
            (
                "bad-label",
                "a.nii",
                "Line 3 has the session '../x', which is not letters and digits.",
            ),
        ),
        (
            "a.nii\t01\tn/a\tT1/w",
            (
                "bad-label",
                "a.nii",
                "Line 3 has the suffix 'T1/w', which is not letters and digits.",
            ),
        ),
        ("n/a\t01\tn/a\t", ("bad-line", "scans.tsv", "Line 3 names no image.")),
        ("a.nii\t01", ("bad-line", "scans.tsv", "Line 3 has 2 cells for 4 columns.")),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_line_that_cannot_be_used_is_skipped(manifest, line, problem):
    path = manifest(
        "image\tsubject\tsession\tsuffix", "b.nii\t09\t\t", line, images=["a.nii", "b.nii"]
    )
    dataset = open_dataset(path)

    assert [entry.subject for entry in dataset.images] == ["sub-09"]
    assert said(dataset) == [problem]
    assert dataset.problems[0].severity == "skipped"


def test_a_dangling_link_is_not_fetched(manifest):
    path = manifest("image", "a.nii")
    (path.parent / "a.nii").symlink_to("../.git/annex/objects/x")

    assert [problem.code for problem in open_dataset(path).problems] == ["not-fetched"]


def test_a_malformed_date_and_a_column_nobody_reads(manifest):
    path = manifest("image\tage\tdate", "a.nii\t40\t3.2.1901", images=["a.nii"])
    dataset = open_dataset(path)

    assert [entry.acquired for entry in dataset.images] == [None]
    assert said(dataset) == [
        ("unknown-column", "scans.tsv", "Has the column 'age', which is not read."),
        (
            "bad-date",
            "scans.tsv",
            "Holds the date '3.2.1901', which is not ISO 8601.",
        ),
    ]


def test_two_images_that_a_manifest_does_not_tell_apart(manifest):
    images = ["a.nii", "b.nii"]
    path = manifest("image\tsubject", *(f"{name}\t01" for name in images), images=images)
    dataset = open_dataset(path)

    assert [entry.path.name for entry in dataset.images] == ["a.nii"]
    assert said(dataset) == [
        (
            "duplicate",
            "b.nii",
            "Has the subject, session, entities and suffix of 'a.nii', which is used instead.",
        )
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path\tsubject\n", "has no column 'image': only path, subject."),
        ("image,subject\n", "has no column 'image': only image,subject."),
        ("", ": line 1 names no column, or one twice: ()."),
    ],
    ids=["other-column", "commas", "empty"],
)
def test_a_table_that_is_no_manifest(tmp_path, content, message):
    path = tmp_path / "scans.tsv"
    path.write_text(content)
    with pytest.raises(InputError) as caught:  # noqa: PT011 - compared whole below
        open_dataset(path)

    assert caught.value.code == "bad-table"
    assert str(caught.value).removeprefix(str(path)).lstrip() == message


def test_filters(manifest):
    images = [f"sub-0{n}_T1w.nii" for n in (1, 2)]
    path = manifest("image", *images, images=images)
    dataset = open_dataset(path, subjects=["02", "03"])

    assert dataset.subjects == ("sub-02",)
    assert [problem.message for problem in dataset.problems] == ["Has no subject sub-03."]
