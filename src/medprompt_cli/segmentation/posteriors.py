"""Posteriors of every voxel, collected tile by tile into labels, masks and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import cc3d
import numpy as np
import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, CLOSED_MM, LESIONS
from medprompt_cli.domain.geometry import from_canonical
from medprompt_cli.domain.parcels import PARCEL_INDEX, PARCEL_NAMES
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.closing import closed
from medprompt_cli.segmentation.grid import NetworkGrid
from medprompt_cli.segmentation.intensity_model import IntensityModel, with_lesions
from medprompt_cli.segmentation.parcels import parcel_rows, parents_of
from medprompt_cli.segmentation.predict import CorePrediction
from medprompt_cli.segmentation.sums import RegionSums
from medprompt_cli.segmentation.tiling import Box

MM3_PER_ML = 1000.0

EVEN_ODDS = 0.5
"""Posterior above which a voxel belongs to a union or a lesion, and calibrated presence
from which on a lesion is there."""

BASE_ROW = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}
PARCEL_ROW = {name: n for n, name in enumerate(PARCEL_NAMES, start=1)}


SPECK_VOXELS = 4
"""Pieces of a lesion smaller than so many voxels of the finest level that the weights were
trained at are dropped: the network cannot tell them from noise."""


class Asked(Protocol):
    """A target: a name, and what it is made of."""

    @property
    def name(self) -> str:
        """Canonical name."""
        ...

    @property
    def members(self) -> tuple[str, ...]:
        """Base structures, or parcels, whose union it is; empty for a lesion."""
        ...


class Request:
    """Targets, sorted by how they are answered.

    Attributes:
        structures: Rows of base structures by target name: one row, or several of a union.
        parcels: Rows of parcels by target name, likewise.
        lesions: Names of lesions.
    """

    def __init__(self, targets: Sequence[Asked]) -> None:
        self.structures = _rows(targets, BASE_ROW)
        self.parcels = _rows(targets, PARCEL_ROW)
        self.lesions = tuple(t.name for t in targets if not t.members and t.name in LESIONS)

    @property
    def unions(self) -> list[str]:
        """Names of unions of base structures."""
        return [name for name, rows in self.structures.items() if len(rows) > 1]


def _rows(targets: Sequence[Asked], row_of: dict[str, int]) -> dict[str, list[int]]:
    return {
        t.name: [row_of[m] for m in t.members]
        for t in targets
        if t.members and all(m in row_of for m in t.members)
    }


class Posteriors:
    """Collects logits tile by tile into labels, masks and volumes."""

    def __init__(
        self,
        grids: list[NetworkGrid],
        request: Request,
        network: VoxelNetwork,
        core: CorePrediction,
        finest_level: int = 0,
    ) -> None:
        self.grids, self.grid, self.request = grids, grids[0], request
        self.core = core
        limits = dict(zip(LESIONS, network.calibration.limit_ml.tolist(), strict=True))
        self.limits = {
            n: limits[n] if math.isfinite(limits[n]) else None for n in request.lesions
        }
        self.lesions_there = bool(core.presence[len(BASE_STRUCTURES) :].max() >= EVEN_ODDS)
        self.weight, self.bias = self._mask_embeddings(network)
        self.least_voxels = speck_voxels(finest_level, self.grid.geometry.voxel_volume_mm3)
        self.model: IntensityModel | None = None
        self.rows = np.zeros(tuple(self.grid.image.shape), np.uint8)
        self.head = np.zeros(self.rows.shape, bool)
        self.unions = request.unions
        self.union_voxels = {n: np.zeros(self.rows.shape, bool) for n in self.unions}
        self.lesion_voxels = {n: np.zeros(self.rows.shape, bool) for n in request.lesions}
        place = self.weight.device
        self.sums = RegionSums(len(BASE_STRUCTURES) + 1, place)
        self.union_sums = RegionSums(len(self.unions), place)
        self.lesion_sums = RegionSums(len(request.lesions), place)
        self.union_rows = torch.zeros(len(self.sums.total), len(self.unions), device=place)
        for u, name in enumerate(self.unions):
            self.union_rows[request.structures[name], u] = 1

    @torch.inference_mode()
    def _mask_embeddings(self, network: VoxelNetwork) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights, (C, D + D'), and bias, (C,), of structures and of lesions.

        Lesions come last, where there is any: any lesion, then those asked for.
        """
        weight, bias = network.mask_embeddings()
        if not self.lesions_there:
            return F.pad(weight, (0, network.config.lesion_embedding)), bias
        chosen = [0, *(LESIONS.index(name) for name in self.request.lesions)]
        lesions, odds = (all_[chosen] for all_ in network.lesion_mask_embeddings())
        return torch.block_diag(weight, lesions), torch.cat([bias, odds])

    def project(self, embedding: torch.Tensor) -> torch.Tensor:
        """Logits, (1, C, I, J, K), of embeddings, (1, D + D', I, J, K)."""
        return F.conv3d(embedding, self.weight[:, :, None, None, None], self.bias)

    def add(self, box: Box, projected: torch.Tensor) -> None:
        """Take the logits, (I, J, K, C), of a box of native voxels."""
        start, shape = box.start, self.grid.shape
        i, j, k = (max(0, n - a) for n, a in zip(shape, start, strict=True))
        inside = projected[:i, :j, :k]
        place = (
            slice(start[1], start[1] + inside.shape[1]),
            slice(start[2], start[2] + inside.shape[2]),
        )
        for n, plane in enumerate(inside, start=start[0]):  # a plane stays in the cache
            self._add_plane(n, place, plane)

    def _add_plane(self, n: int, place: tuple[slice, slice], plane: torch.Tensor) -> None:
        logits = plane.flatten(0, 1).float()  # (V, C)
        targets = len(self.sums.total)
        odds = logits[:, targets:] if self.lesions_there else None  # any lesion first
        logits = logits[:, :targets]
        posterior, lesion = self._posterior(logits, odds, n, place)
        shape = plane.shape[:2]
        found = self.sums.add_exclusive(posterior).to(torch.uint8)
        self.rows[n][place] = found.reshape(shape).cpu().numpy()
        anything = posterior[:, 0] < 1 - EVEN_ODDS
        self.head[n][place] = anything.reshape(shape).cpu().numpy()
        if self.unions:
            together = posterior @ self.union_rows
            likely = together > EVEN_ODDS
            self.union_sums.add_overlapping(together, likely)
            likely = likely.reshape(*shape, -1)
            for u, name in enumerate(self.unions):
                self.union_voxels[name][n][place] = likely[..., u].cpu().numpy()
        if lesion is not None:
            likely = lesion > EVEN_ODDS
            self.lesion_sums.add_overlapping(lesion, likely)
            likely = likely.reshape(*shape, -1).cpu().numpy()
            for at, voxels in enumerate(self.lesion_voxels.values()):
                voxels[n][place] = likely[..., at]

    def _posterior(
        self,
        logits: torch.Tensor,
        odds: torch.Tensor | None,
        n: int,
        place: tuple[slice, slice],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Structures, (V, T + 1), and the lesions asked for, (V, L'), of a plane."""
        if self.model is None:
            return logits.softmax(dim=1), None if odds is None else odds[:, 1:].sigmoid()
        seen = torch.stack([grid.image[n][place].flatten() for grid in self.grids])
        if odds is None:
            return self.model.logits(logits, seen.to(logits)).softmax(dim=1), None
        prior = with_lesions(logits, odds[:, 0])
        posterior = self.model.logits(prior, seen.to(logits)).softmax(dim=1)
        any_lesion = posterior[:, -1:]
        share = (odds[:, 1:].sigmoid() / odds[:, :1].sigmoid().clamp_min(1e-6)).clamp_max(1)
        beneath = any_lesion * logits.softmax(dim=1)  # the network's word on what it was
        return posterior[:, :-1] + beneath, any_lesion * share

    def finish(self, volume: Volume) -> dict[str, Any]:
        """Turn labels, masks, presence and volumes back to the image's own grid."""
        inside = tuple(slice(0, n) for n in self.grid.shape)
        head = _largest_piece(self.head[inside])
        self._drop_islands(inside, head)
        rows = self.rows[inside] * head
        presence = self._presence()
        scale = volume.geometry.voxel_volume_mm3 / MM3_PER_ML
        found = {name: voxels[inside] & head for name, voxels in self.union_voxels.items()}
        volumes = {
            name: max(0.0, float(self.sums.total[rows_].sum())) * scale
            for name, rows_ in self.request.structures.items()
        }
        for name in found.keys() & CLOSED_MM.keys():
            spacing = self.grid.geometry.canonical().spacing
            found[name] = closed(found[name], spacing, CLOSED_MM[name])
            volumes[name] = float(found[name].sum()) * scale
        for name, voxels in self.lesion_voxels.items():
            there = (presence[name] or 0.0) >= EVEN_ODDS
            found[name] = without_specks(voxels[inside] & head & there, self.least_voxels)
            volumes[name] = float(found[name].sum()) * scale
        masks = {
            name: Mask(name, self._native(voxels), volume.geometry, presence[name])
            for name, voxels in found.items()
        }
        return {
            "labels": self._labels(rows, volume),
            "parcels": None,
            "masks": masks,
            "presence": presence,
            "volumes_ml": volumes,
            "sums": self._sums(scale, presence),
            "limits_ml": self.limits,
            "notes": () if self.core.brain else ("No brain was found in this image.",),
            "rows": rows,
        }

    def _drop_islands(self, inside: tuple[slice, ...], head: np.ndarray) -> None:
        """Take what does not touch the head out of the sums; posteriors there are near 1."""
        count = len(self.sums.total)
        islands = torch.from_numpy(np.bincount(self.rows[inside][~head], minlength=count))
        islands[0] = 0  # the background is not measured
        self.sums.without(islands.to(self.sums.total))
        lost = [int((voxels[inside] & ~head).sum()) for voxels in self.union_voxels.values()]
        self.union_sums.without(torch.tensor(lost).to(self.sums.total))

    def _sums(
        self, scale: float, presence: dict[str, float | None]
    ) -> dict[str, PosteriorSums]:
        """By target; those of a lesion that is not there, and of what was closed, have none."""
        found = {
            name: self.union_sums.result(self.unions.index(name), scale)
            if len(rows) > 1
            else self.sums.result(rows[0], scale)
            for name, rows in self.request.structures.items()
            if name not in CLOSED_MM
        }
        for at, name in enumerate(self.request.lesions):
            if (presence[name] or 0.0) >= EVEN_ODDS:
                found[name] = self.lesion_sums.result(at, scale)
        return found

    def _labels(self, rows: np.ndarray, volume: Volume) -> LabelMap:
        """The base structures that were asked for by themselves."""
        single = {rows_[0] for rows_ in self.request.structures.values() if len(rows_) == 1}
        table = np.zeros(len(BASE_STRUCTURES) + 1, np.uint8)
        names = {}
        for row, structure in enumerate(BASE_STRUCTURES, start=1):
            if row in single:
                table[row] = structure.index
                names[structure.index] = structure.name
        return LabelMap(self._native(table[rows]), volume.geometry, names)

    def divide(self, found: dict[str, Any], logits: torch.Tensor) -> None:
        """Add parcels, and unions of parcels, to what `finish` gave."""
        volume_geometry = found["labels"].geometry
        scale = volume_geometry.voxel_volume_mm3 / MM3_PER_ML
        parts = parcel_rows(found["rows"], logits, self.core.box, self.grid.core[0].factors)
        counts = np.bincount(parts.ravel(), minlength=len(PARCEL_NAMES) + 1)
        table = np.zeros(len(PARCEL_NAMES) + 1, np.uint16)
        names = {}
        for target, rows in self.request.parcels.items():
            parents = {base for row in rows for base in parents_of(row - 1)}
            chance = max(float(self.core.presence[base - 1]) for base in parents)
            found["presence"][target] = chance
            found["volumes_ml"][target] = float(counts[rows].sum()) * scale
            if len(rows) == 1:
                table[rows[0]] = PARCEL_INDEX[target]
                names[PARCEL_INDEX[target]] = target
            else:
                union = self._native(np.isin(parts, rows))
                found["masks"][target] = Mask(target, union, volume_geometry, chance)
        found["parcels"] = LabelMap(self._native(table[parts]), volume_geometry, names)

    def _presence(self) -> dict[str, float | None]:
        found: dict[str, float | None] = {
            name: max(float(self.core.presence[row - 1]) for row in rows)
            for name, rows in self.request.structures.items()
        }
        for name in self.request.lesions:
            at = len(BASE_STRUCTURES) + LESIONS.index(name)
            found[name] = float(self.core.presence[at])
        return found

    def _native(self, voxels: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(from_canonical(voxels, self.grid.geometry))


def speck_voxels(finest_level: int, voxel_mm3: float) -> int:
    """Voxels of this volume that a piece of a lesion has at least."""
    return math.ceil(SPECK_VOXELS * 8.0**finest_level / voxel_mm3)


def without_specks(found: np.ndarray, least: int) -> np.ndarray:
    """Drop connected pieces of (I, J, K) bool of fewer than `least` voxels."""
    if not found.any():
        return found
    return cc3d.dust(found, threshold=least, connectivity=26) > 0


def _largest_piece(found: np.ndarray) -> np.ndarray:
    """Drop everything that does not touch the largest connected region of (I, J, K) bool."""
    if not found.any():
        return found
    return cc3d.largest_k(found, k=1, connectivity=26) > 0
