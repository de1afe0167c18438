"""Plans: how often, how many, how large, and where in the image."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.synthesis.deform import Draw, ShapeRange, random_affine, random_warp
from medprompt_cli.synthesis.lesion_model import LesionRange
from medprompt_cli.synthesis.lesion_parts import GROUNDS, PART_INDEX
from medprompt_cli.synthesis.lesion_plan import (
    BRAINSTEM_MM,
    MOST_KINDS,
    MS_RADIUS_MM,
    WIDEST_MM,
    plan_lesions,
)
from medprompt_cli.synthesis.lesion_sites import HOMES, Sites
from medprompt_cli.synthesis.lesion_spots import displacement

EXTENT = (128.0, 128.0, 128.0)
KINDS = tuple(LesionRange().weights)


def only(kind, **more):
    return LesionRange(share=1.0, more=0.0, weights={kind: 1.0}, **more)


@pytest.fixture
def straight(lesion_head):
    """The image shows the map as it is."""
    return torch.eye(3), (torch.tensor(lesion_head.shape) - 1) / 2


def plans(ranges, sites, placement, count):
    return [plan_lesions(Draw(seed), ranges, sites, placement) for seed in range(count)]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_the_share_of_images_with_lesions(share, lesion_sites, straight):
    ranges = replace(LesionRange(), share=share)

    found = sum(len(plan) > 0 for plan in plans(ranges, lesion_sites, straight, 300))

    assert found / 300 == pytest.approx(share, abs=0.08)
    assert share not in (0, 1) or found == 300 * share


def test_half_of_the_images_have_none_unless_asked():
    assert LesionRange().share == 0.5


def test_all_kinds_occur_by_their_weight_and_up_to_three_together(lesion_sites, straight):
    ranges = replace(LesionRange(), share=1.0)
    seen = [{lesion.kind for lesion in p} for p in plans(ranges, lesion_sites, straight, 400)]

    for kind, weight in ranges.weights.items():
        share = sum(kind in kinds for kinds in seen) / len(seen)
        assert 0.6 * weight < share < 2.2 * weight + 0.05, kind
    # a cavity may bring a rest of the tumour with it
    assert max(len(kinds) for kinds in seen) in (MOST_KINDS, MOST_KINDS + 1)
    assert min(len(kinds) for kinds in seen) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone(kind, lesion_sites, straight):
    for plan in plans(only(kind), lesion_sites, straight, 20):
        assert plan
        kinds = {lesion.kind for lesion in plan}
        assert kinds == {kind} or (kind == "cavity" and kinds == {"cavity", "glioma"})


@pytest.mark.parametrize("kind", KINDS)
def test_lesions_are_sound(kind, lesion_sites, straight):
    ranges = only(kind)
    for lesion in sum(plans(ranges, lesion_sites, straight, 40), ()):
        assert lesion.spot.home in HOMES
        assert math.dist(lesion.spot.axis, (0, 0, 0)) == pytest.approx(1, abs=1e-4)
        assert lesion.radius_mm > 0
        assert -1 < lesion.push <= ranges.push < 1
        names, offsets = zip(*lesion.layers, strict=True)
        assert set(names) <= set(PART_INDEX)
        assert list(offsets) == sorted(offsets, reverse=True)


def test_the_same_seed_plans_the_same(lesion_sites, straight):
    one, again = (plans(LesionRange(), lesion_sites, straight, 30) for _ in range(2))

    assert one == again
    assert len(set(one)) > 10


def test_numbers_and_sizes_stay_in_their_ranges(lesion_sites, straight):
    def sizes(kind, count=150):
        found = plans(only(kind), lesion_sites, straight, count)
        return found, [lesion.radius_mm for plan in found for lesion in plan]

    usual = LesionRange()
    found, radii = sizes("metastasis")
    assert {len(plan) for plan in found} == set(range(1, usual.metastases + 1))
    assert usual.metastasis_mm[0] <= min(radii) < 3
    assert 12 < max(radii) <= usual.metastasis_mm[1]
    found, radii = sizes("ms")
    assert {1, 2, 3} < {len(plan) for plan in found}
    assert 30 < max(len(plan) for plan in found) <= usual.ms_count[1]
    assert MS_RADIUS_MM[0] <= min(radii) < max(radii) <= MS_RADIUS_MM[1]
    found, _ = sizes("glioma")
    for (lesion,) in found:
        outermost = lesion.radius_mm + lesion.layers[0][1]
        assert usual.glioma_mm[0] <= lesion.radius_mm <= outermost <= WIDEST_MM + 1e-6
        assert lesion.spot.home != "brainstem" or lesion.radius_mm <= BRAINSTEM_MM
    found, radii = sizes("infarct")
    low, high = usual.infarct_mm
    assert low <= 2 * min(radii) < 2 * max(radii) <= high


def test_ms_lesions_share_their_volume_log_uniformly(lesion_sites, straight):
    totals = [
        sum(4 / 3000 * math.pi * lesion.radius_mm**3 for lesion in plan)
        for plan in plans(only("ms"), lesion_sites, straight, 150)
    ]

    low, high = LesionRange().ms_total_ml
    assert max(totals) <= 1.01 * high
    assert sum(total < math.sqrt(low * high) for total in totals) / 150 == pytest.approx(
        0.55, abs=0.15
    )


def test_gliomas_of_both_grades_occur(lesion_sites, straight):
    names = [
        {name for name, _ in plan[0].layers}
        for plan in plans(only("glioma"), lesion_sites, straight, 100)
    ]

    enhancing = sum("glioma-enhancing" in parts for parts in names) / 100
    assert enhancing == pytest.approx(0.65, abs=0.15)
    for parts in names:
        if "glioma-enhancing" not in parts:
            assert "glioma-core" in parts
            assert "glioma-necrosis" not in parts


def test_a_map_without_places_gets_no_lesion(straight):
    assert not any(plans(replace(LesionRange(), share=1.0), Sites(), straight, 20))


@given(seed=st.integers(0, 500), flipped=st.booleans())
def test_lesions_lie_where_the_image_shows_their_ground(
    seed, flipped, lesion_head, lesion_sites
):
    draw, shape = Draw(seed), ShapeRange(rotation_deg=15, scaling=0.1)
    matrix = random_affine(draw, shape)
    if flipped:
        matrix = matrix @ torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    centre = (torch.tensor(lesion_head.shape) - 1) / 2
    warp = random_warp(draw, EXTENT, shape)

    plan = plan_lesions(
        draw, only("metastasis"), lesion_sites, (matrix, centre), (warp, EXTENT)
    )

    for lesion in plan:
        place = torch.tensor([lesion.centre_mm])
        voxel = place @ matrix.T + centre + displacement(warp, EXTENT, place)
        away = (lesion_sites.places[lesion.spot.home].voxels - voxel).norm(dim=1)
        assert float(away.min()) < 0.6
        i, j, k = lesion_sites.places[lesion.spot.home].voxels[int(away.argmin())].long()
        assert GROUNDS[int(lesion_head[i, j, k])] in HOMES[lesion.spot.home]


def test_a_mirrored_image_mirrors_its_lesions(lesion_sites, straight):
    matrix, centre = straight
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    ranges = only("metastasis")

    for seed in range(10):
        plain = plan_lesions(Draw(seed), ranges, lesion_sites, (matrix, centre))
        mirrored = plan_lesions(Draw(seed), ranges, lesion_sites, (mirror, centre))
        for one, other in zip(plain, mirrored, strict=True):
            for here, there in (
                (one.centre_mm, other.centre_mm),
                (one.spot.axis, other.spot.axis),
            ):
                assert there == pytest.approx((-here[0], here[1], here[2]), abs=1e-4)
