import numpy as np
import pytest

from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_NAMES
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.evaluation.schemes import BRAIN, CLASS_OF, CLASSES, SCHEMES, find_scheme


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
def test_every_scheme_knows_every_base_structure(scheme):
    assert set(BASE_NAMES) <= set(scheme.ids.values()) <= {*BASE_NAMES, BRAIN}


@pytest.mark.parametrize("name", ["medprompt", "freesurfer", "synthseg"])
def test_our_own_ids_mean_what_they_mean_at_home(name):
    for structure, index in BASE_INDEX.items():
        assert SCHEMES[name].ids[index] == structure


def test_classes_are_numbered_without_a_gap():
    assert sorted(CLASS_OF.values()) == list(range(1, CLASSES))


@pytest.mark.parametrize(
    ("scheme", "index", "name"),
    [
        ("freesurfer", 1028, "left-cerebral-cortex"),
        ("freesurfer", 2035, "right-cerebral-cortex"),
        ("freesurfer", 12175, "right-cerebral-cortex"),
        ("freesurfer", 3001, "left-cerebral-white-matter"),
        ("freesurfer", 31, "left-lateral-ventricle"),
        ("freesurfer", 79, "right-cerebral-white-matter"),
        ("freesurfer", 77, BRAIN),
        ("freesurfer", 253, BRAIN),
        ("freesurfer", 85, BRAIN),
        ("synthseg", 57, "right-cerebral-white-matter"),
        ("synthseg", 137, "left-inferior-lateral-ventricle"),
        ("neuromorphometrics", 47, "right-hippocampus"),
        ("neuromorphometrics", 48, "left-hippocampus"),
        ("neuromorphometrics", 206, "right-cerebral-cortex"),
        ("neuromorphometrics", 207, "left-cerebral-cortex"),
        ("neuromorphometrics", 72, BRAIN),
    ],
)
def test_foreign_ids(scheme, index, name):
    assert SCHEMES[scheme].ids[index] == name


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_ids_without_a_meaning_are_background(dtype):
    unknown = {np.uint8: 250}.get(dtype, np.iinfo(dtype).max)
    labels = np.array([[[0, 17, 53, 99, unknown]]], dtype)

    classes = SCHEMES["freesurfer"].classes(labels)

    left, right = CLASS_OF["left-hippocampus"], CLASS_OF["right-hippocampus"]
    assert classes.ravel().tolist() == [0, left, right, 0, 0]


def test_a_table_is_read(tmp_path):
    (tmp_path / "mine.tsv").write_text(
        "index\tname\tcolor\n0\tbackground\tx\n300\tleft-caudate\tx\n7\tbrain\tx\n9\tn/a\tx\n"
    )

    scheme = find_scheme("mine.tsv", tmp_path)

    assert scheme.name == "mine.tsv"
    assert scheme.ids == {300: "left-caudate", 7: BRAIN}
    assert scheme.classes(np.array([[[300, 9]]])).ravel().tolist() == [
        CLASS_OF["left-caudate"],
        0,
    ]


def test_an_unknown_scheme_is_refused():
    with pytest.raises(UsageError, match="no label scheme") as caught:
        find_scheme("hammers")

    assert str(caught.value) == "There is no label scheme called 'hammers'."
    assert caught.value.remedy == (
        "Use medprompt, freesurfer, synthseg, neuromorphometrics, dkt, brats2013, brats, the "
        "name of a lesion such as ms-lesion, or a .tsv file with the columns index and name."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index\tname\nx\tleft-caudate\n", ", line 2: the index 'x' is not a whole number."),
        (
            "index\tname\n3\tcaudate\n",
            ", line 2: 'caudate' is neither a base structure nor a lesion.",
        ),
        ("id\tname\n3\tleft-caudate\n", " is no label scheme: has id, name"),
    ],
    ids=["index", "name", "columns"],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, message):
    path = tmp_path / "mine.tsv"
    path.write_text(text)

    with pytest.raises(InputError, match=r"mine\.tsv") as caught:
        find_scheme("mine.tsv", tmp_path)

    assert str(caught.value) == f"{path}{message}"


def test_a_side_that_is_missing_is_offered(tmp_path):
    (tmp_path / "mine.tsv").write_text("index\tname\n3\tcaudate\n")

    with pytest.raises(InputError, match="base structure") as caught:
        find_scheme("mine.tsv", tmp_path)

    assert caught.value.remedy == (
        "Use names such as left-caudate or tumor, or brain for what belongs to none."
    )


def test_a_few_unknown_ids_are_accepted():
    labels = np.zeros((10, 10, 10), np.uint16)
    labels[:5] = 17
    labels[0] = 900  # 20 % of what is labelled

    SCHEMES["freesurfer"].check(labels, "truth.nii.gz")


def test_tissue_outside_the_brain_is_known():
    labels = np.array([[[17, 258, 258, 511, 165]]], np.uint16)

    SCHEMES["freesurfer"].check(labels, "truth.nii.gz")


def test_a_map_without_labels_is_of_every_scheme():
    for scheme in SCHEMES.values():
        scheme.check(np.zeros((2, 2, 2), np.uint8), "truth.nii.gz")


def test_ids_that_a_table_leaves_out_are_no_mistake(tmp_path):
    (tmp_path / "mine.tsv").write_text("index\tname\n3\tleft-caudate\n")

    find_scheme("mine.tsv", tmp_path).check(np.full((2, 2, 2), 9), "truth.nii.gz")


def test_a_map_of_another_scheme_is_refused():
    labels = np.array([[[17, 45, 45, 900, 203, 203, 203, 32, 36, 37, 38]]], np.uint16)

    with pytest.raises(InputError, match="is no freesurfer label map") as caught:
        SCHEMES["freesurfer"].check(labels, "truth.nii.gz")

    assert str(caught.value) == (
        "truth.nii.gz is no freesurfer label map: 91% of its labelled voxels have ids that "
        "are unknown there, such as 203, 45, 32, 36, 37."
    )
    assert caught.value.code == "wrong-scheme"
    assert caught.value.remedy == (
        "Name the scheme of the truth: medprompt, freesurfer, synthseg, neuromorphometrics, "
        "dkt, brats2013, brats, the name of a lesion such as ms-lesion, or a .tsv file with "
        "the columns index and name."
    )


REAL = [
    ("manual/1000_glm.nii.gz", "neuromorphometrics"),
    ("anatomy/bert/aseg.mgz", "freesurfer"),
    ("anatomy/bert/aparc.DKTatlas+aseg.mgz", "freesurfer"),
    ("anatomy/voxelmorph-test/aseg.nii.gz", "freesurfer"),
    ("labels/seg_01.nii.gz", "synthseg"),
]


@pytest.mark.shared
@pytest.mark.parametrize(("file", "scheme"), REAL)
def test_real_label_maps_are_told_apart(shared_data, file, scheme):
    voxels = read_labels(shared_data / file).voxels
    other = "neuromorphometrics" if scheme != "neuromorphometrics" else "freesurfer"

    SCHEMES[scheme].check(voxels, file)
    with pytest.raises(InputError, match=rf"is no {other} label map"):
        SCHEMES[other].check(voxels, file)


@pytest.mark.shared
@pytest.mark.parametrize(("file", "scheme"), REAL)
def test_left_of_real_label_maps_is_left(shared_data, file, scheme):
    labels = read_labels(shared_data / file)
    classes = SCHEMES[scheme].classes(labels.voxels)

    for kind in ("hippocampus", "cerebral-cortex", "cerebral-white-matter", "putamen"):
        middle = [
            labels.geometry.to_world(np.argwhere(classes == CLASS_OF[f"{side}-{kind}"]))
            .mean(axis=0)
            .tolist()
            for side in ("left", "right")
        ]
        assert middle[0][0] < middle[1][0] - 20
