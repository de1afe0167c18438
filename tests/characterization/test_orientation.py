"""The order and direction in which a file stores its axes change no finding."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from medprompt_cli.characterization.enhancement import enhances, uptake
from medprompt_cli.characterization.mass_effect import midline_shift
from medprompt_cli.characterization.places import lobe
from medprompt_cli.characterization.signal import signal
from medprompt_cli.characterization.sites import midline_crossing, site
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask, Volume

T1 = {"cerebral-white-matter": 100.0, "cerebral-cortex": 60.0}


def turned(order, flips):
    """How to store an array, and the affine that goes with it."""

    def store(voxels, geometry):
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1
        for new, (old, flip) in enumerate(zip(order, flips, strict=True)):
            matrix[old, new] = -1 if flip else 1
            matrix[old, 3] = geometry.shape[old] - 1 if flip else 0
        stored = voxels.transpose(order)
        stored = stored[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
        return np.ascontiguousarray(stored), Geometry(stored.shape, geometry.affine @ matrix)

    return store


def plain(voxels, geometry):
    return voxels, geometry


def findings(head, store):
    geometry = head.geometry
    drawn, grid = store(head.lesion((22, 34), (36, 43), (15, 26)).voxels, geometry)
    lesion = Mask("lesion", drawn, grid)
    labels = LabelMap(store(head.labels, geometry)[0], grid, head.structures.names)
    parcels = LabelMap(store(head.parcels, geometry)[0], grid, head.lobes.names)
    before, after = (
        Volume(store(head.image(T1, 4.0, seed).voxels, geometry)[0], grid) for seed in (1, 2)
    )
    return [
        signal(lesion, before, labels),
        enhances(lesion, uptake(before, after, labels, lesion), labels),
        lobe(lesion, labels, parcels),
        site(lesion, labels),
        midline_crossing(lesion, labels),
        midline_shift(labels),
    ]


@pytest.mark.parametrize(
    ("order", "flips"),
    [
        (order, (n % 2 == 0, n % 3 == 0, n < 3))
        for n, order in enumerate(itertools.permutations(range(3)))
    ],
)
def test_findings_are_the_same_in_every_orientation(head, order, flips):
    for was, now in zip(
        findings(head, plain), findings(head, turned(order, flips)), strict=True
    ):
        assert (now.value, now.status, now.notes) == (was.value, was.status, was.notes)
        assert now.probability == pytest.approx(was.probability, abs=1e-6)
        assert now.evidence.keys() == was.evidence.keys()
        for name in was.evidence:
            assert now.number(name) == pytest.approx(was.number(name), rel=1e-4, abs=1e-3)
