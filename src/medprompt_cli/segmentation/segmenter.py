"""Volumes and targets in, masks on the same grid out."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from medprompt_cli.domain.attempt import Attempt
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap, Mask, Volume, check_one_grid
from medprompt_cli.errors import WeightsError
from medprompt_cli.networks.config import config_from_dict
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.device import (
    choose_device,
    choose_precision,
    device_label,
    keep_few_kernels,
)
from medprompt_cli.segmentation.grid import NetworkGrid, network_grid
from medprompt_cli.segmentation.intensity_model import fit_intensities, with_lesions
from medprompt_cli.segmentation.ladder import (
    NetworkCopies,
    Rung,
    is_out_of_memory,
    release,
    rungs,
)
from medprompt_cli.segmentation.posteriors import Asked, Posteriors, Request
from medprompt_cli.segmentation.predict import CorePrediction, Predictor
from medprompt_cli.weights.store import load_weights

TILE_SHARE = 0.4
"""Part of the memory allowance that one tile may fill; the rest holds the image."""

DEFAULT_MEMORY_GB = 3.0

MOST_AT_ONCE = 16
"""Cases at once where a GPU computes: it is done with a head in a fraction of the time that
the processor takes to read, sort out, measure and write it. Own choice."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What was found in one image.

    Attributes:
        labels: The base structures asked for, FreeSurfer ids, on the image's grid.
        parcels: The parcels asked for, FreeSurfer ids; None if none was.
        masks: A mask for every union asked for, e.g. `ventricles`, and for every lesion;
            that of a lesion which is not there holds no voxel.
        presence: Calibrated probability that each target is in the image; a parcel has
            that of the structure it is a part of.
        volumes_ml: Per target. Of structures and their unions the sum of posteriors times
            voxel volume, less the voxels of pieces that were dropped; of parcels and
            lesions the volume of the mask.
        sums: What the posteriors add up to, per structure, union and lesion that is there.
        limits_ml: Per lesion, the volume from which on it is found; None if not known.
        notes: What a reader of the result should know, one sentence each.
        seconds: Time per stage; `retries` is what tries took that ran out of memory.
        attempts: The tries, the one that gave this last; none where the first one did.
    """

    labels: LabelMap
    parcels: LabelMap | None
    masks: dict[str, Mask]
    presence: dict[str, float | None]
    volumes_ml: dict[str, float]
    sums: dict[str, PosteriorSums]
    limits_ml: dict[str, float | None]
    notes: tuple[str, ...]
    seconds: dict[str, float]
    attempts: tuple[Attempt, ...] = ()


class Segmenter:
    """Weights on a device, ready for any number of images, from several threads as well.

    Attributes:
        cases_at_once: How many threads it takes to keep the device busy: on a processor one,
            whose network fills all cores; before a GPU one for every core. Only one has the
            device at a time.

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
        keep_few_kernels()
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
        self._first = Rung(place, dtype, int(allowance * TILE_SHARE))
        self._copies = NetworkCopies(network, self._first)
        self._finest_level = loaded.finest_level
        self.predictor = self._predictor(self._first)
        self.follows_intensities = follow_intensities
        self.weights_name, self.weights_version = loaded.name, loaded.version
        self.weights_sha256 = loaded.sha256
        self.device_name = device_label(place)
        self._turn = threading.Lock()
        cores = torch.get_num_threads()  # as OMP_NUM_THREADS says, too
        self.cases_at_once = 1 if place.type == "cpu" else min(MOST_AT_ONCE, cores)

    def segment(
        self, volumes: Volume | Sequence[Volume], targets: Sequence[Asked]
    ) -> Segmentation:
        """Segment `targets` in one image, or in several co-registered ones together.

        Raises:
            InputError: If there is no image, or several do not share one grid.
        """
        streams = [volumes] if isinstance(volumes, Volume) else list(volumes)
        check_one_grid(streams)
        began = time.perf_counter()
        attempts: list[Attempt] = []
        for rung in rungs(self._first):
            tried = time.perf_counter()
            found = self._attempt(rung, streams, targets)
            if found is None:
                attempts.append(rung.attempt(ran_out=True))
                release(rung.device)
                continue
            if not attempts:
                return found
            attempts.append(rung.attempt(ran_out=False))
            return replace(
                found,
                notes=(*found.notes, _retried(attempts)),
                seconds={**found.seconds, "retries": tried - began},
                attempts=tuple(attempts),
            )
        raise MemoryError(f"tried {', '.join(map(str, attempts))}")

    def _predictor(self, rung: Rung) -> Predictor:
        return Predictor(
            self._copies.on(rung),
            rung.device,
            rung.dtype,
            finest_level=self._finest_level,
            tile_bytes=rung.tile_bytes,
        )

    def _attempt(
        self, rung: Rung, streams: Sequence[Volume], targets: Sequence[Asked]
    ) -> Segmentation | None:
        """What is found on a rung; None if memory runs out there.

        The error is not passed on: its traceback would keep alive what took the memory.
        """
        try:
            first = rung == self._first
            predictor = self.predictor if first else self._predictor(rung)
            return self._segment(predictor, streams, targets)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _segment(
        self, predictor: Predictor, streams: Sequence[Volume], targets: Sequence[Asked]
    ) -> Segmentation:
        began = time.perf_counter()
        one_grid = streams[0].geometry  # the others may differ by rounding
        grids = [network_grid(replace(volume, geometry=one_grid)) for volume in streams]
        ready = time.perf_counter()
        request = Request(targets)
        with self._turn:
            turn = time.perf_counter()
            core = predictor.core(grids)
            coarse = time.perf_counter()
            collected = self._collect(predictor, grids, core, request)
            parcels = predictor.parcels(grids, core) if request.parcels else None
            fine = time.perf_counter()
        result = collected.finish(streams[0])
        if parcels is not None:
            collected.divide(result, parcels)
        del result["rows"]
        seconds = {
            "prepare": ready - began,
            "coarse": coarse - turn,
            "fine": fine - coarse,
            "labels": time.perf_counter() - fine,
        }
        return Segmentation(**result, seconds=seconds)

    def _collect(
        self,
        predictor: Predictor,
        grids: list[NetworkGrid],
        core: CorePrediction,
        request: Request,
    ) -> Posteriors:
        """The posteriors of every voxel of the brain's box."""
        network, finest = predictor.network, predictor.finest_level
        collected = Posteriors(grids, request, network, core, finest)
        if self.follows_intensities and core.brain:
            prior, odds, intensities = predictor.sample(grids, core)
            prior = with_lesions(prior, odds) if collected.lesions_there else prior
            collected.model = fit_intensities(prior, intensities, network.targets.kind_of)
        predictor.refine(grids, core, collected.add, collected.project)
        return collected


def _retried(attempts: Sequence[Attempt]) -> str:
    """What a reader of the masks should know of how they came about."""
    failed = len(attempts) - 1
    times = "once" if failed == 1 else f"{failed} times"
    return f"Memory ran out {times}; computed in {attempts[-1]}."
