"""Volumes in, masks on the same grid out: against answers known in closed form."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from safetensors.torch import save_file

from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_NAMES, CLOSED_MM, GROUPS, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_NAMES
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError, WeightsError
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.segmenter import Segmenter

BRAINSTEM = BASE_INDEX["brainstem"]
EVERYTHING = resolve(["all", *GROUPS])
PARCELLED = resolve([*PARCEL_NAMES, "temporal lobe", "frontal lobe"])
WITH_LESIONS = (*EVERYTHING, *resolve(LESIONS), *PARCELLED)
ORIENTATIONS = list(product(permutations(range(3)), product((1, -1), repeat=3)))


@pytest.fixture(scope="session")
def by_threshold(threshold, save_network):
    """Segmenters that call brainstem what is bright, by the finest level they use."""
    return {
        level: Segmenter(
            device="cpu",
            weights=save_network(threshold(level=level), f"threshold-{level}", level),
        )
        for level in (0, 1)
    }


@pytest.fixture(scope="session")
def by_formula(lively, save_network):
    """A segmenter whose answer depends on everything, and means nothing."""
    return Segmenter(device="cpu", weights=save_network(lively, "lively"))


def scan(voxels, spacing=(1.0, 1.0, 1.0), **fields):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-12, 3, 40)
    return Volume(voxels, Geometry(voxels.shape, affine), **fields)


def turn(volume, order, signs):
    """The same image, stored along other axes; and how to turn its results back."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    flips = tuple(slice(None, None, sign) for sign in signs)
    voxels = volume.voxels.transpose(order)[flips]
    for axis, (source, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[source, axis] = sign
        matrix[source, 3] = voxels.shape[axis] - 1 if sign < 0 else 0
    geometry = Geometry(voxels.shape, volume.geometry.affine @ matrix)
    turned = Volume(np.ascontiguousarray(voxels), geometry)
    return turned, lambda found: found[flips].transpose(np.argsort(order))


def shaken(lump, seed=0):
    """The lump with texture, so that no two voxels are alike."""
    return lump + np.random.default_rng(seed).random(lump.shape, np.float32) * 20


def test_every_orientation_gives_the_same_masks(by_formula, lump):
    volume = scan(shaken(lump), (1.0, 1.1, 2.5))
    straight = by_formula.segment(volume, WITH_LESIONS)
    assert len(np.unique(straight.labels.voxels)) > 8
    assert len(np.unique(straight.parcels.voxels)) > 2
    lesions = [straight.masks[name].voxels.mean() for name in LESIONS]
    assert sum(0 < share < 1 for share in lesions) > 4

    for order, signs in ORIENTATIONS:
        turned, back = turn(volume, order, signs)
        found = by_formula.segment(turned, WITH_LESIONS)

        assert found.labels.geometry is found.parcels.geometry is turned.geometry
        np.testing.assert_array_equal(back(found.labels.voxels), straight.labels.voxels)
        np.testing.assert_array_equal(back(found.parcels.voxels), straight.parcels.voxels)
        for name, mask in found.masks.items():
            np.testing.assert_array_equal(back(mask.voxels), straight.masks[name].voxels)
        assert found.volumes_ml == pytest.approx(straight.volumes_ml, rel=1e-6)
        assert found.presence == straight.presence


@pytest.mark.parametrize(
    ("spacing", "finest_level"),
    [
        ((1.0, 1.0, 1.0), 0),
        ((1.0, 1.0, 5.0), 0),
        ((3.0, 0.8, 0.8), 0),
        ((2.0, 2.0, 2.0), 1),
        ((1.5, 1.5, 7.0), 1),
        ((2.5, 2.5, 2.5), 0),
    ],
    ids=str,
)
def test_masks_are_the_bright_voxels_themselves(by_threshold, lump, spacing, finest_level):
    level = 1 if min(spacing) > 1.45 else finest_level
    volume = scan(lump, spacing)

    found = by_threshold[level].segment(volume, resolve(["brainstem", "brain"]))

    expected = np.where(lump > 50, BRAINSTEM, 0)
    np.testing.assert_array_equal(found.labels.voxels, expected)
    np.testing.assert_array_equal(found.masks["brain"].voxels, lump > 50)
    for result in (found.labels, found.masks["brain"]):
        assert result.geometry is volume.geometry
        assert result.voxels.flags.c_contiguous
    assert found.labels.voxels.dtype == np.uint8
    assert found.labels.names == {BRAINSTEM: "brainstem"}
    assert found.notes == ()


def test_images_finer_than_the_finest_level_get_masks_on_their_own_grid(by_threshold):
    """Averaged to 1 mm and interpolated back; a box of whole mm survives that exactly."""
    voxels = np.zeros((36, 40, 12), np.float32)
    voxels[8:24, 10:32, 2:9] = 100
    volume = scan(voxels, (0.5, 0.5, 2.0))

    found = by_threshold[0].segment(volume, resolve(["brainstem"]))

    assert found.labels.voxels.shape == voxels.shape
    wrong = (found.labels.voxels > 0) != (voxels > 0)
    corners = np.zeros_like(wrong)
    corners[np.ix_([8, 23], [10, 31], range(2, 9))] = True
    assert not wrong[~corners].any()


def test_a_tilted_grid_is_kept(by_threshold, lump):
    angle = np.deg2rad(20)
    affine = np.diag([-1.0, 1.0, 3.0, 1.0])
    turned = np.eye(4)
    turned[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = Volume(lump, Geometry(lump.shape, turned @ affine))

    found = by_threshold[0].segment(volume, resolve(["brainstem"]))

    np.testing.assert_array_equal(found.labels.voxels > 0, lump > 50)


def test_volumes_are_those_of_the_voxels_where_the_network_is_sure(by_threshold, lump):
    volume = scan(lump, (1.0, 1.0, 3.0))

    found = by_threshold[0].segment(volume, resolve(["brainstem", "brain", "left thalamus"]))

    millilitres = float((lump > 50).sum()) * 3.0 / 1000
    assert found.volumes_ml["brainstem"] == pytest.approx(millilitres, rel=1e-4)
    assert found.volumes_ml["brain"] == pytest.approx(millilitres, rel=1e-4)
    assert found.volumes_ml["left-thalamus"] == pytest.approx(0, abs=1e-6)
    for name in ("brainstem", "brain"):
        sums = found.sums[name]
        assert sums.total_ml == pytest.approx(millilitres, rel=1e-4)
        assert sums.inside_ml == pytest.approx(millilitres, rel=1e-4)
        assert sums.spread_ml == pytest.approx(0, abs=1e-4 * millilitres)


def test_only_what_is_asked_for_is_labelled(by_formula, lump):
    volume = scan(shaken(lump))
    everything = by_formula.segment(volume, resolve(["all"]))
    there = [everything.labels.names[i] for i in np.unique(everything.labels.voxels) if i]
    assert len(there) > 4

    found = by_formula.segment(volume, resolve(there[:2]))

    wanted = [BASE_INDEX[name] for name in there[:2]]
    expected = np.where(np.isin(everything.labels.voxels, wanted), everything.labels.voxels, 0)
    np.testing.assert_array_equal(found.labels.voxels, expected)
    assert found.labels.names == dict(zip(wanted, there[:2], strict=True))
    assert set(found.presence) == set(found.volumes_ml) == set(there[:2])


def test_a_group_is_where_its_members_outweigh_the_rest(by_formula, lump):
    volume = scan(shaken(lump))

    found = by_formula.segment(volume, EVERYTHING)

    labels = found.labels.voxels
    for name in found.masks.keys() - CLOSED_MM.keys():
        mask = found.masks[name]
        members = [BASE_INDEX[member] for member in GROUPS[name]]
        own = [found.volumes_ml[member] for member in GROUPS[name]]
        assert found.volumes_ml[name] == pytest.approx(sum(own), rel=1e-5)
        assert found.presence[name] == max(found.presence[m] for m in GROUPS[name])
        disagree = mask.voxels != np.isin(labels, members)
        assert mask.voxels.dtype == bool
        assert disagree.mean() < 0.2
    assert set(found.labels.names.values()) == set(BASE_NAMES)


def test_a_brain_mask_holds_the_brain_and_is_measured_by_its_voxels(by_formula, lump):
    volume = scan(shaken(lump))

    masks = by_formula.segment(volume, EVERYTHING)

    brain, closed = (masks.masks[name].voxels for name in ("brain", "brain-mask"))
    assert (closed >= brain).all()
    whole = closed.sum() * volume.geometry.voxel_volume_mm3 / 1000
    assert masks.volumes_ml["brain-mask"] == pytest.approx(whole)
    assert masks.presence["brain-mask"] == masks.presence["brain"]


def test_a_group_is_there_where_no_member_wins_but_all_together_do(
    undecided, save_network, lump
):
    segmenter = Segmenter(
        device="cpu", weights=save_network(undecided, "undecided"), follow_intensities=False
    )
    prompts = ["left putamen", "putamen", "basal ganglia", "thalamus"]

    found = segmenter.segment(scan(lump), resolve(prompts))

    assert not found.labels.voxels.any()
    np.testing.assert_array_equal(found.masks["basal-ganglia"].voxels, lump > 50)
    millilitres = float((lump > 50).sum()) / 1000
    assert found.volumes_ml["basal-ganglia"] == pytest.approx(0.6 * millilitres, rel=0.05)
    assert found.volumes_ml["left-putamen"] == pytest.approx(0.15 * millilitres, rel=0.1)
    together, alone = found.sums["basal-ganglia"], found.sums["left-putamen"]
    assert together.total_ml == pytest.approx(found.volumes_ml["basal-ganglia"], rel=1e-5)
    assert together.inside_ml == pytest.approx(0.6 * millilitres, rel=0.05)
    assert together.spread_ml == pytest.approx(0.24 * millilitres, rel=0.1)
    assert alone.inside_ml == 0
    assert alone.spread_ml == pytest.approx(0.15 * 0.85 * millilitres, rel=0.1)


def test_streams_are_averaged_and_their_order_does_not_matter(by_threshold, lump):
    other = np.zeros_like(lump)
    other[16:23, 8:14, 6:12] = 100
    streams = [scan(lump), scan(other)]

    found = by_threshold[0].segment(streams, resolve(["brainstem"]))
    turned = by_threshold[0].segment(streams[::-1], resolve(["brainstem"]))

    expected = (lump + other) > 50
    np.testing.assert_array_equal(found.labels.voxels > 0, expected)
    np.testing.assert_array_equal(turned.labels.voxels, found.labels.voxels)


def test_order_of_streams_does_not_matter_to_any_weight(by_formula, lump):
    streams = [scan(shaken(lump, seed)) for seed in range(3)]

    found = by_formula.segment(streams, WITH_LESIONS)
    turned = by_formula.segment([streams[2], streams[0], streams[1]], WITH_LESIONS)

    pairs = [(found.labels, turned.labels), (found.parcels, turned.parcels)]
    pairs += [(mask, turned.masks[name]) for name, mask in found.masks.items()]
    for one, other in pairs:  # sums in another order round otherwise in bfloat16
        assert (one.voxels == other.voxels).mean() > 0.97
    assert found.presence == pytest.approx(turned.presence, abs=0.02)


def test_streams_on_different_grids_are_refused(by_threshold, lump):
    moved = Geometry(lump.shape, np.diag([1.0, 1.0, 1.01, 1.0]))
    streams = [scan(lump, source="sub-01_T1w.nii.gz"), Volume(lump, moved, source="flair.nii")]

    with pytest.raises(InputError, match="does not lie on the grid") as caught:
        by_threshold[0].segment(streams, resolve(["brainstem"]))

    assert str(caught.value) == "flair.nii does not lie on the grid of sub-01_T1w.nii.gz."
    assert caught.value.remedy == (
        "Co-register the images of a case and resample them to one grid."
    )
    assert caught.value.code == "grid-mismatch"


def test_no_image_at_all_is_refused(by_threshold):
    with pytest.raises(InputError, match="without any image") as caught:
        by_threshold[0].segment([], resolve(["brainstem"]))

    assert str(caught.value) == "A case without any image was to be segmented."
    assert caught.value.remedy == "Give one image, or several on one grid."
    assert caught.value.code == "no-images"


def test_an_image_without_a_brain_says_so(threshold, save_network, lump):
    blind = Segmenter(device="cpu", weights=save_network(threshold(seen=False), "blind"))

    found = blind.segment(scan(lump), resolve(["brainstem", "brain"]))

    assert found.notes == ("No brain was found in this image.",)
    assert not found.labels.voxels.any()
    assert not found.masks["brain"].voxels.any()
    assert found.volumes_ml == {"brainstem": 0, "brain": 0}


def test_what_does_not_touch_the_head_is_dropped(by_threshold, lump):
    voxels = lump.copy()
    voxels[:2, :2, :2] = 100

    found = by_threshold[0].segment(scan(voxels), resolve(["brainstem", "brain"]))

    np.testing.assert_array_equal(found.labels.voxels > 0, lump > 50)
    np.testing.assert_array_equal(found.masks["brain"].voxels, lump > 50)


def test_presence_is_a_probability_of_every_target(by_formula, lump):
    found = by_formula.segment(scan(shaken(lump)), EVERYTHING)

    assert set(found.presence) == set(BASE_NAMES) | set(GROUPS)
    assert all(0 <= chance <= 1 for chance in found.presence.values())
    assert all(mask.presence == found.presence[name] for name, mask in found.masks.items())


def test_less_memory_gives_the_same_masks(lively, save_network, by_threshold, lump):
    weights = save_network(lively, "lively-little")
    little = Segmenter(device="cpu", weights=weights, memory_gb=1e-6)
    plenty = Segmenter(device="cpu", weights=weights)
    volume = scan(shaken(np.tile(lump, (3, 1, 1))))

    one, other = (s.segment(volume, resolve(["all"])).labels.voxels for s in (little, plenty))

    assert (one == other).mean() > 0.97  # tiles round otherwise in bfloat16


def test_provenance_of_a_file(by_threshold):
    segmenter = by_threshold[0]

    assert segmenter.weights_name == "threshold-0"
    assert segmenter.weights_version == "file"
    assert len(segmenter.weights_sha256) == 64
    assert segmenter.device_name == "cpu"


def test_seconds_are_told_by_stage(by_threshold, lump):
    seconds = by_threshold[0].segment(scan(lump), resolve(["brainstem"])).seconds

    assert list(seconds) == ["prepare", "coarse", "fine", "labels"]
    assert all(value > 0 for value in seconds.values())


def test_weights_of_another_network_are_refused(tiny, tmp_path):
    import json

    path = tmp_path / "other.safetensors"
    tensors = VoxelNetwork(tiny).state_dict()
    del tensors["core.stem.bias"]
    about = {"network": json.dumps(tiny.to_dict()), "finest_level": "0"}
    save_file(tensors, path, metadata=about)

    with pytest.raises(WeightsError, match="do not fit this network") as caught:
        Segmenter(device="cpu", weights=path)

    assert str(caught.value) == (
        "Weights other do not fit this network: Error(s) in loading state_dict for"
        ' VoxelNetwork:\n\tMissing key(s) in state_dict: "core.stem.bias". .'
    )
    assert caught.value.remedy == "Use weights made for this version of medprompt."


@pytest.mark.shared
@pytest.mark.slow
def test_real_files_in_48_orientations_get_the_same_masks(shared_data, by_formula):
    from medprompt_cli.bids.images import read_image
    from medprompt_cli.domain.geometry import to_canonical

    def canonical_labels(path):
        volume = read_image(path, modality="MR")
        labels = by_formula.segment(volume, resolve(["all"])).labels
        assert labels.voxels.shape == volume.voxels.shape
        return to_canonical(labels.voxels, volume.geometry)

    files = sorted((shared_data / "orientation").glob("*.nii.gz"))
    assert len(files) == 48
    first = canonical_labels(files[0])
    assert len(np.unique(first)) > 4
    for path in files[1:]:
        np.testing.assert_array_equal(canonical_labels(path), first)
