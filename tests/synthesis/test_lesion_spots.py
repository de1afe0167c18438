"""Mass effect: smooth, invertible, local, and held by the skull."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.synthesis.deform import Draw, ShapeRange, random_affine, random_warp
from medprompt_cli.synthesis.lesion_model import Lesion, LesionRange, Spot
from medprompt_cli.synthesis.lesion_plan import plan_lesions
from medprompt_cli.synthesis.lesion_spots import (
    PUSH_REACH,
    SKULL_RADIUS_MM,
    displacement,
    push_aside,
    shift,
)

EXTENT = (160.0, 176.0, 160.0)
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
STILL = torch.zeros(3, 21, 23, 21)


def mass(push=0.6, radius=15.0, depth=60.0, sink=0.0, matrix=EYE):
    spot = Spot("white", (10.0, -20.0, 5.0), (-1.0, 0.0, 0.0), depth, matrix)
    return Lesion("glioma", spot, radius, (("glioma-core", 0.0),), push=push, sink_mm=sink)


def grid(warp):
    """Points of the field, (A, B, C, 3) in mm."""
    axes = [
        torch.linspace(-length / 2, length / 2, n)
        for n, length in zip(warp.shape[1:], EXTENT, strict=True)
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def determinants(matrix, warp):
    """Of the map from output mm to label voxels, over cells of the field."""
    points = grid(warp)
    looked = points @ matrix.T + warp.permute(1, 2, 3, 0)
    steps = [length / (n - 1) for n, length in zip(warp.shape[1:], EXTENT, strict=True)]
    corner = looked[:-1, :-1, :-1]
    edges = [
        (looked[1:, :-1, :-1] - corner) / steps[0],
        (looked[:-1, 1:, :-1] - corner) / steps[1],
        (looked[:-1, :-1, 1:] - corner) / steps[2],
    ]
    return torch.linalg.det(torch.stack(edges, dim=-1))


def test_nothing_moves_without_lesions_or_without_push():
    assert push_aside(STILL, (), EXTENT) is STILL
    assert push_aside(STILL, (mass(push=0.0), mass(push=0.01)), EXTENT) is STILL


def test_the_image_looks_nearer_to_the_lesion_and_never_far_from_it():
    lesion = mass()

    warp = push_aside(STILL, (lesion,), EXTENT)

    away = grid(warp) - torch.tensor(lesion.middle_mm)
    moved = warp.permute(1, 2, 3, 0)
    distance = away.norm(dim=-1)
    outside = distance > PUSH_REACH * lesion.radius_mm
    assert float(moved[outside].abs().max()) < 1e-4
    assert float((moved * away).sum(-1).max()) < 1e-4
    assert 3 < float(moved.norm(dim=-1).max()) < 0.3 * PUSH_REACH * lesion.radius_mm


def test_a_scar_pulls():
    lesion = mass(push=-0.25)

    moved = push_aside(STILL, (lesion,), EXTENT).permute(1, 2, 3, 0)

    away = grid(STILL) - torch.tensor(lesion.middle_mm)
    assert float((moved * away).sum(-1).min()) > -1e-4
    assert float(moved.norm(dim=-1).max()) > 1


def test_the_skull_stays():
    lesion = mass(depth=6.0, push=0.7, sink=10.0)
    inwards, start = torch.tensor(lesion.spot.axis), torch.tensor(lesion.centre_mm)
    on_skull = start - 6 * inwards
    centre = on_skull + SKULL_RADIUS_MM * inwards
    normal = torch.randn(500, 3, generator=torch.Generator().manual_seed(1))
    points = centre + (SKULL_RADIUS_MM + 1) * normal / normal.norm(dim=1, keepdim=True)

    assert not shift(lesion, points).any()
    assert shift(lesion, (on_skull + 20 * inwards)[None]).norm() > 1


def test_the_direction_goes_through_the_matrix():
    """Turned by a quarter, tissue still moves outwards in the image."""
    turn = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    lesion, matrix = mass(matrix=turn), torch.tensor(turn)

    warp = push_aside(STILL, (lesion,), EXTENT)

    plain = push_aside(STILL, (mass(),), EXTENT)
    torch.testing.assert_close(
        warp.permute(1, 2, 3, 0), plain.permute(1, 2, 3, 0) @ matrix.T, rtol=0, atol=1e-4
    )


def test_a_warp_is_followed_to_where_the_image_looks_now():
    """On a linear warp the sum is known: w(x - p) - M p."""
    warp = (0.1 * grid(STILL)).permute(3, 0, 1, 2).contiguous()
    lesion = mass()

    found = push_aside(warp, (lesion,), EXTENT).permute(1, 2, 3, 0)

    points = grid(STILL).reshape(-1, 3)
    pushed = shift(lesion, points)
    true = 0.1 * (points - pushed) - pushed
    torch.testing.assert_close(found.reshape(-1, 3), true, rtol=0, atol=1e-3)


def test_displacements_are_read_between_the_points_of_the_field():
    warp = (0.1 * grid(STILL)).permute(3, 0, 1, 2).contiguous()
    points = torch.tensor([[0.0, 0.0, 0.0], [11.0, -37.5, 60.0]])

    torch.testing.assert_close(displacement(warp, EXTENT, points), 0.1 * points)


@given(
    push=st.floats(-0.3, 0.9),
    radius=st.floats(3, 35),
    depth=st.floats(0, 60),
    sink=st.floats(0, 20),
)
def test_one_lesion_never_folds(push, radius, depth, sink):
    lesion = mass(push, radius, depth, sink)
    points = torch.randn(1500, 3, generator=torch.Generator().manual_seed(3)) * radius * 1.2
    points = (points + torch.tensor(lesion.middle_mm)).requires_grad_()

    looked = points - shift(lesion, points)

    rows = [
        torch.autograd.grad(looked[:, n].sum(), points, retain_graph=True)[0] for n in range(3)
    ]
    assert float(torch.linalg.det(torch.stack(rows, 1)).min()) > 0


@given(seed=st.integers(0, 1000))
def test_images_with_lesions_never_fold(seed, lesion_head, lesion_sites):
    draw, shape = Draw(seed), ShapeRange()
    matrix = random_affine(draw, shape)
    if draw.chance(0.5):
        matrix = matrix @ torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    centre = (torch.tensor(lesion_head.shape) - 1) / 2
    warp = random_warp(draw, EXTENT, shape)
    ranges = LesionRange(share=1.0, more=0.8)
    lesions = plan_lesions(draw, ranges, lesion_sites, (matrix, centre), (warp, EXTENT))

    pushed = push_aside(warp, lesions, EXTENT)

    sign = torch.linalg.det(matrix).sign()
    assert float((sign * determinants(matrix, warp)).min()) > 0
    assert float((sign * determinants(matrix, pushed)).min()) > 0


@pytest.mark.parametrize("seed", range(3))
def test_pushing_draws_no_random_numbers(seed, lesion_sites, lesion_head):
    draw = Draw(seed)
    before = draw.scalars.get_state(), draw.fields.get_state()

    push_aside(STILL, (mass(),), EXTENT)

    assert torch.equal(before[0], draw.scalars.get_state())
    assert torch.equal(before[1], draw.fields.get_state())
