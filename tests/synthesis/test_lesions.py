"""Lesions from the label map to the voxels of the image."""

from __future__ import annotations

import math

import pytest
import torch

from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.synthesis.deform import (
    Draw,
    ShapeRange,
    find_places,
    random_affine,
    random_warp,
)
from medprompt_cli.synthesis.lesion_model import Lesion, LesionRange, Spot
from medprompt_cli.synthesis.lesion_parts import COMPARTMENTS, GROUNDS, PART_INDEX, PARTS
from medprompt_cli.synthesis.lesion_sites import distance_to, ventricle_classes
from medprompt_cli.synthesis.lesions import (
    find_sites,
    paint_lesions,
    place,
    plan_lesions,
    push_aside,
)

SHAPE, SPACING = (64, 64, 64), (2.0, 2.0, 2.0)
EXTENT = (128.0, 128.0, 128.0)
POSITION = {paint.index: n for n, paint in enumerate(PAINT_CLASSES)}
MIRROR = torch.tensor([POSITION[p.mirror] for p in PAINT_CLASSES], dtype=torch.uint8)
KINDS = tuple(LesionRange().weights)
SIDES = {"left": -1, "right": 1}


def only(kind, **more):
    return LesionRange(share=1.0, more=0.0, weights={kind: 1.0}, **more)


def draw_image(seed, ranges, head, sites, *, flipped=False, grid=(SHAPE, SPACING)):
    """Labels, parts and lesions of one image, the way the generator makes them."""
    draw = Draw(seed, head.device)
    shape = ShapeRange(rotation_deg=8, scaling=0.05, warp_mm=3)
    matrix, centre = random_affine(draw, shape), (torch.tensor(head.shape) - 1) / 2
    if flipped:
        matrix = matrix @ torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    extent = tuple(n * s for n, s in zip(*grid, strict=True))
    warp = random_warp(draw, extent, shape)
    lesions = plan_lesions(draw, ranges, sites, (matrix, centre), (warp, extent))
    warp = push_aside(warp, lesions, extent)
    labels = find_places(head.shape, grid, (matrix, centre), warp, head.device).take(head)
    if flipped:
        labels = MIRROR[labels.int()]
    return labels, place(labels, grid[1], lesions, draw), lesions


def block(index, size=40):
    """A cube of one class in air."""
    labels = torch.zeros(size, size, size, dtype=torch.uint8)
    labels[2:-2, 2:-2, 2:-2] = POSITION[index]
    return labels


def ball(part, radius, **more):
    return Lesion(
        "ms", Spot("white", (0.5, 0.5, 0.5)), radius, ((part, 0.0),), roughness=0.0, **more
    )


def count(parts, name):
    return int((parts == PART_INDEX[name]).sum())


def test_no_lesions_no_parts(lesion_head):
    parts = place(lesion_head, (1.0, 1.0, 1.0), (), Draw(1))

    assert parts.shape == lesion_head.shape
    assert parts.dtype == torch.uint8
    assert not parts.any()


@pytest.mark.parametrize(
    "spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0)], ids=["isotropic", "thick-slices"]
)
def test_a_smooth_lesion_has_its_closed_form_volume(spacing):
    shape = tuple(round(32 / step) for step in spacing)
    labels = torch.full(shape, POSITION[2], dtype=torch.uint8)

    parts = place(labels, spacing, (ball("ms", 9.0),), Draw(1))

    volume = count(parts, "ms") * math.prod(spacing)
    assert volume == pytest.approx(4 / 3 * math.pi * 9**3, rel=0.03)


def test_layers_nest_from_the_outside_in():
    layers = ("tumor-edema", 4.0), ("glioma-enhancing", 0.0), ("glioma-necrosis", -3.0)
    lesion = Lesion("glioma", Spot("white", (0.5, 0.5, 0.5)), 8.0, layers, roughness=0.2)

    parts = place(block(2), (1.0, 1.0, 1.0), (lesion,), Draw(2))

    sizes = [count(parts, name) for name, _ in layers]
    assert all(size > 100 for size in sizes)
    away = torch.stack(torch.meshgrid(*[torch.arange(40) - 20.0] * 3, indexing="ij")).norm(
        dim=0
    )
    means = [float(away[parts == PART_INDEX[name]].mean()) for name, _ in layers]
    assert means == sorted(means, reverse=True)


def test_where_lesions_meet_the_later_part_stays():
    wmh, blood = ball("wmh", 7.0), ball("hemorrhage-acute", 5.0)

    for lesions in ((wmh, blood), (blood, wmh)):
        parts = place(block(2), (1.0, 1.0, 1.0), lesions, Draw(2))

        inner, outer = 4 / 3 * math.pi * 5**3, 4 / 3 * math.pi * 7**3
        assert count(parts, "hemorrhage-acute") == pytest.approx(inner, rel=0.1)
        assert count(parts, "wmh") == pytest.approx(outer - inner, rel=0.1)


def test_a_lesion_seeks_its_ground_nearby_and_stays_away_without_it():
    labels = block(3)
    labels[24:28, 18:22, 18:22] = POSITION[2]

    parts = place(labels, (1.0, 1.0, 1.0), (ball("ms", 3.0),), Draw(1))

    assert count(parts, "ms") > 20
    assert (labels[parts > 0] == POSITION[2]).all()
    assert not place(block(3), (1.0, 1.0, 1.0), (ball("ms", 3.0),), Draw(1)).any()


def test_lesions_outside_the_image_are_left_out():
    far = Lesion("ms", Spot("white", (100.0, 0.0, 0.0)), 5.0, (("ms", 0.0),))

    assert not place(block(2), (1.0, 1.0, 1.0), (far,), Draw(1)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_grows_on_its_ground(kind, lesion_head, lesion_sites):
    seen = 0
    for seed in range(4):
        labels, parts, lesions = draw_image(seed, only(kind), lesion_head, lesion_sites)
        planned = {name for lesion in lesions for name, _ in lesion.layers}
        for n in parts.unique().tolist()[1:]:
            assert PARTS[n].name in planned
            under = {GROUNDS[m] for m in labels[parts == n].unique().tolist()}
            assert under <= PARTS[n].ground
        seen += bool(parts.any())
    assert seen >= 3


@pytest.mark.parametrize("flipped", [False, True], ids=["as-is", "mirrored"])
@pytest.mark.parametrize("kind", ["infarct", "metastasis"])
def test_left_lesions_lie_on_the_left(kind, flipped, lesion_head, lesion_sites):
    """Planned at negative x, in tissue labelled left, drawn in tissue labelled left."""
    checked = 0
    for seed in range(8):
        ranges = only(kind, metastases=1)
        labels, parts, lesions = draw_image(
            seed, ranges, lesion_head, lesion_sites, flipped=flipped
        )
        sides = {math.copysign(1, lesion.centre_mm[0]) for lesion in lesions}
        if len(sides) > 1 or min(abs(lesion.centre_mm[0]) for lesion in lesions) < 8:
            continue
        under = {COMPARTMENTS[n] for n in labels[parts > 0].unique().tolist()}
        drawn = {SIDES[side] for side in under & set(SIDES)}
        assert drawn <= sides
        checked += bool(drawn)
    assert checked >= 3


def test_infarcts_stay_in_one_compartment(lesion_head, lesion_sites):
    for seed in range(8):
        labels, parts, _ = draw_image(seed, only("infarct"), lesion_head, lesion_sites)
        under = {COMPARTMENTS[n] for n in labels[parts > 0].unique().tolist()}
        assert len(under) <= 1


def test_infarcts_hold_cortex_and_white_matter(lesion_head, lesion_sites):
    ranges = only("infarct", infarct_mm=(40.0, 60.0))
    both = 0
    for seed in range(6):
        labels, parts, _ = draw_image(seed, ranges, lesion_head, lesion_sites)
        both += {"white", "cortex"} <= {GROUNDS[n] for n in labels[parts > 0].unique().tolist()}

    assert both >= 4


def test_bands_hug_the_ventricles_on_both_sides(lesion_head, lesion_sites):
    ranges = only("wmh", wmh_foci=0, wmh_band_mm=(2.0, 4.0))
    near_share, sides = [], []
    for seed in range(6):
        labels, parts, lesions = draw_image(seed, ranges, lesion_head, lesion_sites)
        if lesions[0].form != "band":
            continue
        ventricle = ventricle_classes(labels.device)[labels.int()]
        away = distance_to(ventricle, SPACING, 40.0)[parts > 0]
        near_share.append(float((away < 12).float().mean()))
        sides.append({COMPARTMENTS[n] for n in labels[parts > 0].unique().tolist()})

    assert len(sides) >= 3
    assert min(near_share) > 0.85
    assert all(side == {"left", "right"} for side in sides)


def test_edema_prefers_white_matter(lesion_head, lesion_sites):
    shares = {"white": [], "cortex": []}
    for seed in range(10):
        labels, parts, _ = draw_image(seed, only("glioma"), lesion_head, lesion_sites)
        for ground, found in shares.items():
            here = torch.tensor([g == ground for g in GROUNDS])[labels.int()]
            around = here & (distance_to(parts > 3, SPACING, 20.0) < 10)
            if around.any() and count(parts, "tumor-edema"):
                edema = parts[around] == PART_INDEX["tumor-edema"]
                found.append(float(edema.float().mean()))

    mean = {ground: sum(found) / len(found) for ground, found in shares.items()}
    assert mean["white"] > 1.5 * mean["cortex"] > 0


def test_meningiomas_sit_on_the_surface(lesion_head, lesion_sites):
    outside = torch.tensor([p.index in {0, 515} for p in PAINT_CLASSES])
    for seed in range(6):
        labels, parts, lesions = draw_image(seed, only("meningioma"), lesion_head, lesion_sites)
        tumor = parts == PART_INDEX["meningioma"]
        skull = distance_to(outside[labels.int()], SPACING, 60.0)[tumor]
        assert float(skull.min()) < 6
        assert float(skull.max()) < 4 * lesions[0].radius_mm


def test_ms_volumes_are_those_planned_less_what_lies_outside_white_matter(
    lesion_head, lesion_sites
):
    grid = ((128, 128, 128), (1.0, 1.0, 1.0))
    ratios = []
    for seed in range(6):
        _, parts, lesions = draw_image(seed, only("ms"), lesion_head, lesion_sites, grid=grid)
        planned = sum(4 / 3 * math.pi * lesion.radius_mm**3 for lesion in lesions)
        ratios.append(float((parts > 0).sum()) / planned)

    assert max(ratios) < 1.6
    assert 0.35 < sum(ratios) / len(ratios) < 1.1


def test_the_same_seed_draws_the_same(lesion_head, lesion_sites):
    ranges = LesionRange(share=1.0, more=0.9)

    one, again, other = (
        draw_image(seed, ranges, lesion_head, lesion_sites)[1] for seed in (4, 4, 5)
    )

    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_labels_are_left_alone(lesion_head):
    before = lesion_head.clone()

    place(lesion_head, (1.0, 1.0, 1.0), (ball("ms", 5.0),), Draw(1))

    assert torch.equal(lesion_head, before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_draws_the_same_lesions(kind, lesion_head, lesion_sites):
    """Plans are those of the CPU, sizes alike; bumps come from the GPU's own numbers."""
    sizes, device = {}, torch.device("cuda")
    for head in (lesion_head, lesion_head.to(device)):
        drawn = [draw_image(seed, only(kind), head, lesion_sites) for seed in range(6)]
        for _, parts, _ in drawn:
            assert parts.device.type == head.device.type
        sizes[head.device.type] = sum(int((parts > 0).sum()) for _, parts, _ in drawn)
        found = find_sites(head)
        for name, places in lesion_sites.places.items():
            torch.testing.assert_close(found.places[name].voxels, places.voxels)
        parts, labels = drawn[0][1], drawn[0][0]
        means = torch.rand(len(PAINT_CLASSES), generator=torch.Generator().manual_seed(1))
        image = means.to(head.device)[labels.int()]
        for contrast in ("flair", None):
            painted = paint_lesions(image, labels, parts, contrast, means, Draw(1, head.device))
            assert painted.device == image.device
            assert painted.isfinite().all()

    assert 0.4 < sizes["cuda"] / sizes["cpu"] < 2.5
