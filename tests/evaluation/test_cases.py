import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.evaluation.cases import judge, read_cases
from medprompt_cli.synthesis.demo import write_voxels

GRID = Geometry((8, 9, 10), np.diag([1.0, 1.0, 2.0, 1.0]))


@pytest.fixture
def files(tmp_path):
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:2] = 17
    image = labels * 5 + np.arange(10, dtype=np.uint8)
    write_voxels(tmp_path / "truth.nii.gz", labels, GRID)
    write_voxels(
        tmp_path / "half.nii.gz", labels * (np.arange(9) < 3)[:, None].astype(np.uint8), GRID
    )
    write_voxels(tmp_path / "image.nii.gz", image, GRID)
    return tmp_path


def manifest(folder, *lines):
    path = folder / "scans.tsv"
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
    return path


def refuse(volume):
    raise AssertionError(f"{volume.source} was segmented")


def test_a_line_is_read(files):
    path = manifest(
        files,
        ("name", "group", "image", "truth", "scheme", "brain"),
        ("one", "young", "image.nii.gz", "truth.nii.gz", "medprompt", "half.nii.gz"),
        ("two", "n/a", "image.nii.gz", "truth.nii.gz", "n/a", "n/a"),
    )

    one, two = read_cases(path)

    assert (one.name, one.group, one.scheme.name) == ("one", "young", "medprompt")
    assert one.image == files / "image.nii.gz"
    assert one.brain == files / "half.nii.gz"
    assert (two.group, two.scheme.name, two.brain) == ("two", "freesurfer", None)


def test_paths_start_at_the_root_if_there_is_one(files):
    path = manifest(files, ("name", "image", "truth"), ("one", "i.nii.gz", "t.nii.gz"))

    (case,) = read_cases(path, files / "elsewhere")

    assert case.truth == files / "elsewhere" / "t.nii.gz"


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([("name", "image"), ("a", "b")], "It has no column 'truth'."),
        (
            [("name", "truth", "age"), ("a", "b", "3")],
            "It has a column 'age', which is not read.",
        ),
        ([("name", "truth"), ("a", "b")], "Line 2 has neither an image nor a prediction."),
        ([("name", "image", "truth"), ("n/a", "b", "c")], "Line 2 lacks a name or a truth."),
        ([("name", "image", "truth"), *[("a", "b", "c")] * 2], "Two lines are called 'a'."),
        ([("name", "image", "truth")], "It names no scan."),
        ([("name", "image", "truth"), ("a", "b")], "Line 2 has 2 cells for 3 columns."),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, lines, what):
    path = manifest(tmp_path, *lines)

    with pytest.raises(InputError, match="is no table of scans") as caught:
        read_cases(path)

    assert str(caught.value) == f"{path} is no table of scans to judge. {what}"


def test_an_unknown_scheme_in_a_line_is_refused(tmp_path):
    path = manifest(tmp_path, ("name", "image", "truth", "scheme"), ("a", "b", "c", "hammers"))

    with pytest.raises(UsageError, match="There is no label scheme called 'hammers'"):
        read_cases(path)


def test_a_prediction_is_read_and_nothing_segmented(files):
    path = manifest(
        files, ("name", "prediction", "truth"), ("one", "half.nii.gz", "truth.nii.gz")
    )

    (scores,) = judge(read_cases(path), refuse)

    found = {s.region: s.value for s in scores if s.quantity == "dice"}
    assert found["left-hippocampus"] == pytest.approx(2 * 3 / (3 + 9))


def test_an_image_is_segmented(files):
    path = manifest(files, ("name", "image", "truth"), ("one", "image.nii.gz", "truth.nii.gz"))

    def predict(volume):
        return LabelMap((volume.voxels >= 17 * 5).astype(np.uint8) * 17, volume.geometry, {})

    (scores,) = judge(read_cases(path), predict)

    found = {s.region: s.value for s in scores if s.quantity == "dice"}
    assert found["left-hippocampus"] == 1


def test_a_brain_mask_on_another_grid_is_refused(files):
    write_voxels(
        files / "brain.nii.gz", np.ones((8, 9, 11), np.uint8), Geometry((8, 9, 11), GRID.affine)
    )
    path = manifest(
        files,
        ("name", "prediction", "truth", "brain"),
        ("one", "half.nii.gz", "truth.nii.gz", "brain.nii.gz"),
    )

    with pytest.raises(InputError, match=r"brain\.nii\.gz has 8 x 9 x 11 voxels"):
        list(judge(read_cases(path), refuse))
