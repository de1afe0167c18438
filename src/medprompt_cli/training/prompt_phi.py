"""Embeddings of the targets of a segmentation network, for phi to be drawn to."""

from __future__ import annotations

import numpy as np
import torch

from medprompt_cli.domain.anatomy import BASE_NAMES, LESIONS
from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.networks.config import config_from_dict
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.weights.store import load_weights


def phi_of(weights: str) -> dict[str, np.ndarray]:
    """The phi of every target, by canonical name; of a bare name, midway between its sides.

    Args:
        weights: Their name in the registry, or a file.

    Raises:
        WeightsError: If there are no such weights.
    """
    loaded = load_weights(weights)
    network = VoxelNetwork(config_from_dict(loaded.network))
    network.load_state_dict(loaded.tensors, strict=False)
    return phi_of_network(network)


@torch.no_grad()
def phi_of_network(network: VoxelNetwork) -> dict[str, np.ndarray]:
    """The phi of every target of a network."""
    base, _ = network.targets()
    parcels = network.parcels
    sided = parcels.side_of.to(parcels.side.dtype) @ parcels.side
    rows = [*base[1:], *network.lesions.phi, *(parcels.kind[parcels.kind_of] + sided)]
    names = [*BASE_NAMES, *LESIONS, *(parcel.name for parcel in PARCELS)]
    found = {name: row.float().numpy() for name, row in zip(names, rows, strict=True)}
    for name in names:
        bare = name.removeprefix("left-")
        if f"right-{bare}" in found and bare != name:
            found[bare] = (found[name] + found[f"right-{bare}"]) / 2
    return found
