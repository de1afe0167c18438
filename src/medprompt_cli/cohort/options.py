"""How the commands are to do their work, as their public functions take it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PROCESS_GB = 1.0
"""What libraries and weights take before the first image. Measured: 0.5, on the processor."""


@dataclass(frozen=True)
class SegmentOptions:
    """How to segment; the defaults suit a whole dataset on whatever machine there is.

    Attributes:
        participants: Subjects to do, with or without `sub-`; none means all.
        sessions: Sessions to do, with or without `ses-`; none means all.
        suffixes: Kinds of scan to do, e.g. `T1w`; none means every scan of anatomy.
        together: Kinds of scan, e.g. `FLAIR` and `T1w`, of which those of one session are
            read together and give one result; none means each scan by itself.
        plan: A plan.json in place of prompts.
        prompt_weights: File of weights that read prompts; None for those of the package.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        weights: A name of weights.toml or a file; None for the bundled weights.
        memory_gb: What all images in memory may take together, beyond libraries and weights;
            None for what this machine has to give.
        force: Do again what is done, and overwrite what was changed by hand.
        shard: The part of the subjects to do, such as `2/8`, or `slurm` for what the array
            job says that this runs in; None for all.
        filter_file: JSON file of queries, as BIDS Apps take it; None for every scan.
        intervals: What the intervals of volumes follow from: `quick` for the probabilities
            alone, `full` for several looks at every head, moved a little, as well.
        hash: Do again whose scan has other contents than its result was made from, though
            size and time are the same; every scan is read for it.
    """

    participants: Sequence[str] = field(default=())
    sessions: Sequence[str] = ()
    suffixes: Sequence[str] = ()
    device: str = "auto"
    weights: str | Path | None = None
    memory_gb: float | None = None
    force: bool = False
    together: Sequence[str] = ()
    plan: str | Path | None = None
    prompt_weights: str | Path | None = None
    shard: str | None = None
    filter_file: str | Path | None = None
    intervals: Literal["quick", "full"] = "quick"
    hash: bool = False


@dataclass(frozen=True)
class LongitudinalOptions(SegmentOptions):
    """How to follow subjects; what `SegmentOptions` say holds, but for `shard`.

    Attributes:
        affine: Let the sizes of visits differ when they are registered. For scanners whose
            gradients were not calibrated alike; it takes change of size away.
        limits: TOML file of limits of repeatability; None for those of the package.
        masks: Folder of masks that are followed in place of what a network finds; None for
            the network's.
    """

    affine: bool = False
    limits: str | Path | None = None
    masks: str | Path | None = None


@dataclass(frozen=True)
class MeasureOptions:
    """How to measure masks; the defaults suit what `segment` wrote.

    Attributes:
        labels: Names of ids: a table or list of them, or `freesurfer`; None for the table
            beside the masks, or else numbers.
        region: What a mask is of: its voxels above 0; None for label maps.
        images: Whose intensities to measure; none for those that sidecars name.
        every_surface: Whether to measure the surface of every region, however large.
        connectivity: What makes a connected piece, and so a lesion: voxels that share a face
            (6), also an edge (18), also a corner (26).
        prompts: What to keep of the table, in words; none for all of it.
        plan: A plan.json in place of prompts.
        prompt_weights: File of weights that read prompts; None for those of the package.
    """

    labels: str | Path | None = None
    region: str | None = None
    images: Sequence[str | os.PathLike[str]] = ()
    every_surface: bool = False
    connectivity: Literal[6, 18, 26] = 26
    prompts: Sequence[str] = ()
    plan: str | Path | None = None
    prompt_weights: str | Path | None = None
