import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.cases import Judged, read_cases
from medprompt_cli.evaluation.schemes import SCHEMES
from medprompt_cli.synthesis.demo import write_voxels

GRID = Geometry((40, 40, 40), np.eye(4))


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("brain")


def write_scan(folder, grid=GRID):
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:, :, :20], labels[:, :, 20:22] = 2, 24
    write_voxels(folder / "aseg.nii.gz", labels, GRID)
    write_voxels(folder / "bet.nii.gz", (labels > 0).astype(np.uint8), grid)
    return Judged(
        "bet",
        "group",
        SCHEMES["freesurfer"],
        images=(folder / "image.nii.gz",),
        truth=folder / "aseg.nii.gz",
    )


def test_truths_are_the_brain_without_the_fluid_and_what_deepbet_drew(script, tmp_path):
    case = write_scan(tmp_path)

    found = script.truths(case, GRID, tmp_path)

    assert set(found) == {"labels", "deepbet"}
    assert found["labels"][20, 20].sum() == 20
    assert found["deepbet"][20, 20].sum() == 22
    assert set(script.truths(case, GRID, None)) == {"labels"}


def test_a_mask_on_another_grid_is_refused(script, tmp_path):
    moved = Geometry(GRID.shape, np.diag([-1.0, 1.0, 1.0, 1.0]))

    with pytest.raises(InputError, match=r"bet\.nii\.gz have as many voxels, in other places"):
        script.truths(write_scan(tmp_path, moved), GRID, tmp_path)


def test_the_table_shows_what_was_compared_and_the_mean(script):
    half, whole = np.zeros((4, 4, 4), bool), np.ones((4, 4, 4), bool)
    half[:2] = True
    first = script.dices({"brain-mask": half, "labels": half, "deepbet": whole})
    second = script.dices({"brain-mask": half, "labels": whole})

    lines = script.table({"a": first, "b": second}).splitlines()

    assert lines[0] == ("| Dice | brain-mask, truth | deepbet, truth | brain-mask, deepbet |")
    assert lines[2] == "| a | 1.000 | 0.667 | 0.667 |"
    assert lines[3] == "| b | 0.667 | - | - |"
    assert lines[4] == "| **mean** | 0.833 (0.667 to 1.000) | 0.667 | 0.667 |"


def test_every_healthy_scan_is_compared_once(script, tmp_path):
    cases = [
        case for case in read_cases(script.MANIFEST, tmp_path) if script.is_brain_scan(case)
    ]

    images = [case.images for case in cases]
    assert len(images) == len(set(images)) == 10
