"""A table of all labels says what measuring each of them alone says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.measurement import intensity, place
from medprompt_cli.measurement.labels import LabelStatistics, measure_labels

NAMES = {2: "left-white", 41: "right-white", 1028: "left-parcel", 77: "nowhere"}
PERCENTS = (5, 50, 97.5)


def random_case(affine, shape=(13, 11, 37), seed=0):
    """Taller than a slab of slices; some intensities are missing, all of one label."""
    random = np.random.default_rng(seed)
    voxels = random.choice([0, 0, 0, 2, 41, 1028], size=shape).astype(np.uint16)
    image = random.normal(1000, 3, shape).astype(np.float32)
    image[random.random(shape) < 0.1] = np.nan
    image[voxels == 1028] = np.inf
    grid = Geometry(shape, affine)
    return LabelMap(voxels, grid, NAMES), Volume(image, grid)


def one_by_one(labels: LabelMap, image: Volume) -> list[Measurement]:
    found: list[Measurement] = []
    for index, region in sorted(labels.names.items()):
        mask = Mask(region, labels.voxels == index, labels.geometry)
        size = Measurement(region, "voxels", int(np.count_nonzero(mask.voxels)), "1")
        found.append(size if size.value else size.withheld("absent"))
        found += [place.volume(mask), *place.centroid(mask), *place.bounding_box(mask)]
        found += [f(mask, image) for f in (intensity.finite_voxels, intensity.mean)]
        found.append(intensity.std(mask, image))
        found += [intensity.percentile(mask, image, q) for q in PERCENTS]
    return found


@pytest.mark.parametrize("grid", ["straight", "oblique"])
def test_the_table_agrees_with_every_mask(grid, oblique):
    case = random_case(oblique if grid == "oblique" else np.diag([1.0, 0.5, 3.0, 1.0]))
    found = list(measure_labels(*case, PERCENTS).measurements())
    expected = one_by_one(*case)

    assert len(found) == len(expected) == 4 * 17
    for got, wanted in zip(found, expected, strict=True):
        assert replace(got, value=wanted.value) == wanted
        if wanted.value is not None:
            assert got.value == pytest.approx(wanted.value, rel=1e-12, abs=1e-12)


def test_volumes_and_places_need_no_image():
    labels, _ = random_case(np.eye(4))
    found = measure_labels(labels)

    assert found.intensities is None
    assert found.regions == ("left-white", "right-white", "nowhere", "left-parcel")
    assert found.ids.tolist() == [2, 41, 77, 1028]
    counts = [np.count_nonzero(labels.voxels == index) for index in found.ids]
    assert found.voxels.tolist() == counts
    assert found.volumes_ml.tolist() == [n / 1000 for n in counts]
    assert {m.quantity for m in found.measurements()} == {
        *("voxels", "volume", *place.CENTROID, *place.BOX),
    }


def test_what_touches_the_border_is_marked():
    voxels = np.zeros((6, 6, 40), np.uint8)
    voxels[2:4, 2:4, 2:38] = 1
    voxels[4, 4, 39] = 2
    voxels[0, 3, 3] = 3
    names = {1: "inside", 2: "top", 3: "side", 4: "nowhere"}
    labels = LabelMap(voxels, Geometry(voxels.shape, np.eye(4)), names)

    assert measure_labels(labels).touches_border.tolist() == [False, True, True, False]


def test_a_table_of_nothing_is_empty():
    labels = LabelMap(np.zeros((3, 4, 5), np.uint8), Geometry((3, 4, 5), np.eye(4)), {})

    assert list(measure_labels(labels).measurements()) == []
    image = Volume(np.zeros((3, 4, 5), np.float32), labels.geometry)
    assert list(measure_labels(labels, image, [50]).measurements()) == []


def columns(found: LabelStatistics) -> list[np.ndarray]:
    shown = found.intensities
    assert shown is not None
    counted = [found.voxels, found.volumes_ml, found.centroids, found.boxes]
    return [*counted, shown.finite, shown.means, shown.stds, shown.percentiles]


def test_48_orientations_give_the_same_bits(every_way):
    affine = np.diag([1.0, 0.5, 3.0, 1.0])
    affine[:3, 3] = (-6.5, 12.25, -40.0)
    labels, image = random_case(affine)
    expected = columns(measure_labels(labels, image, PERCENTS))

    stored = every_way(labels.voxels, labels.geometry)
    for (voxels, grid), (shown, _) in zip(
        stored, every_way(image.voxels, image.geometry), strict=True
    ):
        for ordered in (np.ascontiguousarray, np.asfortranarray):
            map_, scan = LabelMap(ordered(voxels), grid, NAMES), Volume(ordered(shown), grid)
            for got, wanted in zip(
                columns(measure_labels(map_, scan, PERCENTS)), expected, strict=True
            ):
                assert np.array_equal(got, wanted, equal_nan=True)


def test_a_large_offset_costs_no_digits():
    """A sum of squares in double precision would have lost this spread."""
    random = np.random.default_rng(1)
    image = (1e9 + random.normal(0, 1, (8, 8, 8))).astype(np.float64)
    grid = Geometry((8, 8, 8), np.eye(4))
    labels = LabelMap(np.ones((8, 8, 8), np.uint8), grid, {1: "all"})
    found = measure_labels(labels, Volume(image, grid)).intensities

    assert found is not None
    assert found.stds[0] == pytest.approx(image.std(), rel=1e-6)


@given(voxels=st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_counts_of_all_labels_and_of_none_make_the_grid(voxels):
    array = np.reshape(np.array(voxels, np.uint8), (3, 4, 5))
    labels = LabelMap(array, Geometry((3, 4, 5), np.eye(4)), {1: "a", 2: "b", 3: "c"})
    found = measure_labels(labels)

    assert found.voxels.sum() + np.count_nonzero(array == 0) == 60
    there = found.voxels > 0
    low, high = found.boxes[there, 0::2], found.boxes[there, 1::2]
    assert (low < found.centroids[there]).all()
    assert (found.centroids[there] < high).all()
    assert np.isnan(found.centroids[~there]).all()


def test_labels_without_a_name_and_odd_types_are_refused():
    grid = Geometry((3, 4, 5), np.eye(4))
    voxels = np.zeros((3, 4, 5), np.uint16)
    voxels[1, 2, 3] = 1028
    with pytest.raises(InputError, match="holds the id 1028, which it does not name") as caught:
        measure_labels(LabelMap(voxels, grid, {2: "left-white"}))
    assert caught.value.code == "unnamed-label"

    with pytest.raises(InputError, match="holds voxels of type int16") as caught:
        measure_labels(LabelMap(voxels.astype(np.int16), grid, {1028: "left-parcel"}))
    assert caught.value.code == "labels-not-unsigned"

    elsewhere = Volume(voxels.astype(np.float32), Geometry((3, 4, 5), 2 * np.eye(4)))
    with pytest.raises(InputError, match="The label map, on a grid of"):
        measure_labels(LabelMap(voxels, grid, {1028: "left-parcel"}), elsewhere)
