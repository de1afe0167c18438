"""What the five tasks say of lesions that are drawn on real scans, beside what is known.

People drew them, but for tcga-du-7294, where an algorithm did; what its ids mean is not told.
Tissues and parcels are those of the bundled weights. Of no scan is a signal, an uptake or a
place recorded; what is known follows from what the drawn label means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from common import Eyes

from medprompt_cli.bids.nifti import read_labels, read_volume
from medprompt_cli.characterization.diffusion import restricts_diffusion
from medprompt_cli.characterization.enhancement import enhances, uptake
from medprompt_cli.characterization.places import lobe, territory
from medprompt_cli.characterization.signal import signal
from medprompt_cli.domain.anatomy import BASE_NAMES
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.parcels import LOBES, parcels_of
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.evaluation.report import table_line
from medprompt_cli.measurement.instances import find_instances, instance_masks
from medprompt_cli.segmentation.segmenter import Segmenter

CORTEX = parcels_of(tuple(kind for kinds in LOBES.values() for kind in kinds))
NO_TRUTH = "no truth"
PRE, POST, DWI, ADC = "T1", "T1c", "DWI", "ADC"

PLAQUE, EDEMA, ENHANCING = (
    "hyper: a plaque is drawn for it",
    "hyper: edema is drawn for it",
    "hyper: it is drawn as enhancing",
)


@dataclass(frozen=True)
class Scan:
    """One person, one visit.

    Attributes:
        name: What to call it.
        folder: Below the root.
        images: Files by kind; the first is what tissue is found on, with the others.
        mask: File of the lesions.
        regions: Ids in it, by the name of what they make up; the first is all of it.
        known: What a label says of itself, by region and task.
    """

    name: str
    folder: str
    images: Mapping[str, str]
    mask: str
    regions: Mapping[str, tuple[int, ...]]
    known: Mapping[tuple[str, str], str] = field(default_factory=dict)


_BRATS = {
    **{"tumor": (1, 2, 3, 4), "edema": (2,)},
    **{"necrosis": (1,), "enhancing-tumor": (4,)},
}
_BRATS_KNOWN = {
    ("edema", "signal on FLAIR"): EDEMA,
    ("enhancing-tumor", "signal on T1c"): ENHANCING,
    ("enhancing-tumor", "enhancement"): "yes: it is drawn as enhancing",
}
SCANS = (
    Scan(
        "ms/cross-07",
        "ms/cross-07",
        {"FLAIR": "FLAIR.nii.gz", PRE: "T1.nii.gz", "T2": "T2.nii.gz", POST: "T1POST.nii.gz"},
        "lesions.nii.gz",
        {"ms-lesion": (1,)},
        {("ms-lesion", "signal on FLAIR"): PLAQUE, ("ms-lesion", "signal on T2"): PLAQUE},
    ),
    *(
        Scan(
            f"tumor/brats_2013_pat000{n}",
            f"tumor/brats_2013_pat000{n}_1",
            {"FLAIR": "Flair_subtrMeanDivStd.nii.gz", POST: "T1c_subtrMeanDivStd.nii.gz"},
            "OTMultiClass.nii.gz",
            _BRATS,
            _BRATS_KNOWN,
        )
        for n in (1, 2)
    ),
    Scan(
        "tumor/tcga-du-7294",
        "tumor/tcga-du-7294",
        {
            "FLAIR": "TCGA-DU-7294_fla_bet.nii.gz",
            PRE: "TCGA-DU-7294_t1_bet.nii.gz",
            POST: "TCGA-DU-7294_t1c_bet.nii.gz",
            "T2": "TCGA-DU-7294_t2_bet.nii.gz",
        },
        "algorithmic_segmentation.nii.gz",
        {"tumor": (1, 2), "id 1": (1,), "id 2": (2,)},
    ),
    Scan(
        "stroke/clinical-t2",
        "stroke/clinical-t2",
        {"T2": "T2.nii.gz"},
        "lesion.nii.gz",
        {"infarct": (1,)},
    ),
)
WITHOUT_MASK = "stroke/isles-dwi"


@dataclass(frozen=True, eq=False)
class Read:
    """A scan as it was read: images on one grid, all lesions, and what lies around them."""

    images: Mapping[str, Volume]
    drawn: LabelMap
    structures: LabelMap
    parcels: LabelMap
    lesions: Mask


def scan_table(root: Path, segmenter: Segmenter) -> str:
    """A line for each task of each region of each scan."""
    lines = [
        table_line(["Scan", "Region", "Task", "Said", "Probability", "Truth"]),
        table_line(["---", "---", "---", "---", "--:", "---"]),
    ]
    for scan in SCANS:
        read = read_scan(root / scan.folder, scan, Eyes(segmenter))
        lines += (table_line([scan.name, *cells]) for cells in rows(scan, read))
    nothing = [WITHOUT_MASK, "-", "diffusion restriction", "not run: no lesion is drawn"]
    return "\n".join([*lines, table_line([*nothing, "", NO_TRUTH])])


def read_scan(folder: Path, scan: Scan, eyes: Eyes) -> Read:
    """Read a scan and segment its tissue.

    The mask's voxels are those of the images by number, as one of the scans' headers lies.
    """
    images = {kind: read_volume(folder / name) for kind, name in scan.images.items()}
    volumes = list(images.values())
    drawn = read_labels(folder / scan.mask)
    drawn = LabelMap(drawn.voxels, volumes[0].geometry, drawn.names)
    found = eyes(volumes, [*BASE_NAMES, *CORTEX])
    parcels = found.parcels
    if parcels is None:
        raise SystemExit(f"{folder} shows no cortex.")
    lesions = Mask("lesion", drawn.voxels > 0, drawn.geometry)
    return Read(images, drawn, found.labels, parcels, lesions)


def rows(scan: Scan, read: Read) -> Iterator[list[str]]:
    """Region, task, what was said, how probable that is, and what is known.

    Of a part of a lesion nothing stands there where nothing is said and nothing is known.
    """
    for number, (name, ids) in enumerate(scan.regions.items()):
        voxels = np.isin(read.drawn.voxels, ids)
        if not voxels.any():
            continue
        mask = Mask(name, voxels, read.drawn.geometry)
        tasks = signals(mask, read)
        tasks |= {"enhancement": enhancement(mask, read)}
        if not number:
            tasks |= whole(mask, read)
        for task, found in tasks.items():
            known = scan.known.get((name, task), NO_TRUTH)
            if number and known == NO_TRUTH and found.value is None:
                continue
            chance = "" if found.probability is None else f"{found.probability:.2f}"
            yield [name, task, said(found), chance, known]


def signals(mask: Mask, read: Read) -> dict[str, Finding]:
    """The signal on every image."""
    return {
        f"signal on {kind}": signal(mask, image, read.structures, read.lesions)
        for kind, image in read.images.items()
    }


def enhancement(mask: Mask, read: Read) -> Finding:
    """Needs T1 before and after contrast agent."""
    missing = lacks(mask, "enhancement", read.images, (PRE, POST))
    if missing:
        return missing
    added = uptake(read.images[PRE], read.images[POST], read.structures, read.lesions)
    return enhances(mask, added, read.structures, read.lesions)


def whole(mask: Mask, read: Read) -> dict[str, Finding]:
    """What is asked once: diffusion, territory, and the lobe of the largest piece."""
    largest = next(instance_masks(find_instances(mask)))
    place = lobe(largest, read.structures, read.parcels)
    diffusion = lacks(mask, "diffusion", read.images, (DWI, ADC)) or restricts_diffusion(
        mask, read.images[DWI], read.images[ADC], read.structures, read.lesions
    )
    return {
        "lobe of the largest piece": place,
        "territory": territory(largest, None),
        "diffusion restriction": diffusion,
    }


def lacks(
    mask: Mask, feature: str, images: Mapping[str, Volume], needed: Sequence[str]
) -> Finding | None:
    """Why nothing can be said without images of these kinds; None if they are there."""
    missing = [kind for kind in needed if kind not in images]
    note = f"There is no {' and no '.join(missing)}."
    return Finding.missing(mask.region, feature, "error", notes=(note,)) if missing else None


def said(found: Finding) -> str:
    """The word, or why there is none."""
    if found.value is not None:
        return found.value
    return f"nothing: {' '.join(found.notes).removesuffix('.')}"
