"""Walking a BIDS dataset: what is taken, what is not, and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from medprompt_cli.bids.dataset import open_dataset
from medprompt_cli.bids.listing import POINTER_BYTES

CONTENT = bytes(POINTER_BYTES)


def found(dataset):
    return [entry.path.relative_to(dataset.root).as_posix() for entry in dataset.images]


def said(dataset, *, without=()):
    return [
        (problem.code, problem.path.relative_to(dataset.root).as_posix(), problem.message)
        for problem in dataset.problems
        if problem.code not in without
    ]


def test_scans_of_subjects_with_and_without_sessions(plant):
    root = plant(
        "dataset_description.json",
        "sub-01/ses-02/anat/sub-01_ses-02_acq-fast_run-1_T1w.nii.gz",
        "sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii",
        "sub-02/anat/sub-02_T2w.nii.gz",
        "sub-03/ct/sub-03_ct.nii.gz",
    )
    dataset = open_dataset(root)

    assert dataset.kind == "bids"
    assert dataset.problems == ()
    assert [(e.subject, e.session, e.suffix, e.stem) for e in dataset.images] == [
        ("sub-01", "ses-01", "FLAIR", "sub-01_ses-01_FLAIR"),
        ("sub-01", "ses-02", "T1w", "sub-01_ses-02_acq-fast_run-1_T1w"),
        ("sub-02", None, "T2w", "sub-02_T2w"),
        ("sub-03", None, "ct", "sub-03_ct"),
    ]
    assert dataset.images[1].entities == {"sub": "01", "ses": "02", "acq": "fast", "run": "1"}
    assert [e.modality for e in dataset.images] == ["MR", "MR", "MR", "CT"]
    assert dataset.subjects == ("sub-01", "sub-02", "sub-03")
    assert dataset.sessions == (("sub-01", "ses-01"), ("sub-01", "ses-02"))


def test_what_is_no_scan_of_anatomy_is_counted_and_passed_over(plant):
    root = plant(
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_defacemask.nii.gz",
        "sub-01/anat/.sub-01_T2w.nii.gz",
        "sub-01/fmap/sub-01_epi.nii.gz",
        "sub-01/perf/sub-01_asl.nii.gz",
        "derivatives/x/sub-01/anat/sub-01_T1w.nii.gz",
        "sourcedata/sub-01/anat/sub-01_T1w.nii.gz",
        ".git/sub-01/anat/sub-01_T1w.nii.gz",
    )
    dataset = open_dataset(root)

    assert found(dataset) == ["sub-01/anat/sub-01_T1w.nii.gz"]
    assert dataset.ignored == {"defacemask": 1, "fmap": 1, "perf": 1}
    assert dataset.problems == ()


def test_diffusion_images_of_one_volume_are_taken_and_the_rest_is_counted(plant):
    root = plant(
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/dwi/sub-01_dwi.nii.gz",
        "sub-01/dwi/sub-01_trace.nii.gz",
        "sub-01/dwi/sub-01_ADC.nii.gz",
        "sub-01/dwi/sub-01_FA.nii.gz",
        "sub-01/dwi/sub-01_sbref.nii.gz",
        "sub-02/dwi/sub-02_acq-b1000_dwi.nii.gz",
        "sub-02/dwi/sub-02_adc.nii.gz",
    )
    plant("sub-01/dwi/sub-01_dwi.bval", content=b"0 1000 1000\n")
    plant("sub-02/dwi/sub-02_acq-b1000_dwi.bval", content=b"1000\n")
    (root / "sub-02/dwi/sub-02_trace.nii.gz").symlink_to("nowhere/.git/annex/objects/x")
    (root / "sub-01/sub-01_scans.tsv").write_text(
        "filename\tacq_time\ndwi/sub-01_ADC.nii.gz\t2020-01-02\n"
        "dwi/sub-01_dwi.nii.gz\t2020-01-02\n"
    )
    dataset = open_dataset(root)

    assert [(e.stem, e.kind, e.modality, e.is_diffusion) for e in dataset.images] == [
        ("sub-01_T1w", "T1w", "MR", False),
        ("sub-01_ADC", "ADC", "MR", True),
        ("sub-01_trace", "dwi", "MR", True),
        ("sub-02_acq-b1000_dwi", "dwi", "MR", True),
        ("sub-02_adc", "adc", "MR", True),
    ]
    assert dataset.ignored == {"dwi": 4}  # the series, FA, sbref, what is not fetched
    assert [str(e.acquired) for e in dataset.images[:3]] == ["None", "2020-01-02", "None"]
    assert [(p.code, p.remedy) for p in dataset.problems] == [
        ("unknown-suffix", "Write ADC instead.")
    ]


@pytest.mark.parametrize(
    ("name", "code", "message", "kept"),
    [
        ("T1w", "bids-name", "Its name has no sub- in front.", False),
        ("sub-01_x_T1w", "bids-name", "Its name has 'x' where key-value is expected.", False),
        (
            "sub-02_T1w",
            "entity-mismatch",
            "Its name says sub-02, its folder says sub-01.",
            False,
        ),
        (
            "sub-01_ses-1_T1w",
            "entity-mismatch",
            "Its name says sub-01_ses-1, its folder says sub-01.",
            False,
        ),
        (
            "sub-01_run-1_acq-x_T1w",
            "entity-order",
            "Its name has 'run' before 'acq'.",
            True,
        ),
        (
            "sub-01_T1",
            "unknown-suffix",
            "Its suffix 'T1' is none of BIDS's for scans.",
            True,
        ),
    ],
)
def test_a_name_that_breaks_bids(plant, name, code, message, kept):
    path = f"sub-01/anat/{name}.nii.gz"
    dataset = open_dataset(plant("dataset_description.json", path))

    assert said(dataset, without=["no-scan"]) == [(code, path, message)]
    assert found(dataset) == ([path] if kept else [])


def test_a_new_name_is_proposed_that_no_scan_has(plant):
    folder = "sub-01/anat/"
    names = ("sub-01_T1w.nii", "T1w.nii.gz", "old_T1w.nii.gz", "o-l-d_T1w.nii.gz")
    more = (
        "sub-01_a b_T1w.nii.gz",
        "sub-01_acq-hi_res_FLAIR.nii.gz",
        "sub-01_acq-x_T2w.nii.gz",
    )
    last = ("sub-01_x_T2w.nii.gz", "sub-01_run-02_y.nii.gz", "T1w.mgz")
    dataset = open_dataset(plant(*(folder + name for name in (*names, *more, *last))))

    proposed = {
        "T1w.mgz": "sub-01_run-2_T1w.mgz",
        "T1w.nii.gz": "sub-01_run-3_T1w.nii.gz",
        "o-l-d_T1w.nii.gz": "sub-01_acq-old_T1w.nii.gz",
        "old_T1w.nii.gz": "sub-01_acq-old_run-2_T1w.nii.gz",
        "sub-01_a b_T1w.nii.gz": "sub-01_acq-ab_T1w.nii.gz",
        "sub-01_acq-hi_res_FLAIR.nii.gz": "sub-01_acq-hires_FLAIR.nii.gz",
        "sub-01_x_T2w.nii.gz": "sub-01_acq-x_run-2_T2w.nii.gz",
    }
    assert {p.path.name: p.remedy for p in dataset.problems if p.code == "bids-name"} == {
        old: f"Rename {old}, for example to {new}." for old, new in proposed.items()
    }


def test_a_session_that_its_name_leaves_out(plant):
    path = "sub-01/ses-1/anat/sub-01_T1w.nii.gz"
    dataset = open_dataset(plant(path))

    assert said(dataset, without=["no-scan"]) == [
        ("entity-mismatch", path, "Its name says sub-01, its folder says sub-01_ses-1.")
    ]


def test_misplaced_images_and_malformed_labels(plant):
    root = plant(
        "dataset_description.json",
        "scan.nii.gz",
        "sub-01/sub-01_T1w.nii.gz",
        "sub-01/extra/a.nii.gz",
        "sub-0_2/anat/sub-0_2_T1w.nii.gz",
    )
    dataset = open_dataset(root)

    assert dataset.images == ()
    assert said(dataset) == [
        ("misplaced", "scan.nii.gz", "Lies outside the folder of a datatype."),
        (
            "bad-label",
            "sub-0_2",
            "Its label 'sub-0_2' is not letters and digits after sub-.",
        ),
        ("misplaced", "sub-01/sub-01_T1w.nii.gz", "Lies outside the folder of a datatype."),
        (
            "misplaced",
            "sub-01/extra",
            "Holds 1 images, and 'extra' is no datatype of BIDS.",
        ),
        ("no-scan", "sub-01", "Holds no usable scan of anatomy."),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("sub-01_T1w.nii", "sub-01_T1w.nii.gz"),
        ("sub-01_run-1_acq-x_T1w.nii.gz", "sub-01_acq-x_run-1_T1w.nii.gz"),
    ],
    ids=["two-extensions", "two-orders"],
)
def test_of_two_images_with_one_identity_one_is_taken(plant, first, second):
    dataset = open_dataset(plant(f"sub-01/anat/{first}", f"sub-01/anat/{second}"))
    lost = {first, second} - {Path(name).name for name in found(dataset)}

    assert len(dataset.images) == 1
    assert ("sub-01_T1w.nii" in lost) == (first == "sub-01_T1w.nii")
    assert said(dataset, without=["entity-order"]) == [
        (
            "duplicate",
            f"sub-01/anat/{lost.pop()}",
            f"Has the subject, session, entities and suffix of "
            f"{dataset.images[0].path.name!r}, which is used instead.",
        )
    ]


@pytest.mark.parametrize(
    ("target", "remedy"),
    [
        (
            "../../.git/annex/objects/aa/bb/MD5E-s9--00.nii.gz/MD5E-s9--00.nii.gz",
            "Fetch the content with `datalad get` or `git annex get`, or copy it.",
        ),
        ("/nowhere/scan.nii.gz", "Fetch or copy the file that the link points to."),
    ],
    ids=["git-annex", "other"],
)
def test_a_dangling_link_is_not_fetched(plant, target, remedy):
    root = plant("sub-01/anat/sub-01_FLAIR.nii.gz")
    (root / "sub-01/anat/sub-01_T1w.nii.gz").symlink_to(target)
    dataset = open_dataset(root)

    assert found(dataset) == ["sub-01/anat/sub-01_FLAIR.nii.gz"]
    assert [(p.code, p.remedy, p.severity) for p in dataset.problems] == [
        ("not-fetched", remedy, "skipped")
    ]


@pytest.mark.parametrize(
    ("content", "code", "remedy"),
    [
        (b"", "empty", "Copy or download it again."),
        (
            b"/annex/objects/MD5E-s9--00.nii.gz\n",
            "not-fetched",
            "Fetch the content with `datalad get` or `git annex get`, or copy it.",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "not-fetched",
            "Fetch the content with `git lfs pull`, or copy it.",
        ),
    ],
    ids=["empty", "unlocked-annex", "git-lfs"],
)
def test_a_file_without_the_image_in_it(plant, content, code, remedy):
    root = plant("sub-01/anat/sub-01_T1w.nii.gz", content=content)
    dataset = open_dataset(root)

    assert dataset.images == ()
    assert [(p.code, p.remedy) for p in dataset.problems if p.code != "no-scan"] == [
        (code, remedy)
    ]


def test_a_link_to_an_image_is_an_image_under_its_own_name(plant):
    root = plant("sub-01/anat/sub-01_T1w.nii.gz")
    (root / "sub-01/anat/sub-01_T2w.nii.gz").symlink_to("sub-01_T1w.nii.gz")

    assert [entry.suffix for entry in open_dataset(root).images] == ["T1w", "T2w"]


def test_loops_of_links_and_directories_named_like_images(plant):
    root = plant("sub-01/anat/sub-01_T1w.nii.gz")
    (root / "sub-02").symlink_to("sub-02")
    (root / "sub-01/anat/sub-01_T2w.nii.gz").symlink_to("sub-01_T2w.nii.gz")
    (root / "sub-01/anat/sub-01_FLAIR.nii.gz").mkdir()
    dataset = open_dataset(root)

    assert found(dataset) == ["sub-01/anat/sub-01_T1w.nii.gz"]
    assert said(dataset) == [
        (
            "is-directory",
            "sub-01/anat/sub-01_FLAIR.nii.gz",
            "Is a directory, not an image file.",
        ),
        (
            "unreadable",
            "sub-01/anat/sub-01_T2w.nii.gz",
            "Cannot be read: Too many levels of symbolic links.",
        ),
    ]


def test_a_pipe_named_like_an_image_does_not_hang(plant):
    root = plant("sub-01/anat/sub-01_T1w.nii.gz")
    os.mkfifo(root / "sub-01/anat/sub-01_T2w.nii.gz")

    assert [problem.code for problem in open_dataset(root).problems] == ["not-a-file"]


def test_a_folder_that_may_not_be_read(open_folder, without_privileges):
    for name in ("sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz"):
        (open_folder / name).parent.mkdir(parents=True)
        (open_folder / name).write_bytes(CONTENT)
    (open_folder / "sub-02/anat").chmod(0)
    with without_privileges():
        dataset = open_dataset(open_folder)

    assert found(dataset) == ["sub-01/anat/sub-01_T1w.nii.gz"]
    assert said(dataset) == [
        ("no-permission", "sub-02/anat", "May not be read by this user."),
        ("no-scan", "sub-02", "Holds no usable scan of anatomy."),
    ]


def test_bidsignore(plant):
    root = plant(
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_run-2_T1w.nii.gz",
        "sub-01/extra/a.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz",
    )
    plant(".bidsignore", content=b"*_run-*\nextra/\n/sub-02/\n")
    dataset = open_dataset(root)

    assert found(dataset) == ["sub-01/anat/sub-01_T1w.nii.gz"]
    assert dataset.problems == ()


def test_a_bidsignore_that_cannot_be_read_ignores_nothing(plant):
    root = plant("sub-01/anat/sub-01_T1w.nii.gz")
    plant(".bidsignore", content=b"\xff\n")
    dataset = open_dataset(root)

    assert len(dataset.images) == 1
    assert [problem.code for problem in dataset.problems] == ["bad-ignore"]
