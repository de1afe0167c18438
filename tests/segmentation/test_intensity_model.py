"""Tissues get the intensities of the scan, whatever they are."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.domain import anatomy
from medprompt_cli.networks.intensity import CEILING
from medprompt_cli.segmentation.intensity_model import (
    BINS,
    SAMPLES,
    IntensityModel,
    fit_intensities,
    to_bins,
    with_lesions,
)

VOXELS = 6000
GREYS = torch.tensor([0, 1, 2, 2])
"""Background, a midline structure, and a structure with two sides."""
KINDS = torch.tensor(
    [0, *(anatomy.KINDS.index(k) + 1 for k in ("brainstem", *2 * ["caudate"]))]
)
"""What these are, as the network numbers kinds."""


def phantom(means: tuple[float, ...], noise: float = 0.05):
    """Truth, intensities (1, V) and a network that is right two times in three."""
    draw = torch.Generator().manual_seed(3)
    truth = torch.randint(4, (VOXELS,), generator=draw)
    tissue = torch.tensor(means)[GREYS[truth]]
    intensities = tissue + noise * torch.randn(VOXELS, generator=draw)
    wrong = torch.rand(VOXELS, generator=draw) < 1 / 3
    said = torch.where(wrong, torch.randint(4, (VOXELS,), generator=draw), truth)
    prior = 3.0 * torch.nn.functional.one_hot(said, 4).float()
    return truth, intensities.clamp(0, CEILING)[None], prior


def accuracy(logits: torch.Tensor, truth: torch.Tensor) -> float:
    """Share of voxels whose kind is right: intensity cannot tell the sides apart."""
    return float((GREYS[logits.argmax(dim=1)] == GREYS[truth]).float().mean())


@pytest.mark.parametrize("means", [(0.1, 0.5, 0.9), (0.9, 0.5, 0.1), (0.5, 1.2, 0.2)])
def test_borders_follow_the_scan_in_every_contrast(means):
    truth, intensities, prior = phantom(means)

    model = fit_intensities(prior, intensities, KINDS)

    assert accuracy(prior, truth) < 0.85
    assert accuracy(model.logits(prior, intensities), truth) > 0.97


def test_without_contrast_the_network_decides():
    _, intensities, prior = phantom((0.5, 0.5, 0.5))

    logits = fit_intensities(prior, intensities, KINDS).logits(prior, intensities)

    assert (logits.argmax(dim=1) == prior.argmax(dim=1)).float().mean() > 0.98


def test_both_sides_of_a_structure_look_alike():
    _, intensities, prior = phantom((0.1, 0.5, 0.9))

    table = fit_intensities(prior, intensities, KINDS).tables[0]

    assert torch.equal(table[:, 2], table[:, 3])
    torch.testing.assert_close(table.exp().sum(dim=0), torch.ones(4))


def test_all_ventricles_look_alike_and_nothing_else_does():
    generator = torch.Generator().manual_seed(6)
    count = len(anatomy.KINDS) + 1
    prior, intensities = (torch.randn(VOXELS, n, generator=generator) for n in (count, 1))

    table = fit_intensities(prior, intensities.abs().T, torch.arange(count)).tables[0]

    fluid = [anatomy.KINDS.index(kind) + 1 for kind in anatomy.VENTRICLE_KINDS]
    rest = [n for n in range(count) if n not in fluid[1:]]
    assert torch.equal(table[:, fluid], table[:, fluid[:1]].expand(-1, len(fluid)))
    assert len(torch.unique(table[:, rest], dim=1).T) == len(rest)


def test_streams_share_one_vote_and_their_order_does_not_matter():
    _, first, prior = phantom((0.1, 0.5, 0.9))
    second = 1 - first.clamp(0, 1)
    both, turned = torch.cat([first, second]), torch.cat([second, first])

    one = fit_intensities(prior, both, KINDS).logits(prior, both)
    other = fit_intensities(prior, turned, KINDS).logits(prior, turned)

    torch.testing.assert_close(one, other)
    twice = torch.cat([first, first])
    alone = fit_intensities(prior, first, KINDS).logits(prior, first)
    torch.testing.assert_close(fit_intensities(prior, twice, KINDS).logits(prior, twice), alone)


def test_a_large_scan_is_sampled():
    prior, intensities = torch.zeros(3 * SAMPLES, 2), torch.rand(1, 3 * SAMPLES)
    intensities[0, 1::3] = intensities[0, 2::3] = CEILING  # never looked at

    table = fit_intensities(prior, intensities, torch.tensor([0, 1])).tables[0]

    assert table[-1, 0].exp() < 0.01


def test_bins_span_the_range_of_the_network():
    values = torch.tensor([[-1.0, 0.0, CEILING / 2, CEILING, 9.0]])

    assert to_bins(values).tolist() == [[0, 0, 32, BINS - 1, BINS - 1]]


def test_a_model_without_evidence_changes_no_decision():
    prior = torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
    model = IntensityModel(torch.zeros(1, BINS, 4), torch.full((4,), 0.7))

    logits = model.logits(prior, torch.rand(1, 50))

    torch.testing.assert_close(logits, 0.7 * prior)


def test_a_lesion_takes_its_share_from_every_structure():
    generator = torch.Generator().manual_seed(1)
    prior, odds = torch.randn(50, 4, generator=generator), torch.randn(50, generator=generator)

    shares = with_lesions(prior, odds).exp()

    torch.testing.assert_close(shares[:, 4], odds.sigmoid())
    left = (1 - odds.sigmoid())[:, None]
    torch.testing.assert_close(shares[:, :4], prior.softmax(dim=1) * left)


def test_a_lesion_nobody_sees_changes_nothing():
    _, intensities, prior = phantom((0.1, 0.5, 0.9))
    healthy = with_lesions(prior, torch.full((VOXELS,), -80.0))

    alone = fit_intensities(prior, intensities, KINDS).logits(prior, intensities)
    beside = fit_intensities(healthy, intensities, KINDS).logits(healthy, intensities)

    torch.testing.assert_close(beside.softmax(dim=1)[:, :4], alone.softmax(dim=1))


def test_borders_of_lesions_follow_the_scan():
    """A third of what the network says of lesions is guessed; their brightness is their own."""
    truth, intensities, prior = phantom((0.1, 0.5, 0.9))
    draw = torch.Generator().manual_seed(8)
    ill = torch.rand(VOXELS, generator=draw) < 0.2
    intensities[0, ill] = 1.2
    said = torch.where(torch.rand(VOXELS, generator=draw) < 1 / 3, ~ill, ill)
    both = with_lesions(prior, 3.0 * said.float() - 1.5)

    found = fit_intensities(both, intensities, KINDS).logits(both, intensities)

    lesion = found.argmax(dim=1) == 4
    assert (said == ill).float().mean() < 0.7
    assert (lesion == ill).float().mean() > 0.97
    assert accuracy(found[~ill, :4], truth[~ill]) > 0.97
