import math
from dataclasses import replace

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.evaluation.cases import Judged
from medprompt_cli.evaluation.schemes import SCHEMES
from medprompt_cli.evaluation.scores import Score
from medprompt_cli.synthesis.demo import write_voxels

GRID = Geometry((6, 7, 11), np.diag([2.0, 1.0, 1.0, 1.0]))


@pytest.fixture
def perturb(benchmark_module):
    return benchmark_module("perturb")


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("robustness")


def ramp():
    voxels = np.broadcast_to(np.arange(11, dtype=np.float32), GRID.shape)
    return Volume(voxels.copy(), GRID)


def ball(shape=(40, 44, 36), radius=11.0, shift=(4.0, -3.0, 2.0)):
    axes = [np.arange(n) - (n - 1) / 2 - s for n, s in zip(shape, shift, strict=True)]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    return (i**2 + j**2 + k**2 <= radius**2), Geometry(shape, np.eye(4))


def test_a_thick_slice_is_the_mean_of_its_slices_in_their_middle(perturb):
    thick = perturb.thick_slices(ramp(), np.random.default_rng(0), thickness_mm=5)

    assert thick.geometry.shape == (6, 7, 2)
    assert thick.geometry.spacing == (2, 1, 5)
    np.testing.assert_allclose(thick.voxels[3, 3], [2, 7])
    np.testing.assert_allclose(thick.geometry.to_world(np.array([0, 0, 1])), [0, 0, 7])


def test_a_thick_label_is_that_of_most_of_its_voxels(perturb):
    voxels = np.zeros(GRID.shape, np.uint16)
    voxels[..., 2:5] = 17
    voxels[..., 5:7], voxels[..., 7:9], voxels[..., 9] = 53, 41, 2
    labels = LabelMap(voxels, GRID, {})

    thick = perturb.majority(labels, thickness_mm=5)

    assert thick.voxels[0, 0].tolist() == [17, 41]
    assert thick.geometry.matches(
        perturb.thick_slices(ramp(), np.random.default_rng(0), thickness_mm=5).geometry
    )


def test_slices_are_axial_however_the_scan_is_stored(perturb):
    affine = np.array([[0, 0, -1.0, 9], [0, 1, 0, 0], [-1, 0, 0, 9], [0, 0, 0, 1]])
    voxels = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((10, 8, 10), np.float32)

    upright = perturb.upright(Volume(voxels, Geometry((10, 8, 10), affine)))

    assert upright.geometry.orientation == "RAS"
    assert upright.voxels[0, 0].tolist() == list(range(9, -1, -1))


def test_a_turned_ball_keeps_its_volume_and_goes_where_the_rotation_takes_it(perturb):
    inside, grid = ball()
    turned = perturb.turned_labels(LabelMap(inside.astype(np.uint8), grid, {}))

    assert turned.voxels.sum() == pytest.approx(inside.sum(), rel=0.01)
    middle = np.argwhere(turned.voxels).mean(axis=0) - (np.array(turned.voxels.shape) - 1) / 2
    shift, axis = np.array([4.0, -3.0, 2.0]), np.ones(3) / math.sqrt(3)
    angle = math.radians(perturb.TURN_DEGREES)
    expected = (  # Rodrigues, backwards: the transform takes output points to input points
        shift * math.cos(angle)
        - np.cross(axis, shift) * math.sin(angle)
        + axis * axis.dot(shift) * (1 - math.cos(angle))
    )
    np.testing.assert_allclose(middle, expected, atol=0.1)


def test_image_and_labels_are_turned_together_and_nothing_is_cut_off(perturb):
    inside, grid = np.ones((20, 24, 16), bool), Geometry((20, 24, 16), np.eye(4))
    volume = Volume(np.pad(inside[1:-1, 1:-1, 1:-1], 1).astype(np.float32) * 9, grid)
    labels = LabelMap((volume.voxels > 0).astype(np.uint8), grid, {})

    image = perturb.turned(volume, np.random.default_rng(0))
    there = perturb.turned_labels(labels)

    assert image.geometry.matches(there.geometry)
    assert ((image.voxels > 4.5) != there.voxels).mean() < 0.03
    assert there.voxels.sum() == pytest.approx(labels.voxels.sum(), rel=0.02)
    centre = (np.array(grid.shape) - 1) / 2
    new_centre = (np.array(image.geometry.shape) - 1) / 2
    np.testing.assert_allclose(image.geometry.to_world(new_centre), grid.to_world(centre))


def test_noise_has_its_share_of_the_range(perturb):
    voxels = np.zeros((40, 40, 40), np.float32)
    voxels[:20] = 1000
    noisy = perturb.noisy(
        Volume(voxels, Geometry((40, 40, 40), np.eye(4))), np.random.default_rng(1)
    )

    assert noisy.voxels[:20].std() == pytest.approx(50, rel=0.03)
    rayleigh = 50 * math.sqrt(math.pi / 2)  # the mean of a magnitude where there is no signal
    assert noisy.voxels[20:].mean() == pytest.approx(rayleigh, rel=0.03)
    assert noisy.voxels.dtype == np.float32


def test_the_bias_field_is_smooth_and_reaches_its_ends(perturb):
    grid = Geometry((40, 30, 20), np.diag([1.0, 1.0, 2.0, 1.0]))

    field = perturb.bias_field(grid, np.random.default_rng(2))

    assert (field.min(), field.max()) == (pytest.approx(0.7), pytest.approx(1.3))
    steps = [np.abs(np.diff(field, axis=axis)).max() for axis in range(3)]
    assert max(steps) < 0.15
    biased = perturb.biased(
        Volume(np.full(grid.shape, 2, np.float32), grid), np.random.default_rng(2)
    )
    np.testing.assert_allclose(biased.voxels, 2 * field, rtol=1e-6)


def test_contrast_is_inverted_inside_the_head_and_nowhere_else(perturb):
    inside, grid = ball()
    ranks = np.linspace(100, 300, grid.shape[0], dtype=np.float32)[:, None, None]
    volume = Volume(np.where(inside, ranks, 0).astype(np.float32), grid)

    inverted = perturb.inverted(volume, np.random.default_rng(0))

    assert (inverted.voxels[~inside] == 0).all()
    along = volume.voxels[inside], inverted.voxels[inside]
    assert np.corrcoef(*along)[0, 1] < -0.99
    assert along[1].min() >= along[0].min() - 1e-3
    assert along[1].max() <= along[0].max() + 1e-3


def test_dark_tissue_in_a_head_with_air_of_noise_is_part_of_the_head(perturb):
    inside, grid = ball()
    core, _ = ball(radius=4.0)
    air = np.abs(np.random.default_rng(0).normal(0, 3, grid.shape))
    voxels = np.where(inside, 200, air)
    voxels[core] = 5

    head = perturb.head_of(voxels.astype(np.float32), grid)

    assert (head == inside).mean() > 0.999


def shining(volume):
    """A segmenter for images whose left hippocampus is 100 and whose rest is dark."""
    return LabelMap((volume.voxels > 50).astype(np.uint8) * 17, volume.geometry, {})


@pytest.fixture
def case(tmp_path):
    inside, grid = ball((20, 22, 18), 5.0, (1.0, 0.0, 2.0))
    head, _ = ball((20, 22, 18), 8.0, (1.0, 0.0, 0.0))
    image = np.where(inside, 100, head * 20).astype(np.uint8)
    write_voxels(tmp_path / "image.nii.gz", image, grid)
    write_voxels(tmp_path / "truth.nii.gz", inside.astype(np.uint8) * 17, grid)
    return Judged(
        "ball",
        "group",
        SCHEMES["medprompt"],
        images=(tmp_path / "image.nii.gz",),
        truth=tmp_path / "truth.nii.gz",
    )


def test_a_perfect_segmenter_is_perfect_on_every_grid_and_loses_where_it_should(script, case):
    found = list(script.changed_scores(case, list(script.CHANGES), shining))

    dice = {
        scores[0].group: one.value
        for scores in found
        for one in scores
        if (one.region, one.quantity) == ("left-hippocampus", "dice")
    }
    clean = [value for group, value in dice.items() if group.startswith(script.CLEAN)]
    assert clean == [1.0] * len(script.CHANGES)
    assert dice["3 mm slices"] == 1  # a mean above 50 is a majority of three
    assert 0.8 < dice["5 mm slices"] < 1  # two of five are a mean of 52
    assert dice["turned by 20 degrees"] > 0.93
    assert dice["noise of 5 %"] == 1
    assert dice["contrast inverted"] == 0


def test_changes_are_the_same_every_time(script, case):
    first, second = (
        list(script.changed_scores(case, ["noise of 5 %", "bias of 30 %"], shining))
        for _ in range(2)
    )

    assert first == second


def test_a_scan_without_truth_is_refused(script, case):
    with pytest.raises(ValueError, match="ball has no truth"):
        list(script.changed_scores(replace(case, truth=None), ["5 mm slices"], shining))


def test_the_table_shows_the_loss_and_the_worst_scan(script):
    def scores(scan, group, dice):
        return [Score(scan, group, "brainstem", "dice", dice, "measured")]

    found = [
        scores("a", "clean run: 5 mm slices", 0.9),
        scores("a", "5 mm slices", 0.8),
        scores("b", "clean run: 5 mm slices", 0.7),
        scores("b", "5 mm slices", 0.68),
    ]

    assert script.table(found).splitlines()[2:] == [
        "| 5 mm slices | 2 | 0.800 | 0.740 | -0.060 (-0.100 to -0.020) | -0.100 (a) |"
    ]


def test_an_unknown_change_is_refused(script):
    assert script.known_changes([]) == list(script.CHANGES)
    with pytest.raises(SystemExit, match="There is no change 'blur'; there are 3 mm slices, "):
        script.known_changes(["blur"])
