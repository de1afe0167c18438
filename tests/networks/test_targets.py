"""phi: what a target is, plus its side."""

from __future__ import annotations

import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, KINDS
from medprompt_cli.networks.targets import PresenceHead, TargetEmbedding

ROW = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}


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
    features = torch.randn(2, 3, 2, 3, 4, generator=torch.Generator().manual_seed(5))
    phi = torch.randn(6, 4, generator=torch.Generator().manual_seed(6))

    found = head(features, phi)

    assert found.shape == (2, 6)
    torch.testing.assert_close(head(features.flip(2, 4), phi), found)
    assert not torch.allclose(found[0], found[1], atol=1e-3)
