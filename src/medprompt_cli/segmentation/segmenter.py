"""Volumes and targets in, masks on the same grid out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cc3d
import numpy as np
import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.geometry import from_canonical
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.errors import InputError, WeightsError
from medprompt_cli.networks.config import config_from_dict
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.device import choose_device, choose_precision, device_label
from medprompt_cli.segmentation.grid import NetworkGrid, network_grid
from medprompt_cli.segmentation.intensity_model import IntensityModel, fit_intensities
from medprompt_cli.segmentation.predict import CorePrediction, Predictor
from medprompt_cli.segmentation.tiling import Box
from medprompt_cli.weights.store import load_weights

MM3_PER_ML = 1000.0
TILE_SHARE = 0.4
"""Part of the memory allowance that one tile may fill; the rest holds the image."""

DEFAULT_MEMORY_GB = 3.0
EVEN_ODDS = 0.5
"""Posterior above which a voxel belongs to a union."""


class Asked(Protocol):
    """A target: a name, and the base structures it is made of."""

    @property
    def name(self) -> str:
        """Canonical name."""
        ...

    @property
    def members(self) -> tuple[str, ...]:
        """Base structures whose union it is."""
        ...


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What was found in one image.

    Attributes:
        labels: The base structures asked for, FreeSurfer ids, on the image's grid.
        masks: A mask for every union asked for, e.g. `ventricles`.
        presence: Probability that each target is in the image; not yet calibrated.
        volumes_ml: Sum of posteriors times voxel volume, in mL, per target; voxels of
            pieces that were dropped are taken off.
        notes: What a reader of the result should know, one sentence each.
        seconds: Time per stage.
    """

    labels: LabelMap
    masks: dict[str, Mask]
    presence: dict[str, float | None]
    volumes_ml: dict[str, float]
    notes: tuple[str, ...]
    seconds: dict[str, float]


class Segmenter:
    """Weights on a device, ready for any number of images.

    Args:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        weights: A name in `weights.toml` or a safetensors file; None for the default.
        memory_gb: What one image may take beyond the weights; decides the tiles.
        follow_intensities: Whether borders follow the intensities of the scan, or are
            what the network alone says.

    Raises:
        WeightsError: If the weights are missing, damaged or of another network.
        DeviceError: If the device is not there.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        weights: str | Path | None = None,
        memory_gb: float | None = None,
        follow_intensities: bool = True,
    ) -> None:
        loaded = load_weights(weights)
        place = choose_device(device)
        dtype = choose_precision(place)
        network = VoxelNetwork(config_from_dict(loaded.network))
        try:
            network.load_state_dict(loaded.tensors)
        except RuntimeError as error:
            raise WeightsError(
                f"Weights {loaded.name} do not fit this network: {error}.",
                remedy="Use weights made for this version of medprompt.",
            ) from error
        network.to(place, dtype).eval()
        network.to(memory_format=torch.channels_last_3d)  # pyright: ignore[reportCallIssue] - no stub
        allowance = (memory_gb or DEFAULT_MEMORY_GB) * 2**30
        self.predictor = Predictor(
            network,
            place,
            dtype,
            finest_level=loaded.finest_level,
            tile_bytes=int(allowance * TILE_SHARE),
        )
        self.follows_intensities = follow_intensities
        self.weights_name, self.weights_version = loaded.name, loaded.version
        self.weights_sha256 = loaded.sha256
        self.device_name = device_label(place)

    def segment(
        self, volumes: Volume | Sequence[Volume], targets: Sequence[Asked]
    ) -> Segmentation:
        """Segment `targets` in one image, or in several co-registered ones together.

        Raises:
            InputError: If there is no image, or several do not share one grid.
        """
        streams = [volumes] if isinstance(volumes, Volume) else list(volumes)
        _check_streams(streams)
        began = time.perf_counter()
        one_grid = streams[0].geometry  # the others may differ by rounding
        grids = [network_grid(replace(volume, geometry=one_grid)) for volume in streams]
        ready = time.perf_counter()
        core = self.predictor.core(grids)
        coarse = time.perf_counter()
        collected = _Posteriors(grids, targets, self.predictor.network)
        if self.follows_intensities and core.brain:
            prior, intensities = self.predictor.sample(grids, core)
            kinds = self.predictor.network.targets.kind_of
            collected.model = fit_intensities(prior, intensities, kinds)
        self.predictor.refine(grids, core, collected.add)
        fine = time.perf_counter()
        result = collected.finish(streams[0], core)
        seconds = {
            "prepare": ready - began,
            "coarse": coarse - ready,
            "fine": fine - coarse,
            "labels": time.perf_counter() - fine,
        }
        return Segmentation(**result, seconds=seconds)


def _check_streams(streams: Sequence[Volume]) -> None:
    if not streams:
        raise InputError(
            "A case without any image was to be segmented.",
            remedy="Give one image, or several on one grid.",
            code="no-images",
        )
    first = streams[0]
    for other in streams[1:]:
        if not first.geometry.matches(other.geometry):
            raise InputError(
                f"{other.source or 'An image'} does not lie on the grid of"
                f" {first.source or 'the first'}.",
                remedy="Co-register the images of a case and resample them to one grid.",
                code="grid-mismatch",
            )


class _Posteriors:
    """Collects logits tile by tile into labels, masks and volumes."""

    def __init__(
        self, grids: list[NetworkGrid], targets: Sequence[Asked], network: VoxelNetwork
    ) -> None:
        with torch.inference_mode():
            self.weight, self.bias = network.mask_embeddings()
        self.grids, self.grid = grids, grids[0]
        self.model: IntensityModel | None = None
        self.rows = np.zeros(tuple(self.grid.image.shape), np.uint8)
        self.head = np.zeros(self.rows.shape, bool)
        row_of = {s.name: n + 1 for n, s in enumerate(BASE_STRUCTURES)}
        self.members = {t.name: [row_of[m] for m in t.members] for t in targets}
        self.unions = [name for name, rows in self.members.items() if len(rows) > 1]
        self.union_voxels = {n: np.zeros(self.rows.shape, bool) for n in self.unions}
        place = self.weight.device
        self.mass = torch.zeros(len(BASE_STRUCTURES) + 1, dtype=torch.float64, device=place)
        self.union_rows = torch.zeros(len(self.mass), len(self.unions), device=place)
        for u, name in enumerate(self.unions):
            self.union_rows[self.members[name], u] = 1

    def add(self, box: Box, embedding: torch.Tensor) -> None:
        """Take the embeddings, (I, J, K, D), of a box of native voxels."""
        start, shape = box.start, self.grid.shape
        i, j, k = (max(0, n - a) for n, a in zip(shape, start, strict=True))
        inside = embedding[:i, :j, :k]
        place = (
            slice(start[1], start[1] + inside.shape[1]),
            slice(start[2], start[2] + inside.shape[2]),
        )
        for n, plane in enumerate(inside, start=start[0]):  # a plane stays in the cache
            logits = F.linear(plane, self.weight, self.bias).float().flatten(0, 1)
            if self.model:
                seen = [grid.image[n][place].flatten() for grid in self.grids]
                logits = self.model.logits(logits, torch.stack(seen).to(logits))
            posterior = logits.softmax(dim=1)
            self.mass += posterior.sum(dim=0)
            found = posterior.argmax(dim=1).to(torch.uint8)
            self.rows[n][place] = found.reshape(plane.shape[:2]).cpu().numpy()
            anything = posterior[:, 0] < 1 - EVEN_ODDS
            self.head[n][place] = anything.reshape(plane.shape[:2]).cpu().numpy()
            if self.unions:
                likely = (posterior @ self.union_rows > EVEN_ODDS).reshape(*plane.shape[:2], -1)
                for u, name in enumerate(self.unions):
                    self.union_voxels[name][n][place] = likely[..., u].cpu().numpy()

    def finish(self, volume: Volume, core: CorePrediction) -> dict:
        """Turn everything back to the image's own grid."""
        inside = tuple(slice(0, n) for n in self.grid.shape)
        head = _largest_piece(self.head[inside])
        islands = np.bincount(self.rows[inside][~head], minlength=len(self.mass))
        self.mass[1:] -= torch.from_numpy(islands[1:]).to(self.mass)  # posteriors near 1
        rows = self.rows[inside] * head
        asked = {row for rows_ in self.members.values() if len(rows_) == 1 for row in rows_}
        table = np.zeros(len(BASE_STRUCTURES) + 1, np.uint8)
        names = {}
        for row, structure in enumerate(BASE_STRUCTURES, start=1):
            if row in asked:
                table[row] = structure.index
                names[structure.index] = structure.name
        labels = self._native(table[rows])
        presence = self._presence(core)
        masks = {
            name: Mask(
                name, self._native(found[inside] & head), volume.geometry, presence[name]
            )
            for name, found in self.union_voxels.items()
        }
        scale = volume.geometry.voxel_volume_mm3 / MM3_PER_ML
        volumes = {
            n: max(0.0, float(self.mass[rows_].sum())) * scale
            for n, rows_ in self.members.items()
        }
        notes = () if core.brain else ("No brain was found in this image.",)
        return {
            "labels": LabelMap(labels, volume.geometry, names),
            "masks": masks,
            "presence": presence,
            "volumes_ml": volumes,
            "notes": notes,
        }

    def _presence(self, core: CorePrediction) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for name, rows in self.members.items():
            chances = [float(core.presence[row - 1]) for row in rows]
            found[name] = max(chances) if chances else None
        return found

    def _native(self, voxels: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(from_canonical(voxels, self.grid.geometry))


def _largest_piece(found: np.ndarray) -> np.ndarray:
    """Drop everything that does not touch the largest connected region of (I, J, K) bool."""
    if not found.any():
        return found
    return cc3d.largest_k(found, k=1, connectivity=26) > 0
