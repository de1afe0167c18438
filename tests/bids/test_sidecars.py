"""Sidecars: the inheritance principle, and JSON that cannot be read."""

from __future__ import annotations

import json

import pytest

from medprompt_cli.bids.dataset import open_dataset

IMAGE = "sub-01/ses-1/anat/sub-01_ses-1_acq-fast_T1w.nii.gz"


@pytest.fixture
def describe(tmp_path):
    """Write an image of a BIDS dataset, and JSON files around it; return its metadata."""

    def write(files, image=IMAGE):
        for name, content in {image: bytes(2048), **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            path.write_bytes(raw)
        dataset = open_dataset(tmp_path)
        return dataset.metadata(dataset.images[0])

    return write


def test_the_nearest_file_wins(describe, tmp_path):
    metadata = describe(
        {
            "T1w.json": {"a": 1, "b": 1, "c": 1, "d": 1},
            "sub-01/sub-01_T1w.json": {"b": 2, "c": 2, "d": 2},
            "sub-01/ses-1/sub-01_ses-1_T1w.json": {"c": 3, "d": 3},
            IMAGE.replace(".nii.gz", ".json"): {"d": 4},
        }
    )

    assert metadata.values == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert [path.relative_to(tmp_path).as_posix() for path in metadata.sources] == [
        "T1w.json",
        "sub-01/sub-01_T1w.json",
        "sub-01/ses-1/sub-01_ses-1_T1w.json",
        IMAGE.replace(".nii.gz", ".json"),
    ]
    assert metadata.problems == ()


@pytest.mark.parametrize(
    "name",
    [
        "T2w.json",
        "acq-slow_T1w.json",
        "run-1_T1w.json",
        "acq-fast+b_T1w.json",
        "sub-01/ses-2/T1w.json",
        "sub-01/ses-1/func/T1w.json",
        "dataset_description.json",
        "../T1w.json",
    ],
)
def test_other_files_do_not_apply(describe, tmp_path, name):
    image = "data/" + IMAGE
    describe({"data/" + name: {"a": 1}}, image)
    dataset = open_dataset(tmp_path / "data")

    assert dataset.metadata(dataset.images[0]).sources == ()


def test_two_files_of_one_folder_are_ambiguous_and_the_narrower_wins(describe):
    metadata = describe({"acq-fast_T1w.json": {"a": 2}, "T1w.json": {"a": 1, "b": 1}})

    assert metadata.values == {"a": 2, "b": 1}
    assert [(p.code, p.path.name, p.message) for p in metadata.problems] == [
        (
            "ambiguous-sidecar",
            "acq-fast_T1w.json",
            "Applies to one image together with ['T1w.json']; this file wins.",
        )
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{\n  "a": 1,\n  "b" 2\n}\n', "Line 3, column 7: Expecting ':' delimiter."),
        (b"", "Line 1, column 1: Expecting value."),
        (b"[1]", "Holds a list where an object is expected."),
        (b'{"a": "\xff"}', "Cannot be read: 'utf-8' codec can't decode byte 0xff in"),
        (b"[" * 100_000, "Cannot be read: maximum recursion depth exceeded"),
    ],
    ids=["comma", "empty", "list", "latin-1", "bottomless"],
)
def test_json_that_cannot_be_read_is_left_out_and_said(describe, content, message):
    metadata = describe({"T1w.json": content, "sub-01/T1w.json": {"b": 2}})

    assert metadata.values == {"b": 2}
    assert [problem.code for problem in metadata.problems] == ["bad-sidecar"]
    assert metadata.problems[0].message.startswith(message)


def test_a_byte_order_mark_is_no_fault(describe):
    assert describe({"T1w.json": b'\xef\xbb\xbf{"a": 1}'}).values == {"a": 1}


def test_a_sidecar_that_is_not_fetched(describe, tmp_path):
    (tmp_path / "T1w.json").symlink_to(".git/annex/objects/x")
    metadata = describe({})

    assert [problem.message for problem in metadata.problems] == [
        "Is not fetched: it links to a file that is not there."
    ]


def test_outside_bids_the_file_of_the_same_name_applies(describe):
    metadata = describe(
        {"a/scan 1.json": {"a": 1}, "a/other.json": {"b": 1}}, image="a/scan 1.nii.gz"
    )

    assert metadata.values == {"a": 1}
