"""An output folder that holds more, or other, than the last run asked for says so."""

from __future__ import annotations

import os

import pytest

from medprompt_cli.bids.atomic import process_name
from medprompt_cli.cli.status import status as show_status
from medprompt_cli.cohort.status import status_of
from medprompt_cli.cohort.tables import caveats
from medprompt_cli.cohort.turns import Announced, announced
from medprompt_cli.errors import UsageError

GONE = "sub-02_run-2_T1w"
DSEG = "sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"


@pytest.fixture
def remove(bids):
    """Remove a scan of the dataset."""
    return lambda name: (bids / name.split("_")[0] / "anat" / f"{name}.nii.gz").unlink()


def others(out):
    return {case.name: case.why for case in status_of(out).others}


def test_results_of_a_scan_that_was_removed(run, out, remove):
    assert run().left == ()
    assert (others(out), caveats(out, "measurements")) == ({}, ())
    remove(GONE)

    assert run().left == (GONE,)
    assert others(out) == {GONE: "gone"}
    assert status_of(out).exit_code == 0
    assert caveats(out, "measurements") == (
        f"The rows of {GONE} are of an image that is gone or makes no case.",
    )
    assert caveats(out, "changes") == ()


def test_results_of_other_prompts_beside_those_of_a_choice(run, out):
    run()
    run("brain", subjects=["01"], some=True)

    assert set(others(out).values()) == {"prompts"}
    assert caveats(out, "findings") == (
        "The rows of 3 cases (sub-02_T1w, ...) answer other prompts, or are of other weights.",
    )


def test_rows_of_a_scan_that_was_done_and_fails_now(run, out, bids):
    run()
    scan = bids / "sub-03" / "anat" / "sub-03_FLAIR.nii.gz"
    scan.write_bytes(scan.read_bytes()[:-40])
    run()

    assert caveats(out, "measurements") == (
        "1 of 4 cases are not done: 1 failed, 0 to do, 0 stale.",
        "The rows of sub-03_FLAIR are of an earlier image, prompt or weights.",
    )


def test_a_mask_that_was_edited(run, out):
    run()
    with (out / DSEG).open("ab") as file:
        file.write(b"more")

    assert caveats(out, "lesions") == (
        "Masks of sub-01_T1w were changed by hand; numbers are of those that were written."
        " `medprompt measure` measures them as they are.",
    )
    run("brain")
    (case,) = status_of(out).having("failed")
    assert case.name == "sub-01_T1w"
    assert case.error is not None
    assert case.error["code"] == "edited"


def test_status_tells_of_them(run, out, remove, capsys):
    run()
    remove(GONE)
    run()
    with pytest.raises(Exception, match="0"):
        show_status(out)

    assert capsys.readouterr().out == (
        f"3 cases: 3 done, 0 failed, 0 to do, 0 stale. Results: {out}\n"
        "beside them: 1 result of an image that is gone or makes no case\n"
    )


@pytest.fixture
def at_work(out):
    """Another run, of the process that began this one, is at work there."""

    def begin(asked):
        path = (
            out / "logs" / "running" / f"{process_name().rpartition('.')[0]}.{os.getppid()}.run"
        )
        path.parent.mkdir(parents=True)
        path.write_text(asked.text(1))
        return path

    return begin


def test_a_run_of_other_prompts_waits_for_the_one_that_is_at_work(at_work, out):
    path = at_work(Announced("None", "5 6", "thalamus"))
    with (
        pytest.raises(UsageError, match="Another run") as caught,
        announced(out, Announced("None", "7 6", "hippocampus")),
    ):
        pass

    assert str(caught.value) == (
        f"Another run is at work in {out}, with other prompts or weights: thalamus."
    )
    assert caught.value.remedy == (
        f"Wait until it ends, or give another output folder. If it is no more, remove {path}."
    )
    assert list(path.parent.glob("*")) == [path]


@pytest.mark.parametrize(("share", "others"), [("None", 1), ("2/4", 0)])
def test_a_run_of_the_same_prompts_knows_of_those_on_its_share(at_work, out, share, others):
    at_work(Announced("None", "5 6", "thalamus"))
    with announced(out, Announced(share, "5 6", "the thalamus")) as found:
        assert found == others
