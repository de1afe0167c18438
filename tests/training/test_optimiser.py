"""Which weights Muon moves, how far, and that a saved optimiser goes on alike."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.training.optimiser import Optimiser

RATE = 0.01


@pytest.fixture
def weights():
    draw = torch.Generator().manual_seed(4)
    shapes = {
        "core.encode.0.weight": (16, 8, 3, 3, 3),
        "core.stem.weight": (16, 1, 3, 3, 3),
        "core.embed.weight": (16, 16, 1, 1, 1),
        "core.encode.0.bias": (16,),
    }
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}


@pytest.fixture
def gradients(weights):
    draw = torch.Generator().manual_seed(5)
    return {name: torch.randn(w.shape, generator=draw) for name, w in weights.items()}


def copies(weights):
    return {name: weight.clone() for name, weight in weights.items()}


def test_a_convolution_moves_along_an_orthogonal_matrix(weights, gradients):
    """All singular values of the step are about the same, whatever the gradient's are."""
    before = copies(weights)
    name = "core.encode.0.weight"
    gradients[name][0] *= 10

    Optimiser(weights, RATE, decay=0.0).step(gradients, RATE)

    moved = (before[name] - weights[name]).flatten(1)
    values = torch.linalg.svdvals(moved / (0.2 * RATE * moved.shape[1] ** 0.5))
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_heads_stems_and_vectors_move_by_the_rate_and_the_sign(weights, gradients):
    """The first step of AdamW, whatever the size of the gradient."""
    before = copies(weights)

    Optimiser(weights, RATE, decay=0.0).step(gradients, RATE)

    for name in ("core.stem.weight", "core.embed.weight", "core.encode.0.bias"):
        moved = before[name] - weights[name]
        torch.testing.assert_close(moved, RATE * gradients[name].sign(), rtol=1e-4, atol=1e-6)


def test_a_weight_without_gradient_stays(weights, gradients):
    before = copies(weights)
    kept = "core.stem.weight"
    del gradients[kept]

    Optimiser(weights, RATE, decay=0.1).step(gradients, RATE)

    assert torch.equal(weights[kept], before[kept])
    assert not torch.equal(weights["core.encode.0.bias"], before["core.encode.0.bias"])


def test_a_loaded_optimiser_goes_on_alike(weights, gradients):
    first = Optimiser(weights, RATE, decay=0.01)
    first.step(gradients, RATE)
    others = copies(weights)
    second = Optimiser(others, RATE, decay=0.01)
    second.load(copies(first.tensors()))

    first.step(gradients, RATE)
    second.step(gradients, RATE)

    assert all(torch.equal(weights[name], others[name]) for name in weights)
