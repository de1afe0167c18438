import numpy as np
import pandas as pd
import pytest

from medprompt_cli import api
from medprompt_cli.synthesis.demo import TRUTH, DemoOptions, write_demo


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("known_change")


def change(region, percent, low, high, exceeds=None):
    return {
        "region": region,
        "quantity": "soft-volume",
        "percent": percent,
        "percent_low": low,
        "percent_high": high,
        "exceeds_limit": exceeds,
    }


def test_signs_intervals_and_noise_are_counted(script):
    table = pd.DataFrame(
        [
            change("left-hippocampus", -4.0, -6.0, -2.0, exceeds=True),
            change("right-hippocampus", 1.0, -1.0, 3.0, exceeds=False),
            change("left-hippocampus", None, None, None),
            change("left-thalamus", -4.0, -6.0, -2.0, exceeds=True),
        ]
    )

    found = script.sides(table, "hippocampus", -5.0)

    assert found == script.Sides((-4.0, 1.0), 1, 1, 1, 3)


def test_without_a_limit_nothing_is_beyond_noise_or_within(script):
    table = pd.DataFrame([change("left-hippocampus", -4.0, -6.0, -2.0)])

    assert script.sides(table, "hippocampus", -5.0).beyond is None


def test_by_the_masks_of_the_truth_everything_is_right(script, tmp_path):
    demo, out = tmp_path / "demo", tmp_path / "out"
    write_demo(demo, DemoOptions(subjects=1, small=True))
    options = api.LongitudinalOptions(suffixes=("T1w",), masks=demo / TRUTH)
    assert api.longitudinal(demo, out, script.PROMPTS, options).exit_code == 0

    lines = list(script.rows(demo, out, "T1w"))

    assert lines[0][:2] == ("hippocampus", "-5 %")
    assert float(lines[0][2].split()[0]) == pytest.approx(-5, abs=0.3)
    assert lines[0][3:] == ("2/2", "-", "-")  # masks as given have no interval
    assert [line[:3] for line in lines[2:]] == [
        (lesion, fate, "1/1 right, 0 wrong") for lesion, fate in script.FATES.items()
    ]


def test_a_lesion_that_the_ledger_does_not_have_has_no_fate(script, tmp_path):
    mask = np.ones((2, 2, 2), bool)

    assert script._id_at(tmp_path, "sub-01", "ses-01", "T1w", mask) is None
