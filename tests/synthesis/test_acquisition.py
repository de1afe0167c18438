"""What a scan loses on the way: detail, and what never is lost."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.synthesis.acquisition import lose_resolution, move, truncate
from medprompt_cli.synthesis.deform import Draw

SEEDS = range(8)


@pytest.fixture
def ball():
    """A bright ball in darkness."""
    axis = torch.linspace(-1, 1, 40)
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    return (x**2 + y**2 + z**2 < 0.3).float()


def test_lost_resolution_keeps_the_size_and_a_constant():
    image = torch.full((9, 12, 10), 0.7)

    for seed in range(12):
        torch.testing.assert_close(lose_resolution(image, Draw(seed)), image)


def test_lost_resolution_is_lost_along_one_axis():
    image = torch.rand(12, 12, 12, generator=torch.Generator().manual_seed(1))
    before = [float(image.diff(dim=axis).square().mean()) for axis in range(3)]

    for seed in range(6):
        found = lose_resolution(image, Draw(seed))
        after = [float(found.diff(dim=axis).square().mean()) for axis in range(3)]
        kept = sorted(a / b for a, b in zip(after, before, strict=True))
        assert kept[0] < 0.25
        assert kept[0] < 0.5 * kept[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_motion_leaves_ghosts_and_the_mean(ball, seed):
    """The centre of k-space, the mean, is read in place; energy can only move."""
    moved = move(ball, Draw(seed))

    assert moved.shape == ball.shape
    assert (moved >= 0).all()
    assert float(moved.square().sum()) == pytest.approx(float(ball.square().sum()), rel=1e-4)
    assert float(moved.mean()) >= float(ball.mean()) * (1 - 1e-4)  # of magnitudes


def test_motion_is_seen_outside_the_head(ball):
    dark = ball == 0

    ghosts = [float(move(ball, Draw(seed))[dark].max()) for seed in SEEDS]

    assert max(ghosts) > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_truncation_rings_at_edges_and_keeps_a_constant(ball, seed):
    rung = truncate(ball, Draw(seed))

    assert rung.shape == ball.shape
    assert float(rung.max()) > 1.02
    flat = torch.full((12, 10, 8), 0.4)
    torch.testing.assert_close(truncate(flat, Draw(seed)), flat)
