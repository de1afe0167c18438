"""People scanned twice teach the limits that the difference of their volumes says."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.api import SegmentOptions, calibrate
from medprompt_cli.cli.app import app
from medprompt_cli.cohort import calibrating
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.repeatability import read_limits

LEFT, RIGHT, STEM = 117, 153, 116
LEFT_HIPPOCAMPUS, RIGHT_HIPPOCAMPUS = "left-hippocampus", "right-hippocampus"


@pytest.fixture(autouse=True)
def without_weights(monkeypatch, threshold_segmenter):
    monkeypatch.setattr(api, "_open_segmenter", lambda options: threshold_segmenter)
    return threshold_segmenter


@pytest.fixture
def scan(tmp_path):
    """Write a head in which structures have so many voxels of 1 mm3 or so."""

    def write(subject, session, sizes, suffix="T1w", spacing=1.0):
        voxels = np.zeros((24, 40, 24), np.int16)
        voxels[1:-1, 1:-1, 1:-1] = 20
        for row, (value, count) in enumerate(sizes.items()):
            box = voxels[2 + 6 * row : 6 + 6 * row, 4:34, 4:20].reshape(-1)
            box[:count] = value
            voxels[2 + 6 * row : 6 + 6 * row, 4:34, 4:20] = box.reshape(4, 30, 16)
        image = nib.Nifti1Image(voxels, np.diag([spacing] * 3 + [1.0]))
        image.header.set_xyzt_units("mm")
        folder = tmp_path / f"bids/sub-{subject}/ses-{session}/anat"
        folder.mkdir(parents=True, exist_ok=True)
        image.to_filename(folder / f"sub-{subject}_ses-{session}_{suffix}.nii.gz")
        about = tmp_path / "bids/dataset_description.json"
        about.write_text('{"Name": "twice", "BIDSVersion": "1.11.0"}')
        return tmp_path / "bids"

    return write


@pytest.fixture
def twice(scan):
    """Two people: differences of 10 and -20 %, and of 0 % and 5 %."""
    scan("01", "a", {LEFT: 950, RIGHT: 1100, STEM: 400})
    scan("01", "b", {LEFT: 1050, RIGHT: 900, STEM: 400})
    scan("02", "a", {LEFT: 800, RIGHT: 780, STEM: 400})
    return scan("02", "b", {LEFT: 800, RIGHT: 820, STEM: 404})


PROMPTS = ("hippocampus", "brainstem")


def test_differences_become_limits_in_closed_form(twice, tmp_path):
    found = calibrate(twice, tmp_path / "out", PROMPTS)
    rows = {row.region: row for row in found.rows}
    hippocampus, stem = rows["hippocampus"], rows["brainstem"]

    assert (found.exit_code, len(found.pairs), found.notes) == (0, 2, ())
    # sides are pooled: those of the first pair, then of the second
    assert hippocampus.differences_percent == pytest.approx((10, -20, 0, 5))
    assert hippocampus.variation_percent == pytest.approx(np.sqrt((100 + 400 + 25) / 8))
    assert hippocampus.limit_percent == pytest.approx(
        2.776 * np.sqrt(2) * hippocampus.variation_percent, rel=1e-3
    )
    assert stem.differences_percent == pytest.approx((0, 200 * 4 / 804))
    assert hippocampus.default_percent is None  # the package's are of other weights
    # by the second pair alone the limit is 4.30 sqrt(25 / 2), by the first 4.30 sqrt(250)
    assert hippocampus.beyond_left_out == 1


def test_the_file_is_what_longitudinal_takes(twice, tmp_path):
    found = calibrate(twice, tmp_path / "out", PROMPTS)
    assert found.file is not None
    limits = read_limits(found.file.read_text())

    assert limits.method == "threshold 1.0.0"
    assert limits.source == "2 pairs of T1w of bids, scanned twice"
    assert (limits.kind, limits.most_mm) == ("T1w", 1.5)
    assert set(limits.entries) >= {"volume", "soft-volume"}
    assert "volume-asymmetry" not in limits.entries
    options = api.LongitudinalOptions(limits=found.file)
    summary = api.longitudinal(twice, tmp_path / "follow", PROMPTS, options)
    told = json.loads((tmp_path / "follow/sub-01_longitudinal.json").read_text())
    changes = {(c["region"], c["quantity"]): c for c in told["FirstToLast"]}

    assert summary.exit_code == 0
    limit = changes[LEFT_HIPPOCAMPUS, "soft-volume"]["limit_percent"]
    assert limit == pytest.approx(found.rows[0].limit_percent)
    assert changes[RIGHT_HIPPOCAMPUS, "soft-volume"]["exceeds_limit"] is False


def test_it_goes_on_with_what_is_there(twice, tmp_path, without_weights):
    calibrate(twice, tmp_path / "out", PROMPTS)
    seen = len(without_weights.seen)
    again = calibrate(twice, tmp_path / "out", PROMPTS)

    assert len(without_weights.seen) == seen == 4
    assert len(again.segmented.having("kept")) == 4


def test_scans_that_differ_in_protocol_teach_nothing(scan, twice, tmp_path):
    scan("03", "a", {LEFT: 500})
    scan("03", "b", {LEFT: 900}, spacing=1.2)
    found = calibrate(twice, tmp_path / "out", PROMPTS)

    assert len(found.pairs) == 2
    assert found.notes == (
        "sub-03 ses-a and ses-b are left out: they differ in voxels of 1 x 1 x 1 and"
        " 1.2 x 1.2 x 1.2 mm.",
    )


def test_a_third_scan_has_none_beside_it(scan, twice, tmp_path):
    scan("02", "c", {LEFT: 100})
    found = calibrate(twice, tmp_path / "out", PROMPTS)

    assert found.pairs == (("sub-01", "ses-a", "ses-b"), ("sub-02", "ses-a", "ses-b"))
    assert found.notes == ("sub-02 ses-c is left out: it has no second scan beside it.",)


def test_kinds_are_not_mixed(scan, tmp_path):
    scan("01", "a", {LEFT: 500})
    bids = scan("01", "b", {LEFT: 500})
    scan("02", "a", {LEFT: 500}, "FLAIR")
    scan("02", "b", {LEFT: 500}, "FLAIR")

    with pytest.raises(InputError, match="here are FLAIR of 1, T1w of 1 subjects"):
        calibrate(bids, tmp_path / "out", PROMPTS)
    chosen = calibrate(bids, tmp_path / "out", PROMPTS, SegmentOptions(suffixes=("FLAIR",)))
    assert chosen.pairs == (("sub-02", "ses-a", "ses-b"),)


def test_nobody_was_scanned_twice(scan, tmp_path):
    bids = scan("01", "a", {LEFT: 500})

    with pytest.raises(InputError, match="has two visits with one kind of scan"):
        calibrate(bids, tmp_path / "out", PROMPTS)


def test_the_command_prints_a_table(twice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["calibrate", "bids", "out", "-p", "hippocampus"])
    heads, row = (line.split("\t") for line in shown.stdout.splitlines())

    assert shown.exit_code == 0
    assert heads[:3] == ["region", "quantity", "differences %"]
    assert row[:3] == ["hippocampus", "soft-volume", "+10.00, -20.00, +0.00, +5.00"]
    assert row[5:] == ["n/a", "n/a", "1", "none"]
    assert "2 pairs. Limits: out/repeatability.toml\n" in shown.stderr
    assert (
        "Each pair held against limits of the other pairs alone (1 kinds of region):"
        " differences are too large for hippocampus.\n" in shown.stderr
    )


def test_what_is_left_out_is_said_with_its_reason(twice, scan, tmp_path, monkeypatch):
    scan("02", "b", {LEFT: 800, STEM: 404})  # no right hippocampus
    sizes = calibrating._sizes

    def failing(out, visit, outcomes):
        failed = visit.name == "ses-a"
        return [
            m.withheld("failed_qc") if failed and m.region == LEFT_HIPPOCAMPUS else m
            for m in sizes(out, visit, outcomes)
        ]

    monkeypatch.setattr(calibrating, "_sizes", failing)
    monkeypatch.chdir(tmp_path)
    words = ["calibrate", "bids", "out", "-p", "hippocampus", "-p", "brainstem"]
    shown = CliRunner().invoke(app, words)
    rows = [line.split("\t") for line in shown.stdout.splitlines()]
    said = "3 of 4 left out: absent, failed_qc"

    assert {row[0]: row[-1] for row in rows[1:]} == {"hippocampus": said, "brainstem": "none"}
    assert f"\nhippocampus: {said}.\n" in shown.stderr
    written = (tmp_path / "out/repeatability.toml").read_text()
    assert written.startswith(f"# hippocampus: {said}.\nmethod = ")
    assert read_limits(written).percent("hippocampus", "soft-volume") is not None


def test_a_region_of_which_nothing_is_left_is_named(twice, scan, tmp_path):
    scan("01", "b", {LEFT: 900, RIGHT: 900})
    scan("02", "a", {LEFT: 900, RIGHT: 900})
    found = calibrate(twice, tmp_path / "out", PROMPTS)

    assert [row.region for row in found.rows] == ["hippocampus"]
    assert found.notes == ("brainstem: 2 of 2 left out: absent.",)


def test_a_year_between_the_scans_is_said_in_the_file(twice, tmp_path):
    for session, day in (("a", "2020-01-01"), ("b", "2021-01-01")):
        for sub in ("01", "02"):
            name = f"anat/sub-{sub}_ses-{session}_T1w.nii.gz"
            (twice / f"sub-{sub}/ses-{session}/sub-{sub}_ses-{session}_scans.tsv").write_text(
                f"filename\tacq_time\n{name}\t{day}T10:00:00\n"
            )
    found = calibrate(twice, tmp_path / "out", PROMPTS)
    assert found.file is not None

    assert found.notes[0].startswith("sub-01 ses-a and ses-b lie 366 days apart")
    assert found.file.read_text().splitlines()[0] == (
        "# The scans of 2 of 2 pairs lie more than 90 days apart, up to 366:"
        " real change may be in the limits."
    )


def test_a_manifest_pairs_scans_that_lie_anywhere(scan, tmp_path):
    scan("07", "x", {LEFT: 500})
    scan("08", "y", {LEFT: 550})
    lines = ["image\tsubject\tsession\tsuffix"]
    for place, session in (
        ("sub-07/ses-x/anat/sub-07_ses-x", 1),
        ("sub-08/ses-y/anat/sub-08_ses-y", 2),
    ):
        lines.append(f"bids/{place}_T1w.nii.gz\tone\t{session}\tT1w")
    (tmp_path / "pairs.tsv").write_text("\n".join(lines) + "\n")

    found = calibrate(tmp_path / "pairs.tsv", tmp_path / "out", ["left hippocampus"])

    assert found.pairs == (("sub-one", "ses-1", "ses-2"),)
    assert found.rows[0].differences_percent == pytest.approx((200 * 50 / 1050,))
    assert found.rows[0].beyond_left_out is None
