"""A case leaves a part of every table, with its masks and as safely."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from medprompt_cli.cohort.tables import gather
from medprompt_cli.errors import InputError, UsageError

DSEG = "sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"
MASK = "sub-01/anat/sub-01_space-orig_label-Ventricles_desc-T1w_mask.nii.gz"


@pytest.fixture
def table(out):
    def read(name="measurements"):
        return pd.read_parquet(out / name)

    return read


def test_every_case_has_a_part_and_all_parts_are_one_table(run, table, out):
    run()
    found = table()
    parts = sorted(path.stem for path in (out / "measurements").iterdir())

    assert parts == ["sub-01_T1w", "sub-02_T1w", "sub-02_run-2_T1w", "sub-03_FLAIR"]
    assert sorted(found["case"].unique()) == parts
    assert set(found["participant_id"]) == {"sub-01", "sub-02", "sub-03"}
    assert not (out / "lesions").exists()


def test_a_row_says_what_of_what_with_what(run, table):
    run()
    found = table()
    volume = found[
        (found["case"] == "sub-01_T1w")
        & (found["region"] == "left-hippocampus")
        & (found["quantity"] == "volume")
    ].iloc[0]

    assert volume["value"] == pytest.approx(1 * 5 * 4 * 10 / 1000)
    assert (volume["unit"], volume["status"], volume["qc"]) == ("mL", "measured", "pass")
    assert (volume["lower"], volume["upper"]) == pytest.approx((0.2, 0.2))
    assert volume["presence"] == 1.0
    assert volume["mask"] == DSEG
    assert volume["source"] == "bids:source:sub-01/anat/sub-01_T1w.nii.gz"
    assert (volume["weights"], volume["weights_sha256"]) == ("threshold 1.0.0", "5" * 64)
    assert len(volume["plan_hash"]) == 64
    assert pd.isna(volume["session_id"])
    assert set(found[found["region"] == "ventricles"]["mask"].dropna()) >= {MASK}


def test_a_region_that_is_not_there_has_rows_without_values(run, table):
    run("right hippocampus", "cyst")
    found = table()
    volumes = found[(found["quantity"] == "volume") & (found["case"] == "sub-01_T1w")]

    assert dict(zip(volumes["region"], volumes["status"], strict=True)) == {
        "right-hippocampus": "absent",
        "cyst": "not_visible",
    }
    assert volumes["value"].isna().all()
    assert volumes["mask"].isna().all()


def test_what_is_absent_beside_what_is_there_has_no_mask(run, table):
    run("hippocampus")
    volumes = table()[lambda rows: rows["quantity"] == "volume"].set_index("region")["mask"]

    assert volumes["left-hippocampus"].notna().all()
    assert volumes["right-hippocampus"].isna().all()


def test_lesions_have_a_table_of_their_own(run, bids, table, save_scan):
    save_scan(bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz", "lesion", "left-hippocampus")
    run("lesion")
    found = table("lesions")
    volumes = found[found["quantity"] == "volume"]

    assert set(volumes["case"]) == {"sub-01_T1w"}
    assert volumes["instance"].tolist() == [1]
    assert volumes["value"].tolist() == pytest.approx([0.2])
    whole = table()
    assert whole[whole["quantity"] == "volume"]["instance"].isna().all()


def test_other_prompts_replace_the_parts(run, table, out):
    run("lesion")
    assert (out / "lesions").is_dir()
    run("left hippocampus")

    assert list((out / "lesions").iterdir()) == []
    assert set(table()["region"]) == {"left-hippocampus"}


def test_a_part_that_was_removed_is_made_again(run, out, contents, threshold_segmenter):
    run()
    before = contents()
    (out / "measurements" / "sub-01_T1w.parquet").unlink()
    threshold_segmenter.seen.clear()
    run()

    assert threshold_segmenter.seen == ["sub-01_T1w.nii.gz"]
    assert contents() == before


def test_validation_passes_over_what_bids_does_not_know(run, out):
    run()
    gather(out, "measurements")

    assert (out / ".bidsignore").read_text().split() == [
        *("logs/", "measurements*", "findings*", "lesions*"),
        *("changes*", "ledger*", "model*", "trajectories*", "*_longitudinal.*"),
        *("*_report.*", "*.html"),
    ]


def test_all_parts_in_one_file(run, out, table):
    run()
    paths = gather(out, "measurements")
    written = pd.read_csv(paths[0], sep="\t", na_values="n/a")

    assert paths == [out / "measurements.tsv", out / "measurements.json"]
    assert len(written) == len(table())
    assert list(json.loads(paths[1].read_text())) == list(written.columns)


def test_tables_that_are_not_there(run, out, tmp_path):
    with pytest.raises(InputError, match="holds no measurements"):
        gather(tmp_path, "measurements")
    with pytest.raises(UsageError, match="There is no table 'growth'") as caught:
        gather(tmp_path, "growth")

    assert caught.value.remedy == (
        "Choose one of measurements, findings, lesions, changes, ledger."
    )
