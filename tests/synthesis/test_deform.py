"""Where a synthetic image looks into its label map."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.synthesis.deform import (
    FIELD_STEP_MM,
    Draw,
    ShapeRange,
    find_places,
    integrate,
    random_affine,
    random_warp,
)

UNIT = (1.0, 1.0, 1.0)
STILL = ShapeRange(0, 0, 0, 0, 0)


@pytest.fixture
def labels():
    """A number for every voxel, none of them 0."""
    return torch.arange(1, 7 * 6 * 5 + 1, dtype=torch.uint8).reshape(7, 6, 5)


def sample_labels(labels, grid, placement, warp):
    return find_places(tuple(labels.shape), grid, placement, warp).take(labels)


def centre_of(labels):
    return (torch.tensor(labels.shape) - 1) / 2


def test_looking_straight_gives_the_map(labels):
    placement = (torch.eye(3), centre_of(labels))

    found = sample_labels(labels, ((7, 6, 5), UNIT), placement, None)

    assert torch.equal(found, labels)


def test_outside_the_map_is_nothing(labels):
    placement = (torch.eye(3), centre_of(labels))

    found = sample_labels(labels, ((11, 6, 9), UNIT), placement, None)

    assert torch.equal(found[2:9, :, 2:7], labels)
    assert found.count_nonzero() == labels.numel()


def test_a_finer_grid_repeats_voxels(labels):
    placement = (torch.eye(3), centre_of(labels))

    found = sample_labels(labels, ((14, 6, 15), (0.5, 1.0, 1 / 3)), placement, None)

    assert torch.equal(found, labels.repeat_interleave(2, 0).repeat_interleave(3, 2))


@pytest.mark.parametrize("axis", range(3))
def test_a_negative_axis_mirrors(labels, axis):
    signs = torch.ones(3)
    signs[axis] = -1

    found = sample_labels(
        labels, (tuple(labels.shape), UNIT), (torch.diag(signs), centre_of(labels)), None
    )

    assert torch.equal(found, labels.flip(axis))


def test_a_quarter_turn_turns(labels):
    turn = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

    found = sample_labels(labels, ((6, 7, 5), UNIT), (turn, centre_of(labels)), None)

    assert torch.equal(found, labels.transpose(0, 1).flip(1))


def test_a_constant_warp_is_a_shift_in_millimetres(labels):
    warp = torch.tensor([2.0, -1.0, 0.0])[:, None, None, None].expand(3, 3, 3, 3)

    found = sample_labels(
        labels, ((7, 6, 5), UNIT), (torch.eye(3), centre_of(labels)), warp.contiguous()
    )

    assert torch.equal(found[:5, 1:], labels[2:, :-1])
    assert not found[5:].any()
    assert not found[:, 0].any()


@given(velocity=st.tuples(*[st.floats(-10, 10)] * 3))
def test_a_constant_velocity_flows_to_that_shift(velocity):
    field = torch.tensor(velocity)[None, :, None, None, None].expand(1, 3, 5, 4, 6)

    flow = integrate(field.contiguous())

    torch.testing.assert_close(flow, field, rtol=1e-4, atol=1e-4)


def test_flowing_back_undoes_flowing_there():
    field = torch.zeros(1, 3, 9, 9, 9)
    bump = torch.sin(torch.linspace(0, torch.pi, 9))
    field[0, 0] = 6 * bump[:, None, None] * bump[:, None] * bump

    there, back = integrate(field)[0], integrate(-field)[0]

    middle = there[0, :, 4, 4]
    places = torch.arange(9) * FIELD_STEP_MM + middle
    returned = torch.tensor(
        [
            back[0, int(p // 8), 4, 4] * (1 - p % 8 / 8)
            + back[0, min(8, int(p // 8) + 1), 4, 4] * (p % 8 / 8)
            for p in places
        ]
    )
    torch.testing.assert_close(middle + returned, torch.zeros(9), rtol=0, atol=0.25)
    assert middle.max() > 4


@pytest.mark.parametrize("seed", range(8))
def test_warps_of_the_default_range_do_not_fold(seed):
    warp = random_warp(Draw(seed), (160.0, 192.0, 160.0), ShapeRange())

    places = warp + FIELD_STEP_MM * torch.stack(
        torch.meshgrid(*(torch.arange(n) for n in warp.shape[1:]), indexing="ij")
    )
    corner = places[:, :-1, :-1, :-1]
    edges = torch.stack(
        [
            places[:, 1:, :-1, :-1] - corner,
            places[:, :-1, 1:, :-1] - corner,
            places[:, :-1, :-1, 1:] - corner,
        ]
    )
    determinant = torch.linalg.det(edges.permute(2, 3, 4, 0, 1)) / FIELD_STEP_MM**3
    assert determinant.min() > 0
    assert float(determinant.mean()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_every_layer_of_a_map_is_looked_up_at_the_same_places(labels, seed):
    draw = Draw(seed)
    warp = random_warp(draw, (24.0, 24.0, 24.0), ShapeRange(warp_mm=2.0))
    placement = (random_affine(draw, ShapeRange()), centre_of(labels))
    places = find_places(tuple(labels.shape), ((8, 8, 8), UNIT), placement, warp)
    layer = labels.flip(0) // 2 + 1  # never 0 inside the map

    found, other = places.take(labels), places.take(layer)

    assert torch.equal(found > 0, places.inside)
    assert torch.equal(other > 0, places.inside)
    of = dict(zip(labels.flatten().tolist(), layer.flatten().tolist(), strict=True)) | {0: 0}
    assert other.flatten().tolist() == [of[n] for n in found.flatten().tolist()]
    assert 0 < places.inside.float().mean() < 1


def test_no_range_is_no_change():
    draw = Draw(1)

    assert torch.equal(random_affine(draw, STILL), torch.eye(3))
    assert not random_warp(draw, (64.0, 64.0, 64.0), STILL).any()


@given(seed=st.integers(0, 10_000))
def test_affines_stay_in_their_range(seed):
    shape = ShapeRange()

    matrix = random_affine(Draw(seed), shape)

    sizes = torch.linalg.svdvals(matrix)
    reach = 1 + shape.scaling + 2 * shape.shear
    assert sizes.max() <= reach
    assert sizes.min() >= 1 - shape.scaling - 2 * shape.shear
    assert torch.linalg.det(matrix) > 0


def test_draws_are_those_of_the_seed():
    def drawn(seed):
        draw = Draw(seed)
        scalars = [draw.uniform(-1, 2), draw.chance(0.5), draw.integer(1000)]
        return scalars, draw.normal(3, 2)

    one, again, other = drawn(7), drawn(7), drawn(8)

    assert one[0] == again[0] != other[0]
    assert torch.equal(one[1], again[1])
    assert not torch.equal(one[1], other[1])


def test_draws_lie_where_they_should():
    draw = Draw(3)

    numbers = [draw.uniform(2, 5) for _ in range(500)]
    whole = {draw.integer(4) for _ in range(200)}

    assert 2 <= min(numbers) < 2.1
    assert 4.9 < max(numbers) < 5
    assert whole == {0, 1, 2, 3}
    assert sum(draw.chance(0.2) for _ in range(1000)) == pytest.approx(200, abs=50)
    assert not any(draw.chance(0.0) for _ in range(100))
    assert all(draw.chance(1.0) for _ in range(100))
