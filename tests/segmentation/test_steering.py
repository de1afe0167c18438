"""Embeddings of one's own in the place of those a network was trained with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medprompt_cli.errors import UsageError
from medprompt_cli.networks.config import SMALL
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.steering import steer
from medprompt_cli.training.prompt_phi import phi_of_network


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return VoxelNetwork(SMALL)


@pytest.mark.parametrize(
    "name", ["left-thalamus", "thalamus", "brainstem", "tumor", "right-insula", "insula"]
)
def test_the_embedding_of_a_region_becomes_what_it_is_given(network, name):
    wanted = np.linspace(-1, 1, 32, dtype=np.float32)

    steer(network, {name: wanted})

    np.testing.assert_allclose(phi_of_network(network)[name], wanted, atol=1e-5)


def test_its_own_embedding_changes_nothing(network):
    before = phi_of_network(network)

    steer(network, {name: before[name] for name in ("left-caudate", "edema", "precuneus")})

    after = phi_of_network(network)
    for name, phi in before.items():
        np.testing.assert_allclose(after[name], phi, atol=1e-5)


def test_both_sides_together_give_what_they_share(network):
    before = phi_of_network(network)
    moved = {name: before[name] + 0.5 for name in ("left-putamen", "right-putamen")}

    steer(network, moved)

    np.testing.assert_allclose(
        phi_of_network(network)["putamen"], before["putamen"] + 0.5, atol=1e-5
    )


def test_a_name_without_an_embedding_is_refused(network):
    with pytest.raises(UsageError, match="'ventricles' has no embedding of its own"):
        steer(network, {"ventricles": np.zeros(32)})
