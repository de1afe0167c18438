"""What an image shows in a mask, with the voxels that show nothing left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import HOUNSFIELD, Measurement
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.measurement.intensity import (
    density,
    finite_voxels,
    mean,
    percentile,
    std,
)

GRID = Geometry((1, 1, 6), np.eye(4))


def number(measurement: Measurement) -> float:
    assert measurement.value is not None
    return measurement.value


def case(numbers, inside=(1, 1, 1, 1, 1, 0), modality="MR"):
    image = Volume(np.array(numbers, np.float32).reshape(1, 1, 6), GRID, modality, "scan.nii")
    return Mask("lesion", np.array(inside, bool).reshape(1, 1, 6), GRID), image


def test_numbers_by_hand():
    mask, image = case([2, 4, 4, 4, 6, 100])

    assert mean(mask, image).value == 4
    assert std(mask, image).value == pytest.approx(np.sqrt(8 / 5))
    assert [percentile(mask, image, q).value for q in (0, 50, 100)] == [2, 4, 6]
    assert percentile(mask, image, 5).value == pytest.approx(2.4)
    assert percentile(mask, image, 97.5).quantity == "percentile-97.5"
    assert finite_voxels(mask, image).value == 5
    assert {m.unit for m in (mean(mask, image), std(mask, image))} == {"1"}


def test_what_is_not_finite_is_left_out():
    mask, image = case([2, np.nan, np.inf, -np.inf, 6, 100])

    assert mean(mask, image).value == 4
    assert std(mask, image).value == 2
    assert percentile(mask, image, 50).value == 4
    assert finite_voxels(mask, image).value == 2


def test_nothing_finite_fails_and_nothing_at_all_is_absent():
    nothing = case([np.nan, np.inf, np.nan, np.nan, np.nan, 1])
    nowhere = case([1, 2, 3, 4, 5, 6], inside=[0] * 6)

    for measure in (mean, std, lambda m, v: percentile(m, v, 50)):
        assert (measure(*nothing).value, measure(*nothing).status) == (None, "failed_qc")
        assert (measure(*nowhere).value, measure(*nowhere).status) == (None, "absent")
    assert (finite_voxels(*nothing).value, finite_voxels(*nowhere).value) == (0, None)


def test_one_voxel_has_no_spread():
    mask, image = case([7, 0, 0, 0, 0, 0], inside=[1, 0, 0, 0, 0, 0])

    assert (mean(mask, image).value, std(mask, image).value) == (7, 0)


def test_density_is_of_ct_only():
    mask, image = case([30, 40, 50, 60, 70, -1000], modality="CT")

    assert (density(mask, image).value, density(mask, image).unit) == (50, HOUNSFIELD)
    assert (mean(mask, image).unit, percentile(mask, image, 9).unit) == (HOUNSFIELD,) * 2
    with pytest.raises(InputError, match=r"in scan\.nii, which is MR") as caught:
        density(*case([1, 2, 3, 4, 5, 6]))
    assert caught.value.code == "not-ct"


@pytest.mark.parametrize("percent", [-1, 100.5, np.nan])
def test_a_percentile_lies_between_0_and_100(percent):
    with pytest.raises(InputError, match="was asked for") as caught:
        percentile(*case([1, 2, 3, 4, 5, 6]), percent)

    assert caught.value.code == "not-a-percentile"


def test_mask_and_image_lie_on_one_grid():
    mask, image = case([1, 2, 3, 4, 5, 6])
    elsewhere = Volume(image.voxels, Geometry((1, 1, 6), np.diag([1, 1, 2, 1])), source="b.nii")

    with pytest.raises(InputError, match=r"does not lie on the grid of b\.nii") as caught:
        mean(mask, elsewhere)

    assert caught.value.code == "grid-mismatch"


@given(
    numbers=st.lists(st.integers(-1000, 3000), min_size=6, max_size=6),
    gain=st.sampled_from([0.5, 2.0, 4.0]),
    offset=st.integers(-500, 500),
)
def test_another_scale_scales_along(numbers, gain, offset):
    mask, image = case(numbers)
    _, other = case([gain * number + offset for number in numbers])

    for q in (0, 25, 50, 90, 100):
        wanted = gain * number(percentile(mask, image, q)) + offset
        assert number(percentile(mask, other, q)) == pytest.approx(wanted, abs=1e-6)
    wanted = gain * number(mean(mask, image)) + offset
    assert number(mean(mask, other)) == pytest.approx(wanted, abs=1e-6)
    wanted = gain * number(std(mask, image))
    assert number(std(mask, other)) == pytest.approx(wanted, abs=1e-6)
    lowest, middle, highest = (
        number(m)
        for m in (percentile(mask, image, 0), mean(mask, image), percentile(mask, image, 100))
    )
    assert lowest <= middle <= highest
