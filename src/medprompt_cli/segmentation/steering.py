"""Instruction embeddings from a prompt in the place of those a network was trained with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.errors import UsageError
from medprompt_cli.networks.pyramid import VoxelNetwork


@torch.no_grad()
def steer(network: VoxelNetwork, phi: Mapping[str, np.ndarray]) -> None:
    """Give targets of a network other embeddings.

    Both sides of a structure share what it is: with an embedding for one side or for both,
    that part is the mean of what is left of them without their sides.

    Args:
        network: Changed in place.
        phi: (32,) by canonical name, of one side or of both: `left-thalamus`, `thalamus`.

    Raises:
        UsageError: If a name is none of a structure, a lesion or a parcel.
    """
    rows: dict[tuple[str, int], list[torch.Tensor]] = {}
    for name, vector in phi.items():
        for table, row, own in _rows(network, name):
            wanted = torch.from_numpy(np.asarray(vector, np.float32)).to(own)
            rows.setdefault((table, row), []).append(wanted - own)
    tables = {
        "base": network.targets.kind,
        "lesion": network.lesions.phi,
        "parcel": network.parcels.kind,
    }
    for (table, row), vectors in rows.items():
        tables[table][row] = torch.stack(vectors).mean(dim=0)


def _rows(network: VoxelNetwork, name: str) -> list[tuple[str, int, torch.Tensor]]:
    """The rows of a name: its table, its row there, and what its side adds to it."""
    if name in LESIONS:
        own = network.lesions.phi.new_zeros(network.lesions.phi.shape[1])
        return [("lesion", LESIONS.index(name), own)]
    sides = {"left": network.targets.side[0], "right": network.targets.side[1]}
    known = [
        (s.name, "base", int(network.targets.kind_of[n + 1]), s.side)
        for n, s in enumerate(BASE_STRUCTURES)
    ]
    parcel_sides = {"left": network.parcels.side[0], "right": network.parcels.side[1]}
    known += [
        (p.name, "parcel", int(network.parcels.kind_of[n]), p.side)
        for n, p in enumerate(PARCELS)
    ]
    for full, table, row, side in known:
        its = sides if table == "base" else parcel_sides
        nothing = torch.zeros_like(its["left"])
        if full == name:
            return [(table, row, its.get(side, nothing))]
        if side in its and full == f"{side}-{name}":  # both sides: midway between them
            return [(table, row, (its["left"] + its["right"]) / 2)]
    raise UsageError(
        f"{name!r} has no embedding of its own.",
        remedy="Name a structure, a lesion or a parcel.",
    )
