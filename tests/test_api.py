"""The public functions: what they refuse, and in which order they look."""

from __future__ import annotations

import pandas
import pytest

from medprompt_cli import api
from medprompt_cli.errors import (
    InputError,
    OutputError,
    PreemptedError,
    UsageError,
    WeightsError,
)
from medprompt_cli.planning import requests
from medprompt_cli.planning.compile import Compiled
from medprompt_cli.planning.intent import Intent


@pytest.fixture
def bids(tmp_path, save_scan):
    """Two subjects, two sessions each, T1w and FLAIR."""
    for sub in ("01", "02"):
        for ses in ("a", "b"):
            for suffix in ("T1w", "FLAIR"):
                stem = f"sub-{sub}/ses-{ses}/anat/sub-{sub}_ses-{ses}_{suffix}"
                save_scan(tmp_path / "bids" / f"{stem}.nii.gz", "left-hippocampus")
    return tmp_path / "bids"


@pytest.fixture(autouse=True)
def opened(monkeypatch, threshold_segmenter):
    """Use a segmenter without weights; say with which options it was opened."""
    options = []

    def open_segmenter(asked):
        options.append(asked)
        return threshold_segmenter

    monkeypatch.setattr(api, "_open_segmenter", open_segmenter)
    return options


@pytest.fixture
def names():
    """Names of the images of a run."""
    return lambda summary: [outcome.name for outcome in summary.outcomes]


def test_everything_of_a_dataset(bids, tmp_path):
    summary = api.segment(bids, tmp_path / "out", ["left hippocampus"])

    assert (len(summary.having("done")), summary.exit_code) == (8, 0)
    assert all(mask.is_file() for outcome in summary.outcomes for mask in outcome.masks)


def test_paths_may_be_text(bids, tmp_path):
    summary = api.segment(str(bids), str(tmp_path / "out"), ["left hippocampus"])

    assert summary.exit_code == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"participants": ["02"], "suffixes": ["FLAIR"]},
            ["sub-02_ses-a_FLAIR", "sub-02_ses-b_FLAIR"],
        ),
        (
            {"participants": ["sub-01"], "sessions": ["ses-b"]},
            ["sub-01_ses-b_FLAIR", "sub-01_ses-b_T1w"],
        ),
        ({"sessions": ["a"], "suffixes": ["t1w"]}, ["sub-01_ses-a_T1w", "sub-02_ses-a_T1w"]),
    ],
)
def test_a_part_of_a_dataset(bids, tmp_path, names, options, expected):
    summary = api.segment(
        bids, tmp_path / "out", ["left hippocampus"], api.SegmentOptions(**options)
    )

    assert names(summary) == expected


def test_a_single_image_is_a_subject_of_its_own(tmp_path, save_scan):
    scan = save_scan(tmp_path / "t1.nii.gz", "left-hippocampus")
    summary = api.segment(scan, tmp_path / "out", ["left hippocampus"])

    assert [
        mask.relative_to(tmp_path / "out").as_posix()
        for outcome in summary.outcomes
        for mask in outcome.masks
    ] == ["sub-t1/anat/sub-t1_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"]


def test_results_may_lie_in_the_derivatives_of_the_dataset_and_are_no_input(bids):
    out = bids / "derivatives" / "medprompt"
    first = api.segment(bids, out, ["left hippocampus"])
    second = api.segment(bids, out, ["left hippocampus"])

    assert len(first.having("done")) == len(second.having("kept")) == 8


def test_a_sentence_is_compiled_once_for_a_whole_cohort(tmp_path, save_scan, monkeypatch):
    for n in range(100):
        stem = f"sub-{n:03}/anat/sub-{n:03}_T1w"
        save_scan(tmp_path / "bids" / f"{stem}.nii.gz", "left-hippocampus", "right-hippocampus")
    compiled, loaded = [], []
    intent = Intent(("hippocampus",), ("asymmetry",), "sides")

    def compile_prompt(prompt, model):
        compiled.append((prompt, model))
        return Compiled("ok", prompt, intent=intent, unused_words=("equal",))

    monkeypatch.setattr(requests, "compile_prompt", compile_prompt)
    monkeypatch.setattr(api, "_load_prompt_model", lambda path: loaded.append(path) or "model")
    summary = api.segment(tmp_path / "bids", tmp_path / "out", ["are both hippocampi equal?"])

    assert (len(summary.having("done")), summary.exit_code) == (100, 0)
    assert summary.unused_words == ("equal",)
    assert compiled == [("are both hippocampi equal?", "model")]
    assert loaded == [None]
    assert {outcome.values[0]["Value"] for outcome in summary.outcomes} == {0.0}
    table = pandas.read_parquet(tmp_path / "out" / "measurements")
    ours = table[(table["quantity"] == "volume-asymmetry") & (table["region"] == "hippocampus")]
    assert len(ours) == 100
    assert set(ours["value"]) == {0.0}


def test_an_unknown_target_is_refused_before_anything_else(tmp_path, opened):
    with pytest.raises(UsageError, match="livr") as caught:
        api.segment(tmp_path / "nowhere", tmp_path / "out", ["livr"])

    assert caught.value.exit_code == 2
    assert opened == []


def test_targets_that_nothing_can_see_are_refused(bids, tmp_path, opened):
    with pytest.raises(WeightsError, match="cannot see") as caught:
        api.segment(bids, tmp_path / "out", ["cyst", "ms lesion"])

    assert str(caught.value) == "The weights cannot see cyst, ms-lesion."
    assert opened == []


def test_a_folder_without_images(tmp_path, opened):
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(InputError, match="holds no image") as caught:
        api.segment(folder, tmp_path / "out", ["brain"])

    assert (str(caught.value), caught.value.remedy) == (
        f"{folder} holds no image.",
        f"See what is there with: medprompt check {folder}",
    )
    assert (caught.value.code, caught.value.exit_code) == ("no-images", 65)
    assert opened == []
    assert not (tmp_path / "out").exists()


def test_a_folder_without_images_of_the_kind_asked_for(bids, tmp_path):
    options = api.SegmentOptions(participants=["01"], suffixes=["T2w"])
    with pytest.raises(InputError, match="holds no image") as caught:
        api.segment(bids, tmp_path / "out", ["brain"], options)

    assert str(caught.value) == f"{bids} holds no image of 01, T2w."


def test_a_folder_whose_images_are_all_unusable(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "t1.nii.gz").symlink_to("gone.nii.gz")
    with pytest.raises(InputError, match="holds no usable image") as caught:
        api.segment(folder, tmp_path / "out", ["brain"])

    assert str(caught.value) == (
        f"{folder} holds no usable image. {folder / 't1.nii.gz'}: "
        "links to 'gone.nii.gz', which is not there."
    )
    assert caught.value.code == "not-fetched"


def test_an_output_folder_inside_the_input_is_refused_before_the_weights(bids, opened):
    with pytest.raises(UsageError, match="lies inside the input"):
        api.segment(bids, bids / "masks", ["brain"])

    assert opened == []
    assert not (bids / "masks").exists()


def test_a_plain_folder_may_not_hold_its_own_results(tmp_path, save_scan):
    folder = tmp_path / "in"
    save_scan(folder / "t1.nii.gz", "left-hippocampus")
    with pytest.raises(UsageError, match="lies inside the input"):
        api.segment(folder, folder / "derivatives" / "medprompt", ["brain"])


def test_an_output_folder_that_cannot_be_made(tmp_path, save_scan):
    scan = save_scan(tmp_path / "t1.nii.gz", "left-hippocampus")
    (tmp_path / "file").write_bytes(b"")
    out = tmp_path / "file" / "out"
    with pytest.raises(OutputError, match="could not be written") as caught:
        api.segment(scan, out, ["brain"])

    assert str(caught.value) == (
        f"{out / 'dataset_description.json'} could not be written: Not a directory."
    )


def test_options_reach_the_segmenter(bids, tmp_path, opened):
    options = api.SegmentOptions(device="cpu", weights="small", memory_gb=2.5)
    api.segment(bids, tmp_path / "out", ["brain"], options)

    assert opened == [options]


def test_a_signal_before_the_first_image(bids, tmp_path, monkeypatch):
    def stopped(options):
        raise api._StopRequested("SIGTERM")

    monkeypatch.setattr(api, "_open_segmenter", stopped)
    with pytest.raises(PreemptedError, match="SIGTERM") as caught:
        api.segment(bids, tmp_path / "out", ["brain"])

    assert str(caught.value) == "SIGTERM stopped the run before its first image."
    assert caught.value.exit_code == 75
