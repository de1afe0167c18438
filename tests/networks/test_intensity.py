"""Normalisation: the same picture whatever the unit."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.networks.intensity import CEILING, SAMPLES, intensity_range, normalise


@pytest.fixture
def head():
    """Two thirds air, and tissue from 0.2 to 1."""
    air = torch.zeros(2000)
    tissue = torch.linspace(0.2, 1.0, 1000)
    return torch.cat([air, tissue]).reshape(10, 20, 15)


def test_range_runs_from_air_to_the_brightest_tissue(head):
    low, high = intensity_range(head)

    assert low == 0
    assert high == pytest.approx(0.2 + 0.8 * 0.99, abs=1e-3)


@pytest.mark.parametrize(("gain", "offset"), [(1, 0), (1000, 0), (0.02, -7), (35.5, 120)])
def test_unit_and_offset_do_not_matter(head, gain, offset):
    torch.testing.assert_close(
        normalise(gain * head + offset), normalise(head), atol=1e-4, rtol=1e-4
    )


def test_bright_vessels_are_clipped(head):
    head.view(-1)[-3:] = 40.0

    found = normalise(head)

    assert found.max() == CEILING
    assert found.min() == 0


def test_an_image_of_one_value_becomes_zero():
    assert not normalise(torch.full((4, 4, 4), 7.0)).any()


def test_a_large_image_is_sampled_and_agrees(head):
    large = head.repeat(8, 5, 5)

    assert large.numel() > SAMPLES
    assert intensity_range(large) == pytest.approx(intensity_range(head), abs=0.02)
