"""What a rerun makes of what it finds."""

from __future__ import annotations

import dataclasses
import os

import pytest

from medprompt_cli.cohort import records
from medprompt_cli.cohort.records import Basis

BASIS = Basis(100, 1, "plan", "weights")


@pytest.fixture
def out(tmp_path):
    """An output folder with one finished image of two files."""
    (tmp_path / "a.nii.gz").write_bytes(b"12345")
    (tmp_path / "a.json").write_bytes(b"{}")
    write(tmp_path, "done")
    return tmp_path


def write(out, status, basis=BASIS):
    content = {"outputs": {"a.nii.gz": 5, "a.json": 2}}
    records.write_record(records.record_path(out, "sub-01_T1w"), status, basis, content)


def standing(out, basis=BASIS):
    record = records.read_record(records.record_path(out, "sub-01_T1w"))
    return records.standing(out, record, basis)


def test_what_is_done_is_current(out):
    assert standing(out) == "current"


@pytest.mark.parametrize("field", ["bytes", "modified_ns", "plan", "weights"])
def test_whatever_changes_is_to_be_done_again(out, field):
    changed = 7 if field in {"bytes", "modified_ns"} else "other"

    assert standing(out, dataclasses.replace(BASIS, **{field: changed})) == "todo"


@pytest.mark.parametrize("name", ["a.nii.gz", "a.json", "logs/sub-01_T1w.json"])
def test_whatever_is_missing_is_to_be_done_again(out, name):
    (out / name).unlink()

    assert standing(out) == "todo"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": 1}', b'{"schema": 99}'])
def test_a_record_that_cannot_be_used_is_none(out, content):
    records.record_path(out, "sub-01_T1w").write_bytes(content)

    assert standing(out) == "todo"


@pytest.mark.parametrize("status", ["failed", "writing"])
def test_what_is_not_done_is_to_be_done(out, status):
    write(out, status)

    assert standing(out) == "todo"


def test_a_file_changed_by_hand_is_kept_and_blocks_what_would_overwrite_it(out):
    (out / "a.nii.gz").write_bytes(b"123456")

    assert standing(out) == "edited"
    assert standing(out, dataclasses.replace(BASIS, plan="other")) == "blocked"


def test_a_run_cut_off_between_renames_does_not_look_like_an_edit(out):
    write(out, "writing")
    (out / "a.nii.gz").write_bytes(b"123456")

    assert standing(out) == "todo"


def test_the_basis_of_a_file_and_of_a_folder(tmp_path):
    for name, time_ns in (("1.dcm", 3_000_000_000), ("2.dcm", 5_000_000_000)):
        (tmp_path / name).write_bytes(b"12345")
        os.utime(tmp_path / name, ns=(0, time_ns))

    assert records.basis_of([tmp_path / "1.dcm"], "p", "w") == Basis(5, 3_000_000_000, "p", "w")
    assert records.basis_of([tmp_path], "p", "w") == Basis(10, 5_000_000_000, "p", "w")
    assert records.basis_of([tmp_path / "none"], "p", "w") == Basis(-1, -1, "p", "w")


def test_the_basis_of_images_read_together_changes_with_each(tmp_path):
    images = [tmp_path / "T1w.nii", tmp_path / "FLAIR.nii"]
    for image, time_ns in zip(images, (3_000_000_000, 5_000_000_000), strict=True):
        image.write_bytes(b"12345")
        os.utime(image, ns=(0, time_ns))
    before = records.basis_of(images, "p", "w")
    os.utime(images[0], ns=(0, 2_000_000_000))

    assert before == Basis(10, 8_000_000_000, "p", "w")
    assert records.basis_of(images, "p", "w") != before
    assert records.basis_of([*images, tmp_path / "none"], "p", "w") == Basis(-1, -1, "p", "w")
