import pytest

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.evaluation.cases import choose_targets, distinct, read_cases
from medprompt_cli.evaluation.schemes import find_scheme


def manifest(folder, *lines):
    path = folder / "scans.tsv"
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
    return path


def test_a_line_is_read(tmp_path):
    path = manifest(
        tmp_path,
        ("name", "group", "image", "truth", "scheme", "brain"),
        ("one", "young", "image.nii.gz", "truth.nii.gz", "medprompt", "half.nii.gz"),
        ("two", "n/a", "image.nii.gz", "truth.nii.gz", "n/a", "n/a"),
    )

    one, two = read_cases(path)

    assert (one.name, one.group, one.scheme.name) == ("one", "young", "medprompt")
    assert one.images == (tmp_path / "image.nii.gz",)
    assert one.brain == tmp_path / "half.nii.gz"
    assert (two.group, two.scheme.name, two.brain) == ("two", "freesurfer", None)


def test_paths_start_at_the_root_if_there_is_one(tmp_path):
    path = manifest(tmp_path, ("name", "image", "truth"), ("one", "i.nii.gz", "t.nii.gz"))

    (case,) = read_cases(path, tmp_path / "elsewhere")

    assert case.truth == tmp_path / "elsewhere" / "t.nii.gz"


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([("truth", "image"), ("a", "b")], "It has no column 'name'."),
        ([("name", "image"), ("a", "b")], "Line 2 has neither a truth nor absent lesions."),
        (
            [("name", "truth", "prediction", "absent"), ("a", "b", "c", "cyst")],
            "Line 2 has absent lesions, but no image to look for them in.",
        ),
        (
            [("name", "image", "absent"), ("a", "b", "tumor;migraine")],
            "Line 2 calls migraine absent, which is no lesion.",
        ),
        (
            [("name", "image", "truth", "scheme", "absent"), ("a", "b", "c", "cyst", "cyst")],
            "Line 2 calls cyst absent, and has a truth for it.",
        ),
        (
            [("name", "image", "truth", "grid"), ("a", "b", "c", "mm")],
            "Line 2 says grid 'mm', not world or voxels.",
        ),
        (
            [("name", "truth", "age"), ("a", "b", "3")],
            "It has a column 'age', which is not read.",
        ),
        ([("name", "truth"), ("a", "b")], "Line 2 has neither an image nor a prediction."),
        ([("name", "image", "truth"), ("n/a", "b", "c")], "Line 2 has no name."),
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


def test_a_line_may_have_several_images_and_targets(tmp_path):
    path = manifest(
        tmp_path,
        ("name", "image", "truth", "scheme", "targets", "grid"),
        ("one", "flair.nii; t1.nii", "t.nii", "brats2013", "tumor;edema", "voxels"),
        ("two", "flair.nii", "t.nii", "ms-lesion", "n/a", "world"),
    )

    one, two = read_cases(path)

    assert one.images == (tmp_path / "flair.nii", tmp_path / "t1.nii")
    assert (one.targets, one.same_voxels) == (("tumor", "edema"), True)
    assert (two.targets, two.same_voxels) == (("lesion", "ms-lesion"), False)


def test_a_healthy_scan_needs_no_truth(tmp_path):
    path = manifest(
        tmp_path,
        ("name", "image", "absent"),
        ("one", "t1.nii", "lesions"),
        ("two", "t1.nii", "tumor;cyst"),
    )

    one, two = read_cases(path)

    assert (one.truth, one.absent) == (None, LESIONS)
    assert two.absent == ("tumor", "cyst")


def test_of_lines_with_one_truth_the_first_is_a_scan_of_its_own(tmp_path):
    path = manifest(
        tmp_path,
        ("name", "image", "truth", "scheme", "absent"),
        ("both", "flair.nii;t1.nii", "t.nii", "ms-lesion", "n/a"),
        ("flair", "flair.nii", "t.nii", "ms-lesion", "n/a"),
        ("other", "flair.nii", "u.nii", "ms-lesion", "n/a"),
        ("healthy", "t1.nii", "n/a", "n/a", "lesions"),
    )

    assert distinct(read_cases(path)) == {"both", "other", "healthy"}


@pytest.mark.parametrize(
    ("scheme", "remedy"),
    [
        ("ms-lesion", "Use lesion, ms-lesion."),
        ("freesurfer", "Give a scheme of lesions or parcels, or leave the targets out."),
    ],
)
def test_a_target_that_the_scheme_does_not_hold_is_refused(scheme, remedy):
    with pytest.raises(UsageError, match="does not say where") as caught:
        choose_targets("tumor", find_scheme(scheme))

    assert str(caught.value) == f"The scheme {scheme} does not say where 'tumor' is."
    assert caught.value.remedy == remedy
