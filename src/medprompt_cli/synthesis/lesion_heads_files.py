"""Synthetic heads with lesions as a BIDS dataset, with its truth beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.derivatives import BIDS_VERSION, DESCRIPTION, PARCELLATION, label_entity
from medprompt_cli.bids.entities import build_name
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.bids.label_table import label_table, parcel_table
from medprompt_cli.synthesis.demo import TRUTH, write_voxels
from medprompt_cli.synthesis.lesion_heads import SPACING_MM, LesionHead, draw_heads

STRUCTURES = "truth"
"""Value of the `seg` entity of base structures."""

README = """\
Synthetic heads, painted from the label maps of {bank} by `medprompt dataset build`. No person
was scanned for them. derivatives/truth says where everything is. A lesion that has no mask
there is one that the image does not decide: a lesion of multiple sclerosis and another
hyperintensity of white matter look alike.
"""


def write_heads(
    root: Path, bank: Path, count: int, seed: int, spacing_mm: float = SPACING_MM
) -> list[Path]:
    """Draw heads and write them.

    Args:
        root: A new folder.
        bank: As `medprompt train pack` writes it.
        count: How many heads, a participant each.
        seed: The same seed gives the same heads.
        spacing_mm: Of the images, along every axis.

    Returns:
        The images.

    Raises:
        InputError: If the bank cannot be read.
        OutputError: If something cannot be written.
    """
    width = max(3, len(str(count)))
    heads, images = draw_heads(bank, count, seed, spacing_mm), []
    for number, head in enumerate(heads, start=1):
        images.append(_write_head(root, f"sub-{number:0{width}}", head))
    made_by = {"GeneratedBy": [{"Name": "medprompt", "Version": __version__}]}
    common = {"Name": "Synthetic heads", "BIDSVersion": BIDS_VERSION, **made_by}
    truth = {**common, "Name": "Truth of the synthetic heads", "DatasetType": "derivative"}
    for path, text in (
        (root / DESCRIPTION, to_json({**common, "DatasetType": "raw"})),
        (root / "README", README.format(bank=bank.name)),
        (root / TRUTH / DESCRIPTION, to_json(truth)),
        (root / TRUTH / f"seg-{STRUCTURES}_dseg.tsv", label_table()),
        (root / TRUTH / f"seg-{PARCELLATION}_dseg.tsv", parcel_table()),
    ):
        write_file(path, text.encode())
    return images


def _write_head(root: Path, subject: str, head: LesionHead) -> Path:
    """Write an image and its truth; give the image."""
    image = root / subject / "anat" / build_name({"sub": subject}, head.suffix, ".nii.gz")
    write_voxels(image, head.voxels, head.geometry)
    maps = {STRUCTURES: head.structures}
    if head.parcels.any():
        maps[PARCELLATION] = head.parcels
    named = {"sub": subject, "space": "orig", "desc": head.suffix}
    truth = root / TRUTH / subject / "anat"
    for seg, labels in maps.items():
        name = build_name({**named, "seg": seg}, "dseg", ".nii.gz")
        write_voxels(truth / name, labels, head.geometry, intent="label")
    for lesion, voxels in head.lesions.items():
        name = build_name({**named, "label": label_entity(lesion)}, "mask", ".nii.gz")
        write_voxels(truth / name, voxels.astype(np.uint8), head.geometry, intent="label")
    return image
