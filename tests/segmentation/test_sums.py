"""Running sums are the sums of everything that was added."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.segmentation.sums import RegionSums


def test_planes_add_up():
    torch.manual_seed(0)
    planes = [torch.randn(50, 4, dtype=torch.float64).softmax(dim=1) for _ in range(3)]
    sums = RegionSums(4, torch.device("cpu"))
    for plane in planes:
        assert torch.equal(sums.add_exclusive(plane), plane.argmax(dim=1))
    p = torch.cat(planes)
    inside = p.argmax(dim=1, keepdim=True) == torch.arange(4)

    for region in range(4):
        found = sums.result(region, 0.5)
        assert found.total_ml == pytest.approx(0.5 * float(p[:, region].sum()))
        assert found.inside_ml == pytest.approx(0.5 * float((p * inside)[:, region].sum()))
        assert found.spread_ml == pytest.approx(0.5 * float((p * (1 - p))[:, region].sum()))


def test_overlapping_regions_have_masks_of_their_own():
    p = torch.tensor([[0.9, 0.6], [0.4, 0.7], [0.2, 0.1]])
    sums = RegionSums(2, torch.device("cpu"))
    sums.add_overlapping(p, p > 0.5)

    assert sums.result(0, 1.0).inside_ml == pytest.approx(0.9)
    assert sums.result(1, 1.0).inside_ml == pytest.approx(1.3)
    assert sums.result(1, 1.0).spread_ml == pytest.approx(0.24 + 0.21 + 0.09)


def test_voxels_that_are_dropped_count_no_more():
    sums = RegionSums(2, torch.device("cpu"))
    sums.add_exclusive(torch.tensor([[0.0, 1.0]] * 5 + [[0.25, 0.75]]))
    sums.without(torch.tensor([0, 5]))
    left = sums.result(1, 1.0)

    assert (left.total_ml, left.inside_ml) == pytest.approx((0.75, 0.75))
    assert left.spread_ml == pytest.approx(0.75 * 0.25)


def test_no_sum_is_below_0_and_none_inside_is_above_all():
    sums = RegionSums(1, torch.device("cpu"))
    sums.add_exclusive(torch.tensor([[0.5]]))
    sums.without(torch.tensor([3]))
    left = sums.result(0, 1.0)

    assert (left.total_ml, left.inside_ml, left.spread_ml) == (0, 0, 0.25)
