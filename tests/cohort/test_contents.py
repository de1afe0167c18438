"""What a scan holds decides where its time says nothing, and everywhere if asked."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import pytest

from medprompt_cli.cohort import records


@pytest.fixture
def scan(bids):
    return bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz"


def record(out) -> Any:
    return json.loads((out / "logs" / "sub-01_T1w.json").read_bytes())


def test_a_copy_with_another_time_is_not_done_again(
    run, scan, out, threshold_segmenter, contents, monkeypatch
):
    run()
    before = contents()
    os.utime(scan, ns=(5, 5))
    threshold_segmenter.seen.clear()

    assert {outcome.status for outcome in run().outcomes} == {"kept"}
    assert threshold_segmenter.seen == []
    assert contents() == before
    assert record(out)["basis"]["modified_ns"] == 5
    # the new time is known now: nothing is read to tell
    monkeypatch.setattr(records, "contents_of", lambda images: "0" * 64)
    assert {outcome.status for outcome in run().outcomes} == {"kept"}


def test_other_contents_of_the_same_size_and_time_are_found_if_asked(
    run, scan, out, threshold_segmenter
):
    run()
    content, times = bytearray(scan.read_bytes()), scan.stat()
    content[4] ^= 1  # the time in the header of gzip, which says nothing of the image
    scan.write_bytes(content)
    os.utime(scan, ns=(times.st_atime_ns, times.st_mtime_ns))
    threshold_segmenter.seen.clear()

    assert {outcome.status for outcome in run().outcomes} == {"kept"}
    assert threshold_segmenter.seen == []

    run(hash=True)

    assert threshold_segmenter.seen == ["sub-01_T1w.nii.gz"]
    known = record(out)["contents"]
    assert known == hashlib.sha256(scan.read_bytes()).hexdigest()
