"""Where results may go, and what is said where they may not."""

from __future__ import annotations

import json

import pytest

from medprompt_cli.cohort.output_folder import check_output_folder, check_writable
from medprompt_cli.errors import OutputError, UsageError


@pytest.fixture
def bids(tmp_path):
    folder = tmp_path / "bids"
    (folder / "sub-01" / "anat").mkdir(parents=True)
    return folder


def describe(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset_description.json").write_text(json.dumps(content))


def refused(out, source, *, is_bids=True):
    with pytest.raises(UsageError, match=r"^The output folder ") as caught:
        check_output_folder(out, source, is_bids=is_bids)
    return str(caught.value), caught.value.remedy


@pytest.mark.parametrize("place", ["out", "bids/derivatives/medprompt", "bids-out/a/b"])
def test_a_new_folder_beside_the_input_or_in_its_derivatives_is_fine(tmp_path, bids, place):
    check_output_folder(tmp_path / place, bids, is_bids=True)

    assert not (tmp_path / place).exists()


def test_a_folder_that_holds_only_the_logs_of_a_scheduler_is_fine(tmp_path, bids):
    (tmp_path / "out" / "logs" / "slurm").mkdir(parents=True)

    check_output_folder(tmp_path / "out", bids, is_bids=True)

    (tmp_path / "out" / "logs" / "notes.txt").touch()
    assert "holds 'logs'" in refused(tmp_path / "out", bids)[0]


def test_an_earlier_output_folder_is_fine(tmp_path, bids):
    describe(tmp_path / "out", {"GeneratedBy": [{"Name": "other"}, {"Name": "medprompt"}]})
    (tmp_path / "out" / "sub-01").mkdir()

    check_output_folder(tmp_path / "out", bids, is_bids=True)


def test_hidden_files_do_not_make_a_folder_foreign(tmp_path, bids):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".DS_Store").write_bytes(b"")

    check_output_folder(tmp_path / "out", bids, is_bids=True)


def test_a_file(tmp_path, bids):
    out = tmp_path / "out.nii.gz"
    out.write_bytes(b"")

    assert refused(out, bids) == (
        f"The output folder {out} is a file.",
        "Give the name of a folder; it is made if it is not there.",
    )


@pytest.mark.parametrize("detour", [".", "sub-01/..", "../bids"])
def test_the_input_itself(bids, detour):
    out = bids / detour

    assert refused(out, bids) == (
        f"The output folder {out} is the input folder.",
        "Give an output folder outside the input.",
    )


@pytest.mark.parametrize("place", ["out", "sub-01/anat/masks", "derivatives"])
def test_inside_a_bids_dataset(bids, place):
    assert refused(bids / place, bids) == (
        f"The output folder {bids / place} lies inside the input {bids}.",
        f"Give an output folder outside the input, or {bids / 'derivatives' / 'medprompt'}.",
    )


def test_inside_a_plain_folder_even_in_derivatives(bids):
    out = bids / "derivatives" / "medprompt"

    assert refused(out, bids, is_bids=False) == (
        f"The output folder {out} lies inside the input {bids}.",
        "Give an output folder outside the input.",
    )


def test_a_link_does_not_hide_where_it_leads(tmp_path, bids):
    link = tmp_path / "link"
    link.symlink_to(bids)

    assert refused(link / "out", bids)[0] == (
        f"The output folder {link / 'out'} lies inside the input {bids}."
    )


def test_a_folder_of_somebody_elses_files(tmp_path, bids):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.tex").write_text("")

    assert refused(out, bids) == (
        f"The output folder {out} was not written by medprompt: "
        "it holds 'chapter1.tex' and no dataset_description.json.",
        "Give an empty folder, or one of an earlier run.",
    )


@pytest.mark.parametrize(
    ("content", "maker"),
    [
        ({"GeneratedBy": [{"Name": "fMRIPrep"}]}, "fMRIPrep"),
        ({"Name": "A raw dataset"}, "no"),
        ({"GeneratedBy": []}, "no"),
        ([], "no"),
    ],
)
def test_a_dataset_of_another_tool(tmp_path, bids, content, maker):
    out = tmp_path / "fmriprep"
    describe(out, content)

    assert refused(out, bids)[0] == (
        f"The output folder {out} was not written by medprompt: "
        f"its dataset_description.json names {maker} as its maker."
    )


def test_a_single_image_may_have_its_results_beside_it(tmp_path, save_scan):
    scan = save_scan(tmp_path / "t1.nii.gz")

    check_output_folder(tmp_path / "out", scan, is_bids=False)
    assert refused(tmp_path, scan)[0].endswith(
        "it holds 't1.nii.gz' and no dataset_description.json."
    )


def test_a_place_nobody_can_write_to_is_found_out_first(tmp_path):
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(OutputError, match="could not be written") as caught:
        check_writable(tmp_path / "out")

    assert str(caught.value) == (
        f"{tmp_path / 'out' / 'logs' / 'probe'} could not be written: Not a directory."
    )


def test_trying_to_write_leaves_nothing(tmp_path):
    check_writable(tmp_path / "out")

    assert list((tmp_path / "out" / "logs").iterdir()) == []
