import numpy as np
import pytest

from medprompt_cli.domain.anatomy import BASE_NAMES
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.evaluation.cases import Judged, read_cases
from medprompt_cli.evaluation.schemes import SCHEMES
from medprompt_cli.longitudinal.repeatability import Limits, Repeatability
from medprompt_cli.synthesis.demo import write_voxels


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("retest")


def volumes(**special):
    return dict.fromkeys(BASE_NAMES, 1.0) | {k.replace("_", "-"): v for k, v in special.items()}


def test_the_difference_is_that_of_the_mean_and_has_no_sign(script):
    one, other = volumes(left_hippocampus=3.0), volumes(left_hippocampus=5.0)

    for pair in ((one, other), (other, one)):
        assert script.difference_pct(*pair, ["left-hippocampus"]) == 50
    both = ["left-hippocampus", "right-hippocampus"]
    assert script.difference_pct(one, other, both) == 40
    assert script.difference_pct(one, other, ["csf"]) == 0


def test_what_is_in_neither_scan_has_no_difference(script):
    nothing = volumes(csf=0.0)

    assert script.difference_pct(nothing, nothing, ["csf"]) is None
    assert script.difference_pct(nothing, volumes(), ["csf"]) == 200


def test_the_table_has_a_line_for_every_kind_and_the_sides_apart(script):
    ours = {name: volumes() for pair in script.PAIRS for name in pair}
    drawn = dict(ours)
    ours["manual-1003"] = volumes(left_hippocampus=3.0, brainstem=3.0)
    drawn["manual-1024"] = volumes(csf=0.0)

    lines = script.table(ours, drawn).splitlines()

    assert lines[0] == (
        "| Difference, % | 1003/1023 | 1004/1024 | 1003/1023, manual labels |"
        " 1004/1024, manual labels |"
    )
    same = "0.0 (0.0, 0.0)"
    assert f"| hippocampus | 66.7 (100.0, 0.0) | {same} | {same} | {same} |" in lines
    assert "| brainstem | 100.0 | 0.0 | 0.0 | 0.0 |" in lines
    assert "| csf | 0.0 | 0.0 | 0.0 | 200.0 |" in lines
    assert lines[-1] == "| **mean of 32 structures** | 6.2 | 0.0 | 0.0 | 6.2 |"
    assert len(lines) == 2 + 18 + 1


def test_what_would_be_called_real_is_counted(script):
    """The brainstem differs by 20 % in one pair and by 1 % in the other, the caudate by 4 %."""
    ours = {name: volumes() for pair in script.PAIRS for name in pair}
    ours["manual-1003"] = volumes(brainstem=11 / 9, left_caudate=102 / 98)
    ours["manual-1004"] = volumes(brainstem=201 / 199)
    default = Limits("m", "s", {"soft-volume": {"caudate": Repeatability((1.0,) * 4)}})

    lines = script.real_table(ours, default).splitlines()

    one = 12.706  # t of one difference, for 95 %
    assert f"| brainstem | 20.0 | - | 0 of 2 | {one:.1f}, {20 * one:.1f} | 1 of 2 |" in lines
    assert "| caudate | 4.0 | 2.8 | 1 of 4 | 0.0, 12.2 | 1 of 4 |" in lines
    assert lines[-1] == "| **all** |  |  | **1 of 64** |  | **2 of 64** |"


def test_the_manual_labels_are_measured_by_counting(script, tmp_path):
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:2], labels[2] = 48, 47
    write_voxels(
        tmp_path / "glm.nii.gz", labels, Geometry((8, 8, 8), np.diag([1.0, 1.0, 2.0, 1.0]))
    )
    case = Judged("a", "a", SCHEMES["neuromorphometrics"], truth=tmp_path / "glm.nii.gz")

    found = script.manual_volumes(case)

    assert found["left-hippocampus"] == pytest.approx(128 * 2 / 1000)
    assert found["right-hippocampus"] == pytest.approx(64 * 2 / 1000)
    assert found["csf"] == 0


def test_its_scans_are_in_the_manifest(script, repository, tmp_path):
    names = {case.name for case in read_cases(script.MANIFEST, tmp_path)}

    assert {name for pair in script.PAIRS for name in pair} <= names
