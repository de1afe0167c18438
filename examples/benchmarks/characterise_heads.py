"""Synthetic heads with a lesion of which signal, lobe, uptake and diffusion are known.

The lesion is the largest piece of one part of `synthesis/lesion_parts.py`, so that it has one
look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cc3d
import numpy as np
import torch
from characterise_images import Painter

from medprompt_cli.characterization.around import box_around, coded, inside, kind_of, mm_from
from medprompt_cli.characterization.places import NEAR_CORTEX_MM, OUTSIDE_KINDS
from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import LOBES, PARCELS
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.synthesis.bank import read_bank
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator, GeneratorConfig
from medprompt_cli.synthesis.lesion_parts import PARTS
from medprompt_cli.synthesis.lesions import LesionRange, place

SIGNAL, LOBE, ENHANCEMENT, DIFFUSION = "signal", "lobe", "enhancement", "diffusion"

NO_LOBE = "none"

LEAST_LESION_MM3 = 100.0
"""Smaller pieces are not asked about."""

LEAST_CORTEX_MM3 = 200.0
"""With less cortex around a lesion than this, nothing says to which lobe it belongs."""

BOXES = ((6, 7, 6),)
"""Fields of view, in cells of 32 mm: all of the brain."""

_STRUCTURES = {n: s.name for n, s in enumerate(BASE_STRUCTURES, start=1)}
_PARCELS = {n: p.name for n, p in enumerate(PARCELS, start=1)}
_LOBE_OF = {
    n: f"{p.side}-{lobe}"
    for n, p in enumerate(PARCELS, start=1)
    for lobe, kinds in LOBES.items()
    if p.kind in kinds
}


@dataclass(frozen=True, eq=False)
class Case:
    """A lesion, what it is seen on, and what is true of it.

    Attributes:
        lesion: The piece that is asked about.
        lesions: All lesions of the head.
        structures: Base structures, as they were before the lesion.
        parcels: Of the cortex, without what lesions cover.
        images: `signal`; `before` and `after` contrast agent; `dwi` and `adc`.
        part: What the lesion is made of.
        truth: By task; a task without a truth is not there.
    """

    lesion: Mask
    lesions: Mask
    structures: LabelMap
    parcels: LabelMap
    images: Mapping[str, Volume]
    part: str
    truth: Mapping[str, str]


class Heads(Generator):
    """Draws label maps with lesions, of which nothing is painted yet."""

    def head(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Geometry]:
        """Labels, parcels and lesion parts, (I, J, K) uint8 each, and their grid."""
        boxes = self.config.boxes
        grid = self._grid(boxes[self.draw.integer(len(boxes))])
        labels, parcels, lesions = self._head(grid)
        parts = place(labels, grid.spacing, lesions, self.draw)
        return labels, parcels, parts, Geometry(grid.shape, np.diag([*grid.spacing, 1.0]))


def cases(bank: Path, count: int, spacing: float, seed: int) -> Iterator[Case]:
    """Draw heads until `count` have a lesion that can be asked about."""
    config = GeneratorConfig(spacing, 1, BOXES, thick=0, lesion=LesionRange(share=1.0))
    heads = Heads(read_bank(bank), config, Draw(seed))
    while count:
        labels, parcels, parts, grid = heads.head()
        found = piece(parts.numpy(), grid, heads.draw)
        if found is None:
            continue
        count -= 1
        where, part = found
        painter = Painter(labels, parts, torch.from_numpy(where), heads.draw)
        truth, images = painted(painter, part)
        lesion, lesions = (Mask("lesion", v, grid) for v in (where, parts.numpy() > 0))
        structures = LabelMap(heads.row_of[labels.int()].numpy(), grid, _STRUCTURES)
        whole = LabelMap(parcels.numpy(), grid, _PARCELS)
        lobe = true_lobe(lesion, structures, whole)
        seen = LabelMap(whole.voxels * ~lesions.voxels, grid, _PARCELS)
        volumes = {name: Volume(image.numpy(), grid) for name, image in images.items()}
        truth |= {LOBE: lobe} if lobe else {}
        yield Case(lesion, lesions, structures, seen, volumes, part, truth)


def painted(painter: Painter, part: str) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """What is true of the lesion, by task, and the images that show it."""
    truth: dict[str, str] = {}
    images: dict[str, torch.Tensor] = {}
    truth[SIGNAL], images["signal"] = painter.signal()
    truth[ENHANCEMENT], images["before"], images["after"] = painter.enhancement()
    truth[DIFFUSION], images["dwi"], images["adc"] = painter.diffusion(part)
    return truth, images


def piece(parts: np.ndarray, grid: Geometry, draw: Draw) -> tuple[np.ndarray, str] | None:
    """The largest piece of one of the parts that are there; None if all are too small.

    A piece at the border of the image does not count: it may be cut.
    """
    least = LEAST_LESION_MM3 / grid.voxel_volume_mm3
    large: list[tuple[np.ndarray, str]] = []
    for part in np.unique(parts[parts > 0]):
        pieces = cc3d.connected_components(parts == part, connectivity=26)
        sizes = np.bincount(pieces.ravel())[1:]
        voxels = pieces == int(np.argmax(sizes)) + 1
        whole = np.count_nonzero(voxels[1:-1, 1:-1, 1:-1]) == sizes.max()
        if sizes.max() >= least and whole:
            large.append((voxels, PARTS[part].name))
    return large[draw.integer(len(large))] if large else None


def true_lobe(lesion: Mask, structures: LabelMap, parcels: LabelMap) -> str | None:
    """The lobe of most of the cortex that a lesion covers or lies near; `none`; or None.

    What lies mostly in structures that belong to no lobe is in none. There is no truth deep in
    the white matter, where no cortex is within `NEAR_CORTEX_MM`, and of what reaches over
    several lobes, none of which has more than half of that cortex.

    Args:
        lesion: Not empty.
        structures: Base structures.
        parcels: Whole: also where the lesion is. Ids are rows of `PARCELS` plus 1.
    """
    found = inside(lesion, structures.voxels)
    outside = coded(structures, found, lambda name: kind_of(name) in OUTSIDE_KINDS)
    if np.mean(outside) > 1 / 2:
        return NO_LOBE
    box = box_around(lesion, 2 * NEAR_CORTEX_MM)
    near = mm_from(lesion.voxels[box], lesion.geometry) <= NEAR_CORTEX_MM
    votes = Counter(_LOBE_OF.get(int(n)) for n in parcels.voxels[box][near])
    del votes[None]
    if votes.total() * lesion.geometry.voxel_volume_mm3 < LEAST_CORTEX_MM3:
        return None
    lobe, most = votes.most_common(1)[0]
    return lobe if most > votes.total() / 2 else None
