"""Datasets to time the commands on: one computed head, again and again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel.loadsave import save
from nibabel.nifti1 import Nifti1Image, load

from medprompt_cli.synthesis.demo import DemoOptions, write_demo

STREAM_SUFFIXES = ("T1w", "FLAIR", "T2w", "PDw")
"""Kinds of scan of a session that are read together; the last two are copies."""


@dataclass(frozen=True)
class BenchHead:
    """The images that every dataset of a bench is made of.

    Attributes:
        scans: One image per suffix, all on one grid.
    """

    scans: dict[str, Path]


def write_head(folder: Path, *, small: bool) -> BenchHead:
    """Compute one head, as `medprompt demo` does, with four scans on the grid of its T1w."""
    demo = folder / "demo"
    write_demo(demo, DemoOptions(subjects=1, sessions=1, small=small))
    t1w = next(demo.glob("sub-*/**/*_T1w.nii.gz"))
    return BenchHead(dict.fromkeys(STREAM_SUFFIXES, t1w))


def with_slices(head: BenchHead, folder: Path, thickness: int) -> BenchHead:
    """The head with every `thickness` slices averaged into one."""
    if thickness == 1:
        return head
    folder.mkdir(parents=True)
    path = folder / "thick_T1w.nii.gz"
    image = load(head.scans["T1w"])
    voxels = np.asanyarray(image.dataobj)
    whole = voxels.shape[2] // thickness * thickness
    slabs = voxels[..., :whole].reshape(*voxels.shape[:2], -1, thickness)
    affine = np.array(image.affine)
    affine[:3, 3] += affine[:3, 2] * (thickness - 1) / 2  # the middle of the first slab
    affine[:3, 2] *= thickness
    thick = Nifti1Image(slabs.mean(-1).astype(voxels.dtype), affine)
    save(thick, path)
    return BenchHead(dict.fromkeys(STREAM_SUFFIXES, path))


def write_cohort(head: BenchHead, root: Path, subjects: int, streams: int) -> Path:
    """A BIDS dataset of `subjects`, each with `streams` scans; files are linked, not copied.

    Returns:
        `root`.
    """
    root.mkdir(parents=True)
    (root / "dataset_description.json").write_text('{"Name": "b", "BIDSVersion": "1.11.0"}')
    for number in range(1, subjects + 1):
        name = f"sub-{number:04d}"
        (root / name / "anat").mkdir(parents=True)
        for suffix in STREAM_SUFFIXES[:streams]:
            os.link(head.scans[suffix], root / name / "anat" / f"{name}_{suffix}.nii.gz")
    return root
