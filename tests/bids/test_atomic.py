"""The write function: all of a file or none of it, and nothing left lying about."""

from __future__ import annotations

import errno
import os
import time

import pytest

from medprompt_cli.bids import atomic
from medprompt_cli.errors import OutputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def failing(number):
    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_file_is_written_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "c.json"
    atomic.write_file(path, b"content")

    assert path.read_bytes() == b"content"
    assert names(path.parent) == ["c.json"]


def test_nothing_has_the_final_name_before_commit(tmp_path):
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(b"old")
    staged = atomic.stage(path, lambda stream: stream.write(b"new"))

    assert path.read_bytes() == b"old"
    assert staged.temporary.read_bytes() == b"new"

    atomic.commit(staged)

    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["mask.nii.gz"]


def test_a_file_with_the_content_is_left_alone(tmp_path):
    path = tmp_path / "table.tsv"
    atomic.write_file(path, b"same")
    os.utime(path, ns=(1, 1))
    atomic.write_file_if_new(path, b"same")

    assert path.stat().st_mtime_ns == 1

    atomic.write_file_if_new(path, b"other")

    assert path.read_bytes() == b"other"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (
            errno.ENOSPC,
            "Free some space, then run the same command again: what is done is kept.",
        ),
        (
            errno.EDQUOT,
            "Free some space, then run the same command again: what is done is kept.",
        ),
        (
            errno.EFBIG,
            "Raise the limit on file size (ulimit -f), then run the same command again.",
        ),
        (errno.EACCES, "Choose an output folder that you may write to."),
        (errno.EROFS, "Choose an output folder that you may write to."),
        (errno.EIO, "Check the output disk, then run the same command again."),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_refused_write_names_the_file_and_leaves_nothing(
    tmp_path, monkeypatch, number, remedy, step
):
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(b"old")
    fill = failing(number) if step == "write" else lambda stream: stream.write(b"new")
    if step == "fsync":
        monkeypatch.setattr(atomic.os, "fsync", failing(number))
    if step == "replace":
        monkeypatch.setattr(atomic.Path, "replace", failing(number))
    with pytest.raises(OutputError, match="could not be written") as caught:
        atomic.commit(atomic.stage(path, fill))

    assert str(caught.value) == f"{path} could not be written: {os.strerror(number)}."
    assert caught.value.remedy == remedy
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["mask.nii.gz"]


def test_only_a_full_or_read_only_disk_ends_a_run(tmp_path, monkeypatch):
    said = {}
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG):
        with pytest.raises(OutputError, match="could not be written") as caught:
            atomic.stage(tmp_path / "a", failing(number))
        said[errno.errorcode[number]] = atomic.leaves_no_room(caught.value)

    assert said == {
        "ENOSPC": True,
        "EDQUOT": True,
        "EROFS": True,
        "EACCES": False,
        "EFBIG": False,
    }


def test_a_folder_that_is_a_file_is_an_output_error(tmp_path):
    (tmp_path / "sub-01").write_bytes(b"")
    path = tmp_path / "sub-01" / "mask.nii.gz"
    with pytest.raises(OutputError, match="could not be written") as caught:
        atomic.write_file(path, b"")

    assert str(caught.value) == f"{path} could not be written: File exists."


def test_a_check_that_fails_keeps_the_file_from_its_name(tmp_path):
    def refuse(written):
        assert written.read_bytes() == b"new"
        raise OutputError("It is not what it was.", remedy="Check the disk.")

    path = tmp_path / "mask.nii.gz"
    with pytest.raises(OutputError, match=r"^It is not what it was\.$"):
        atomic.stage(path, lambda stream: stream.write(b"new"), refuse)

    assert names(tmp_path) == []


def test_an_interrupt_leaves_nothing(tmp_path):
    def interrupt(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic.stage(tmp_path / "mask.nii.gz", interrupt)

    assert names(tmp_path) == []


def ended_process():
    process = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(process, 0)
    return process


def test_what_an_ended_process_left_is_removed(tmp_path):
    host, process = atomic._host(), ended_process()
    folder = tmp_path / "sub-01" / "anat"
    folder.mkdir(parents=True)
    left = folder / f".mask.nii.gz.{host}.{process}.part"
    running = folder / f".mask.nii.gz.{host}.{os.getpid()}.part"
    elsewhere = folder / f".mask.nii.gz.other-host.{process}.part"
    old = folder / f".old.json.other-host.{process}.part"
    for path in (left, running, elsewhere, old, folder / "notes.part"):
        path.write_bytes(b"half")
    day_old = time.time() - atomic.ABANDONED_AFTER_S - 60
    os.utime(old, (day_old, day_old))
    atomic.remove_leftovers(tmp_path)

    assert names(folder) == sorted([running.name, elsewhere.name, "notes.part"])
