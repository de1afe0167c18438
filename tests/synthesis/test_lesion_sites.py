"""Candidate places of lesions, and the distances they are found by."""

from __future__ import annotations

import edt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.synthesis.lesion_parts import COMPARTMENTS, GROUNDS
from medprompt_cli.synthesis.lesion_sites import (
    BESIDE_VENTRICLE_MM,
    DEPTH_MM,
    HOMES,
    MOST_PLACES,
    STRIDE,
    distance_to,
    find_sites,
    ventricle_classes,
)


@given(
    seed=st.integers(0, 10_000),
    spacing=st.tuples(*[st.sampled_from([0.5, 1.0, 2.5])] * 3),
    reach=st.sampled_from([2.0, 4.0, 50.0]),
)
def test_distances_are_euclidean_up_to_their_reach(seed, spacing, reach):
    rng = np.random.default_rng(seed)
    mask = rng.random((9, 8, 7)) < 0.02
    mask[4, 4, 3] = True

    found = distance_to(torch.from_numpy(mask), spacing, reach)

    true = edt.edt(~mask, anisotropy=spacing, black_border=False)
    np.testing.assert_allclose(found.numpy(), np.minimum(true, reach), rtol=1e-4)


def test_without_a_mask_everything_is_as_far_as_can_be():
    found = distance_to(torch.zeros(4, 5, 6, dtype=torch.bool), (1.0, 1.0, 1.0), 7.0)

    assert (found == 7).all()


@pytest.mark.parametrize("home", HOMES)
def test_places_lie_on_their_ground_on_both_sides(home, lesion_head, lesion_sites):
    places = lesion_sites.places[home]

    i, j, k = places.voxels.long().unbind(1)
    under = lesion_head[i, j, k].tolist()
    assert 20 < len(places) <= MOST_PLACES
    torch.testing.assert_close(places.axes.norm(dim=1), torch.ones(len(places)))
    assert {GROUNDS[n] for n in under} <= HOMES[home]
    assert {COMPARTMENTS[n] for n in under} in (
        {"left", "right"},
        {"left", "right", "cerebellum"},
        {"cerebellum"},
        {"brainstem"},
        {"csf"},
    )
    middle = (lesion_head.shape[0] - 1) / 2
    assert 0.4 < float((places.voxels[:, 0] < middle).float().mean()) < 0.6


def test_places_inwards_of_the_skull_point_to_the_middle(lesion_head, lesion_sites):
    middle = (torch.tensor(lesion_head.shape) - 1) / 2
    for home in ("surface", "cortex"):
        places = lesion_sites.places[home]
        towards = middle - places.voxels
        towards = towards / towards.norm(dim=1, keepdim=True)
        assert float((towards * places.axes).sum(1).min()) > 0.6
        assert 0 <= float(places.depths.min()) < float(places.depths.max()) < DEPTH_MM


def test_places_beside_a_ventricle_point_away_from_it(lesion_head, lesion_sites):
    ventricle = ventricle_classes(lesion_head.device)[lesion_head.int()]
    away = distance_to(ventricle, (1.0, 1.0, 1.0), 30.0)
    places = lesion_sites.places["periventricular"]

    def distance(points):
        i, j, k = points.round().long().unbind(1)
        return away[i, j, k]

    here = distance(places.voxels)
    there = distance(places.voxels + 4 * places.axes)
    assert float(here.max()) <= BESIDE_VENTRICLE_MM + STRIDE
    assert float((there - here).mean()) == pytest.approx(4, abs=1)


def test_the_ventricles_have_their_middle(lesion_head, lesion_sites):
    true = (torch.tensor(lesion_head.shape) - 1) / 2 + torch.tensor([0.0, -2.0, 6.0])

    torch.testing.assert_close(lesion_sites.ventricles, true, rtol=0, atol=1.5)


def test_a_map_without_a_brain_has_no_places():
    sites = find_sites(torch.zeros(20, 22, 24, dtype=torch.uint8))

    assert set(sites.places) == set(HOMES)
    assert not any(len(places) for places in sites.places.values())
    assert sites.ventricles is None
