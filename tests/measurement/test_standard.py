"""What is measured of every region says what measuring each thing alone says."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.measurement import diameters, intensity, place, surface
from medprompt_cli.measurement.standard import (
    FEWEST_VOXELS,
    STANDARD,
    measure_map,
    measure_mask,
    unmeasured,
)

GRID = Geometry((16, 18, 20), np.diag([1.0, 0.5, 2.0, 1.0]))


@pytest.fixture
def labels():
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[2:9, 3:12, 4:9] = 17
    voxels[3:5, 3:5, 4] = 0
    voxels[12:14, 12:15, 12:15] = 17
    voxels[10, 2:5, 3] = 4
    return LabelMap(voxels, GRID, {17: "left-hippocampus", 4: "thread", 53: "nowhere"})


@pytest.fixture
def image():
    random = np.random.default_rng(0)
    return Volume(random.normal(100, 5, GRID.shape).astype(np.float32), GRID)


def alone(labels, image, index, name):
    mask = Mask(name, labels.voxels == index, GRID)
    return [
        *(f(mask) for f in (place.volume, place.count, diameters.max_diameter)),
        *(f(mask) for f in (diameters.bidimensional, surface.surface_area)),
        *place.centroid(mask),
        *place.bounding_box(mask),
        *(f(mask, image) for f in (intensity.mean, intensity.std)),
    ]


def test_every_quantity_agrees_with_its_own_function(labels, image):
    found = {region.region: region for region in measure_map(labels, [image])}
    expected = alone(labels, image, 17, "left-hippocampus")
    numbers = found["left-hippocampus"].measurements

    assert tuple(m.quantity for m in numbers) == STANDARD
    for got, wanted in zip(numbers, expected, strict=True):
        assert (got.region, got.quantity, got.unit) == (
            *(wanted.region, wanted.quantity),
            wanted.unit,
        )
        assert got.value == pytest.approx(wanted.value, rel=1e-6)
    assert found["left-hippocampus"].largest_share == pytest.approx(311 / 329)


def test_one_mask_is_measured_as_in_a_map(labels, image):
    mask = Mask("left-hippocampus", labels.voxels == 17, GRID)
    whole = {region.region: region for region in measure_map(labels, [image])}

    assert measure_mask(mask, [image]) == whole["left-hippocampus"]


def test_what_is_absent_has_no_value_but_a_count_of_0(labels, image):
    found = {region.region: region for region in measure_map(labels, [image])}
    nowhere = found["nowhere"]

    assert nowhere == unmeasured("nowhere", "absent", [image])
    assert {m.quantity: m.value for m in nowhere.measurements if m.value is not None} == {
        "count": 0
    }


def test_what_is_not_visible_has_no_count_either():
    none = unmeasured("cyst", "not_visible", shapes=("max-diameter",))

    assert {(m.value, m.status) for m in none.measurements} == {(None, "not_visible")}
    quantities = [m.quantity for m in none.measurements]
    assert "surface-area" not in quantities
    assert "mean" not in quantities


def test_a_few_voxels_have_no_surface_and_no_spread(labels, image):
    thread = next(r for r in measure_map(labels, [image]) if r.region == "thread")
    numbers = {m.quantity: m for m in thread.measurements}

    assert thread.voxels < FEWEST_VOXELS
    assert {q for q, m in numbers.items() if m.status == "failed_qc"} == {
        "surface-area",
        "std",
    }
    assert numbers["volume"].value == pytest.approx(0.003)
    assert numbers["max-diameter"].value == 2.0  # the slices are 2 mm thick


def test_every_further_image_gives_its_intensities(labels, image):
    brighter = Volume(image.voxels + 50, GRID)
    found = measure_map(labels, [image, brighter])[1]
    mean = next(m.value or 0 for m in found.measurements if m.quantity == "mean")

    assert [[m.quantity for m in other] for other in found.others] == [["mean", "std"]]
    assert found.others[0][0].value == pytest.approx(mean + 50, rel=1e-6)


def test_only_the_shapes_that_are_asked_for(labels):
    found = measure_map(labels, (), lambda region: ("surface-area",) * (region == "thread"))

    assert [
        (r.region, [m.quantity for m in r.measurements if m.unit in {"mm2"}]) for r in found
    ] == [("thread", ["surface-area"]), ("left-hippocampus", []), ("nowhere", [])]


def test_48_orientations_give_the_same_numbers(labels, image, every_way):
    expected = measure_map(labels, [image])
    stored = every_way(labels.voxels, GRID)
    for (voxels, grid), (shown, _) in zip(stored, every_way(image.voxels, GRID), strict=True):
        turned = LabelMap(voxels, grid, labels.names)
        assert measure_map(turned, [Volume(shown, grid)]) == expected


def test_two_ids_of_one_name_are_refused(labels):
    twice = LabelMap(labels.voxels, GRID, {17: "a", 4: "b", 53: "a"})
    with pytest.raises(InputError, match="Two ids of a label map are both named 'a'") as caught:
        measure_map(twice)

    assert caught.value.code == "name-twice"
