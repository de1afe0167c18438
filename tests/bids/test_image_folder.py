"""Finding in a plain folder, and of a single image: whose images they are."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.entities import LABEL
from medprompt_cli.bids.image_folder import MAX_DEPTH, unique_labels
from medprompt_cli.bids.listing import POINTER_BYTES
from medprompt_cli.errors import InputError

CONTENT = bytes(POINTER_BYTES)
DICOM = bytes(128) + b"DICM" + bytes(64)


def plant(root, *names, content=CONTENT):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def found(dataset):
    return {
        entry.path.relative_to(dataset.root).as_posix(): (entry.subject, entry.suffix)
        for entry in dataset.images
    }


def test_every_image_is_a_subject_labelled_after_its_path(tmp_path):
    plant(tmp_path, "t1_crop.nii.gz", "a/study1_FLAIR.nii", "b/study1_FLAIR.nii", "b/n.MGZ")
    plant(tmp_path, "a/notes.txt", ".hidden/x.nii", "derivatives/y.nii", "a/study1_mask.nii")
    dataset = open_dataset(tmp_path)

    assert dataset.kind == "folder"
    assert found(dataset) == {
        "a/study1_FLAIR.nii": ("sub-astudy1FLAIR", "FLAIR"),
        "b/n.MGZ": ("sub-bn", None),
        "b/study1_FLAIR.nii": ("sub-bstudy1FLAIR", "FLAIR"),
        "t1_crop.nii.gz": ("sub-t1crop", None),
    }
    assert dataset.ignored == {"mask": 1}
    assert dataset.problems == ()


def test_names_of_bids_are_understood(tmp_path):
    plant(tmp_path, "sub-01_ses-2_T1w.nii.gz", "sub-01_ses-2_FLAIR.nii.gz", "x/sub-02_T2w.nii")
    dataset = open_dataset(tmp_path)

    assert [(e.subject, e.session, e.suffix) for e in dataset.images] == [
        ("sub-01", "ses-2", "FLAIR"),
        ("sub-01", "ses-2", "T1w"),
        ("sub-02", None, "T2w"),
    ]


def test_one_subject_named_in_two_folders_is_not_taken_for_one_person(tmp_path):
    plant(tmp_path, "site-a/sub-01_T1w.nii.gz", "site-b/sub-01_FLAIR.nii.gz")
    dataset = open_dataset(tmp_path)

    assert found(dataset) == {
        "site-a/sub-01_T1w.nii.gz": ("sub-siteasub01T1w", "T1w"),
        "site-b/sub-01_FLAIR.nii.gz": ("sub-sitebsub01FLAIR", "FLAIR"),
    }
    assert [(p.code, p.severity, p.message) for p in dataset.problems] == 2 * [
        (
            "ambiguous-subject",
            "warning",
            "Is taken for a subject of its own: other folders have a sub-01 too.",
        )
    ]


def test_folders_below_that_of_a_subject_are_the_same_persons(tmp_path):
    plant(tmp_path, "x/sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz")
    plant(tmp_path, "x/sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz")
    dataset = open_dataset(tmp_path)

    assert dataset.subjects == ("sub-01",)
    assert dataset.problems == ()


def test_labels_that_would_collide_get_a_hash(tmp_path):
    plant(tmp_path, "a-b.nii", "ab.nii", "AB/x.nii", "a/bx.nii", "sub-C_T1w.nii", "c.nii")
    labels = {name: subject for name, (subject, _) in found(open_dataset(tmp_path)).items()}

    def hashed(name):
        return hashlib.sha256(name.encode()).hexdigest()[:6]

    assert labels == {
        "AB/x.nii": "sub-ABx" + hashed("AB/x"),
        "a/bx.nii": "sub-abx" + hashed("a/bx"),
        "a-b.nii": "sub-ab" + hashed("a-b"),
        "ab.nii": "sub-ab" + hashed("ab"),
        "c.nii": "sub-c" + hashed("c"),
        "sub-C_T1w.nii": "sub-C",
    }


@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1
        ),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
def test_labels_are_labels_and_differ(names):
    labels = unique_labels(names)

    assert all(LABEL.fullmatch(label) for label in labels)
    assert len({label.lower() for label in labels}) == len(names)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
@pytest.mark.parametrize(
    "name",
    [b"a b.nii", b'it\'s "x".nii', b"new\nline.nii", "머리.nii".encode(), b"\xff\xfe.nii"],
    ids=["space", "quotes", "newline", "unicode", "not-utf-8"],
)
def test_strange_names_survive(tmp_path, name):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(CONTENT)
    entry = open_dataset(tmp_path).images[0]

    assert entry.path == path
    assert entry.path.read_bytes() == CONTENT
    assert LABEL.fullmatch(entry.entities["sub"])


def test_of_several_formats_of_one_image_one_is_taken(tmp_path):
    plant(tmp_path, "norm.mgz", "norm.nii", "norm.nii.gz")
    dataset = open_dataset(tmp_path)

    assert found(dataset) == {"norm.nii.gz": ("sub-norm", None)}
    assert [(p.code, p.path.name) for p in dataset.problems] == [
        ("duplicate", "norm.mgz"),
        ("duplicate", "norm.nii"),
    ]


@pytest.mark.parametrize("name", ["1.dcm", "1.IMA", "1.2.840.10008.5", "IM0001"])
def test_a_folder_of_dicom_is_one_image(tmp_path, name):
    plant(tmp_path, f"person/FLAIR/{name}", "person/FLAIR/x2", content=DICOM)
    plant(tmp_path, "person/T1.nii.gz", "person/FLAIR/readme.txt")
    dataset = open_dataset(tmp_path)

    assert found(dataset) == {
        "person/FLAIR": ("sub-personFLAIR", "FLAIR"),
        "person/T1.nii.gz": ("sub-personT1", "T1w"),
    }


def test_the_given_folder_may_be_the_series(tmp_path):
    series = tmp_path / "head CT"
    plant(series, "1.dcm", content=DICOM)
    dataset = open_dataset(series)

    assert [(e.path, e.subject) for e in dataset.images] == [(series, "sub-headCT")]


def test_files_without_the_magic_and_a_dicomdir_are_no_series(tmp_path):
    plant(tmp_path, "a/core", content=bytes(400))
    plant(tmp_path, "b/DICOMDIR", content=DICOM)
    os.mkfifo(tmp_path / "a/pipe")

    assert open_dataset(tmp_path).images == ()


def test_a_folder_is_searched_once_whatever_links_to_it(tmp_path):
    plant(tmp_path, "z/scan.nii")
    (tmp_path / "z/up").symlink_to("..")
    (tmp_path / "again").symlink_to("z")

    assert len(open_dataset(tmp_path).images) == 1


def test_folders_that_nest_without_end_are_said(tmp_path):
    deepest = "/".join("x" * (MAX_DEPTH + 1))
    plant(tmp_path, f"{deepest}/scan.nii")
    dataset = open_dataset(tmp_path)

    assert dataset.images == ()
    assert [(p.code, p.path) for p in dataset.problems] == [
        ("too-deep", (tmp_path / deepest).parent)
    ]


def test_a_single_image(tmp_path):
    plant(tmp_path, "my T1.nii.gz", "other.nii.gz")
    dataset = open_dataset(tmp_path / "my T1.nii.gz")

    assert (dataset.kind, dataset.root) == ("image", tmp_path)
    assert found(dataset) == {"my T1.nii.gz": ("sub-myT1", None)}


def test_a_single_image_of_a_bids_dataset_keeps_what_is_known_of_it(tmp_path):
    name = "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz"
    plant(tmp_path, name, "sub-02/anat/sub-02_T1w.nii.gz")
    plant(tmp_path, "T1w.json", content=b'{"EchoTime": 0.003}')
    plant(tmp_path, "participants.tsv", content=b"participant_id\tage\nsub-01\t40\n")
    scans = b"filename\tacq_time\nanat/sub-01_ses-1_T1w.nii.gz\t1901-02-03\n"
    plant(tmp_path, "sub-01/ses-1/sub-01_ses-1_scans.tsv", content=scans)
    dataset = open_dataset(tmp_path / name)

    assert (dataset.kind, dataset.root) == ("image", tmp_path)
    assert [(e.subject, e.session, e.acquired) for e in dataset.images] == [
        ("sub-01", "ses-1", date(1901, 2, 3))
    ]
    assert dataset.participants["sub-01"]["age"] == "40"
    assert dataset.metadata(dataset.images[0]).values == {"EchoTime": 0.003}


def test_an_image_named_by_itself_need_not_follow_bids(tmp_path):
    plant(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/odd name.nii.gz")
    dataset = open_dataset(tmp_path / "sub-01/anat/odd name.nii.gz")

    assert found(dataset) == {"odd name.nii.gz": ("sub-oddname", None)}
    assert dataset.problems == ()


def test_a_single_image_without_content_is_a_problem(tmp_path):
    plant(tmp_path, "a.nii", content=b"")
    dataset = open_dataset(tmp_path / "a.nii")

    assert dataset.images == ()
    assert [problem.code for problem in dataset.problems] == ["empty"]


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("1.dcm", b"", "dicom-file", "is one DICOM file of a series."),
        ("IM0001", DICOM, "dicom-file", "is one DICOM file of a series."),
        (
            "a.png",
            CONTENT,
            "not-an-image",
            "is neither an image nor a manifest: its name ends in none of "
            ".nii.gz, .nii, .mgz, .mgh and .tsv.",
        ),
    ],
)
def test_a_file_that_holds_no_image(tmp_path, name, content, code, message):
    plant(tmp_path, name, content=content)
    with pytest.raises(InputError) as caught:  # noqa: PT011 - compared whole below
        open_dataset(tmp_path / name)

    assert (caught.value.code, str(caught.value)) == (code, f"{tmp_path / name} {message}")


def test_a_directory_named_like_an_image(tmp_path):
    (tmp_path / "x.nii.gz").mkdir()
    with pytest.raises(InputError, match=r"x\.nii\.gz is a directory, not an image file\."):
        open_dataset(tmp_path / "x.nii.gz")

    assert [p.code for p in open_dataset(tmp_path).problems] == ["is-directory"]


@pytest.mark.shared
@pytest.mark.parametrize(("folder", "images"), [("ct", 1), ("anatomy", 7), ("orientation", 48)])
def test_folders_of_real_scans(shared_data, folder, images):
    dataset = open_dataset(shared_data / folder)

    assert len(dataset.images) == images
    assert len(dataset.subjects) == images
    assert dataset.problems == ()
