"""phi: what a target is, plus its side; and the heads that read it."""

from __future__ import annotations

from itertools import chain, pairwise

import pytest
import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, KINDS, LESIONS
from medprompt_cli.domain.parcels import FAMILIES, PARCEL_NAMES, PARCELS
from medprompt_cli.networks.targets import (
    RARE,
    LesionHead,
    ParcelHead,
    PresenceCalibration,
    PresenceHead,
    TargetEmbedding,
    family_rows,
)

ROW = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}
PARCEL_ROW = {name: n for n, name in enumerate(PARCEL_NAMES)}


def noise(*shape, seed=5):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_sides_differ_by_the_side_alone():
    targets = TargetEmbedding(8)
    phi, bias = targets()
    apart = targets.side[0] - targets.side[1]

    for kind in {s.kind for s in BASE_STRUCTURES if s.side == "left"}:
        left, right = ROW[f"left-{kind}"], ROW[f"right-{kind}"]
        torch.testing.assert_close(phi[left] - phi[right], apart)
        assert bias[left] == bias[right]


def test_rows_follow_the_base_structures():
    targets = TargetEmbedding(4)
    with torch.no_grad():
        targets.kind[:, 0] = torch.arange(len(KINDS) + 1)
        targets.side.zero_()
        targets.side[:, 1] = torch.tensor([1.0, 2.0])
        targets.kind[:, 1] = 0
    phi, _ = targets()

    assert phi.shape == (len(BASE_STRUCTURES) + 1, 4)
    kinds = ["background", *KINDS]
    assert [kinds[int(n)] for n in phi[:, 0]] == [
        "background",
        *(s.kind for s in BASE_STRUCTURES),
    ]
    sides = {"midline": 0, "left": 1, "right": 2}
    assert phi[1:, 1].tolist() == [sides[s.side] for s in BASE_STRUCTURES]


def test_tables_are_no_weights():
    assert set(TargetEmbedding(4).state_dict()) == {"kind", "side", "bias"}


def test_presence_ignores_where_in_the_image_a_feature_is(enliven):
    head = enliven(PresenceHead(3, 4))
    features, phi = noise(2, 3, 2, 3, 4), noise(6, 4, seed=6)

    found = head(features, phi)

    assert found.shape == (2, 6)
    torch.testing.assert_close(head(features.flip(2, 4), phi), found)
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_lesions_are_rare_until_something_was_learnt():
    head = LesionHead(8, 4)

    logits = head(torch.zeros(2, 4, 3, 1, 2))

    assert logits.shape == (2, len(LESIONS), 3, 1, 2)
    assert (logits == RARE).all()


def test_a_lesion_is_a_product_of_its_own_plus_its_bias(enliven):
    """Lesions do not compete: what one class says does not depend on the others."""
    head = enliven(LesionHead(8, 4))
    embedding = noise(1, 4, 2, 3, 1)

    logits = head(embedding)

    for n in range(len(LESIONS)):
        weight = head.to_mask.weight @ head.phi[n]
        by_hand = (embedding[0] * weight[:, None, None, None]).sum(0) + head.bias[n]
        torch.testing.assert_close(logits[0, n], by_hand)


@pytest.fixture
def parcel_logits(enliven):
    """Of two images at 4 mm, (2, P, 4, 2, 6), and the head they come from."""
    head = enliven(ParcelHead((3, 5), 6, 4))
    with torch.no_grad():
        return head(noise(2, 3, 4, 2, 6), noise(2, 5, 2, 2, 3), (2, 1, 2)), head


def test_parcels_of_both_sides_share_a_kind(parcel_logits):
    """At a voxel, left and right differ by the same amount whatever the parcel is."""
    logits, head = parcel_logits
    kinds = [parcel.kind for parcel in PARCELS if parcel.side == "left"]
    rows = [[PARCEL_ROW[f"{side}-{kind}"] for kind in kinds] for side in ("left", "right")]

    apart = logits[:, rows[0]] - logits[:, rows[1]]

    assert logits.shape == (2, len(PARCELS), 4, 2, 6)
    torch.testing.assert_close(apart, apart[:, :1].expand_as(apart), rtol=1e-4, atol=1e-5)
    assert apart[:, 0].std() > 1e-3
    assert torch.equal(head.kind_of[rows[0]], head.kind_of[rows[1]])


def test_a_side_moves_the_parcels_of_that_side_only(parcel_logits):
    before, head = parcel_logits

    with torch.no_grad():
        head.side[1] += 1
        after = head(noise(2, 3, 4, 2, 6), noise(2, 5, 2, 2, 3), (2, 1, 2))

    moved = {n for n in range(len(PARCELS)) if not torch.equal(after[:, n], before[:, n])}
    assert moved == {n for n, parcel in enumerate(PARCELS) if parcel.side == "right"}


def test_families_cover_all_parcels_once_and_in_one_piece():
    rows = family_rows()

    assert rows.keys() == FAMILIES.keys()
    assert sorted(chain(*rows.values())) == list(range(len(PARCELS)))
    for family, own in rows.items():
        assert {PARCELS[n].family for n in own} == {family}
        assert all(b - a == 1 for a, b in pairwise(own))  # the loss takes a run of rows


def test_presence_is_what_its_head_says_until_it_is_calibrated():
    evidence = noise(3, len(BASE_STRUCTURES) + len(LESIONS), 2)

    assert torch.equal(PresenceCalibration()(evidence), evidence[..., 0])


def test_calibration_is_a_line_of_its_own_for_every_target():
    calibration, evidence = PresenceCalibration(), noise(2, 46, 2)
    scale, offset = noise(46, 2, seed=1), noise(46, seed=2)
    lesions = {"voxel": torch.zeros(14), "limit_ml": torch.ones(14)}
    calibration.load_state_dict({"scale": scale, "offset": offset, **lesions})

    found = calibration(evidence)

    for n in range(46):
        by_hand = scale[n, 0] * evidence[:, n, 0] + scale[n, 1] * evidence[:, n, 1] + offset[n]
        torch.testing.assert_close(found[:, n], by_hand)
    assert list(calibration.parameters()) == []  # not for the optimiser, but in the file
