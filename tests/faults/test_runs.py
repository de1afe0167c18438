"""What can go wrong around a run: the disk, the clock, a thread, names of files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from medprompt_cli import api
from medprompt_cli.bids import atomic
from medprompt_cli.cohort import case
from medprompt_cli.cohort.agenda import current_agenda
from medprompt_cli.errors import OutputError

HOUR_NS = 3600 * 10**9


@pytest.fixture(autouse=True)
def no_power_cuts(monkeypatch):
    """Do not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def bids(tmp_path, save_scan):
    """Two subjects with a hippocampus each."""
    for who in ("01", "02"):
        save_scan(tmp_path / f"bids/sub-{who}/anat/sub-{who}_T1w.nii.gz", "left-hippocampus")
    return tmp_path / "bids"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def run(bids, out, monkeypatch, threshold_segmenter):
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)

    def segment(*prompts, source=bids, **options):
        asked = prompts or ("left hippocampus",)
        return api.segment(source, out, asked, api.SegmentOptions(**options))

    return segment


def failing_at(number, moment):
    """An fsync that fails from the n-th call on, as a disk does that is full."""
    sync, left = os.fsync, [moment]

    def fsync(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    return fsync


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS], ids=["full", "read-only"])
def test_a_disk_that_fails_at_any_write_ends_the_run_and_a_rerun_completes_it(
    run, bids, out, contents, monkeypatch, number
):
    (bids / "sub-02/anat/sub-02_T1w.nii.gz").unlink()
    complete = (run(), contents())[1]
    said, step = os.strerror(number), 1 if number == errno.ENOSPC else 9
    moments = 0
    for moment in range(0, 100, step):
        for path in sorted(out.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        with monkeypatch.context() as patch:
            patch.setattr(atomic.os, "fsync", failing_at(number, moment))
            try:
                stopped = run().stopped
            except OutputError as error:
                stopped = error
        if stopped is None:
            break
        assert str(stopped).endswith(f"could not be written: {said}.")
        assert not list(out.rglob("*.part"))
        assert contents().items() <= complete.items()  # nothing torn, nothing else
        assert run().exit_code == 0
        assert contents() == complete
        moments = moment + 1

    assert moments >= 18


def test_a_clock_that_was_set_back(run, out, bids):
    """What counts is the run that was last, whatever the times of files say."""
    run("left hippocampus", "ventricles")
    for path in (out / "logs").rglob("*.json"):
        later = path.stat().st_mtime_ns + HOUR_NS
        os.utime(path, ns=(later, later))
    assert len(run("ventricles").having("done")) == 2

    agenda = current_agenda(out)
    assert agenda is not None
    assert agenda.prompts == ("ventricles",)
    assert {case.progress for case in api.status(out).cases} == {"done"}

    scan = bids / "sub-01/anat/sub-01_T1w.nii.gz"
    earlier = scan.stat().st_mtime_ns - HOUR_NS
    content = bytearray(scan.read_bytes())
    content[4] ^= 1  # another file of the same size, from before
    scan.write_bytes(content)
    os.utime(scan, ns=(earlier, earlier))
    assert [o.name for o in run("ventricles").having("done")] == ["sub-01_T1w"]


def test_a_thread_that_dies_ends_the_run_and_keeps_what_is_done(
    run, out, contents, monkeypatch
):
    complete = (run(), contents())[1]
    for path in sorted(out.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    read = case.read_image

    def die(path, **options):
        if "sub-02" in path.name:
            raise SystemExit(3)  # nothing that one image may raise
        return read(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(case, "read_image", die)
        with pytest.raises(SystemExit):
            run()

    assert (out / "logs" / "sub-01_T1w.json").exists()
    assert not list(out.rglob("*.part"))
    again = run()
    assert {o.name: o.status for o in again.outcomes}["sub-01_T1w"] == "kept"
    assert contents() == complete


@pytest.mark.parametrize(
    "name",
    ["my scan", "it's", 'a"b', "two\nlines", "머리", "\U0001f9e0", "-rf", "$(id)", "caf\udce9"],
)
def test_any_name_is_a_name(run, out, tmp_path, save_scan, name):
    """Results have plain names, and what is kept is known again by the name as it is."""
    folder = tmp_path / "in"
    save_scan(tmp_path / "plain.nii.gz", "left-hippocampus")
    folder.mkdir()
    (tmp_path / "plain.nii.gz").rename(folder / f"{name}.nii.gz")
    first, again = run(source=folder), run(source=folder)

    assert [(o.status, o.source.name) for o in (*first.outcomes, *again.outcomes)] == [
        ("done", f"{name}.nii.gz"),
        ("kept", f"{name}.nii.gz"),
    ]
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert path.name.isascii()
        assert not set(path.name) & set(" '\"\n$()")
    assert api.status(out).exit_code == 0
    assert Path(api.tables(out)[0]).stat().st_size > 0
