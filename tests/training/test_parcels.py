"""Parcels carried from an atlas to a label map: a phantom whose borders are known."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.domain.anatomy import BASE_INDEX, KINDS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_INDEX, PARCEL_NAMES
from medprompt_cli.errors import InputError
from medprompt_cli.synthesis.bank import PackedLabels, crop_box, read_bank, to_positions
from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.training.atlas import SECTORS, build_atlas
from medprompt_cli.training.pack import pack_folder
from medprompt_cli.training.parcels import STAGES, lay_atlas, to_image, to_voxels

PARENTS = {"cerebral-cortex", "cerebellar-cortex"}
INNER = {"cerebral-white-matter", "lateral-ventricle", "thalamus", "cerebellar-white-matter"}


def grid(shape, centre, scale):
    """Coordinates of the phantom, in mm, at each voxel: R, A, S from its middle."""
    axes = [(np.arange(n) - c) / s for n, c, s in zip(shape, centre, scale, strict=True)]
    return np.meshgrid(*axes, indexing="ij")


def head(shape, centre, scale=(1.0, 1.0, 1.0)):
    """A head of FreeSurfer's ids: shells of cortex, white matter and nuclei, two sides."""
    x, y, z = grid(shape, centre, scale)
    ids = np.zeros(shape, np.int16)

    def fill(inside, kind):
        for side, half in (("left", x < 0), ("right", x >= 0)):
            ids[inside & half] = BASE_INDEX[f"{side}-{kind}"]

    def ball(radii, at=(0, 0, 0)):
        return sum(((c - a) / r) ** 2 for c, a, r in zip((x, y, z), at, radii, strict=True)) < 1

    def pair(radii, at):
        return ball(radii, at) | ball(radii, (-at[0], *at[1:]))

    fill(ball((22, 27, 19), (0, 0, 5)), "cerebral-cortex")
    fill(ball((18, 22, 15), (0, 0, 5)), "cerebral-white-matter")
    fill(pair((4, 8, 3), (6, 2, 9)), "lateral-ventricle")
    fill(pair((5, 6, 4), (6, -2, 1)), "thalamus")
    fill(ball((13, 9, 8), (0, -17, -18)), "cerebellar-cortex")
    fill(pair((4, 5, 4), (7, -17, -18)), "cerebellar-white-matter")
    return ids, (x, y, z)


def parcels_at(x, y, kind):
    """The rule the phantom's borders follow: cortex is cut at y = 4, vermis within 3 mm."""
    named = np.full(x.shape, "", object)
    sides = np.where(x < 0, "left", "right")
    if kind == "cerebral-cortex":
        named[:] = sides
        return named + np.where(y > 4, "-superior-frontal", "-superior-parietal")
    return np.where(np.abs(x) < 3, "anterior-vermis", sides + "-cerebellar-hemisphere-cortex")


def truth(ids, x, y):
    """Name of the parcel at each voxel; nothing outside the parents."""
    named = np.full(ids.shape, "", object)
    for kind in PARENTS:
        inside = np.isin(ids, [BASE_INDEX[f"left-{kind}"], BASE_INDEX[f"right-{kind}"]])
        named[inside] = parcels_at(x, y, kind)[inside]
    return named


@pytest.fixture(scope="module")
def atlas():
    """The phantom labelled as the atlas is: parcels for cortex, white matter left out."""
    ids, (x, y, _) = head((64, 76, 68), (31.5, 40, 36))
    named = truth(ids, x, y)
    labels = ids.astype(np.int32)
    for name in set(named[named != ""]):
        labels[named == name] = PARCEL_INDEX[name]
    white = np.isin(ids, [2, 41])
    labels[white] = 0
    brain = np.where(ids == 0, 0.0, 60.0)
    brain[white] = 100.0
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = -31.5, -50, -30
    return build_atlas(labels, brain, Geometry(labels.shape, affine))


@pytest.fixture(scope="module")
def laid_and_truth(atlas):
    """The atlas on a head that is wider, shorter and elsewhere."""
    shape = (72, 72, 72)
    ids, (x, y, _) = head(shape, (36.5, 40, 36), (1.12, 0.9, 1.05))
    packed = PackedLabels("head.nii.gz", to_positions(ids, "head"), (1.0, 1.0, 1.0))
    return lay_atlas(atlas, packed), truth(ids, x, y)


def test_white_matter_is_what_shines_and_has_no_label(atlas):
    ids, _ = head((64, 76, 68), (31.5, 40, 36))
    white = np.isin(ids[crop_box(ids)], [2, 41])

    found = atlas.kinds == KINDS.index("cerebral-white-matter") + 1

    np.testing.assert_array_equal(found, white)


def test_the_nearest_parcel_of_a_side_is_the_nearest(atlas):
    assert SECTORS[0] == ("cerebral-cortex", "left")
    column = atlas.nearest[..., 0]
    allowed = {f"left-{kind}" for kind in ("superior-frontal", "superior-parietal")}
    assert {PARCEL_NAMES[n - 1] for n in np.unique(column)} == allowed

    ids, (x, y, _) = head((64, 76, 68), (31.5, 40, 36))
    box = crop_box(ids)
    named = truth(ids, x, y)[box]
    places = {name: np.argwhere(named == name) for name in allowed}
    rng = np.random.default_rng(3)
    for voxel in rng.integers(0, column.shape, (40, 3)):
        far = {n: np.linalg.norm(p - voxel, axis=1).min() for n, p in places.items()}
        assert far[PARCEL_NAMES[column[tuple(voxel)] - 1]] == min(far.values())


def test_every_voxel_of_a_parent_gets_a_parcel_of_its_side_and_no_other_does(laid_and_truth):
    laid, named = laid_and_truth
    found = np.array(["", *PARCEL_NAMES], object)[laid.layer]

    np.testing.assert_array_equal(found != "", named != "")
    for side, other in (("left", "right"), ("right", "left")):
        of_side = np.char.startswith(named.astype(str), side)
        assert not np.char.startswith(found[of_side].astype(str), other).any()


def test_borders_are_carried_to_where_they_belong(laid_and_truth):
    laid, named = laid_and_truth
    found = np.array(["", *PARCEL_NAMES], object)[laid.layer]

    for name in sorted(set(named[named != ""])):
        one, other = found == name, named == name
        dice = 2 * (one & other).sum() / (one.sum() + other.sum())
        assert dice > (0.8 if name == "anterior-vermis" else 0.93), name


def test_overlap_tells_how_well_the_structures_meet(laid_and_truth, atlas):
    laid, _ = laid_and_truth

    assert set(laid.overlap) == {*PARENTS, *INNER}
    assert min(laid.overlap.values()) > 0.8
    assert max(laid.overlap.values()) <= 1.0


def test_without_demons_structures_meet_less_well(laid_and_truth, atlas):
    shape = (72, 72, 72)
    ids, (_, y, _) = head(shape, (36.5, 40, 36), (1.12, 0.9, 1.05))
    bent = np.where(y > 0, np.roll(ids, 3, axis=2), ids)  # the front lies 3 mm higher
    packed = PackedLabels("head.nii.gz", to_positions(bent, "head"), (1.0, 1.0, 1.0))

    stiff, soft = (lay_atlas(atlas, packed, stages).overlap for stages in ((), STAGES))

    assert np.mean(list(soft.values())) > np.mean(list(stiff.values())) + 0.05


def test_a_map_without_a_brain_is_refused(atlas):
    soft = PackedLabels("neck.nii.gz", to_positions(np.full((9, 9, 9), 507), "neck"), (1, 1, 1))

    with pytest.raises(InputError, match="no structure of the brain") as caught:
        lay_atlas(atlas, soft)

    assert str(caught.value) == "neck.nii.gz holds no structure of the brain."
    assert caught.value.code == "no-brain"


def test_packing_with_an_atlas_adds_its_parcels(atlas, tmp_path):
    ids, _ = head((64, 76, 68), (31.5, 40, 36))
    nib.save(nib.Nifti1Image(ids, np.diag([1.0, 1.0, 1.0, 1.0])), tmp_path / "one.nii.gz")
    seen = []

    bank = tmp_path / "heads.labels.xz"
    pack_folder(tmp_path, bank, atlas, lambda packed, overlap: seen.append((packed, overlap)))

    ((packed, overlap),), (read,) = seen, read_bank(bank)
    assert np.mean(list(overlap.values())) > 0.95
    np.testing.assert_array_equal(packed.layers, read.layers)
    parents = [PAINT_CLASSES.index(p) for p in PAINT_CLASSES if p.index in (3, 42, 8, 47)]
    np.testing.assert_array_equal(read.layers[0] > 0, np.isin(read.voxels, parents))


def test_a_map_that_the_atlas_does_not_fit_is_refused(atlas, tmp_path):
    ids = np.zeros((40, 40, 40), np.int16)
    ids[5:35, 5:35, 5:35] = BASE_INDEX["brainstem"]
    nib.save(nib.Nifti1Image(ids, np.diag([1.0, 1.0, 1.0, 1.0])), tmp_path / "one.nii.gz")

    with pytest.raises(InputError, match=r"overlaps by a Dice of 0\.00 only") as caught:
        pack_folder(tmp_path, tmp_path / "heads.labels.xz", atlas)

    assert str(caught.value) == (
        f"{tmp_path / 'one.nii.gz'}: the atlas, laid over it, overlaps by a Dice of 0.00 only."
    )
    assert caught.value.remedy == (
        "Take the map out of the folder, or pack it without an atlas."
    )
    assert not (tmp_path / "heads.labels.xz").exists()


def test_voxels_lie_in_an_image_where_they_lie_in_the_world():
    voxels = np.arange(2 * 3 * 4 * 2, dtype=np.uint8).reshape(2, 3, 4, 2)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = 5, 6, 7

    image = to_image(voxels, Geometry((2, 3, 4), affine))

    assert image.GetSize() == (2, 3, 4)
    assert image.TransformIndexToPhysicalPoint((1, 2, 3)) == (6, 10, 16)
    assert image[1, 2, 3] == tuple(voxels[1, 2, 3])
    np.testing.assert_array_equal(to_voxels(image), voxels)
