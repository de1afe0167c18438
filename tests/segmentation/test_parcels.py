"""Parcels: every voxel of a divided structure goes to its likeliest part, on its own side."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.parcels import PARCEL_NAMES, PARCELS
from medprompt_cli.segmentation import parcels
from medprompt_cli.segmentation.parcels import choices_of, parcel_rows, parents_of
from medprompt_cli.segmentation.tiling import Box

ROW = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}
PARCEL_ROW = {name: n for n, name in enumerate(PARCEL_NAMES, start=1)}
CUNEUS, LINGUAL = PARCEL_ROW["left-cuneus"], PARCEL_ROW["left-lingual"]
DIVIDED = [s for s in BASE_STRUCTURES if s.kind in {"cerebral-cortex", "cerebellar-cortex"}]


def box_of(shape, start=(0, 0, 0)):
    return Box(start, tuple(a + n for a, n in zip(start, shape, strict=True)))


def line(**logits):
    """Logits of parcels in a row of core voxels along I; other parcels are unlikely."""
    (count,) = {len(values) for values in logits.values()}
    found = torch.full((len(PARCELS), count, 1, 1), -100.0)
    for name, values in logits.items():
        found[PARCEL_ROW[name.replace("_", "-")] - 1, :, 0, 0] = torch.tensor(values)
    return found


def along(logits, factor, start=0, length=None, structure="left-cerebral-cortex"):
    """Parcels of a row of voxels of one structure."""
    count = logits.shape[1]
    rows = np.full((length or (start + count) * factor, 1, 1), ROW[structure], np.uint8)
    box = box_of((count, 1, 1), (start, 0, 0))
    return parcel_rows(rows, logits, box, (factor, 1, 1))[:, 0, 0].tolist()


def test_equal_claims_meet_halfway():
    logits = line(left_cuneus=[2.0, -2.0], left_lingual=[-2.0, 2.0])

    assert along(logits, 1) == [CUNEUS, LINGUAL]
    assert along(logits, 4) == [CUNEUS] * 4 + [LINGUAL] * 4


def test_claims_are_interpolated_between_the_middles_of_core_voxels():
    """3 - 3 t against t from one middle to the next: they are equal at t = 3 / 4.

    Native voxel n of 4 lies at t = (n - 3 / 2) / 4, so 4 is the last on this side.
    """
    logits = line(left_cuneus=[3.0, 0.0], left_lingual=[0.0, 1.0])

    assert along(logits, 4) == [CUNEUS] * 5 + [LINGUAL] * 3


def test_logits_lie_where_their_box_does_and_reach_on_beyond_it():
    logits = line(left_cuneus=[1.0, -1.0], left_lingual=[-1.0, 1.0])

    found = along(logits, 2, start=3, length=14)

    assert found == [CUNEUS] * 8 + [LINGUAL] * 6  # core voxels 3 and 4 meet there


def interpolated(logits, place, start, factors):
    """Trilinear, by hand: the mean of eight neighbours, those outside moved to the edge."""
    at = [(n + 0.5) / f - a - 0.5 for n, f, a in zip(place, factors, start, strict=True)]
    low = [int(np.floor(t)) for t in at]
    total = np.zeros(len(logits))
    for corner in product((0, 1), repeat=3):
        share, index = 1.0, []
        for t, n, step, size in zip(at, low, corner, logits.shape[1:], strict=True):
            share *= (t - n) if step else 1 - (t - n)
            index.append(min(max(n + step, 0), size - 1))
        total = total + share * logits[(slice(None), *index)]
    return total


@given(
    seed=st.integers(0, 1000),
    factors=st.tuples(*[st.sampled_from([1, 2, 4, 8])] * 3),
    start=st.tuples(*[st.integers(0, 2)] * 3),
)
def test_every_voxel_gets_the_likeliest_part_of_its_structure(seed, factors, start):
    rng, shape = np.random.default_rng(seed), (2, 3, 2)
    logits = rng.normal(size=(len(PARCELS), *shape)).astype(np.float32)
    rows = rng.choice([0, *ROW.values()], size=(4, 5, 3)).astype(np.uint8)
    rows[0] = ROW["left-cerebral-cortex"]
    rows[1] = ROW["right-cerebellar-cortex"]

    found = parcel_rows(rows, torch.from_numpy(logits), box_of(shape, start), factors)

    for place in np.ndindex(rows.shape):
        structure = BASE_STRUCTURES[rows[place] - 1] if rows[place] else None
        if structure not in DIVIDED:
            assert found[place] == 0
            continue
        parcel = PARCELS[found[place] - 1]
        own = list(choices_of(structure.kind, structure.side))
        claims = interpolated(logits, place, start, factors)
        assert parcel.side in {structure.side, "midline"}
        assert (parcel.family == "cortex") == (structure.kind == "cerebral-cortex")
        assert claims[found[place] - 1] == pytest.approx(claims[own].max(), abs=1e-4)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_other_side_cannot_win(side):
    logits = torch.zeros(len(PARCELS), 1, 1, 1)
    for n, parcel in enumerate(PARCELS):
        logits[n] = {side: 0.0, "midline": -1.0}.get(parcel.side, 50.0)

    cortex = along(logits, 2, structure=f"{side}-cerebral-cortex")
    cerebellum = along(logits, 2, structure=f"{side}-cerebellar-cortex")

    assert {PARCELS[row - 1].side for row in cortex} == {side}
    assert {PARCEL_NAMES[row - 1] for row in cerebellum} == {
        f"{side}-cerebellar-hemisphere-cortex"
    }


def test_the_midline_can_be_reached_from_either_side():
    logits = torch.zeros(len(PARCELS), 1, 1, 1)
    vermis = [n for n, parcel in enumerate(PARCELS) if parcel.side == "midline"]
    logits[vermis[1]] = 9.0

    for side in ("left", "right"):
        assert along(logits, 1, structure=f"{side}-cerebellar-cortex") == [vermis[1] + 1]
        assert vermis[1] + 1 not in along(logits, 1, structure=f"{side}-cerebral-cortex")


def test_parts_know_their_whole_and_the_whole_its_parts():
    for n, parcel in enumerate(PARCELS):
        wholes = [BASE_STRUCTURES[row - 1] for row in parents_of(n)]
        assert all(n in choices_of(s.kind, s.side) for s in wholes)
        sides = ["left", "right"] if parcel.side == "midline" else [parcel.side]
        assert [s.side for s in wholes] == sides
    assert {s.name for s in BASE_STRUCTURES if choices_of(s.kind, s.side)} == {
        s.name for s in DIVIDED
    }


def test_batches_do_not_show(monkeypatch):
    rng = np.random.default_rng(4)
    logits = torch.from_numpy(rng.normal(size=(len(PARCELS), 3, 3, 3)).astype(np.float32))
    rows = rng.choice([0, *(ROW[s.name] for s in DIVIDED)], size=(6, 6, 6)).astype(np.uint8)
    whole = parcel_rows(rows, logits, box_of((3, 3, 3)), (2, 2, 2))

    monkeypatch.setattr(parcels, "BATCH", 7)

    again = parcel_rows(rows, logits, box_of((3, 3, 3)), (2, 2, 2))
    assert len(np.unique(whole)) > 20
    np.testing.assert_array_equal(again, whole)
