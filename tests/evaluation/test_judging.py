from dataclasses import dataclass

import numpy as np
import pytest

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.cases import Judged
from medprompt_cli.evaluation.judging import judge
from medprompt_cli.evaluation.schemes import find_scheme
from medprompt_cli.synthesis.demo import write_voxels

GRID = Geometry((8, 9, 10), np.diag([1.0, 1.0, 2.0, 1.0]))
MOVED = Geometry(
    (8, 9, 10), np.array([[1.0, 0, 0, 7], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])
)


@pytest.fixture
def files(tmp_path):
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:2] = 17
    half = labels * (np.arange(9) < 3)[:, None].astype(np.uint8)
    write_voxels(tmp_path / "truth.nii.gz", labels, GRID)
    write_voxels(tmp_path / "half.nii.gz", half, GRID)
    write_voxels(tmp_path / "moved.nii.gz", labels, MOVED)
    for name in ("image", "other"):
        image = labels * 5 + np.arange(10, dtype=np.uint8)
        write_voxels(tmp_path / f"{name}.nii.gz", image, GRID)
    return tmp_path


@dataclass(frozen=True)
class Segmented:
    labels: LabelMap
    masks: dict[str, Mask]
    parcels: LabelMap | None


class Predictor:
    """Sees base structures and the lesions it is told of; remembers what was asked."""

    def __init__(self, *lesions, parcels=None):
        self.lesions, self.parcels, self.asked = lesions, parcels, []

    def __call__(self, volumes, names):
        self.asked.append((len(volumes), tuple(names)))
        bright, geometry = volumes[0].voxels >= 17 * 5, volumes[0].geometry
        masks = {name: Mask(name, bright, geometry) for name in self.lesions if name in names}
        parcels = None
        if self.parcels:
            index = np.where(bright, min(self.parcels), 0).astype(np.uint16)
            parcels = LabelMap(index, geometry, self.parcels)
        labels = LabelMap(bright.astype(np.uint8) * 17, geometry, {17: "left-hippocampus"})
        return Segmented(labels, masks, parcels)


def refuse(volumes, names):
    raise AssertionError(f"{names} were segmented")


def case(files, scheme="freesurfer", truth: str | None = "truth", **more):
    means = find_scheme(scheme)
    path = None if truth is None else files / f"{truth}.nii.gz"
    targets = more.pop("targets", tuple(means.regions))
    if "prediction" not in more:
        more.setdefault("images", (files / "image.nii.gz",))
    return Judged("one", "group", means, truth=path, targets=targets, **more)


def dice(scores):
    return {one.region: one.value for one in scores if one.quantity == "dice"}


def test_a_prediction_is_read_and_nothing_segmented(files):
    (scores,) = judge([case(files, prediction=files / "half.nii.gz")], refuse)

    assert dice(scores)["left-hippocampus"] == pytest.approx(2 * 3 / (3 + 9))


def test_an_image_is_segmented(files):
    predict = Predictor()

    (scores,) = judge([case(files)], predict)

    assert dice(scores)["left-hippocampus"] == 1
    assert predict.asked == [(1, ("all",))]


def test_several_images_are_segmented_together_for_what_the_truth_holds(files):
    images = (files / "image.nii.gz", files / "other.nii.gz")
    predict = Predictor("ms-lesion", "lesion")

    (scores,) = judge([case(files, "ms-lesion", images=images)], predict)

    assert dice(scores) == {"ms-lesion": 1, "lesion": 1}
    assert predict.asked == [(2, ("lesion", "ms-lesion"))]


def test_lesions_the_weights_do_not_see_are_not_wrong(files):
    (scores,) = judge([case(files, "ms-lesion")], Predictor("lesion"))

    assert dice(scores) == {"lesion": 1, "ms-lesion": None}
    statuses = {one.status for one in scores if one.region == "ms-lesion"}
    assert statuses == {"not_visible"}


def test_a_healthy_scan_is_searched_for_every_lesion_beside_its_structures(files):
    predict = Predictor("tumor")

    (scores,) = judge([case(files, absent=LESIONS)], predict)

    assert predict.asked == [(1, ("all", *LESIONS))]
    assert dice(scores)["left-hippocampus"] == 1
    drawn = {one.region: one.value for one in scores if one.quantity == "predicted_ml"}
    assert drawn["tumor"] == pytest.approx(2 * 9 * 10 * 2 / 1000)
    assert drawn["cyst"] is None


def test_a_scan_without_truth_is_searched_only(files):
    predict = Predictor("tumor")

    (scores,) = judge([case(files, truth=None, absent=("tumor",))], predict)

    assert predict.asked == [(1, ("tumor",))]
    assert {one.region for one in scores} == {"tumor"}
    (true,) = [one.value for one in scores if one.quantity == "true_ml"]
    assert true == 0


def test_a_mask_is_judged_as_the_one_target(files):
    one = case(files, "brats2013", targets=("tumor",), prediction=files / "half.nii.gz")
    write_voxels(files / "truth.nii.gz", np.full(GRID.shape, 2, np.uint8), GRID)

    (scores,) = judge([one], refuse)

    assert dice(scores) == {"tumor": pytest.approx(2 * 60 / (60 + 720))}


def test_a_label_map_of_parts_is_judged_by_the_ids_of_its_scheme(files):
    parts = np.zeros(GRID.shape, np.uint8)
    parts[:4], parts[4:6] = 2, 4
    write_voxels(files / "truth.nii.gz", parts, GRID)
    parts[2:4] = 4
    write_voxels(files / "half.nii.gz", parts, GRID)
    one = case(files, "brats2013", prediction=files / "half.nii.gz")

    (scores,) = judge([one], refuse)

    found = dice(scores)
    assert (found["tumor"], found["necrosis"]) == (1, None)
    assert found["enhancing-tumor"] == found["tumor-core"] == pytest.approx(2 * 2 / (4 + 2))
    assert found["edema"] == pytest.approx(2 * 2 / (2 + 4))


def test_a_parcel_is_found_in_the_label_map_of_parcels(files):
    write_voxels(files / "truth.nii.gz", np.full(GRID.shape, 1035, np.uint16), GRID)
    one = case(files, "dkt", targets=("left-insula", "left-cuneus"))

    (scores,) = judge([one], Predictor(parcels={1035: "left-insula"}))

    assert dice(scores) == {"left-insula": pytest.approx(2 * 2 / (2 + 8)), "left-cuneus": None}


def test_headers_that_disagree_are_refused_before_anything_is_segmented(files):
    with pytest.raises(InputError, match="in other places") as caught:
        list(judge([case(files, "infarct", "moved")], refuse))

    assert str(caught.value) == (
        f"{files / 'image.nii.gz'} and {files / 'moved.nii.gz'} have as many voxels, in other "
        "places: their first voxels lie 7 mm apart, oriented RAS and RAS."
    )
    assert "--grid voxels" in caught.value.remedy


def test_voxels_are_compared_one_by_one_where_that_is_said(files):
    one = case(files, "infarct", "moved", same_voxels=True)

    (scores,) = judge([one], Predictor("infarct", "lesion"))

    assert dice(scores) == {"lesion": 1, "infarct": 1}


def test_voxels_are_not_compared_one_by_one_where_their_number_differs(files):
    other = Geometry((8, 9, 11), GRID.affine)
    write_voxels(files / "moved.nii.gz", np.ones(other.shape, np.uint8), other)

    with pytest.raises(InputError, match=r"has 8 x 9 x 10 voxels and .* has 8 x 9 x 11"):
        list(judge([case(files, "infarct", "moved", same_voxels=True)], refuse))


def test_a_brain_mask_on_another_grid_is_refused(files):
    other = Geometry((8, 9, 11), GRID.affine)
    write_voxels(files / "brain.nii.gz", np.ones(other.shape, np.uint8), other)

    with pytest.raises(InputError, match=r"brain\.nii\.gz has 8 x 9 x 11"):
        list(judge([case(files, brain=files / "brain.nii.gz")], refuse))


def test_a_case_of_nothing_is_refused(files):
    with pytest.raises(InputError, match="one has neither an image nor a prediction"):
        list(judge([case(files, images=())], refuse))
